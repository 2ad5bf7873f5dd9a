"""What Binance changed on the wire, as named switches; the defaults keep stock clients of today alive.

A switch is about how the exchange behaved at some time. Whether this emulator counts requests or
checks timestamps at all is not an era; that is the door's (`door.py`).
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Eras(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field per switch. Dates are those of the documents' change log."""

    unknown_parameters: Literal["refuse", "ignore"] = "refuse"
    """A parameter that the endpoint does not have: -1104, or not looked at. /sapi never looks."""

    signature_encoding: Literal["either", "encoded"] = "either"
    """Sign the bytes that are sent; before 2026-01-15 the decoded text was accepted as well."""

    accepted_orders: Literal["free", "charged"] = "free"
    """Order requests that succeed: since 2026-04-02 they cost no weight."""

    first_maker_fill_releases: int = 5
    """How many unfilled orders a first fill as maker takes off the count; as taker it is always one.

    faqs/order_count_decrement.md promises "more than one" for it and shows five in example 2; what live
    hosts take off is not documented, and a later example of the same page shows one.
    """

    spot_listen_key: Literal["refuse", "serve"] = "refuse"
    """POST/PUT/DELETE /api/v3/userDataStream, and their keys as streams: removed on 2026-02-20."""

    all_tickers_stream: Literal["serve", "silent"] = "serve"
    """`!ticker@arr`: retired on 2026-03-26."""

    futures_stream_routes: Literal["any", "strict"] = "any"
    """Streams of USD-M speak on any path, or, as since 2026-04-23, on the route that they belong to, and
    without a route those of `/public` only. What does not speak can be subscribed to all the same.
    """

    futures_arrays: Literal["own", "merged"] = "own"
    """Streams of all symbols: of the site's own product, or, as since 2026-06-30, of both products."""

    session_logon: Literal["any", "ed25519"] = "any"
    """Which kinds of key may log on to the WebSocket API; the documents name Ed25519 only."""

    usdm_stop_orders: Literal["refuse", "accept"] = "refuse"
    """Conditional types at POST /fapi/v1/order and in batches: since 2025-12-09 -4120, and only the
    endpoints of algo orders take them."""

    coinm_stop_orders: Literal["accept", "refuse"] = "accept"
    """The same of /dapi/v1, which takes them at both endpoints until a date that is not announced."""

    order_sums: Literal["omit", "include"] = "omit"
    """`avgPrice` with `cumQuote` or `cumBase` in the answers to orders that are placed, modified or canceled
    on futures: gone since 2026-06-24."""
