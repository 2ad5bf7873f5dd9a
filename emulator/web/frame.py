"""Starlette around the pages and the control API; a path that nobody answers says who would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from emulator.web.codec import encode
from emulator.web.hosts import CONTROL, SITES
from emulator.web.table import SHOWN_PATH_MAX


def build_frame(
    routes: Sequence[BaseRoute], lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None
) -> Starlette:
    """The frame with its routes, which are matched one after the other."""
    return Starlette(routes=list(routes), lifespan=lifespan, exception_handlers={404: _nothing_here})


async def _nothing_here(request: Request, error: Exception) -> Response:
    detail = getattr(error, "detail", "Not Found")
    if detail != "Not Found":
        return Response(encode({"error": detail}), status_code=404, media_type="application/json")
    return Response(
        encode(
            {
                "error": f"Nothing answers {request.method} {request.url.path[:SHOWN_PATH_MAX]} here.",
                "sites": [f"/{name}/" for name in SITES],
                "control": CONTROL,
            }
        ),
        status_code=404,
        media_type="application/json",
    )
