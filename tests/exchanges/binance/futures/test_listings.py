"""The listings of both futures products: what the files hold, and that a wrong file is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.numbers import exact
from emulator.exchanges.binance import TRADED
from emulator.exchanges.binance.futures.listings import Listing, read
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, USDM
from emulator.exchanges.binance.spot.instruments import load as load_spot
from emulator.feeds.synthetic import SyntheticFeed
from emulator.listings.reading import ListingError

PERPETUALS = """
    BTCUSDT ETHUSDT BNBUSDT SOLUSDT XRPUSDT DOGEUSDT ADAUSDT LINKUSDT AVAXUSDT LTCUSDT DOTUSDT TRXUSDT BCHUSDT
    1000SHIBUSDT 1000PEPEUSDT SUIUSDT NEARUSDT APTUSDT ARBUSDT OPUSDT UNIUSDT AAVEUSDT FILUSDT ATOMUSDT
    BTCUSDC ETCUSDT
"""
COIN_PERPETUALS = "BTCUSD_PERP ETHUSD_PERP BNBUSD_PERP SOLUSD_PERP XRPUSD_PERP"

EVERYTHING = [listing for product in PRODUCTS.values() for listing in product.listings.values()]
EVERY_PERPETUAL = pytest.mark.parametrize(
    "listing", [one for one in EVERYTHING if one.is_perpetual], ids=lambda one: str(one.symbol)
)
SPOT = {listing.symbol: listing.instrument for listing in load_spot()}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def coin_of(listing: Listing) -> tuple[str, int]:
    """The coin that a contract is about, and how many of it its base stands for."""
    base = listing.instrument.base
    return (base.removeprefix("1000"), 1000) if base.startswith("1000") else (base, 1)


def spot_of(listing: Listing) -> str:
    quote = listing.instrument.quote
    return coin_of(listing)[0] + ("USDT" if quote == "USD" else quote)


def test_the_named_symbols_are_listed() -> None:
    assert not set(PERPETUALS.split()) - set(USDM.listings)
    assert not set(COIN_PERPETUALS.split()) - set(COINM.listings)
    assert len([one for one in USDM.listings.values() if one.is_perpetual]) >= 25
    assert len([one for one in COINM.listings.values() if one.is_perpetual]) >= 6
    assert {one.contract.funding_hours for one in USDM.listings.values() if one.is_perpetual} == {4, 8}
    assert USDM.assets == ("USDT", "USDC")


@pytest.mark.parametrize(
    ("symbol", "price_step", "quantity_step", "quantity_max", "notional_min"),
    [
        # GET /fapi/v1/exchangeInfo, September 2026.
        ("BTCUSDT", "0.1", "0.001", "1000", "50"),
        ("ETHUSDT", "0.01", "0.001", "10000", "20"),
        ("XRPUSDT", "0.0001", "0.1", "10000000", "5"),
        ("1000PEPEUSDT", "0.0000001", "1", "10000000", "5"),
    ],
)
def test_figures_of_linear_contracts(
    symbol: str, price_step: str, quantity_step: str, quantity_max: str, notional_min: str
) -> None:
    instrument = USDM.listings[symbol].instrument
    assert instrument.price_step == Decimal(price_step)
    assert instrument.quantity_step == Decimal(quantity_step)
    assert instrument.quantity_max == Decimal(quantity_max)
    assert instrument.notional_min == Decimal(notional_min)


def test_an_inverse_contract_stands_for_a_hundred_dollars_of_bitcoin_and_ten_of_all_else() -> None:
    sizes = {one.instrument.base: one.contract.size for one in COINM.listings.values()}
    assert sizes.pop("BTC") == 100
    assert set(sizes.values()) == {Decimal(10)}


def test_leverage_tiers_of_bitcoin_are_those_of_the_exchange() -> None:
    tiers = [
        (
            int(one.floor),
            int(one.cap),
            int(one.leverage_max),
            one.maintenance_rate,
            int(one.maintenance_amount),
        )
        for one in USDM.listings["BTCUSDT"].contract.tiers
    ]
    assert tiers[:2] == [
        (0, 300_000, 150, Decimal("0.004"), 0),
        (300_000, 800_000, 100, Decimal("0.005"), 300),
    ]
    assert tiers[-1] == (1_200_000_000, 1_800_000_000, 1, Decimal("0.5"), 421_482_000)


@pytest.mark.parametrize("listing", EVERYTHING, ids=lambda one: str(one.symbol))
def test_higher_tiers_allow_less_leverage_and_ask_for_more(listing: Listing) -> None:
    tiers = listing.contract.tiers
    for below, tier in pairwise(tiers):
        assert below.cap == tier.floor < tier.cap
        assert below.leverage_max > tier.leverage_max >= 1
        assert below.maintenance_rate < tier.maintenance_rate
    # What the maintenance margin holds is less than what a position was opened with.
    assert all(tier.maintenance_rate * tier.leverage_max < 1 for tier in tiers)


@pytest.mark.parametrize("listing", EVERYTHING, ids=lambda one: str(one.symbol))
def test_a_contract_is_anchored_where_its_spot_pair_is(listing: Listing) -> None:
    pair = SPOT.get(spot_of(listing))
    if pair is None:
        assert listing.symbol in ("ETCUSDT", "LPTUSDT"), "spot has no such pair"
        return
    coin, number = coin_of(listing)
    profile = listing.instrument.profile
    assert profile.anchor == number * pair.profile.anchor
    assert profile.path == pair.profile.path == coin
    assert profile.volatility_bips == pair.profile.volatility_bips


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT", "SOLUSDT", "1000PEPEUSDT", "BTCUSDC", "BTCUSD_PERP", "XRPUSD_PERP"]
)
def test_a_contract_and_its_spot_pair_move_alike(symbol: str) -> None:
    listing = {**USDM.listings, **COINM.listings}[symbol]
    pair, (_, number) = SPOT[spot_of(listing)], coin_of(listing)
    feed = SyntheticFeed(7)
    ratios = []
    with exact():
        for hour in range(48):
            now_us = at("2026-03-01") + hour * 3_600_000_000
            there = feed.last_trade(pair, now_us).price * number
            here = feed.last_trade(listing.instrument, now_us).price
            ratios.append(float(here / 1) / float(there / 1))
    assert 0.999 < min(ratios) <= max(ratios) < 1.001


@pytest.mark.parametrize("pair", ["BTCUSDT", "ETHUSD"])
def test_two_quarters_of_a_pair_have_markets_of_their_own(pair: str) -> None:
    listings, feed, now_us = {**USDM.listings, **COINM.listings}, SyntheticFeed(3), at("2026-07-20")
    with exact():
        trades = []
        for symbol in (f"{pair}_260925", f"{pair}_261225"):
            instrument = listings[symbol].instrument
            count = feed.trade_count(instrument, now_us)
            found = feed.trades(instrument, count - 49, 50, now_us)
            trades.append([(one.time_us, one.quantity) for one in found])
    assert len(trades[0]) == len(trades[1]) == 50
    assert trades[0] != trades[1]


@EVERY_PERPETUAL
def test_a_funding_rate_has_a_limit(listing: Listing) -> None:
    marking = listing.contract.marking
    assert marking is not None
    funding = marking.funding
    assert funding.cap is not None
    assert funding.floor == -funding.cap
    # "Capped funding rate" of the contracts whose limits were never adjusted: 0.75 times the maintenance
    # rate of the first tier (Binance FAQ, "Introduction to Binance Futures Funding Rates").
    if listing.row.funding_disclaimer:
        assert funding.cap == Decimal("0.75") * listing.contract.tiers[0].maintenance_rate


def test_limits_of_funding_rates() -> None:
    # GET /fapi/v1/fundingInfo, September 2026.
    for symbol, cap, hours in (("BTCUSDT", "0.003", 8), ("LPTUSDT", "0.02", 4)):
        contract = USDM.listings[symbol].contract
        assert contract.marking is not None
        assert contract.marking.funding.cap == Decimal(cap)
        assert contract.funding_hours == hours


@pytest.mark.parametrize(
    ("now", "current", "following"),
    [
        ("2026-07-20T00:00:00", "260925", "261225"),
        ("2026-09-25T07:59:59", "260925", "261225"),
        ("2026-09-25T08:00:00", "261225", "270326"),
    ],
)
@pytest.mark.parametrize("pair", ["BTCUSDT", "ETHUSDT", "BTCUSD", "ETHUSD"])
def test_two_quarters_are_listed_at_a_time(pair: str, now: str, current: str, following: str) -> None:
    now_us = at(now)
    listings = {**USDM.listings, **COINM.listings}.values()
    kinds = {
        one.symbol: one.contract_type(now_us)
        for one in listings
        if one.pair == pair and not one.is_perpetual and one.is_listed(now_us)
    }
    assert kinds == {f"{pair}_{current}": "CURRENT_QUARTER", f"{pair}_{following}": "NEXT_QUARTER"}


def test_a_quarter_is_launched_when_the_one_two_before_it_is_delivered() -> None:
    # The exchange's own BTCUSDT_260925: onboardDate 1774598400000, deliveryDate 1790323200000.
    listing = USDM.listings["BTCUSDT_260925"]
    assert listing.launch_us == 1_774_598_400_000_000
    assert listing.contract.delivery_us == 1_790_323_200_000_000


def test_what_contracts_settle_in_can_be_held_in_their_wallet() -> None:
    for product in PRODUCTS.values():
        assert set(product.assets) <= TRADED[product.wallet]


# Wrong files


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    """usdm.json with one listing, changed."""
    document = json.loads(files("emulator.exchanges.binance.futures").joinpath("usdm.json").read_bytes())
    document["listings"] = document["listings"][:1]
    change(document["listings"][0])
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"price_step": "0.1x"}, "price_step is not a plain decimal"),
        ({"price_min": "556.85"}, "price_min is not a multiple of 0.1"),
        ({"quantity_max": "0.0001"}, "quantity_max is not between"),
        ({"anchor": "1"}, "anchor is not between"),
        ({"multiplier_down": "1.01"}, "the ask multipliers are not a band around 1"),
        ({"tiers": [["0", "10", "0.01", "0"], ["100", "5", "0.02", "2"]]}, "tier 2 should take off 1$"),
        ({"tiers": [["1", "10", "0.01", "0"]]}, "the first tier begins at zero"),
        ({"launch": "2019-09-25"}, "launch says no time zone"),
        ({"launch": "soon"}, "launch: "),
        ({"funding_cap": ""}, "funding_cap is not a plain decimal"),
        ({"sise": "1"}, "sise"),
    ],
)
def test_a_wrong_row_is_refused_by_name(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ListingError, match=rf"^BTCUSDT: .*{complaint}"):
        list(read(changed(lambda row: row.update(change)), "usdm"))


def test_a_symbol_is_listed_once() -> None:
    document = json.loads(changed(lambda row: None))
    document["listings"] *= 2
    with pytest.raises(ListingError, match="BTCUSDT: listed twice"):
        list(read(json.dumps(document).encode(), "usdm"))
