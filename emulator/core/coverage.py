"""What covers an account's positions and orders in one wallet, and how much of it is left.

Reckoned from the folded state whenever it is asked for: positions at their mark prices, the open orders
beside each, and the balances of the wallet where these contracts are traded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec.structs import replace

from emulator.core.collateral import (
    Collateral,
    CollateralAsset,
    CollateralRate,
    SeparateCollateral,
    SharedCollateral,
)
from emulator.core.ids import AccountId
from emulator.core.instruments import BUY, SELL, Instrument
from emulator.core.margin import NOTHING_RESTS, AssetFigures, Holding, Resting, counted, figures
from emulator.core.numbers import ONE, ZERO, divide_down, divide_up, exact
from emulator.core.orders import Order, OrderTerms
from emulator.core.positions import Leg
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market


def mark_price(market: Market, now_us: int) -> Decimal:
    """The price at which positions are valued."""
    assert market.marks is not None, "a pair has no mark price"
    return market.marks.mark_price(now_us)


def resting(
    state: State,
    account: Account,
    instrument: Instrument,
    leg: Leg = Leg.BOTH,
    without: Order | None = None,
) -> Resting:
    """The value of an account's orders in the book beside one position; none of what only waits, or can
    only reduce it."""
    beside = account.beside.get((instrument.symbol, leg), NOTHING_RESTS)
    if without is None:
        return beside
    contract, worth = instrument.contract, state.booked.get(without.id, ZERO)
    assert contract is not None
    return counted(
        contract,
        beside,
        is_buy=without.side is BUY,
        before=worth,
        value=ZERO,
        leverage=without.terms.leverage,
    )


def reducible(
    state: State, account: Account, instrument: Instrument, terms: OrderTerms, without: Order | None = None
) -> Decimal:
    """How much an order may take from a position, less what others in the book will."""
    symbol, leg, side = instrument.symbol, terms.leg, terms.side
    position = account.positions.get((symbol, leg))
    if position is None:
        return ZERO
    left = position.quantity if side is SELL else -position.quantity
    for order in account.open_orders.values():
        if order is without:
            continue
        if order.resting and order.instrument == symbol and order.terms.leg is leg and order.side is side:
            left -= order.remaining if order.terms.reduces else ZERO
    return max(left, ZERO)


def holdings(state: State, account: Account, wallet: str, now_us: int) -> dict[tuple[str, Leg], Holding]:
    """All that needs margin in a wallet, by instrument and leg: positions, and what would become one if an
    order traded."""
    places = dict.fromkeys(account.positions)
    places |= dict.fromkeys((order.instrument, order.terms.leg) for order in account.open_orders.values())
    return _holdings(state, account, wallet, now_us, places)


def _holdings(
    state: State, account: Account, wallet: str, now_us: int, places: Iterable[tuple[str, Leg]]
) -> dict[tuple[str, Leg], Holding]:
    found: dict[tuple[str, Leg], Holding] = {}
    for symbol, leg in places:
        market = state.markets[symbol]
        contract = market.instrument.contract
        if contract is None or contract.wallet != wallet:
            continue
        found[symbol, leg] = Holding(
            contract=contract,
            position=state.position(account.id, symbol, leg),
            mark=mark_price(market, now_us),
            resting=resting(state, account, market.instrument, leg),
        )
    return found


def collateral(state: State, rules: EngineRules, account: Account, wallet: str, now_us: int) -> Collateral:
    """What covers what an account has in a wallet. What is locked from outside does not."""
    found = sums(state, account, wallet, now_us)
    counted = rules.margin.counted
    if (account.id, wallet) in state.shared:
        rates = collateral_rates(state, wallet, now_us, account.id)
        return SharedCollateral(
            figures=found, rates=rates, counted=counted, counts_held=rules.margin.counts_held
        )
    return SeparateCollateral(figures=found, counted=counted)


def sums(
    state: State, account: Account, wallet: str, now_us: int, held: Iterable[Holding] | None = None
) -> dict[str, AssetFigures]:
    """What an account has and needs in a wallet, asset by asset. held: as if it had these positions."""
    if held is None:
        # Not by every open order: there may be hundreds, and this is asked at each one.
        places = {**dict.fromkeys(account.positions), **dict.fromkeys(account.beside)}
        held = _holdings(state, account, wallet, now_us, places).values()
    locked = state.locked
    balances = {
        asset: balance.total - locked.get((account.id, wallet, asset), ZERO)
        for asset, balance in state.ledger.wallets[account.id, wallet].items()
    }
    found = figures(balances, held)
    for asset, amount in pledged(state, account, wallet).items():
        found[asset] = replace(found[asset], held=amount)
    for (owner, of, asset), loan in state.loans.items():
        if (owner, of) == (account.id, wallet):
            found[asset] = replace(found[asset], borrowed=loan.total, interest=loan.interest)
    return found


def pledged(state: State, account: Account, wallet: str) -> dict[str, Decimal]:
    """What is held for orders of pairs in a wallet, asset by asset: it is there until it is spent.

    That is all that is held but what is locked from outside and the margins of single positions.
    """
    found: dict[str, Decimal] = {}
    if wallet not in state.margin_wallets or wallet not in state.pair_wallets:
        return found
    for asset, balance in state.ledger.wallets[account.id, wallet].items():
        if balance.held:
            found[asset] = balance.held - max(ZERO, state.locked.get((account.id, wallet, asset), ZERO))
    for (symbol, _), position in account.positions.items():
        contract = state.markets[symbol].instrument.contract
        if position.margin and contract is not None and contract.wallet == wallet:
            found[contract.settle] -= position.margin
    return {asset: amount for asset, amount in found.items() if amount}


def collateral_rates(
    state: State, wallet: str, now_us: int, account: AccountId | None = None
) -> Mapping[str, CollateralRate]:
    """What one unit of each asset counts for that may stand together with others in a wallet; for an account,
    as it has chosen, else as it is without a choice. Indexes are asked for when somebody looks at a rate."""
    return _Rates(state, wallet, now_us, account)


class _Rates(Mapping[str, CollateralRate]):
    """Of as many assets as there may be, of which an account mostly has few."""

    __slots__ = ("_account", "_assets", "_known", "_now_us", "_state", "_wallet")

    def __init__(self, state: State, wallet: str, now_us: int, account: AccountId | None) -> None:
        self._state = state
        self._wallet = wallet
        self._now_us = now_us
        self._account = account
        self._assets = {one.asset: one for one in state.collateral.get(wallet, ())}
        self._known: dict[str, CollateralRate] = {}

    def __getitem__(self, asset: str) -> CollateralRate:
        known = self._known.get(asset)
        if known is None:
            known = self._known[asset] = self._rate(self._assets[asset])
        return known

    def __contains__(self, asset: object) -> bool:
        return asset in self._assets

    def __iter__(self) -> Iterator[str]:
        return iter(self._assets)

    def __len__(self) -> int:
        return len(self._assets)

    def _rate(self, one: CollateralAsset) -> CollateralRate:
        state, wallet, account = self._state, self._wallet, self._account
        leverage = None if account is None else state.spot_margins.get((account, wallet))
        with exact():
            index = one.index
            if one.index_of:
                marks = state.markets[one.index_of].marks
                assert marks is not None, "a pair has no index price"
                index = marks.index_price(self._now_us) * one.index_part
            return CollateralRate(
                index=index,
                bid_buffer=one.bid_buffer,
                tiers=one.tiers,
                ask_buffer=one.ask_buffer,
                exchanged=one.exchanged,
                is_used=account is None or (account, wallet, one.asset) not in state.unused,
                turn=one.turn,
                debt_initial=one.debt_initial if leverage is None else debt_part(leverage),
                debt_maintenance=one.debt_maintenance,
            )


_STEP = Decimal("0.00000001")


def payable(
    state: State, rules: EngineRules, account: Account, wallet: str, asset: str, now_us: int
) -> Decimal:
    """How much of an asset may be spent for pairs in a wallet: where all assets stand together what is free,
    since what comes for it covers as well."""
    if (account.id, wallet) in state.shared:
        return max(ZERO, state.ledger.free(account.id, wallet, asset))
    return spendable(state, rules, account, wallet, asset, now_us)


def debt_part(leverage: Decimal) -> Decimal:
    """Which part of what is owed is initial margin at a leverage."""
    return divide_up(ONE, leverage, _STEP)


def lent_asset(state: State, account: Account, wallet: str, asset: str) -> CollateralAsset | None:
    """What there is to be known about an asset that an account can borrow in a wallet; None: it cannot."""
    if (account.id, wallet) not in state.shared:
        return None
    return next(
        (one for one in state.collateral[wallet] if one.asset == asset and one.borrow_max is not None), None
    )


def borrowable(
    state: State, rules: EngineRules, account: Account, wallet: str, asset: str, now_us: int
) -> Decimal:
    """How much more of an asset an account may borrow: what is left of the limit, and of which the initial
    margin is covered."""
    lent = lent_asset(state, account, wallet, asset)
    if lent is None or lent.borrow_max is None:
        return ZERO
    now = collateral(state, rules, account, wallet, now_us)
    assert isinstance(now, SharedCollateral)
    own, rate = now.figures.get(asset), now.rates[asset]
    most = max(ZERO, lent.borrow_max - (ZERO if own is None else own.owed))
    needed = rate.ask * rate.debt_initial
    if needed:
        left = max(ZERO, now.equity() - now.initial_margin())
        most = min(most, divide_down(left, needed, _STEP))
    return most


def tradable(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    paid: str,
    got: str,
    received: Decimal,
    now_us: int,
) -> Decimal:
    """How much of one asset an account could spend on another, with all that it may borrow for it: what it
    got counts for less than what it owed then, and what is owed needs margin.

    received: how much it gets for one, after fees.
    """
    own = max(ZERO, spendable(state, rules, account, wallet, paid, now_us))
    lent = lent_asset(state, account, wallet, paid)
    if lent is None or lent.borrow_max is None:
        return own
    now = collateral(state, rules, account, wallet, now_us)
    assert isinstance(now, SharedCollateral)
    mine = now.figures.get(paid) or AssetFigures(asset=paid, wallet=ZERO)
    other = now.figures.get(got) or AssetFigures(asset=got, wallet=ZERO)

    def left(spent: Decimal) -> Decimal:
        changed = {
            paid: replace(mine, wallet=mine.wallet - spent),
            got: replace(other, wallet=other.wallet + spent * received),
        }
        then = replace(now, figures={**now.figures, **changed})
        return then.equity() - then.initial_margin()

    most = own + max(ZERO, lent.borrow_max - mine.owed)
    # What is left is straight between these, and bent downwards at each.
    bends = [mine.cross_wallet - mine.held - floor for floor in _floors(now, paid)]
    bends += [divide_down(floor - other.cross_wallet, received, _STEP) for floor in _floors(now, got)]
    before, there = own, left(own)
    if there <= ZERO:
        return own
    for spent in [*sorted(one for one in bends if own < one < most), most]:
        then = left(spent)
        if then < ZERO:
            return before + divide_down(there * (spent - before), there - then, _STEP)
        before, there = spent, then
    return most


def _floors(now: SharedCollateral, asset: str) -> list[Decimal]:
    """From where on an asset counts otherwise."""
    rate = now.rates.get(asset)
    return [ZERO] if rate is None else [ZERO, *(tier.floor for tier in rate.tiers)]


def spendable(
    state: State, rules: EngineRules, account: Account, wallet: str, asset: str, now_us: int
) -> Decimal:
    """How much of an asset may leave a wallet: what is free, but for what positions there have to keep."""
    free = state.ledger.free(account.id, wallet, asset)
    if wallet not in state.margin_wallets:
        return free
    return min(max(free, ZERO), collateral(state, rules, account, wallet, now_us).withdrawable(asset))
