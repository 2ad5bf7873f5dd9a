"""ccxt.pro on both futures sites: what is watched of markets, and of an account that trades there.

The clock stands still unless it is stepped, so what comes is what was made to happen.
"""

import asyncio
from contextlib import asynccontextmanager

import ccxt.pro
from ccxt_watching import Watching, client_of, watched
from stage import D, hold_book, hold_price, move_clock, open_account, print_trade, run

LINEAR = ("binance-usdm", ccxt.pro.binanceusdm, "BTC/USDT:USDT", "BTCUSDT", "usdm", {"USDT": "10000"})
INVERSE = ("binance-coinm", ccxt.pro.binancecoinm, "BTC/USD:BTC", "BTCUSD_PERP", "coinm", {"BTC": "10"})


class Place:
    """One of the sites, its market held at 50,000, and an account."""

    def __init__(self, terms):
        self.site, self.kind, self.symbol, self.market, wallet, funds = terms
        hold_book(self.market, "50000", (("49990", "1000"),), (("50010", "1000"),), self.site)
        self.account = open_account(wallet=wallet, **funds)
        self.printed = 0

    def print(self):
        """A trade that is larger by one than the last; two tenths of a second pass."""
        self.printed += 1
        print_trade(self.market, "50010", self.printed, "buy", self.site)
        move_clock(step="200ms")

    def wait(self):
        move_clock(step="1s")


@asynccontextmanager
async def begin(terms):
    place = Place(terms)
    async with client_of(place.account, kind=place.kind) as exchange:
        yield place, exchange


async def market_is_watched(terms):
    async with begin(terms) as (place, exchange):
        symbol = place.symbol
        trades = await watched(
            lambda: exchange.watch_trades(symbol), lambda came: came[-1]["price"] == 50010.0, place.print
        )
        assert (trades[-1]["symbol"], trades[-1]["side"]) == (symbol, "buy")
        known = {each["id"]: each for each in await exchange.fetch_trades(symbol, limit=1000)}
        assert known[trades[-1]["id"]]["amount"] == trades[-1]["amount"]
        book = await watched(
            lambda: exchange.watch_order_book(symbol), lambda came: came["bids"], place.print
        )
        assert book["bids"][0] == [49990.0, 1000.0]
        hold_book(place.market, "50000", (("49995", "7"),), (("50005", "8"),), place.site)
        book = await watched(
            lambda: exchange.watch_order_book(symbol), lambda came: came["bids"][0][0] == 49995.0, place.wait
        )
        assert (book["bids"], book["asks"]) == ([[49995.0, 7.0]], [[50005.0, 8.0]])
        ticker = await watched(
            lambda: exchange.watch_ticker(symbol), lambda came: came["last"] == 50010.0, place.print
        )
        assert ticker["symbol"] == symbol
        best = await watched(
            lambda: exchange.watch_bids_asks([symbol]),
            lambda came: came[symbol]["bid"] in (49995.0, 49996.0),
            lambda: raise_and_lower(place),
        )
        assert (best[symbol]["bidVolume"], best[symbol]["ask"]) == (7.0, 50005.0)
        candles = await watched(
            lambda: exchange.watch_ohlcv(symbol, "1m"), lambda came: came[-1][4] == 50010.0, place.print
        )
        assert candles[-1][0] % 60_000 == 0
        hold_price(place.market, "50000", place.site)
        mark = await watched(
            lambda: exchange.watch_mark_price(symbol), lambda came: came["markPrice"] == 50000.0, place.wait
        )
        assert (mark["symbol"], mark["info"]["e"]) == (symbol, "markPriceUpdate")


def raise_and_lower(place):
    """The best bid goes up and down."""
    place.printed += 1
    price = 49995 + place.printed % 2
    hold_book(place.market, "50000", ((price, "7"),), (("50005", "8"),), place.site)


async def check_linear_market():
    await market_is_watched(LINEAR)


async def check_inverse_market():
    await market_is_watched(INVERSE)


async def account_is_watched(terms, quantity, asset):
    async with begin(terms) as (place, exchange):
        symbol = place.symbol
        async with (
            Watching(lambda: exchange.watch_orders(symbol)) as orders,
            Watching(lambda: exchange.watch_my_trades(symbol)) as trades,
            Watching(lambda: exchange.watch_positions([symbol])) as positions,
            Watching(exchange.watch_balance) as balances,
        ):
            # Nobody is told when they have begun, so contracts are bought until each has seen something.
            count = 0
            while not (orders.seen and trades.seen and positions.seen and balances.seen):
                count += 1
                assert count < 100
                await exchange.create_order(symbol, "market", "buy", quantity)
                await asyncio.sleep(0.05)

            bought = await exchange.create_order(symbol, "market", "buy", quantity)
            order = await orders.until(lambda each: each["id"] == bought["id"] and each["status"] == "closed")
            assert (order["filled"], order["average"], order["side"]) == (quantity, 50010.0, "buy")
            trade = await trades.until(lambda each: each["order"] == bought["id"])
            known = (await exchange.fetch_my_trades(symbol))[-1]
            for name in ("id", "price", "amount", "side", "takerOrMaker", "fee"):
                assert trade[name] == known[name], name
            held = float(D(str(quantity)) * (count + 1))
            position = await positions.until(lambda each: each["contracts"] == held)
            assert (position["side"], position["entryPrice"]) == ("long", 50010.0)
            wallet = float((await exchange.fetch_balance())["info"]["assets"][0]["walletBalance"])
            await balances.until(lambda each: each.get(asset, {}).get("total") == wallet)
            await exchange.create_order(symbol, "market", "sell", held, None, {"reduceOnly": True})
            await positions.until(lambda each: each["contracts"] == 0)


async def check_linear_account():
    await account_is_watched(LINEAR, 0.01, "USDT")


async def check_inverse_account():
    await account_is_watched(INVERSE, 10, "BTC")


run()
