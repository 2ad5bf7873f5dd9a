"""A house to knock at: the application, its toy site and the universe behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.web.toy import House


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[House]:
    house = House()
    await house.universe.open()
    yield house
    await house.universe.sandboxes.close()
