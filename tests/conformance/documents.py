"""The committed documents, as schemathesis reads them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import schemathesis
from schemathesis.core.result import Ok

from tests.conformance.signing import FORM, KEY

SPECS = Path(__file__).resolve().parents[2] / "specs"
CONTRACTS = ("binance-usdm", "binance-coinm")
JSON_SITES = ("bybit",)
"""Sites that sign in headers and take what they are told in a JSON body."""
NAMES = ("binance", *CONTRACTS, *JSON_SITES, "control")

_PROOF = ("recvWindow", "timestamp", "signature")
ADDED = {"binance": _PROOF, **dict.fromkeys(CONTRACTS, _PROOF), "bybit": (), "control": ("sandbox",)}
"""The parameters that are added to what is generated: who asks and when; and where, which the path says."""

Operation = Any
"""One method of one path; schemathesis's own type has parameters that nothing here depends on."""


THERE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "binance": {
        "symbol": ("BTCUSDT", "ETHBTC"),
        "asset": ("BTC", "USDT"),
        "coin": ("BTC", "USDT"),
    },
    "binance-usdm": {"symbol": ("BTCUSDT", "ETHUSDT"), "pair": ("BTCUSDT",)},
    "binance-coinm": {"symbol": ("BTCUSD_PERP", "ETHUSD_PERP"), "pair": ("BTCUSD",)},
    "bybit": {"symbol": ("BTCUSDT",), "category": ("linear", "spot"), "coin": ("BTC", "USDT")},
    "control": {"site": ("binance",), "symbol": ("BTCUSDT",), "account": ("demo",), "key": (KEY,)},
}
"""Names that are there, where a row must have one. Any other would be refused for that alone, and hide
what else is wrong."""


class Documented(NamedTuple):
    """One row of a document. whole: as it stands there. own: without the key and `ADDED`, and with no other
    names than those that are `THERE`, so that what is generated goes into what is the row's own."""

    document: str
    label: str
    whole: Operation
    own: Operation

    @property
    def raw(self) -> Mapping[str, Any]:
        """The operation object."""
        raw: Mapping[str, Any] = self.whole.definition.raw
        return raw

    @property
    def components(self) -> Mapping[str, Any]:
        components: Mapping[str, Any] = self.whole.schema.raw_schema["components"]
        return components

    @property
    def is_keyed(self) -> bool:
        return self.document != "control" and bool(self.raw.get("security"))

    @property
    def is_signed(self) -> bool:
        return self.is_json_site or any(
            parameter["name"] == "signature" for parameter in self.raw["parameters"]
        )

    @property
    def is_json_site(self) -> bool:
        return self.document in JSON_SITES

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """Its own, in path and query, or in a JSON body where that is where they are."""
        raw = self.own.definition.raw
        if not (self.is_json_site and "requestBody" in raw):
            return list(raw["parameters"])
        schema = raw["requestBody"]["content"]["application/json"]["schema"]
        required = schema.get("required", ())
        return [
            {"name": name, "schema": one, "required": name in required}
            for name, one in schema["properties"].items()
        ]

    @property
    def has_query(self) -> bool:
        return any(not self.is_in_path(parameter["name"]) for parameter in self.parameters)

    def is_in_path(self, name: str) -> bool:
        return f"{{{name}}}" in self.label

    @property
    def takes_something(self) -> bool:
        return bool(self.parameters or "requestBody" in self.own.definition.raw)


@cache
def documented(name: str) -> Mapping[str, Documented]:
    """The rows of a document by their labels, such as `GET /api/v3/time`."""
    content = (SPECS / name / "openapi.json").read_bytes()
    own = dict(_operations(_narrowed(json.loads(content), without=ADDED[name], names=THERE[name])))
    return {
        label: Documented(document=name, label=label, whole=whole, own=own[label])
        for label, whole in _operations(json.loads(content))
    }


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok), found.err()
        yield found.ok().label, found.ok()


def _narrowed(
    document: dict[str, Any], *, without: Collection[str], names: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation.pop("security", None)
            operation["parameters"] = [p for p in operation["parameters"] if p["name"] not in without]
            for parameter in operation["parameters"]:
                name = parameter["name"]
                if path.startswith("/accounts/") and name == "name":
                    name = "account"
                if name in names and (parameter.get("required") or name == "symbol"):
                    parameter["schema"] = {"type": "string", "enum": list(names[name])}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None and "properties" in body["schema"]:
                for name in body["schema"].get("required", ()):
                    if name in names:
                        body["schema"]["properties"][name] = {"type": "string", "enum": list(names[name])}
            form = operation.get("requestBody", {}).get("content", {}).get(FORM)
            if form is not None:
                properties = form["schema"]["properties"]
                for name in without:
                    properties.pop(name, None)
                for parameter in operation["parameters"]:
                    if parameter["name"] in properties:
                        properties[parameter["name"]] = parameter["schema"]
    return document
