"""python-binance pointed at the emulator as its users do it: class attributes, before any client is made."""

from binance.base_client import BaseClient
from binance.client import Client
from stage import URL

BaseClient.API_URL = f"{URL}/api"
BaseClient.MARGIN_API_URL = f"{URL}/sapi"
BaseClient.FUTURES_URL = f"{URL}/fapi"
BaseClient.FUTURES_COIN_URL = f"{URL}/dapi"
BaseClient.WEBSITE_URL = URL


def client_of(account, **options):
    return Client(account.key, account.secret, ping=False, **options)
