"""How an account stands with a product: one reading for every row that tells of balances or positions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO, canonical, round_down
from emulator.core.positions import Leg, MarginMode
from emulator.core.statement import (
    AssetFigures,
    PositionStatement,
    WalletStatement,
    deleveraging_light,
    position_statement,
    wallet_statement,
)
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import COLLATERAL, USDM, Product, product_of
from emulator.exchanges.binance.futures.symbols import listed
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, ZERO_AMOUNT, render_amount
from emulator.web.contract import Call

SIDES_OF_LEGS = {Leg.BOTH: "BOTH", Leg.LONG: "LONG", Leg.SHORT: "SHORT"}
ENTRY_STEP = Decimal("1E-8")
"""How finely prices of entry are shown: to eight places, as those of COIN-M ("11707.70000003")."""


class Standing(NamedTuple):
    """An account in a product. updated_us: when anything of it changed last."""

    product: Product
    engine: Engine
    account: AccountId
    statement: WalletStatement
    is_hedged: bool
    now_us: int
    updated_us: int

    @property
    def legs(self) -> tuple[Leg, ...]:
        # Quirk: one-way mode shows BOTH only, hedge mode LONG and SHORT only (Account Information V2).
        return (Leg.LONG, Leg.SHORT) if self.is_hedged else (Leg.BOTH,)

    def light(self, one: PositionStatement) -> int:
        """How early a position would be deleveraged, 0 to 4."""
        state = self.engine.state
        return deleveraging_light(state, state.accounts[self.account], one, self.now_us)

    def assets(self) -> Iterator[AssetFigures]:
        """What the product holds as margin, then what else is in the wallet."""
        held = self.statement.assets
        shown = COLLATERAL if self.product is USDM else self.product.assets
        for asset in dict.fromkeys((*shown, *held)):
            yield held.get(asset) or AssetFigures(asset=asset, wallet=ZERO)

    def open_positions(self) -> Iterator[tuple[str, PositionStatement]]:
        """Positions and what orders would open, by symbol."""
        for one in self.statement.positions:
            yield self.product.symbols[one.instrument.symbol], one

    def positions(self, symbols: list[Listing]) -> Iterator[tuple[str, PositionStatement]]:
        """Every leg of every one of these symbols, those that are flat included."""
        held = {(one.instrument.symbol, one.position.leg): one for one in self.statement.positions}
        state = self.engine.state
        owner = state.accounts[self.account]
        for listing in symbols:
            name = listing.instrument.symbol
            for leg in self.legs:
                one = held.get((name, leg)) or position_statement(state, owner, name, leg, self.now_us)
                yield listing.symbol, one


def read(call: Call) -> Standing:
    """How the caller stands. To be called in the exact context."""
    product, engine = product_of(call), call.engine
    state = engine.state
    account = state.accounts[call.account]
    return Standing(
        product=product,
        engine=engine,
        account=call.account,
        statement=wallet_statement(state, engine.rules, account, product.wallet, call.now_us),
        is_hedged=(call.account, product.wallet) in state.hedged,
        now_us=call.now_us,
        updated_us=engine.views.updated_us.get(call.account, 0),
    )


def shown(standing: Standing) -> list[Listing]:
    """The symbols of rows that tell of all: those that are listed, and what else there are positions in."""
    symbols = {one.symbol: one for one in listed(standing.product, standing.now_us)}
    for symbol, _ in standing.open_positions():
        symbols.setdefault(symbol, standing.product.listings[symbol])
    return list(symbols.values())


def is_isolated(one: PositionStatement) -> bool:
    return one.position.mode is MarginMode.ISOLATED


def isolated_margin(one: PositionStatement) -> Decimal:
    """Of an isolated position its margin with its profit; nothing of another."""
    return one.position.margin + one.unrealised if is_isolated(one) else ZERO


# Quirk: amounts of futures have eight places, but a zero in positions is just "0", and prices of entry have
# as many places as they need (the examples of Position Information V3).


def render_or_zero(value: Decimal) -> str:
    return render_value(value) if value else "0"


def render_value(value: Decimal) -> str:
    """Eight places; what is worth more exactly than that is cut off."""
    if not value:
        return ZERO_AMOUNT
    return render_amount(round_down(value, EIGHT_PLACES))


def render_plain(value: Decimal) -> str:
    return format(canonical(value), "f") if value else "0"


def render_price(value: Decimal) -> str:
    """A price of entry: as many places as it needs, and one at least."""
    text = render_plain(value)
    return text if "." in text else text + ".0"


def render_quantity(listing: Listing, value: Decimal) -> str:
    """With the places that the symbol's quantities have."""
    return f"{value:.{listing.row.quantity_precision}f}" if value else _zero(listing.row.quantity_precision)


def _zero(places: int) -> str:
    return f"{ZERO:.{places}f}"
