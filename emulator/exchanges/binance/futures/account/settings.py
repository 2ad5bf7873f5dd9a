"""What an account chooses for its positions: leverage, margin mode, one position or two, fees in BNB."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core.contracts import value_max
from emulator.core.engine import Done as Decided
from emulator.core.numbers import exact
from emulator.core.positions import MarginMode
from emulator.core.rejections import SettingUnchanged
from emulator.exchanges.binance.futures.account.readings import render_plain
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.payloads.account import (
    AccountConfig,
    AssetsMode,
    CoinmBracket,
    CoinmBracketsOfPair,
    CoinmBracketsOfSymbol,
    CoinmLeverage,
    Done,
    FeeBurn,
    PortfolioMargin,
    PositionMode,
    SymbolConfig,
    UsdmBracket,
    UsdmBrackets,
    UsdmLeverage,
)
from emulator.exchanges.binance.futures.products import COINM, USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked, find, listed
from emulator.exchanges.binance.futures.vocabulary import TRADE
from emulator.exchanges.binance.vocabulary import SYMBOL, SYMBOL_OPTIONAL, USER_DATA
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

MARGIN_TYPES = {"ISOLATED": MarginMode.ISOLATED, "CROSSED": MarginMode.CROSS}
SUCCESS: Done = {"code": 200, "msg": "success"}

LEVERAGE = Parameter("leverage", Kind.INTEGER, required=True, description="From 1 to the symbol's highest.")
MARGIN_TYPE = Parameter("marginType", Kind.CHOICE, required=True, choices=tuple(MARGIN_TYPES))
DUAL = Parameter(
    "dualSidePosition",
    Kind.BOOLEAN,
    required=True,
    description="true: hedge mode, with a long and a short position; false: one-way mode.",
)
MULTI_ASSETS = Parameter(
    "multiAssetsMargin",
    Kind.BOOLEAN,
    required=True,
    description="true: all assets cover all positions together; false: each those that settle in it.",
)


@rows.both(
    "POST",
    "/v1/leverage",
    summary="Change initial leverage",
    security=TRADE,
    weight=1,
    parameters=(SYMBOL, LEVERAGE),
    answers=UsdmLeverage,
    coinm=Declared(answers=CoinmLeverage),
)
def set_leverage(call: Call) -> Submission[UsdmLeverage | CoinmLeverage]:
    listing = asked(call)
    leverage = Decimal(call.values["leverage"])

    def answer(done: Decided) -> UsdmLeverage | CoinmLeverage:
        # Quirk: to choose the leverage that is chosen already is a success (Change Initial Leverage; live
        # answers).
        if done.rejection is not None and not isinstance(done.rejection, SettingUnchanged):
            raise call.site.dialect.speak(done.rejection, command)
        most = render_plain(value_max(listing.contract, leverage))
        if product_of(call) is USDM:
            return {"leverage": int(leverage), "maxNotionalValue": most, "symbol": listing.symbol}
        return {"leverage": int(leverage), "maxQty": most, "symbol": listing.symbol}

    command = c.SetLeverage(account=call.account, instrument=listing.instrument.symbol, leverage=leverage)
    return call.attempt(command, answer)


@rows.both(
    "POST",
    "/v1/marginType",
    summary="Change margin type",
    security=TRADE,
    weight=1,
    parameters=(SYMBOL, MARGIN_TYPE),
    answers=Done,
)
def set_margin_type(call: Call) -> Submission[Done]:
    command = c.SetMarginMode(
        account=call.account,
        instrument=asked(call).instrument.symbol,
        mode=MARGIN_TYPES[call.values["marginType"]],
    )
    return call.submit(command, _succeeded)


@rows.both(
    "POST",
    "/v1/positionSide/dual",
    summary="Change position mode",
    description="The mode is the account's, for USD-M and COIN-M together.",
    security=TRADE,
    weight=1,
    parameters=(DUAL,),
    answers=Done,
)
def set_position_mode(call: Call) -> Submission[Done]:
    command = c.SetPositionMode(
        account=call.account, wallet=product_of(call).wallet, hedged=call.values["dualSidePosition"]
    )
    return call.submit(command, _succeeded)


@rows.both(
    "GET",
    "/v1/positionSide/dual",
    summary="Current position mode",
    security=USER_DATA,
    weight=30,
    answers=PositionMode,
)
def position_mode(call: Call) -> PositionMode:
    return {"dualSidePosition": _is_hedged(call)}


@rows.usdm(
    "POST",
    "/v1/multiAssetsMargin",
    summary="Change multi-assets mode",
    security=TRADE,
    weight=1,
    parameters=(MULTI_ASSETS,),
    answers=Done,
)
def set_assets_mode(call: Call) -> Submission[Done]:
    command = c.SetCollateralMode(
        account=call.account, wallet=product_of(call).wallet, shared=call.values["multiAssetsMargin"]
    )
    return call.submit(command, _succeeded)


@rows.usdm(
    "GET",
    "/v1/multiAssetsMargin",
    summary="Current multi-assets mode",
    security=USER_DATA,
    weight=30,
    answers=AssetsMode,
)
def assets_mode(call: Call) -> AssetsMode:
    return {"multiAssetsMargin": _is_shared(call)}


@rows.usdm(
    "POST",
    "/v1/feeBurn",
    summary="Toggle BNB burn on USD-M futures trades",
    security=TRADE,
    weight=1,
    parameters=(Parameter("feeBurn", Kind.BOOLEAN, required=True),),
    answers=Done,
)
def set_fee_burn(call: Call) -> Submission[Done]:
    command = c.SetFeePayment(
        account=call.account, discounted=call.values["feeBurn"], wallet=product_of(call).wallet
    )
    return call.submit(command, _succeeded)


@rows.usdm(
    "GET",
    "/v1/feeBurn",
    summary="BNB burn status",
    security=USER_DATA,
    weight=30,
    answers=FeeBurn,
)
def fee_burn(call: Call) -> FeeBurn:
    return {"feeBurn": product_of(call).wallet in call.engine.state.accounts[call.account].discounted}


@rows.usdm(
    "GET",
    "/v1/symbolConfig",
    summary="Symbol configuration",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[SymbolConfig],
)
def symbol_config(call: Call) -> list[SymbolConfig]:
    state = call.engine.state

    def render(listing: Listing) -> SymbolConfig:
        choice = state.choice(call.account, listing.instrument.symbol)
        return {
            "symbol": listing.symbol,
            "marginType": "ISOLATED" if choice.mode is MarginMode.ISOLATED else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": int(choice.leverage),
            "maxNotionalValue": render_plain(value_max(listing.contract, choice.leverage)),
        }

    with exact():
        return [render(listing) for listing in _listings(call)]


@rows.usdm(
    "GET",
    "/v1/accountConfig",
    summary="Futures account configuration",
    security=USER_DATA,
    weight=5,
    answers=AccountConfig,
)
def account_config(call: Call) -> AccountConfig:
    account = call.engine.state.accounts[call.account]
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": _is_hedged(call),
        # Quirk: kept for compatibility and always 0 (Futures Account Configuration).
        "updateTime": 0,
        "multiAssetsMargin": _is_shared(call),
        "tradeGroupId": account.trade_group or -1,
    }


@rows.both(
    "GET",
    "/v1/pmAccountInfo",
    summary="Classic portfolio margin account information",
    description="No account here is one of portfolio margin, and each is told so.",
    security=USER_DATA,
    weight=5,
    parameters=(Parameter("asset", required=True),),
    answers=PortfolioMargin,
)
def portfolio_margin(call: Call) -> PortfolioMargin:
    raise TABLES[product_of(call)].refuse(-21001)


@rows.usdm(
    "GET",
    "/v1/leverageBracket",
    summary="Notional and leverage brackets",
    security=USER_DATA,
    weight=1,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[UsdmBrackets],
)
def leverage_brackets(call: Call) -> list[UsdmBrackets]:
    return [
        {"symbol": listing.symbol, "notionalCoef": 1.0, "brackets": _usdm_brackets(listing)}
        for listing in _listings(call)
    ]


@rows.coinm(
    "GET",
    "/v2/leverageBracket",
    summary="Notional brackets for symbol",
    security=USER_DATA,
    weight=lambda values: 1 if "symbol" in values else 2,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[CoinmBracketsOfSymbol],
)
def coinm_brackets(call: Call) -> list[CoinmBracketsOfSymbol]:
    return [
        {"symbol": listing.symbol, "notionalCoef": 1.0, "brackets": _coinm_brackets(listing)}
        for listing in _listings(call)
    ]


@rows.coinm(
    "GET",
    "/v1/leverageBracket",
    summary="Notional brackets for pair",
    security=USER_DATA,
    weight=1,
    parameters=(Parameter("pair", length_max=50),),
    answers=list[CoinmBracketsOfPair],
    deprecated=True,
)
def coinm_brackets_of_pair(call: Call) -> list[CoinmBracketsOfPair]:
    pairs: dict[str, Listing] = {}
    for listing in listed(COINM, call.now_us):
        if call.values.get("pair") in (None, listing.pair):
            pairs.setdefault(listing.pair, listing)
    return [{"pair": pair, "brackets": _coinm_brackets(listing)} for pair, listing in pairs.items()]


def _succeeded(done: Decided) -> Done:
    return SUCCESS


def _is_shared(call: Call) -> bool:
    return (call.account, product_of(call).wallet) in call.engine.state.shared


def _is_hedged(call: Call) -> bool:
    return (call.account, product_of(call).wallet) in call.engine.state.hedged


def _listings(call: Call) -> list[Listing]:
    """The symbol that is asked for, or all."""
    product, symbol = product_of(call), call.values.get("symbol")
    return listed(product, call.now_us) if symbol is None else [find(product, symbol, call.now_us)]


# Quirk: figures of brackets are JSON numbers (Notional and Leverage Brackets).


def _usdm_brackets(listing: Listing) -> list[UsdmBracket]:
    return [
        {
            "bracket": number,
            "initialLeverage": int(tier.leverage_max),
            "notionalCap": int(tier.cap),
            "notionalFloor": int(tier.floor),
            "maintMarginRatio": float(tier.maintenance_rate),
            "cum": float(tier.maintenance_amount),
        }
        for number, tier in enumerate(listing.contract.tiers, 1)
    ]


def _coinm_brackets(listing: Listing) -> list[CoinmBracket]:
    return [
        {
            "bracket": number,
            "initialLeverage": int(tier.leverage_max),
            "qtyCap": int(tier.cap),
            # Quirk: the floor is spelled `qtylFloor`, while clients read `qtyFloor`; both are there (Notional
            # Bracket for Symbol, its example).
            "qtylFloor": int(tier.floor),
            "qtyFloor": int(tier.floor),
            "maintMarginRatio": float(tier.maintenance_rate),
            "cum": float(tier.maintenance_amount),
        }
        for number, tier in enumerate(listing.contract.tiers, 1)
    ]
