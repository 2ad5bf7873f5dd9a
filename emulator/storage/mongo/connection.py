"""The way to a MongoDB server: its address, how long it may take to answer, and what its errors say.

An answer that does not come is an error after a few seconds. The client finds its way back by itself
when the server does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from emulator.runtime.ports import JournalUnavailable

Client = AsyncMongoClient[dict[str, Any]]
Database = AsyncDatabase[dict[str, Any]]

DATABASE = "emulator"
"""Where the address names none."""

TIMEOUTS_MS = {"timeoutMS": 3_000, "connectTimeoutMS": 2_000}
"""For one operation with all that it needs, finding a server included, and for one try to connect. Less
than a caller's patience, so that health can tell why. The address may say otherwise."""

_LOGIN = re.compile(r"^([a-z+]+://)(?:([^:/?@]*)(:[^/?]*)?@)?([^?]*)")
_NOISE = re.compile(r" \(configured timeouts.*|, Timeout: .*|, full error: .*", re.DOTALL)


class MongoAddressInvalid(ValueError):
    """Not the address of a MongoDB server. Says why, without any secret."""


def connect(address: str) -> tuple[Client, Database]:
    """A client that has not spoken to anybody yet, and its database. Raises MongoAddressInvalid.

    What is written is acknowledged when it is in the journals of most servers of a replica set, or of
    the one server; what is read cannot be taken back either.
    """
    if not address.startswith(("mongodb://", "mongodb+srv://")):
        raise MongoAddressInvalid("the address begins with mongodb:// or mongodb+srv://")
    options = re.split("[&;]", address.partition("?")[2])
    given = {option.partition("=")[0].casefold() for option in options}
    unset: dict[str, Any] = {name: ms for name, ms in TIMEOUTS_MS.items() if name.casefold() not in given}
    try:
        client: Client = AsyncMongoClient(address, **unset)
        database = client.get_default_database(DATABASE)
    except (PyMongoError, ValueError, TypeError) as error:
        # What it complains about may be a piece of the password.
        why = "user name and password must be percent-encoded" if "@" in address else str(error)
        raise MongoAddressInvalid(f"not an address of MongoDB: {why}") from None
    return client, database.with_options(
        read_preference=ReadPreference.PRIMARY,
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )


def shown(address: str) -> str:
    """The address for people: the password masked, and without options, which may hold secrets too."""
    found = _LOGIN.match(address)
    if found is None:
        return "mongodb://***"
    scheme, user, password, rest = found.groups()
    login = "" if user is None else f"{user}{':***' if password else ''}@"
    return f"{scheme}{login}{rest}"


@contextmanager
def as_unavailable(shown_address: str, unavailable: type[Exception] = JournalUnavailable) -> Iterator[None]:
    """Say what the client complains about in a few words, as JournalUnavailable or as is said here."""
    try:
        yield
    except PyMongoError as error:
        why = _NOISE.sub("", str(error)) or type(error).__name__
        if "operation cancelled" in why:
            # What the client says when its own look at the server was in vain.
            why = "it stopped answering"
        raise unavailable(f"MongoDB at {shown_address}: {why}") from error
