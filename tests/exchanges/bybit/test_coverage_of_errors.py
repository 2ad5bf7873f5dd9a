"""The ledger of refusals: of every code that the documents name for what is emulated here, either a request
that is refused so, or why no client of this emulator gets it.

Codes are those of the error page (docs, v5, "Error Codes"), and texts as well unless running servers say
something else. What an endpoint makes of each of its parameters is tested beside that endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import pytest

from emulator.exchanges.bybit import refusals, spot_margin
from emulator.exchanges.bybit.account import borrowing, collateral
from emulator.exchanges.bybit.asset import words
from emulator.exchanges.bybit.auth import READ_ONLY
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.limits import Limits
from emulator.exchanges.bybit.streams import authentication
from emulator.runtime.ports import KeyRecord
from tests.exchanges.bybit.booth import TRADE, Booth, proof
from tests.exchanges.bybit.error_codes import DOCUMENTED, UNREACHABLE
from tests.exchanges.bybit.gatehouse import Gatehouse
from tests.exchanges.bybit.pit import BUY, INVERSE, LINEAR, LONG, SECOND_US, SELL, SHORT, SPOT
from tests.exchanges.bybit.treasury import LINEAR as CONTRACT
from tests.exchanges.bybit.treasury import Treasury
from tests.runtime.universe import FailingJournal
from tests.web.client import Reply, ask

pytestmark = pytest.mark.anyio

Said = tuple[int, str]
Scene = Callable[[], Awaitable[Said]]


class Case(NamedTuple):
    code: int
    text: str
    scene: Scene


CASES: list[Case] = []


def scene(code: int, text: str) -> Callable[[Scene], Scene]:
    """What the decorated scene ends in."""

    def add(of: Scene) -> Scene:
        CASES.append(Case(code, text, of))
        return of

    return add


def story(code: int, text: str) -> Callable[[Callable[[Treasury], Awaitable[Said]]], None]:
    """The same of one that is played over markets that stand, by alice and bob."""

    def add(of: Callable[[Treasury], Awaitable[Said]]) -> None:
        async def play() -> Said:
            async with Treasury() as pit:
                return await of(pit)

        CASES.append(Case(code, text, play))

    return add


def asks(code: int, text: str, method: str, path: str, sent: Mapping[str, Any]) -> None:
    """One request is enough."""

    @story(code, text)
    async def _one_request(pit: Treasury) -> Said:
        return await pit.no(method, path, sent)


def orders(code: int, text: str, values: Mapping[str, Any], **changes: Any) -> None:
    """An order is enough; a change to None leaves a value out."""

    @story(code, text)
    async def _one_order(pit: Treasury) -> Said:
        return await pit.refused(values, **changes)


def said(reply: Reply) -> Said:
    body = reply.json
    return body["retCode"], body["retMsg"]


CREATE, AMEND, CANCEL = "/v5/order/create", "/v5/order/amend", "/v5/order/cancel"
STOPS = "/v5/position/trading-stop"
LEVERAGE = "/v5/position/set-leverage"
MODE = "/v5/position/switch-mode"
MARGIN = "/v5/position/add-margin"
TRANSFER = "/v5/asset/transfer/inter-transfer"
WITHDRAW = "/v5/asset/withdraw/create"

SYMBOL: dict[str, Any] = {"category": LINEAR, "symbol": "BTCUSDT"}
FULL: dict[str, Any] = {**SYMBOL, "tpslMode": "Full", "positionIdx": 0}
PARTIAL: dict[str, Any] = {**FULL, "tpslMode": "Partial"}
MARKET: dict[str, Any] = {"orderType": "Market", "price": None}
WAITING: dict[str, Any] = {**LONG, "triggerPrice": "101000", "triggerDirection": 1}
NOBODYS = "5cf98598-39a7-459e-97bf-76ca765ee020"
"""An id that was never given."""


# The gateway


@scene(403, "access too frequent")
async def _an_address_that_asks_too_often() -> Said:
    async with Gatehouse(limits=Limits(requests_per_5_seconds=2)) as house:
        for _ in range(3):
            reply = await house.knock()
        assert reply.status == 403
        return said(reply)


@scene(403, "a GET request has no body")
async def _a_get_with_a_body() -> Said:
    async with Gatehouse() as house:
        reply = await ask(house.application, "GET", "/v5/market/time", body="{}")
        assert reply.status == 403
        return said(reply)


@scene(10000, "Server Timeout")
async def _the_journal_fails_under_a_command() -> Said:
    journal = FailingJournal()
    async with Gatehouse(journal=journal) as house:
        journal.fails = 1_000_000
        reply = await house.send("POST", "/v5/position/confirm")
        journal.fails = 0
        return said(reply)


@scene(10016, "Server error.")
async def _the_journal_still_fails() -> Said:
    journal = FailingJournal()
    async with Gatehouse(journal=journal) as house:
        journal.fails = 1_000_000
        await house.send("POST", "/v5/position/confirm")
        reply = await house.send("POST", "/v5/position/confirm")
        journal.fails = 0
        return said(reply)


@scene(10017, "Route not found. Not emulated: GET /v5/market/nothing")
async def _a_path_that_there_is_not() -> Said:
    async with Treasury() as pit:
        reply = await ask(pit.application, "GET", "/v5/market/nothing")
        assert reply.status == 404
        return said(reply)


@scene(
    10002,
    "invalid request, please check your server timestamp or recv_window param. "
    "req_timestamp[1],server_timestamp[{now}],recv_window[5000]",
)
async def _a_timestamp_of_the_past() -> Said:
    async with Gatehouse(timestamps="sandbox") as house:
        code, text = said(await house.realtime(timestamp=1))
        return code, text.replace(str(house.now_ms), "{now}")


@scene(10003, "API key is invalid.")
async def _a_key_that_nobody_has() -> Said:
    async with Treasury() as pit:
        return await pit.no("GET", "/v5/account/info", who="nobody")


@scene(10004, "error sign! origin_string[1790000123456demo-key5000category=linear&symbol=BTCUSDT]")
async def _a_signature_of_another_secret() -> Said:
    async with Gatehouse(timestamps="off") as house:
        return said(await house.realtime(timestamp=1_790_000_123_456, secret="another"))


@scene(10005, "Permission denied, please check your API key permissions.")
async def _a_key_that_may_only_read() -> Said:
    async with Treasury() as pit:
        account = pit.sandbox.accounts["alice"]
        reads = KeyRecord(
            key="carol-key", account=account, secret="carol", permissions=frozenset({READ_ONLY})
        )
        await pit.sandbox.add_key(reads)
        return await pit.no("POST", CREATE, BUY, "carol")


@scene(10006, "Too many visits. Exceeded the API Rate Limit.")
async def _an_account_that_asks_too_often() -> Said:
    async with Treasury(counting="on") as pit:
        for _ in range(5):
            await pit.get("/v5/account/fee-rate", SYMBOL)
        return await pit.no("GET", "/v5/account/fee-rate", SYMBOL)


# Sockets that take orders


async def _over(path: str, do: Callable[[Booth, Any], Awaitable[Any]], **settings: Any) -> Said:
    async with Booth(**settings).on_air() as booth, booth.listen(path) as client:
        answer = await do(booth, client)
        return answer["retCode"], answer["retMsg"]


async def _known(booth: Booth, client: Any) -> None:
    answer = await client.ask("auth", *proof("alice-key", "alice", booth.now_ms + 1000))
    assert answer["retCode"] == 0


@scene(10007, "User authentication failed.")
async def _an_order_of_a_stranger() -> Said:
    return await _over(TRADE, lambda booth, client: booth.order(client, "order.create", BUY))


@scene(10404, "op type is not found or `category` is not correct/supported")
async def _an_operation_that_there_is_not() -> Said:
    async def do(booth: Booth, client: Any) -> Any:
        await _known(booth, client)
        return await booth.order(client, "order.move", BUY)

    return await _over(TRADE, do)


@scene(20006, "reqId is duplicated")
async def _a_request_that_is_called_as_another() -> Said:
    async def do(booth: Booth, client: Any) -> Any:
        await _known(booth, client)
        await booth.order(client, "order.create", BUY, id="one")
        return await booth.order(client, "order.create", BUY, id="one")

    return await _over(TRADE, do)


@scene(10403, "Exceed IP rate limit. 3000 requests per second per IP")
async def _too_many_requests_over_sockets() -> Said:
    async def do(booth: Booth, client: Any) -> Any:
        await _known(booth, client)
        door = booth.application.sites["bybit"].dialect
        assert isinstance(door, Door)
        for _ in range(3000):
            door.quotas(booth.sandbox).ask("127.0.0.1", booth.sandbox.clock.now_us())
        return await booth.order(client, "order.create", BUY)

    return await _over(TRADE, do, counting="on")


@scene(20001, "Repeat auth")
async def _somebody_who_is_known_already() -> Said:
    async def do(booth: Booth, client: Any) -> Any:
        await _known(booth, client)
        return await client.ask("auth", *proof("alice-key", "alice", booth.now_ms + 1000))

    return await _over(TRADE, do)


for _code, _text, _args in (
    (10001, "Params Error", ["alice-key"]),
    (10003, "Invalid apikey", proof("nobody-key", "alice", 10**15)),
    (10004, "Invalid sign", proof("alice-key", "bob", 10**15)),
):

    @scene(_code, _text)
    async def _somebody_who_cannot_prove_it(args: list[Any] = _args) -> Said:
        return await _over(TRADE, lambda booth, client: client.ask("auth", *args))


# Parameters

orders(10001, "Illegal category", LONG, category="futures")
orders(10001, "params error: symbol invalid XYZ", LONG, symbol="XYZ")
orders(10001, "position idx not match position mode", LONG, positionIdx=2)
orders(10001, "Qty invalid", LONG, qty="0")
orders(10001, "Side invalid", LONG, side="buy")
orders(10001, "The number of contracts exceeds minimum limit allowed", LONG, qty="0.0001")
asks(
    10001,
    "accountType only support UNIFIED.",
    "GET",
    "/v5/account/wallet-balance",
    {"accountType": "CONTRACT"},
)
asks(
    10001,
    "Missing some parameters that must be filled in, symbol or baseCoin or settleCoin",
    "GET",
    "/v5/order/realtime",
    {"category": LINEAR},
)
asks(
    100028,
    "The API cannot be accessed by unified account users.",
    "POST",
    "/v5/position/switch-isolated",
    {**SYMBOL, "tradeMode": 1, "buyLeverage": "5", "sellLeverage": "5"},
)

# Contracts: orders

asks(110001, "order not exists or too late to cancel", "POST", CANCEL, {**SYMBOL, "orderId": NOBODYS})
asks(
    110001,
    "order not exists or too late to replace",
    "POST",
    AMEND,
    {**SYMBOL, "orderId": NOBODYS, "price": "98000"},
)
orders(110003, "Order price is out of permissible range", SHORT, price="99999999")
orders(110007, "ab not enough for new order", LONG, qty="250")


@story(
    110090,
    "Order placement failed as your position may exceed the max limit. Please adjust your leverage to 90 or "
    "below to increase the max. position limit",
)
async def _more_than_the_leverage_allows(pit: Treasury) -> Said:
    await pit.post(LEVERAGE, {**SYMBOL, "buyLeverage": "100", "sellLeverage": "100"})
    return await pit.refused(LONG, qty="21")


@story(110009, "already had 10 working normal stop orders")
async def _the_eleventh_conditional_order(pit: Treasury) -> Said:
    for _ in range(10):
        await pit.place(WAITING)
    return await pit.refused(WAITING)


@story(110020, "Not allowed to have more than 500 active orders.")
async def _the_501st_order(pit: Treasury) -> Said:
    for _ in range(25):
        one = {name: value for name, value in LONG.items() if name != "category"}
        batch = [{**one, "qty": "0.001"}] * 20
        await pit.post("/v5/order/create-batch", {"category": LINEAR, "request": batch})
    return await pit.refused(LONG, qty="0.001")


orders(110017, "current position is zero, cannot fix reduce-only order qty", SHORT, reduceOnly=True)


@story(110032, "Order is illegal")
async def _a_batch_that_amends_a_conditional_order(pit: Treasury) -> Said:
    order = await pit.place(WAITING)
    one = {"symbol": "BTCUSDT", "orderId": order, "price": "98000"}
    body = await pit.whole("POST", "/v5/order/amend-batch", {"category": LINEAR, "request": [one]})
    (code,) = body["retExtInfo"]["list"]
    return code["code"], code["msg"]


@story(110059, "Not allowed to  modify the TP/SL of a partially filled open order")
async def _stops_of_an_order_that_traded(pit: Treasury) -> Said:
    await pit.place(SHORT, "bob", price="100005", qty="0.004")
    order = await pit.place(LONG, price="100005", takeProfit="110000")
    return await pit.no("POST", AMEND, {**SYMBOL, "orderId": order, "takeProfit": "120000"})


@story(110064, "The modified contract quantity cannot be less than or equal to the filled quantity.")
async def _less_than_what_traded(pit: Treasury) -> Said:
    await pit.place(SHORT, "bob", price="100005", qty="0.004")
    order = await pit.place(LONG, price="100005")
    return await pit.no("POST", AMEND, {**SYMBOL, "orderId": order, "qty": "0.003"})


@story(10001, "The order remains unchanged as the parameters entered match the existing ones.")
async def _an_amendment_of_nothing(pit: Treasury) -> Said:
    order = await pit.place(LONG)
    return await pit.no("POST", AMEND, {**SYMBOL, "orderId": order, "price": LONG["price"]})


@story(110072, "OrderLinkedID is duplicate")
async def _a_name_that_another_order_has(pit: Treasury) -> Said:
    await pit.place(LONG, orderLinkId="one")
    return await pit.refused(LONG, orderLinkId="one")


orders(110074, "This contract is not live", LONG, symbol="BTCUSDT-26JUN26")
orders(
    110092,
    "expect Rising, but trigger_price[999990000] <= current[1000000000]??LastPrice",
    WAITING,
    triggerPrice="99999",
)
orders(
    110093,
    "expect Falling, but trigger_price[1000010000] >= current[1000000000]??LastPrice",
    WAITING,
    triggerPrice="100001",
    triggerDirection=2,
)
orders(110094, "Order does not meet minimum order value 5USDT", LONG, price="4990", qty="0.001")
orders(
    110108,
    "Allowable range: 1 to 10000 tick size",
    LONG,
    **MARKET,
    slippageToleranceType="TickSize",
    slippageTolerance="0",
)
orders(
    110109,
    "Allowable range: 0.01% to 10%",
    LONG,
    **MARKET,
    slippageToleranceType="Percent",
    slippageTolerance="11",
)
orders(
    110119,
    "Order failed. RPI orders are restricted to approved market makers only",
    LONG,
    timeInForce="RPI",
)


@story(
    110101,
    "Trading inverse contracts under Cross and Portfolio modes requires enabling the settlement asset as "
    "collateral.",
)
async def _an_inverse_contract_whose_coin_covers_nothing(pit: Treasury) -> Said:
    await pit.post("/v5/account/set-collateral-switch", {"coin": "BTC", "collateralSwitch": "OFF"})
    return await pit.refused(LONG, category=INVERSE, symbol="BTCUSD", qty="100")


@story(110118, "Unable to retrieve a pruce of the market order due to low liquidity")
async def _the_best_offer_where_nobody_offers(pit: Treasury) -> Said:
    await pit.book(CONTRACT, [("99990", "5")], [])
    return await pit.refused(LONG, price=None, bboSideType="Counterparty")


async def _refusing_beyond(pit: Treasury) -> None:
    sent = {"category": LINEAR, "modifyEnable": False}
    await pit.post("/v5/account/set-limit-px-action", sent)


# One per cent of the index price.
@story(110120, "Order price cannot be smaller than 99000, the price limitation")
async def _a_sale_far_below(pit: Treasury) -> Said:
    await _refusing_beyond(pit)
    return await pit.refused(SHORT, price="50000")


@story(110121, "Order price cannot be higher than 101000, the price limitation")
async def _a_purchase_far_above(pit: Treasury) -> Said:
    await _refusing_beyond(pit)
    return await pit.refused(LONG, price="150000")


# Contracts: positions


@story(34040, "not modified")
async def _stops_that_are_there_already(pit: Treasury) -> Said:
    await pit.trade(CONTRACT, "0.1")
    await pit.post(STOPS, {**FULL, "stopLoss": "90000"})
    return await pit.no("POST", STOPS, {**FULL, "stopLoss": "90000"})


for _name, _price, _side, _text in (
    ("StopLoss", "110000", "0.1", "Buy position should lower than base_price"),
    ("TakeProfit", "90000", "0.1", "Buy position should be higher than base_price"),
    ("StopLoss", "90000", "-0.1", "Sell position should greater base_price"),
    ("TakeProfit", "110000", "-0.1", "Sell position should be lower than base_price"),
):

    @story(10001, f"{_name}:{_price}0000 set for {_text}:1000000000??LastPrice")
    async def _a_stop_on_the_wrong_side(
        pit: Treasury, name: str = _name, price: str = _price, quantity: str = _side
    ) -> Said:
        await pit.trade(CONTRACT, quantity)
        await pit.hold("BTC/USDT", "100000")
        return await pit.no("POST", STOPS, {**FULL, name[0].lower() + name[1:]: price})


@story(10001, "TrailingProfit:990000000 set for Buy position should be greater than last_price:1000000000")
async def _a_trailing_stop_that_would_begin_below(pit: Treasury) -> Said:
    await pit.trade(CONTRACT, "0.1")
    await pit.hold("BTC/USDT", "100000")
    return await pit.no("POST", STOPS, {**FULL, "trailingStop": "500", "activePrice": "99000"})


asks(10001, "can not set tp/sl/ts for zero position", "POST", STOPS, {**FULL, "stopLoss": "90000"})


@story(110058, "You can't set take profit and stop loss due to insufficient size of remaining position size.")
async def _a_stop_for_more_than_there_is(pit: Treasury) -> Said:
    await pit.trade(CONTRACT, "0.1")
    return await pit.no("POST", STOPS, {**PARTIAL, "stopLoss": "90000", "slSize": "0.2"})


@story(110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode")
async def _the_21st_stop_of_a_part(pit: Treasury) -> Said:
    await pit.trade(CONTRACT, "0.1")
    for number in range(20):
        await pit.post(STOPS, {**PARTIAL, "stopLoss": str(90_000 + number), "slSize": "0.001"})
    return await pit.no("POST", STOPS, {**PARTIAL, "stopLoss": "91000", "slSize": "0.001"})


@story(110012, "Insufficient available balance.")
async def _a_leverage_that_needs_more_than_there_is(pit: Treasury) -> Said:
    await pit.post(LEVERAGE, {**SYMBOL, "buyLeverage": "50", "sellLeverage": "50"})
    await pit.place(LONG, qty="45")
    return await pit.no("POST", LEVERAGE, {**SYMBOL, "buyLeverage": "1", "sellLeverage": "1"})


asks(
    110013,
    "cannot set leverage [10100] gt maxLeverage [10000] by risk limit",
    "POST",
    LEVERAGE,
    {**SYMBOL, "buyLeverage": "101", "sellLeverage": "101"},
)


async def _isolated(pit: Treasury, quantity: str) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await pit.trade(CONTRACT, quantity)


@story(110014, "Insufficient available balance to add additional margin.")
async def _more_margin_than_there_is(pit: Treasury) -> Said:
    await _isolated(pit, "0.1")
    return await pit.no("POST", MARGIN, {**SYMBOL, "margin": "1000000"})


@story(110078, "Added margin more than max can reduce margin")
async def _less_margin_than_is_needed(pit: Treasury) -> Said:
    await _isolated(pit, "0.1")
    return await pit.no("POST", MARGIN, {**SYMBOL, "margin": "-1000"})


@story(110027, "Margin has not been modified.")
async def _no_margin(pit: Treasury) -> Said:
    await _isolated(pit, "0.1")
    return await pit.no("POST", MARGIN, {**SYMBOL, "margin": "0"})


@story(110033, "You can't set margin without an open position")
async def _margin_of_nothing(pit: Treasury) -> Said:
    await pit.margin_mode("ISOLATED_MARGIN")
    return await pit.no("POST", MARGIN, {**SYMBOL, "margin": "1"})


asks(110015, "The position is in cross margin mode.", "POST", MARGIN, {**SYMBOL, "margin": "1"})
asks(
    110076,
    "Only isolated mode can set auto-add-margin",
    "POST",
    "/v5/position/set-auto-add-margin",
    {**SYMBOL, "autoAddMargin": 1},
)


@story(110024, "You have an existing position, so the position mode cannot be switched.")
async def _another_mode_of_a_position(pit: Treasury) -> Said:
    await pit.trade(CONTRACT, "0.1")
    return await pit.no("POST", MODE, {**SYMBOL, "mode": 3})


@story(110028, "You have existing open orders, so the position mode cannot be switched.")
async def _another_mode_of_orders(pit: Treasury) -> Said:
    await pit.place(LONG)
    return await pit.no("POST", MODE, {**SYMBOL, "mode": 3})


asks(110025, "Position mode is not modified", "POST", MODE, {**SYMBOL, "mode": 0})
asks(
    110029,
    "Hedge mode is not supported for this symbol.",
    "POST",
    MODE,
    {"category": LINEAR, "symbol": "BTCPERP", "mode": 3},
)
asks(110050, "Invalid coin", "POST", MODE, {"category": LINEAR, "coin": "EUR", "mode": 3})


@story(110038, "You are not allowed to change leverage due to portfolio margin mode.")
async def _a_leverage_under_portfolio_margin(pit: Treasury) -> Said:
    await pit.margin_mode("PORTFOLIO_MARGIN")
    return await pit.no("POST", LEVERAGE, {**SYMBOL, "buyLeverage": "5", "sellLeverage": "5"})


asks(110043, "leverage not modified", "POST", LEVERAGE, {**SYMBOL, "buyLeverage": "10", "sellLeverage": "10"})


@story(110011, "Liquidation will be triggered immediately by this adjustment")
async def _a_leverage_that_an_isolated_position_cannot_have(pit: Treasury) -> Said:
    await _isolated(pit, "0.1")
    await pit.hold("BTC/USDT", "91500")
    return await pit.no("POST", LEVERAGE, {**SYMBOL, "buyLeverage": "100", "sellLeverage": "100"})


@story(110077, "Pm mode cannot support")
async def _rates_of_an_account_that_has_none(pit: Treasury) -> Said:
    await pit.margin_mode("ISOLATED_MARGIN")
    return await pit.no("POST", "/v5/order/pre-check", LONG)


@story(3400045, "Set margin mode failed")
async def _a_margin_mode_that_debts_forbid(pit: Treasury) -> Said:
    await pit.post("/v5/account/borrow", {"coin": "ETH", "amount": "1"})
    return await pit.no("POST", "/v5/account/set-margin-mode", {"setMarginMode": "ISOLATED_MARGIN"})


# Pairs

orders(170105, "Parameter 'qty' was empty.", BUY, qty=None)
orders(170115, "Invalid timeInForce.", BUY, timeInForce="GTX")
orders(170116, "Invalid orderType.", BUY, orderType="Stop")
orders(170117, "Invalid side.", BUY, side="buy")
orders(170121, "Invalid symbol.", BUY, symbol="XYZ")
orders(170130, "Data sent for paramter 'qty' is not valid.", BUY, qty="0")
orders(170131, "Insufficient balance.", BUY, qty="10.2")
orders(170132, "Order price too high.", BUY, price="99999999999")
orders(170133, "Order price lower than the minimum.", BUY, price="0.01")
orders(170134, "Order price has too many decimals.", BUY, price="99000.05")
orders(170136, "Order quantity exceeded lower limit.", BUY, qty="0.0000001")
orders(170137, "Order quantity has too many decimals.", BUY, qty="0.0100001")
orders(170140, "Order value exceeded lower limit.", BUY, qty="0.00005")
orders(170148, "Market order amount decimal too long", BUY, **MARKET, qty="1000.00000001")
orders(170201, "Invalid orderFilter parameter", BUY, orderFilter="Stop")
orders(170202, "Please enter the TP/SL price.", BUY, orderFilter="tpslOrder")
orders(
    170203,
    "trigger price cannot be higher than 110% price.",
    BUY,
    orderFilter="tpslOrder",
    triggerPrice="110001",
    price="100000",
)
orders(
    170204,
    "trigger price cannot be lower than 90% of qty. ",
    BUY,
    orderFilter="tpslOrder",
    triggerPrice="89999",
    price="100000",
)
orders(
    170036,
    "You haven't enabled Cross Margin Trading yet. To do so, please head to the PC trading site or the Bybit "
    "app",
    BUY,
    isLeverage=1,
)
# Half a per cent of the last price.
orders(170372, "Order price cannot be higher than 100500, the price limitation", BUY, price="150000")
orders(170371, "Order price cannot be lower than 99500, the price limitation.", SELL, price="50000")
orders(170381, "Order quantity too large.", BUY, qty="10000", price="1000")
orders(170382, "Order quantity too large.", SELL, **MARKET, qty="10000")
orders(170355, "RPI orders are restricted to approved market makers only ", BUY, timeInForce="RPI")
asks(
    170213,
    "Order does not exist.",
    "POST",
    CANCEL,
    {"category": SPOT, "symbol": "BTCUSDT", "orderId": "1600000000000000001"},
)


@story(170034, "Liability over flow in spot leverage trade!")
async def _more_debts_than_may_be(pit: Treasury) -> Said:
    await pit.post("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    return await pit.refused(SELL, isLeverage=1, qty="41")


@story(170344, "Symbol is not supported on Margin Trading")
async def _a_pair_that_is_not_traded_on_margin(pit: Treasury) -> Said:
    await pit.post("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    listed = (await pit.get("/v5/market/instruments-info", {"category": SPOT}))["list"]
    symbol = next(one["symbol"] for one in listed if one["marginTrading"] == "none")
    return await pit.refused(BUY, symbol=symbol, isLeverage=1, price="1", qty="100")


@story(170141, "Duplicate clientOrderId")
async def _a_name_that_another_order_of_a_pair_has(pit: Treasury) -> Said:
    await pit.place(BUY, orderLinkId="one")
    return await pit.refused(BUY, orderLinkId="one")


@story(170312, "The current order does not support modification")
async def _a_batch_that_amends_a_waiting_order(pit: Treasury) -> Said:
    order = await pit.place(BUY, triggerPrice="101000", price="101000")
    one = {"symbol": "BTCUSDT", "orderId": order, "price": "100500"}
    body = await pit.whole("POST", "/v5/order/amend-batch", {"category": SPOT, "request": [one]})
    (code,) = body["retExtInfo"]["list"]
    return code["code"], code["msg"]


@story(170313, "The modified contract quantity cannot be less than to the filled quantity")
async def _less_than_what_a_pair_traded(pit: Treasury) -> Said:
    await pit.place(SELL, "bob", price="100005", qty="0.004")
    order = await pit.place(BUY, price="100005")
    sent = {"category": SPOT, "symbol": "BTCUSDT", "orderId": order, "qty": "0.003"}
    return await pit.no("POST", AMEND, sent)


@story(170810, "Cannot exceed maximum of 500 conditional, TP/SL and active orders. ")
async def _the_31st_waiting_order_of_a_pair(pit: Treasury) -> Said:
    for _ in range(30):
        await pit.place(BUY, triggerPrice="101000", price="101000")
    return await pit.refused(BUY, triggerPrice="101000", price="101000")


# Spot margin and loans

SPOT_MARGIN = "/v5/spot-margin-trade/switch-mode"
LOAN = "/v5/account"
REPAYMENTS = ("repay", "no-convert-repay", "quick-repayment")


@story(182021, spot_margin.TEXTS[182021])
async def _spot_margin_where_all_is_isolated(pit: Treasury) -> Said:
    await pit.margin_mode("ISOLATED_MARGIN")
    return await pit.no("POST", SPOT_MARGIN, {"spotMarginMode": "1"})


asks(
    176034,
    "The leverage ratio is out of range",
    "POST",
    "/v5/spot-margin-trade/set-leverage",
    {"leverage": "11"},
)
asks(
    176038,
    "The spot leverage is closed and the current operation is not allowed",
    "POST",
    "/v5/spot-margin-trade/set-leverage",
    {"leverage": "5"},
)


@story(176039, "Borrowing, current operation is not allowed")
async def _spot_margin_that_is_owed(pit: Treasury) -> Said:
    await pit.post(SPOT_MARGIN, {"spotMarginMode": "1"})
    await pit.book("spot:BTCUSDT", [("99990", "20")], [("100010", "20")])
    await pit.place(SELL, isLeverage=1, qty="12", price="99990")
    return await pit.no("POST", SPOT_MARGIN, {"spotMarginMode": "0"})


@story(176040, "There is a spot leverage order, and the adjustment of the leverage switch failed!")
async def _spot_margin_that_an_order_needs(pit: Treasury) -> Said:
    await pit.post(SPOT_MARGIN, {"spotMarginMode": "1"})
    await pit.place(SELL, isLeverage=1)
    return await pit.no("POST", SPOT_MARGIN, {"spotMarginMode": "0"})


asks(
    34022010, "The borrowed asset does not exist.", "POST", f"{LOAN}/borrow", {"coin": "NONE", "amount": "1"}
)
asks(
    34022031,
    "Risk rate limit exceeded. Please reduce your borrow amount in the Unified Trading Account.",
    "POST",
    f"{LOAN}/borrow",
    {"coin": "BTC", "amount": "31"},
)
asks(
    34022033,
    "Borrowing precision must be an integer multiple.",
    "POST",
    f"{LOAN}/borrow",
    {"coin": "BTC", "amount": "0.000000001"},
)


@story(34022034, "The minimum repayment amount must be an integer multiple.")
async def _a_repayment_that_is_too_fine(pit: Treasury) -> Said:
    await pit.post(f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})
    return await pit.no("POST", f"{LOAN}/repay", {"coin": "BTC", "amount": "0.000000001"})


@story(34022035, "You cannot repay while interest is being calculated.")
async def _a_repayment_when_interest_is_reckoned(pit: Treasury) -> Said:
    """From four minutes past the hour on for a minute and a half; it is 14:15:23."""
    await pit.post(f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})
    await pit.step(49 * 60 * SECOND_US)
    refused = [await pit.no("POST", f"{LOAN}/{one}", {"coin": "BTC"}) for one in REPAYMENTS]
    await pit.step(67 * SECOND_US)
    assert refused == [refused[0]] * 3
    await pit.post(f"{LOAN}/repay", {"coin": "BTC"})
    said: Said = refused[0]
    return said


async def _owing_four_hundred_thousand(pit: Treasury) -> None:
    """400,000 USDC of which nothing is there any more, beside a million USDT and ten bitcoin."""
    await pit.post(f"{LOAN}/borrow", {"coin": "USDC", "amount": "400000"})
    await pit.book("spot:USDCUSDT", [("1", "500000")], [("1.0001", "500000")])
    await pit.trade("spot:USDCUSDT", "-400000")
    # Less than the limit is bought.
    await pit.post(f"{LOAN}/repay", {"coin": "USDC", "amount": "100"})


TOO_MUCH_OWED = (
    "To use this feature, your net liability value must be below 300000 USD. Otherwise, please repay through "
    "spot trading or deposit funds first."
)


@story(34022107, TOO_MUCH_OWED)
async def _too_much_to_buy_for_all_debts(pit: Treasury) -> Said:
    await _owing_four_hundred_thousand(pit)
    return await pit.no("POST", f"{LOAN}/repay", {"repaymentType": "ALL"})


@story(34022108, TOO_MUCH_OWED)
async def _too_much_to_buy_for_one_debt(pit: Treasury) -> Said:
    await _owing_four_hundred_thousand(pit)
    return await pit.no("POST", f"{LOAN}/repay", {"coin": "USDC", "amount": "300000"})


@story(34022036, "Please enable Margin Trading to continue.")
async def _a_loan_where_all_is_isolated(pit: Treasury) -> Said:
    await pit.margin_mode("ISOLATED_MARGIN")
    return await pit.no("POST", f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})


asks(
    34022041,
    "Currently, your account has no borrowed coins. No repayments are needed.",
    "POST",
    f"{LOAN}/no-convert-repay",
    {"coin": "BTC"},
)


@story(34022044, "Repayment unsuccessful.")
async def _more_than_what_is_owed(pit: Treasury) -> Said:
    await pit.post(f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})
    return await pit.no("POST", f"{LOAN}/no-convert-repay", {"coin": "BTC", "amount": "2"})


@story(34022049, "Insufficient collateral balance.")
async def _a_loan_that_was_spent(pit: Treasury) -> Said:
    await pit.post(f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})
    await pit.book("spot:BTCUSDT", [("99990", "20")], [("100010", "20")])
    await pit.trade("spot:BTCUSDT", "-11")
    return await pit.no("POST", f"{LOAN}/no-convert-repay", {"coin": "BTC"})


@story(182101, "Failed repayment, insufficient collateral balance")
async def _a_debt_that_nothing_can_be_sold_for(pit: Treasury) -> Said:
    await pit.post(SPOT_MARGIN, {"spotMarginMode": "1"})
    await pit.book("spot:BTCUSDT", [("100000", "20")], [("100010", "20")])
    await pit.place(SELL, isLeverage=1, qty="11", price="100000")
    # 11 * 100000 less 0.1 % beside a million: all of it waits in orders.
    for quantity in ("60", "44.945"):
        await pit.place(BUY, price="20000", qty=quantity)
    return await pit.no("POST", f"{LOAN}/quick-repayment", {"coin": "BTC"})


@story(182120, "Please use the repay and no-convert-repay API.")
async def _a_loan_and_the_way_to_repay_what_was_spent(pit: Treasury) -> Said:
    await pit.post(f"{LOAN}/borrow", {"coin": "BTC", "amount": "1"})
    return await pit.no("POST", f"{LOAN}/quick-repayment", {"coin": "BTC"})


asks(
    182102,
    "Failed repayment, there are no liabilities in the current currency",
    "POST",
    f"{LOAN}/quick-repayment",
    {"coin": "BTC"},
)
asks(
    182111,
    "The requested currency has a non guaranteed gold currency or does not support switching status "
    "currencies",
    "POST",
    f"{LOAN}/set-collateral-switch",
    {"coin": "USDT", "collateralSwitch": "OFF"},
)


@story(182108, "Switching failed, margin verification failed, please re-adjust the currency status")
async def _a_coin_that_covers_a_position(pit: Treasury) -> Said:
    await pit.trade("inverse:BTCUSD", "1000")
    return await pit.no("POST", f"{LOAN}/set-collateral-switch", {"coin": "BTC", "collateralSwitch": "OFF"})


asks(
    182112,
    "Duplicate currency, please re-adjust",
    "POST",
    f"{LOAN}/set-collateral-switch-batch",
    {"request": [{"coin": "BTC", "collateralSwitch": word} for word in ("ON", "OFF")]},
)


# Wallets

MOVED = {
    "transferId": NOBODYS,
    "coin": "USDT",
    "amount": "1",
    "fromAccountType": "UNIFIED",
    "toAccountType": "FUND",
}
WITHDRAWN = {
    "coin": "USDT",
    "chain": "ETH",
    "address": "0x" + "a" * 40,
    "amount": "100",
    "timestamp": "1",
    "accountType": "UTA",
}

for _code, _text, _changes in (
    (131203, "Request parameter error", {"coin": "NONE"}),
    (131210, "Amount accuracy error", {"amount": "1.000000001"}),
    (131211, "fromAccountType can't be the same as toAccountType", {"toAccountType": "UNIFIED"}),
    (131212, "Insufficient balance", {"amount": "1000001"}),
    (131215, "Amount error", {"amount": "0"}),
    (131231, "Transfers into this account are not supported", {"toAccountType": "SPOT"}),
    (131232, "Transfers out this account are not supported", {"fromAccountType": "SPOT"}),
):
    asks(_code, _text, "POST", TRANSFER, {**MOVED, **_changes})


@story(131214, "TransferId exist")
async def _the_same_transfer_again(pit: Treasury) -> Said:
    await pit.post(TRANSFER, MOVED)
    return await pit.no("POST", TRANSFER, MOVED)


for _code, _text, _changes in (
    (131002, "Withdraw address chain or destination tag are not equal", {"address": "nowhere"}),
    (131002, "Parameter error", {"accountType": "SPOT"}),
    (131077, "receive user not exist", {"forceChain": "2"}),
    (131081, "Do not input memo/tag,please.", {"tag": "1"}),
    (131096, "Withdraw amount does not satify the lower limit or upper limit", {"amount": "0.001"}),
):
    asks(_code, _text, "POST", WITHDRAW, {**WITHDRAWN, **_changes})


@story(131082, "Do not repeat the request")
async def _the_same_withdrawal_again(pit: Treasury) -> Said:
    await pit.post(WITHDRAW, {**WITHDRAWN, "requestId": "one"})
    return await pit.no("POST", WITHDRAW, {**WITHDRAWN, "requestId": "one"})


DECLARED: Mapping[int, str] = {
    **refusals.TEXTS,
    **spot_margin.TEXTS,
    **borrowing.TEXTS,
    **collateral.TEXTS,
    **words.TEXTS,
    **authentication.TEXTS,
}
"""All codes that the adapter knows words for."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.text[:60]}")
async def test_it_is_reached(case: Case) -> None:
    assert await case.scene() == (case.code, case.text)


def test_every_code_is_reached_or_has_a_reason() -> None:
    reached = {case.code for case in CASES}
    unreachable = [code for codes in UNREACHABLE.values() for code in codes]
    assert len(unreachable) == len(set(unreachable))
    assert not reached & set(unreachable)
    known = reached | set(unreachable)
    assert known >= DOCUMENTED
    assert set(DECLARED) <= known
    # What is reached is declared, so that nobody makes up a code beside the tables.
    assert reached <= set(DECLARED)
    # And a reason is given for what the exchange has, and not for what we might have thought of.
    assert set(unreachable) <= DOCUMENTED | set(DECLARED)
