"""ccxt's bybit, synchronous: balances, settings, margin, funding and what became of the money."""

import ccxt
from bybit_markets import LINEAR, move
from ccxt_bybit_setup import COIN, PAIR, SWAP, begin, near
from stage import D, move_clock, raised, run


def check_balance():
    exchange = begin(funds={"USDT": "10000"})
    exchange.create_order(PAIR, "limit", "buy", 0.01, 99000)
    balance = exchange.fetch_balance()["USDT"]
    assert (balance["total"], balance["free"]) == (10000.0, 9010.0)
    exchange.create_order(SWAP, "market", "buy", 0.01)
    balance = exchange.fetch_balance()["USDT"]
    # 1000.1 * 0.00055 paid, and put up: 1000 / 10, and for closing at its ruin 900 * 0.00055
    assert near(balance["total"], D(10000) - D("0.550055"))
    assert near(balance["free"], D(10000) - D("0.550055") - 990 - 100 - D("0.495"))


def check_wallets():
    exchange = begin(funds={"USDT": "1000"})
    moved = exchange.transfer("USDT", 250, "unified", "funding")
    assert (moved["amount"], moved["status"]) == (250.0, "ok")
    assert exchange.fetch_balance({"type": "funding"})["USDT"]["total"] == 250.0
    assert exchange.fetch_balance()["USDT"]["total"] == 750.0
    (shown,) = exchange.fetch_transfers("USDT")
    assert (shown["id"], shown["amount"]) == (moved["id"], 250.0)
    assert exchange.fetch_currencies()["BTC"]["active"] is not False


def check_settings():
    exchange = begin()
    exchange.set_leverage(25, SWAP)
    assert exchange.fetch_leverage(SWAP)["longLeverage"] == 25
    raised(ccxt.BadRequest, exchange.set_leverage, 25, SWAP)
    exchange.set_margin_mode("isolated", None)
    exchange.set_margin_mode("cross", None)
    fee = exchange.fetch_trading_fee(SWAP)
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.00055)
    assert exchange.fetch_trading_fees()[SWAP]["taker"] == 0.00055


def check_isolated_margin():
    exchange = begin()
    exchange.set_margin_mode("isolated", None)
    exchange.create_order(SWAP, "market", "buy", 0.1)
    (held,) = exchange.fetch_positions([SWAP])
    before = held["liquidationPrice"]
    # Nothing is left where it is worth 9000.9, and 0.005 of its worth are kept: 9000.9 / (0.1 * (1 - 0.005)).
    assert before == 90461.31
    margin = {"category": "linear", "symbol": "BTCUSDT"}
    exchange.privatePostV5PositionAddMargin({**margin, "margin": "100"})
    (held,) = exchange.fetch_positions([SWAP])
    assert held["liquidationPrice"] < before - 1000
    exchange.privatePostV5PositionAddMargin({**margin, "margin": "-50"})
    (held,) = exchange.fetch_positions([SWAP])
    assert before - 600 < held["liquidationPrice"] < before - 400


def check_position_and_its_history():
    exchange = begin(funds={"USDT": "10000"})
    exchange.create_order(SWAP, "market", "buy", 0.1)
    move(LINEAR, "101000")
    held = exchange.fetch_position(SWAP)
    assert (held["side"], held["contracts"], held["unrealizedPnl"]) == ("long", 0.1, 99.0)
    exchange.create_order(SWAP, "limit", "sell", 0.1, 100000, {"reduceOnly": True})
    (closed,) = exchange.fetch_positions_history([SWAP])
    profit = D(closed["info"]["closedPnl"])
    ledger = exchange.fetch_ledger("USDT")
    traded = [entry for entry in ledger if entry["type"] == "trade"]
    assert sum(D(entry["info"]["change"]) for entry in traded) == profit
    balance = exchange.fetch_balance()["USDT"]["total"]
    assert near(balance, 10000 + profit)


def check_funding():
    exchange = begin()
    exchange.create_order(SWAP, "market", "sell", 0.1)
    due = exchange.fetch_funding_rate(SWAP)["fundingTimestamp"]
    move_clock(time=due + 1000)
    (got,) = exchange.fetch_funding_history(SWAP)
    rate = exchange.fetch_funding_rate_history(SWAP, limit=1)[0]
    assert (got["code"], rate["timestamp"]) == ("USDT", due)
    # It shows what execution/list has: what is paid is positive ("Get Trade History", execFee).
    assert near(got["amount"], D("-0.1") * 100_000 * D(str(rate["fundingRate"])))


def check_borrowing():
    exchange = begin(funds={"BTC": "1"})
    exchange.borrow_cross_margin("USDT", 500)
    assert exchange.fetch_balance()["USDT"]["debt"] == 500.0
    exchange.repay_cross_margin("USDT", 500)
    assert "USDT" not in exchange.fetch_balance()
    assert exchange.fetch_cross_borrow_rate("USDT")["rate"] > 0


def check_coming_and_leaving():
    exchange = begin(funds={"USDT": "1000"})
    assert exchange.fetch_deposit_address("USDT", {"network": "ERC20"})["address"].startswith("0x")
    exchange.transfer("USDT", 100, "unified", "funding")
    to = "0x" + "1" * 40
    gone = exchange.withdraw("USDT", 50, to, params={"network": "ERC20", "accountType": "FUND"})
    (shown,) = exchange.fetch_withdrawals("USDT")
    assert (shown["id"], shown["amount"], shown["addressTo"]) == (gone["id"], 50.0, to)


def check_inverse_balance():
    exchange = begin(funds={"BTC": "1"})
    exchange.create_order(COIN, "market", "buy", 10000)
    assert near(exchange.fetch_balance()["BTC"]["total"], 1 - round(D(10000) / 100010 * D("0.00055"), 8))


run()
