"""python-binance, synchronous: histories of contracts as files, the older way of moving funds to them, and
conversions of these.

The clock stands still and the market is held, so every figure can be reckoned by hand.
"""

import csv
import io
import time
import urllib.request
import zipfile

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import D, hold_book, move_clock, open_account, raised, run

SITE = "binance-usdm"
SYMBOL = "BTCUSDT"
COIN_SITE = "binance-coinm"
COIN_SYMBOL = "BTCUSD_PERP"
WITHIN_S = 10
DAY_MS = 86_400_000


def begin(symbol, site, wallet, **funds):
    hold_book(symbol, "100000", (("99990", "1000"),), (("100010", "1000"),), site)
    return client_of(open_account(wallet=wallet, **funds))


def table(ask, link_of):
    """The rows of a file of today, by the names of their columns."""
    now = move_clock(step="0s")
    asked = ask(startTime=now - DAY_MS, endTime=now)
    until = time.monotonic() + WITHIN_S
    while (link := link_of(downloadId=asked["downloadId"]))["status"] != "completed":
        assert time.monotonic() < until, link
    assert link["isExpired"] is None
    assert link["expirationTimestamp"] == now + 7 * DAY_MS
    with urllib.request.urlopen(link["url"], timeout=WITHIN_S) as reply:
        file = zipfile.ZipFile(io.BytesIO(reply.read()))
    (name,) = file.namelist()
    return list(csv.DictReader(io.StringIO(file.read(name).decode())))


def check_files_of_usdm():
    client = begin(SYMBOL, SITE, "usdm", USDT="10000")
    order = {"symbol": SYMBOL, "type": "MARKET", "quantity": "0.1"}
    bought = client.futures_create_order(**order, side="BUY")
    sold = client.futures_create_order(**order, side="SELL")
    orders = table(client.futures_v1_get_order_asyn, client.futures_v1_get_order_asyn_id)
    assert [each["Order No"] for each in orders] == [str(bought["orderId"]), str(sold["orderId"])]
    assert {each["Status"] for each in orders} == {"FILLED"}
    trades = table(client.futures_v1_get_trade_asyn, client.futures_v1_get_trade_asyn_id)
    assert [each["Realized Profit"] for each in trades] == ["0", "-2"]  # 0.1 x (99,990 - 100,010)
    incomes = table(client.futures_v1_get_income_asyn, client.futures_v1_get_income_asyn_id)
    (usdt,) = (each for each in client.futures_account_balance() if each["asset"] == "USDT")
    assert sum(D(each["Amount"]) for each in incomes) == D(usdt["balance"])


def check_files_of_coinm():
    client = begin(COIN_SYMBOL, COIN_SITE, "coinm", BTC="1")
    client.futures_coin_create_order(symbol=COIN_SYMBOL, side="BUY", type="MARKET", quantity="5")
    (order,) = table(
        client.futures_coin_account_order_history_download,
        client.futures_coin_accout_order_history_download_link,
    )
    assert (order["Symbol"], order["Executed Amount"], order["Average Price"]) == (COIN_SYMBOL, "5", "100010")
    (trade,) = table(
        client.futures_coin_account_trade_history_download,
        client.futures_coin_account_trade_history_download_link,
    )
    assert trade["Amount"] == "500"
    incomes = table(client.futures_coin_v1_get_income_asyn, client.futures_coin_v1_get_income_asyn_id)
    assert [each["type"] for each in incomes] == ["TRANSFER", "COMMISSION"]


def check_files_refused():
    client = begin(SYMBOL, SITE, "usdm", USDT="10000")
    now = move_clock(step="0s")
    error = raised(
        BinanceAPIException, client.futures_v1_get_order_asyn, startTime=now - 366 * DAY_MS, endTime=now
    )
    assert (error.code, error.message) == (-4165, "Maximum time interval is 365 days")
    error = raised(BinanceAPIException, client.futures_v1_get_order_asyn_id, downloadId="1")
    assert error.code == -1130


def check_conversion():
    client = begin(SYMBOL, SITE, "usdm", USDT="10000", BTC="0.1")
    wanted = {"fromAsset": "BTC", "toAsset": "USDT", "toAmount": "4995"}
    quote = client.futures_v1_post_convert_get_quote(**wanted)
    # Of the bitcoin's 100,000 the market keeps a thousandth.
    assert (quote["fromAmount"], quote["ratio"]) == ("0.05", "99900")
    accepted = client.futures_v1_post_convert_accept_quote(quoteId=quote["quoteId"])
    state = client.futures_v1_get_convert_order_status(orderId=accepted["orderId"])
    assert state == client.futures_v1_get_convert_order_status(quoteId=quote["quoteId"])
    assert (state["fromAmount"], state["toAmount"]) == ("0.05", "4995")
    balances = {each["asset"]: D(each["balance"]) for each in client.futures_account_balance()}
    assert (balances["USDT"], balances["BTC"]) == (14995, D("0.05"))
    out, into = client.futures_income_history()[-2:]
    assert (out["incomeType"], out["asset"], D(out["income"])) == ("COIN_SWAP_WITHDRAW", "BTC", D("-0.05"))
    assert (into["incomeType"], into["asset"], D(into["income"])) == ("COIN_SWAP_DEPOSIT", "USDT", 4995)
    late = client.futures_v1_post_convert_get_quote(**wanted)
    move_clock(step="10s")
    error = raised(BinanceAPIException, client.futures_v1_post_convert_accept_quote, quoteId=late["quoteId"])
    assert error.code == 345231


def check_older_transfers():
    client = begin(SYMBOL, SITE, "spot", USDT="100", BTC="1")
    now = move_clock(step="0s")
    there = client.futures_account_transfer(asset="USDT", amount="60", type=1)
    back = client.futures_account_transfer(asset="USDT", amount="10", type=2)
    client.futures_account_transfer(asset="BTC", amount="0.5", type=3)
    history = client.transfer_history(asset="USDT", startTime=now)
    assert history["total"] == 2
    assert [(each["tranId"], each["type"], each["amount"]) for each in history["rows"]] == [
        (back["tranId"], "2", "10"),
        (there["tranId"], "1", "60"),
    ]
    (usdt,) = (each for each in client.futures_account_balance() if each["asset"] == "USDT")
    assert D(usdt["balance"]) == 50
    (btc,) = (each for each in client.futures_coin_account_balance() if each["asset"] == "BTC")
    assert D(btc["balance"]) == D("0.5")
    error = raised(BinanceAPIException, client.futures_account_transfer, asset="USDT", amount="50.1", type=2)
    assert error.code == -5013


run()
