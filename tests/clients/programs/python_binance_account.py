"""python-binance, synchronous: the account, its wallets, and money that comes and goes."""

import time

from binance.client import Client
from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import (
    DEMO_KEY,
    DEMO_SECRET,
    KEYS,
    TAKER_RATE,
    Account,
    D,
    control,
    deposit,
    hold_book,
    hold_price,
    open_account,
    raised,
    register,
    run,
)

SYMBOL = "LINKUSDT"


def begin(**funds):
    return client_of(open_account(**(funds or {"USDT": "1000"})))


def free(client, asset):
    return D(client.get_asset_balance(asset)["free"])


def check_demo_account():
    client = client_of(Account("demo", DEMO_KEY, DEMO_SECRET))
    shown = client.get_account()
    amounts = {each["asset"]: each["free"] for each in shown["balances"]}
    assert amounts["USDT"] == amounts["USDC"] == "1000000.00000000"
    assert (amounts["BTC"], amounts["ETH"], amounts["BNB"]) == (
        "100.00000000",
        "1000.00000000",
        "1000.00000000",
    )
    assert amounts["DOGE"] == "100000.00000000"
    assert (shown["canTrade"], shown["canWithdraw"], shown["canDeposit"]) == (True, True, True)
    assert (shown["accountType"], shown["makerCommission"], shown["takerCommission"]) == ("SPOT", 10, 10)
    assert shown["commissionRates"] == {
        "maker": "0.00100000",
        "taker": "0.00100000",
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }
    assert "SPOT" in shown["permissions"]
    assert isinstance(shown["uid"], int)


def check_balances():
    client = begin(USDT="1000", DOGE="7.5")
    assert client.get_asset_balance("DOGE") == {"asset": "DOGE", "free": "7.50000000", "locked": "0.00000000"}
    assert client.get_asset_balance("BTC") == {"asset": "BTC", "free": "0.00000000", "locked": "0.00000000"}
    assert client.get_asset_balance("NOSUCHCOIN") is None
    everything = client.get_account()["balances"]
    assert len(everything) > 20, "assets that the account has nothing of are listed too"
    some = client.get_account(omitZeroBalances="true")["balances"]
    assert {each["asset"] for each in some} == {"USDT", "DOGE"}
    owned = {each["asset"]: each for each in client.get_user_asset(needBtcValuation="true")}
    assert set(owned) == {"USDT", "DOGE"}
    assert D(owned["USDT"]["free"]) == 1000
    price = D(client.get_symbol_ticker(symbol="BTCUSDT")["price"])
    assert abs(D(owned["USDT"]["btcValuation"]) * price - 1000) < 20


def check_fees():
    client = begin()
    assert client.get_trade_fee(symbol="BNBBTC") == [
        {"symbol": "BNBBTC", "makerCommission": "0.001", "takerCommission": "0.001"}
    ]
    assert len(client.get_trade_fee()) == len(client.get_exchange_info()["symbols"])
    rates = client.v3_get_account_commission(symbol="BNBBTC")
    assert rates["standardCommission"] == {
        "maker": "0.00100000",
        "taker": "0.00100000",
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }
    assert rates["discount"]["discountAsset"] == "BNB"


def check_fees_in_bnb():
    hold_price("BNBUSDT", "600.00")
    hold_book(SYMBOL, "20.00", [("19.99", "500")], [("20.01", "500")])
    client = begin(USDT="1000", BNB="1")
    client.toggle_bnb_burn_spot_margin(spotBNBBurn="true")
    assert client.get_bnb_burn_spot_margin() == {"spotBNBBurn": True, "interestBNBBurn": False}
    (fill,) = client.order_market_buy(symbol=SYMBOL, quantity="10")["fills"]
    fee = D("200.10") * TAKER_RATE * D("0.75") / 600
    assert (fill["commissionAsset"], D(fill["commission"])) == (
        "BNB",
        fee.quantize(D("0.00000001"), "ROUND_DOWN"),
    )
    assert free(client, "BNB") == 1 - D(fill["commission"])
    assert free(client, "LINK") == 10
    client.toggle_bnb_burn_spot_margin(spotBNBBurn="false")
    (fill,) = client.order_market_buy(symbol=SYMBOL, quantity="10")["fills"]
    assert (fill["commissionAsset"], D(fill["commission"])) == ("LINK", D("0.01"))


def check_status():
    client = begin()
    assert client.get_account_status() == {"data": "Normal"}
    shown = client.get_account_api_trading_status()["data"]
    assert (shown["isLocked"], shown["plannedRecoverTime"]) == (False, 0)
    assert {"GCR", "IFER", "UFR"} == set(shown["triggerCondition"])
    rights = client.get_account_api_permissions()
    assert (
        rights["enableReading"] is rights["enableSpotAndMarginTrading"] is rights["enableWithdrawals"] is True
    )
    assert rights["ipRestrict"] is False
    reader = client_of(open_account(permissions=["read"]))
    rights = reader.get_account_api_permissions()
    assert (rights["enableReading"], rights["enableSpotAndMarginTrading"]) == (True, False)


def check_coins():
    client = begin(USDT="12.5")
    coins = {coin["coin"]: coin for coin in client.get_all_coins_info()}
    assert D(coins["USDT"]["free"]) == D("12.5")
    networks = {network["network"]: network for network in coins["USDT"]["networkList"]}
    assert {"ETH", "TRX"} <= set(networks)
    assert [network["isDefault"] for network in coins["USDT"]["networkList"]].count(True) == 1
    assert D(networks["TRX"]["withdrawFee"]) > 0
    details = client.get_asset_details()
    assert set(details["USDT"]) >= {"minWithdrawAmount", "depositStatus", "withdrawFee", "withdrawStatus"}
    assert client.get_spot_delist_schedule() == []
    assert client.get_dust_log() == {"total": 0, "userAssetDribblets": []}
    assert client.get_asset_dividend_history() == {"rows": [], "total": 0}


def check_deposits():
    account = open_account(USDT="5")
    client = client_of(account)
    deposit(account.name, "BTC", "0.25")
    history = client.get_deposit_history()
    assert [(each["coin"], D(each["amount"]), each["status"]) for each in history] == [
        ("BTC", D("0.25"), 1),
        ("USDT", D(5), 1),
    ]
    assert client.get_deposit_history(coin="BTC") == history[:1]
    assert abs(history[0]["insertTime"] - time.time() * 1000) < 5000
    address = client.get_deposit_address(coin="BTC")
    assert address["coin"] == "BTC"
    assert address["address"] == history[0]["address"] == client.get_deposit_address(coin="BTC")["address"]
    on_tron = client.get_deposit_address(coin="USDT", network="TRX")
    assert on_tron["address"].startswith("T")
    assert begin().get_deposit_address(coin="USDT", network="TRX")["address"] != on_tron["address"]


def check_withdrawals():
    client = begin(USDT="100")
    networks = {coin["coin"]: coin for coin in client.get_all_coins_info()}["USDT"]["networkList"]
    (tron,) = (network for network in networks if network["network"] == "TRX")
    address = client.get_deposit_address(coin="USDT", network="TRX")["address"]
    asked = {"coin": "USDT", "network": "TRX", "address": address, "withdrawOrderId": "mine"}
    made = client.withdraw(**asked, amount="40")
    assert list(made) == ["id"]
    assert free(client, "USDT") == 60
    (found,) = client.get_withdraw_history(coin="USDT")
    assert (found["id"], found["withdrawOrderId"], found["status"]) == (made["id"], "mine", 6)
    assert (found["address"], found["network"]) == (address, "TRX")
    assert D(found["amount"]) + D(found["transactionFee"]) == 40
    assert D(found["transactionFee"]) == D(tron["withdrawFee"])
    assert client.get_withdraw_history_id(made["id"]) == found

    error = raised(BinanceAPIException, client.withdraw, **asked, amount="61")
    assert (error.status_code, error.code) == (400, -4026)
    assert free(client, "USDT") == 60
    for change in ({"address": "nowhere"}, {"network": "MOON"}, {"coin": "NOSUCHCOIN"}, {"amount": "0.5"}):
        error = raised(BinanceAPIException, client.withdraw, **{**asked, "amount": "20", **change})
        assert error.status_code == 400, change
        assert error.code < -1000, change
    assert len(client.get_withdraw_history()) == 1


def check_transfers():
    client = begin(USDT="100")
    moved = client.make_universal_transfer(type="MAIN_FUNDING", asset="USDT", amount="30")
    client.make_universal_transfer(type="MAIN_UMFUTURE", asset="USDT", amount="20")
    back = client.universal_transfer(type="FUNDING_MAIN", asset="USDT", amount="1.5")
    assert back["tranId"] > moved["tranId"]
    assert free(client, "USDT") == D("51.5")
    assert [(each["asset"], D(each["free"])) for each in client.funding_wallet()] == [("USDT", D("28.5"))]
    history = client.query_universal_transfer_history(type="MAIN_FUNDING")
    assert history["total"] == 1
    (row,) = history["rows"]
    assert (row["tranId"], row["asset"], D(row["amount"]), row["status"]) == (
        moved["tranId"],
        "USDT",
        D(30),
        "CONFIRMED",
    )
    error = raised(
        BinanceAPIException, client.make_universal_transfer, type="MAIN_FUNDING", asset="USDT", amount="51.6"
    )
    assert (error.status_code, error.code) == (400, -5013)
    assert free(client, "USDT") == D("51.5")


def check_rsa_and_ed25519_keys():
    hold_book(SYMBOL, "20.00", [("19.99", "500")], [("20.01", "500")])
    for kind, other_kind in (("rsa", "ed25519"), ("ed25519", "rsa")):
        account = open_account(USDT="100")
        key = register(account.name, kind, KEYS[kind]["public"])
        client = Client(key, private_key=KEYS[kind]["private"], ping=False)
        placed = client.order_limit_buy(symbol=SYMBOL, quantity="1", price="19.00")
        assert placed["status"] == "NEW", kind
        assert client.get_open_orders(symbol=SYMBOL)[0]["orderId"] == placed["orderId"]
        assert client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "CANCELED"
        if kind == "rsa":  # the client takes every key of that length for one of this kind
            private, passphrase = KEYS[kind]["protected"], KEYS[kind]["passphrase"]
            protected = Client(key, private_key=private, private_key_pass=passphrase, ping=False)
            assert protected.get_order(symbol=SYMBOL, orderId=placed["orderId"])["status"] == "CANCELED"
        stranger = Client(key, private_key=KEYS[other_kind]["private"], ping=False)
        error = raised(BinanceAPIException, stranger.get_account)
        assert (error.status_code, error.code) == (400, -1022), kind


def check_microseconds():
    account = open_account(USDT="100")
    client = Client(account.key, account.secret, ping=False, time_unit="MICROSECOND")
    now = time.time() * 1_000_000
    assert abs(client.get_server_time()["serverTime"] - now) < 2_000_000
    placed = client.order_limit_buy(symbol=SYMBOL, quantity="1", price="19.00")
    assert abs(placed["transactTime"] - now) < 2_000_000
    assert client.get_klines(symbol=SYMBOL, interval="1m", limit=1)[0][0] % 60_000_000 == 0
    ordinary = client_of(account).get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert ordinary["time"] == placed["transactTime"] // 1000


def check_ledger_agrees():
    account = open_account(USDT="100", LINK="3")
    shown = control("GET", f"accounts/{account.name}")["exchanges"]["binance"]["spot"]
    assert {asset: D(held["free"]) for asset, held in shown.items()} == {"USDT": D(100), "LINK": D(3)}


run()
