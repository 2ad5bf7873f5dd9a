"""pybit's private socket: what it is told agrees with what REST then says."""

from contextlib import contextmanager

from bybit_markets import LINEAR, hold_markets, move
from pybit_setup import Heard, listening, session_of
from stage import D, deposit, open_account, run

CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
PAIR = {"category": "spot", "symbol": "BTCUSDT"}
TOPICS = ("order", "execution", "position", "wallet")


class Told:
    """An account and its socket, with what came of each topic."""

    def __init__(self, account, socket):
        self.session = session_of(account)
        self.account = account
        for topic in TOPICS:
            setattr(self, topic, Heard())
            getattr(socket, f"{topic}_stream")(getattr(self, topic))
        # Whoever gives it something is told of when all topics are there: they begin in this order.
        deposit(account.name, "USDT", "1000", "unified")
        self.wallet.next()

    def place(self, market, side, qty, price=None, **terms):
        kind = {"orderType": "Market"} if price is None else {"orderType": "Limit", "price": price}
        return self.session.place_order(**market, side=side, qty=qty, **kind, **terms)["result"]["orderId"]

    def next_order(self, number, status):
        """What it is told of the order when that comes to the status."""

        def found(message):
            named = [each for each in message["data"] if each["orderId"] == number]
            return next((each for each in named if each["orderStatus"] == status), None)

        return found(self.order.until(found))


@contextmanager
def begin():
    hold_markets()
    account = open_account(wallet="unified", USDT="10000")
    with listening("private", account) as socket:
        yield Told(account, socket)


def same(told, shown, but=()):
    """What both say; the socket tells of a little more."""
    return {
        name: (told[name], shown[name]) for name in shown if name not in but and told[name] != shown[name]
    }


def check_order_and_execution():
    with begin() as told:
        for market in (CONTRACT, PAIR):
            number = told.place(market, "Buy", "0.01", "99000", orderLinkId="mine")
            new = told.next_order(number, "New")
            (shown,) = told.session.get_open_orders(**market, orderId=number)["result"]["list"]
            assert same(new, shown) == {}
            assert (new["category"], new["orderLinkId"]) == (market["category"], "mine")
            assert ("tpslMode" in new) is (market is CONTRACT), (
                "by this key clients tell contracts from pairs"
            )
            told.session.cancel_order(**market, orderId=number)
            gone = told.next_order(number, "Cancelled")
            assert gone["cancelType"] == "CancelByUser"
        number = told.place(CONTRACT, "Buy", "0.1")
        filled = told.next_order(number, "Filled")
        (shown,) = told.session.get_order_history(**CONTRACT, orderId=number)["result"]["list"]
        assert same(filled, shown) == {}
        (traded,) = told.execution.next()["data"]
        (shown,) = told.session.get_executions(**CONTRACT, orderId=number)["result"]["list"]
        assert same(traded, shown) == {}
        assert (D(traded["execFee"]), traded["isMaker"]) == (D("5.50055"), False)


def check_position():
    with begin() as told:
        told.place(CONTRACT, "Buy", "0.1")
        message = told.position.until(lambda told: told["data"][0]["size"] == "0.1")
        (held,) = message["data"]
        (shown,) = told.session.get_positions(**CONTRACT)["result"]["list"]
        # The stream has its own name for the average ("Position", entryPrice).
        assert same(held, shown, but=("avgPrice", "seq")) == {}
        assert "avgPrice" not in held
        assert (held["entryPrice"], held["side"]) == (shown["avgPrice"], "Buy")
        told.place(CONTRACT, "Sell", "0.1", reduceOnly=True)
        message = told.position.until(lambda told: told["data"][0]["size"] == "0")
        assert message["data"][0]["side"] == ""


def check_wallet():
    with begin() as told:
        told.place(CONTRACT, "Buy", "0.1")
        # 11000 less 10001 * 0.00055
        paid = told.wallet.until(lambda told: D(told["data"][0]["coin"][0]["walletBalance"]) < 11000)
        (account,) = paid["data"]
        (coin,) = account["coin"]
        assert (coin["coin"], D(coin["walletBalance"])) == ("USDT", D("10994.49945"))
        (shown,) = told.session.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
        assert same(account, shown, but=("coin",)) == {}
        assert same(coin, shown["coin"][0]) == {}
        assert all(D(coin[name]) >= 0 for name in ("locked", "totalOrderIM", "totalPositionIM"))


def check_stops():
    with begin() as told:
        told.place(CONTRACT, "Buy", "0.01", takeProfit="103000", stopLoss="99000")
        waiting = {}
        while len(waiting) < 2:
            for order in told.order.next()["data"]:
                if order["stopOrderType"]:
                    waiting[order["stopOrderType"]] = order
        assert {name: order["orderStatus"] for name, order in waiting.items()} == {
            "TakeProfit": "Untriggered",
            "StopLoss": "Untriggered",
        }
        move(LINEAR, "99000")
        told.next_order(waiting["StopLoss"]["orderId"], "Filled")
        (traded,) = told.execution.until(lambda told: told["data"][0]["side"] == "Sell")["data"]
        assert (traded["orderId"], traded["stopOrderType"]) == (waiting["StopLoss"]["orderId"], "StopLoss")


def check_liquidation():
    """What is left is taken over at the price at which the margin is gone, and told as such."""
    with begin() as told:
        told.session.set_margin_mode(setMarginMode="ISOLATED_MARGIN")
        told.session.set_leverage(**CONTRACT, buyLeverage="100", sellLeverage="100")
        told.place(CONTRACT, "Buy", "0.1")
        told.position.until(lambda told: told["data"][0]["size"] == "0.1")
        move(LINEAR, "99000")
        lost = told.execution.until(lambda told: told["data"][0]["execType"] == "BustTrade")["data"]
        assert sum(D(each["execQty"]) for each in lost) == D("0.1")
        flat = told.position.until(lambda told: told["data"][0]["size"] == "0")["data"][0]
        assert flat["side"] == ""
        (shown,) = told.session.get_closed_pnl(category="linear")["result"]["list"]
        assert (shown["execType"], D(shown["closedPnl"]) < 0) == ("BustTrade", True)
        log = told.session.get_transaction_log(accountType="UNIFIED", type="LIQUIDATION")["result"]["list"]
        assert {each["symbol"] for each in log} == {"BTCUSDT"}


def check_orders_of_others():
    with begin() as told:
        other = session_of(open_account(wallet="unified", USDT="10000"))
        number = told.place(CONTRACT, "Sell", "0.01", "100000")
        told.next_order(number, "New")
        other.place_order(**CONTRACT, side="Buy", orderType="Market", qty="0.01")
        told.next_order(number, "Filled")
        (traded,) = told.execution.next()["data"]
        assert (traded["isMaker"], D(traded["feeRate"])) == (True, D("0.0002"))


run()
