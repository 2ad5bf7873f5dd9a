"""What an exchange says for itself: how it lets requests in, and how it tells what came of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from emulator.web.codec import encode
from emulator.web.contract.calls import Call, Failure, Refusal
from emulator.web.contract.rows import Parameter, Route

if TYPE_CHECKING:
    from emulator.core.commands import Command
    from emulator.core.rejections import Rejection


Timestamps = Literal["auto", "wall", "sandbox", "off"]
"""What request timestamps are compared with; auto: the sandbox's clock, and while that is virtual the wall
too, whichever is nearer: clients sign with their own time, or with what the server told them of its."""


Counting = Literal["auto", "on", "off"]
"""Whether quotas refuse; auto: only while the sandbox's clock is the wall's."""


Admit = Callable[[Call], None]
"""Checks a request of one row in the exchange's order and fills its Call, or raises a Refusal."""


Settle = Callable[["Call", Refusal | None], None]
"""Charges what a call cost and adds the header lines that tell of it."""


Render = Callable[["Call", Any], bytes]
"""Makes the bytes of a success from what an endpoint answered, which may be bytes already."""


def render_plain(call: Call, body: Any) -> bytes:
    """What was answered, and nothing around it."""
    return body if type(body) is bytes else encode(body)


class Dialect(Protocol):
    """How one exchange lets requests in and says what is wrong."""

    key_header: bytes
    """The header that carries the API key, lower case; empty where no header does."""

    content_type: bytes

    def compile(self, route: Route) -> Admit:
        """Prepare a row once; what it returns runs for every request."""
        ...

    def compile_settling(self, route: Route) -> Settle:
        """Prepare once what is done at the end of every request of a row."""
        ...

    def compile_rendering(self, route: Route) -> Render:
        """Prepare once how what the row answers is told."""
        ...

    def reserve_orders(self, call: Call, count: int) -> None: ...

    def speak(self, rejection: Rejection, command: Command | None) -> Refusal:
        """A rejection of the core in the exchange's words. command: what was rejected."""
        ...

    def fail(self, failure: Failure, detail: str) -> Refusal: ...

    def render_refusal(self, refusal: Refusal, now_us: int | None = None) -> bytes:
        """The error body. now_us: the sandbox's time, where there is one."""
        ...

    def describe_parameters(self, route: Route) -> tuple[Parameter, ...]:
        """What every request of the row's security carries beside the row's own parameters."""
        ...

    def refuses_unknown(self, route: Route) -> bool:
        """Whether a parameter that the row does not have is an error, rather than passed over."""
        ...

    def describe_answer(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The JSON schema of what answers with HTTP 200, where `schema` is that of a row's answers."""
        ...

    def describe_errors(self) -> Mapping[str, Any]:
        """The JSON schema of the error body."""
        ...

    def describe_failures(self, route: Route) -> Mapping[int, str]:
        """The HTTP statuses of errors that any row like this one has, and what they mean."""
        ...

    def describe_security(self) -> Mapping[str, Mapping[str, Any]]:
        """OpenAPI security schemes by name, for the header that carries the key and the signature."""
        ...
