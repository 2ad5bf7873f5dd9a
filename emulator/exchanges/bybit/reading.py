"""The parameters of a request: from their texts, or from the values of a JSON body, to what they mean.

Those of a GET stand in its query, those of a POST in a JSON object. What is a number may be sent as one or as
text, and so may what is true or false; a value that is null or empty counts as not sent; a name that
nobody knows is passed over. A list of requests is read member by member: what is wrong with one of them is
in its place, since the others go on.

In whose words a parameter is refused depends on the row: orders of pairs have codes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, assert_never

import msgspec

from emulator.core.numbers import parse_plain
from emulator.exchanges.bybit.refusals import (
    MISSING_ONE_OF,
    refuse,
    refuse_parameter,
    refuse_spot_missing,
    refuse_spot_parameter,
)
from emulator.web.contract import Kind, Parameter, Refusal, Route
from emulator.web.params import TooManyPairs, split_pairs

DIGITS_MAX: Final = 18
"""Of a whole number."""
DECIMALS_REMEMBERED: Final = 256
"""Of each parameter."""
MEMBERS_MAX: Final = 256
"""Names of one object beyond which none is looked at; the largest row has some forty."""

CATEGORY: Final = "category"


class Words(NamedTuple):
    """What is said of a parameter, by its name, that is missing or not what it should be."""

    missing: Callable[[str], Refusal]
    invalid: Callable[[str], Refusal]


USUAL: Final = Words(refuse_parameter, refuse_parameter)
SPOT_ORDERS: Final = Words(refuse_spot_missing, refuse_spot_parameter)

Complain = Callable[[str], Refusal]

Read = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Turns what was sent into values, or raises what is wrong with it."""

_TRUTHS: Final = {"true": True, "false": False}
_DECIMAL: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_SIGNED: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)

PLAIN_MAX: Final = 40
"""Digits of a number in scientific notation that is read, and the largest exponent."""


def _as_sent(number: str) -> str:
    """A JSON number with a point as the text that it was sent as, so that none of them is rounded; in plain
    digits where it has an exponent, as Python writes small ones."""
    if "e" not in number and "E" not in number:
        return number
    digits, _, exponent = number.lower().partition("e")
    if len(digits) > PLAIN_MAX or len(exponent) > 3 or abs(int(exponent)) > PLAIN_MAX:
        return number
    return f"{Decimal(number):f}"


_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_as_sent)


class Misread(Refusal):
    """What is wrong with one of a list of requests. sent: its members, as they came."""

    def __init__(self, refusal: Refusal, sent: Mapping[str, Any]) -> None:
        super().__init__(refusal.status, refusal.code, refusal.message)
        self.sent = sent


class Unreadable(ValueError):
    """What was sent is not even a list of names and values."""


def parse_query(query: bytes) -> dict[str, Any]:
    """Raises Unreadable."""
    try:
        pairs, _ = split_pairs(query, b"")
    except TooManyPairs as error:
        raise Unreadable from error
    return dict(pairs)


def parse_body(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; nothing at all is an object without any. Raises Unreadable."""
    if not body:
        return {}
    try:
        members = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable from error
    if len(members) > MEMBERS_MAX:
        raise Unreadable
    return members


def compile_reading(route: Route) -> Callable[[Mapping[str, Any], str | None], dict[str, Any]]:
    """What reads the parameters of a row; its second argument is the category that was sent."""
    read = _reader(route.parameters, route.one_of, route.exclusive, USUAL)
    if not (route.path.startswith("/v5/order/") and route.method == "POST"):
        return lambda sent, category: read(sent)
    read_spot = _reader(route.parameters, route.one_of, route.exclusive, SPOT_ORDERS)
    return lambda sent, category: read_spot(sent) if category == "spot" else read(sent)


def _reader(
    parameters: tuple[Parameter, ...],
    one_of: tuple[tuple[str, ...], ...],
    exclusive: tuple[tuple[str, ...], ...],
    words: Words,
) -> Read:
    parsers = {each.name: _parser(each, words) for each in parameters}
    required = tuple(each.name for each in parameters if each.required)
    defaults = {each.name: each.default for each in parameters if each.default is not None}

    def read(sent: Mapping[str, Any]) -> dict[str, Any]:
        values = defaults.copy()
        for name, parse in parsers.items():
            value = sent.get(name)
            if value is None or value == "":
                continue
            values[name] = parse(value)
        for name in required:
            if name not in values:
                raise words.missing(name)
        for group in one_of:
            if not any(name in values for name in group):
                raise refuse(10001, " or ".join(group), text=MISSING_ONE_OF)
        for group in exclusive:
            if sum(name in values for name in group) > 1:
                raise refuse(10001)
        return values

    return read


Parse = Callable[[Any], Any]


@cache
def _parser(parameter: Parameter, words: Words) -> Parse:
    """Equal parameters share what reads them, and what it remembers."""
    complain = words.invalid
    parse: Callable[[str], Any]
    match parameter.kind:
        case Kind.REQUEST_LIST:
            return _request_list(parameter, words)
        case Kind.TEXT_LIST:
            return _text_list(parameter, complain)
        case Kind.DECIMAL:
            parse = _decimal(parameter, complain)
        case Kind.INTEGER:
            parse = _integer(parameter, complain)
        case Kind.TIME:
            parse = _time(parameter, complain)
        case Kind.BOOLEAN:
            parse = _boolean(parameter, complain)
        case Kind.CHOICE:
            parse = _choice(parameter, complain)
        case Kind.TEXT:
            parse = _text(parameter, complain)
        case _:
            assert_never(parameter.kind)
    return _from_any(parse, parameter, complain)


def _from_any(parse: Callable[[str], Any], parameter: Parameter, complain: Complain) -> Parse:
    """What reads a text reads numbers and truths as well, which JSON writes without quotes."""

    def read(value: Any) -> Any:
        if type(value) is str:
            return parse(value)
        if type(value) is bool:
            return parse("true" if value else "false")
        if type(value) is int:
            # Whoever sends more digits than Python prints without being asked means no number.
            if not -(10**40) < value < 10**40:
                raise complain(parameter.name)
            return parse(str(value))
        raise complain(parameter.name)

    return read


def _decimal(parameter: Parameter, complain: Complain) -> Callable[[str], Decimal]:
    name, maximum, places = parameter.name, parameter.maximum, parameter.decimals
    minimum = 0 if parameter.minimum is None else parameter.minimum
    matches = (_SIGNED if minimum < 0 else _DECIMAL).fullmatch

    def parse(text: str) -> Decimal:
        if not matches(text):
            raise complain(name)
        value = parse_plain(text)
        if value is None:
            raise complain(name)
        if places is not None and _places(value) > places:
            raise complain(name)
        if value < minimum or (maximum is not None and value > maximum):
            raise complain(name)
        return value

    return lru_cache(maxsize=DECIMALS_REMEMBERED)(parse)


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _integer(parameter: Parameter, complain: Complain) -> Callable[[str], int]:
    name, maximum = parameter.name, parameter.maximum
    minimum = 0 if parameter.minimum is None else parameter.minimum

    def parse(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise complain(name)
        value = int(text)
        if value < minimum:
            raise complain(name)
        if maximum is not None and value > maximum:
            if parameter.clamped:
                return int(maximum)
            raise complain(name)
        return value

    return parse


def _time(parameter: Parameter, complain: Complain) -> Callable[[str], int]:
    name = parameter.name

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise complain(name)
        return int(text) * 1000

    return parse


def _boolean(parameter: Parameter, complain: Complain) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        truth = _TRUTHS.get(text.lower())
        if truth is None:
            raise complain(parameter.name)
        return truth

    return parse


def _choice(parameter: Parameter, complain: Complain) -> Callable[[str], str]:
    choices = frozenset(parameter.choices)

    def parse(text: str) -> str:
        if text not in choices:
            raise complain(parameter.name)
        return text

    return parse


def _text(parameter: Parameter, complain: Complain) -> Callable[[str], str]:
    length_max = parameter.length_max
    matches = re.compile(parameter.pattern or r"[^\x00-\x1f\x7f\ufffd]*").fullmatch

    def parse(text: str) -> str:
        if len(text) > length_max or not matches(text):
            raise complain(parameter.name)
        return text

    return parse


def _text_list(parameter: Parameter, complain: Complain) -> Parse:
    """A JSON array of texts, or a text with commas between them."""
    one = _text(parameter, complain)

    def parse(value: Any) -> tuple[str, ...]:
        if type(value) is str:
            value = value.split(",")
        if type(value) is not list or len(value) > parameter.members_max:
            raise complain(parameter.name)
        if any(type(member) is not str for member in value):
            raise complain(parameter.name)
        return tuple(one(member) for member in value)

    return parse


def _request_list(parameter: Parameter, words: Words) -> Parse:
    read, complain = _reader(parameter.members, (), (), words), words.invalid

    def parse(value: Any) -> tuple[dict[str, Any] | Refusal, ...]:
        if type(value) is not list or not value or len(value) > parameter.members_max:
            raise complain(parameter.name)
        members: list[dict[str, Any] | Refusal] = []
        for member in value:
            if type(member) is not dict or len(member) > MEMBERS_MAX:
                raise complain(parameter.name)
            try:
                members.append(read(member))
            except Refusal as refusal:
                members.append(Misread(refusal, member))
        return tuple(members)

    return parse
