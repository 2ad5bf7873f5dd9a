"""What is said to be emulated is what the rows declare, WebSockets among them."""

from __future__ import annotations

from emulator.web.contract import Channel, Method, Opening, Site, SocketRow
from emulator.web.coverage import describe, page
from emulator.web.sockets import Session, Socket
from tests.web.toy import ToyDialect, rows, toy_site

TRADES = (Channel("<symbol>@trade", "Every trade"), Channel("!all", "Everything"))
ASK = Method("ask", "Ask | tell")


def _open(opening: Opening, socket: Socket) -> Session:
    raise AssertionError("nobody connects here")


def _site() -> Site:
    echo = next(iter(rows))
    return Site(
        name="binance",
        engine="north",
        title="Toy",
        rows=tuple(rows),
        dialect=ToyDialect(),
        sockets=(
            SocketRow(path="/ws", summary="Talk", open=_open, channels=TRADES, methods=(ASK,)),
            SocketRow(path="/ws/*", summary="Talk at once", open=_open, channels=TRADES, methods=(ASK,)),
            SocketRow(
                path="/api", summary="Ask", open=_open, methods=(Method("echo", "Say it again", echo), ASK)
            ),
        ),
    )


def test_sockets_are_described_with_their_streams_and_methods() -> None:
    told = {one["site"]: one for one in describe({"binance": _site()})}
    assert told["bybit"]["sockets"] == []
    assert [socket["path"] for socket in told["binance"]["sockets"]] == ["/ws", "/ws/*", "/api"]
    first, _, api = told["binance"]["sockets"]
    assert first == {
        "path": "/ws",
        "note": "Talk",
        "streams": [
            {"name": "<symbol>@trade", "note": "Every trade"},
            {"name": "!all", "note": "Everything"},
        ],
        "methods": [{"name": "ask", "note": "Ask | tell", "endpoint": None}],
    }
    assert [method["endpoint"] for method in api["methods"]] == ["GET /api/v3/echo", None]


def test_the_page_tells_what_several_paths_have_once_and_counts_it() -> None:
    text = page({"binance": _site()}, toy_site(ToyDialect()))
    assert f"| Toy (`binance`) | yes | {len(rows)} | 2 | 2 | `/binance/…` |" in text
    assert text.count("| `<symbol>@trade` | Every trade |") == 1
    assert "Streams of `/ws`, `/ws/*`:" in text
    assert "Methods of `/ws`, `/ws/*`:" in text
    assert "Methods of `/api`:" in text
    assert "| `ask` | Ask \\| tell |  |" in text
    assert "| `echo` | Say it again | `GET /api/v3/echo` |" in text


def test_a_site_without_sockets_says_nothing_of_them() -> None:
    text = page({"binance": toy_site(ToyDialect())}, toy_site(ToyDialect()))
    assert "WebSockets:" not in text
