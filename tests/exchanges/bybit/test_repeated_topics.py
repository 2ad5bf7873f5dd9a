"""A second subscription to what is subscribed to: no error for an account's own topics."""

from __future__ import annotations

import pytest

from tests.exchanges.bybit.booth import ANY, PRIVATE, Booth
from tests.exchanges.bybit.pit import LONG

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", [PRIVATE, ANY])
async def test_an_account_is_told_once_however_often_it_asked(path: str) -> None:
    async with Booth().on_air() as booth, booth.line(path) as client:
        for _ in range(2):
            answer = await client.ask("subscribe", "order", "wallet")
            assert (answer["success"], answer["ret_msg"]) == (True, "")
        number = await booth.place(LONG)
        told = [message for message in await client.rest() if message["topic"] == "order"]
        assert [message["data"][0]["orderId"] for message in told] == [number]
