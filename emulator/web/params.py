"""Names and values out of a query string and a form body, within bounds.

A name that both hold counts once, with the query's value. Nothing here refuses a value: what it may
be is the dialect's to say.
"""

from __future__ import annotations

from urllib.parse import unquote_plus

PARAMETERS_MAX = 256
"""More pairs than that in one request are not looked at; the largest row has fewer than sixty."""


class TooManyPairs(ValueError):
    """The request has more pairs than any endpoint could want."""


def split_pairs(query: bytes, body: bytes) -> tuple[dict[str, str], bool]:
    """All pairs, and whether a name came twice in the query or twice in the body.

    Bytes that are not UTF-8, escaped or not, become U+FFFD, which no parameter allows.
    """
    if not body:
        return _split(query)
    if not query:
        return _split(body)
    pairs, twice = _split(body)
    of_query, twice_in_query = _split(query)
    if len(pairs) + len(of_query) > PARAMETERS_MAX:
        raise TooManyPairs
    pairs.update(of_query)
    return pairs, twice or twice_in_query


def _split(raw: bytes) -> tuple[dict[str, str], bool]:
    if raw.count(b"&") >= PARAMETERS_MAX:
        raise TooManyPairs
    text = raw.decode(errors="replace")
    pieces = text.split("&")
    pairs: dict[str, str] = {}
    if "%" not in text and "+" not in text:
        for piece in pieces:
            name, _, value = piece.partition("=")
            pairs[name] = value
        if len(pairs) == len(pieces) and "" not in pairs:
            return pairs, False
        pairs.clear()
    # Something is escaped, came twice, or is empty.
    twice = False
    for piece in pieces:
        if not piece:
            continue
        name, _, value = piece.partition("=")
        name, value = unquote_plus(name), unquote_plus(value)
        if name in pairs:
            twice = True
        pairs[name] = value
    return pairs, twice
