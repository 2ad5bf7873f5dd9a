"""What covers an account's positions and orders in one wallet, and how much of it is left.

Reckoned from the folded state whenever it is asked for: positions at their mark prices, the open orders
beside each, and the balances of the wallet where these contracts are traded.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core.collateral import Collateral, CollateralRate, SeparateCollateral, SharedCollateral
from emulator.core.instruments import BUY, SELL, Instrument
from emulator.core.margin import NOTHING_RESTS, Holding, Resting, counted, figures
from emulator.core.numbers import ZERO
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
    """What covers what an account has in a wallet. What is locked or held for spot orders does not."""
    held = holdings(state, account, wallet, now_us).values()
    balances = {asset: balance.free for asset, balance in state.ledger.wallets[account.id, wallet].items()}
    for holding in held:
        settle = holding.contract.settle
        balances[settle] = balances.get(settle, ZERO) + holding.position.margin
    if (account.id, wallet) in state.shared:
        rates = collateral_rates(state, wallet, now_us)
        return SharedCollateral(figures=figures(balances, held), rates=rates, counted=rules.margin.counted)
    return SeparateCollateral(figures=figures(balances, held), counted=rules.margin.counted)


def collateral_rates(state: State, wallet: str, now_us: int) -> dict[str, CollateralRate]:
    """What one unit of each asset counts for that may stand together with others in a wallet."""
    rates: dict[str, CollateralRate] = {}
    for one in state.collateral.get(wallet, ()):
        index = one.index
        if one.index_of:
            marks = state.markets[one.index_of].marks
            assert marks is not None, "a pair has no index price"
            index = marks.index_price(now_us)
        rates[one.asset] = CollateralRate(
            index=index,
            bid_buffer=one.bid_buffer,
            ask_buffer=one.ask_buffer,
            exchanged=one.exchanged,
        )
    return rates


def spendable(
    state: State, rules: EngineRules, account: Account, wallet: str, asset: str, now_us: int
) -> Decimal:
    """How much of an asset may leave a wallet: what is free, but for what positions there have to keep."""
    free = state.ledger.free(account.id, wallet, asset)
    if wallet not in state.margin_wallets:
        return free
    return min(max(free, ZERO), collateral(state, rules, account, wallet, now_us).withdrawable(asset))
