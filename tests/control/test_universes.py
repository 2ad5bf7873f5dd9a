"""Health, sandboxes and clocks over a real socket."""

from __future__ import annotations

import httpx
import pytest

import emulator
from tests.control.conftest import ControlClient
from tests.launch import Server

START_MS = 1_767_225_600_000
"""The first moment of 2026."""


def test_health_says_where_what_is_served(server: Server, control: ControlClient) -> None:
    health = control.get("/health")
    assert health["status"] == "ok"
    assert health["version"] == emulator.__version__
    assert health["journal"] == {"kind": "memory", "durable": False}
    assert health["ports"] == server.ports
    served = {name for name, site in health["sites"].items() if site["served"]}
    assert served == {"binance", "binance-usdm", "binance-coinm", "binance-vision", "bybit"}
    for name, is_served in (("bybit", True), ("kucoin", False)):
        assert health["sites"][name] == {
            "served": is_served,
            "path": f"/{name}",
            "port": server.ports[name],
        }
    assert health["requests"]["broken"] == 0
    assert health["degraded"] == []
    assert health["reasons"] == {}
    assert health["sandboxes"] >= 1


def test_health_counts_requests(server: Server, control: ControlClient) -> None:
    before = control.get("/health")["requests"]
    httpx.get(server.site("binance-usdm") + "/fapi/v1/ping", trust_env=False).raise_for_status()
    assert httpx.get(server.url + "/api/v3/nothing-here", trust_env=False).status_code == 404
    after = control.get("/health")["requests"]
    assert after["total"] == before["total"] + 2
    assert after["refused"] == before["refused"] + 1


def test_head_is_get_without_the_body(server: Server) -> None:
    answer = httpx.head(server.control + "/health", trust_env=False)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 0
    assert answer.content == b""


def test_a_sandbox_is_made_listed_and_dropped(control: ControlClient) -> None:
    made = control.post("/sandboxes", {"name": "short-lived", "seed": 7})
    assert (made["name"], made["seed"], made["path"]) == ("short-lived", 7, "/~short-lived")
    assert made["clock"]["mode"] == "wall"
    assert made["accounts"] == ["demo"]
    assert control.get("/sandboxes/short-lived")["name"] == "short-lived"
    assert "short-lived" in [one["name"] for one in control.get("/sandboxes")["sandboxes"]]
    assert control.refused("POST", "/sandboxes", {"name": "short-lived"}, status=409) == "sandbox_exists"
    assert control.delete("/sandboxes/short-lived") == {"dropped": "short-lived"}
    assert control.refused("GET", "/sandboxes/short-lived", status=404) == "no_such_sandbox"
    assert control.refused("DELETE", "/sandboxes/short-lived", status=404) == "no_such_sandbox"


@pytest.mark.parametrize("name", ["Upper", "-first", "last-", "a.b", "x" * 64, ""])
def test_names_that_are_no_labels_are_refused(control: ControlClient, name: str) -> None:
    assert control.refused("POST", "/sandboxes", {"name": name}, status=400) == "invalid_body"


def test_the_default_sandbox_stays(control: ControlClient) -> None:
    assert control.refused("DELETE", "/sandboxes/default", status=409) == "default_sandbox"


def test_a_sandbox_is_addressed_by_prefix_query_and_host(server: Server, sandbox: str) -> None:
    by_prefix = httpx.get(f"{server.url}/~{sandbox}/_emulator/clock", trust_env=False)
    by_query = httpx.get(f"{server.control}/clock", params={"sandbox": sandbox}, trust_env=False)
    host = f"{sandbox}.localhost:{server.ports['all']}"
    by_host = httpx.get(f"{server.control}/clock", headers={"host": host}, trust_env=False)
    assert by_prefix.json() == by_query.json() == by_host.json()
    assert by_prefix.json()["sandbox"] == sandbox


def test_an_unknown_sandbox_is_said(control: ControlClient, server: Server) -> None:
    assert control.refused("GET", "/clock?sandbox=nobody", status=404) == "no_such_sandbox"
    by_prefix = httpx.get(f"{server.url}/~nobody/_emulator/clock", trust_env=False)
    assert (by_prefix.status_code, by_prefix.json()["error"]["code"]) == (404, "no_such_sandbox")


def test_a_virtual_clock_is_set_stepped_sped_and_stopped(inside: ControlClient, sandbox: str) -> None:
    assert inside.get("/clock") == {
        "sandbox": sandbox,
        "mode": "virtual",
        "timeMs": START_MS,
        "timeUs": START_MS * 1000,
        "time": "2026-01-01T00:00:00.000000Z",
        "speed": "0",
    }
    assert inside.put("/clock", {"time": START_MS + 5})["timeMs"] == START_MS + 5
    assert (
        inside.put("/clock", {"time": "2026-01-02T00:00:00+01:00"})["time"] == "2026-01-01T23:00:00.000000Z"
    )
    assert inside.put("/clock", {"step": 1500})["time"] == "2026-01-01T23:00:01.500000Z"
    assert inside.put("/clock", {"step": "1h30m"})["time"] == "2026-01-02T00:30:01.500000Z"
    sped = inside.put("/clock", {"speed": "3600"})
    assert sped["speed"] == "3600"
    seen = {inside.get("/clock")["timeUs"] for _ in range(3)}
    assert len(seen) == 3
    stopped = inside.put("/clock", {"speed": 0})
    assert stopped["timeUs"] > max(seen)
    assert inside.get("/clock")["timeUs"] == stopped["timeUs"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({}, 400, "invalid_body"),
        ({"time": "2020-01-01"}, 409, "clock_refused"),
        ({"time": "yesterday"}, 400, "invalid_time"),
        ({"time": "1960-01-01"}, 400, "invalid_time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, 400, "invalid_time"),
        ({"time": 1, "step": 1}, 400, "invalid_body"),
        ({"step": "a while"}, 400, "invalid_body"),
        ({"step": -1}, 400, "invalid_body"),
        ({"step": "999999999w"}, 409, "clock_refused"),
        ({"speed": "NaN"}, 400, "invalid_body"),
        ({"speed": 1_000_001}, 409, "clock_refused"),
        ({"mode": "wall", "speed": 2}, 400, "invalid_body"),
        ({"mode": "sideways"}, 400, "invalid_body"),
        ({"tempo": 2}, 400, "invalid_body"),
        ([], 400, "invalid_body"),
    ],
)
def test_clock_changes_that_make_no_sense(
    inside: ControlClient, change: object, status: int, code: str
) -> None:
    before = inside.get("/clock")
    assert inside.refused("PUT", "/clock", change, status=status) == code
    assert inside.get("/clock") == before


def test_the_wall_gives_and_takes_the_clock(control: ControlClient, inside: ControlClient) -> None:
    wall = inside.put("/clock", {"mode": "wall"})
    assert (wall["mode"], wall["speed"]) == ("wall", "1")
    assert wall["timeMs"] == pytest.approx(control.get("/clock")["timeMs"], abs=10_000)
    frozen = inside.put("/clock", {"mode": "virtual"})
    assert (frozen["mode"], frozen["speed"]) == ("virtual", "0")
    assert inside.get("/clock")["timeUs"] == frozen["timeUs"]


def test_a_reset_begins_as_it_was_created(inside: ControlClient) -> None:
    inside.post("/accounts", {"name": "gone"})
    inside.put("/clock", {"step": "1d"})
    fresh = inside.post("/reset")
    assert fresh["accounts"] == ["demo"]
    assert fresh["clock"]["timeMs"] == START_MS


def test_a_reset_may_choose_an_earlier_time_and_another_seed(
    control: ControlClient, inside: ControlClient, sandbox: str
) -> None:
    fresh = control.post(f"/sandboxes/{sandbox}/reset", {"seed": 9, "clock": {"time": "2020-01-01"}})
    assert fresh["seed"] == 9
    assert fresh["clock"]["time"] == "2020-01-01T00:00:00.000000Z"
    assert inside.get("/clock") == fresh["clock"]
    assert control.refused("POST", "/sandboxes/nobody/reset", status=404) == "no_such_sandbox"


def test_a_fork_begins_as_its_source_is(control: ControlClient, inside: ControlClient, sandbox: str) -> None:
    inside.post("/accounts", {"name": "before"})
    forked = control.post(f"/sandboxes/{sandbox}/fork", {"name": f"{sandbox}-fork"})
    inside.post("/accounts", {"name": "after"})
    assert forked["accounts"] == ["demo", "before"]
    assert control.get(f"/sandboxes/{sandbox}-fork")["accounts"] == ["demo", "before"]
    assert control.get(f"/sandboxes/{sandbox}")["accounts"] == ["demo", "before", "after"]
    assert (
        control.refused("POST", f"/sandboxes/{sandbox}/fork", {"name": sandbox}, status=409)
        == "sandbox_exists"
    )
    assert control.refused("POST", "/sandboxes/nobody/fork", {"name": "x"}, status=404) == "no_such_sandbox"
    control.delete(f"/sandboxes/{sandbox}-fork")


@pytest.mark.parametrize("verb", ["snapshot", "restore"])
def test_snapshots_are_said_to_be_missing(control: ControlClient, verb: str) -> None:
    assert control.refused("POST", f"/sandboxes/default/{verb}", status=404) == "not_emulated"
