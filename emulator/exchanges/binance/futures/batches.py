"""Several orders of contracts in one request: what becomes of each is told in its place, always with 200."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

from emulator.exchanges.binance.futures import modifying, orders
from emulator.exchanges.binance.futures.door import reserve_batch
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.payloads.trading import CoinmOrder, Failed, UsdmOrder
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.replies import PlacedOrder
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.futures.vocabulary import CLIENT_ID_PATTERN, TRADE
from emulator.exchanges.binance.reading import Reader
from emulator.exchanges.binance.vocabulary import SYMBOL
from emulator.runtime.ports import OutcomeUnknown, SandboxError, StorageUnavailable
from emulator.runtime.submission import Submission
from emulator.web.contract import OPEN, Call, Failure, Parameter, Refusal

rows = FuturesRows()

ORDERS_MAX: Final = 5
CANCELS_MAX: Final = 10

BATCH_ORDERS: Final = Parameter(
    "batchOrders",
    required=True,
    length_max=20_000,
    description="Up to five orders as a JSON list, each with the parameters that it would have by itself.",
)
_IDS: Final = Parameter("orderIdList", length_max=1000, description="Up to ten ids as a JSON list.")
_NAMES: Final = Parameter(
    "origClientOrderIdList", length_max=1000, description="Up to ten names as a JSON list."
)

Outcome = PlacedOrder | Failed
Attempt = Submission[PlacedOrder] | Refusal | StorageUnavailable
"""What comes of having one of several decided, before it may be told."""
Read = Callable[[dict[str, str], bool], dict[str, Any]]


def attempt(submit: Callable[[], Submission[PlacedOrder]]) -> Attempt:
    """Have one decided; that it was not is no reason to forget those before it."""
    try:
        return submit()
    except (Refusal, StorageUnavailable) as error:
        return error


async def outcomes(call: Call, attempts: Sequence[Attempt]) -> list[Outcome]:
    """What became of each, in their order, when all of it may be told.

    What is not known of one, or was not tried, is told in its place, because others may have happened. Where
    it is the same of all it is raised: OutcomeUnknown or StorageUnavailable.
    """
    answers: list[Outcome] = []
    failures: list[SandboxError] = []
    for one in attempts:
        try:
            if isinstance(one, Exception):
                raise one
            answers.append(await one)
        except Refusal as refusal:
            answers.append(_failed(refusal))
        except (OutcomeUnknown, StorageUnavailable) as error:
            failures.append(error)
            kind = Failure.OUTCOME_UNKNOWN if isinstance(error, OutcomeUnknown) else Failure.UNAVAILABLE
            answers.append(_failed(call.site.dialect.fail(kind, str(error))))
    if len(failures) == len(attempts) and len({isinstance(one, OutcomeUnknown) for one in failures}) == 1:
        raise failures[0]
    return answers


def _failed(refusal: Refusal) -> Failed:
    assert isinstance(refusal.code, int)
    return {"code": refusal.code, "msg": refusal.message}


def read_list(call: Call, name: str) -> list[Any]:
    """A parameter that is a JSON list; raises -1130 if it is none."""
    text: str = call.values[name]
    # Quirk: a list that was escaped twice, as python-binance sends it in bodies, is read as well
    # (github.com/sammchardy/python-binance, issue 1099).
    if text[:3].upper() == "%5B":
        text = unquote_plus(text)
    try:
        # Numbers stay the text that they were sent as.
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise TABLES[product_of(call)].refuse(-1130, name)
    return found


def read_orders(call: Call) -> list[dict[str, str]]:
    """The parameters of each order of a batch, as texts; raises -1130, and -4082 for too many or none."""
    refuse = TABLES[product_of(call)].refuse
    members = read_list(call, "batchOrders")
    if not all(isinstance(one, dict) for one in members):
        raise refuse(-1130, "batchOrders")
    if not 0 < len(members) <= ORDERS_MAX:
        raise refuse(-4082)
    return [{name: _text(value) for name, value in one.items()} for one in members]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


@cache
def reader_of(product: Product, of: FuturesRows, answer: Callable[[Call], Any]) -> Read:
    """What reads the parameters of one order of a batch as the row of a single one would."""
    (route,) = (one for one in of.of(product) if one.answer is answer)
    return Reader(TABLES[product]).compile(msgspec.structs.replace(route, security=OPEN), is_strict=False)


def submit_each(
    call: Call,
    read: Read,
    submit: Callable[[Call, Mapping[str, Any]], Submission[PlacedOrder]],
) -> list[Attempt]:
    """Have the orders of a batch decided one after the other, before anything else can come between."""
    listed = read_orders(call)
    reserve_batch(call, ORDERS_MAX)

    def decide(texts: dict[str, str]) -> Submission[PlacedOrder]:
        return submit(call, read(texts, False))

    return [attempt(partial(decide, texts)) for texts in listed]


@rows.both(
    "POST",
    "/v1/batchOrders",
    summary="Place multiple orders",
    security=TRADE,
    weight=5,
    parameters=(BATCH_ORDERS,),
    answers=list[UsdmOrder | Failed],
    coinm=Declared(answers=list[CoinmOrder | Failed]),
)
async def place_orders(call: Call) -> list[Outcome]:
    read = reader_of(product_of(call), orders.rows, orders.place_order)
    return await outcomes(call, submit_each(call, read, orders.place))


@rows.both(
    "PUT",
    "/v1/batchOrders",
    summary="Modify multiple orders",
    security=TRADE,
    weight=5,
    parameters=(BATCH_ORDERS,),
    answers=list[UsdmOrder | Failed],
    coinm=Declared(answers=list[CoinmOrder | Failed]),
)
async def modify_orders(call: Call) -> list[Outcome]:
    read = reader_of(product_of(call), modifying.rows, modifying.modify_order)
    return await outcomes(call, submit_each(call, read, modifying.modify))


@rows.both(
    "DELETE",
    "/v1/batchOrders",
    summary="Cancel multiple orders",
    description="Ids count where both lists are sent.",
    security=TRADE,
    weight=1,
    parameters=(
        SYMBOL,
        _IDS,
        _NAMES,
        # Quirk: clients spell the lists of this endpoint in lower case, which is read as well (older
        # documents; ccxt and python-binance).
        _IDS.but(name="orderidlist"),
        _NAMES.but(name="origclientorderidlist"),
    ),
    one_of=(("origClientOrderIdList", "orderIdList", "orderidlist", "origclientorderidlist"),),
    answers=list[UsdmOrder | Failed],
    coinm=Declared(answers=list[CoinmOrder | Failed]),
)
async def cancel_orders(call: Call) -> list[Outcome]:
    values, product = call.values, product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    named = [name for name in _LISTS if name in values]
    members = [(name, member) for name in named[:1] for member in read_list(call, name)]
    if not 0 < len(members) <= CANCELS_MAX:
        # Quirk: too many cancels in one request have a code of their own (error codes, -4032).
        raise TABLES[product].refuse(-4032)
    return await outcomes(
        call,
        [attempt(partial(_cancel, call, listing, name, member)) for name, member in members],
    )


def _cancel(call: Call, listing: Listing, name: str, member: Any) -> Submission[PlacedOrder]:
    return orders.cancel(call, listing, *_ids_of(product_of(call), name, member))


_LISTS: Final = ("orderIdList", "orderidlist", "origClientOrderIdList", "origclientorderidlist")


def _ids_of(product: Product, name: str, member: Any) -> tuple[int | None, str | None]:
    """One member of a list of either ids; raises -1130 for what is none."""
    text = member if isinstance(member, str) else ""
    if name.lower() == "orderidlist":
        if text.isascii() and text.isdigit() and len(text) <= 19:
            return int(text), None
    elif _NAME.fullmatch(text):
        return None, text
    raise TABLES[product].refuse(-1130, name)


_NAME: Final = re.compile(CLIENT_ID_PATTERN)
