"""A file as it is sent: whole, in part, or not at all where the client has it (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from typing import Final

from emulator.exchanges.binance.bulk.door import refuse
from emulator.web.contract import Reply

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


def reply_with(
    body: bytes, *, content_type: bytes, md5: str, modified_us: int, headers: Mapping[bytes, bytes]
) -> Reply:
    """The answer to a request for a body. md5: of it, in hexadecimal digits. headers: the request's.

    Raises PreconditionFailed and InvalidRange.
    """
    tag = f'"{md5}"'
    modified_s = modified_us // 1_000_000
    said = [
        (b"etag", tag.encode()),
        (b"last-modified", formatdate(modified_s, usegmt=True).encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if not _has(headers.get(b"if-match"), tag, default=True):
        raise refuse(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
            Condition="If-Match",
        )
    known = headers.get(b"if-none-match")
    is_known = _has(known, tag, default=False)
    if known is None:
        since_s = _seconds_of(headers.get(b"if-modified-since"))
        is_known = since_s is not None and modified_s <= since_s
    if is_known:
        return Reply(body=b"", content_type=content_type, status=304, headers=tuple(said))
    part = _part_of(headers, tag, modified_s, len(body))
    if part is None:
        return Reply(body=body, content_type=content_type, headers=tuple(said))
    said.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(body))))
    cut = body[part.start : part.stop]
    return Reply(body=cut, content_type=content_type, status=206, headers=tuple(said))


def _has(header: bytes | None, tag: str, *, default: bool) -> bool:
    """Whether a list of tags has this one."""
    if header is None:
        return default
    tags = [one.strip().removeprefix("W/") for one in header.decode("latin-1").split(",")]
    return "*" in tags or tag in tags or tag.strip('"') in tags


def _seconds_of(header: bytes | None) -> int | None:
    """A date of HTTP in seconds; None for what is none."""
    if header is None:
        return None
    try:
        at = parsedate_to_datetime(header.decode("latin-1"))
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _part_of(headers: Mapping[bytes, bytes], tag: str, modified_s: int, size: int) -> range | None:
    """Which part is asked for; None for all of it. Raises InvalidRange."""
    asked = headers.get(b"range", b"").decode("latin-1").strip()
    # Several ranges are answered with the whole, and so is what is no range.
    found = _RANGE.fullmatch(asked)
    if found is None or found[0] == "bytes=-":
        return None
    first_known = headers.get(b"if-range")
    if first_known is not None and not (
        first_known.decode("latin-1") == tag or _seconds_of(first_known) == modified_s
    ):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise refuse(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            RangeRequested=asked,
            ActualObjectSize=str(size),
        )
    return range(start, stop)
