"""Requests, events and coverage over a real socket."""

from __future__ import annotations

import httpx

from tests.control.conftest import ControlClient
from tests.launch import Server


def test_requests_are_shown_as_they_came_without_secrets(
    server: Server, control: ControlClient, sandbox: str
) -> None:
    site = f"{server.url}/~{sandbox}/binance-usdm"
    httpx.get(f"{site}/fapi/v1/ping", trust_env=False)
    httpx.get(
        f"{site}/fapi/v1/nothing?signature=abcdef&x=1",
        headers={"X-MBX-APIKEY": "emulator-demo-key"},
        trust_env=False,
    )
    shown = control.get("/requests", params={"sandbox": sandbox})["requests"]
    assert [(r["method"], r["status"], r["site"]) for r in shown] == [
        ("GET", 200, "binance-usdm"),
        ("GET", 404, "binance-usdm"),
    ]
    last = shown[-1]
    assert last["query"] == "signature=***&x=1"
    assert last["key"] == "emulat…"
    assert last["code"] == -1020
    assert last["path"].endswith("/fapi/v1/nothing")


def test_requests_are_filtered(server: Server, control: ControlClient, sandbox: str) -> None:
    site = f"{server.url}/~{sandbox}"
    for path in ("/fapi/v1/ping", "/dapi/v1/ping", "/dapi/v1/time", "/dapi/v1/nothing"):
        httpx.get(site + path, trust_env=False)
    httpx.post(site + "/dapi/v1/ping", trust_env=False)

    def paths(**filters: object) -> list[str]:
        shown = control.get("/requests", params={"sandbox": sandbox, **filters})["requests"]
        return [request["path"].removeprefix(f"/~{sandbox}") for request in shown]

    assert paths(site="binance-usdm") == ["/fapi/v1/ping"]
    assert paths(path="time") == ["/dapi/v1/time"]
    assert paths(status=404) == ["/dapi/v1/nothing"]
    assert paths(method="POST") == ["/dapi/v1/ping"]
    assert paths(outcome="refused") == ["/dapi/v1/nothing", "/dapi/v1/ping"]
    assert paths(outcome="accepted", limit=1) == ["/dapi/v1/time"]
    assert control.refused("GET", "/requests?limit=1001", status=400) == "invalid_parameter"
    assert control.refused("GET", "/requests?site=nyse", status=400) == "invalid_parameter"
    assert control.refused("GET", "/requests?account=nobody", status=404) == "no_such_account"


def test_events_tell_everything_since_the_beginning(inside: ControlClient, sandbox: str) -> None:
    told = inside.get("/events")
    assert told["sandbox"] == sandbox
    kinds = [event["kind"] for event in told["events"]]
    assert kinds[:2] == ["AccountNamed", "AccountOpened"]
    assert {"KeyAdded", "AmountDeposited", "SandboxProvisioned"} <= set(kinds)
    assert told["more"] is False
    assert inside.get("/events", params={"after": told["next"]})["events"] == []


def test_events_go_on_where_one_left_off(inside: ControlClient) -> None:
    after = inside.get("/events")["next"]
    inside.post("/accounts", {"name": "alice"})
    inside.post("/accounts/alice/deposits", {"wallet": "spot", "asset": "BTC", "amount": "1.50"})
    told = inside.get("/events", params={"after": after})["events"]
    assert [(event["kind"], event["engine"]) for event in told] == [
        ("AccountNamed", None),
        ("AccountOpened", "binance"),
        ("AccountOpened", "bybit"),
        ("AmountDeposited", "binance"),
    ]
    assert told[-1]["content"]["amount"] == "1.5"
    assert told[-1]["time"] == "2026-01-01T00:00:00.000000Z"
    only = inside.get("/events", params={"after": after, "kind": "AmountDeposited"})["events"]
    assert [event["kind"] for event in only] == ["AmountDeposited"]


def test_events_come_in_pages(inside: ControlClient) -> None:
    for number in range(3):
        inside.post("/accounts", {"name": f"account-{number}"})
    everything = inside.get("/events")["events"]
    read: list[object] = []
    after, more = 0, True
    while more:
        page = inside.get("/events", params={"after": after, "limit": 2})
        assert page["next"] > after
        read += page["events"]
        after, more = page["next"], page["more"]
    assert read == everything


def test_events_hold_no_secrets(inside: ControlClient) -> None:
    made = inside.post("/accounts/demo/keys", {"key": "a-key-of-mine", "secret": "s3cr3t-value"})
    text = str(inside.get("/events"))
    assert "KeyAdded" in text
    for hidden in (made["key"], made["secret"], "emulator-demo-secret", "emulator-demo-passphrase"):
        assert hidden not in text


def test_coverage_lists_every_site(control: ControlClient) -> None:
    sites = {site["site"]: site for site in control.get("/coverage")["sites"]}
    assert list(sites) == [
        "binance",
        "binance-usdm",
        "binance-coinm",
        "bybit",
        "kucoin",
        "kucoin-futures",
        "paper",
        "binance-vision",
    ]
    assert (sites["bybit"]["served"], sites["kucoin"]["served"]) == (True, False)
    usdm = sites["binance-usdm"]
    assert {path["path"] for path in usdm["paths"] if path["emulated"]} >= {
        "/fapi/v1/ping",
        "/fapi/v1/time",
        "/fapi/v1/exchangeInfo",
    }
    assert all(path["note"] for site in sites.values() for path in site["paths"])
