"""ccxt, synchronous: money that comes, goes and moves."""

import ccxt
from ccxt_setup import config_of
from stage import DEMO_KEY, DEMO_SECRET, Account, D, deposit, open_account, raised, run

_loaded = ccxt.binance(config_of(Account("demo", DEMO_KEY, DEMO_SECRET)))
_loaded.load_markets()


def begin(account):
    exchange = ccxt.binance(config_of(account))
    exchange.set_markets(_loaded.markets, _loaded.currencies)
    return exchange


def check_deposits():
    account = open_account(USDT="100")
    exchange = begin(account)
    deposit(account.name, "BTC", "0.5")
    address = exchange.fetch_deposit_address("USDT", {"network": "TRC20"})
    assert address["currency"] == "USDT"
    assert address["address"].startswith("T")
    deposits = {each["currency"]: each for each in exchange.fetch_deposits()}
    assert set(deposits) == {"USDT", "BTC"}
    assert (deposits["BTC"]["amount"], deposits["BTC"]["status"], deposits["BTC"]["type"]) == (
        0.5,
        "ok",
        "deposit",
    )
    assert abs(deposits["BTC"]["timestamp"] - exchange.milliseconds()) < 5000
    assert [each["id"] for each in exchange.fetch_deposits("BTC")] == [deposits["BTC"]["id"]]


def check_withdrawals():
    exchange = begin(open_account(USDT="100"))
    fee = exchange.currencies["USDT"]["networks"]["TRC20"]["fee"]
    address = exchange.fetch_deposit_address("USDT", {"network": "TRC20"})["address"]
    made = exchange.withdraw("USDT", 40, address, {"network": "TRC20"})
    assert exchange.fetch_balance()["USDT"]["total"] == 60.0
    (found,) = exchange.fetch_withdrawals("USDT")
    assert (found["id"], found["status"], found["type"]) == (made["id"], "ok", "withdrawal")
    assert (found["currency"], found["network"], found["address"]) == ("USDT", "TRC20", address)
    assert D(str(found["amount"])) == 40 - D(str(fee))
    assert found["fee"]["cost"] == fee
    # ccxt has finer classes for these two codes, but only on the real https addresses.
    error = raised(ccxt.BadRequest, exchange.withdraw, "USDT", 61, address, {"network": "TRC20"})
    assert '"code":-4026' in str(error)
    assert exchange.fetch_balance()["USDT"]["total"] == 60.0


def check_transfers():
    exchange = begin(open_account(USDT="100"))
    moved = exchange.transfer("USDT", 30, "spot", "funding")
    assert exchange.fetch_balance()["USDT"]["total"] == 70.0
    assert exchange.fetch_balance({"type": "funding"})["USDT"]["total"] == 30.0
    (found,) = exchange.fetch_transfers("USDT", None, None, {"fromAccount": "spot", "toAccount": "funding"})
    assert (found["id"], found["amount"], found["status"]) == (moved["id"], 30.0, "ok")
    exchange.transfer("USDT", 10, "funding", "spot")
    exchange.transfer("USDT", 5, "spot", "swap")
    assert exchange.fetch_balance()["USDT"]["total"] == 75.0
    error = raised(ccxt.ExchangeError, exchange.transfer, "USDT", 76, "spot", "funding")
    assert '"code":-5013' in str(error)


def check_fees_of_withdrawals():
    exchange = begin(open_account(USDT="1"))
    fees = exchange.fetch_deposit_withdraw_fees(["USDT", "BTC"])
    assert set(fees) == {"USDT", "BTC"}
    tron = exchange.currencies["USDT"]["networks"]["TRC20"]["fee"]
    assert fees["USDT"]["networks"]["TRC20"]["withdraw"]["fee"] == tron


run()
