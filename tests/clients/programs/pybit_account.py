"""pybit's questions of a whole account: positions, the wallet, transfers and what became of the money."""

from uuid import uuid4

from bybit_markets import LINEAR, hold_markets, move
from pybit.exceptions import InvalidRequestError
from pybit_setup import session_of
from stage import D, move_clock, open_account, raised, run

CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
FIGURES = ("walletBalance", "locked", "totalOrderIM", "totalPositionIM", "totalPositionMM", "borrowAmount")


def begin(usdt="10000", leverage="10"):
    hold_markets()
    session = session_of(open_account(wallet="unified", USDT=usdt))
    if leverage != "10":
        session.set_leverage(**CONTRACT, buyLeverage=leverage, sellLeverage=leverage)
    return session


def trade(session, side, qty, **terms):
    return session.place_order(**CONTRACT, side=side, orderType="Market", qty=qty, **terms)


def wallet(session):
    (shown,) = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
    return shown


def check_key():
    key = begin().get_api_key_information()["result"]
    assert (key["readOnly"], key["uta"], key["unified"]) == (0, 1, 0)
    assert "SpotTrade" in key["permissions"]["Spot"]


def check_wallet():
    session = begin()
    (coin,) = wallet(session)["coin"]
    assert all(D(coin[name]) >= 0 for name in FIGURES), "clients read them as numbers: never an empty text"
    assert (coin["coin"], D(coin["walletBalance"]), coin["locked"]) == ("USDT", D(10000), "0")
    session.place_order(
        category="spot", symbol="BTCUSDT", side="Buy", orderType="Limit", qty="0.01", price="99000"
    )
    (coin,) = wallet(session)["coin"]
    assert D(coin["locked"]) == 990
    session.place_order(**CONTRACT, side="Buy", orderType="Limit", qty="0.01", price="99000")
    shown = wallet(session)
    # 990 / 10, and 0.055 % for closing it where nothing of that is left, at nine tenths.
    needed = D("99.49005")
    assert (D(shown["coin"][0]["totalOrderIM"]), D(shown["totalInitialMargin"])) == (needed, needed)
    assert D(shown["totalEquity"]) == 10000


def check_position():
    session = begin()
    trade(session, "Buy", "0.1")
    move(LINEAR, "101000")
    (held,) = session.get_positions(category="linear", settleCoin="USDT")["result"]["list"]
    assert [D(held[name]) for name in ("avgPrice", "markPrice", "unrealisedPnl", "positionIM")] == [
        100010,
        101000,
        99,
        # 10100 / 10, and 0.055 % of 9090.
        D("1014.9995"),
    ]
    assert D(wallet(session)["totalPerpUPL"]) == 99
    trade(session, "Sell", "0.1", reduceOnly=True)
    assert session.get_positions(category="linear", settleCoin="USDT")["result"]["list"] == []
    (flat,) = session.get_positions(**CONTRACT)["result"]["list"]
    assert (flat["size"], flat["side"]) == ("0", ""), "asked for by its symbol it is shown when flat"


def check_closed_profit():
    session = begin()
    trade(session, "Buy", "0.1")
    trade(session, "Sell", "0.1")
    (closed,) = session.get_closed_pnl(category="linear")["result"]["list"]
    assert (closed["side"], D(closed["closedSize"])) == ("Sell", D("0.1"))
    # (99990 - 100010) * 0.1, less 10001 * 0.00055 and 9999 * 0.00055
    assert D(closed["closedPnl"]) == D("-2") - D("5.50055") - D("5.49945")
    assert D(wallet(session)["coin"][0]["walletBalance"]) == D("9987")


def check_log_of_transactions():
    session = begin()
    trade(session, "Buy", "0.1")
    log = session.get_transaction_log(accountType="UNIFIED", category="linear")["result"]["list"]
    (traded,) = [each for each in log if each["type"] == "TRADE"]
    assert (D(traded["fee"]), D(traded["change"])) == (D("5.50055"), D("-5.50055"))
    assert D(traded["cashBalance"]) == D("9994.49945")


def check_funding():
    session = begin()
    trade(session, "Sell", "0.1")
    now = move_clock(step="0s")
    due = (now // 28_800_000 + 1) * 28_800_000
    move_clock(time=due + 1000)
    (paid,) = session.get_executions(category="linear", execType="Funding")["result"]["list"]
    (rate,) = session.get_funding_rate_history(**CONTRACT, limit=1)["result"]["list"]
    assert (D(paid["feeRate"]), D(paid["execQty"])) == (D(rate["fundingRate"]), D("0.1"))
    # Who is short gets what the rate is worth.
    assert D(paid["execFee"]) == -D("0.1") * 100_000 * D(rate["fundingRate"])
    log = session.get_transaction_log(accountType="UNIFIED", type="SETTLEMENT")["result"]["list"]
    assert [D(each["funding"]) for each in log] == [-D(paid["execFee"])]


def check_settings():
    session = begin()
    session.set_leverage(**CONTRACT, buyLeverage="25", sellLeverage="25")
    assert session.get_positions(**CONTRACT)["result"]["list"][0]["leverage"] == "25"
    error = raised(InvalidRequestError, session.set_leverage, **CONTRACT, buyLeverage="25", sellLeverage="25")
    assert error.status_code == 110043
    error = raised(
        InvalidRequestError, session.set_leverage, **CONTRACT, buyLeverage="200", sellLeverage="200"
    )
    assert error.status_code == 110013
    session.switch_position_mode(category="linear", symbol="BTCUSDT", mode=3)
    error = raised(
        InvalidRequestError, session.switch_position_mode, category="linear", symbol="BTCUSDT", mode=3
    )
    assert error.status_code == 110025
    assert session.switch_position_mode(category="linear", coin="USDT", mode=0)["retCode"] == 0
    assert session.set_margin_mode(setMarginMode="ISOLATED_MARGIN")["result"] == {"reasons": []}
    account = session.get_account_info()["result"]
    assert (account["marginMode"], account["unifiedMarginStatus"]) == ("ISOLATED_MARGIN", 6)
    error = raised(
        InvalidRequestError,
        session.switch_margin_mode,
        **CONTRACT,
        tradeMode=1,
        buyLeverage="5",
        sellLeverage="5",
    )
    assert error.status_code == 100028


def check_isolated_margin():
    session = begin()
    session.set_margin_mode(setMarginMode="ISOLATED_MARGIN")
    trade(session, "Buy", "0.1")
    added = session.add_or_reduce_margin(**CONTRACT, margin="100")["result"]
    # 10001 / 10 + 100, and 0.055 % of 9000.9 for closing
    (held,) = session.get_positions(**CONTRACT)["result"]["list"]
    assert D(held["positionBalance"]) == D("1105.050495")
    assert D(added["liqPrice"]) == D(held["liqPrice"]) < 100010
    assert wallet(session)["totalInitialMargin"] == "", "isolated positions have no margin together"


def check_fees_and_collateral():
    session = begin()
    (fees,) = session.get_fee_rates(category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (D(fees["takerFeeRate"]), D(fees["makerFeeRate"])) == (D("0.00055"), D("0.0002"))
    (coin,) = session.get_collateral_info(currency="BTC")["result"]["list"]
    assert 0 < D(coin["collateralRatio"]) <= 1
    session.set_collateral_coin(coin="BTC", collateralSwitch="OFF")
    (coin,) = session.get_collateral_info(currency="BTC")["result"]["list"]
    assert (coin["collateralSwitch"], coin["marginCollateral"]) == (False, True)


def check_transfers():
    session = begin()
    number = str(uuid4())
    moved = session.create_internal_transfer(
        transferId=number, coin="USDT", amount="250", fromAccountType="UNIFIED", toAccountType="FUND"
    )["result"]
    assert (moved["transferId"], moved["status"]) == (number, "SUCCESS")
    assert D(wallet(session)["coin"][0]["walletBalance"]) == 9750
    there = session.get_coin_balance(accountType="FUND", coin="USDT")["result"]["balance"]
    assert D(there["walletBalance"]) == 250
    (record,) = session.get_internal_transfer_records(coin="USDT")["result"]["list"]
    assert (record["transferId"], D(record["amount"]), record["status"]) == (number, D(250), "SUCCESS")
    (coin,) = session.get_coin_info(coin="USDT")["result"]["rows"]
    assert coin["chains"]


def check_disconnected():
    session = begin()
    assert session.set_dcp(product="DERIVATIVES", timeWindow=40)["retCode"] == 0
    shown = session.query_dcp_info()["result"]["dcpInfos"]
    assert {each["product"]: each["timeWindow"] for each in shown}["DERIVATIVES"] == "40"


run()
