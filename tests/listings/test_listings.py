"""The room of listings: quarters, tiers, rows and networks, on figures that exchanges publish.

Some are of an exchange that is not served yet, so that the room is not made to the measure of those that are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from emulator.core.contracts import Contract
from emulator.core.instruments import Instrument, Kind
from emulator.core.numbers import exact
from emulator.listings import quarters
from emulator.listings.listing import DELIVERING_US, Listing
from emulator.listings.networks import MovementRow, NetworkRow, networks_of
from emulator.listings.reading import DefaultedRows, ListingError, decode, moment_us, naming, number, places
from emulator.listings.rows import ContractRow, InstrumentRow, limits_of, profile_of
from emulator.listings.soundness import check
from emulator.listings.tiers import continued, published


def _us(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


MARKET: dict[str, Any] = {
    "source": "documents",
    "anchor": "100000",
    "path": "BTC",
    "volatility_bips": 300,
    "trade_quantity": "12",
    "level_quantity": "600",
    "trades_per_minute": 400,
}


def lots(**changes: object) -> ContractRow:
    """A contract that is counted in lots of a thousandth: KuCoin's XBTUSDTM (example of "Get Symbol")."""
    row: dict[str, Any] = {
        "symbol": "XBTUSDTM",
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "price_step": "0.1",
        "price_max": "1000000",
        "quantity_step": "1",
        "quantity_min": "1",
        "quantity_max": "1000000",
        "market_quantity_max": "1000000",
        "launch": "2020-03-02T10:00:00Z",
        "funding_cap": "0.003",
        **MARKET,
        **changes,
    }
    return msgspec.convert(row, ContractRow)


def made(row: InstrumentRow, contract: Contract | None = None) -> Instrument:
    return Instrument(
        symbol=row.symbol,
        kind=Kind.SPOT if contract is None else Kind.LINEAR,
        base=row.base,
        quote=row.quote,
        settle=row.quote,
        **limits_of(row),
        profile=profile_of(row),
        contract=contract,
    )


LEVELS = [("100000", "125", "0.004"), ("500000", "100", "0.005"), ("1000000", "75", "0.007")]
"""The lowest risk limits of XBTUSDTM (KuCoin, "Get Isolated Margin Risk Limit")."""


# Quarters


def test_quarters_end_on_last_fridays_at_eight() -> None:
    # Delivery of Binance's BTCUSDT_260925: 1790323200000; of Bybit's BTCUSDZ25: 26 December 2025.
    september, december = 2026 * 4 + 2, 2025 * 4 + 3
    assert quarters.delivery_us(september) == 1_790_323_200_000_000
    assert quarters.delivery_us(december) == _us(2025, 12, 26, 8)
    assert [quarters.letter(quarter) for quarter in range(2026 * 4, 2027 * 4)] == ["H", "M", "U", "Z"]
    # onboardDate of BTCUSDT_260925: 1774598400000.
    assert quarters.launch_us(september) == 1_774_598_400_000_000


@pytest.mark.parametrize("quarter", quarters.QUARTERS)
def test_every_quarter_ends_on_the_last_friday_of_its_last_month(quarter: int) -> None:
    day = quarters.last_friday(quarter)
    year, place = divmod(quarter, 4)
    assert (day.year, day.month, day.weekday()) == (year, place * 3 + 3, 4)
    assert (day + timedelta(days=7)).month != day.month


def test_two_quarters_in_a_row_are_not_traded_alike() -> None:
    for quarter in quarters.QUARTERS:
        assert quarters.times_traded(quarter) != quarters.times_traded(quarter + 1)


# Tiers


def test_what_a_tier_takes_off_follows_from_the_rates() -> None:
    tiers = continued(LEVELS)
    # 100,000 x (0.005 - 0.004), and 500,000 x (0.007 - 0.005) more.
    assert [tier.maintenance_amount for tier in tiers] == [0, 100, 1100]
    assert [tier.floor for tier in tiers] == [0, 100_000, 500_000]
    assert tiers[-1].cap == 1_000_000


def test_published_tiers_that_take_off_something_else_are_refused() -> None:
    right = published([("0", "125", "0.004", "0"), ("100000", "100", "0.005", "100")], cap="500000")
    assert right == continued(LEVELS[:2])
    wrong = published([("0", "125", "0.004", "0"), ("100000", "100", "0.005", "99")], cap="500000")
    check(made(lots(), Contract(wallet="futures", settle="USDT", margin_asset="USDT", tiers=right)))
    with pytest.raises(ListingError, match="tier 2 should take off 100"):
        check(made(lots(), Contract(wallet="futures", settle="USDT", margin_asset="USDT", tiers=wrong)))


# Rows


def test_limits_at_market_are_those_of_a_row_but_for_the_largest() -> None:
    limits = limits_of(lots(market_quantity_max="1000"))
    assert limits["market_quantity_step"] == limits["market_quantity_min"] == 1
    assert limits["quantity_max"] == 1_000_000
    assert limits["market_quantity_max"] == 1000
    # Without a lowest price, it is one step.
    assert limits["price_min"] == Decimal("0.1")
    # What is shown may be more than what is held to.
    assert limits_of(lots(quantity_min="5"), quantity_min="1")["quantity_min"] == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"price_step": "0"}, "price_step is not positive"),
        ({"price_step": "1E-1"}, "price_step is not a plain decimal: '1E-1'"),
        ({"price_min": "0.15"}, "price_min is not a multiple of 0.1"),
        ({"price_min": "2000000"}, "price_min is not between 0.1 and 1000000"),
        ({"anchor": "0.01"}, "anchor is not between 0.1 and 1000000"),
        ({"quantity_max": "0"}, "quantity_max is not between 1 and 0"),
        ({"market_quantity_max": "1.5"}, "market_quantity_max is not a multiple of 1"),
        ({"level_quantity": "0.5"}, "level_quantity is not between 1 and 1000000"),
        ({"trades_per_minute": 0}, "trades_per_minute are at least 1"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(changes: dict[str, Any], complaint: str) -> None:
    check(made(lots()))
    with pytest.raises(ListingError, match=complaint):
        check(made(lots(**changes)))


def test_a_market_is_traded_so_many_times_more() -> None:
    profile = profile_of(lots(), 2)
    assert profile.trade_quantity == 24
    assert profile.level_quantity == 1200
    assert profile.trades_per_minute == 800


# Reading


def test_rows_win_over_defaults() -> None:
    document = b'{"defaults": {"quote": "USDT", "size": "1"}, "listings": [{"size": "2"}, {}]}'
    rows = list(decode(document, DefaultedRows).rows())
    assert rows == [{"quote": "USDT", "size": "2"}, {"quote": "USDT", "size": "1"}]
    with pytest.raises(ListingError, match="unknown"):
        decode(b'{"unknown": 1, "defaults": {}, "listings": []}', DefaultedRows)


def test_figures_are_plain_and_times_have_a_zone() -> None:
    assert number("0.10", "x") == Decimal("0.1")
    assert (places("0.10"), places("1")) == (2, 0)
    assert moment_us("2020-03-02T10:00:00Z", "launch") == _us(2020, 3, 2, 10)
    for text in ("NaN", "1_0", "1e3", ""):
        with pytest.raises(ListingError, match="x is not a plain decimal"):
            number(text, "x")
    for text in ("2020-03-02", "soon"):
        with pytest.raises(ListingError, match="launch"):
            moment_us(text, "launch")
    with pytest.raises(ListingError, match="XBTUSDTM: x is not a plain decimal"), naming("XBTUSDTM"):
        number("-", "x")


# When a market is shown


def test_a_delivered_contract_is_shown_for_an_hour_as_it_was_before() -> None:
    start_us, end_us = _us(2026, 3, 27, 8), _us(2026, 9, 25, 8)
    contract = Contract(
        wallet="futures",
        settle="USDT",
        margin_asset="USDT",
        tiers=continued(LEVELS),
        listed_us=start_us,
        delivery_us=end_us,
    )
    listing = Listing(symbol="XBTMU26", instrument=made(lots(), contract), launch_us=start_us)
    moments = (start_us - 1, start_us, end_us - 1, end_us, end_us + DELIVERING_US)
    assert [listing.is_known(now_us) for now_us in moments] == [False, True, True, True, True]
    assert [listing.is_listed(now_us) for now_us in moments] == [False, True, True, False, False]
    assert [listing.is_shown(now_us) for now_us in moments] == [False, True, True, True, False]
    assert listing.read_us(end_us + 5) == end_us - 1
    assert not listing.is_perpetual


def test_a_pair_is_always_there() -> None:
    listing = Listing(symbol="BTC-USDT", instrument=made(lots()))
    assert listing.contract is None
    assert listing.is_listed(0) and listing.is_shown(0) and listing.is_known(0)  # noqa: PT018 - one fact
    assert listing.read_us(7) == 7
    assert not listing.is_perpetual


# Networks

TRON = {"trx": NetworkRow("TRC20", 1, 1, "^T.{33}$")}


def test_a_coin_moves_on_networks_the_default_one_first() -> None:
    # KuCoin's USDT on TRC20: fee 1, at least 10, six places ("Get Currency").
    (network,) = networks_of("USDT", [MovementRow("trx", "1", "10", "0.000001")], TRON)
    assert (network.code, network.name, network.is_default) == ("trx", "TRC20", True)
    assert network.withdraw_fee == 1
    assert network.withdraw_min == 10
    assert network.places == 6


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (MovementRow("eth", "1", "10", "0.01"), "USDT on eth: the network is not described"),
        (MovementRow("trx", "1", "10", "0"), "USDT on trx: step is not positive"),
        (MovementRow("trx", "0.001", "10", "0.01"), "USDT on trx: withdraw_fee and withdraw_min"),
        (MovementRow("trx", "1", "0", "0.01"), "USDT on trx: withdraw_min is not positive"),
        (MovementRow("trx", "x", "10", "0.01"), "USDT on trx: withdraw_fee is not a plain decimal"),
    ],
)
def test_a_movement_that_cannot_be_is_refused_by_name(row: MovementRow, complaint: str) -> None:
    with exact(), pytest.raises(ListingError, match=complaint):
        networks_of("USDT", [row], TRON)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ListingError, match="is not a pattern"):
        networks_of("USDT", [MovementRow("trx", "1", "10", "0.01")], {"trx": NetworkRow("TRC20", 1, 1, "(")})
