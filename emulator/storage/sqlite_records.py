"""Records in the tables of the SQLite archive: how they are written, found, and read whole.

Whose a record is, and in which scope, says one number, its shelf. Rows lie in the order in which they came,
so that writing costs the same wherever they belong; indexes find them. Ledger entries, the most there are
of anything, are asked for by nothing but number and time, and lie together in blocks.

Many rows go into one statement: one for each would wait for the interpreter once a row, and hold up
whoever answers requests.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from emulator.core.history import LedgerEntry, Query, key_of
from emulator.runtime.archive import TABLES, Row, archive_key, decode_record, encode_record

ENTRIES_PER_BLOCK = 256
ROWS_PER_STATEMENT = (500, 50, 5, 1)
ROWS_PER_PAGE = 500
BLOCKS_PER_PAGE = 20
"""Of a table that is read whole."""
NUMBER_MAX = (1 << 63) - 1

_WIDTH = 6
"""Columns of any table, the shelf included."""
_BLOCKS = TABLES[LedgerEntry]
_ROWS = tuple(table for table in TABLES.values() if table != _BLOCKS)
_BY_TIME = (
    "orders", "trades", "order_lists", "movements", "incomes", "transactions", "closed_positions",
)  # fmt: skip
_BY_LABEL = ("orders", "order_lists", "incomes", "transactions")
_BY_PART = ("trades", "amendments", "prevented_matches", "incomes", "transactions", "closed_positions")

SCHEMA = (
    """CREATE TABLE shelf (
        id INTEGER PRIMARY KEY, sandbox TEXT NOT NULL, engine TEXT NOT NULL, account INTEGER NOT NULL,
        scope TEXT NOT NULL, UNIQUE (sandbox, engine, account, scope)
    )""",
    *(
        f"""CREATE TABLE {table} (
            shelf INTEGER NOT NULL, id INTEGER NOT NULL, part INTEGER NOT NULL, time_us INTEGER NOT NULL,
            label TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (shelf, id, part)
        )"""
        for table in _ROWS
    ),
    f"""CREATE TABLE {_BLOCKS} (
        shelf INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, since_us INTEGER NOT NULL,
        until_us INTEGER NOT NULL, records TEXT NOT NULL, PRIMARY KEY (shelf, first)
    )""",
    *(f"CREATE INDEX {table}_by_time ON {table} (shelf, time_us, id)" for table in _BY_TIME),
    *(
        f"CREATE INDEX {table}_by_label ON {table} (shelf, label, id) WHERE label <> ''"
        for table in _BY_LABEL
    ),
    *(f"CREATE INDEX {table}_by_part ON {table} (shelf, part, id)" for table in _BY_PART),
)

R = TypeVar("R")

_encoder = msgspec.json.Encoder()
_entries = msgspec.json.Decoder(list[LedgerEntry])


class Damaged(Exception):
    """What stands in a table is no record, or one that belongs elsewhere."""


class Place(NamedTuple):
    """What a shelf is for."""

    sandbox: str
    engine: str
    account: int
    scope: str


class Shelves:
    """The numbers of shelves, and up to which number each has ledger entries; asked for once.

    Belongs to one connection, whose transaction may be undone: then all is to be forgotten.
    """

    def __init__(self) -> None:
        self._numbers: dict[Place, int] = {}
        self._lasts: dict[int, int] = {}

    def forget(self) -> None:
        self._numbers.clear()
        self._lasts.clear()

    def find(self, connection: sqlite3.Connection, place: Place) -> int | None:
        number = self._numbers.get(place)
        if number is None:
            row = connection.execute(
                "SELECT id FROM shelf WHERE (sandbox, engine, account, scope) = (?, ?, ?, ?)", place
            ).fetchone()
            if row is not None:
                number = self._numbers[place] = row[0]
        return number

    def make(self, connection: sqlite3.Connection, place: Place) -> int:
        number = self.find(connection, place)
        if number is None:
            made = connection.execute(
                "INSERT INTO shelf (sandbox, engine, account, scope) VALUES (?, ?, ?, ?)", place
            )
            assert made.lastrowid is not None
            number = self._numbers[place] = made.lastrowid
        return number

    def last_entry(self, connection: sqlite3.Connection, shelf: int) -> int:
        last = self._lasts.get(shelf)
        if last is None:
            (found,) = connection.execute(
                f"SELECT max(last) FROM {_BLOCKS} WHERE shelf = ?", (shelf,)
            ).fetchone()
            last = self._lasts[shelf] = -1 if found is None else found
        return last

    def has_entry(self, shelf: int, number: int) -> None:
        """The shelf has entries up to this number now."""
        self._lasts[shelf] = max(number, self._lasts[shelf])


# Writing


class Group:
    """What one call writes: sorted and encoded bit by bit where others want turns, then written at once."""

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self._rows: dict[str, list[tuple[Place, int, int, int, str, str]]] = {}
        self._entries: dict[Place, dict[int, LedgerEntry]] = {}
        self._blocks: list[tuple[Place, list[LedgerEntry], str]] = []
        self._gone: dict[str, set[tuple[Place, int, int]]] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Later ones count more than earlier ones of the same key."""
        sandbox, entries, gone = self._sandbox, self._entries, self._gone
        places: dict[tuple[str, int, str], Place] = {}
        for row in rows:
            engine, record = row.engine, row.record
            if isinstance(record, LedgerEntry):
                account, scope, number, part = record.account, "", record.number, 0
            else:
                account, scope, number, part, time_us, label = archive_key(record)
            place = places.get((engine, account, scope))
            if place is None:
                place = places[engine, account, scope] = Place(sandbox, engine, account, scope)
            table = TABLES[type(record)]
            if row.is_gone:
                gone.setdefault(table, set()).add((place, number, part))
                continue
            if table in gone:
                gone[table].discard((place, number, part))
            if isinstance(record, LedgerEntry):
                entries.setdefault(place, {})[number] = record
            else:
                columns = place, number, part, time_us, label, encode_record(record).decode()
                self._rows.setdefault(table, []).append(columns)

    def pack(self) -> Iterator[None]:
        """Put ledger entries into blocks, one with each step."""
        for place, by_number in self._entries.items():
            listed = [by_number[number] for number in sorted(by_number)]
            for block in _cut(listed):
                self._blocks.append((place, block, _encode(block)))
                yield

    def write(self, connection: sqlite3.Connection, shelves: Shelves) -> None:
        for table, listed in self._rows.items():
            rows = ((shelves.make(connection, place), *columns) for place, *columns in listed)
            _insert(connection, table, rows, len(listed))
        self._write_blocks(connection, shelves)
        for table, keys in self._gone.items():
            for place, number, part in keys:
                shelf = shelves.find(connection, place)
                if shelf is None:
                    continue
                if table == _BLOCKS:
                    _rewrite(connection, shelf, number, number, {})
                else:
                    connection.execute(
                        f"DELETE FROM {table} WHERE (shelf, id, part) = (?, ?, ?)", (shelf, number, part)
                    )

    def _write_blocks(self, connection: sqlite3.Connection, shelves: Shelves) -> None:
        fresh: list[tuple[Any, ...]] = []
        for place, block, encoded in self._blocks:
            shelf = shelves.make(connection, place)
            if block[0].number > shelves.last_entry(connection, shelf):
                fresh.append(_columns(shelf, block, encoded))
            else:
                # Some of it was written before, by whoever did not come to move the mark.
                by_number = {entry.number: entry for entry in block}
                _rewrite(connection, shelf, block[0].number, block[-1].number, by_number)
            shelves.has_entry(shelf, block[-1].number)
        _insert(connection, _BLOCKS, fresh, len(fresh))


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]], count: int) -> None:
    """Write so many rows over those with the same key.

    One statement after the other is put together, so that others have the interpreter in between.
    """
    bound_max = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    coming = iter(rows)
    for size in ROWS_PER_STATEMENT:
        if size * _WIDTH > bound_max:
            continue
        row = f"({', '.join('?' * _WIDTH)})"
        statement = f"INSERT OR REPLACE INTO {table} VALUES {', '.join([row] * size)}"
        while count >= size:
            connection.execute(statement, [value for one in islice(coming, size) for value in one])
            count -= size


def _rewrite(
    connection: sqlite3.Connection, shelf: int, first: int, last: int, fresh: dict[int, LedgerEntry]
) -> None:
    """Replace the entries from `first` to `last` that are there by others."""
    found = connection.execute(
        f"SELECT first, records FROM {_BLOCKS} WHERE shelf = ? AND first <= ? AND last >= ?",
        (shelf, last, first),
    ).fetchall()
    there = {entry.number: entry for _, records in found for entry in _decode(records)}
    known = {number: entry for number, entry in there.items() if not first <= number <= last} | fresh
    for at, _ in found:
        connection.execute(f"DELETE FROM {_BLOCKS} WHERE (shelf, first) = (?, ?)", (shelf, at))
    blocks = _cut([known[number] for number in sorted(known)])
    rows = [_columns(shelf, block, _encode(block)) for block in blocks]
    _insert(connection, _BLOCKS, rows, len(rows))


def _cut(listed: list[LedgerEntry]) -> Iterator[list[LedgerEntry]]:
    for at in range(0, len(listed), ENTRIES_PER_BLOCK):
        yield listed[at : at + ENTRIES_PER_BLOCK]


def _encode(block: list[LedgerEntry]) -> str:
    return _encoder.encode(block).decode()


def _columns(shelf: int, block: list[LedgerEntry], encoded: str) -> tuple[Any, ...]:
    first, last = block[0], block[-1]
    return shelf, first.number, last.number, first.time_us, last.time_us, encoded


def forget(connection: sqlite3.Connection, shelves: Shelves, sandbox: str) -> None:
    """Remove everything of a sandbox."""
    shelves.forget()
    for table in TABLES.values():
        connection.execute(
            f"DELETE FROM {table} WHERE shelf IN (SELECT id FROM shelf WHERE sandbox = ?)", (sandbox,)
        )
    connection.execute("DELETE FROM shelf WHERE sandbox = ?", (sandbox,))


# Finding


def select(connection: sqlite3.Connection, shelf: int, kind: type[Any], query: Query) -> list[str]:
    """The records that a query asks for, as they are written, ascending by id, then part."""
    conditions, values = ["shelf = ?"], [shelf]
    for condition, value in (
        ("id >= ?", query.first_id),
        ("id <= ?", query.last_id),
        ("time_us >= ?", query.start_us),
        ("time_us <= ?", query.end_us),
        ("part = ?", query.part),
        ("label = ?", query.label),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(_bound(value))
    if query.label:
        conditions.append("label <> ''")
    order = "id DESC, part DESC" if query.newest else "id, part"
    found = connection.execute(
        f"SELECT record FROM {TABLES[kind]} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?",
        (*values, query.limit),
    )
    texts = [text for (text,) in found]
    return texts[::-1] if query.newest else texts


def select_entries(connection: sqlite3.Connection, shelf: int, query: Query) -> list[LedgerEntry]:
    """The ledger entries that a query asks for, ascending. Raises Damaged."""
    conditions, values = ["shelf = ?"], [shelf]
    for condition, value in (
        ("last >= ?", query.first_id),
        ("first <= ?", query.last_id),
        ("until_us >= ?", query.start_us),
        ("since_us <= ?", query.end_us),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(_bound(value))
    order = "first DESC" if query.newest else "first"
    found = connection.execute(
        f"SELECT records FROM {_BLOCKS} WHERE {' AND '.join(conditions)} ORDER BY {order}", values
    )
    listed: list[LedgerEntry] = []
    for (records,) in found:
        admitted = [entry for entry in _decode(records) if query.admits(key_of(entry))]
        listed = admitted + listed if query.newest else listed + admitted
        if len(listed) >= query.limit:
            break
    return listed[max(0, len(listed) - query.limit) :] if query.newest else listed[: query.limit]


def _bound(value: Any) -> Any:
    """Beyond what a column holds nothing lies, so its end says the same."""
    return max(-NUMBER_MAX, min(value, NUMBER_MAX)) if isinstance(value, int) else value


# Reading whole


class Found(NamedTuple):
    """A row or a block, and where it stands. columns: all that are not named here, its key in front."""

    shelf: int
    engine: str
    account: int
    scope: str
    columns: tuple[Any, ...]
    content: str


def page(
    connection: sqlite3.Connection, sandbox: str, kind: type[Any], after: Found | None
) -> tuple[list[Found], bool]:
    """The next of a sandbox, in the order of shelves and their keys, and whether there may be more."""
    table, shape = TABLES[kind], _shape(kind)
    columns = ", ".join(f"{table}.{name}" for name in shape.columns)
    key = ", ".join(f"{table}.{name}" for name in shape.key)
    statement = (
        f"SELECT shelf.id, engine, account, scope, {columns} FROM shelf"
        # The other way around, everybody's records would be read to find those of one.
        f" CROSS JOIN {table} ON shelf = shelf.id WHERE {{condition}} ORDER BY shelf.id, {key} LIMIT ?"
    )
    found: list[Any] = []
    if after is not None:
        beyond = f"shelf.id = ? AND ({key}) > ({', '.join('?' * len(shape.key))})"
        values = (after.shelf, *after.columns[: len(shape.key)], shape.rows_per_page)
        found += connection.execute(statement.format(condition=beyond), values)
    left = shape.rows_per_page - len(found)
    if left:
        values = (-1 if after is None else after.shelf, sandbox, left)
        found += connection.execute(statement.format(condition="shelf.id > ? AND sandbox = ?"), values)
    return [Found(row[0], row[1], row[2], row[3], row[4:-1], row[-1]) for row in found], len(
        found
    ) == shape.rows_per_page


def records_of(kind: type[Any], found: Found) -> Sequence[Any]:
    """What stands there. Raises Damaged."""
    where = found.account, found.scope, *found.columns
    if kind is not LedgerEntry:
        record = decode_row(kind, found.content)
        key = archive_key(record)
        if key != where:
            raise Damaged(f"{TABLES[kind]}: under {where} is the record of {tuple(key)}")
        return [record]
    block = _decode(found.content)
    numbers = [entry.number for entry in block]
    if (
        not block
        or numbers != sorted(set(numbers))
        or (block[0].account, "", *_columns(0, block, "")[1:-1]) != where
        or any(entry.account != found.account for entry in block)
    ):
        raise Damaged(f"{_BLOCKS}: under {where} are the entries {numbers}")
    return block


def decode_row(kind: type[R], record: str) -> R:
    """Raises Damaged."""
    try:
        return decode_record(kind, record)
    except msgspec.MsgspecError as error:
        raise Damaged(f"{TABLES[kind]}: {record[:200]!r}: {error}") from error


def _decode(records: str) -> list[LedgerEntry]:
    try:
        return _entries.decode(records)
    except msgspec.MsgspecError as error:
        raise Damaged(f"{_BLOCKS}: {records[:200]!r}: {error}") from error


class _Shape(NamedTuple):
    """Of a table: what finds a row on its shelf, and all its columns but the shelf."""

    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows_per_page: int


_OF_ROWS = _Shape(("id", "part"), ("id", "part", "time_us", "label", "record"), ROWS_PER_PAGE)
_OF_BLOCKS = _Shape(("first",), ("first", "last", "since_us", "until_us", "records"), BLOCKS_PER_PAGE)


def _shape(kind: type[Any]) -> _Shape:
    return _OF_BLOCKS if kind is LedgerEntry else _OF_ROWS
