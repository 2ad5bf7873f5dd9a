"""A digest of what types look like when they are written down, the same in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec


def shape_of(structs: Sequence[Any], tuples: Sequence[Any] = (), *, revision: int) -> str:
    """Of these types and those they are made of: names, order of fields, types, words of enumerations.

    tuples: named ones, whose values stand for fields in their order. revision: counts what types do not
    show, such as another meaning of the same fields. Docstrings do not count.
    """
    names = [(one.__name__, one.__struct_fields__) for one in structs]
    names += [(one.__name__, one._fields) for one in tuples]
    encoded = msgspec.json.encode(
        [revision, names, _plain(msgspec.json.schema_components(structs))], order="sorted"
    )
    return hashlib.blake2b(encoded, digest_size=8).hexdigest()


def _plain(schema: Any) -> Any:
    """Without docstrings, and with unions and sets, which have no order, in one of their own."""
    if isinstance(schema, dict):
        plain = {
            key: _plain(value)
            for key, value in schema.items()
            if not (key == "description" and isinstance(value, str))
        }
        for key in ("anyOf", "default"):
            if isinstance(plain.get(key), list):
                plain[key].sort(key=lambda one: msgspec.json.encode(one, order="sorted"))
        return plain
    if isinstance(schema, list | tuple):
        return [_plain(value) for value in schema]
    return schema
