"""Every row of the committed documents answers what its document says, whatever it is asked.

Each row is asked three times over, in a sandbox of its own: what should succeed (`plausible`), what its
document allows, and what it does not. No answer is a 5xx or slow, every status is documented, and every
body is JSON of its closed schema.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conformance import plausible
from tests.conformance.plausible import BODY, Furniture, Recipe
from tests.conformance.signing import FORM, Keyed, Signed

Case = schemathesis.Case[Any]
Operation = Any
"""One method of one path; schemathesis's own type has parameters that nothing here depends on."""

SPECS = Path(__file__).resolve().parents[2] / "specs"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SECONDS_MAX = 10
"""A request that takes longer counts as hanging."""

EXAMPLES_FACTOR = 50 if os.environ.get("EMULATOR_TEST_LONG") else 1
"""EMULATOR_TEST_LONG=1 makes a campaign of it."""

NEVER_ACCEPTED = {
    # No symbol has a reference price here: the error that says so is their only answer.
    "GET /api/v3/referencePrice",
    "GET /api/v3/referencePrice/calculation",
}


def examples(number: int) -> settings:
    return settings(
        max_examples=number * EXAMPLES_FACTOR,
        deadline=None,
        derandomize=True,
        database=None,
        # The target is a server whose sandbox the cases share: a smaller case need not fail alone.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@cache
def operations(name: str) -> Mapping[str, Operation]:
    """The rows of a document by their labels, such as `GET /api/v3/time`."""
    document = schemathesis.openapi.from_path(SPECS / name / "openapi.json")
    found = [result.ok() for result in document.get_all_operations()]
    return {operation.label: operation for operation in found}


def rows(*, that_take_something: bool = False) -> list[Any]:
    """Test parameters: every row of both documents."""
    return [
        pytest.param((name, label), id=label)
        for name in ("binance", "control")
        for label, operation in operations(name).items()
        if not that_take_something or _takes_something(operation)
    ]


def _takes_something(operation: Operation) -> bool:
    raw = operation.definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


class Row:
    """One row and the sandbox in which it is asked."""

    def __init__(self, name: str, label: str, url: str, there: Furniture, session: requests.Session) -> None:
        self.name = name
        self.label = label
        self.operation = operations(name)[label]
        self.there = there
        self.statuses: Counter[int] = Counter()
        self._base = f"{url}/~{there.sandbox}" + ("/_emulator" if name == "control" else "")
        self._session = session
        raw = self.operation.definition.raw
        self._auth: AuthBase | None = None
        if any(parameter["name"] == "signature" for parameter in raw["parameters"]):
            self._auth = Signed()
        elif name == "binance" and raw.get("security"):
            self._auth = Keyed()

    def ask(self, case: Case) -> None:
        response = case.call(base_url=self._base, session=self._session, auth=self._auth, timeout=SECONDS_MAX)
        case.validate_response(response, checks=CHECKS)
        assert response.elapsed < SECONDS_MAX, f"took {response.elapsed} s"
        self.statuses[response.status_code] += 1

    def plausible(self) -> SearchStrategy[Case]:
        recipes = (plausible.binance if self.name == "binance" else plausible.control)(self.there)
        found = recipes.get(self.label)
        if found is None:
            found = self._usual()
        return st.builds(self._case, found, st.booleans())

    def _usual(self) -> Recipe:
        ours = ("timestamp", "signature", "recvWindow", "sandbox")
        parameters = [p for p in self.operation.definition.raw["parameters"] if p["name"] not in ours]
        return plausible.usual(
            [p["name"] for p in parameters], [p["name"] for p in parameters if p.get("required")]
        )

    def _case(self, values: Mapping[str, Any], in_form: bool) -> Case:
        raw = self.operation.definition.raw
        accepted = raw.get("requestBody", {}).get("content", {})
        in_path = {name: value for name, value in values.items() if f"{{{name}}}" in self.operation.path}
        query = {n: value for n, value in values.items() if n not in in_path and n != BODY}
        content: dict[str, Any] = {}
        if FORM in accepted and in_form:
            content, query = {"body": query, "media_type": FORM}, {}
        elif BODY in values:
            content = {"body": values[BODY], "media_type": "application/json"}
        case: Case = self.operation.Case(path_parameters=in_path, query=query, **content)
        return case


_numbers = count()


@pytest.fixture
def row(request: pytest.FixtureRequest, server_url: str, session: requests.Session) -> Iterator[Row]:
    name, label = request.param
    sandbox = f"row-{next(_numbers)}"
    there = plausible.furnish(server_url, sandbox, session)
    yield Row(name, label, server_url, there, session)
    # 404: a case may have dropped it.
    dropped = session.delete(f"{server_url}/_emulator/sandboxes/{sandbox}", timeout=SECONDS_MAX)
    assert dropped.status_code in (200, 404), dropped.text


@pytest.mark.parametrize("row", rows(), indirect=True)
def test_plausible_requests_succeed(row: Row) -> None:
    @examples(8)
    @given(row.plausible())
    def ask(case: Case) -> None:
        row.ask(case)

    ask()
    if row.label in NEVER_ACCEPTED:
        assert 200 not in row.statuses, "it is accepted after all"
    else:
        assert 200 in row.statuses, f"nothing was accepted: {row.statuses}"


@pytest.mark.parametrize("row", rows(), indirect=True)
def test_requests_that_the_document_allows_are_answered(row: Row) -> None:
    @examples(8)
    @given(row.operation.as_strategy(GenerationMode.POSITIVE))
    def ask(case: Case) -> None:
        row.ask(case)

    ask()


@pytest.mark.parametrize("row", rows(that_take_something=True), indirect=True)
def test_requests_that_the_document_forbids_are_answered(row: Row) -> None:
    @examples(12)
    @given(row.operation.as_strategy(GenerationMode.NEGATIVE))
    def ask(case: Case) -> None:
        row.ask(case)

    ask()
