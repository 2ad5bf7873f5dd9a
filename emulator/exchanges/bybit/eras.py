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

    bybit_repeated_topics: Literal["refuse", "accept"] = "refuse"
    """A market's topic that a connection has subscribed to already: live hosts refuse the request, which no
    document says."""
