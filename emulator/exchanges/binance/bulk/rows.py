"""What can be asked of the bucket: its files, their checksums, and what is in it."""

from __future__ import annotations

from typing import Any, Final

from emulator.exchanges.binance.bulk.archives import ARCHIVES, card_of
from emulator.exchanges.binance.bulk.door import XML_TYPE, refuse_key
from emulator.exchanges.binance.bulk.keys import (
    BUCKET,
    CANDLES,
    MONTHLY,
    SECTIONS,
    SUM_ENDING,
    parse_key,
)
from emulator.exchanges.binance.bulk.listing import parse_listing, render_listing, render_page
from emulator.exchanges.binance.bulk.parts import reply_with
from emulator.web.contract import Call, Kind, Parameter, Reply, Rows

rows = Rows()

ZIP_TYPE: Final = "application/zip"
SUM_TYPE: Final = b"binary/octet-stream"
PAGE_TYPE: Final = "text/html; charset=utf-8"

_FAILURES: Final = {
    206: "The part that was asked for",
    304: "It is what the client has",
    412: "It is not what the client has",
    416: "It has no such part",
}

_PERIOD = Parameter("period", required=True, pattern="daily|monthly", description="Of a day, or of a month.")
_SYMBOL = Parameter("symbol", required=True, description="As in the paths of REST; of index prices the pair.")
_INTERVAL = Parameter("interval", required=True, description="As in REST, but 1mo for a month.")
_FILE = Parameter(
    "file",
    required=True,
    description="Such as BTCUSDT-1m-2026-07-19.zip, BTCUSDT-trades-2026-07.zip, or the same with .CHECKSUM.",
)
_PREFIX = Parameter("prefix", description="What keys begin with.")
_MARKER = Parameter("marker", description="The key, or the folder, after which to begin.")
_LISTING = (
    _PREFIX,
    Parameter("delimiter", pattern="/", description="With / keys are told of by their folders."),
    _MARKER,
    Parameter("max-keys", Kind.INTEGER, description="At most 1000, which is what is told unless said."),
    Parameter("encoding-type", pattern="url", description="How keys are escaped."),
    Parameter("list-type", pattern="2", description="The second version of the call."),
    Parameter("start-after", description="The marker of the second version."),
    Parameter("continuation-token", description="Where its next page begins, as the one before said."),
)

_SUMMARIES: Final = {
    "aggTrades": "Aggregate trades",
    "fundingRate": "Funding payments",
    "indexPriceKlines": "Klines of the index price",
    "klines": "Klines",
    "markPriceKlines": "Klines of the mark price",
    "premiumIndexKlines": "Klines of the premium index",
    "trades": "Trades",
}


async def file(call: Call) -> Reply:
    """A file or its checksum, as a whole or in part."""
    return await _answer(call, call.request.path.lstrip("/"))


for _section in SECTIONS:
    for _kind in _section.kinds(MONTHLY):
        _inner = "{interval}/{file}" if _kind in CANDLES else "{file}"
        _period = "monthly" if _kind == "fundingRate" else "{period}"
        rows.route(
            "GET",
            f"/{_section.path}/{_period}/{_kind}/{{symbol}}/{_inner}",
            summary=_SUMMARIES[_kind],
            parameters=(
                *(() if _period == MONTHLY else (_PERIOD,)),
                _SYMBOL,
                *((_INTERVAL,) if _kind in CANDLES else ()),
                _FILE,
            ),
            answers=Any,
            failures=_FAILURES,
            media=ZIP_TYPE,
        )(file)


@rows.route(
    "GET",
    f"/{BUCKET}/*",
    summary="Any of these files, with the bucket's name before its key",
    answers=Any,
    failures=_FAILURES,
    media=ZIP_TYPE,
)
async def file_of_bucket(call: Call) -> Reply:
    key = call.request.path.removeprefix(f"/{BUCKET}/")
    return await _answer(call, key) if key else await listing(call)


@rows.route(
    "GET",
    f"/{BUCKET}",
    summary="What is in the bucket: ListObjects and ListObjectsV2",
    parameters=_LISTING,
    answers=Any,
    media=XML_TYPE.decode(),
)
async def listing(call: Call) -> Reply:
    archives = ARCHIVES.of(call.sandbox)
    body = await render_listing(archives, parse_listing(call.values), call.now_us)
    return Reply(body=body, content_type=XML_TYPE)


@rows.route(
    "GET",
    "/",
    summary="What is in the bucket, as a page",
    description="Under a name of the bucket itself it is the listing.",
    parameters=_LISTING,
    answers=Any,
    media=PAGE_TYPE,
)
async def page(call: Call) -> Reply:
    if call.request.headers.get(b"host", b"").lower().startswith(f"{BUCKET}.s3".encode()):
        return await listing(call)
    values = call.values
    archives = ARCHIVES.of(call.sandbox)
    body = await render_page(archives, values.get("prefix", ""), values.get("marker", ""), call.now_us)
    return Reply(body=body)


# Files


async def _answer(call: Call, key: str) -> Reply:
    found = parse_key(key.removesuffix(SUM_ENDING))
    if found is None:
        raise refuse_key(key)
    call.instrument = found.subject.instrument.symbol
    archives = ARCHIVES.of(call.sandbox)
    why = archives.missing_because(found, call.now_us)
    if why is not None:
        raise refuse_key(key, why)
    content_type = SUM_TYPE if key.endswith(SUM_ENDING) else ZIP_TYPE.encode()
    if content_type is SUM_TYPE:
        body = f"{(await archives.describe(found)).sha256}  {found.name}\n".encode()
        card = card_of(body)
    else:
        body, card = await archives.read(found)
    return reply_with(
        body,
        content_type=content_type,
        md5=card.md5,
        modified_us=found.published_us,
        headers=call.request.headers,
    )
