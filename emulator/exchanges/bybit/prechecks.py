"""What an order would come to before it is placed: the margin rates of an account, and the quota of a pair.

Nothing here is placed or held.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from emulator.core.commands import TestOrder
from emulator.core.contracts import initial_margin, value_of
from emulator.core.engine import Done
from emulator.core.instruments import Side
from emulator.core.numbers import ONE, ZERO, divide_down, divide_half, exact, round_down
from emulator.core.orders import OrderTerms
from emulator.core.positions import AccountMargin
from emulator.core.statement import maintenance, tradable
from emulator.exchanges.bybit.account.readings import Standing, read
from emulator.exchanges.bybit.auth import ORDER as MAY_ORDER
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.categories import SPOT, Category
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.ids import order_id_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.order_parameters import CATEGORY, NEW_ORDER, SYMBOL
from emulator.exchanges.bybit.payloads.trading import BorrowQuota, Checked
from emulator.exchanges.bybit.refusals import CATEGORY as ILLEGAL_CATEGORY
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.exchanges.bybit.symbols import find, traded_category
from emulator.exchanges.bybit.terms import refuse_word
from emulator.exchanges.bybit.trading import parse_terms
from emulator.exchanges.bybit.vocabulary import SIDES
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

RATES_PER_ONE: Final = 10_000
QUANTITY_STEP: Final = Decimal("0.0001")
AMOUNT_STEP: Final = Decimal("0.00000001")
RATIO_STEP: Final = Decimal("1E-18")
"""Quantities of the borrow quota have four places, amounts eight (Get Borrow Quota)."""


@rows.route(
    "POST",
    "/v5/order/pre-check",
    summary="Pre check order",
    description="Margin rates of the account before an order of a contract and with it, in 1/10,000.",
    security=MAY_ORDER,
    parameters=(CATEGORY, *NEW_ORDER),
    answers=Checked,
    reads=True,
)
def check_order(call: Call) -> Submission[Checked]:
    category = traded_category(call.values)
    if not category.is_derivative:
        # Quirk: it knows no pairs, though its example shows one (Pre Check Order, note 1).
        raise refuse(10001, text=ILLEGAL_CATEGORY)
    listing, terms = parse_terms(call, category, call.values)
    if terms.trigger is not None:
        # Quirk: conditional orders are not checked (Pre Check Order, note 4).
        raise refuse_parameter("triggerPrice")
    command = TestOrder(
        account=call.account, wallet=UNIFIED, instrument=listing.instrument.symbol, terms=terms
    )

    def answer(done: Done) -> Checked:
        with exact():
            standing = read(call)
            margin = standing.margin
            if margin is AccountMargin.ISOLATED:
                # Quirk: accounts under isolated margin have no rates (Pre Check Order, note 2).
                raise refuse(110077)
            if category.is_inverse and margin is AccountMargin.CROSS:
                # Quirk: inverse contracts are checked under portfolio margin only (Pre Check Order, note 3).
                raise refuse(10001, text=ILLEGAL_CATEGORY)
            checked = _check(call, category, listing, terms, standing)
        names = {"future_order_id": checked["orderId"], "future_order_link_id": checked["orderLinkId"]}
        if done.rejection is not None:
            refusal = call.site.dialect.speak(done.rejection, command)
            refusal.extra = {"retExtInfo": names}
            raise refusal
        if checked["postImrE4"] > max(RATES_PER_ONE, checked["preImrE4"]):
            rates = {"post_imr_e4": checked["postImrE4"], "post_mmr_e4": checked["postMmrE4"]}
            refusal = refuse(110007)
            refusal.extra = {"retExtInfo": names | rates}
            raise refusal
        return checked

    return call.attempt(command, answer)


def _check(
    call: Call, category: Category, listing: Listing, terms: OrderTerms, standing: Standing
) -> Checked:
    """The rates as if all of the order traded at its price, and made of the position what it would."""
    state, instrument = call.engine.state, listing.instrument.symbol
    contract = state.contract_of(instrument)
    price = terms.price or state.markets[instrument].last_price(call.now_us)
    position = state.position(call.account, instrument, terms.leg)
    quantity = abs(position.quantity) if terms.quantity is None else terms.quantity
    signed = quantity if terms.side is Side.BUY else -quantity
    before, after = (
        value_of(contract, held, price) for held in (position.quantity, position.quantity + signed)
    )
    index = standing.price(listing.settle)
    held, joined = (initial_margin(contract, value, position.leverage) for value in (before, after))
    asked = (joined - held) * index
    grown = replace(position, quantity=position.quantity + signed)
    kept = (maintenance(contract, grown, price) - maintenance(contract, position, price)) * index
    totals = standing.statement.totals("")

    def rate(margin: Decimal) -> int:
        return int(divide_half(max(ZERO, margin) * RATES_PER_ONE, totals.margin_balance, ONE))

    if totals.margin_balance <= ZERO:
        raise refuse(110007)
    return {
        "orderId": order_id_text(category.name, state.next_order),
        "orderLinkId": terms.client_id,
        "preImrE4": rate(totals.initial_margin),
        "preMmrE4": rate(totals.maintenance),
        "postImrE4": rate(totals.initial_margin + asked),
        "postMmrE4": rate(totals.maintenance + kept),
    }


@rows.route(
    "GET",
    "/v5/order/spot-borrow-check",
    summary="Get borrow quota",
    description="How much of a pair could be traded, with what may be borrowed and without.",
    security=READ,
    parameters=(
        Parameter("category", Kind.CHOICE, required=True, choices=("spot",)),
        SYMBOL,
        Parameter("side", required=True),
    ),
    answers=BorrowQuota,
)
def borrow_quota(call: Call) -> BorrowQuota:
    values, state = call.values, call.engine.state
    listing = find(SPOT, values["symbol"], call.now_us)
    side = SIDES.get(values["side"])
    if side is None:
        raise refuse_word(SPOT, "side")
    coin = listing.quote if side is Side.BUY else listing.base
    with exact():
        own = whole = read(call).transferable(UNIFIED, coin)
        market = state.markets[listing.instrument.symbol]
        price = market.last_price(call.now_us)
        best = market.depth(side.opposite, call.now_us, 1)
        met = best[0][0] if best else price
        kept = ONE - listing.instrument.taker_fee
        is_buy = side is Side.BUY
        if (call.account, UNIFIED) in state.spot_margins:
            whole = tradable(
                state,
                call.engine.rules,
                state.accounts[call.account],
                UNIFIED,
                coin,
                listing.base if is_buy else listing.quote,
                divide_down(kept, met, RATIO_STEP) if is_buy else kept * met,
                call.now_us,
            )
        most, spot = _traded(side, whole, price), _traded(side, own, price)
    return {
        "symbol": listing.symbol,
        "side": values["side"],
        "maxTradeQty": most[0],
        "maxTradeAmount": most[1],
        "spotMaxTradeQty": spot[0],
        "spotMaxTradeAmount": spot[1],
        "borrowCoin": coin,
    }


def _traded(side: Side, paid: Decimal, price: Decimal) -> tuple[str, str]:
    """A quantity in base and an amount in quote coin, of which one is what is paid."""
    quantity = divide_down(paid, price, QUANTITY_STEP) if side is Side.BUY else paid
    amount = paid if side is Side.BUY else paid * price
    return decimal_text(round_down(quantity, QUANTITY_STEP)), decimal_text(round_down(amount, AMOUNT_STEP))
