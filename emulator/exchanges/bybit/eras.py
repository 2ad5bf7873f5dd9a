"""What Bybit changed on the wire, or does not document, as named switches; see `web/eras`.

A switch is about how the exchange behaves, or behaved at some time. Whether this emulator counts requests
or checks timestamps at all is not an era; that is the door's (`door.py`).
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Eras(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field per switch. All names are the exchange's own, since all exchanges share one setting."""

    bybit_proof_status: Literal["ok", "unauthorized"] = "ok"
    """HTTP status of requests without a valid key or signature: 200 with the code in the body, or 401.

    The error page promises 401 for a key that is wrong or missing, and gateways of late send it; pybit then
    tells the status only, where all SDKs know the codes.
    """

    bybit_coin_mode_unchanged: Literal["ok", "refuse"] = "ok"
    """A position mode that all contracts of a coin have already: clients that set it at every start take an
    error for fatal (freqtrade), but it is documented of symbols only, 110025."""

    bybit_risk_rates: Literal["fraction", "percent"] = "fraction"
    """Rates of `GET /v5/market/risk-limit`: the documents' example has per cents; live answers have
    fractions, and clients read them so."""

    bybit_spot_trigger_id: Literal["new", "same"] = "new"
    """Whether a pair's conditional order goes on under another id when it is triggered, and freezes nothing
    until then; or under its own, with its funds frozen from the first."""

    bybit_post_only_spot: Literal["Cancelled", "Rejected"] = "Cancelled"
    """What a pair's order that may only rest has become where it would have traded."""

    bybit_repeated_topics: Literal["refuse", "accept"] = "refuse"
    """A market's topic that a connection has subscribed to already: live hosts refuse the request, which no
    document says."""
