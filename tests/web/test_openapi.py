"""The document that rows become."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, Required, TypedDict

import orjson

from emulator.web.contract import Call, Kind, Parameter, Rows, Security, Site
from emulator.web.openapi import Schemas, coverage, document, value_schema
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
        failures={409: "Half of it was done"},
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
    assert list(place["responses"]) == ["200", "400", "409"]


def test_the_same_rows_make_the_same_bytes() -> None:
    first = orjson.dumps(document(site_of(orders())))
    assert first == orjson.dumps(document(site_of(orders())))


class Named(TypedDict):
    """What it is.

    And more of it.
    """

    either: Fill | list[Order] | None
    row: tuple[int, str, Literal["0"]]
    rows: tuple[int, ...]
    by_name: dict[str, Fill]
    anything: Any


class Partly(TypedDict, total=False):
    id: Required[int]
    fill: Fill


class Whole(Partly):
    more: bool


def test_alternatives_may_have_several_forms() -> None:
    schemas = Schemas()
    assert schemas.describe(Fill | list[Order | Fill]) == {
        "anyOf": [
            {"$ref": "#/components/schemas/Fill"},
            {
                "type": "array",
                "items": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/Order"},
                        {"$ref": "#/components/schemas/Fill"},
                    ]
                },
            },
        ]
    }
    assert set(schemas.components) == {"Fill", "Order"}


def test_members_are_described_by_their_types() -> None:
    schemas = Schemas()
    schemas.describe(Named)
    named = schemas.components["Named"]
    assert named["description"] == "What it is.\n\nAnd more of it."
    assert named["required"] == ["either", "row", "rows", "by_name", "anything"]
    assert named["properties"]["either"]["anyOf"][2] == {"type": "null"}
    assert named["properties"]["row"] == {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}, {"enum": ["0"]}],
        "minItems": 3,
        "maxItems": 3,
    }
    assert named["properties"]["rows"] == {"type": "array", "items": {"type": "integer"}}
    assert named["properties"]["by_name"]["additionalProperties"] == {"$ref": "#/components/schemas/Fill"}
    assert named["properties"]["anything"] == {}


def test_what_is_required_is_told_through_inheritance() -> None:
    schemas = Schemas()
    schemas.describe(Whole)
    assert sorted(schemas.components["Whole"]["required"]) == ["id", "more"]


def test_two_types_of_one_name_are_told_apart() -> None:
    def make() -> Any:
        class Fill(TypedDict):
            other: int

        return Fill

    schemas = Schemas()
    schemas.describe(list[Fill])
    assert schemas.describe(make()) == {"$ref": "#/components/schemas/Test_OpenapiFill"}


def test_every_kind_has_a_schema() -> None:
    for kind in Kind:
        schema = value_schema(Parameter("p", kind, choices=("A",)))
        assert schema["type"] in {"string", "integer", "boolean", "array"}


def test_coverage_lists_what_is_there_and_what_is_not() -> None:
    listed = coverage([toy_site(ToyDialect())])
    emulated = {(row["method"], row["path"]) for row in listed if row["emulated"]}
    missing = {(row["method"], row["path"], row["note"]) for row in listed if not row["emulated"]}
    assert ("POST", "/api/v3/echo") in emulated
    assert ("GET", "/api/v3/gone", "it left") in missing
