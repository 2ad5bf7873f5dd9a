"""python-binance: market streams of both futures sites, where a clock stands still until it is stepped."""

from binance.enums import ContractType, FuturesType
from binance.ws.streams import BinanceSocketManager
from python_binance_setup import connected, following, next_of
from stage import STREAMS, control, move_clock, run

BinanceSocketManager.FSTREAM_URL = f"{STREAMS}/binance-usdm/"
BinanceSocketManager.DSTREAM_URL = f"{STREAMS}/binance-coinm/"

COIN_M = FuturesType.COIN_M


def print_trade(site, symbol, price, quantity, side):
    control(
        "POST",
        f"markets/{site}/{symbol}/trades",
        {"price": str(price), "quantity": str(quantity), "side": side},
    )


async def check_trades():
    async with connected() as (client, sockets):
        linear = await following(sockets.aggtrade_futures_socket("BTCUSDT"))
        inverse = await following(sockets.aggtrade_futures_socket("BTCUSD_PERP", futures_type=COIN_M))
        print_trade("binance-usdm", "BTCUSDT", 100_000, 3, "buy")
        print_trade("binance-coinm", "BTCUSD_PERP", 100_000, 7, "sell")
        (row,) = await client.futures_aggregate_trades(symbol="BTCUSDT", limit=1)
        told = (await next_of(linear))["data"]
        assert {name: told[name] for name in row} == row
        (row,) = await client.futures_coin_aggregate_trades(symbol="BTCUSD_PERP", limit=1)
        told = (await next_of(inverse))["data"]
        assert {name: told[name] for name in row} == row
        assert (told["q"], told["m"]) == ("7", True)


async def check_mark_prices():
    async with connected() as (client, sockets):
        one, everything, slow = await following(
            sockets.symbol_mark_price_socket("BTCUSDT"),
            sockets.all_mark_price_socket(),
            sockets.symbol_mark_price_socket("BTCUSD_PERP", fast=False, futures_type=COIN_M),
        )
        now = move_clock(step="3s")
        told = (await next_of(one))["data"]
        shown = await client.futures_mark_price(symbol="BTCUSDT")
        assert (told["p"], told["i"], told["r"], told["T"], told["E"]) == (
            shown["markPrice"],
            shown["indexPrice"],
            shown["lastFundingRate"],
            shown["nextFundingTime"],
            now,
        )
        assert {each["s"] for each in (await next_of(everything))["data"]} >= {"BTCUSDT", "ETHUSDT"}
        assert (await next_of(slow))["data"]["s"] == "BTCUSD_PERP"


async def check_candles():
    async with connected() as (client, sockets):
        linear, quarterly = await following(
            sockets.kline_futures_socket("BTCUSDT"),
            sockets.kline_futures_socket(
                "BTCUSD", futures_type=COIN_M, contract_type=ContractType.CURRENT_QUARTER
            ),
        )
        move_clock(step="90s")
        for stream, ask, names in (
            (linear, client.futures_continuous_klines, {"pair": "BTCUSDT", "contractType": "PERPETUAL"}),
            (
                quarterly,
                client.futures_coin_continous_klines,
                {"pair": "BTCUSD", "contractType": "CURRENT_QUARTER"},
            ),
        ):
            while (told := await next_of(stream))["k"]["x"]:
                pass
            assert (told["ps"], told["ct"]) == (names["pair"], names["contractType"])
            (row,) = await ask(**names, interval="1m", limit=1)
            assert [told["k"][name] for name in "tohlcvTqnVQB"] == row


async def check_tickers_and_books():
    async with connected() as (client, sockets):
        ticker, best, depth, several, index = await following(
            sockets.individual_symbol_ticker_futures_socket("BTCUSDT"),
            sockets.symbol_ticker_futures_socket("BTCUSDT"),
            sockets.futures_depth_socket("BTCUSDT"),
            sockets.futures_multiplex_socket(["btcusdt@bookTicker", "ethusdt@bookTicker"]),
            sockets.index_price_socket("BTCUSD"),
        )
        move_clock(step="10s")
        told, shown = (await next_of(ticker))["data"], await client.futures_ticker(symbol="BTCUSDT")
        assert (told["c"], told["v"], told["q"]) == (
            shown["lastPrice"],
            shown["volume"],
            shown["quoteVolume"],
        )
        quote = await client.futures_orderbook_ticker(symbol="BTCUSDT")
        told = (await next_of(best))["data"]
        assert (told["b"], told["A"], told["u"]) == (
            quote["bidPrice"],
            quote["askQty"],
            quote["lastUpdateId"],
        )
        book = await client.futures_order_book(symbol="BTCUSDT", limit=10)
        told = (await next_of(depth))["data"]
        assert (told["b"], told["a"]) == (book["bids"], book["asks"])
        streams = {(await next_of(several))["stream"] for _ in range(2)}
        assert streams == {"btcusdt@bookTicker", "ethusdt@bookTicker"}
        assert (await next_of(index))["data"]["i"] == "BTCUSD"


run()
