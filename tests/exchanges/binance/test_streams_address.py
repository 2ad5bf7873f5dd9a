"""Addresses of market stream sockets where a product has routes, and listen keys in the query."""

from __future__ import annotations

import pytest

from emulator.exchanges.binance.streams.address import ALL_EVENTS, Address, KeyAsked, parse_address
from emulator.exchanges.binance.streams.control import STREAMS_MAX
from emulator.web.contract import Refusal

ROUTES = ("public", "market", "private")
KEY, OTHER = "k" * 64, "o" * 64


def asked(path: str, query: str = "") -> Address:
    return parse_address(path, query.encode(), routes=ROUTES, takes_keys=True, takes_time_unit=False)


@pytest.mark.parametrize(
    ("path", "route", "names", "is_combined"),
    [
        ("/ws", "", (), False),
        ("/public/ws", "public", (), False),
        ("/market/ws/a@b/0", "market", ("a@b",), False),
        ("/market/stream", "market", (), True),
        ("/market/stream/", "market", (), True),
        (f"/private/ws/{KEY}", "private", (KEY,), False),
        ("/public/ws/7", "public", (), False),
        # Not a route: the path's row decides whether it is anything.
        ("/other/ws/a@b", "", ("a@b",), False),
    ],
)
def test_a_route_is_the_first_part_of_a_path(
    path: str, route: str, names: tuple[str, ...], is_combined: bool
) -> None:
    assert asked(path) == Address(names, is_combined, 1000, route)


def test_streams_of_a_combined_path_with_a_route() -> None:
    assert asked("/public/stream", "streams=a@b/c@d") == Address(("a@b", "c@d"), True, 1000, "public")


def test_short_names_without_an_at_name_streams_where_a_product_has_them() -> None:
    assert asked("/ws/!contractInfo/7/a@b").names == ("a@b",)
    found = parse_address("/ws/!contractInfo/7/a@b", b"", plain_names={"!contractInfo"})
    assert found.names == ("!contractInfo", "a@b")


def test_there_are_no_units_of_time_unless_a_product_has_them() -> None:
    assert asked("/ws", "timeUnit=MICROSECOND").divisor == 1000
    assert asked("/ws", "timeUnit=nonsense").divisor == 1000


@pytest.mark.parametrize(
    ("path", "query", "keys"),
    [
        ("/private/ws", f"listenKey={KEY}", (KeyAsked(KEY, ALL_EVENTS),)),
        ("/ws", f"listenKey={KEY}", (KeyAsked(KEY, ALL_EVENTS),)),
        (
            "/private/ws",
            f"listenKey={KEY}&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE",
            (KeyAsked(KEY, frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"})),),
        ),
        (
            "/private/stream",
            f"listenKey={KEY}&events=ORDER_TRADE_UPDATE&listenKey={OTHER}",
            (KeyAsked(KEY, frozenset({"ORDER_TRADE_UPDATE"})), KeyAsked(OTHER, ALL_EVENTS)),
        ),
        ("/private/ws", f"listenKey={KEY}&events=", (KeyAsked(KEY, ALL_EVENTS),)),
        ("/private/ws", "listenKey=&events=ORDER_TRADE_UPDATE", ()),
        ("/private/ws", "events=ORDER_TRADE_UPDATE", ()),
        ("/private/ws", "listenKey=%20%21", ()),
    ],
)
def test_listen_keys_in_a_query_have_their_events_after_them(
    path: str, query: str, keys: tuple[KeyAsked, ...]
) -> None:
    assert asked(path, query).keys == keys


def test_spot_takes_no_keys_from_a_query() -> None:
    assert parse_address("/ws", f"listenKey={KEY}".encode()).keys == ()


def test_keys_count_as_streams() -> None:
    names = "/".join(f"a@{n}" for n in range(STREAMS_MAX))
    with pytest.raises(Refusal):
        asked("/stream", f"streams={names}&listenKey={KEY}")
