"""How the usual clients are pointed here: code that can be pasted as it is."""

from __future__ import annotations


def snippets(url: str, *, key: str, secret: str) -> list[tuple[str, str]]:
    """Name and code, client by client. url: where all sites are served, by path."""
    return [
        (
            "pybit",
            f"""\
from pybit.unified_trading import HTTP
session = HTTP(api_key="{key}", api_secret="{secret}")
session.endpoint = "{url}"
order = {{"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}}
print(session.place_order(**order))""",
        ),
        (
            "ccxt, Bybit",
            f"""\
import ccxt
api = dict.fromkeys(("spot", "futures", "v2", "public", "private"), "{url}")
exchange = ccxt.bybit({{"apiKey": "{key}", "secret": "{secret}", "urls": {{"api": api}}}})
exchange.create_order("BTC/USDT:USDT", "market", "buy", 0.01)
print(exchange.fetch_position("BTC/USDT:USDT")["side"])""",
        ),
        (
            "bybit-api, for Node",
            f"""\
import {{ RestClientV5 }} from "bybit-api";
const client = new RestClientV5({{ key: "{key}", secret: "{secret}", baseUrl: "{url}" }});
const order = {{ category: "linear", symbol: "BTCUSDT", side: "Buy", orderType: "Market", qty: "0.01" }};
console.log(await client.submitOrder(order));""",
        ),
    ]
