"""What is written down in journals: every struct with its fields in order, every set of words.

Taken from the types, kept in a file, and compared with it, so that a change of the types that would
read existing entries wrongly, or not at all, is noticed where it is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import inspect

from emulator.runtime.ports import FORMAT_VERSION, Batch

LEDGER = Path(__file__).with_name("schema.json")
TAGGED = "any of the tagged structs"
_PLAIN: dict[type[inspect.Type], str] = {
    inspect.NoneType: "None",
    inspect.BoolType: "bool",
    inspect.IntType: "int",
    inspect.StrType: "str",
    inspect.DecimalType: "Decimal",
}


class FieldShape(msgspec.Struct, frozen=True, array_like=True):
    """default: what an entry without the field is read as, in JSON; None when each has to have it."""

    name: str
    type: str
    default: str | None = None


class StructShape(msgspec.Struct, frozen=True):
    """by: whether values are found by their place, or by their name."""

    by: Literal["place", "name"]
    fields: tuple[FieldShape, ...]


class Schema(msgspec.Struct, frozen=True):
    """structs: by the tag that entries have for them; those without one by the name of the class."""

    version: int
    structs: dict[str, StructShape]
    words: dict[str, tuple[str, ...]]


def schema_today() -> Schema:
    """Everything that can be reached from a batch."""
    structs: dict[str, StructShape] = {}
    words: dict[str, tuple[str, ...]] = {}
    _describe(inspect.type_info(Batch), structs, words)
    return Schema(FORMAT_VERSION, dict(sorted(structs.items())), dict(sorted(words.items())))


def _describe(shape: inspect.Type, structs: dict[str, StructShape], words: dict[str, tuple[str, ...]]) -> str:
    """The type in words; notes the structs and the sets of words in it."""
    match shape:
        case inspect.EnumType(cls=cls):
            words[cls.__name__] = tuple(sorted(str(member.value) for member in cls))
            return cls.__name__
        case inspect.VarTupleType(item_type=part):
            return f"tuple[{_describe(part, structs, words)}, ...]"
        case inspect.TupleType(item_types=parts):
            return f"tuple[{', '.join(_describe(part, structs, words) for part in parts)}]"
        case inspect.FrozenSetType(item_type=part):
            return f"frozenset[{_describe(part, structs, words)}]"
        case inspect.UnionType(types=parts):
            names = [_describe(part, structs, words) for part in parts]
            if all(isinstance(part, inspect.StructType) and part.tag is not None for part in parts):
                return TAGGED
            return " | ".join(names)
        case inspect.StructType(cls=cls):
            name = cls.__name__ if shape.tag is None else str(shape.tag)
            if name not in structs:
                structs[name] = StructShape("place", ())  # One may contain its like.
                structs[name] = StructShape(
                    "place" if shape.array_like else "name",
                    tuple(
                        FieldShape(field.encode_name, _describe(field.type, structs, words), _default(field))
                        for field in shape.fields
                    ),
                )
            return name
    return _PLAIN[type(shape)]


def _default(field: inspect.Field) -> str | None:
    if field.required:
        return None
    default: Any = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return msgspec.json.encode(default).decode()


def read_ledger() -> Schema:
    return msgspec.json.decode(LEDGER.read_bytes(), type=Schema)


def write_ledger(schema: Schema) -> None:
    """With a line for each struct, so that a change is seen as one."""
    parts = [f'"version": {schema.version}']
    for title, listed in (("structs", schema.structs), ("words", schema.words)):
        lines = [f'  "{name}": {msgspec.json.encode(shape).decode()}' for name, shape in listed.items()]
        parts.append(f'"{title}": {{\n' + ",\n".join(lines) + "\n}")
    LEDGER.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def breaks(before: Schema, after: Schema) -> list[str]:
    """What of `after` would read entries of `before` wrongly, or not at all; one line each."""
    found: list[str] = []
    for name, old in before.structs.items():
        new = after.structs.get(name)
        if new is None:
            found.append(f"{name} is gone, or has another name")
        else:
            found += [f"{name}: {change}" for change in _struct_breaks(old, new)]
    for name, old_words in before.words.items():
        lost = set(old_words) - set(after.words.get(name, ()))
        if lost:
            found.append(f"{name}: no longer knows {', '.join(sorted(lost))}")
    return found


def _struct_breaks(old: StructShape, new: StructShape) -> list[str]:
    if old.by != new.by:
        return [f"its values were found by {old.by}, and are found by {new.by}"]
    if old.by == "place":
        places = [field.name for field in new.fields[: len(old.fields)]]
        wanted = [field.name for field in old.fields]
        if places != wanted:
            return [f"it began with {', '.join(wanted)}, and begins with {', '.join(places)}"]
    found: list[str] = []
    fields = {field.name: field for field in new.fields}
    for field in old.fields:
        if field.name not in fields:
            found.append(f"{field.name} is gone, or has another name")
            continue
        now = fields.pop(field.name)
        if not set(field.type.split(" | ")) <= set(now.type.split(" | ")):
            found.append(f"{field.name} was {field.type}, and is {now.type}")
        if field.default is not None and field.default != now.default:
            found.append(f"{field.name}: the default was {field.default}, and is {now.default}")
    found += [f"{name} is new and has no default" for name, field in fields.items() if field.default is None]
    return found
