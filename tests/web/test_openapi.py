"""The document that rows become."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import orjson

from emulator.web.contract import Call, Kind, Parameter, Rows, Security, Site
from emulator.web.openapi import coverage, document, value_schema
from tests.web.toy import ToyDialect, toy_site


class Fill(TypedDict):
    price: str


class Order(TypedDict):
    id: int
    fills: NotRequired[list[Fill]]


def site_of(rows: Rows) -> Site:
    return Site(name="toy", engine="north", title="T", rows=tuple(rows), dialect=ToyDialect())


def orders() -> Rows:
    rows = Rows()

    @rows.route(
        "POST",
        "/v1/order-list",
        summary="Place",
        answers=Order | list[Fill],
        security=Security(name="TRADE", keyed=True),
        parameters=(
            Parameter("side", Kind.CHOICE, required=True, choices=("BUY", "SELL")),
            Parameter("limit", Kind.INTEGER, default=5, minimum=1, maximum=10, clamped=True),
        ),
        exclusive=(("side", "limit"),),
    )
    def place(call: Call) -> Order:
        raise NotImplementedError

    @rows.route("GET", "/v1/order", summary="One", answers=dict[str, str], deprecated=True)
    def one(call: Call) -> dict[str, str]:
        raise NotImplementedError

    return rows


def test_every_object_that_names_its_members_is_closed() -> None:
    schemas = document(site_of(orders()))["components"]["schemas"]
    assert schemas["Order"] == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "fills": {"type": "array", "items": {"$ref": "#/components/schemas/Fill"}},
        },
        "required": ["id"],
        "additionalProperties": False,
    }
    assert schemas["Fill"]["additionalProperties"] is False
    assert schemas["Error"]["additionalProperties"] is False


def test_an_open_map_stays_open() -> None:
    one = document(site_of(orders()))["paths"]["/v1/order"]["get"]
    schema = one["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] == {"type": "string"}
    assert one["deprecated"] is True


def test_a_row_is_described_whole() -> None:
    place = document(site_of(orders()))["paths"]["/v1/order-list"]["post"]
    assert place["operationId"] == "postV1OrderList"
    assert place["security"] == [{"Key": []}]
    assert place["description"] == "At most one of side and limit may be sent."
    side, limit = place["parameters"]
    assert side == {
        "name": "side",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "enum": ["BUY", "SELL"]},
    }
    # A clamped maximum is no limit for who asks.
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**63 - 1, "default": 5}
    form = place["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert set(form["properties"]) == {"side", "limit"}
    assert {"200", "4XX", "5XX"} == set(place["responses"])


def test_the_same_rows_make_the_same_bytes() -> None:
    first = orjson.dumps(document(site_of(orders())))
    assert first == orjson.dumps(document(site_of(orders())))


def test_every_kind_has_a_schema() -> None:
    for kind in Kind:
        assert value_schema(Parameter("p", kind, choices=("A",)))["type"] in ("string", "integer", "boolean")


def test_coverage_lists_what_is_there_and_what_is_not() -> None:
    listed = coverage([toy_site(ToyDialect())])
    emulated = {(row["method"], row["path"]) for row in listed if row["emulated"]}
    missing = {(row["method"], row["path"], row["note"]) for row in listed if not row["emulated"]}
    assert ("POST", "/api/v3/echo") in emulated
    assert ("GET", "/api/v3/gone", "it left") in missing
