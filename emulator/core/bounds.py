"""What a plain limit order of a pair must be within, prepared for one comparison each.

Nearly all orders are plain limit orders within all limits, and all that has to be known of one is that it
is. What is wrong with an order, and of everything wrong what counts first, is said by `checks` and by
nothing here: whatever is not admitted is judged there, from the beginning.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core.instruments import BUY, Instrument, InstrumentStatus, OrderType, TimeInForce
from emulator.core.numbers import ZERO, is_on_step
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg

_UNBOUNDED = Decimal("Infinity")
_LIMIT = OrderType.LIMIT
_GTC = TimeInForce.GTC
_BOTH = Leg.BOTH


class Bounds:
    """Of one instrument. is_open: whether anything is admitted at all: of a pair that is traded, and where
    there is no limit of positions, which would have to be reckoned."""

    __slots__ = ("_amount_max", "_amount_min", "_asks", "_bids", "_instrument", "_modes", "_price_max",
                 "_price_min", "_price_step", "_quantity_max", "_quantity_min", "_quantity_step",
                 "_reference", "is_banded", "is_open", "orders_max")  # fmt: skip

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._price_step, self._quantity_step = instrument.price_step, instrument.quantity_step
        self.is_open = (
            instrument.contract is None
            and instrument.status is InstrumentStatus.TRADING
            and instrument.position_max is None
            and self._price_step > ZERO
            and self._quantity_step > ZERO
            and is_on_step(instrument.quantity_min, self._quantity_step)
        )
        self._price_min = max(instrument.price_min, self._price_step)
        self._price_max = instrument.price_max or _UNBOUNDED
        self._quantity_min = max(instrument.quantity_min, self._quantity_step)
        self._quantity_max = instrument.quantity_max or _UNBOUNDED
        self._amount_min, self._amount_max = instrument.notional_min, instrument.notional_max or _UNBOUNDED
        self._modes = (None, *instrument.self_trade_modes)
        self.orders_max = instrument.orders_max or _UNBOUNDED
        self._bids = self._asks = (self._price_min, self._price_max)
        self._reference = ZERO
        self.is_banded = any(
            multiplier is not None
            for multiplier in (
                instrument.bid_multiplier_up,
                instrument.bid_multiplier_down,
                instrument.ask_multiplier_up,
                instrument.ask_multiplier_down,
            )
        )
        """Whether prices have to be near a reference."""

    def admit(self, terms: OrderTerms, reference: Decimal) -> bool:
        """Whether terms ask for nothing but a quantity at a price until they are canceled, perhaps post-only,
        and this is within all limits. reference: what prices have to be near."""
        if reference is not self._reference:
            self._refer(reference)
        price, quantity = terms.price, terms.quantity
        lowest, highest = self._bids if terms.side is BUY else self._asks
        return (
            terms.type is _LIMIT
            and terms.time_in_force is _GTC
            and price is not None
            and quantity is not None
            and terms.trigger is None
            and terms.peg is None
            and terms.iceberg_quantity is None
            and terms.quote_quantity is None
            and terms.good_till_us is None
            and terms.leg is _BOTH
            and terms.leverage is None
            and not (terms.reduce_only or terms.close_position or terms.price_protect or terms.detached)
            and not terms.borrows
            and terms.attached is None
            and terms.slippage is None
            and not terms.close_on_trigger
            and lowest <= price <= highest
            and self._quantity_min <= quantity <= self._quantity_max
            and not price % self._price_step
            and not quantity % self._quantity_step
            and self._amount_min <= price * quantity <= self._amount_max
            and terms.self_trade_mode in self._modes
        )

    def _refer(self, reference: Decimal) -> None:
        instrument = self._instrument
        self._reference = reference
        self._bids = self._near(reference, instrument.bid_multiplier_down, instrument.bid_multiplier_up)
        self._asks = self._near(reference, instrument.ask_multiplier_down, instrument.ask_multiplier_up)

    def _near(self, reference: Decimal, down: Decimal | None, up: Decimal | None) -> tuple[Decimal, Decimal]:
        lowest, highest = self._price_min, self._price_max
        if down is not None:
            lowest = max(lowest, reference * down)
        if up is not None:
            highest = min(highest, reference * up)
        return lowest, highest
