"""All of Binance Spot under one roof: every row of the site, over a market that a test sets."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from emulator.exchanges import binance
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.spot.streams.sockets import sockets
from emulator.web.contract import Route, Site
from tests.exchanges.binance.trading_floor import DEMO, Floor
from tests.web.client import Reply, ask


@cache
def spot() -> Site:
    """The site as it is served."""
    site = binance.sites(eras=Eras(), timestamps="auto", counting="auto")[0]
    assert site.name == "binance"
    return site


def rows() -> Mapping[tuple[str, str], Route]:
    """The rows of the site by method and path."""
    return {(route.method, route.path): route for route in spot().rows}


class Building(Floor):
    """A `Floor` whose clients may ask for whole paths, unsigned, with any key and any headers."""

    door: Door

    def _site(self) -> Site:
        return Site(
            name="binance",
            engine="binance",
            title="Binance Spot",
            rows=spot().rows,
            dialect=self.door,
            not_emulated=spot().not_emulated,
            sockets=sockets(self.door),
        )

    async def ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        who: str | None = DEMO,
        signed: bool | None = None,
        timestamp: int | None = None,
        headers: Mapping[str, str] | None = None,
        query: str | None = None,
    ) -> Reply:
        """A request to a path, signed where its row asks for that. query: instead of parameters."""
        route = rows().get((method, path))
        security = None if route is None else route.security
        text = urlencode(parameters or {}) if query is None else query
        if signed is None:
            signed = security is not None and security.signed
        if signed:
            now_ms = self.sandbox.clock.now_us() // 1000 if timestamp is None else timestamp
            text += ("&" if text else "") + f"timestamp={now_ms}"
            secret = f"secret-of-{who}".encode()
            text += f"&signature={hmac.digest(secret, text.encode(), 'sha256').hex()}"
        sent = dict(headers or {})
        if who is not None and security is not None and security.keyed:
            sent.setdefault("X-MBX-APIKEY", f"key-of-{who}")
        return await ask(self.application, method, path, query=text, headers=sent)

    async def take(
        self, method: str, path: str, parameters: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """The body of an answer that must be a success."""
        reply = await self.ask(method, path, parameters, **more)
        assert reply.status == 200, (method, path, parameters, reply.content)
        return reply.json
