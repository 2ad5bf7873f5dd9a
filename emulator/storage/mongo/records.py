"""Records of the archive as MongoDB's documents: what stands in them, and how a query asks for them.

Numbers beyond 64 bits, which MongoDB does not have, can only be in a query: they are its end then.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from emulator.core.events import AnyEvent
from emulator.core.history import Query
from emulator.runtime.archive import ArchiveRecord, archive_key
from emulator.storage.mongo.entries import Content

R = TypeVar("R")

INTEGER_MAX = 2**63 - 1

_EVENT_FIELDS: dict[str, tuple[str, ...]] = {
    kind.__name__: kind.__struct_fields__ for kind in typing.get_args(AnyEvent)
}


def id_of(sandbox: str, engine: str, record: ArchiveRecord) -> str:
    key = archive_key(record)
    return f"{sandbox}/{engine}/{key.account}/{key.scope}/{key.id}/{key.part}"


def document_of(sandbox: str, engine: str, record: ArchiveRecord) -> Content:
    key = archive_key(record)
    content: Content = msgspec.to_builtins(record)
    if "event" in content:
        # The journal's arrays, whose values are found by their place, are nothing for people.
        name, *values = content["event"]
        content["event"] = {"type": name, **dict(zip(_EVENT_FIELDS[name], values, strict=True))}
    return {
        "_id": id_of(sandbox, engine, record),
        "sandbox": sandbox,
        "engine": engine,
        "account": key.account,
        "scope": key.scope,
        "number": key.id,
        "part": key.part,
        "time_us": key.time_us,
        "label": key.label,
        "record": content,
    }


def record_of(kind: type[R], document: Mapping[str, Any]) -> R:
    """Raises msgspec.ValidationError."""
    content = document["record"]
    if "event" in content:
        named = content["event"]
        name = named["type"]
        content = {**content, "event": [name, *(named[field] for field in _EVENT_FIELDS[name])]}
    return msgspec.convert(content, kind)


def filter_of(sandbox: str, engine: str, query: Query) -> Content:
    asked: Content = {
        "sandbox": sandbox,
        "engine": engine,
        "account": query.account,
        "scope": query.scope,
    }
    for field, word, bound in (
        ("number", "$gte", query.first_id),
        ("number", "$lte", query.last_id),
        ("time_us", "$gte", query.start_us),
        ("time_us", "$lte", query.end_us),
        ("part", "$eq", query.part),
    ):
        if bound is not None:
            asked.setdefault(field, {})[word] = max(-INTEGER_MAX, min(bound, INTEGER_MAX))
    if query.label is not None:
        asked["label"] = query.label
    return asked


def order_of(query: Query) -> list[tuple[str, int]]:
    """By number, then part, in the words of the index that finds the records.

    Numbers ascend with time, so by time they come in the same order.
    """
    by_time = query.start_us is not None or query.end_us is not None
    fields = ["number", "part"]
    if by_time and query.part is None and query.label is None:
        fields.insert(0, "time_us")
    return [(field, -1 if query.newest else 1) for field in fields]
