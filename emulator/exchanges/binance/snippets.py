"""How the usual clients are pointed here: code that can be pasted as it is."""

from __future__ import annotations


def snippets(url: str, *, key: str, secret: str) -> list[tuple[str, str]]:
    """Name and code, client by client. url: where all sites are served, by path."""
    return [
        (
            "python-binance",
            f"""\
from binance.client import Client
Client.API_URL, Client.MARGIN_API_URL = "{url}/api", "{url}/sapi"
Client.FUTURES_URL, Client.FUTURES_COIN_URL = "{url}/fapi", "{url}/dapi"
client = Client("{key}", "{secret}")
print(client.order_market_buy(symbol="BTCUSDT", quantity="0.01"))
print(client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01"))""",
        ),
        (
            "ccxt",
            f"""\
import ccxt
exchange = ccxt.binance({{"apiKey": "{key}", "secret": "{secret}", "urls": {{"api": {{
    "public": "{url}/api/v3", "private": "{url}/api/v3", "sapi": "{url}/sapi/v1",
    "fapiPublic": "{url}/fapi/v1", "dapiPublic": "{url}/dapi/v1"}}}}}})
print(exchange.create_order("BTC/USDT", "market", "buy", 0.01)["status"])""",
        ),
        (
            "ccxt, futures",
            f"""\
import ccxt
exchange = ccxt.binanceusdm({{"apiKey": "{key}", "secret": "{secret}", "urls": {{"api": {{
    "sapi": "{url}/sapi/v1", "fapiPublic": "{url}/fapi/v1", "fapiPrivate": "{url}/fapi/v1",
    "fapiPrivateV2": "{url}/fapi/v2", "fapiPrivateV3": "{url}/fapi/v3"}}}}}})
print(exchange.create_order("BTC/USDT:USDT", "market", "buy", 0.01)["status"])""",
        ),
        (
            "binance-sdk-spot",
            f"""\
from binance_sdk_spot.spot import ConfigurationRestAPI, Spot
client = Spot(config_rest_api=ConfigurationRestAPI(
    api_key="{key}", api_secret="{secret}", base_path="{url}"))
print(client.rest_api.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01).data())""",
        ),
        (
            "curl",
            f"""\
ORDER="symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&timestamp=$(date +%s000)"
SIGNATURE=$(printf %s "$ORDER" | openssl dgst -sha256 -hmac {secret} | sed 's/.* //')
curl -X POST -H "X-MBX-APIKEY: {key}" "{url}/api/v3/order?$ORDER&signature=$SIGNATURE\"""",
        ),
    ]
