"""Positions, the risk that is in them, and how early they would be deleveraged."""

from __future__ import annotations

from emulator.core.numbers import exact
from emulator.core.statement import PositionStatement
from emulator.exchanges.binance.futures.account.readings import (
    ENTRY_STEP,
    SIDES_OF_LEGS,
    Standing,
    is_isolated,
    isolated_margin,
    read,
    render_or_zero,
    render_plain,
    render_price,
    render_quantity,
    render_value,
    shown,
)
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.payloads.account import (
    AdlQuantile,
    CoinmPositionRisk,
    UsdmPositionRisk,
    UsdmPositionRiskOfOld,
)
from emulator.exchanges.binance.futures.products import COINM
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.vocabulary import SYMBOL_OPTIONAL, USER_DATA
from emulator.web.contract import Call, Parameter

rows = FuturesRows()

MARGIN_ASSET = Parameter("marginAsset", length_max=20)
PAIR = Parameter("pair", length_max=50)


@rows.usdm(
    "GET",
    "/v3/positionRisk",
    summary="Position information V3",
    description="Only symbols with a position or an open order are listed.",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[UsdmPositionRisk],
)
def position_risk(call: Call) -> list[UsdmPositionRisk]:
    symbol = call.values.get("symbol")
    with exact():
        standing = read(call)
        if symbol is not None:
            find(standing.product, symbol, standing.now_us)
        return [
            _risk(standing, name, one, call)
            for name, one in standing.open_positions()
            if symbol in (None, name)
        ]


@rows.usdm(
    "GET",
    "/v2/positionRisk",
    summary="Position information V2",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[UsdmPositionRiskOfOld],
)
def position_risk_of_old(call: Call) -> list[UsdmPositionRiskOfOld]:
    symbol = call.values.get("symbol")
    with exact():
        standing = read(call)
        symbols = shown(standing) if symbol is None else [find(standing.product, symbol, standing.now_us)]
        return [_risk_of_old(standing, name, one, call) for name, one in standing.positions(symbols)]


@rows.coinm(
    "GET",
    "/v1/positionRisk",
    summary="Position information",
    security=USER_DATA,
    weight=1,
    parameters=(MARGIN_ASSET, PAIR),
    exclusive=(("marginAsset", "pair"),),
    answers=list[CoinmPositionRisk],
)
def coinm_position_risk(call: Call) -> list[CoinmPositionRisk]:
    with exact():
        standing = read(call)
        return [
            _coinm_risk(standing, name, one, call)
            for name, one in standing.positions(_chosen(shown(standing), call))
        ]


@rows.both(
    "GET",
    "/v1/adlQuantile",
    summary="Position ADL quantile estimation",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[AdlQuantile],
)
def adl_quantiles(call: Call) -> list[AdlQuantile]:
    symbol = call.values.get("symbol")
    with exact():
        standing = read(call)
        if symbol is not None:
            find(standing.product, symbol, standing.now_us)
        quantiles: dict[str, dict[str, int]] = {}
        for name, one in standing.open_positions():
            if one.position.quantity and symbol in (None, name):
                # Quirk: in hedge mode there is HEDGE instead of BOTH for what is under cross margin, whose
                # two legs have one quantile then (Position ADL Quantile Estimation).
                third = "HEDGE" if standing.is_hedged and not is_isolated(one) else "BOTH"
                lights = quantiles.setdefault(name, {"LONG": 0, "SHORT": 0, third: 0})
                lights[SIDES_OF_LEGS[one.position.leg]] = standing.light(one)
        for lights in quantiles.values():
            if "HEDGE" in lights:
                lights["LONG"] = lights["SHORT"] = max(lights["LONG"], lights["SHORT"])
        return [{"symbol": name, "adlQuantile": lights} for name, lights in quantiles.items()]


def _chosen(symbols: list[Listing], call: Call) -> list[Listing]:
    pair, asset = call.values.get("pair"), call.values.get("marginAsset")
    if pair is not None:
        chosen = [one for one in symbols if one.pair == pair]
        if not chosen:
            raise TABLES[COINM].refuse(CODES[COINM].invalid_pair)
        return chosen
    if asset is not None:
        return [one for one in symbols if one.contract.settle == asset]
    return symbols


def _risk(standing: Standing, symbol: str, one: PositionStatement, call: Call) -> UsdmPositionRisk:
    position = one.position
    return {
        "symbol": symbol,
        "positionSide": SIDES_OF_LEGS[position.leg],
        "positionAmt": render_plain(position.quantity),
        "entryPrice": render_price(one.entry(ENTRY_STEP)),
        "breakEvenPrice": render_price(one.break_even(ENTRY_STEP)),
        "markPrice": render_value(one.mark),
        "unRealizedProfit": render_value(one.unrealised),
        # Quirk: as fine as mark prices, not in whole ticks; "0" where there is none (answers recorded in
        # clients' sources, and the COIN-M page's own example).
        "liquidationPrice": render_or_zero(one.shown_liquidation),
        "isolatedMargin": render_or_zero(isolated_margin(one)),
        "notional": render_or_zero(one.value),
        "marginAsset": one.contract.margin_asset,
        "isolatedWallet": render_or_zero(position.margin),
        "initialMargin": render_or_zero(one.needed.total),
        "maintMargin": render_or_zero(one.maintenance),
        "positionInitialMargin": render_or_zero(one.needed.position),
        "openOrderInitialMargin": render_or_zero(one.needed.orders),
        "adl": standing.light(one),
        "bidNotional": render_or_zero(one.resting.bids),
        "askNotional": render_or_zero(one.resting.asks),
        "updateTime": call.render_time(position.updated_us),
    }


def _risk_of_old(
    standing: Standing, symbol: str, one: PositionStatement, call: Call
) -> UsdmPositionRiskOfOld:
    position = one.position
    return {
        "symbol": symbol,
        "positionAmt": render_quantity(standing.product.listings[symbol], position.quantity),
        "entryPrice": render_price(one.entry(ENTRY_STEP)),
        "breakEvenPrice": render_price(one.break_even(ENTRY_STEP)),
        "markPrice": render_value(one.mark),
        "unRealizedProfit": render_value(one.unrealised),
        "liquidationPrice": render_or_zero(one.shown_liquidation),
        "leverage": render_plain(position.leverage),
        "maxNotionalValue": render_plain(one.value_max),
        # Quirk: the same modes are "cross" and "isolated" here, "CROSSED" and "ISOLATED" where they are set
        # (Position Information V2, Change Margin Type).
        "marginType": "isolated" if is_isolated(one) else "cross",
        "isolatedMargin": render_value(isolated_margin(one)),
        # Quirk: a truth value as text (Position Information V2).
        "isAutoAddMargin": "false",
        "positionSide": SIDES_OF_LEGS[position.leg],
        "notional": render_or_zero(one.value),
        "isolatedWallet": render_or_zero(position.margin),
        "updateTime": call.render_time(position.updated_us),
    }


def _coinm_risk(standing: Standing, symbol: str, one: PositionStatement, call: Call) -> CoinmPositionRisk:
    position = one.position
    return {
        "symbol": symbol,
        "positionAmt": render_quantity(standing.product.listings[symbol], position.quantity),
        "entryPrice": render_price(one.entry(ENTRY_STEP)),
        "breakEvenPrice": render_price(one.break_even(ENTRY_STEP)),
        "markPrice": render_value(one.mark),
        "unRealizedProfit": render_value(one.unrealised),
        "liquidationPrice": render_or_zero(one.shown_liquidation),
        "leverage": render_plain(position.leverage),
        "maxQty": render_plain(one.value_max),
        "marginType": "isolated" if is_isolated(one) else "cross",
        "isolatedMargin": render_value(isolated_margin(one)),
        "isAutoAddMargin": "false",
        "positionSide": SIDES_OF_LEGS[position.leg],
        "notionalValue": render_or_zero(one.value),
        "isolatedWallet": render_or_zero(position.margin),
        "updateTime": call.render_time(position.updated_us),
    }
