"""How an account stands in a wallet of contracts: every figure that it is told of, from one reading.

Nothing is decided by these; they are what an owner reads, reckoned by the same functions as what is
decided. To be asked in the engine's exact context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from emulator.core.collateral import (
    Collateral,
    SharedCollateral,
    Totals,
    totals_of_asset,
    totals_shared,
)
from emulator.core.contracts import Contract, FeeBasis, Tier, tier_of, value_max, value_of
from emulator.core.coverage import borrowable, collateral, holdings, mark_price, resting, tradable
from emulator.core.deleveraging import deleveraging_lights
from emulator.core.instruments import Instrument
from emulator.core.liquidation import bankruptcy_price, liquidation_price, liquidation_price_shared
from emulator.core.margin import (
    AssetFigures,
    Holding,
    Requirement,
    Resting,
    initial_value,
    maintenance,
    requirement,
)
from emulator.core.numbers import ZERO
from emulator.core.positions import (
    BreakEven,
    Leg,
    MarginMode,
    Position,
    break_even_price,
    entry_price,
    unrealised,
)
from emulator.core.risk import deleveraging_queue, insurance_balance
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State

__all__ = [
    "AssetFigures",
    "PositionStatement",
    "Totals",
    "WalletStatement",
    "closing_rate",
    "borrowable",
    "deleveraging_light",
    "insurance_balance",
    "maintenance",
    "position_statement",
    "tradable",
    "wallet_statement",
]

BREAK_EVEN = BreakEven()


class PositionStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One position, or one that orders would open, at its mark price.

    value: what it is worth, with the sign of its quantity; initial_value: the same as its own initial margin
    has it. unrealised, needed (its own initial margin and that of its orders) and maintenance are in the
    settle asset, as is the most that it may be worth at its leverage, value_max. resting: the worth of the
    orders beside it, by side. tier: of its value. liquidation: the mark price at which it is liquidated as
    everything stands, bankruptcy: the one at which nothing is left of what covers it, what closing costs
    there counted as far as margins hold it; None where there is none above zero.
    """

    instrument: Instrument
    contract: Contract
    position: Position
    mark: Decimal
    value: Decimal
    initial_value: Decimal
    unrealised: Decimal
    needed: Requirement
    maintenance: Decimal
    resting: Resting
    tier: Tier
    value_max: Decimal
    funds: Decimal
    """What covers it beside its own profit: its margin when isolated, else what the account has in the
    settle asset with the profits of all other cross positions, less what these have to keep."""
    liquidation: Decimal | None
    bankruptcy: Decimal | None

    @property
    def shown_liquidation(self) -> Decimal:
        """Zero where there is no price at which it is liquidated."""
        return self.liquidation or ZERO

    def entry(self, step: Decimal) -> Decimal:
        """The average price of entry; zero when flat."""
        return entry_price(self.contract, self.position, step)

    def break_even(self, step: Decimal) -> Decimal:
        """The price that makes up for the fees as well; zero when flat."""
        return break_even_price(self.contract, self.position, BREAK_EVEN, step)


class WalletStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet of contracts: its assets, its positions, and what covers them."""

    assets: dict[str, AssetFigures]
    positions: tuple[PositionStatement, ...]
    collateral: Collateral

    def available(self, asset: str) -> Decimal:
        """How much margin a new order may ask for."""
        return self.collateral.available(asset)

    def withdrawable(self, asset: str) -> Decimal:
        """How much may leave the wallet."""
        return self.collateral.withdrawable(asset)

    def totals(self, asset: str) -> Totals:
        """The wallet as a whole: in the account's unit where all assets stand together, else what is in,
        and covered by, one asset."""
        if isinstance(self.collateral, SharedCollateral):
            return totals_shared(self.collateral)
        own = self.assets.get(asset) or AssetFigures(asset=asset, wallet=ZERO)
        return totals_of_asset(own, self.collateral)


def wallet_statement(
    state: State, rules: EngineRules, account: Account, wallet: str, now_us: int
) -> WalletStatement:
    """All of a wallet where contracts are traded: positions in the order in which they were opened, then
    those that open orders would open."""
    covering = collateral(state, rules, account, wallet, now_us)
    held = holdings(state, account, wallet, now_us)
    return WalletStatement(
        assets=dict(covering.figures),
        positions=tuple(
            _stated(state.markets[symbol].instrument, one, held, covering)
            for (symbol, _), one in held.items()
        ),
        collateral=covering,
    )


def position_statement(
    state: State, account: Account, symbol: str, leg: Leg, now_us: int
) -> PositionStatement:
    """A position by itself, flat ones included: without what else the account has, so without funds of a
    cross position and the prices that follow from them."""
    market = state.markets[symbol]
    contract = market.instrument.contract
    assert contract is not None, "a pair has no positions"
    own = Holding(
        contract=contract,
        position=state.position(account.id, symbol, leg),
        mark=mark_price(market, now_us),
        resting=resting(state, account, market.instrument, leg),
    )
    return _stated(market.instrument, own)


def deleveraging_light(state: State, account: Account, one: PositionStatement, now_us: int) -> int:
    """How early a position would be deleveraged: the fifth of the queue of its side that it is in, 0 to 4,
    where 4 goes first. Looks at all positions in the contract."""
    direction = one.position.direction
    if not direction:
        return 0
    queue = deleveraging_queue(state, state.markets[one.instrument.symbol], direction, now_us)
    lights = deleveraging_lights([candidate.score for candidate in queue])
    return next(
        light for candidate, light in zip(queue, lights, strict=True) if candidate.account == account.id
    )


def _stated(
    instrument: Instrument,
    own: Holding,
    held: Mapping[tuple[str, Leg], Holding] | None = None,
    covering: Collateral | None = None,
) -> PositionStatement:
    contract, position, mark = own.contract, own.position, own.mark
    value = value_of(contract, position.quantity, mark) if position.quantity else ZERO
    funds, liquidation, bankruptcy = ZERO, None, None
    if position.quantity and held is not None and covering is not None:
        legs = _legs_beside(instrument, own, held)
        funds = _funds(contract, instrument, position, held, covering)
        liquidation = _liquidation(instrument, contract, legs, position, held, covering, funds, mark)
        rate = closing_rate(contract)
        bankruptcy = bankruptcy_price(contract, legs, funds, step=instrument.price_step, fee_rate=rate)
    return PositionStatement(
        instrument=instrument,
        contract=contract,
        position=position,
        mark=mark,
        value=value,
        initial_value=initial_value(contract, position, mark),
        unrealised=unrealised(contract, position, mark),
        needed=requirement(contract, position, mark, own.resting),
        maintenance=maintenance(contract, position, mark),
        resting=own.resting,
        tier=tier_of(contract, value),
        value_max=value_max(contract, position.leverage),
        funds=funds,
        liquidation=liquidation,
        bankruptcy=bankruptcy,
    )


def closing_rate(contract: Contract) -> Decimal:
    """The fee for closing at the bankruptcy price, where margins hold it."""
    return contract.maintenance_fee if contract.maintenance_fee_on is FeeBasis.BANKRUPTCY else ZERO


def _legs_beside(
    instrument: Instrument, own: Holding, held: Mapping[tuple[str, Leg], Holding]
) -> list[Position]:
    """The legs of a contract that are liquidated together: an isolated one alone, else both."""
    if own.position.mode is MarginMode.ISOLATED:
        return [own.position]
    return [
        one.position
        for (symbol, _), one in held.items()
        if symbol == instrument.symbol and one.position.mode is MarginMode.CROSS
    ]


def _others(instrument: Instrument, held: Mapping[tuple[str, Leg], Holding]) -> list[Holding]:
    """The cross positions in all other contracts."""
    return [
        one
        for (symbol, _), one in held.items()
        if symbol != instrument.symbol and one.position.mode is MarginMode.CROSS
    ]


def _funds(
    contract: Contract,
    instrument: Instrument,
    position: Position,
    held: Mapping[tuple[str, Leg], Holding],
    covering: Collateral,
) -> Decimal:
    if position.mode is MarginMode.ISOLATED:
        return position.margin
    funds = covering.figures[contract.settle].cross_wallet
    for other in _others(instrument, held):
        if other.contract.settle == contract.settle:
            funds += unrealised(other.contract, other.position, other.mark)
            funds -= maintenance(other.contract, other.position, other.mark)
    return funds


def _liquidation(
    instrument: Instrument,
    contract: Contract,
    legs: Sequence[Position],
    position: Position,
    held: Mapping[tuple[str, Leg], Holding],
    covering: Collateral,
    funds: Decimal,
    mark: Decimal,
) -> Decimal | None:
    # A mark price, so it is as fine as these are.
    step = contract.marking.step if contract.marking is not None else instrument.price_step
    if position.mode is MarginMode.ISOLATED or not isinstance(covering, SharedCollateral):
        return liquidation_price(contract, legs, funds, step=step, mark=mark)
    rate = covering.rates[contract.settle]
    own = covering.figures[contract.settle].cross_wallet
    others = covering.equity()
    kept = ZERO
    for other in _others(instrument, held):
        profit = unrealised(other.contract, other.position, other.mark)
        ask = covering.rates[other.contract.settle].ask
        kept += maintenance(other.contract, other.position, other.mark) * ask
        if other.contract.settle == contract.settle:
            own += profit
    others -= rate.worth(
        covering.figures[contract.settle].cross_wallet + covering.figures[contract.settle].cross_unrealised
    )
    return liquidation_price_shared(
        contract, legs, own=own, others=others - kept, counted=rate.lines(), ask=rate.ask, step=step
    )
