"""What is traded, and every rule of it that is data.

Where exchanges differ in a way that matters to matching, the difference is a field here, so shared
code never asks for the name of an exchange. A limit of zero, or None, means: not limited.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from emulator.core.contracts import Contract, amount_of
from emulator.core.numbers import ZERO, round_down


class Kind(str, Enum):
    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


class InstrumentStatus(str, Enum):
    TRADING = "trading"
    HALTED = "halted"
    CANCEL_ONLY = "cancel_only"


class Side(str, Enum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        return SELL if self is BUY else BUY


BUY: Final = Side.BUY
SELL: Final = Side.SELL
"""Plain names, because looking up a member on its class costs more than a multiplication."""


class OrderType(str, Enum):
    """What the order becomes when it is active; a trigger, a peg or post-only is a separate field."""

    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(str, Enum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class SelfTradeMode(str, Enum):
    """What happens when an order would trade with its own account or trade group (taker decides)."""

    NONE = "none"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_BOTH = "expire_both"
    DECREMENT = "decrement"
    TRANSFER = "transfer"


class Outcome(str, Enum):
    """How an order that its own conditions forbid to trade ends: refused, or accepted and expired."""

    REFUSE = "refuse"
    EXPIRE = "expire"


class FeeAssetRule(str, Enum):
    """In which asset a fill's fee is charged."""

    RECEIVED = "received"
    QUOTE = "quote"


class TriggerSource(str, Enum):
    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class MarketProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How the synthetic market of an instrument behaves.

    anchor: price around which the path returns, in quote asset.
    volatility_bips: typical size of one day's range, in 1/10,000 of the price.
    spread_steps: distance between best bid and best ask, in price steps (at least 1).
    trade_quantity: median quantity of one market trade, in base asset.
    level_quantity: typical quantity of one book level near the touch, in base asset.
    trades_per_minute: typical number of market trades.
    path: whose relative movements it shares, so that one asset moves alike in every currency that
    stands for the same money; empty: the pair's own.
    """

    anchor: Decimal
    volatility_bips: int = 300
    spread_steps: int = 1
    trade_quantity: Decimal
    level_quantity: Decimal
    trades_per_minute: int = 60
    path: str = ""


ALL_SELF_TRADE_MODES = frozenset(SelfTradeMode)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable thing. Prices are quote per base; quantities are in base; steps are exact.

    contract: what makes it a futures contract; None: the two assets themselves change hands. Quantities of
    one are contracts. It has no order lists and no orders by quote quantity, whatever the fields say.
    base_step, quote_step: the ledger's smallest amounts of the two assets.
    market_quantity_*: additional limits of market orders; a step of zero is not checked.
    post_only_quantity_max: the largest quantity of an order that may only make, where that is larger than
    that of others; 0: it is not.
    notional_*: limits of price times quantity, in quote asset.
    bid_/ask_multiplier_*: band of a limit price around the reference price, by side.
    trailing_above_*: limits in 1/10,000 for stop-loss buys and take-profit sells;
    trailing_below_*: for stop-loss sells and take-profit buys.
    orders_max, trigger_orders_max: open orders of one account. Of a pair the former counts them all, and the
    latter those that wait or waited for a trigger; of a contract one counts those that are active, the other
    those that wait: where they are shared, those on all contracts of the wallet. detached_orders_max: of a
    pair, those among them that are detached, which then do not count with the others; 0: they do.
    trigger_sources: by which prices an order may be triggered; the mark and the index only of a contract.
    trigger_protect: by which part of the mark price the last price may be away from it when an order is
    triggered that asks for this protection; beyond, the order expires instead. None: however far.
    trailing_reached: how a trailing order ends whose price of activation is reached when it is placed; None:
    it tracks the market at once.
    take_bound: of a pair, by which part of the last price an order at market may trade beyond it; None:
    however far. A contract has its own. take_bound_failure: what becomes of one that finds nothing within
    its bound. dormant_modified: whether what waits for its trigger can be modified. below_executed: what
    becomes of an order that is to trade no more than it has traded: it is canceled, or that is refused.
    measured_by_index: of a pair, whether limit prices are measured by its index, which trades of accounts do
    not move; else by the average price of trades.
    band_at_trigger: of a pair, whether the limit price of an order that waits is measured by where it will be
    triggered, as that of a contract; else by the reference when it is placed.
    """

    symbol: str
    kind: Kind = Kind.SPOT
    base: str
    quote: str
    settle: str
    status: InstrumentStatus = InstrumentStatus.TRADING

    base_step: Decimal = Decimal("0.00000001")
    quote_step: Decimal = Decimal("0.00000001")

    price_step: Decimal
    price_min: Decimal
    price_max: Decimal
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    market_quantity_step: Decimal = ZERO
    market_quantity_min: Decimal = ZERO
    market_quantity_max: Decimal = ZERO
    post_only_quantity_max: Decimal = ZERO
    notional_min: Decimal = ZERO
    notional_max: Decimal = ZERO
    notional_min_applies_to_market: bool = True
    notional_max_applies_to_market: bool = False
    reference_minutes: int = 5
    bid_multiplier_up: Decimal | None = None
    bid_multiplier_down: Decimal | None = None
    ask_multiplier_up: Decimal | None = None
    ask_multiplier_down: Decimal | None = None

    orders_max: int = 200
    trigger_orders_max: int = 5
    detached_orders_max: int = 0
    trigger_orders_shared: bool = False
    iceberg_orders_max: int = 10
    iceberg_parts_max: int = 100
    order_lists_max: int = 20
    amends_max: int = 10
    position_max: Decimal | None = None
    trailing_above_min: int = 10
    trailing_above_max: int = 2000
    trailing_below_min: int = 10
    trailing_below_max: int = 2000

    market_orders: bool = True
    quote_quantity_orders: bool = True
    trigger_orders: bool = True
    trailing_orders: bool = True
    iceberg_orders: bool = True
    pegged_orders: bool = True
    order_lists: bool = True
    cancel_replace: bool = True
    amends: bool = True

    self_trade_modes: frozenset[SelfTradeMode] = ALL_SELF_TRADE_MODES
    self_trade_default: SelfTradeMode = SelfTradeMode.EXPIRE_MAKER

    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    fee_asset_rule: FeeAssetRule = FeeAssetRule.RECEIVED
    hold_includes_fee: bool = False
    post_only_failure: Outcome = Outcome.REFUSE
    fill_or_kill_failure: Outcome = Outcome.EXPIRE
    amend_keeps_priority: bool = True
    trigger_sources: frozenset[TriggerSource] = frozenset({TriggerSource.LAST})
    trigger_protect: Decimal | None = None
    trailing_reached: Outcome | None = None
    take_bound: Decimal | None = None
    take_bound_failure: Outcome = Outcome.REFUSE
    dormant_modified: bool = False
    below_executed: Outcome = Outcome.EXPIRE

    profile: MarketProfile
    contract: Contract | None = None

    band_at_trigger: bool = False
    measured_by_index: bool = False

    @property
    def pair(self) -> str:
        """The name of the shared price path, `BASE/QUOTE`."""
        return f"{self.base}/{self.quote}"

    def amount(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What a trade comes to, down to the ledger step: quote asset, or what a contract settles in."""
        if self.contract is not None:
            return amount_of(self.contract, quantity, price)
        return round_down(price * quantity, self.quote_step)
