"""What is in the bucket, as S3 tells it: the answers to ListObjects in both of its versions, and a page.

Shapes are those of the Amazon S3 API Reference, "ListObjects" and "ListObjectsV2".
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import msgspec

from emulator.exchanges.binance.bulk.archives import Archives
from emulator.exchanges.binance.bulk.door import XML_HEAD, refuse, render_element
from emulator.exchanges.binance.bulk.keys import BUCKET
from emulator.exchanges.binance.bulk.tables import length_of
from emulator.exchanges.binance.bulk.tree import Entry, Key, Walk
from emulator.web.turns import in_turns

KEYS_MAX: Final = 1000
PREFIX_MAX: Final = 1024

_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a listing. after: the key, or the folder, after which it begins. token: what said so."""

    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    token: str = ""
    keys_max: int = KEYS_MAX
    is_second: bool = False
    is_escaped: bool = False


def parse_listing(values: Mapping[str, Any]) -> Asked:
    """Raises InvalidArgument."""
    delimiter = values.get("delimiter", "")
    if delimiter not in ("", "/"):
        raise _invalid("delimiter", delimiter, "Only / is a delimiter here")
    encoding = values.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise _invalid("encoding-type", encoding, "Invalid Encoding Method specified in Request")
    is_second = values.get("list-type") == "2"
    token = values.get("continuation-token", "") if is_second else ""
    after = values.get("start-after" if is_second else "marker", "")
    return Asked(
        prefix=values.get("prefix", "")[:PREFIX_MAX],
        delimiter=delimiter,
        after=_read_token(token) if token else after[:PREFIX_MAX],
        token=token,
        keys_max=min(values.get("max-keys", KEYS_MAX), KEYS_MAX),
        is_second=is_second,
        is_escaped=encoding == "url",
    )


def _invalid(name: str, value: str, why: str) -> Exception:
    return refuse(400, "InvalidArgument", why, ArgumentName=name, ArgumentValue=value[:100])


def _read_token(token: str) -> str:
    try:
        return b64decode(token.encode(), b"-_", validate=True).decode()
    except ValueError:
        raise _invalid("continuation-token", token, "The continuation token provided is incorrect") from None


async def render_listing(archives: Archives, asked: Asked, now_us: int) -> bytes:
    """A page of keys and folders, as XML."""
    found, is_truncated = await _page(archives, asked, now_us)
    say = quote if asked.is_escaped else _plain
    parts = [render_element("Name", BUCKET), render_element("Prefix", say(asked.prefix))]
    last = _name_of(found[-1]) if found else ""
    if asked.is_second:
        if asked.token:
            parts.append(render_element("ContinuationToken", asked.token))
        elif asked.after:
            parts.append(render_element("StartAfter", say(asked.after)))
        if is_truncated:
            parts.append(render_element("NextContinuationToken", urlsafe_b64encode(last.encode()).decode()))
        parts.append(render_element("KeyCount", str(len(found))))
    else:
        parts.append(render_element("Marker", say(asked.after)))
        # Quirk: without a delimiter the first version does not say where the next page begins; that is its
        # last key (ListObjects, "NextMarker").
        if is_truncated and asked.delimiter:
            parts.append(render_element("NextMarker", say(last)))
    parts.append(render_element("MaxKeys", str(asked.keys_max)))
    if asked.delimiter:
        parts.append(render_element("Delimiter", asked.delimiter))
    if asked.is_escaped:
        parts.append(render_element("EncodingType", "url"))
    parts.append(render_element("IsTruncated", "true" if is_truncated else "false"))
    parts += [_contents(archives, one, say(one.key)) for one in found if isinstance(one, Key)]
    parts += [
        f"<CommonPrefixes>{render_element('Prefix', say(one))}</CommonPrefixes>"
        for one in found
        if not isinstance(one, Key)
    ]
    inner = "".join(parts)
    return f'{XML_HEAD}<ListBucketResult xmlns="{_NAMESPACE}">{inner}</ListBucketResult>'.encode()


async def _page(archives: Archives, asked: Asked, now_us: int) -> tuple[list[Entry], bool]:
    """What is on a page, and whether there is more after it."""
    walk = Walk(archives, now_us, prefix=asked.prefix, marker=asked.after, by_folder=bool(asked.delimiter))
    if not asked.keys_max:
        return [], False
    found = await in_turns(islice(walk, asked.keys_max + 1))
    return found[: asked.keys_max], len(found) > asked.keys_max


def _name_of(entry: Entry) -> str:
    return entry.key if isinstance(entry, Key) else entry


def _contents(archives: Archives, one: Key, said: str) -> str:
    modified = datetime.fromtimestamp(one.file.published_us // 1_000_000, UTC)
    card = archives.card(one.file)
    if one.is_sum:
        size, tag = len(one.file.name) + 67, ""
    elif card is None:
        size, tag = length_of(one.file), ""
    else:
        size, tag = card.size, render_element("ETag", f'"{card.md5}"')
    return (
        f"<Contents>{render_element('Key', said)}"
        f"{render_element('LastModified', modified.strftime('%Y-%m-%dT%H:%M:%S.000Z'))}{tag}"
        f"{render_element('Size', str(size))}<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _plain(text: str) -> str:
    return text


# The page


async def render_page(archives: Archives, prefix: str, after: str, now_us: int) -> bytes:
    """Folders and files below a prefix, for people. Links are relative, so that they work anywhere."""
    asked = Asked(prefix=prefix[:PREFIX_MAX], delimiter="/", after=after[:PREFIX_MAX])
    found, is_truncated = await _page(archives, asked, now_us)
    shown = escape(prefix[:PREFIX_MAX] or "/")
    lines = "\n".join(_links(prefix, found, is_truncated))
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>Binance Data Collection: {shown}</title></head>'
        f"<body><h1>{shown}</h1>\n<ul>\n{lines}\n</ul></body></html>\n"
    ).encode()


def _links(prefix: str, found: list[Entry], is_truncated: bool) -> Iterator[str]:
    if prefix.endswith("/"):
        above = prefix[:-1].rpartition("/")[0]
        yield _link(f"?prefix={quote(above + '/' if above else '')}", "../")
    for one in found:
        if isinstance(one, Key):
            yield _link(quote(one.key), one.key.rpartition("/")[2])
        else:
            yield _link(f"?prefix={quote(one)}", one[len(prefix) :])
    if is_truncated:
        marker = quote(_name_of(found[-1]))
        yield _link(f"?prefix={quote(prefix)}&marker={marker}", "more")


def _link(to: str, name: str) -> str:
    return f"<li><a href={quoteattr(to)}>{escape(name)}</a></li>"
