"""Histories as files: asked for by a span, made in the background, fetched by a link that nobody guesses.

A link leads back here instead of to a storage of the exchange's, and needs neither key nor signature. Files
are in memory and end with the process; whoever asks for one of an earlier process is told that it expired,
which its id alone tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from secrets import token_bytes
from types import MappingProxyType
from typing import Final

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

from emulator.core.ids import AccountId
from emulator.exchanges.binance.futures.door import door_of
from emulator.exchanges.binance.futures.payloads.downloads import DownloadId, DownloadLink
from emulator.exchanges.binance.futures.products import COINM, USDM, Product, product_of
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.tables import Extent, Subject, name_of, pack, read_rows
from emulator.exchanges.binance.futures.windows import DAY_US
from emulator.exchanges.binance.vocabulary import END_TIME, NONE, START_TIME, USER_DATA
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.ports import SandboxClosed, SandboxError
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Parameter
from emulator.web.hosts import HOST_SITES

log = logging.getLogger(__name__)

rows = FuturesRows()

YEAR_DAYS: Final = 365
# Quirk: older editions of the documents let a link live for 24 hours, those of 2026 for seven days (Get
# Futures Transaction History Download Link by Id).
LINK_LIVES_US: Final = 7 * DAY_US
MONTHLY: Final[Mapping[Product, Mapping[Subject, int]]] = MappingProxyType(
    {
        USDM: {Subject.ORDERS: 10, Subject.TRADES: 5, Subject.INCOMES: 5},
        COINM: dict.fromkeys(Subject, 8),
    }
)
"""How many files an account may ask for in a month."""

KEPT_MAX: Final = 200
"""Of one sandbox; the oldest goes for a new one, and is then expired."""
RETRY_S: Final = 1.0


class Download(msgspec.Struct, eq=False):
    """One file. finished_us: 0 while it is being made."""

    id: int
    account: AccountId
    product: Product
    subject: Subject
    asked_us: int
    finished_us: int = 0
    content: bytes = b""

    def is_expired(self, now_us: int) -> bool:
        return bool(self.finished_us) and now_us >= self.finished_us + LINK_LIVES_US


class Downloads:
    """One sandbox's files, of all accounts and both products."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._files: dict[int, Download] = {}
        self._links = URLSafeSerializer(token_bytes(32))
        self._asked: dict[tuple[AccountId, Product, Subject], tuple[tuple[int, int], int]] = {}
        self._making: set[asyncio.Task[None]] = set()
        sandbox.fanout.at_end(self._end)

    def _end(self) -> None:
        for task in self._making:
            task.cancel()
        self._files.clear()

    # Asking

    def count(self, subject: Subject, extent: Extent, now_us: int) -> int:
        """Count one more of this calendar month, and say how many there were before it."""
        now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
        month, who = (now.year, now.month), (extent.account, extent.product, subject)
        counted = self._asked.get(who)
        before = counted[1] if counted is not None and counted[0] == month else 0
        self._asked[who] = (month, before + 1)
        return before

    def begin(self, subject: Subject, extent: Extent, now_us: int) -> Download:
        """Have a file made of what is there by now."""
        while len(self._files) >= KEPT_MAX:
            del self._files[next(iter(self._files))]
        asked_ms = now_us // 1000
        while (number := self._number(subject, extent.product, extent.account, asked_ms)) in self._files:
            asked_ms += 1
        download = Download(number, extent.account, extent.product, subject, now_us)
        self._files[number] = download
        task = asyncio.get_running_loop().create_task(self._make(download, extent))
        self._making.add(task)
        task.add_done_callback(self._making.discard)
        return download

    async def _make(self, download: Download, extent: Extent) -> None:
        sandbox = self._sandbox
        while True:
            try:
                # Whoever holds a file holds nothing that the journal may still lose.
                await sandbox.durable(sandbox.sequence)
                table = await read_rows(sandbox, download.subject, extent)
                content = await asyncio.to_thread(pack, download.subject, table, download.asked_us)
            except SandboxClosed:
                return
            except SandboxError:
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("a file of history could not be made")
                self._files.pop(download.id, None)
                return
            else:
                download.content = content
                download.finished_us = max(sandbox.clock.now_us(), 1)
                return

    # Finding

    def find(self, subject: Subject, product: Product, account: AccountId, number: int) -> Download | None:
        """The file of an id that was given to this account; an expired one in place of one that is gone."""
        found = self._files.get(number)
        if found is not None:
            is_theirs = (found.account, found.product, found.subject) == (account, product, subject)
            return found if is_theirs else None
        asked_ms = number // _CHECKS
        if number != self._number(subject, product, account, asked_ms):
            return None
        return Download(number, account, product, subject, asked_ms * 1000, asked_ms * 1000 - LINK_LIVES_US)

    def _number(self, subject: Subject, product: Product, account: AccountId, asked_ms: int) -> int:
        """An id that tells when it was given, and to whoever gave it, that it was."""
        text = f"{self._sandbox.seed}/{product.site}/{subject.value}/{account}/{asked_ms}"
        digest = blake2b(text.encode(), digest_size=8).digest()
        return asked_ms * _CHECKS + int.from_bytes(digest) % _CHECKS

    def link(self, download: Download) -> str:
        """What a link says of a file, signed."""
        token = self._links.dumps(str(download.id))
        return token if isinstance(token, str) else token.decode()

    def linked(self, token: str, product: Product, now_us: int) -> Download | None:
        """The file that a link leads to, as long as it does."""
        try:
            number = int(self._links.loads(token))
        except (BadSignature, ValueError, TypeError):
            return None
        found = self._files.get(number)
        if found is None or found.product is not product or found.is_expired(now_us):
            return None
        return found if found.finished_us else None

    def typical_ms(self, subject: Subject, now_us: int) -> int:
        """How long files of a subject took in the last 30 days, on average."""
        took = [
            one.finished_us - one.asked_us
            for one in self._files.values()
            if one.subject is subject and one.finished_us and one.asked_us >= now_us - 30 * DAY_US
        ]
        return sum(took) // len(took) // 1000 if took else 0


_CHECKS: Final = 100_000

DOWNLOADS: Final = PerSandbox(Downloads)


# Rows


def _declare(subject: Subject, of_what: str) -> None:
    rows.both(
        "GET",
        f"/v1/{subject.value}/asyn",
        summary=f"Get download id for futures {of_what} history",
        description=(
            "Of a year at most. A month has so many: "
            f"{MONTHLY[USDM][subject]} of USD-M, {MONTHLY[COINM][subject]} of COIN-M."
        ),
        security=USER_DATA,
        weight=1000,
        parameters=(START_TIME.but(required=True), END_TIME.but(required=True)),
        answers=DownloadId,
    )(_asking(subject))
    rows.both(
        "GET",
        f"/v1/{subject.value}/asyn/id",
        summary=f"Get futures {of_what} history download link by id",
        description="The link lives for seven days.",
        security=USER_DATA,
        weight=10,
        parameters=(Parameter("downloadId", required=True),),
        answers=DownloadLink,
        # Quirk: a link costs half as much on COIN-M (Get Futures Order History Download Link by Id of both).
        coinm=Declared(weight=5),
    )(_showing(subject))


def _asking(subject: Subject) -> Callable[[Call], DownloadId]:
    def ask(call: Call) -> DownloadId:
        product, values = product_of(call), call.values
        refuse = TABLES[product].refuse
        start_us, end_us = values["startTime"], values["endTime"]
        if start_us > end_us:
            raise refuse(-1023)
        # The documents say a year and give no code of its own; this is the one for spans that are too long.
        if end_us - start_us > YEAR_DAYS * DAY_US:
            raise refuse(CODES[product].long_interval, YEAR_DAYS)
        downloads = DOWNLOADS.of(call.sandbox)
        last_us = min(end_us + call.time_divisor - 1, call.now_us)
        extent = Extent(call.site.engine, call.account, product, start_us, last_us)
        # The documents have the limit, but no words for whoever goes beyond it.
        if downloads.count(subject, extent, call.now_us) >= MONTHLY[product][subject] and door_of(
            call
        ).counts_in(call.sandbox):
            raise refuse(-1003)
        typical_ms = downloads.typical_ms(subject, call.now_us)
        begun = downloads.begin(subject, extent, call.now_us)
        return {"avgCostTimestampOfLast30d": typical_ms, "downloadId": str(begun.id)}

    return ask


def _showing(subject: Subject) -> Callable[[Call], DownloadLink]:
    def show(call: Call) -> DownloadLink:
        product, text = product_of(call), call.values["downloadId"]
        downloads = DOWNLOADS.of(call.sandbox)
        found = None
        if text.isascii() and text.isdigit() and len(text) <= 19:
            found = downloads.find(subject, product, call.account, int(text))
        if found is None:
            # The documents have no code for an id that nobody was given.
            raise TABLES[product].refuse(-1130, "downloadId")
        answer: DownloadLink = {
            "downloadId": text,
            "status": "processing",
            "url": "",
            "notified": False,
            "expirationTimestamp": -1,
            "isExpired": None,
        }
        if found.finished_us:
            answer["status"] = "completed"
            answer["notified"] = True
            answer["expirationTimestamp"] = (found.finished_us + LINK_LIVES_US) // 1000
            if found.is_expired(call.now_us):
                # What it says then is in no document: a text, as the exchange's own SDKs have it in their
                # models.
                answer["isExpired"] = "true"
            else:
                answer["url"] = _url(call, product, downloads.link(found))
        return answer

    return show


def _url(call: Call, product: Product, token: str) -> str:
    """Where the client that asks finds the file: under the address that it asks by."""
    host = call.request.headers.get(b"host", b"127.0.0.1").decode("latin-1")
    # Under the exchange's own names it is reached through a gate that speaks TLS.
    scheme = "https" if host.partition(":")[0].lower() in HOST_SITES else "http"
    return f"{scheme}://{host}/~{call.sandbox.name}{product.prefix}/v1/asyn/file?token={token}"


for _subject, _of_what in (
    (Subject.INCOMES, "transaction"),
    (Subject.ORDERS, "order"),
    (Subject.TRADES, "trade"),
):
    _declare(_subject, _of_what)


@rows.both(
    "GET",
    "/v1/asyn/file",
    summary="A history as a file, by its link",
    description="Not a path of the exchange, whose links lead to a storage of its own.",
    security=NONE,
    weight=0,
    parameters=(Parameter("token", required=True, length_max=500),),
    answers=bytes,
    media="application/zip",
    failures={404: "There is no such file, or not any more; or no such sandbox"},
)
def fetch(call: Call) -> bytes:
    product = product_of(call)
    found = DOWNLOADS.of(call.sandbox).linked(call.values["token"], product, call.now_us)
    if found is None:
        raise TABLES[product].refuse(-1099)
    name = f"{name_of(found.subject, found.asked_us)}.zip".encode()
    call.header_lines += b'content-disposition: attachment; filename="%b"\r\n' % name
    return found.content
