"""The newest trades, from one tape: the market's and those of accounts alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from emulator.core.numbers import exact
from emulator.exchanges.bybit.categories import OPTION
from emulator.exchanges.bybit.figures import time_text
from emulator.exchanges.bybit.ids import cross_sequence, execution_id_text
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.market.parameters import BASE_COIN, CATEGORY, SYMBOL_OPTIONAL, asked, limit
from emulator.exchanges.bybit.payloads.market import PublicTrade, PublicTrades
from emulator.web.contract import Call, Kind, Parameter, Rows
from emulator.web.turns import in_turns

rows = Rows()

TRADES_MAX: Final = 1000
TRADES: Final = 500
PAIR_TRADES: Final = 60
"""Of pairs, unless said and at most."""


@rows.route(
    "GET",
    "/v5/market/recent-trade",
    summary="Recent public trades",
    description="Newest first; at most 60 of pairs, 500 of contracts unless said.",
    parameters=(
        CATEGORY,
        SYMBOL_OPTIONAL,
        BASE_COIN,
        Parameter("optionType", Kind.CHOICE, choices=("Call", "Put")),
        limit(None, TRADES_MAX),
    ),
    answers=PublicTrades,
)
async def recent_trades(call: Call) -> PublicTrades:
    values = call.values
    if values["category"] == OPTION and "symbol" not in values:
        return {"category": OPTION, "list": []}
    listing = asked(call)
    wanted = values.get("limit", TRADES)
    if listing.contract is None:
        wanted = min(wanted, PAIR_TRADES)
    until_us = listing.read_us(call.now_us)
    market = call.engine.state.markets[listing.instrument.symbol]
    with exact():
        trades = market.trades(market.trade_count(until_us) - wanted + 1, wanted, until_us)
    figures = figures_of(listing)

    def rendered() -> Iterator[PublicTrade]:
        for trade in reversed(trades):
            yield {
                "execId": execution_id_text(listing.category, listing.instrument.symbol, trade.id),
                "symbol": listing.symbol,
                "price": figures.price(trade.price),
                "size": figures.quantity(trade.quantity),
                "side": "Sell" if trade.buyer_is_maker else "Buy",
                "time": time_text(trade.time_us),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(cross_sequence(trade.time_us)),
            }

    return {"category": listing.category, "list": await in_turns(rendered())}
