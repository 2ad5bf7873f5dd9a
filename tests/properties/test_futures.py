"""The futures maths against fractions, which know no rounding, no step and no tier boundary by name."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from fractions import Fraction as F

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.collateral import CollateralRate
from emulator.core.contracts import Contract, maintenance_of, tier_of, value_of
from emulator.core.liquidation import (
    NEVER,
    Band,
    Stake,
    Weights,
    bankruptcy_price,
    liquidation_band,
    liquidation_price,
    liquidation_price_shared,
    safe_bands,
    settlement,
)
from emulator.core.margin import Resting, requirement
from emulator.core.numbers import exact, round_down
from emulator.core.positions import Leg, MarginMode, Position, traded, unrealised
from tests.core.futures import (
    BTC,
    BTC_COIN,
    DOGE,
    ETH,
    ETH_COIN,
    LOTS,
    LOTS_WITH_FEE,
    SATOSHI,
    TENTH,
    USD_BY_ENTRY,
    held,
)

CONTRACTS = [BTC, ETH, DOGE, BTC_COIN, ETH_COIN, LOTS, LOTS_WITH_FEE, USD_BY_ENTRY]
JUMPS = [
    msgspec.structs.replace(
        contract,
        tiers=tuple(msgspec.structs.replace(tier, maintenance_amount=D(0)) for tier in contract.tiers),
    )
    for contract in (BTC, DOGE, BTC_COIN)
]
"""Tables that take nothing off, so a position needs more at once where a tier begins."""
contracts = st.sampled_from(CONTRACTS)
quantities = st.decimals(min_value=D("0.001"), max_value=D(20000), places=3)
signed = st.builds(D.__mul__, quantities, st.sampled_from([D(1), D(-1)]))
prices = st.decimals(min_value=D(50), max_value=D(200000), places=1)
funds = st.decimals(min_value=D(-1000), max_value=D(50_000_000), places=8)
trades = st.lists(st.tuples(signed, prices), min_size=1, max_size=8)
STEP = F(TENTH)


def worth(contract: Contract, quantity: D, price: D | F) -> F:
    amount = abs(F(quantity)) * F(contract.size)
    return amount / F(price) if contract.is_inverse else amount * F(price)


def gained(contract: Contract, position: Position, price: D | F) -> F:
    sense = -1 if contract.is_inverse else 1
    side = 1 if position.quantity > 0 else -1
    return sense * side * (worth(contract, position.quantity, price) - F(position.cost))


def kept(contract: Contract, position: Position, price: D | F) -> F:
    """Maintenance margin, by looking through the table."""
    if contract.maintenance_by.value == "entry":
        return F(maintenance_of(contract, position.cost))
    value = worth(contract, position.quantity, price)
    tier = next((tier for tier in contract.tiers if value <= F(tier.cap)), contract.tiers[-1])
    return value * (F(tier.maintenance_rate) + F(contract.maintenance_fee)) - F(tier.maintenance_amount)


def health(
    contract: Contract, legs: list[Position], cover: D | F, price: D | F, weights: Weights | None = None
) -> F:
    """What covers the legs at a price, less what must be kept."""
    profit, maintenance = (F(weights.profit), F(weights.maintenance)) if weights else (F(1), F(1))
    total = F(cover)
    for leg in legs:
        total += profit * gained(contract, leg, price) - maintenance * kept(contract, leg, price)
    return total


def check_band(band: Band, health_at: Callable[[F], F], price: F) -> None:
    """Inside the band nothing is missing, outside something is, but for a step around its ends."""
    for probe in (price, *(F(end) + side * STEP for end in (band.low, band.high) if end for side in (-1, 1))):
        if probe <= 0:
            continue
        near = [end for end in (band.low, band.high) if end is not None and abs(probe - F(end)) < STEP]
        if near and band != NEVER:
            continue
        is_inside = (band.low is None or probe >= F(band.low)) and (
            band.high is None or probe <= F(band.high)
        )
        if is_inside and band != NEVER:
            assert health_at(probe) >= 0
        else:
            assert health_at(probe) <= 0


def two_legs(contract: Contract, long: D, short: D, long_price: D, short_price: D) -> list[Position]:
    return [
        held(contract, str(long), str(long_price), leg=Leg.LONG),
        held(contract, str(-short), str(short_price), leg=Leg.SHORT),
    ]


@given(contract=contracts, quantity=signed, entry=prices, cover=funds, price=prices)
def test_a_position_can_be_kept_inside_its_band_only(
    contract: Contract, quantity: D, entry: D, cover: D, price: D
) -> None:
    with exact():
        position = held(contract, str(quantity), str(entry))
        band = liquidation_band(contract, [position], cover, step=TENTH)
        check_band(band, lambda probe: health(contract, [position], cover, probe), F(price))


@given(
    contract=st.sampled_from(JUMPS),
    legs=st.tuples(quantities, quantities),
    entries=st.tuples(prices, prices),
    cover=funds,
    mark=prices,
    parts=st.lists(st.decimals(0, 1, places=6), min_size=3, max_size=3),
)
def test_where_the_margin_jumps_the_band_is_what_the_mark_can_reach(
    contract: Contract, legs: tuple[D, D], entries: tuple[D, D], cover: D, mark: D, parts: list[D]
) -> None:
    with exact():
        both = two_legs(contract, *legs, *entries)
        band = liquidation_band(contract, both, cover, step=TENTH, mark=mark)

    def health_at(price: F) -> F:
        return health(contract, both, cover, price)

    if band == NEVER:
        assert health_at(F(mark)) < 0
        return
    low = F(band.low) if band.low is not None else F(mark) / 50
    high = F(band.high) if band.high is not None else F(mark) * 50
    assert low - STEP <= mark <= high + STEP
    for part in parts:
        probe = low + STEP + (high - low - 2 * STEP) * F(part)
        assert high - low <= 2 * STEP or health_at(probe) >= 0
    # The end is rounded, so what lies beyond it begins within half a step.
    beyond = [STEP * (F(1, 2) + F(part, 1000)) for part in (1, 10, 100, 500)]
    assert band.high is None or any(health_at(high + way) < 0 for way in beyond)
    assert band.low is None or low <= STEP or any(health_at(low - way) < 0 for way in beyond)


@given(contract=contracts, long=quantities, short=quantities, entries=st.tuples(prices, prices), cover=funds,
       price=prices)  # fmt: skip
def test_two_legs_can_be_kept_inside_their_band_only(
    contract: Contract, long: D, short: D, entries: tuple[D, D], cover: D, price: D
) -> None:
    with exact():
        legs = two_legs(contract, long, short, *entries)
        band = liquidation_band(contract, legs, cover, step=TENTH)
        check_band(band, lambda probe: health(contract, legs, cover, probe), F(price))


@given(contract=contracts, quantity=signed, entry=prices, share=st.decimals(D("0.02"), D("0.9"), places=4))
def test_the_ratio_is_one_at_the_liquidation_price(
    contract: Contract, quantity: D, entry: D, share: D
) -> None:
    """Within a step of the price, maintenance margin over what covers it goes through 1."""
    with exact():
        position = held(contract, str(quantity), str(entry))
        cover = round_down(position.cost * share, SATOSHI)
        price = liquidation_price(contract, [position], cover, step=TENTH)
        if price is None or F(price) <= 2 * STEP:
            return

        def ratio(at: F) -> F | None:
            equity = F(cover) + gained(contract, position, at)
            return kept(contract, position, at) / equity if equity > 0 else None

        towards_loss = -STEP if quantity > 0 else STEP
        better, worse = ratio(F(price) - towards_loss), ratio(F(price) + towards_loss)
        assert better is not None
        assert better <= 1
        assert worse is None or worse >= 1


@given(contract=contracts, legs=st.tuples(quantities, quantities), entries=st.tuples(prices, prices),
       share=st.decimals(D(0), D("0.9"), places=4), mark=prices)  # fmt: skip
def test_where_the_margin_has_no_jump_the_mark_makes_no_difference(
    contract: Contract, legs: tuple[D, D], entries: tuple[D, D], share: D, mark: D
) -> None:
    with exact():
        both = two_legs(contract, *legs, *entries)
        cover = round_down(both[0].cost * share, SATOSHI)
        band = liquidation_band(contract, both, cover, step=TENTH)
        reached = liquidation_band(contract, both, cover, step=TENTH, mark=mark)
    if health(contract, both, cover, mark) >= 0:
        assert reached == band
    else:
        assert reached == NEVER


@given(quantity=signed, entry=prices, own=funds, others=funds, price=prices)
def test_owned_counts_at_the_bid_and_owed_at_the_ask(
    quantity: D, entry: D, own: D, others: D, price: D
) -> None:
    rate = CollateralRate(index=D("0.99"), bid_buffer=D("0.01"), ask_buffer=D("0.005"))
    with exact():
        position = held(ETH, str(quantity), str(entry))
        end = liquidation_price_shared(
            ETH, [position], own=own, others=others, counted=rate.lines(), ask=rate.ask, step=TENTH
        )

        def health_at(probe: F) -> F:
            balance = F(own) + gained(ETH, position, probe)
            counted = min(balance * F(rate.bid), balance * F(rate.ask))
            return F(others) + counted - F(rate.ask) * kept(ETH, position, probe)

        if end is not None:
            band = Band(low=end) if quantity > 0 else Band(high=end)
            check_band(band, health_at, F(price))


stakes = st.lists(
    st.tuples(st.sampled_from([BTC, ETH, DOGE, *JUMPS[:2]]), signed, prices, prices), min_size=1, max_size=4
)


@given(
    chosen=stakes,
    slack=st.decimals(min_value=0, max_value=10_000_000, places=8),
    moved=st.lists(st.decimals(0, 1, places=6), min_size=4, max_size=4),
    is_shared=st.booleans(),
)
def test_an_account_is_safe_while_every_mark_is_in_its_band(
    chosen: list[tuple[Contract, D, D, D]], slack: D, moved: list[D], is_shared: bool
) -> None:
    weights = Weights(profit=D("0.8"), maintenance=D("1.25"), owed=D("1.25")) if is_shared else Weights()
    bid, ask = F(weights.profit), F(weights.maintenance)
    with exact():
        held_ = [
            Stake(contract=c, legs=(held(c, str(q), str(entry)),), mark=mark, step=TENTH, weights=weights)
            for c, q, entry, mark in chosen
        ]
        bands = safe_bands(held_, slack)
    balance = kept_now = kept_then = F(0)
    for stake, band, part in zip(held_, bands, moved, strict=False):
        low = F(band.low or TENTH)
        high = F(band.high) if band.high is not None else max(low, F(stake.mark)) * 3
        if low > high:
            assert not slack or high < F(stake.mark) + STEP
            return
        (leg,) = stake.legs
        probe = low + (high - low) * F(part)
        balance += gained(stake.contract, leg, probe) - gained(stake.contract, leg, stake.mark)
        kept_now += kept(stake.contract, leg, stake.mark)
        kept_then += kept(stake.contract, leg, probe)
    lost = min(balance * bid, balance * ask) - ask * (kept_then - kept_now)
    assert F(slack) + lost >= 0


@given(contract=contracts, quantity=signed, entry=prices, share=st.decimals(D("0.02"), D("0.9"), places=4))
def test_closing_at_the_bankruptcy_price_leaves_next_to_nothing(
    contract: Contract, quantity: D, entry: D, share: D
) -> None:
    with exact():
        position = held(contract, str(quantity), str(entry))
        cover = round_down(position.cost * share, SATOSHI)
        price = bankruptcy_price(contract, [position], cover, step=TENTH)
        if price is None:
            return
        left = F(cover) + gained(contract, position, price)
        beyond = F(price) - (STEP if quantity > 0 else -STEP)
        assert left >= 0
        assert beyond <= 0 or F(cover) + gained(contract, position, beyond) <= 0


def run(contract: Contract, done: list[tuple[D, D]], start: Position) -> tuple[Position, D, D]:
    """The position after trades, what they realised, and margin taken less margin released."""
    position, realised, margin = start, D(0), D(0)
    for quantity, price in done:
        change = traded(contract, position, quantity=quantity, price=price)
        position = change.position
        realised += change.realised
        margin += change.margin_taken - change.margin_released
        assert change.closed + change.opened == abs(quantity)
    return position, realised, margin


@given(contract=contracts, done=trades, mark=prices)
def test_realised_and_unrealised_together_forget_the_way(
    contract: Contract, done: list[tuple[D, D]], mark: D
) -> None:
    """What was paid and got for contracts, and what they are worth now, is all that counts."""
    with exact():
        position, realised, _ = run(contract, done, Position())
        total = realised + unrealised(contract, position, mark)
    sense = -1 if contract.is_inverse else 1
    net = sum(quantity for quantity, _ in done)
    expected = (1 if net > 0 else -1) * worth(contract, D(net), mark) if net else F(0)
    for quantity, price in done:
        expected -= (1 if quantity > 0 else -1) * worth(contract, quantity, price)
    assert position.quantity == net
    assert abs(F(total) - sense * expected) <= F(SATOSHI) * (len(done) + 1)


@given(contract=contracts, parts=st.lists(signed, min_size=1, max_size=8), price=prices)
def test_trading_at_one_price_realises_nothing(contract: Contract, parts: list[D], price: D) -> None:
    done = [(quantity, price) for quantity in [*parts, -sum(parts)] if quantity]
    with exact():
        position, realised, _ = run(contract, done, Position())
    assert realised == 0
    assert not position.quantity
    assert not position.cost


@given(contract=contracts, before=trades, parts=st.lists(quantities, min_size=2, max_size=6),
       side=st.sampled_from([D(1), D(-1)]), price=prices)  # fmt: skip
def test_splitting_a_trade_changes_roundings_only(
    contract: Contract, before: list[tuple[D, D]], parts: list[D], side: D, price: D
) -> None:
    with exact():
        start, _, _ = run(contract, before, Position())
        whole, realised_whole, _ = run(contract, [(side * sum(parts), price)], start)
        split, realised_split, _ = run(contract, [(side * part, price) for part in parts], start)
    assert whole.quantity == split.quantity
    assert abs(whole.cost - split.cost) <= contract.cost_step * (2 * len(parts))
    assert abs(realised_whole - realised_split) <= SATOSHI * len(parts)


@given(contract=contracts, done=trades, leverage=st.integers(1, 125))
def test_isolated_margin_is_what_was_taken_and_not_released(
    contract: Contract, done: list[tuple[D, D]], leverage: int
) -> None:
    with exact():
        start = Position(mode=MarginMode.ISOLATED, leverage=D(leverage))
        position, _, margin = run(contract, done, start)
    assert position.margin == margin >= 0
    assert position.quantity or not margin


@pytest.mark.parametrize("contract", [BTC, ETH, DOGE, BTC_COIN])
@given(nudge=st.decimals(min_value=D("0.00000001"), max_value=D(1), places=8))
def test_maintenance_margin_has_no_jump(contract: Contract, nudge: D) -> None:
    with exact():
        for below, above in zip(contract.tiers, contract.tiers[1:], strict=False):
            before, after = (
                maintenance_of(contract, below.cap),
                maintenance_of(contract, below.cap + nudge),
            )
            assert tier_of(contract, below.cap) is below
            assert tier_of(contract, below.cap + nudge) is above
            assert 0 <= after - before <= above.maintenance_rate * nudge + SATOSHI


@given(contract=contracts, quantity=signed, price=prices, bids=funds, asks=funds, more=quantities)
def test_orders_never_lower_what_a_position_needs(
    contract: Contract, quantity: D, price: D, bids: D, asks: D, more: D
) -> None:
    bids, asks = abs(bids), abs(asks)
    with exact():
        position = held(contract, str(quantity), str(price), leverage="7")
        alone = requirement(contract, position, price)
        resting = requirement(contract, position, price, Resting(bids=bids, asks=asks))
        further = requirement(contract, position, price, Resting(bids=bids + more, asks=asks))
        turned = held(contract, str(-quantity), str(price), leverage="7")
        mirrored = requirement(contract, turned, price, Resting(bids=asks, asks=bids))
    assert alone.orders == 0
    assert resting.position == alone.position
    assert resting.orders >= 0
    assert mirrored == resting
    # A bid beside a short covers it first, so it may make the whole cheaper; beside a long it never does.
    assert quantity < 0 or further.orders >= resting.orders


@given(collateral=funds, realised=funds, side=st.sampled_from([1, -1]), closed=funds)
def test_a_settlement_accounts_for_everything(collateral: D, realised: D, side: int, closed: D) -> None:
    with exact():
        outcome = settlement(BTC, abs(collateral), side * realised, abs(closed))
        assert abs(collateral) + side * realised == outcome.left + outcome.fee - outcome.gap
    assert min(outcome.left, outcome.fee, outcome.gap) >= 0
    assert not outcome.gap or not outcome.left


@given(contract=contracts, quantity=signed, price=prices)
def test_worth_is_within_its_step(contract: Contract, quantity: D, price: D) -> None:
    with exact():
        value = value_of(contract, quantity, price)
    assert abs(abs(F(value)) - worth(contract, quantity, price)) <= F(contract.cost_step) / 2
    assert (value > 0) is (quantity > 0)
