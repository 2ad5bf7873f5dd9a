"""Order lists."""

from __future__ import annotations

from tests.exchanges.binance.payload_examples.example import BTC, RESTING_LIST, Examples, placing
from tests.exchanges.binance.payload_examples.shapes_of_orders import ACK, LIST, RESTING, RESULT, STOP, less
from tests.exchanges.binance.shapes import Shape
from tests.exchanges.binance.test_order_lists import KINDS, OCO

examples = Examples()

# Order lists


def _reports(path: str, report: dict[str, Shape]) -> list[Shape]:
    """The shape of each report of a kind of list, in the order of the examples."""
    unknown = ("origQty",) if path in ("orderList/opo", "orderList/opoco") else ()
    pending = less(report, *unknown)
    is_ack = "status" not in report
    stop = {} if is_ack else STOP
    return {
        "orderList/oco": [report | stop, report],
        "orderList/oto": [report, pending],
        "orderList/otoco": [report, pending | stop, pending],
        "orderList/opo": [report, pending],
        "orderList/opoco": [report, pending | stop, pending],
    }[path]


for _path, _list in KINDS.items():
    for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", RESTING)):
        examples.shows(
            f"POST /api/v3/{_path}",
            LIST | {"orderReports": tuple(_reports(_path, _shape))},
            "New Order list",
            {**_list, "newOrderRespType": _form},
            form=_form,
        )
examples.shows(
    "POST /api/v3/order/oco",
    LIST | {"orderReports": (RESULT | STOP, RESULT)},
    "New OCO - Deprecated (TRADE)",
    {**BTC, "side": "SELL", "quantity": "0.01", "price": "110000", "stopPrice": "95000"},
)
examples.shows("GET /api/v3/orderList", LIST, "Query Order list", before=RESTING_LIST)
examples.shows(
    "GET /api/v3/allOrderList", [LIST], "Query all Order lists", before=placing("orderList/oco", OCO)
)
examples.shows(
    "GET /api/v3/openOrderList", [LIST], "Query Open Order lists", before=placing("orderList/oco", OCO)
)
