"""What JSON bodies look like: their keys and the types of their values, in a notation short enough to read.

A shape is a letter (s: string, i: integer, b: boolean, n: number), an object by its keys, a list by the one
shape of its members, a tuple for an array of that length, or `Each` for an object whose keys are data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints, is_typeddict

Shape = Any


class Each(NamedTuple):
    """An object with any keys, whose values all look alike."""

    value: Shape


def fields(text: str, **nested: Shape) -> dict[str, Shape]:
    """An object: `fields("symbol:s orderId:i", fills=[...])`."""
    return {**dict(word.split(":") for word in text.split()), **nested}


def complaints(value: Any, shape: Shape, at: str = "body") -> Iterator[str]:
    """Where a value does not look like a shape; nothing when it does."""
    match shape:
        case str():
            if letter_of(value) != shape and not (shape == "n" and letter_of(value) in ("i", "f")):
                yield f"{at} is {value!r}, not {shape}"
        case Each():
            if not isinstance(value, dict) or not value:
                yield f"{at} is {value!r}, not an object with members"
                return
            for name, member in value.items():
                yield from complaints(member, shape.value, f"{at}.{name}")
        case dict():
            if not isinstance(value, dict):
                yield f"{at} is {value!r}, not an object"
                return
            missing, surplus = sorted(shape.keys() - value.keys()), sorted(value.keys() - shape.keys())
            if missing or surplus:
                yield f"{at} lacks {missing} and has {surplus}"
            for name in shape.keys() & value.keys():
                yield from complaints(value[name], shape[name], f"{at}.{name}")
        case [member]:
            # An example of a list without members shows nothing.
            if not isinstance(value, list) or not value:
                yield f"{at} is {value!r}, not a list with members"
                return
            for place, one in enumerate(value):
                yield from complaints(one, member, f"{at}[{place}]")
        case []:
            if value != []:
                yield f"{at} is {value!r}, not an empty list"
        case tuple():
            if not isinstance(value, list) or len(value) != len(shape):
                yield f"{at} is {value!r}, not {len(shape)} values"
                return
            for place, (one, member) in enumerate(zip(value, shape, strict=True)):
                yield from complaints(one, member, f"{at}[{place}]")
        case _:
            raise AssertionError(f"{shape!r} is no shape")


def letter_of(value: Any) -> str:
    if isinstance(value, bool):
        return "b"
    match value:
        case str():
            return "s"
        case int():
            return "i"
        case float():
            return "f"
        case None:
            return "null"
    return type(value).__name__


_LETTERS = {str: "s", int: "i", bool: "b", float: "n"}


def declared(answers: Any) -> Shape:
    """The shape of a declared response type, with all its conditional members."""
    if answers in _LETTERS:
        return _LETTERS[answers]
    if is_typeddict(answers):
        return {name: declared(hint) for name, hint in get_type_hints(answers).items()}
    origin, arguments = get_origin(answers), get_args(answers)
    if origin is list:
        return [declared(arguments[0])]
    if origin is tuple:
        return tuple(declared(argument) for argument in arguments)
    if origin in (UnionType, Union):
        members = [argument for argument in arguments if argument is not NoneType]
        assert len(members) == 1, f"{answers} is one of several"
        return declared(members[0])
    assert isinstance(origin, type)
    assert issubclass(origin, Mapping), answers
    return Each(declared(arguments[1]))
