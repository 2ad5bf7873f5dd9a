"""Conversions: one asset of the USD-M wallet for another, at a price that is quoted and then taken or not.

A quote is what the index prices of both assets make of it, less a spread; it is in memory, for ten seconds
of the sandbox's clock. Who takes it trades with the market, by the core's ledger. An order's id is the number
of the income by which its asset was sold, so what became of it is read from the history of incomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from emulator.core.commands import ExchangeAssets
from emulator.core.engine import Done, Engine
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.ids import AccountId
from emulator.core.numbers import ONE, divide_down, divide_half, divide_up, exact
from emulator.exchanges.binance.futures.account.readings import read, render_plain
from emulator.exchanges.binance.futures.assets import asset_price
from emulator.exchanges.binance.futures.door import door_of
from emulator.exchanges.binance.futures.payloads.convert import (
    AcceptedQuote,
    ConvertOrder,
    ConvertPair,
    OfferedQuote,
)
from emulator.exchanges.binance.futures.products import USDM
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, NONE, USER_DATA
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.quotas import DAY_US, Window
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

SPREAD: Final = Decimal("0.001")
"""What the exchange keeps of what is bought; no document says how much that is."""
VALID_US: Final = 10_000_000
QUOTES_PER_HOUR: Final = 360
QUOTES_PER_DAY: Final = 500
QUOTES_MAX: Final = 10_000
"""Of one sandbox; the oldest is forgotten for a new one."""
EXPIRED: Final = 345231


class Range(NamedTuple):
    least: Decimal
    most: Decimal


RANGES: Final[Mapping[str, Range]] = MappingProxyType(
    {
        # Of bitcoins and tethers those of the document's example, of the others about the same worth.
        "USDT": Range(Decimal(20), Decimal(2_500_000)),
        "USDC": Range(Decimal(20), Decimal(2_500_000)),
        "BTC": Range(Decimal("0.0004"), Decimal(50)),
        "ETH": Range(Decimal("0.01"), Decimal(1_000)),
        "BNB": Range(Decimal("0.03"), Decimal(3_000)),
    }
)
"""How much of each asset may be converted at once; those that the wallet holds as margin."""

FROM_ASSET: Final = Parameter("fromAsset", pattern="[A-Za-z0-9_-]{1,40}", length_max=40)
TO_ASSET: Final = FROM_ASSET.but(name="toAsset")
QUOTE_ID: Final = Parameter("quoteId", length_max=40)


class Quote(msgspec.Struct, eq=False):
    """order: what came of it; 0: nothing yet."""

    id: int
    account: AccountId
    sold: str
    sold_amount: Decimal
    bought: str
    bought_amount: Decimal
    until_us: int
    order: int = 0


class Quotes:
    """One sandbox's quotes, and how many each account has asked for."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._quotes: dict[int, Quote] = {}
        self._last = 0
        self._windows = (
            Window(interval_us=3_600_000_000, limit=QUOTES_PER_HOUR),
            Window(interval_us=DAY_US, limit=QUOTES_PER_DAY),
        )

    def count(self, account: AccountId, now_us: int) -> bool:
        """Count one more; whether it is within the limits."""
        used = [window.add(account, 1, now_us) for window in self._windows]
        return all(count <= window.limit for count, window in zip(used, self._windows, strict=True))

    def keep(
        self, account: AccountId, sold: str, given: Decimal, bought: str, taken: Decimal, now_us: int
    ) -> Quote:
        while len(self._quotes) >= QUOTES_MAX:
            del self._quotes[next(iter(self._quotes))]
        self._last = max(self._last + 1, now_us // 1000)
        quote = Quote(self._last, account, sold, given, bought, taken, now_us + VALID_US)
        self._quotes[quote.id] = quote
        return quote

    def find(self, text: str, account: AccountId) -> Quote | None:
        if not (text.isascii() and text.isdigit()):
            return None
        found = self._quotes.get(int(text))
        return found if found is not None and found.account == account else None


QUOTES: Final = PerSandbox(Quotes)


@rows.usdm(
    "GET",
    "/v1/convert/exchangeInfo",
    summary="List all convert pairs",
    description="Of those that are asked for; of all where neither asset is named.",
    security=NONE,
    weight=20,
    parameters=(FROM_ASSET, TO_ASSET),
    answers=list[ConvertPair],
)
def convert_pairs(call: Call) -> list[ConvertPair]:
    values = call.values
    asked = {name: values[name] for name in ("fromAsset", "toAsset") if name in values}
    for asset in asked.values():
        _check_asset(asset)
    return [
        {
            "fromAsset": sold,
            "toAsset": bought,
            "fromAssetMinAmount": render_plain(RANGES[sold].least),
            "fromAssetMaxAmount": render_plain(RANGES[sold].most),
            "toAssetMinAmount": render_plain(RANGES[bought].least),
            "toAssetMaxAmount": render_plain(RANGES[bought].most),
        }
        for sold in RANGES
        for bought in RANGES
        if sold != bought
        and asked.get("fromAsset") in (None, sold)
        and asked.get("toAsset") in (None, bought)
    ]


@rows.usdm(
    "POST",
    "/v1/convert/getQuote",
    summary="Send quote request",
    description="An account may ask 360 times an hour and 500 times a day.",
    security=USER_DATA,
    weight=50,
    parameters=(
        FROM_ASSET.but(required=True),
        TO_ASSET.but(required=True),
        Parameter("fromAmount", Kind.DECIMAL, decimals=8),
        Parameter("toAmount", Kind.DECIMAL, decimals=8),
        Parameter("validTime", Kind.CHOICE, choices=("10s",), default="10s"),
    ),
    one_of=(("fromAmount", "toAmount"),),
    exclusive=(("fromAmount", "toAmount"),),
    answers=OfferedQuote,
    reads=True,
)
def get_quote(call: Call) -> OfferedQuote:
    values, now_us = call.values, call.now_us
    sold, bought = values["fromAsset"], values["toAsset"]
    _check_asset(sold)
    _check_asset(bought)
    if sold == bought:
        raise TABLES[USDM].refuse(-1126)
    quotes = QUOTES.of(call.sandbox)
    # The documents have the limit, but no words for whoever goes beyond it.
    if not quotes.count(call.account, now_us) and door_of(call).counts_in(call.sandbox):
        raise TABLES[USDM].refuse(-1003)
    with exact():
        given, taken = _amounts(
            call.engine, sold, bought, values.get("fromAmount"), values.get("toAmount"), now_us
        )
        for asset, amount in ((sold, given), (bought, taken)):
            _check_range(asset, amount)
        free = read(call).statement.withdrawable(sold)
        offered: OfferedQuote = {
            "ratio": _ratio(taken, given),
            "inverseRatio": _ratio(given, taken),
            "validTimestamp": call.render_time(now_us + VALID_US),
            "toAmount": render_plain(taken),
            "fromAmount": render_plain(given),
        }
    if given <= free:
        # Quirk: only who has enough to convert is given the id of a quote (Send Quote Request).
        quote = quotes.keep(call.account, sold, given, bought, taken, now_us)
        return {"quoteId": str(quote.id), **offered}
    return offered


@rows.usdm(
    "POST",
    "/v1/convert/acceptQuote",
    summary="Accept the offered quote",
    description="It is done when this is answered. A key needs the permission to trade futures.",
    security=msgspec.structs.replace(USER_DATA, permission="futures"),
    weight=200,
    parameters=(QUOTE_ID.but(required=True),),
    answers=AcceptedQuote,
)
def accept_quote(call: Call) -> Submission[AcceptedQuote]:
    quote = QUOTES.of(call.sandbox).find(call.values["quoteId"], call.account)
    if quote is None:
        # The documents have no code for a quote that nobody was given.
        raise TABLES[USDM].refuse(-1130, "quoteId")
    if quote.order or call.now_us >= quote.until_us:
        raise TABLES[USDM].refuse(EXPIRED)
    command = ExchangeAssets(
        account=call.account,
        wallet=USDM.wallet,
        sold=quote.sold,
        sold_amount=quote.sold_amount,
        bought=quote.bought,
        bought_amount=quote.bought_amount,
        reference=str(quote.id),
    )

    def answer(done: Done) -> AcceptedQuote:
        query = incomes_of(call.account, USDM.wallet, kind=IncomeKind.CONVERSION, limit=2, newest=True)
        sold, _ = call.engine.views.select(Income, query)
        quote.order = sold.number
        return {
            "orderId": str(sold.number),
            "createTime": call.render_time(sold.time_us),
            # The example of the documents says PROCESS, which is over here already; this is another one of
            # the documented words.
            "orderStatus": "SUCCESS",
        }

    return call.submit(command, answer)


@rows.usdm(
    "GET",
    "/v1/convert/orderStatus",
    summary="Order status",
    description="By the id of a quote as long as that is remembered.",
    security=USER_DATA,
    weight=50,
    parameters=(Parameter("orderId", length_max=40), QUOTE_ID),
    one_of=(("orderId", "quoteId"),),
    answers=ConvertOrder,
)
async def convert_status(call: Call) -> ConvertOrder:
    number = _order_of(call)
    query = incomes_of(call.account, USDM.wallet, kind=IncomeKind.CONVERSION, limit=2)
    found = await call.records(Income, msgspec.structs.replace(query, first_id=number))
    if not number or len(found) < 2 or found[0].number != number or found[0].amount > found[1].amount:
        raise TABLES[USDM].refuse(-2013)
    sold, bought = found
    with exact():
        return {
            "orderId": number,
            "orderStatus": "SUCCESS",
            "fromAsset": sold.asset,
            "fromAmount": render_plain(-sold.amount),
            "toAsset": bought.asset,
            "toAmount": render_plain(bought.amount),
            "ratio": _ratio(bought.amount, -sold.amount),
            "inverseRatio": _ratio(-sold.amount, bought.amount),
            "createTime": call.render_time(sold.time_us),
        }


def _order_of(call: Call) -> int:
    """The order that a request names by its own id or by its quote's; 0: none."""
    text = call.values.get("orderId")
    if text is not None:
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
    quote = QUOTES.of(call.sandbox).find(call.values["quoteId"], call.account)
    return 0 if quote is None else quote.order


def _check_asset(asset: str) -> None:
    if asset not in RANGES:
        raise TABLES[USDM].refuse(-1126)


def _check_range(asset: str, amount: Decimal) -> None:
    # The documents have the ranges, but no codes of their own for what is outside of them.
    if amount < RANGES[asset].least:
        raise TABLES[USDM].refuse(-4004)
    if amount > RANGES[asset].most:
        raise TABLES[USDM].refuse(-4005)


def _amounts(
    engine: Engine, sold: str, bought: str, given: Decimal | None, taken: Decimal | None, now_us: int
) -> tuple[Decimal, Decimal]:
    """What is sold and what is bought for it, of which one is named; the other is in favour of the market."""
    bid = asset_price(engine, sold, now_us) * (ONE - SPREAD)
    ask = asset_price(engine, bought, now_us)
    if given is not None:
        return given, divide_down(given * bid, ask, EIGHT_PLACES)
    assert taken is not None, "one of both amounts is sent"
    return divide_up(taken * ask, bid, EIGHT_PLACES), taken


def _ratio(numerator: Decimal, denominator: Decimal) -> str:
    """To eight digits that count, or nine."""
    step = ONE.scaleb(numerator.adjusted() - denominator.adjusted() - 8)
    return render_plain(divide_half(numerator, denominator, step))
