"""The listings of Binance Spot: what the file holds, and that a wrong file is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from emulator.core.instruments import Instrument, SelfTradeMode
from emulator.core.numbers import canonical, is_on_step
from emulator.exchanges.binance.assets import assets
from emulator.exchanges.binance.assets import read as read_assets
from emulator.exchanges.binance.spot.instruments import Listing, load, read
from emulator.feeds.synthetic import SyntheticFeed
from emulator.listings.reading import ListingError

NAMED = """
    BTCUSDT ETHUSDT BNBUSDT SOLUSDT XRPUSDT DOGEUSDT ADAUSDT PEPEUSDT SHIBUSDT ETHBTC BNBBTC SOLBTC BNBETH
    BTCUSDC ETHUSDC BNBUSDC SOLUSDC USDCUSDT BTCEUR ETHEUR EURUSDT FDUSDUSDT BTCFDUSD LTCUSDT LTCBTC LINKUSDT
    AVAXUSDT TRXUSDT DOTUSDT UNIUSDT BCHUSDT XLMUSDT NEARUSDT APTUSDT SUIUSDT ARBUSDT OPUSDT FILUSDT ATOMUSDT
    AAVEUSDT WIFUSDT BONKUSDT FLOKIUSDT TONUSDT HBARUSDT ICPUSDT BTCTRY
"""

INSTRUMENTS: dict[str, Instrument] = {listing.symbol: listing.instrument for listing in load()}
EVERY_LISTING = pytest.mark.parametrize("listing", load(), ids=lambda listing: str(listing.symbol))


def decimals_of(value: Any) -> list[Decimal]:
    if isinstance(value, Decimal):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [number for member in msgspec.structs.asdict(value).values() for number in decimals_of(member)]
    if isinstance(value, tuple):
        return [number for member in value for number in decimals_of(member)]
    return []


def test_the_named_symbols_are_listed() -> None:
    assert len(INSTRUMENTS) >= 45
    assert not set(NAMED.split()) - set(INSTRUMENTS)
    assert load() is load()


@pytest.mark.parametrize(
    ("symbol", "price_step", "quantity_step", "notional_min"),
    [
        ("BTCUSDT", "0.01", "0.00001", "5"),
        ("ETHUSDT", "0.01", "0.0001", "5"),
        ("SOLUSDT", "0.01", "0.001", "5"),
        ("DOGEUSDT", "0.00001", "1", "1"),
        ("PEPEUSDT", "0.00000001", "1", "1"),
        ("ETHBTC", "0.00001", "0.0001", "0.0001"),
        ("BNBETH", "0.0001", "0.001", "0.001"),
        ("BTCEUR", "0.01", "0.00001", "5"),
        ("BTCTRY", "1", "0.00001", "10"),
    ],
)
def test_filters_are_those_of_the_exchange(
    symbol: str, price_step: str, quantity_step: str, notional_min: str
) -> None:
    instrument = INSTRUMENTS[symbol]
    assert instrument.price_step == Decimal(price_step)
    assert instrument.quantity_step == Decimal(quantity_step)
    assert instrument.notional_min == Decimal(notional_min)


def test_limits_that_every_symbol_shares() -> None:
    bitcoin = INSTRUMENTS["BTCUSDT"]
    assert (bitcoin.quantity_max, bitcoin.price_max) == (Decimal(9000), Decimal(1_000_000))
    for instrument in INSTRUMENTS.values():
        assert instrument.iceberg_parts_max == 100
        assert (instrument.orders_max, instrument.trigger_orders_max) == (200, 5)
        assert (instrument.order_lists_max, instrument.amends_max) == (20, 10)
        assert (instrument.trailing_above_min, instrument.trailing_below_max) == (10, 2000)
        assert instrument.reference_minutes == 5
        assert instrument.self_trade_default is SelfTradeMode.EXPIRE_MAKER
        assert instrument.self_trade_modes == frozenset(SelfTradeMode)


def test_stablecoins_have_a_narrow_price_band() -> None:
    assert INSTRUMENTS["USDCUSDT"].bid_multiplier_up == Decimal("1.2")
    assert INSTRUMENTS["BTCUSDT"].bid_multiplier_up == Decimal(5)


@EVERY_LISTING
def test_every_decimal_is_canonical(listing: Listing) -> None:
    numbers = decimals_of(listing)
    assert len(numbers) > 15
    for number in numbers:
        assert number.as_tuple() == canonical(number).as_tuple()


@EVERY_LISTING
def test_the_market_of_a_symbol_obeys_its_own_filters(listing: Listing) -> None:
    instrument, profile = listing.instrument, listing.instrument.profile
    assert is_on_step(profile.anchor, instrument.price_step)
    for quantity in (profile.trade_quantity, profile.level_quantity):
        assert is_on_step(quantity, instrument.quantity_step)
        assert instrument.quantity_min <= quantity <= instrument.market_quantity_max
        assert instrument.notional_min <= quantity * profile.anchor <= instrument.notional_max
    assert profile.trade_quantity <= profile.level_quantity
    # A spread of more than a third of one percent would be no market.
    assert profile.spread_steps * instrument.price_step <= profile.anchor * Decimal("0.0033")


@EVERY_LISTING
def test_anchors_agree_across_pairs(listing: Listing) -> None:
    """Base to quote directly costs what base to USDT to quote costs, to a tenth of a percent."""
    instrument = listing.instrument
    expected = _in_dollars(instrument.base) / _in_dollars(instrument.quote)
    assert abs(instrument.profile.anchor / expected - 1) < Decimal("0.001")


def _in_dollars(asset: str) -> Decimal:
    if asset == "USDT":
        return Decimal(1)
    if f"{asset}USDT" in INSTRUMENTS:
        return INSTRUMENTS[f"{asset}USDT"].profile.anchor
    return 1 / INSTRUMENTS[f"USDT{asset}"].profile.anchor


@EVERY_LISTING
def test_wire_only_figures(listing: Listing) -> None:
    assert listing.source
    assert ("MARGIN" in listing.permission_sets[0]) == listing.is_margin_allowed
    assert all("SPOT" in group for group in listing.permission_sets)
    assert {"LIMIT", "MARKET", "LIMIT_MAKER"} <= set(listing.order_types)
    # The wire must be able to show one step of a quantity.
    assert listing.instrument.quantity_step >= Decimal(1).scaleb(-listing.base_precision)
    # Commissions, and with them balances, have the digits that the wire says they have.
    assert listing.instrument.base_step == Decimal(1).scaleb(-listing.base_commission_precision)
    assert listing.instrument.quote_step == Decimal(1).scaleb(-listing.quote_commission_precision)


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(files("emulator.exchanges.binance.spot").joinpath("instruments.json").read_bytes())
    document["listings"] = document["listings"][:2]
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda doc: doc["listings"].append(doc["listings"][0]), "BTCUSDT: listed twice"),
        (lambda doc: doc["listings"][0].update(price_step="0"), "BTCUSDT: price_step is not positive"),
        (lambda doc: doc["listings"][0].update(price_step="NaN"), "BTCUSDT: price_step is not a string"),
        (lambda doc: doc["listings"][0].update(price_step="1E-2"), "BTCUSDT: price_step is not a string"),
        (lambda doc: doc["listings"][0].update(price_step=0.01), "BTCUSDT: price_step is not a string"),
        (
            lambda doc: doc["listings"][1].update(quantity_min="0.00015"),
            "ETHUSDT: quantity_min is not a multiple",
        ),
        (lambda doc: doc["listings"][1].update(tick="0.01"), "ETHUSDT: unknown field tick"),
        (lambda doc: doc["listings"][1].pop("price_max"), "ETHUSDT: .*price_max"),
        (lambda doc: doc["listings"][1].update(base="LTC"), "ETHUSDT: the symbol is not its base"),
        (lambda doc: doc["listings"][0].update(notional_min="9000001"), "BTCUSDT: notional_min is above"),
        (lambda doc: doc["listings"][0].update(bid_multiplier_up="0.9"), "BTCUSDT: the bid multipliers"),
        (lambda doc: doc["listings"][0].update(self_trade_modes=["none"]), "BTCUSDT: self_trade_default"),
        (
            lambda doc: doc["listings"][0]["profile"].update(anchor="2000000"),
            "BTCUSDT: anchor is not between",
        ),
        (
            lambda doc: doc["listings"][0]["profile"].update(anchor="0.015"),
            "BTCUSDT: anchor is not a multiple",
        ),
        (lambda doc: doc["listings"][0]["profile"].update(trade_quantity="0"), "BTCUSDT: trade_quantity"),
        (lambda doc: doc["listings"][0]["profile"].update(spread_steps=0), "BTCUSDT: spread_steps"),
    ],
)
def test_a_contradictory_file_is_refused_by_name(
    change: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    with pytest.raises(ListingError, match=complaint):
        read(edited(change))


def test_a_short_file_is_read() -> None:
    assert [listing.symbol for listing in read(edited(lambda _: None))] == ["BTCUSDT", "ETHUSDT"]


def test_every_listed_asset_is_described_and_no_other() -> None:
    listed = {asset for instrument in INSTRUMENTS.values() for asset in (instrument.base, instrument.quote)}
    assert set(assets()) == listed
    assert {code for code, asset in assets().items() if asset.is_legal_money} == {"EUR", "TRY"}


def test_assets_know_their_networks() -> None:
    bitcoin = assets()["BTC"]
    assert bitcoin.name == "Bitcoin"
    assert [network.code for network in bitcoin.networks] == ["BTC", "BSC"]
    assert bitcoin.networks[0].step == Decimal("0.00000001")
    assert {"ETH", "BSC", "TRX", "SOL"} <= {network.code for network in assets()["USDT"].networks}
    assert [asset.code for asset in assets().values() if asset.networks and asset.networks[0].tag_regex] == [
        "XRP", "XLM", "ATOM", "TON", "HBAR",
    ]  # fmt: skip
    for asset in assets().values():
        defaults = [network.code for network in asset.networks if network.is_default]
        assert defaults == [network.code for network in asset.networks[:1]]
        for number in decimals_of(asset):
            assert number.as_tuple() == canonical(number).as_tuple()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"networks": []}, "BTC: an asset either"),
        ({"is_legal_money": True}, "BTC: an asset either"),
        ({"networks": [{"network": "MOON"}]}, "BTC on MOON: the network is not described"),
        ({"networks": [{"withdraw_fee": "1E-4"}]}, "BTC on BTC: withdraw_fee is not a plain decimal"),
        ({"networks": [{"step": "0"}]}, "BTC on BTC: step is not positive"),
        ({"networks": [{"step": "0.1"}]}, "BTC on BTC: withdraw_fee and withdraw_min"),
        ({"networks": [{"withdraw_min": "0.0001"}]}, "BTC on BTC: withdraw_min does not exceed"),
    ],
)
def test_a_contradictory_asset_is_refused_by_name(change: dict[str, Any], complaint: str) -> None:
    document = json.loads(files("emulator.exchanges.binance").joinpath("assets.json").read_bytes())
    bitcoin = document["assets"]["BTC"]
    networks = [{**bitcoin["networks"][0], **edit} for edit in change.get("networks", [{}])]
    bitcoin.update({**change, "networks": networks})
    with pytest.raises(ListingError, match=complaint):
        read_assets(json.dumps(document).encode())


def test_an_asset_moves_alike_against_everything_that_stands_for_money() -> None:
    feed = SyntheticFeed(1)
    listed = {listing.symbol: listing.instrument for listing in load()}
    for days in range(0, 400, 37):
        time_us = 1_790_000_000_000_000 - days * 86_400_000_000
        for asset in ("BTC", "ETH", "SOL"):
            shares = []
            for quote in ("USDT", "USDC", "EUR"):
                instrument = listed[asset + quote]
                shares.append(feed.last_trade(instrument, time_us).price / instrument.profile.anchor)
            assert max(shares) - min(shares) < Decimal("0.003"), (asset, days, shares)
