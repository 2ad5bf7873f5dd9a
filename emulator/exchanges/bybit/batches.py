"""Several orders in one request: what becomes of each is told in its place, always with `retCode` 0.

A batch counts as the orders in it. What failed keeps an empty id, and its code stands in `retExtInfo`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.exchanges.bybit import trading
from emulator.exchanges.bybit.auth import ORDER as MAY_ORDER
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.envelope import Told
from emulator.exchanges.bybit.figures import time_text
from emulator.exchanges.bybit.order_parameters import AMENDED_ORDER, CANCELED_ORDER, CATEGORY, NEW_ORDER
from emulator.exchanges.bybit.payloads.trading import Batch, BatchedOrder, OrderIds
from emulator.exchanges.bybit.reading import Misread
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.exchanges.bybit.symbols import traded_category
from emulator.runtime.ports import OutcomeUnknown, SandboxError, StorageUnavailable
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Failure, Kind, Parameter, Refusal, Rows

rows = Rows()

CONTRACTS_MAX: Final = 20
PAIRS_MAX: Final = 10

Decide = Callable[[Call, Category, Mapping[str, Any]], Submission[OrderIds]]
Attempt = Submission[OrderIds] | Refusal | StorageUnavailable
"""What comes of having one of several decided, before it may be told."""


async def _several(call: Call, decide: Decide, *, is_new: bool) -> Told:
    """Have all of a batch decided one after the other, before anything else can come between.

    What is not known of one, or was not tried, is told in its place, because others may have happened. Where
    it is the same of all it is raised: OutcomeUnknown or StorageUnavailable.
    """
    category = traded_category(call.values)
    members: tuple[dict[str, Any] | Refusal, ...] = call.values[REQUEST]
    if len(members) > (CONTRACTS_MAX if category.is_derivative else PAIRS_MAX):
        raise refuse_parameter(REQUEST)
    attempts = [_attempt(call, category, decide, member) for member in members]
    listed: list[BatchedOrder] = []
    codes: list[dict[str, Any]] = []
    failures: list[SandboxError] = []
    for member, one in zip(members, attempts, strict=True):
        ids: OrderIds | None = None
        refusal: Refusal | None = None
        try:
            if isinstance(one, Exception):
                raise one
            ids = await one
        except Refusal as error:
            refusal = error
        except (OutcomeUnknown, StorageUnavailable) as error:
            failures.append(error)
            kind = Failure.OUTCOME_UNKNOWN if isinstance(error, OutcomeUnknown) else Failure.UNAVAILABLE
            refusal = call.site.dialect.fail(kind, str(error))
        listed.append(_listed(call, category, member, ids, is_new=is_new))
        codes.append({"code": 0, "msg": "OK"} if refusal is None else _code(refusal))
    if len(failures) == len(attempts) and len({isinstance(one, OutcomeUnknown) for one in failures}) == 1:
        raise failures[0]
    result: Batch = {"list": listed}
    return Told(result=result, extra={"list": codes})


def _attempt(call: Call, category: Category, decide: Decide, member: dict[str, Any] | Refusal) -> Attempt:
    """Have one decided; that it was not is no reason to forget those before it."""
    if isinstance(member, Refusal):
        return member
    try:
        return decide(call, category, member)
    except (Refusal, StorageUnavailable) as error:
        return error


def _code(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code, "msg": refusal.message}


def _listed(
    call: Call,
    category: Category,
    member: dict[str, Any] | Refusal,
    ids: OrderIds | None,
    *,
    is_new: bool,
) -> BatchedOrder:
    sent: Mapping[str, Any] = {} if isinstance(member, Refusal) else member
    if isinstance(member, Misread):
        sent = {name: value for name, value in member.sent.items() if isinstance(value, str)}
    one: BatchedOrder = {
        "category": category.name,  # type: ignore[typeddict-item]  # the words of the categories
        "symbol": sent.get("symbol", ""),
        # Quirk: what failed has no id, and the name that it was sent with (Batch Cancel Order).
        "orderId": "" if ids is None else ids["orderId"],
        "orderLinkId": sent.get("orderLinkId", "") if ids is None else ids["orderLinkId"],
    }
    if is_new:
        one["createAt"] = "" if ids is None else time_text(call.now_us)
    return one


REQUEST: Final = "request"


def _requests(members: tuple[Parameter, ...]) -> Parameter:
    return Parameter(
        REQUEST,
        Kind.REQUEST_LIST,
        required=True,
        members=members,
        members_max=CONTRACTS_MAX,
        description="Up to 20 orders, of pairs ten, each with the parameters that it would have by itself.",
    )


@rows.route(
    "POST",
    "/v5/order/create-batch",
    summary="Batch place order",
    security=MAY_ORDER,
    parameters=(CATEGORY, _requests(NEW_ORDER)),
    answers=Batch,
)
async def create_orders(call: Call) -> Told:
    return await _several(call, trading.place, is_new=True)


@rows.route(
    "POST",
    "/v5/order/amend-batch",
    summary="Batch amend order",
    security=MAY_ORDER,
    parameters=(CATEGORY, _requests(AMENDED_ORDER)),
    answers=Batch,
)
async def amend_orders(call: Call) -> Told:
    return await _several(call, trading.amend_active, is_new=False)


@rows.route(
    "POST",
    "/v5/order/cancel-batch",
    summary="Batch cancel order",
    security=MAY_ORDER,
    parameters=(CATEGORY, _requests(CANCELED_ORDER)),
    answers=Batch,
)
async def cancel_orders(call: Call) -> Told:
    return await _several(call, trading.cancel, is_new=False)
