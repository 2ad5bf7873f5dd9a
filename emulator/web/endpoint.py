"""One row made ready: what happens between an admitted request and the bytes of its answer.

A read advances the sandbox first and leaves when what it saw is durable; a command is durable when
`Call.submit` returns. A defect of ours is logged with its trace and answered with the exchange's own
unknown error: never a 5xx, which would tell a client that the exchange is down.
"""

from __future__ import annotations

import inspect
import logging

from emulator.runtime.ports import OutcomeUnknown, StorageUnavailable
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode
from emulator.web.contract import Call, Failure, Refusal, Request, Route, Site

log = logging.getLogger(__name__)


class Answer:
    """What goes out. code: the exchange's error code, or None for a success."""

    __slots__ = ("account", "body", "code", "headers", "is_defect", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: list[tuple[bytes, bytes]],
        code: int | str | None,
        account: int,
        is_defect: bool,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.code = code
        self.account = account
        self.is_defect = is_defect


class Endpoint:
    """A row, its compiled admission and its answer."""

    __slots__ = ("_admit", "_answer", "_is_async", "_reads", "route", "site")

    def __init__(self, site: Site, route: Route) -> None:
        self.site = site
        self.route = route
        self._admit = site.dialect.compile(route)
        self._answer = route.answer
        self._is_async = inspect.iscoroutinefunction(route.answer)
        self._reads = route.reads

    async def run(self, request: Request, sandbox: Sandbox) -> Answer:
        """Answer one request; never raises but for cancellation."""
        site = self.site
        call = Call(site, self.route, request, sandbox, sandbox.clock.now_us())
        is_defect = False
        try:
            self._admit(call)
            if self._reads:
                sandbox.advance()
            body = await self._answer(call) if self._is_async else self._answer(call)
            encoded: bytes = body if type(body) is bytes else encode(body)
            if self._reads:
                seen = sandbox.sequence
                if seen > sandbox.durable_sequence:
                    await sandbox.durable(
                        seen,
                        engine=site.engine or None,
                        account=call.account or None,
                        instrument=call.instrument,
                    )
            site.dialect.settle(call, None)
            return Answer(200, encoded, call.headers, None, call.account, False)
        except Refusal as error:
            refusal = error
        except OutcomeUnknown as error:
            refusal = site.dialect.fail(Failure.OUTCOME_UNKNOWN, str(error))
        except StorageUnavailable as error:
            refusal = site.dialect.fail(Failure.UNAVAILABLE, str(error))
        except Exception:
            log.exception("%s %s failed by a defect", self.route.method, self.route.path)
            refusal = site.dialect.fail(Failure.BROKEN, "")
            is_defect = True
        site.dialect.settle(call, refusal)
        return Answer(
            refusal.status,
            site.dialect.render_refusal(refusal),
            [*call.headers, *refusal.headers],
            refusal.code,
            call.account,
            is_defect,
        )


def refuse(site: Site, failure: Failure, detail: str) -> Answer:
    """The answer of a site to a request that no endpoint of it takes."""
    refusal = site.dialect.fail(failure, detail)
    body = site.dialect.render_refusal(refusal)
    return Answer(refusal.status, body, list(refusal.headers), refusal.code, 0, False)
