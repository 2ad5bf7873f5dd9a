"""What happened to accounts, whether it is still in memory or in the archive only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import copy
from typing import TypeVar

import msgspec

from emulator.core.engine import Engine
from emulator.core.history import AnyRecord, Query, key_of
from emulator.core.ids import AccountId, OrderId
from emulator.core.orders import Order
from emulator.runtime.archive import Archive
from emulator.runtime.ports import SandboxClosed

R = TypeVar("R", bound=AnyRecord)


class History:
    """One sandbox's. archive: None where all history stays in memory.

    What is answered is as new as the state when it was asked for, or newer. Raises ArchiveUnavailable
    when what is asked for is not all in memory and the archive does not answer, and SandboxClosed when the
    sandbox ended meanwhile: what the archive has under its name may be another one's by then.
    """

    def __init__(self, sandbox: str, engines: Mapping[str, Engine], archive: Archive | None) -> None:
        self._sandbox = sandbox
        self._engines = engines
        self._archive = archive
        self._ended: str | None = None

    def end(self, reason: str) -> None:
        """The sandbox is over."""
        self._ended = reason

    async def select(self, engine_name: str, kind: type[R], query: Query) -> list[R]:
        """The records that a query asks for, ascending by id, then part."""
        views = self._engines[engine_name].views
        here = views.select(kind, query)
        if self._archive is None or views.is_whole(kind, query.account, query.scope):
            return here
        # Orders go on changing while the archive is asked.
        known = {key_of(record)[2:4]: copy(record) for record in here}
        for record in await self._archived(engine_name, kind, query):
            known.setdefault(key_of(record)[2:4], record)
        listed = [known[key] for key in sorted(known)]
        return listed[-query.limit :] if query.newest else listed[: query.limit]

    async def order(
        self,
        engine_name: str,
        account: AccountId,
        instrument: str,
        order: OrderId | None,
        client_id: str | None,
    ) -> Order | None:
        """The order of an id, or of a client id the open one, or else the newest one that has it."""
        views = self._engines[engine_name].views
        found = views.order(account, instrument, order, client_id)
        if self._archive is None or views.is_whole(Order, account, instrument):
            return found
        if order is not None or client_id is None:
            return found or await self._archived_order(engine_name, account, instrument, order)
        if found is not None and (not found.is_ended or not found.amend_count):
            return found
        # One that was renamed may be older than another one of that name, which is here no more.
        first_id = None if found is None else found.id + 1
        query = Query(
            account=account, scope=instrument, label=client_id, first_id=first_id, limit=1, newest=True
        )
        listed = await self._archived(engine_name, Order, query)
        return listed[0] if listed else found

    async def _archived_order(
        self, engine_name: str, account: AccountId, instrument: str, order: OrderId | None
    ) -> Order | None:
        query = Query(account=account, scope=instrument, first_id=order, last_id=order, limit=1)
        listed = await self._archived(engine_name, Order, query)
        return listed[0] if listed else None

    async def _archived(self, engine_name: str, kind: type[R], query: Query) -> list[R]:
        assert self._archive is not None
        await asyncio.sleep(0)  # See `Endpoint.start`: until here it ran at once, and from here on in a task.
        listed = await self._archive.select(self._sandbox, engine_name, kind, query)
        if self._ended is not None:
            raise SandboxClosed(f"{self._sandbox}: {self._ended}")
        return listed

    async def walk_back(self, engine_name: str, kind: type[R], query: Query) -> list[R]:
        """All records of a query, newest first, drawn page by page: for histories that are filtered by
        what no key tells."""
        walked: list[R] = []
        asked = msgspec.structs.replace(query, newest=True)
        while True:
            page = await self.select(engine_name, kind, asked)
            if len(page) < asked.limit:
                return walked + page[::-1]
            # Some of one id may not have fitted into the page, so they are asked for once more.
            first_id = key_of(page[0]).id
            whole = [record for record in page if key_of(record).id > first_id]
            walked += reversed(whole)
            limit = asked.limit if whole else 2 * asked.limit
            asked = msgspec.structs.replace(asked, last_id=first_id, limit=limit)
