"""Assets: what the wallets hold and are worth, and what was paid out or converted."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.core.numbers import ZERO, exact
from emulator.exchanges.binance.assets import assets as listed_assets
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.holdings import Holding, holdings
from emulator.exchanges.binance.spot.market.symbols import find, listed
from emulator.exchanges.binance.spot.payloads.wallet import (
    DetailedBalance,
    Dividends,
    Dribblets,
    FundingAsset,
    TradeFee,
    UserAsset,
    WalletBalance,
)
from emulator.exchanges.binance.spot.wallet.valuation import BTC, Valuation
from emulator.exchanges.binance.spot.wallet.words import (
    ASSET,
    FUNDING,
    NEED_BTC_VALUATION,
    SPOT,
    render_plain,
)
from emulator.exchanges.binance.spot.windows import DAY_US
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    START_TIME,
    SYMBOL_OPTIONAL,
    USER_DATA,
    limit,
)
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

DIVIDEND_DAYS = 180

WALLET_NAMES = {SPOT: "Spot", FUNDING: "Funding", "usdm": "USDⓈ-M Futures", "coinm": "COIN-M Futures"}
"""As GET wallet/balance calls them; those that are not emulated are not listed."""


@rows.route(
    "GET",
    "/sapi/v1/asset/tradeFee",
    summary="Trade fee",
    security=USER_DATA,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[TradeFee],
)
def trade_fees(call: Call) -> list[TradeFee]:
    engine = call.engine
    symbol = call.values.get("symbol")
    chosen = listed(engine) if symbol is None else [find(engine, symbol)]
    return [
        {
            "symbol": instrument.symbol,
            "makerCommission": render_plain(instrument.maker_fee),
            "takerCommission": render_plain(instrument.taker_fee),
        }
        for instrument in chosen
    ]


def _owned(call: Call, wallet: str) -> Iterator[Holding]:
    """What is in a wallet, or the one asset that was asked for if there is any of it."""
    wanted = call.values.get("asset")
    for owned in holdings(call.engine, call.account, wallet):
        if owned.total and (wanted is None or owned.asset == wanted):
            yield owned


def _prices(call: Call) -> Valuation | None:
    return Valuation(call.engine, call.now_us) if call.values["needBtcValuation"] else None


def _valued(valuation: Valuation | None, owned: Holding) -> str:
    return "0" if valuation is None else render_plain(valuation.of(owned.asset, owned.total))


@rows.route(
    "POST",
    "/sapi/v3/asset/getUserAsset",
    summary="User asset",
    security=USER_DATA,
    weight=5,
    reads=True,
    parameters=(ASSET, NEED_BTC_VALUATION),
    answers=list[UserAsset],
)
def user_assets(call: Call) -> list[UserAsset]:
    valuation = _prices(call)
    return [
        {
            "asset": owned.asset,
            "free": render_plain(owned.free),
            "locked": render_plain(owned.held),
            "freeze": "0",
            "withdrawing": "0",
            "ipoable": "0",
            "btcValuation": _valued(valuation, owned),
        }
        for owned in _owned(call, SPOT)
    ]


@rows.route(
    "POST",
    "/sapi/v1/asset/get-funding-asset",
    summary="Funding wallet",
    security=USER_DATA,
    reads=True,
    parameters=(ASSET, NEED_BTC_VALUATION),
    answers=list[FundingAsset],
)
def funding_assets(call: Call) -> list[FundingAsset]:
    valuation = _prices(call)
    return [
        {
            "asset": owned.asset,
            "free": render_plain(owned.free),
            "locked": render_plain(owned.held),
            "freeze": "0",
            "withdrawing": "0",
            "btcValuation": _valued(valuation, owned),
        }
        for owned in _owned(call, FUNDING)
    ]


@rows.route(
    "GET",
    "/sapi/v1/asset/wallet/balance",
    summary="Query user wallet balance",
    description="Wallets that are not emulated, such as margin, are not listed.",
    security=USER_DATA,
    weight=60,
    parameters=(
        ASSET.but(name="quoteAsset", default=BTC, description="In which asset balances are valued."),
        Parameter("needBalanceDetail", Kind.BOOLEAN, default=False),
    ),
    answers=list[WalletBalance],
)
def wallet_balances(call: Call) -> list[WalletBalance]:
    valuation = Valuation(call.engine, call.now_us, call.values["quoteAsset"])
    if not valuation.is_possible:
        raise refuse(-1130, "quoteAsset")
    in_bitcoin = Valuation(call.engine, call.now_us) if call.values["needBalanceDetail"] else None
    wallets: list[WalletBalance] = []
    for wallet, name in WALLET_NAMES.items():
        contents = list(_owned(call, wallet))
        with exact():
            value = sum((valuation.of(owned.asset, owned.total) for owned in contents), ZERO)
        body: WalletBalance = {"activate": True, "balance": render_plain(value), "walletName": name}
        if in_bitcoin is not None:
            body["assetBalances"] = [_detailed(in_bitcoin, owned) for owned in contents]
        wallets.append(body)
    return wallets


def _detailed(valuation: Valuation, owned: Holding) -> DetailedBalance:
    asset = listed_assets().get(owned.asset)
    return {
        "asset": owned.asset,
        "assetName": owned.asset if asset is None else asset.name,
        "free": render_plain(owned.free),
        "locked": render_plain(owned.held),
        "freeze": "0",
        "withdrawing": "0",
        "btcValuation": _valued(valuation, owned),
    }


# What has never happened here


@rows.route(
    "GET",
    "/sapi/v1/asset/assetDividend",
    summary="Asset dividend record",
    description="Nothing is paid out to accounts here, so there are no records.",
    security=USER_DATA,
    weight=10,
    parameters=(ASSET, START_TIME, END_TIME, limit(20, 500)),
    answers=Dividends,
)
def dividends(call: Call) -> Dividends:
    start_us, end_us = call.values.get("startTime"), call.values.get("endTime")
    if start_us is not None and end_us is not None and end_us - start_us > DIVIDEND_DAYS * DAY_US:
        # The documents name the bound, not the error.
        raise refuse(-1128)
    return {"rows": [], "total": 0}


@rows.route(
    "GET",
    "/sapi/v1/asset/dribblet",
    summary="DustLog",
    description="Dust is not converted here, so there are no records.",
    security=USER_DATA,
    parameters=(
        Parameter("accountType", Kind.CHOICE, choices=("SPOT", "MARGIN"), default="SPOT"),
        START_TIME,
        END_TIME,
    ),
    answers=Dribblets,
)
def dribblets(call: Call) -> Dribblets:
    return {"total": 0, "userAssetDribblets": []}
