"""Histories of an account as the tables that the exchange exports: one CSV file in a zip archive each.

No document of the exchange describes the files. The columns are those of its exports as tools that read
them know them: of the transaction history from what the API delivered in 2026, of orders and trades from
exports of the web site of 2026, which the documents call the same thing ("shared by front end download
page and rest api"). What could not be seen anywhere is in doubt: whether rows always ascend, and how many
places amounts have.
"""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from emulator.core.contracts import value_of
from emulator.core.history import AnyRecord, Fill, Income, Query, R, incomes_of, key_of
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import Order
from emulator.exchanges.binance.futures.account.incomes import word_of
from emulator.exchanges.binance.futures.account.readings import render_plain
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.replies import (
    average_price,
    listing_of,
    traded_amounts,
    type_word,
)
from emulator.exchanges.binance.futures.vocabulary import ORDER_STATUS_WORDS
from emulator.exchanges.binance.vocabulary import SIDE_WORDS, render_amount
from emulator.runtime.sandbox import Sandbox

Row = tuple[str, ...]


class Subject(str, Enum):
    """What a history is of, by the word that is in its path."""

    ORDERS = "order"
    TRADES = "trade"
    INCOMES = "income"


class Extent(NamedTuple):
    """Whose history it is, and from when to when, both inclusive. engine: the exchange's, by its name."""

    engine: str
    account: AccountId
    product: Product
    start_us: int
    end_us: int


async def read_rows(sandbox: Sandbox, subject: Subject, extent: Extent) -> list[Row]:
    """All of it, from memory and from the archive, in the order of time.

    Raises StorageUnavailable when the archive does not answer.
    """
    return await _READERS[subject](sandbox, extent)


def pack(subject: Subject, rows: list[Row], made_us: int) -> bytes:
    """The archive with the one table in it. made_us: the moment that it is named after."""
    text = io.StringIO()
    # Quirk: of the transaction history every field is in quotation marks, of the others none (files of the
    # exchange, as tools that read them know them).
    if subject is Subject.INCOMES:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    else:
        writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS[subject])
    writer.writerows(rows)
    made = datetime.fromtimestamp(made_us // 1_000_000, UTC)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{name_of(subject, made_us)}.csv", made.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, text.getvalue())
    return packed.getvalue()


def name_of(subject: Subject, made_us: int) -> str:
    """What the file is called, without its ending."""
    made = datetime.fromtimestamp(made_us // 1_000_000, UTC)
    return f"Binance-Futures-{_NAMES[subject]}-History-{made:%Y%m%d%H%M}(UTC+0)-part1-of1"


_NAMES: Final[Mapping[Subject, str]] = MappingProxyType(
    {Subject.ORDERS: "Order", Subject.TRADES: "Trade", Subject.INCOMES: "Transaction"}
)
_COLUMNS: Final[Mapping[Subject, Row]] = MappingProxyType(
    {
        Subject.ORDERS: (
            "Uid",
            "Time",
            "Order No",
            "Symbol",
            "Type",
            "Side",
            "Price",
            "Average Price",
            "Amount",
            "Executed Amount",
            "Executed Quote Amount",
            "Stop Price",
            "Status",
            "Update Time",
        ),
        Subject.TRADES: (
            "Uid",
            "Time",
            "Symbol",
            "Side",
            "Price",
            "Quantity",
            "Amount",
            "Fee",
            "Realized Profit",
            "Buyer",
            "Maker",
            "Trade ID",
            "Order ID",
        ),
        # Quirk: only one of the names of these columns begins with a small letter (the exchange's files).
        Subject.INCOMES: ("Date(UTC)", "type", "Amount", "Asset", "Symbol", "Transaction ID"),
    }
)


async def _order_rows(sandbox: Sandbox, extent: Extent) -> list[Row]:
    product = extent.product
    dated: list[tuple[int, int, Row]] = []
    for instrument in product.symbols:
        orders = await _all_of(sandbox, extent, Order, _query(extent, instrument))
        with exact():
            dated += [
                (one.created_us, one.id, _order_row(product, one)) for one in orders if not one.terms.detached
            ]
    return _in_order(dated)


def _order_row(product: Product, order: Order) -> Row:
    listing, terms = listing_of(product, order), order.terms
    price = order.price or terms.price
    stop = None if terms.trigger is None or terms.trigger.trailing_bips else terms.trigger.price
    return (
        str(order.account),
        _moment(order.created_us),
        str(order.id),
        listing.symbol,
        type_word(terms),
        SIDE_WORDS[terms.side],
        "0" if price is None else render_plain(price),
        render_plain(average_price(listing, order)),
        render_plain(order.quantity or ZERO),
        render_plain(order.executed),
        render_plain(traded_amounts(listing, order)[0]),
        "0" if stop is None else render_plain(stop),
        ORDER_STATUS_WORDS[order.status],
        _moment(order.updated_us),
    )


async def _trade_rows(sandbox: Sandbox, extent: Extent) -> list[Row]:
    product = extent.product
    dated: list[tuple[int, int, Row]] = []
    for instrument in product.symbols:
        fills = await _all_of(sandbox, extent, Fill, _query(extent, instrument))
        with exact():
            dated += [(one.time_us, one.trade, _trade_row(product, one)) for one in fills]
    return _in_order(dated)


def _trade_row(product: Product, fill: Fill) -> Row:
    listing = product.listings[product.symbols[fill.instrument]]
    contract = listing.contract
    if contract.is_inverse:
        amount = fill.quantity * contract.size
    else:
        amount = value_of(contract, fill.quantity, fill.price)
    return (
        str(fill.account),
        _moment(fill.time_us),
        listing.symbol,
        "BUY" if fill.is_buyer else "SELL",
        render_plain(fill.price),
        render_plain(fill.quantity),
        render_plain(amount),
        # Quirk: a fee stands with its asset behind it, in one word (the exchange's files).
        render_amount(fill.fee) + fill.fee_asset,
        render_plain(fill.realised),
        _flag(is_so=fill.is_buyer),
        _flag(is_so=fill.is_maker),
        str(fill.trade),
        str(fill.order),
    )


async def _income_rows(sandbox: Sandbox, extent: Extent) -> list[Row]:
    product = extent.product
    query = incomes_of(
        extent.account,
        product.wallet,
        start_us=extent.start_us,
        end_us=extent.end_us,
        limit=_PAGE,
    )
    return [
        (
            _moment(one.time_us),
            word_of(one),
            render_plain(one.amount),
            one.asset,
            product.symbols.get(one.instrument, ""),
            str(one.number),
        )
        for one in await _all_of(sandbox, extent, Income, query)
    ]


_READERS: Final[Mapping[Subject, Callable[[Sandbox, Extent], Awaitable[list[Row]]]]] = MappingProxyType(
    {Subject.ORDERS: _order_rows, Subject.TRADES: _trade_rows, Subject.INCOMES: _income_rows}
)

_PAGE: Final = 1000


def _query(extent: Extent, instrument: str) -> Query:
    return Query(
        account=extent.account,
        scope=instrument,
        start_us=extent.start_us,
        end_us=extent.end_us,
        limit=_PAGE,
    )


async def _all_of(sandbox: Sandbox, extent: Extent, kind: type[R], query: Query) -> list[R]:
    """Every record of a query, page by page, with the event loop let go on in between."""
    found: list[R] = []
    last: tuple[int, int] | None = None
    while True:
        page = await sandbox.history.select(extent.engine, kind, query)
        # A page begins with the id that the one before ended with, since two records may share one.
        found += [one for one in page if last is None or _place(one) > last]
        if len(page) < query.limit:
            return found
        last = _place(page[-1])
        query = msgspec.structs.replace(query, first_id=last[0])
        await asyncio.sleep(0)


def _place(record: AnyRecord) -> tuple[int, int]:
    key = key_of(record)
    return key.id, key.part


def _in_order(dated: list[tuple[int, int, Row]]) -> list[Row]:
    dated.sort(key=itemgetter(0, 1))
    return [row for _, _, row in dated]


def _moment(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"


def _flag(*, is_so: bool) -> str:
    return "true" if is_so else "false"
