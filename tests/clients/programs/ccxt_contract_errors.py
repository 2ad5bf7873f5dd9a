"""ccxt, synchronous, at the exchange's own addresses, whose packets are led here: which error is which.

The client tells codes apart by the host name that it called. So nothing of its addresses is replaced;
only the way from there, as a name server or a proxy of one's own would do.
"""

import ccxt
from requests.adapters import HTTPAdapter
from stage import URL, hold_book, move_clock, open_account, raised, run

LINEAR = ("BTC/USDT:USDT", "BTCUSDT", "binance-usdm", "100000", "0.01")
INVERSE = ("BTC/USD:BTC", "BTCUSD_PERP", "binance-coinm", "50000", "10")


class Led(HTTPAdapter):
    """Goes to the emulator instead."""

    def send(self, request, *arguments, **named):
        scheme, _, rest = request.url.partition("://")
        assert scheme == "https"
        request.url = f"{URL}/{rest.partition('/')[2]}"
        return super().send(request, *arguments, **named)


def begin(kind, terms):
    symbol, market, site, price, _ = terms
    at = int(price)
    hold_book(market, price, ((str(at - 10), "1000"),), ((str(at + 10), "1000"),), site)
    wallet = site.removeprefix("binance-")
    account = open_account(wallet=wallet, **({"USDT": "1000"} if wallet == "usdm" else {"BTC": "1"}))
    exchange = kind({"apiKey": account.key, "secret": account.secret, "enableRateLimit": False})
    exchange.session.mount("https://", Led())
    exchange.load_markets()
    return exchange, symbol


def check_addresses():
    for kind, terms in ((ccxt.binanceusdm, LINEAR), (ccxt.binancecoinm, INVERSE)):
        exchange, symbol = begin(kind, terms)
        assert exchange.urls["api"]["fapiPrivate"] == "https://fapi.binance.com/fapi/v1"
        assert exchange.fetch_order_book(symbol)["bids"]
        assert exchange.fetch_balance()["total"]


def refusals(kind, terms):
    """The class of each error by the name of what was done."""
    exchange, symbol = begin(kind, terms)
    _, market, _, price, usual = terms
    price, usual = float(price), float(usual)

    def failed(call, *arguments):
        try:
            call(*arguments)
        except ccxt.BaseError as error:
            return type(error).__name__, error.args[0].partition('"code":')[2].partition(",")[0]
        return None

    def order(*arguments):
        return failed(exchange.create_order, symbol, *arguments)

    def raw(**values):
        post = exchange.fapiPrivatePostOrder if kind is ccxt.binanceusdm else exchange.dapiPrivatePostOrder
        given = {"symbol": market, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": usual}
        return failed(post, {**given, "price": price, **values})

    found = {
        "margin": order("limit", "buy", usual * 2000, price * 0.99),
        "reduce only": order("market", "sell", usual, None, {"reduceOnly": True}),
        "post only": order("limit", "buy", usual, price * 1.01, {"postOnly": True}),
        "fill or kill": order("limit", "buy", usual, price * 0.99, {"timeInForce": "FOK"}),
        "at once": order("market", "buy", usual, None, {"triggerPrice": price * 0.9, "type": "swap"}),
        "leg": order("limit", "buy", usual, price * 0.99, {"positionSide": "LONG"}),
        "far": order("limit", "buy", usual, price * 1.9),
        "tick": raw(price="1000.0000001"),
        "no price": raw(price=""),
        "until": raw(timeInForce="GTD", goodTillDate=move_clock(step="0s")),
        "unknown symbol": raw(symbol="NOSUCHCOIN"),
        "unknown order": failed(exchange.cancel_order, "987654321", symbol),
        "nothing": failed(exchange.fetch_order, "987654321", symbol),
    }
    resting = exchange.create_order(symbol, "limit", "buy", usual, price * 0.99)
    edit = (resting["id"], symbol, "limit", "buy", usual, price * 0.99)
    return {**found, "unchanged": failed(exchange.edit_order, *edit)}


COMMON = {
    "margin": ("InsufficientFunds", "-2019"),
    "reduce only": ("InvalidOrder", "-2022"),
    "at once": ("OrderImmediatelyFillable", "-2021"),
    "leg": ("OperationRejected", "-4061"),
    "far": ("BadRequest", "-4016"),
    "tick": ("BadRequest", "-1111"),
    "no price": ("BadRequest", "-1105"),
    "unknown symbol": ("BadSymbol", "-1121"),
    "unknown order": ("OrderNotFound", "-2011"),
    "nothing": ("OrderNotFound", "-2013"),
}


def check_linear_errors():
    found = refusals(ccxt.binanceusdm, LINEAR)
    assert found == {
        **COMMON,
        "post only": ("OrderNotFillable", "-5022"),
        "fill or kill": ("OrderNotFillable", "-5021"),
        "until": ("BadRequest", "-5040"),
        "unchanged": ("OperationRejected", "-5027"),
    }


def check_inverse_errors():
    found = refusals(ccxt.binancecoinm, INVERSE)
    assert found == {
        **COMMON,
        # It knows no codes of COIN-M's for these.
        "post only": ("ExchangeError", "-5022"),
        "fill or kill": ("ExchangeError", "-5021"),
        "until": ("ExchangeError", "-5040"),
        "unchanged": ("OperationRejected", "-4197"),
    }


def check_conditional_order_at_the_endpoint_of_orders():
    exchange, _ = begin(ccxt.binanceusdm, LINEAR)
    stop = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "quantity": "0.01",
        "stopPrice": "90000",
    }
    error = raised(ccxt.InvalidOrder, exchange.fapiPrivatePostOrder, stop)
    assert '"code":-4120' in str(error)


run()
