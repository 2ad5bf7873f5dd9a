"""Eras: named switches for what exchanges changed on the wire, all in one setting.

Each exchange has its own switches, as the fields of a frozen struct whose defaults keep stock clients of
today alive. No two exchanges have one of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

E = TypeVar("E", bound=msgspec.Struct)


class EraUnknown(ValueError):
    """A switch that does not exist, or a position that it does not have."""


def check_eras(settings: Mapping[str, object], forms: Iterable[type[msgspec.Struct]]) -> None:
    """Raises EraUnknown for a switch that none of the forms has, saying which there are."""
    names = [name for form in forms for name in form.__struct_fields__]
    assert len(set(names)) == len(names), "two exchanges have a switch of one name"
    for name in settings:
        if name not in names:
            raise EraUnknown(f"there is no switch {name!r}; there are: {', '.join(names)}")


def read_eras(settings: Mapping[str, object], form: type[E]) -> E:
    """The switches of one exchange as set. Raises EraUnknown, saying which one is wrong."""
    own = {name: value for name, value in settings.items() if name in form.__struct_fields__}
    try:
        return msgspec.convert(own, form, strict=False)
    except msgspec.ValidationError as error:
        raise EraUnknown(str(error)) from error
