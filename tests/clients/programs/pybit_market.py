"""pybit on markets that stand still: what anybody may ask."""

from bybit_markets import INVERSE, LINEAR, hold_markets, move, trade_there
from pybit.exceptions import InvalidRequestError
from pybit_setup import session_of
from stage import D, control, move_clock, raised, run

session = session_of()
hold_markets()

DAY_MS = 86_400_000


def result(answer):
    assert answer["retCode"] == 0, answer
    return answer["result"]


def check_time():
    now = move_clock(step="0s")
    answer = session.get_server_time()
    assert answer["time"] == now
    assert result(answer) == {
        "timeSecond": str(now // 1000),
        "timeNano": f"{now}000000",
    }
    assert result(session.get_system_status())["list"] == []


def check_instruments():
    """Figures: "Get Instruments Info"."""
    (contract,) = result(session.get_instruments_info(category="linear", symbol="BTCUSDT"))["list"]
    assert (contract["contractType"], contract["settleCoin"], contract["status"]) == (
        "LinearPerpetual",
        "USDT",
        "Trading",
    )
    assert D(contract["priceFilter"]["tickSize"]) == D("0.1")
    assert D(contract["lotSizeFilter"]["qtyStep"]) == D("0.001")
    assert (contract["fundingInterval"], contract["leverageFilter"]["maxLeverage"]) == (480, "100.00")
    (coin,) = result(session.get_instruments_info(category="inverse", symbol="BTCUSD"))["list"]
    assert (coin["contractType"], coin["settleCoin"]) == ("InversePerpetual", "BTC")
    (pair,) = result(session.get_instruments_info(category="spot", symbol="BTCUSDT"))["list"]
    assert (pair["baseCoin"], pair["quoteCoin"], D(pair["lotSizeFilter"]["basePrecision"])) == (
        "BTC",
        "USDT",
        D("0.000001"),
    )
    assert result(session.get_instruments_info(category="option"))["list"] == []
    for category in ("spot", "linear", "inverse"):
        listed = result(session.get_instruments_info(category=category, limit=1000))
        assert listed["nextPageCursor"] == "", "the last page says so, since clients ask until then"
        assert len(listed["list"]) > 2


def check_pages():
    """A cursor has percent signs; pybit signs it as it got it, and requests escapes it again."""
    whole = result(session.get_instruments_info(category="linear", limit=1000))["list"]
    pages, listed, cursor = 0, [], None
    while cursor != "":
        page = result(session.get_instruments_info(category="linear", limit=7, cursor=cursor))
        pages += 1
        listed += [each["symbol"] for each in page["list"]]
        cursor = page["nextPageCursor"]
    assert pages == -(-len(whole) // 7)
    assert listed == [each["symbol"] for each in whole]


def check_book_and_tickers():
    hold_markets()
    book = result(session.get_orderbook(category="linear", symbol="BTCUSDT", limit=2))
    assert [[D(price), D(size)] for price, size in book["b"]] == [[99990, 10], [99980, 10]]
    assert [[D(price), D(size)] for price, size in book["a"]] == [[100010, 10], [100020, 10]]
    assert book["s"] == "BTCUSDT"
    assert len(result(session.get_orderbook(category="spot", symbol="BTCUSDT"))["b"]) == 1
    (ticker,) = result(session.get_tickers(category="linear", symbol="BTCUSDT"))["list"]
    assert [D(ticker[name]) for name in ("lastPrice", "bid1Price", "ask1Price", "markPrice")] == [
        100000,
        99990,
        100010,
        100000,
    ]
    (pair,) = result(session.get_tickers(category="spot", symbol="BTCUSDT"))["list"]
    assert "openInterestValue" not in pair, "by this key clients tell contracts from pairs"
    assert len(result(session.get_tickers(category="inverse"))["list"]) > 1
    limit = result(session.get_price_limit(category="linear", symbol="BTCUSDT"))
    assert D(limit["sellLmt"]) < 100000 < D(limit["buyLmt"])


def check_trades_and_candles():
    trade_there(LINEAR, "100000", "0.25", "sell")
    (trade,) = result(session.get_public_trade_history(category="linear", symbol="BTCUSDT", limit=1))["list"]
    assert (trade["side"], D(trade["size"]), D(trade["price"])) == ("Sell", D("0.25"), D(100000))
    candles = result(session.get_kline(category="linear", symbol="BTCUSDT", interval=60, limit=3))["list"]
    begins = [int(candle[0]) for candle in candles]
    assert begins == sorted(begins, reverse=True), "the newest comes first"
    assert [begin % 3_600_000 for begin in begins] == [0, 0, 0]
    assert D(candles[0][4]) == 100000
    for ask in (
        session.get_mark_price_kline,
        session.get_index_price_kline,
        session.get_premium_index_price_kline,
    ):
        (candle,) = result(ask(category="linear", symbol="BTCUSDT", interval="D", limit=1))["list"]
        assert (len(candle), int(candle[0]) % DAY_MS) == (5, 0)


def check_contracts():
    now = move_clock(step="0s")
    rates = result(session.get_funding_rate_history(category="linear", symbol="BTCUSDT", limit=3))["list"]
    times = [int(rate["fundingRateTimestamp"]) for rate in rates]
    assert times == [now // 28_800_000 * 28_800_000 - 28_800_000 * back for back in range(3)]
    interest = result(
        session.get_open_interest(category="linear", symbol="BTCUSDT", intervalTime="1h", limit=2)
    )
    assert len(interest["list"]) == 2
    tiers = result(session.get_risk_limit(category="linear", symbol="BTCUSDT"))["list"]
    assert [tier["id"] for tier in tiers] == sorted(tier["id"] for tier in tiers)
    assert (tiers[0]["isLowestRisk"], tiers[0]["maxLeverage"]) == (1, "100.00")
    ratio = result(session.get_long_short_ratio(category="linear", symbol="BTCUSDT", period="1h", limit=1))
    assert D(ratio["list"][0]["buyRatio"]) + D(ratio["list"][0]["sellRatio"]) == 1


def check_inverse():
    move(INVERSE, "90000")
    (ticker,) = result(session.get_tickers(category="inverse", symbol="BTCUSD"))["list"]
    assert D(ticker["lastPrice"]) == 90000
    hold_markets()


def check_refusals():
    error = raised(InvalidRequestError, session.get_orderbook, category="linear", symbol="NOSUCH")
    assert error.status_code == 10001
    error = raised(InvalidRequestError, session.get_tickers, category="nonsense")
    assert error.status_code == 10001
    assert control("GET", "requests")["requests"][-1]["site"] == "bybit"


run()
