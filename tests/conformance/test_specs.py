"""Every row of the committed documents answers what its document says, whatever it is asked.

Each row is asked, in sandboxes of its own unless it only reads: what should succeed (`plausible`), the
same with one value spoilt, what its document allows, what it forbids, and without a proof of who asks. No
answer is a 5xx or slow or tells of a defect, every status is documented, and every body is JSON of its
closed schema.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    status_code_conformance,
)

from tests.conformance import contracts, plausible, unified
from tests.conformance.documents import CONTRACTS, NAMES, Documented, documented
from tests.conformance.effort import IS_LONG
from tests.conformance.furniture import Furniture, furnish
from tests.conformance.plausible import BODY, Recipe
from tests.conformance.signing import FORM, Keyed, Signed, Stamped

Case = schemathesis.Case[Any]
SECONDS_MAX = 10
"""A request that takes longer counts as hanging."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]

DEFECTS = (b'"code":-1000,', b'"retCode":10016,')
"""What the exchange's rows say of an exception that nobody expected: by design that is no 5xx."""

FURNISHED = "furnished"
"""The sandbox whose forks the rows are asked in."""

NEVER_ACCEPTED = unified.NEVER_ACCEPTED | {
    # No symbol has a reference price here: the error that says so is their only answer.
    "GET /api/v3/referencePrice",
    "GET /api/v3/referencePrice/calculation",
    # Links are signed, each for its own sandbox.
    "GET /fapi/v1/asyn/file",
    "GET /dapi/v1/asyn/file",
    # So are quotes: forks have none.
    "POST /fapi/v1/convert/acceptQuote",
    # Nobody has portfolio margin here, which is what everybody is told.
    "GET /fapi/v1/pmAccountInfo",
    "GET /dapi/v1/pmAccountInfo",
}

NAMES_NOTHING = {
    # What there is of a name is listed, and of one that nothing has that is nothing.
    "GET /sapi/v1/futures/transfer": "asset",
    "GET /v5/market/instruments-info": "symbol",
    # An order's own id comes before the symbol, which is then not looked at.
    "GET /v5/order/realtime": "symbol",
}
"""Parameters with which a row takes any name, whether something is called so or not."""


def examples(everyday: int, *, campaign: int) -> settings:
    return settings(
        max_examples=campaign if IS_LONG else everyday,
        deadline=None,
        # Every day asks the same, and each campaign something that nobody asked before.
        derandomize=not IS_LONG,
        database=None,
        # The cases of a row share its sandbox, so that a smaller one need not fail alone.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def rows(fits: Callable[[Documented], bool] = lambda row: True) -> list[Any]:
    """Test parameters: every row of both documents that fits."""
    return [
        pytest.param(row, id=label) for name in NAMES for label, row in documented(name).items() if fits(row)
    ]


def _is_overruled(case: Case) -> bool:
    """Whether something in the form does not count, because the query has the same name."""
    return isinstance(case.body, dict) and not case.body.keys().isdisjoint(case.query)


_PREFIXES = {"control": "/_emulator", **{name: f"/{name}" for name in CONTRACTS}}
"""What stands before the paths of a document. Some paths are the same on both sites of contracts."""


_STATUSES = {0: 200, 10003: 401, 10004: 401}
"""What codes of a JSON site come to, where it is no 400."""


def _proof_of(row: Documented) -> Signed | Stamped | Keyed | None:
    if not row.is_keyed:
        return None
    if row.is_json_site:
        return Stamped()
    return Signed() if row.is_signed else Keyed()


class Asked:
    """A row, and the sandbox in which it is asked."""

    def __init__(self, row: Documented, *, sandbox: str, url: str, session: requests.Session) -> None:
        self.row = row
        self.sandbox = sandbox
        self.statuses: Counter[int] = Counter()
        self._root = f"{url}/~{sandbox}"
        self._base = f"{self._root}{_PREFIXES.get(row.document, '')}"
        self._session = session
        self._auth = _proof_of(row)
        self._validators: dict[int, jsonschema_rs.Draft202012Validator] = {}

    def prepare(self) -> None:
        """Make what the row needs and the furniture lacks, or bars."""
        for path, body in unified.preparation_of(self.row.label):
            response = self._session.post(self._root + path, json=body, auth=Stamped(), timeout=SECONDS_MAX)
            assert response.json()["retCode"] == 0, response.text
        if self.row.document not in CONTRACTS:
            return
        for method, path, values in contracts.preparation_of(self.row.document, self.row.label):
            response = self._session.request(
                method, self._root + path, params=values, auth=self._auth, timeout=SECONDS_MAX
            )
            assert response.status_code == 200, response.text

    def ask(self, case: Case, *, prove: bool = True) -> int:
        """Send a case, check the answer, and return its status, or what comes nearest to the code of one that
        always has 200. prove: who asks, where that matters."""
        auth = self._auth if prove else None
        response = case.call(base_url=self._base, session=self._session, auth=auth, timeout=SECONDS_MAX)
        case.validate_response(
            response,
            checks=[
                *CHECKS,
                self._body_has_its_schema,
                # What a JSON site refuses has HTTP 200 as well.
                *([] if _is_overruled(case) or self.row.is_json_site else [negative_data_rejection]),
            ],
        )
        assert not any(defect in response.content for defect in DEFECTS), response.text
        assert response.elapsed < SECONDS_MAX, f"took {response.elapsed} s"
        status = response.status_code
        if self.row.is_json_site and status == 200:
            status = _STATUSES.get(response.json()["retCode"], 400)
        self.statuses[status] += 1
        return status

    def _body_has_its_schema(self, context: object, response: schemathesis.Response, case: Case) -> None:
        # schemathesis has a check for this, but it takes every tuple (`prefixItems`) for a mistake.
        validator = self._validators.get(response.status_code)
        if validator is None:
            content = self.row.raw["responses"][str(response.status_code)]["content"]
            schema = {**content["application/json"]["schema"], "components": self.row.components}
            validator = jsonschema_rs.Draft202012Validator(schema)
            self._validators[response.status_code] = validator
        errors = validator.iter_errors(response.json())
        wrong = [f"{error.instance_path}: {error.message}" for error in errors]
        assert not wrong, "\n".join(wrong[:5])

    def plausible(self, there: Furniture) -> SearchStrategy[Case]:
        return st.builds(self._case, self._recipe(there), st.booleans())

    def spoilt(self, there: Furniture) -> SearchStrategy[Case]:
        """Plausible requests of which one parameter is what its document does not allow."""
        schemas = {parameter["name"]: parameter["schema"] for parameter in self.row.parameters}
        for parameter in self.row.raw.get("parameters", ()):
            if parameter["name"] == NAMES_NOTHING.get(self.row.label):
                schemas[parameter["name"]] = parameter["schema"]
        texts = {
            name: _wrong_texts(schema, is_json=self.row.is_json_site)
            for name, schema in schemas.items()
            if not self.row.is_in_path(name)
        }
        wrong = st.one_of(
            [st.tuples(st.just(name), st.sampled_from(some)) for name, some in texts.items() if some]
        )
        return st.builds(
            lambda values, one, in_form: self._case({**values, one[0]: one[1]}, in_form),
            self._recipe(there),
            wrong,
            st.booleans(),
        )

    def _recipe(self, there: Furniture) -> Recipe:
        row = self.row
        names = [p["name"] for p in row.parameters]
        required = [p["name"] for p in row.parameters if p.get("required")]
        match row.document:
            case "binance":
                recipe = plausible.binance(there).get(row.label)
            case "control":
                recipe = plausible.control(there, self.sandbox).get(row.label)
            case unified.SITE:
                return unified.recipe_of(there.unified, row.label, names, required)
            case site:
                return contracts.recipe_of(there.contracts[site], row.label, names, required)
        return plausible.usual(names, required) if recipe is None else recipe

    def _case(self, values: Mapping[str, Any], in_form: bool) -> Case:
        own = self.row.own
        accepted = own.definition.raw.get("requestBody", {}).get("content", {})
        in_path = {name: value for name, value in values.items() if self.row.is_in_path(name)}
        query = {name: value for name, value in values.items() if name not in in_path and name != BODY}
        content: dict[str, Any] = {}
        if self.row.is_json_site and accepted:
            content, query = {"body": dict(values), "media_type": "application/json"}, {}
        elif FORM in accepted and in_form:
            content, query = {"body": query, "media_type": FORM}, {}
        elif BODY in values:
            content = {"body": values[BODY], "media_type": "application/json"}
        case: Case = own.Case(path_parameters=in_path, query=query, **content)
        return case


_WRONG = (
    *(
        "",
        " ",
        "a b",
        "%",
        "&",
        "=",
        "-0",
        "-1",
        "+1",
        "1.1.1",
        "1e5",
        "1E+999999",
        "NaN",
        "Infinity",
        "0x10",
    ),
    *(
        "1_000",
        "１",
        "٣",
        "9" * 21,
        "0" * 40,
        "1.123456789",
        "null",
        "{}",
        "[]",
        '[["BTCUSDT"]]',
        "[BTCUSDT]",
    ),
    *(
        '["BTCUSDT", "ETHBTC"]',
        "btcusdt",
        "BTC/USDT",
        "TRUE?",
        "x" * 2001,
        "\x00",
        "\x7f",
        "\ud7ff",
        "\U0001f600",
    ),
)


def _wrong_texts(schema: dict[str, Any], *, is_json: bool) -> list[str]:
    """Those of `_WRONG` that a parameter of this schema must not be. is_json: nothing is the same as null."""
    if is_json:
        return [text for text in _wrong_texts(schema, is_json=False) if text]
    match schema["type"]:
        case "integer":
            numbers = range(schema["minimum"], schema["maximum"] + 1)
            return [text for text in _WRONG if not re.fullmatch("[0-9]+", text) or int(text) not in numbers]
        case "boolean":
            return list(_WRONG)
        case _:
            validator = jsonschema_rs.Draft202012Validator(schema)
            return [text for text in _WRONG if not validator.is_valid(text)]


_numbers = count()


@pytest.fixture(scope="module")
def furniture(server_url: str, session: requests.Session) -> Furniture:
    return furnish(server_url, FURNISHED, session)


@contextmanager
def forked(url: str, session: requests.Session) -> Iterator[str]:
    """The name of a sandbox in which everything is as in the furnished one."""
    sandboxes = f"{url}/_emulator/sandboxes"
    name = f"row-{next(_numbers)}"
    made = session.post(f"{sandboxes}/{FURNISHED}/fork", json={"name": name}, timeout=SECONDS_MAX)
    assert made.status_code == 200, made.text
    yield name
    dropped = session.delete(f"{sandboxes}/{name}", timeout=SECONDS_MAX)
    # 404: a case may have dropped it.
    assert dropped.status_code in (200, 404), dropped.text


@pytest.fixture(scope="module")
def library(server_url: str, session: requests.Session, furniture: Furniture) -> Iterator[str]:
    """A sandbox that all rows are asked in which only read."""
    with forked(server_url, session) as name:
        yield name


@pytest.fixture
def asked(
    request: pytest.FixtureRequest,
    server_url: str,
    session: requests.Session,
    furniture: Furniture,
    library: str,
) -> Iterator[Asked]:
    row: Documented = request.param
    with ExitStack() as stack:
        is_read = row.label.startswith("GET ")
        sandbox = library if is_read else stack.enter_context(forked(server_url, session))
        one = Asked(row, sandbox=sandbox, url=server_url, session=session)
        one.prepare()
        yield one
        # Shown by --junit-xml: how often the row gave which status.
        request.node.user_properties.append(("statuses", dict(sorted(one.statuses.items()))))


@pytest.mark.parametrize("asked", rows(), indirect=True)
def test_plausible_requests_succeed(asked: Asked, furniture: Furniture) -> None:
    @examples(4, campaign=180)
    @given(asked.plausible(furniture))
    def ask(case: Case) -> None:
        asked.ask(case)

    ask()
    if asked.row.label in NEVER_ACCEPTED:
        assert 200 not in asked.statuses, "it is accepted after all"
    else:
        assert 200 in asked.statuses, f"nothing was accepted: {asked.statuses}"


@pytest.mark.parametrize("asked", rows(lambda row: row.has_query), indirect=True)
def test_one_wrong_value_spoils_a_plausible_request(asked: Asked, furniture: Furniture) -> None:
    @examples(3, campaign=180)
    @given(asked.spoilt(furniture))
    def ask(case: Case) -> None:
        assert asked.ask(case) in (400, 404)

    ask()


@pytest.mark.parametrize("asked", rows(), indirect=True)
def test_requests_that_the_document_allows_are_answered(asked: Asked) -> None:
    @examples(2, campaign=180)
    @given(asked.row.own.as_strategy(GenerationMode.POSITIVE))
    def ask(case: Case) -> None:
        asked.ask(case)

    ask()


@pytest.mark.parametrize("asked", rows(lambda row: row.takes_something), indirect=True)
def test_requests_that_the_document_forbids_are_refused(asked: Asked) -> None:
    @examples(2, campaign=240)
    @given(asked.row.own.as_strategy(GenerationMode.NEGATIVE))
    def ask(case: Case) -> None:
        asked.ask(case)

    ask()


@pytest.mark.parametrize("asked", rows(lambda row: row.is_keyed), indirect=True)
def test_requests_that_prove_nothing_are_refused(asked: Asked) -> None:
    cases = [asked.row.whole.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]

    @examples(1, campaign=60)
    @given(st.one_of(cases))
    def ask(case: Case) -> None:
        assert asked.ask(case, prove=False) in (400, 401)

    ask()
