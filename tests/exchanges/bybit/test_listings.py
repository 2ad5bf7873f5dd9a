"""What Bybit lists: figures of its documents, dated contracts, and one asset that moves alike everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files

import pytest

from emulator.core.contracts import maintenance_of
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.exchanges import binance, bybit
from emulator.exchanges.binance.futures.products import COINM, USDM
from emulator.exchanges.binance.spot.instruments import load as load_spot
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.categories import (
    CATEGORIES,
    INVERSE,
    LINEAR,
    SPOT,
    all_instruments,
    category_of,
    listing_of,
)
from emulator.exchanges.bybit.listings import load, read
from emulator.feeds.synthetic import SyntheticFeed
from emulator.listings.reading import ListingError


def _us(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def test_core_names_have_the_category_in_front_and_two_may_share_a_symbol() -> None:
    assert SPOT.listings["BTCUSDT"].instrument.symbol == "spot:BTCUSDT"
    assert LINEAR.listings["BTCUSDT"].instrument.symbol == "linear:BTCUSDT"
    assert category_of("linear:BTCPERP") is LINEAR
    assert listing_of("inverse:BTCUSD").symbol == "BTCUSD"
    assert LINEAR.symbols["linear:BTCPERP"] == "BTCPERP"
    assert LINEAR.holds("linear:BTCUSDT")
    assert not LINEAR.holds("spot:BTCUSDT")
    assert len(all_instruments()) == len(load()) == sum(len(one.listings) for one in CATEGORIES.values())


def test_limits_of_btcusdt_are_those_of_the_documents() -> None:
    # v5 "Get Instruments Info", examples of linear and spot.
    contract = LINEAR.listings["BTCUSDT"].instrument
    assert contract.price_step == Decimal("0.10")
    assert contract.price_max == Decimal("1999999.80")
    assert (contract.quantity_step, contract.quantity_max) == (Decimal("0.001"), Decimal(1190))
    assert contract.market_quantity_max == Decimal(500)
    assert contract.notional_min == Decimal(5)
    assert LINEAR.listings["BTCUSDT"].launch_us == 1585526400000_000
    pair = SPOT.listings["BTCUSDT"].instrument
    assert (pair.price_step, pair.quantity_step) == (Decimal("0.1"), Decimal("0.000001"))
    assert (pair.quantity_max, pair.market_quantity_max) == (Decimal(83), Decimal("41.5"))
    assert pair.notional_min == Decimal(5)
    # Quirk of the documents: the smallest quantity is shown and not checked.
    assert pair.quantity_min == Decimal("0.000001")


def test_maintenance_margin_has_the_published_deductions() -> None:
    contract = LINEAR.listings["BTCUSDT"].contract
    assert contract is not None
    # A published table: 2,000,000 at 0.5 %, 2,600,000 at 0.56 % less 1,200.
    assert contract.tiers[1].maintenance_amount == Decimal(1200)
    with exact():
        # 2,300,000 * 0.0056 - 1,200
        assert maintenance_of(contract, Decimal(2_300_000)) == Decimal("11680")
        # and no jump at the boundary: 2,000,000 * 0.005 = 2,000,000 * 0.0056 - 1,200
        assert maintenance_of(contract, Decimal(2_000_000)) == Decimal("10000")


@pytest.mark.parametrize(
    ("symbol", "number", "taken_off"),
    [("BTCUSDT", 35, "226382000"), ("ETHUSDT", 35, "138018220"), ("BNBUSDT", 30, "2670780"),
     ("ADAUSDT", 30, "15809000"), ("DOGEUSDT", 30, "36074375"), ("LPTUSDT", 30, "3297500"),
     ("BTCPERP", 30, "12663200"), ("ETHPERP", 10, "125500"), ("DOGEPERP", 30, "3038185")],
)  # fmt: skip
def test_the_last_tier_takes_off_what_the_exchange_publishes(
    symbol: str, number: int, taken_off: str
) -> None:
    # `mmDeduction` of GET /v5/market/risk-limit, December 2024; of BTCPERP, December 2025.
    contract = LINEAR.listings[symbol].contract
    assert contract is not None
    assert len(contract.tiers) == number
    assert contract.tiers[-1].maintenance_amount == Decimal(taken_off)


def test_figures_of_the_exchanges_own_listing() -> None:
    # GET /v5/market/instruments-info, September 2025.
    solana = LINEAR.listings["SOLUSDT"]
    assert solana.launch_us == 1634256000000_000
    assert solana.instrument.quantity_max == Decimal(79770)
    assert solana.instrument.market_quantity_max == Decimal(11740)
    hours = {one: LINEAR.listings[one].instrument.contract for one in ("SOLUSDT", "TONUSDT", "LPTUSDT")}
    assert [one.funding_hours for one in hours.values() if one is not None] == [8, 4, 1]
    pair = SPOT.listings["SOLUSDT"]
    assert pair.pair_row is not None
    assert (pair.pair_row.order_quantity_max, pair.pair_row.amount_max) == ("48132.46053", "5000000")
    assert (pair.pair_row.price_limit_x, pair.pair_row.price_limit_y) == ("0.02", "0.04")
    # A delivery costs something in coins only.
    december, inverse = LINEAR.listings["BTCUSDT-26DEC25"].contract, INVERSE.listings["BTCUSDZ25"].contract
    assert december is not None
    assert inverse is not None
    assert december.delivery_fee == 0
    assert inverse.delivery_fee == Decimal("0.0005")


def test_leverage_of_the_lowest_tier_is_the_highest_that_is_shown() -> None:
    for listing in load():
        if listing.contract is None:
            continue
        assert listing.contract_row is not None
        assert Decimal(listing.contract_row.leverage_max) == listing.contract.tiers[0].leverage_max
        assert Decimal(listing.risk_tiers[0].leverage_max) == listing.contract.tiers[0].leverage_max


def test_only_perpetuals_in_usdt_have_two_positions() -> None:
    # v5 "Switch Position Mode".
    hedgeable = {one.instrument.symbol for one in load() if one.contract and one.contract.hedgeable}
    assert {"linear:BTCUSDT", "linear:1000PEPEUSDT"} <= hedgeable
    for name in ("linear:BTCPERP", "linear:BTCUSDT-25DEC26", "inverse:BTCUSD", "inverse:BTCUSDZ26"):
        assert name not in hedgeable


def test_dated_contracts_end_on_last_fridays_of_quarters_and_two_are_listed_at_any_time() -> None:
    december = LINEAR.listings["BTCUSDT-26DEC25"]
    assert december.delivery_us == _us(2025, 12, 26, 8)
    assert december.launch_us == _us(2025, 6, 27, 8)
    assert LINEAR.listings["BTC-26DEC25"].settle == "USDC"
    assert INVERSE.listings["BTCUSDZ25"].delivery_us == _us(2025, 12, 26, 8)
    assert december.contract_type == "LinearFutures"
    assert INVERSE.listings["BTCUSDZ25"].contract_type == "InverseFutures"
    for now_us in (_us(2025, 10, 1), _us(2026, 11, 22), _us(2028, 2, 29)):
        listed = [one for one in LINEAR.listings.values() if one.quarter and one.is_listed(now_us)]
        assert [one.base for one in listed if one.symbol.startswith("BTCUSDT-")] == ["BTC", "BTC"]


def test_a_delivered_contract_is_delivering_and_then_closed() -> None:
    december = LINEAR.listings["BTCUSDT-26DEC25"]
    delivery_us = _us(2025, 12, 26, 8)
    assert december.status(delivery_us - 1) == "Trading"
    assert december.status(delivery_us) == "Delivering"
    assert december.status(delivery_us + 86_400_000_000) == "Closed"
    assert december.read_us(delivery_us + 5) == delivery_us - 1


def test_one_asset_moves_alike_on_both_exchanges() -> None:
    """The last trades of the same asset, here and there, are within a fifth of a per cent at any time."""
    feed_here, feed_there = SyntheticFeed(7), SyntheticFeed(7)
    there = {one.symbol: one.instrument for one in load_spot()}
    pairs = [
        (SPOT.listings["BTCUSDT"].instrument, there["BTCUSDT"]),
        (SPOT.listings["SHIBUSDT"].instrument, there["SHIBUSDT"]),
        (SPOT.listings["ETHBTC"].instrument, there["ETHBTC"]),
        (LINEAR.listings["SHIB1000USDT"].instrument, USDM.listings["1000SHIBUSDT"].instrument),
        (LINEAR.listings["ETHPERP"].instrument, there["ETHUSDC"]),
        (INVERSE.listings["SOLUSD"].instrument, COINM.listings["SOLUSD_PERP"].instrument),
    ]
    with exact():
        for here, other in pairs:
            for moment in ((2024, 3, 1), (2025, 7, 4, 12), (2026, 11, 22, 3)):
                ours = feed_here.last_trade(here, _us(*moment)).price
                theirs = feed_there.last_trade(other, _us(*moment)).price
                steps = max(here.price_step, other.price_step) * 2
                assert abs(ours - theirs) <= theirs * Decimal("0.002") + steps, here.symbol


def test_both_exchanges_have_the_same_index() -> None:
    ours, theirs = bybit.engine(SyntheticFeed(7)), binance.engine(SyntheticFeed(7))
    for moment in ((2024, 3, 1), (2026, 11, 22, 3)):
        now_us = _us(*moment)
        with exact():
            for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
                here = ours.state.markets[f"linear:{symbol}"].marks
                there = theirs.state.markets[f"usdm:{symbol}"].marks
                assert here is not None
                assert there is not None
                # Bybit's has fewer places.
                assert abs(here.index_price(now_us) - there.index_price(now_us)) <= Decimal("0.01")


def test_every_market_has_a_book_that_its_limits_allow() -> None:
    feed = SyntheticFeed(7)
    now_us = _us(2026, 11, 22, 3)
    with exact():
        for listing in load():
            if not listing.is_listed(now_us):
                continue
            quote = feed.quote(listing.instrument, now_us)
            assert listing.instrument.price_min <= quote.bid < quote.ask <= listing.instrument.price_max
            level = next(feed.levels(listing.instrument, Side.BUY, now_us))
            assert level.quantity > 0


def test_every_coin_that_is_traded_or_settled_in_is_an_asset() -> None:
    coins = {coin for one in load() if one.category == "spot" for coin in (one.base, one.quote)}
    settled = {one.settle for one in load()}
    assert coins | settled == set(assets())


def test_bitcoin_counts_and_costs_what_the_documents_say() -> None:
    # v5 "Get Collateral Info", the example, and that of the help centre's "Understanding Collateral Value
    # Ratios in Unified Trading Account".
    bitcoin = assets()["BTC"]
    assert bitcoin.collateral_ratio == Decimal("0.98")
    assert [str(floor) for floor, _ in bitcoin.collateral_tiers] == ["10", "20", "30", "40", "50"]
    assert bitcoin.hourly_rate == Decimal("0.00000147")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            b'"price_step": "0.10"',
            b'"price_step": "1e-1"',
            "linear BTCUSDT: price_step is not a plain decimal",
        ),
        (b'"anchor": "100000"', b'"anchor": "100000.05"', "spot BTCUSDT: anchor is not a multiple of 0.1"),
        (b'["2600000", "90"', b'["2600000", "110"', "linear BTCUSDT: tier 2 is not stricter"),
        (b'"tiers": "BTC"', b'"tiers": "XYZ"', "linear BTCUSDT: there is no table of tiers 'XYZ'"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_name(old: bytes, new: bytes, complaint: str) -> None:
    document = files("emulator.exchanges.bybit").joinpath("instruments.json").read_bytes()
    with pytest.raises(ListingError, match=complaint):
        read(document.replace(old, new, 1))
