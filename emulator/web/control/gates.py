"""Gates: ports through which programs reach the real hosts' namesakes here, one for each run of a program."""

from __future__ import annotations

from typing import TypedDict

from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows
from emulator.web.control.dialect import BODY, desk
from emulator.web.gates import GateKept, GateOrder
from emulator.web.listener import PortUnavailable
from emulator.web.tallies import Tally, by_count

rows = Rows()

PORT = Parameter(
    "port", kind=Kind.INTEGER, required=True, minimum=1, maximum=65_535, description="A gate's port."
)


class GateOpened(TypedDict):
    """ca: the path of the authority's certificate, which its clients have to trust."""

    port: int
    ca: str


class HostCalls(TypedDict):
    """errors: requests that were refused. sockets: WebSocket connections opened. notEmulated: method and
    path of what is not here."""

    host: str
    requests: int
    errors: int
    sockets: int
    notEmulated: list[str]


class HostCount(TypedDict):
    host: str
    count: int


class GateTally(TypedDict):
    """refused: connections to other hosts, `name:port`, that the guard did not let out. untrusting: TLS
    handshakes that clients broke off, as they do when they do not trust the authority."""

    port: int
    hosts: list[HostCalls]
    refused: list[HostCount]
    untrusting: list[HostCount]


@rows.route("POST", "/gates", summary="Open a gate for a program", body=GateOrder, answers=GateOpened)
def open_gate(call: Call) -> GateOpened:
    gates = desk(call).gates
    order: GateOrder = call.values[BODY]
    try:
        certificate = gates.certificate
        port = gates.open(order)
    except ValueError as error:
        raise Refusal(
            422, "not_allowable", f"{error.args[0]!r} is not a host that can be let out to."
        ) from error
    except PortUnavailable as error:
        raise Refusal(409, "port_unavailable", f"No gate can be opened: {error}.") from error
    except OSError as error:
        raise Refusal(409, "no_authority", f"There is no certificate authority: {error}.") from error
    return {"port": port, "ca": certificate}


@rows.route(
    "GET",
    "/gates/{port}",
    summary="What came through a gate",
    parameters=(PORT,),
    reads=False,
    answers=GateTally,
)
def read_gate(call: Call) -> GateTally:
    return _shown(call, desk(call).gates.tally(call.values["port"]))


@rows.route(
    "DELETE",
    "/gates/{port}",
    summary="Close a gate, and say what came through it",
    parameters=(PORT,),
    answers=GateTally,
)
async def close_gate(call: Call) -> GateTally:
    try:
        tally = await desk(call).gates.close(call.values["port"])
    except GateKept:
        raise Refusal(409, "permanent_gate", "This gate stays as long as the emulator runs.") from None
    return _shown(call, tally)


def _shown(call: Call, tally: Tally | None) -> GateTally:
    port: int = call.values["port"]
    if tally is None:
        raise Refusal(404, "no_such_gate", f"There is no gate on port {port}.")
    return {
        "port": port,
        "hosts": [
            {
                "host": host,
                "requests": called.requests,
                "errors": called.errors,
                "sockets": called.sockets,
                "notEmulated": [asked for asked, _ in by_count(called.missing)],
            }
            for host, called in sorted(tally.hosts.items())
        ],
        "refused": _counts(tally.refused),
        "untrusting": _counts(tally.untrusting),
    }


def _counts(counts: dict[str, int]) -> list[HostCount]:
    return [{"host": host, "count": count} for host, count in by_count(counts)]
