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
print(session.get_api_key_information()["result"]["permissions"])""",
        ),
        (
            "ccxt, Bybit",
            f"""\
import ccxt
api = dict.fromkeys(("spot", "futures", "v2", "public", "private"), "{url}")
exchange = ccxt.bybit({{"apiKey": "{key}", "secret": "{secret}", "urls": {{"api": api}}}})
print(exchange.fetch_time())""",
        ),
        (
            "bybit-api, for Node",
            f"""\
import {{ RestClientV5 }} from "bybit-api";
const client = new RestClientV5({{ key: "{key}", secret: "{secret}", baseUrl: "{url}" }});
console.log((await client.getQueryApiKey()).result.permissions);""",
        ),
    ]
