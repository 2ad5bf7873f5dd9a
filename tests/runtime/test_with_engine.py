"""The runtime around the real engine and the synthetic market."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from emulator.core.commands import CancelOrder, Command, Deposit, PlaceOrder
from emulator.core.engine import Engine
from emulator.core.events import OrderPlaced, TradeExecuted
from emulator.core.instruments import Instrument, MarketProfile, OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.concerns import concerns
from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import ClockMode, OutcomeUnknown, StorageUnavailable
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import Sandboxes
from tests.runtime.universe import IMPATIENT, START_US, FailingJournal

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


def instrument(symbol: str, base: str, anchor: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=base,
        quote="USDT",
        settle="USDT",
        price_step=Decimal("0.01"),
        price_min=Decimal("0.01"),
        price_max=Decimal(1_000_000),
        quantity_step=Decimal("0.0001"),
        quantity_min=Decimal("0.0001"),
        quantity_max=Decimal(9_000),
        profile=MarketProfile(
            anchor=Decimal(anchor), trade_quantity=Decimal("0.01"), level_quantity=Decimal(1)
        ),
    )


INSTRUMENTS = {
    "BTCUSDT": instrument("BTCUSDT", "BTC", "100000"),
    "ETHUSDT": instrument("ETHUSDT", "ETH", "4000"),
}


class Exchange:
    def __init__(
        self, journal: FailingJournal, *, archive: Archive | None = None, keeping: Keeping | None = None
    ) -> None:
        self.wall_us = START_US
        self.sandboxes = Sandboxes(
            journal=journal,
            archive=archive,
            keeping=keeping,
            make_engines=self.make_engines,
            provision=self.provision,
            wall_ns=lambda: self.wall_us * 1000,
            patience=IMPATIENT,
        )

    def make_engines(self, seed: int) -> Mapping[str, Engine]:
        return {"here": Engine("here", INSTRUMENTS, SyntheticFeed(seed, "here"), ("spot",))}

    async def provision(self, sandbox: Sandbox) -> None:
        for name in ("alice", "bob"):
            account = await sandbox.open_account(name)
            for asset, amount in (("USDT", "1000000"), ("BTC", "10"), ("ETH", "100")):
                await sandbox.submit(
                    "here", Deposit(account=account, wallet="spot", asset=asset, amount=Decimal(amount))
                )

    async def open(self) -> Sandbox:
        await self.sandboxes.open()
        return self.sandboxes.default


def limit(account: int, side: Side, percent: int, symbol: str = "BTCUSDT") -> Command:
    """A limit order at so many percent of the anchor price."""
    return PlaceOrder(
        account=account,
        wallet="spot",
        instrument=symbol,
        terms=OrderTerms(
            side=side,
            type=OrderType.LIMIT,
            quantity=Decimal("0.001"),
            price=INSTRUMENTS[symbol].profile.anchor * percent / 100,
        ),
    )


async def place_many(sandbox: Sandbox) -> None:
    for percent in range(60, 140, 2):
        for account in (1, 2):
            await sandbox.submit("here", limit(account, Side.BUY, percent))
            await sandbox.submit("here", limit(account, Side.SELL, percent, "ETHUSDT"))


async def test_a_restart_and_a_fork_go_on_as_the_source_does() -> None:
    journal = FailingJournal()
    exchange = Exchange(journal)
    sandbox = await exchange.open()
    await place_many(sandbox)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + 24 * HOUR_US)
    await sandbox.submit("here", limit(1, Side.SELL, 50))
    fork = await exchange.sandboxes.fork("default", "fork")
    restarted = Exchange(journal)
    twin = await restarted.open()
    assert sandbox.fingerprint() == fork.fingerprint() == twin.fingerprint()
    for each in (sandbox, fork, twin):
        await each.step_clock(72 * HOUR_US)
        await place_many(each)
    assert sandbox.fingerprint() == fork.fingerprint() == twin.fingerprint()


async def test_every_entry_of_a_real_run_survives_its_encoding() -> None:
    journal = FailingJournal()
    sandbox = await Exchange(journal).open()
    await place_many(sandbox)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + 24 * HOUR_US)
    batches = await journal.batches()
    assert any(type(e) is TradeExecuted for b in batches for r in b.records for e in r.events)
    for batch in batches:
        assert decode_batch(encode_batch(batch)) == batch


async def test_only_what_a_pending_batch_touched_cannot_be_read() -> None:
    journal = FailingJournal()
    sandbox = await Exchange(journal).open()
    placed = await sandbox.submit("here", limit(1, Side.BUY, 50))
    order = placed.events[0]
    assert isinstance(order, OrderPlaced)
    journal.fails = 1_000_000
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("here", CancelOrder(account=1, instrument="BTCUSDT", order=order.order))
    sequence = sandbox.advance()
    await sandbox.durable(sequence, engine="here", account=2)
    await sandbox.durable(sequence, engine="here", instrument="ETHUSDT")
    await sandbox.durable(sequence, engine="here", account=2, instrument="ETHUSDT")
    for account, symbol in ((1, None), (None, "BTCUSDT"), (1, "ETHUSDT"), (2, "BTCUSDT"), (None, None)):
        with pytest.raises(StorageUnavailable):
            await sandbox.durable(sequence, engine="here", account=account, instrument=symbol)


async def test_every_event_of_a_real_run_concerns_somebody() -> None:
    journal = FailingJournal()
    sandbox = await Exchange(journal).open()
    await place_many(sandbox)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + 24 * HOUR_US)
    engine = sandbox.engines["here"]
    for batch in await journal.batches():
        for record in batch.records:
            for event in record.events:
                if record.engine == "here":
                    found = concerns(engine, event)
                    assert found
                    assert found <= {1, 2, "BTCUSDT", "ETHUSDT"}
