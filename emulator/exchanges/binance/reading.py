"""The parameters of a request: from their texts to values, or what is wrong with one of them.

In which order complaints come is the door's (`door.py`); their codes are those of the table that a
reader is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, assert_never

from emulator.exchanges.binance.auth import to_microseconds
from emulator.exchanges.binance.refusals import DUPLICATE_VALUES, EITHER_REQUIRED, ErrorTable
from emulator.exchanges.binance.vocabulary import DECIMAL_RANGE, INTEGER_RANGE
from emulator.web.contract import Kind, Parameter, Refusal, Route

LONG_MAX = 9_223_372_036_854_775_807
DECIMAL_MAX = Decimal(LONG_MAX).scaleb(-8)
"""Amounts are 64-bit integers of 1e-8, as the largest listed `maxQty`, 92141578736, suggests."""
DECIMALS = 8
DECIMALS_REMEMBERED = 256
"""Of each parameter."""

INTEGER_DIGITS = 20
PIECES_REMEMBERED = 512
"""Of each row."""

_RECURRING = frozenset({Kind.DECIMAL, Kind.CHOICE, Kind.BOOLEAN})
"""Kinds whose values are few, or come several times when they come."""

_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_SIGNED = re.compile(r"(?!-[0.]+$)-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_TRUTHS = {"true": True, "false": False}

TIMESTAMP = Parameter(
    "timestamp",
    Kind.TIME,
    required=True,
    description="When the request was made, in milliseconds or microseconds.",
)
RECV_WINDOW = Parameter(
    "recvWindow",
    Kind.DECIMAL,
    minimum=0,
    maximum=60_000,
    decimals=3,
    description="For how many milliseconds after its timestamp the request may be processed.",
)
SIGNATURE = Parameter(
    "signature", required=True, length_max=1024, description="Of the query followed by the body."
)

Parse = Callable[[str], Any]


class Reader:
    """Makes, once for each row, what turns the text of its requests into values; errors: in whose words."""

    def __init__(self, errors: ErrorTable) -> None:
        self.errors = errors

    def compile(self, route: Route, *, is_strict: bool) -> Callable[[dict[str, str], bool], dict[str, Any]]:
        """What turns the pairs of a request into values, or raises what is wrong with them.

        Its second argument says whether a name was sent twice. is_strict: refuse what the row does not
        have. Of a signed row, `timestamp`, `recvWindow` and `signature` are among the values.
        """
        refuse = self.errors.refuse
        parsers, required, defaults = self._parsers_of(route), _required_of(route), _defaults_of(route)
        one_of, exclusive = route.one_of, route.exclusive

        def read(pairs: dict[str, str], twice: bool) -> dict[str, Any]:
            if is_strict and pairs and not parsers:
                raise refuse(-1101, 0, len(pairs))
            for name in required:
                if name not in pairs:
                    raise refuse(-1102, name)
            values: dict[str, Any] = defaults.copy()
            unread = 0
            for name, text in pairs.items():
                parse = parsers.get(name)
                if parse is None:
                    unread += 1
                elif text:
                    values[name] = parse(text)
                else:
                    raise self._empty(name)
            if unread and is_strict:
                raise refuse(-1104, len(pairs) - unread, len(pairs))
            if twice:
                raise refuse(-1101, text=DUPLICATE_VALUES)
            for group in one_of:
                if not any(name in pairs for name in group):
                    raise refuse(-1102, *group[:2], text=EITHER_REQUIRED)
            for group in exclusive:
                if sum(name in pairs for name in group) > 1:
                    raise refuse(-1128)
            return values

        return read

    def compile_plain(self, route: Route) -> Callable[[bytes], dict[str, Any] | None]:
        """What reads a query or a body in one go, as long as nothing is escaped and nothing wrong with it.

        None: something is, and what is said of it is for `compile` to find in its order.
        """
        parsers, required = self._parsers_of(route), frozenset(_required_of(route))
        defaults = _defaults_of(route)
        recurring = {p.name for p in route.parameters if p.kind in _RECURRING or p.name == "symbol"}
        mean = _Pieces(parsers, recurring | {"recvWindow"}).__getitem__
        one_of, exclusive = route.one_of, route.exclusive

        def read(raw: bytes) -> dict[str, Any] | None:
            if b"%" in raw or b"+" in raw or not raw.isascii():
                return None
            pieces = raw.decode().split("&")
            if len(pieces) > len(parsers):
                return None
            try:
                values: dict[str, Any] = dict(map(mean, pieces))
            except (KeyError, Refusal):
                return None
            if len(values) < len(pieces) or not required <= values.keys():
                return None
            for group in one_of:
                if not any(name in values for name in group):
                    return None
            for group in exclusive:
                if sum(name in values for name in group) > 1:
                    return None
            return {**defaults, **values} if defaults else values

        return read

    def _parsers_of(self, route: Route) -> dict[str, Parse]:
        parsers: dict[str, Parse] = {p.name: self.compile_parameter(p) for p in route.parameters}
        if route.security.signed:
            parsers["timestamp"] = self.compile_parameter(TIMESTAMP)
            parsers["recvWindow"] = self.compile_parameter(Parameter("recvWindow", Kind.DECIMAL, decimals=3))
            parsers["signature"] = str
        return parsers

    def _empty(self, name: str) -> Refusal:
        # Quirk: two parameters have codes of their own for being empty (errors.md, -1118 and -1119).
        match name:
            case "newClientOrderId":
                return self.errors.refuse(-1118)
            case "origClientOrderId":
                return self.errors.refuse(-1119)
            case "timestamp" | "signature":
                return self.errors.refuse(-1102, name)
        return self.errors.refuse(-1105, name)

    def compile_parameter(self, parameter: Parameter) -> Parse:
        """What turns one parameter's text, which is not empty, into its value or raises its error."""
        return _parser(parameter, self.errors)


@cache
def _parser(parameter: Parameter, errors: ErrorTable) -> Parse:
    """Rows name thousands of parameters, of which few differ: equal ones share what reads them."""
    match parameter.kind:
        case Kind.DECIMAL:
            return _decimal(parameter, errors)
        case Kind.INTEGER:
            return _integer(parameter, errors)
        case Kind.TIME:
            return _time(parameter, errors)
        case Kind.BOOLEAN:
            return _boolean(parameter, errors)
        case Kind.CHOICE:
            return _choice(parameter, errors)
        case Kind.TEXT:
            return _text(parameter, errors)
        case Kind.TEXT_LIST:
            return _text_list(parameter, errors)
        case Kind.REQUEST_LIST:
            raise AssertionError("lists of requests are JSON texts here, and read by their rows")
    assert_never(parameter.kind)


class _Pieces(dict[str, tuple[str, Any]]):
    """What each `name=value` of a row means. Most come again and again, and are remembered.

    Asking for one that means nothing raises KeyError, or what its parser does.
    """

    __slots__ = ("_parsers", "_recurring")

    def __init__(self, parsers: dict[str, Parse], recurring: set[str]) -> None:
        super().__init__()
        self._parsers = parsers
        self._recurring = recurring

    def __missing__(self, piece: str) -> tuple[str, Any]:
        name, _, text = piece.partition("=")
        if not text:
            raise KeyError(name)
        meant = (name, self._parsers[name](text))
        if name in self._recurring:
            if len(self) >= PIECES_REMEMBERED:
                self.clear()
            self[piece] = meant
        return meant


def _required_of(route: Route) -> tuple[str, ...]:
    required = tuple(p.name for p in route.parameters if p.required)
    return (*required, "timestamp", "signature") if route.security.signed else required


def _defaults_of(route: Route) -> dict[str, Any]:
    return {p.name: p.default for p in route.parameters if p.default is not None}


def _invalid(parameter: Parameter, errors: ErrorTable) -> Refusal:
    code = -1130 if parameter.error is None else parameter.error
    return errors.refuse_parameter(code, parameter.name)


def _decimal(parameter: Parameter, errors: ErrorTable) -> Parse:
    refuse = errors.refuse
    name = parameter.name
    places = DECIMALS if parameter.decimals is None else parameter.decimals
    minimum, maximum = parameter.minimum, parameter.maximum
    matches = (_SIGNED if errors.signed_numbers else _DECIMAL).fullmatch

    def parse(text: str) -> Decimal:
        if not matches(text):
            raise refuse(-1100, name, DECIMAL_RANGE)
        whole, point, fraction = text.partition(".")
        if point:
            if fraction[-1] == "0":
                fraction = fraction.rstrip("0")
                text = f"{whole}.{fraction}" if fraction else whole
            if len(fraction) > places:
                raise errors.refuse_parameter(-1111, name)
        value = Decimal(text)
        # Ten digits cannot exceed the largest amount, so most values need no comparison.
        if len(whole) > 10 and abs(value) > DECIMAL_MAX:
            raise errors.refuse_parameter(errors.overflow, name)
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            raise _invalid(parameter, errors)
        return value

    # Windows, quantities and prices come again and again, and a remembered one costs a tenth.
    return lru_cache(maxsize=DECIMALS_REMEMBERED)(parse)


def _integer(parameter: Parameter, errors: ErrorTable) -> Parse:
    refuse = errors.refuse
    name = parameter.name
    minimum, maximum, clamped = parameter.minimum, parameter.maximum, parameter.clamped

    def parse(text: str) -> int:
        if not (text.isdigit() and text.isascii() and len(text) <= INTEGER_DIGITS):
            raise refuse(-1100, name, INTEGER_RANGE)
        value = int(text)
        if value > LONG_MAX:
            raise errors.refuse_parameter(errors.overflow, name)
        if minimum is not None and value < minimum:
            raise _invalid(parameter, errors)
        if maximum is not None and value > maximum:
            if clamped:
                return int(maximum)
            raise _invalid(parameter, errors)
        return value

    return parse


def _time(parameter: Parameter, errors: ErrorTable) -> Parse:
    refuse = errors.refuse
    name = parameter.name

    def parse(text: str) -> int:
        if not (text.isdigit() and text.isascii() and len(text) <= INTEGER_DIGITS):
            raise refuse(-1100, name, INTEGER_RANGE)
        value = int(text)
        if value > LONG_MAX:
            raise errors.refuse_parameter(errors.overflow, name)
        return to_microseconds(value)

    return parse


def _boolean(parameter: Parameter, errors: ErrorTable) -> Parse:
    def parse(text: str) -> bool:
        # Python clients send str(True).
        truth = _TRUTHS.get(text.lower())
        if truth is None:
            raise _invalid(parameter, errors)
        return truth

    return parse


def _choice(parameter: Parameter, errors: ErrorTable) -> Parse:
    choices = frozenset(parameter.choices)

    def parse(text: str) -> str:
        if text not in choices:
            raise _invalid(parameter, errors)
        return text

    return lru_cache(maxsize=len(choices))(parse)


def _text(parameter: Parameter, errors: ErrorTable) -> Parse:
    refuse = errors.refuse
    name = parameter.name
    length_max = parameter.length_max
    legal_range = parameter.legal_range or parameter.pattern or f"^.{{1,{length_max}}}$"
    matches = re.compile(parameter.pattern or r"[^\x00-\x1f\x7f\ufffd]*").fullmatch

    def parse(text: str) -> str:
        if len(text) > length_max or not matches(text):
            if parameter.error is not None:
                raise _invalid(parameter, errors)
            raise refuse(-1100, name, legal_range)
        return text

    return parse


def _text_list(parameter: Parameter, errors: ErrorTable) -> Parse:
    refuse = errors.refuse
    name = parameter.name
    member = parameter.pattern or r'[^"\\\x00-\x1f\x7f\ufffd]{1,100}'
    legal_range = parameter.legal_range or rf'^\[("{member}"(,"{member}"){{0,}}){{0,1}}\]$'
    matches = re.compile(rf'\[(?:"(?:{member})"(?:,"(?:{member})")*)?\]').fullmatch

    def parse(text: str) -> tuple[str, ...]:
        # Quirk: a list such as `symbols` is JSON, but spaces between its members are refused (live answers
        # to several clients).
        if not matches(text):
            raise refuse(-1100, name, legal_range)
        if len(text) == 2:
            return ()
        members = tuple(text[2:-2].split('","'))
        if len(members) > parameter.members_max:
            raise refuse(-1101, parameter.members_max, len(members))
        if len(set(members)) < len(members):
            raise refuse(-1151)
        return members

    return parse
