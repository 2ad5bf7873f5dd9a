"""Margin tables as exchanges print them, and what is refused of a table."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
import pytest

from emulator.core.contracts import Tier, leverage_max, tier_faults, tier_of, value_of
from emulator.core.numbers import exact
from tests.core.futures import (
    BTC,
    BTC_2021,
    BTC_COIN,
    BTC_TIERS,
    COIN_TIERS,
    DOGE_TIERS,
    ETH_2021,
    ETH_TIERS,
    PUBLISHED_AMOUNTS,
)

TABLES = {"BTC": BTC_TIERS, "ETH": ETH_TIERS, "DOGE": DOGE_TIERS}


@pytest.mark.parametrize("asset", TABLES)
def test_amounts_follow_from_the_rates(asset: str) -> None:
    printed = [D(amount) for amount in PUBLISHED_AMOUNTS[asset].split()]
    assert [tier.maintenance_amount for tier in TABLES[asset]] == printed


def test_amounts_of_older_tables_are_those_of_their_examples() -> None:
    assert BTC_2021.tiers[-1].maintenance_amount == 16300
    assert ETH_2021.tiers[-1].maintenance_amount == 135365
    assert [str(tier.maintenance_amount) for tier in COIN_TIERS[4:7]] == ["1.605", "6.605", "11.605"]


@pytest.mark.parametrize("tiers", [*TABLES.values(), COIN_TIERS, BTC_2021.tiers, ETH_2021.tiers])
def test_published_tables_have_no_fault(tiers: tuple[Tier, ...]) -> None:
    with exact():
        assert tier_faults(tiers) == []


def test_each_fault_is_told() -> None:
    first, second, third = BTC_TIERS[:3]

    def faults(*tiers: Tier) -> str:
        with exact():
            return "; ".join(tier_faults(tiers))

    def changed(tier: Tier, **fields: D) -> Tier:
        return msgspec.structs.replace(tier, **fields)

    assert faults() == "there is no tier"
    assert "begins at zero" in faults(second)
    assert faults(first, changed(second, maintenance_amount=D(299))) == "tier 2 should take off 300"
    assert "does not begin where tier 1 ends" in faults(first, third)
    assert "not stricter" in faults(first, changed(second, maintenance_rate=D("0.004")))
    assert "not stricter" in faults(first, changed(second, leverage_max=D(151)))
    assert "ends where it begins" in faults(changed(first, cap=D(0)))
    assert "maintenance rate of 1" in faults(changed(first, maintenance_rate=D(1)))
    assert "more to keep a position than to open it" in faults(changed(first, leverage_max=D(251)))


def test_a_table_may_have_jumps_where_the_exchange_wants_them() -> None:
    tiers = tuple(msgspec.structs.replace(tier, maintenance_amount=D(0)) for tier in BTC_TIERS)
    with exact():
        assert len(tier_faults(tiers)) == len(tiers) - 1
        assert tier_faults(tiers, has_jumps=True) == []


def test_beyond_the_last_cap_nothing_may_be_opened_but_margin_is_still_asked_for() -> None:
    with exact():
        assert tier_of(BTC, D(2_000_000_000)) is BTC.tiers[-1]
        assert leverage_max(BTC, D(2_000_000_000)) == 0
        assert leverage_max(BTC, D(-1_800_000_000)) == 1


def test_value_has_the_sign_of_the_quantity() -> None:
    with exact():
        assert value_of(BTC, D("-0.5"), D(100000)) == -50000
        assert value_of(BTC_COIN, D(-10), D(40000)) == D("-0.025")
