"""ccxt's bybit, synchronous: orders of pairs, of linear and of inverse contracts."""

import ccxt
from bybit_markets import LINEAR, SPOT, move
from ccxt_bybit_setup import COIN, PAIR, SWAP, begin, near
from stage import move_clock, raised, run


def found(exchange, order, symbol):
    return exchange.fetch_order(order["id"], symbol, {"acknowledged": True})


def held(exchange, symbol=SWAP):
    return {each["side"]: each for each in exchange.fetch_positions([symbol]) if each["contracts"]}


def check_pair():
    exchange = begin()
    placed = exchange.create_order(PAIR, "limit", "buy", 0.01, 99000, {"clientOrderId": "mine"})
    shown = found(exchange, placed, PAIR)
    assert (shown["symbol"], shown["status"], shown["remaining"], shown["clientOrderId"]) == (
        PAIR,
        "open",
        0.01,
        "mine",
    )
    edited = exchange.edit_order(placed["id"], PAIR, "limit", "buy", 0.02, 98000)
    assert edited["id"] == placed["id"]
    (shown,) = exchange.fetch_open_orders(PAIR)
    assert (shown["amount"], shown["price"]) == (0.02, 98000.0)
    exchange.cancel_order(placed["id"], PAIR)
    assert exchange.fetch_open_orders(PAIR) == []
    (shown,) = exchange.fetch_canceled_orders(PAIR)
    assert (shown["id"], shown["status"], shown["symbol"]) == (placed["id"], "canceled", PAIR)


def check_pair_market():
    """It sends a quantity of the base coin with `marketUnit`, and a cost without."""
    exchange = begin()
    bought = found(exchange, exchange.create_order(PAIR, "market", "buy", 0.01), PAIR)
    assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 0.01, 100010.0)
    spent = exchange.create_market_buy_order_with_cost(PAIR, 2000.2)
    assert found(exchange, spent, PAIR)["filled"] == 0.02
    sold = exchange.create_order(PAIR, "market", "sell", 0.01)
    (trade,) = exchange.fetch_order_trades(sold["id"], PAIR)
    assert (trade["price"], trade["amount"], trade["takerOrMaker"], trade["symbol"]) == (
        99990.0,
        0.01,
        "taker",
        PAIR,
    )
    assert (trade["fee"]["currency"], near(trade["fee"]["cost"], "0.9999")) == ("USDT", True)
    assert [each["side"] for each in exchange.fetch_my_trades(PAIR)] == ["buy", "buy", "sell"]
    assert {each["status"] for each in exchange.fetch_closed_orders(PAIR)} == {"closed"}


def check_pair_trigger():
    exchange = begin()
    stop = exchange.create_order(PAIR, "market", "sell", 0.01, None, {"triggerPrice": 98000})
    (shown,) = exchange.fetch_open_orders(PAIR, params={"trigger": True})
    assert (shown["id"], shown["triggerPrice"], shown["status"]) == (stop["id"], 98000.0, "open")
    move(SPOT, "98000")
    (trade,) = exchange.fetch_my_trades(PAIR)
    assert (trade["side"], trade["amount"]) == ("sell", 0.01)
    stop = exchange.create_order(PAIR, "market", "sell", 0.01, None, {"triggerPrice": 95000})
    exchange.cancel_order(stop["id"], PAIR, {"trigger": True})
    assert exchange.fetch_open_orders(PAIR, params={"trigger": True}) == []


def check_swap():
    exchange = begin()
    exchange.set_leverage(20, SWAP)
    bought = found(exchange, exchange.create_order(SWAP, "market", "buy", 0.1), SWAP)
    assert (bought["status"], bought["average"], bought["cost"]) == ("closed", 100010.0, 10001.0)
    assert near(bought["fee"]["cost"], "5.50055")
    move(LINEAR, "101000")
    move_clock(step="1s")
    position = held(exchange)["long"]
    shown = {
        name: position[name]
        for name in ("symbol", "contracts", "entryPrice", "markPrice", "unrealizedPnl", "leverage", "hedged")
    }
    assert shown == {
        "symbol": SWAP,
        "contracts": 0.1,
        "entryPrice": 100010.0,
        "markPrice": 101000.0,
        "unrealizedPnl": 99.0,
        "leverage": 20.0,
        "hedged": False,
    }
    # 10100 / 20, and for closing at its ruin 9595 * 0.00055
    assert near(position["initialMargin"], "510.27725")
    sold = exchange.create_order(SWAP, "market", "sell", 0.1, None, {"reduceOnly": True})
    assert found(exchange, sold, SWAP)["reduceOnly"] is True
    assert held(exchange) == {}
    assert [each["side"] for each in exchange.fetch_my_trades(SWAP)] == ["buy", "sell"]


def check_swap_resting():
    exchange = begin()
    posted = exchange.create_order(SWAP, "limit", "buy", 0.01, 99000, {"postOnly": True})
    shown = found(exchange, posted, SWAP)
    assert (shown["status"], shown["postOnly"], shown["timeInForce"]) == ("open", True, "PO")
    crossing = exchange.create_order(SWAP, "limit", "buy", 0.01, 100010, {"postOnly": True})
    assert found(exchange, crossing, SWAP)["status"] == "canceled"
    other = exchange.create_order(SWAP, "limit", "sell", 0.01, 101000)
    assert {each["id"] for each in exchange.fetch_open_orders(SWAP)} == {posted["id"], other["id"]}
    exchange.edit_order(posted["id"], SWAP, "limit", "buy", 0.02, 98000)
    assert exchange.fetch_open_order(posted["id"], SWAP)["amount"] == 0.02
    ended = exchange.cancel_all_orders(SWAP)
    assert {each["id"] for each in ended} == {posted["id"], other["id"]}
    many = exchange.create_orders(
        [
            {"symbol": SWAP, "type": "limit", "side": "buy", "amount": 0.01, "price": price}
            for price in (97000, 97100)
        ]
    )
    ended = exchange.cancel_orders([each["id"] for each in many], SWAP)
    assert len(ended) == 2
    assert exchange.fetch_open_orders() == []


def check_inverse():
    exchange = begin()
    sold = found(exchange, exchange.create_order(COIN, "market", "sell", 1000), COIN)
    assert (sold["symbol"], sold["status"], sold["average"]) == (COIN, "closed", 99990.0)
    position = held(exchange, COIN)["short"]
    assert (position["contracts"], position["entryPrice"]) == (1000.0, 99990.0)
    trade = exchange.fetch_my_trades(COIN)[0]
    assert trade["fee"]["currency"] == "BTC"
    exchange.create_order(COIN, "market", "buy", 1000, None, {"reduceOnly": True})
    assert held(exchange, COIN) == {}


def check_stops():
    exchange = begin()
    stop = exchange.create_order(
        SWAP, "market", "buy", 0.01, None, {"triggerPrice": 101000, "triggerDirection": "ascending"}
    )
    (shown,) = exchange.fetch_open_orders(SWAP)
    assert (shown["id"], shown["triggerPrice"], shown["status"]) == (stop["id"], 101000.0, "open")
    move(LINEAR, "101000")
    assert held(exchange)["long"]["contracts"] == 0.01
    loss = exchange.create_order(
        SWAP, "market", "sell", 0.01, None, {"stopLossPrice": 99000, "reduceOnly": True}
    )
    profit = exchange.create_order(
        SWAP, "market", "sell", 0.01, None, {"takeProfitPrice": 105000, "reduceOnly": True}
    )
    waiting = {each["id"]: each["triggerPrice"] for each in exchange.fetch_open_orders(SWAP)}
    assert waiting == {loss["id"]: 99000.0, profit["id"]: 105000.0}
    move(LINEAR, "105000")
    assert held(exchange) == {}


def check_stops_with_the_order():
    exchange = begin()
    exchange.create_order(
        SWAP,
        "market",
        "buy",
        0.01,
        None,
        {"takeProfit": {"triggerPrice": 104000}, "stopLoss": {"triggerPrice": 98000}},
    )
    position = held(exchange)["long"]
    assert (position["takeProfitPrice"], position["stopLossPrice"]) == (104000.0, 98000.0)
    move(LINEAR, "98000")
    assert held(exchange) == {}


def check_trailing():
    exchange = begin()
    exchange.create_order(SWAP, "market", "buy", 0.01)
    exchange.create_trailing_amount_order(SWAP, "market", "sell", 0.01, None, 1000, 101000)
    assert held(exchange)["long"]["contracts"] == 0.01
    for price in ("102000", "101100"):
        move(LINEAR, price)
        assert held(exchange)["long"]["contracts"] == 0.01
    move(LINEAR, "101000")
    assert held(exchange) == {}, "1000 back from the highest"


def check_hedge_mode():
    exchange = begin()
    exchange.set_position_mode(True, SWAP)
    raised(ccxt.NoChange, exchange.set_position_mode, True, SWAP)
    exchange.create_order(SWAP, "market", "buy", 0.02, None, {"hedged": True})
    exchange.create_order(SWAP, "market", "sell", 0.01, None, {"hedged": True})
    assert {side: (each["contracts"], each["hedged"]) for side, each in held(exchange).items()} == {
        "long": (0.02, True),
        "short": (0.01, True),
    }
    exchange.create_order(SWAP, "market", "sell", 0.02, None, {"hedged": True, "reduceOnly": True})
    assert set(held(exchange)) == {"short"}


def check_pages():
    """It asks on until the cursor is empty."""
    exchange = begin()
    for number in range(12):
        exchange.create_order(SWAP, "limit", "buy", 0.001, 99000 - 10 * number)
    exchange.cancel_all_orders(SWAP)
    ended = exchange.fetch_canceled_orders(SWAP, params={"paginate": True, "limit": 5})
    assert {each["price"] for each in ended} == {99000.0 - 10 * number for number in range(12)}
    assert len(ended) == 12


run()
