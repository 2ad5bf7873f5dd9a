"""One row made ready: what happens between an admitted request and the bytes of its answer.

A read advances the sandbox first and leaves when what it saw is durable; a command leaves when its
submission is over. All of it is one chain of calls, without a task for each request, so requests are
decided in the order in which they come. A defect of ours is logged with its trace and answered with the
exchange's own unknown error: never a 5xx, which would tell a client that the exchange is down.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any

import msgspec

from emulator.core.ids import AccountId
from emulator.runtime.ports import OutcomeUnknown, SandboxError, StorageUnavailable
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Failure, Refusal, Reply, Request, Route, Site

log = logging.getLogger(__name__)


class Answer(msgspec.Struct, eq=False):
    """What goes out. code: the exchange's error code, or None for a success. header_lines: besides the
    headers, as they are sent. content_type: where it is not the dialect's."""

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]
    code: int | str | None
    account: AccountId
    is_defect: bool
    header_lines: bytes = b""
    content_type: bytes = b""

    @property
    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """What the lines say, and the headers."""
        lines = [line.partition(b": ") for line in self.header_lines.splitlines()]
        return [*((name, value) for name, _, value in lines), *self.headers]


class _Rendered(msgspec.Struct, frozen=True):
    """A success that has its bytes already and waits until what it saw is durable."""

    body: bytes


Leave = Callable[[Answer], None]
"""Takes the answer to a request when it may leave."""


class Endpoint:
    """A row, its compiled admission and its answer. content_type, key_header: its dialect's."""

    __slots__ = ("_admit", "_answer", "_is_async", "_media", "_reads", "_render", "_running", "_settle",
                 "content_type", "key_header", "route", "site")  # fmt: skip

    def __init__(self, site: Site, route: Route) -> None:
        self.site = site
        self.route = route
        self.content_type = site.dialect.content_type
        self.key_header = site.dialect.key_header
        self._admit = site.dialect.compile(route)
        self._settle = site.dialect.compile_settling(route)
        self._render = site.dialect.compile_rendering(route)
        self._answer = route.answer
        self._is_async = inspect.iscoroutinefunction(route.answer)
        self._reads = route.reads
        self._media = route.media.encode()
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, request: Request, sandbox: Sandbox) -> Answer:
        """Answer one request; never raises but for cancellation."""
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def leave(answer: Answer) -> None:
            if not waiter.done():
                waiter.set_result(answer)

        if self._is_async:
            await self._run(request, sandbox, leave)
        else:
            self.start(request, sandbox, leave)
        return await waiter

    def start(self, request: Request, sandbox: Sandbox, leave: Leave) -> None:
        """Answer one request, as far as possible at once; `leave` is called exactly once. Never raises."""
        call = Call(self.site, self.route, request, sandbox, sandbox.clock.now_us())
        admit, answer = self._admit, self._answer
        try:
            admit(call)
            if self._reads:
                sandbox.advance()
            body = answer(call)
        except Exception as error:
            leave(self._refuse(call, error))
            return
        if type(body) is Submission:
            body.then(partial(self._end_submission, call, leave))
        elif self._is_async:
            self._drive(call, leave, body)
        else:
            self._end(call, leave, body)

    async def _run(self, request: Request, sandbox: Sandbox, leave: Leave) -> None:
        call = Call(self.site, self.route, request, sandbox, sandbox.clock.now_us())
        try:
            self._admit(call)
            if self._reads:
                sandbox.advance()
            body = await self._answer(call)
        except Exception as error:
            leave(self._refuse(call, error))
        else:
            self._end(call, leave, body)

    def _drive(self, call: Call, leave: Leave, running: Coroutine[Any, Any, Any]) -> None:
        """Run an asynchronous answer as far as it goes at once.

        A task would begin only when the event loop comes round, and what came first would not be answered
        from what was first. It must not need a task of its own before it waits for the first time.
        """
        try:
            first = running.send(None)
        except StopIteration as done:
            self._end(call, leave, done.value)
        except Exception as error:
            leave(self._refuse(call, error))
        else:
            task = asyncio.get_running_loop().create_task(_rest(running, first))
            self._running.add(task)
            task.add_done_callback(partial(self._end_task, call, leave))

    def _end_submission(self, call: Call, leave: Leave, submission: Submission[Any]) -> None:
        failure = submission.failure
        leave(self._accept(call, submission.answered) if failure is None else self._refuse(call, failure))

    def _end_task(self, call: Call, leave: Leave, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            leave(self._refuse(call, OutcomeUnknown("the emulator ends")))
            return
        error = task.exception()
        if error is None:
            self._end(call, leave, task.result())
        else:
            assert isinstance(error, Exception)
            leave(self._refuse(call, error))

    def _end(self, call: Call, leave: Leave, body: Any) -> None:
        """Let the answer leave when what it saw is durable."""
        sandbox = call.sandbox
        seen = sandbox.sequence
        if not self._reads or seen <= sandbox.durable_sequence:
            leave(self._accept(call, body))
            return
        try:
            if type(body) is not Reply:
                body = _Rendered(self._render(call, body))
        except Exception as error:
            leave(self._refuse(call, error))
            return

        def tell(error: SandboxError | None) -> None:
            leave(self._accept(call, body) if error is None else self._refuse(call, error))

        sandbox.when_durable(
            seen,
            tell,
            engine=self.site.engine or None,
            account=call.account or None,
            instrument=call.instrument,
        )

    def _accept(self, call: Call, body: Any) -> Answer:
        settle = self._settle
        try:
            if type(body) is Reply:
                settle(call, None)
                return Answer(
                    body.status,
                    body.body,
                    list(body.headers),
                    None,
                    call.account,
                    False,
                    call.header_lines,
                    body.content_type or self._media,
                )
            encoded = body.body if type(body) is _Rendered else self._render(call, body)
            settle(call, None)
        except Exception as error:
            return self._refuse(call, error)
        return Answer(200, encoded, [], None, call.account, False, call.header_lines, self._media)

    def _refuse(self, call: Call, error: Exception) -> Answer:
        dialect, route = self.site.dialect, self.route
        is_defect = False
        if isinstance(error, Refusal):
            refusal = error
        elif isinstance(error, OutcomeUnknown):
            refusal = dialect.fail(Failure.OUTCOME_UNKNOWN, str(error))
        elif isinstance(error, StorageUnavailable):
            refusal = dialect.fail(Failure.UNAVAILABLE, str(error))
        else:
            log.error("%s %s failed by a defect", route.method, route.path, exc_info=error)
            refusal = dialect.fail(Failure.BROKEN, "")
            is_defect = True
        try:
            self._settle(call, refusal)
            body = dialect.render_refusal(refusal, call.now_us)
        except Exception:
            # Most answers leave by a callback, whose caller knows no client: that one would wait for ever.
            log.exception("%s %s cannot even be refused", route.method, route.path)
            refusal, is_defect = dialect.fail(Failure.BROKEN, ""), True
            body = dialect.render_refusal(refusal, call.now_us)
        return Answer(
            refusal.status,
            body,
            list(refusal.headers),
            refusal.code,
            call.account,
            is_defect,
            call.header_lines,
        )


@coroutine
def _rest(running: Coroutine[Any, Any, Any], first: Any) -> Generator[Any, Any, Any]:
    """The rest of a coroutine that was run by hand until it first waited, for `first`."""
    waits_for = first
    while True:
        try:
            try:
                sent = yield waits_for
            except BaseException as error:
                waits_for = running.throw(error)
            else:
                waits_for = running.send(sent)
        except StopIteration as done:
            return done.value


def refuse(site: Site, failure: Failure, detail: str, sandbox: Sandbox | None = None) -> Answer:
    """The answer of a site to a request that no endpoint takes; sandbox: at whose time, if it is known."""
    refusal = site.dialect.fail(failure, detail)
    body = site.dialect.render_refusal(refusal, None if sandbox is None else sandbox.clock.now_us())
    return Answer(refusal.status, body, list(refusal.headers), refusal.code, 0, False)
