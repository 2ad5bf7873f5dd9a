"""A whole run: an exchange somewhere, accounts on it with several clients each, listeners, and an audit.

What the wallets of an exchange have to do with each other differs, and with it who trades there and what is
asked for the audit. Forms of it are `separate_world`, where pairs and contracts have wallets of their own,
and `unified_world`, where everything is traded out of one.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Protocol

from tests.simulation.auditor import Surveyed
from tests.simulation.client import Manners, Owner, Transcript
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Unavailable
from tests.simulation.hand import Hand, Journey
from tests.simulation.lines import Address

ACCOUNTS = {"ann": 0, "ben": 7, "cleo": 7}
"""Accounts and their trade groups: two that are kept from trading with each other."""
SEATS = 3
RECOVERY_S = 30
START_MS = 1_790_000_000_000
SINCE_MS = START_MS - 1000
"""Before anything happened."""
TICKS_MS = 2000


class Acting(Protocol):
    """Who may have a turn."""

    async def act(self) -> None: ...


class World(ABC):
    """engine, site: of the exchange. kept: how much of what was asked is remembered; None for all.

    clients, hand: who has turns. seldom: those of the clients of whom each turn is a lot.
    """

    clients: Sequence[Acting]
    seldom: Sequence[Acting] = ()
    hand: Hand
    pace = 1.0
    """How much is done in it, beside what is usual."""

    def __init__(
        self, engine: str, site: str, seed: int, *, manners: Manners | None = None, kept: int | None = 60
    ) -> None:
        self.engine = engine
        self.seed = seed
        self.manners = manners or Manners()
        self.address = address = Address()
        self.site = site
        self.control = Control(address, site=site)
        self.transcript = Transcript(kept)
        self.fingerprint: Callable[[str], str] | None = None
        """Of a sandbox by its name, where the state can be seen."""
        self.journey = Journey(START_MS)
        self._dice = Random(seed)
        self.owners = [
            Owner(Credentials(name, f"{name}-key", f"{name}-secret"), group)
            for name, group in ACCOUNTS.items()
        ]

    # What a form of it says

    @property
    @abstractmethod
    def loud_path(self) -> str:
        """Where a socket is told much without asking."""

    @property
    @abstractmethod
    def order_path(self) -> str:
        """Where orders are placed over REST."""

    @abstractmethod
    async def begin(self) -> None:
        """Accounts, their listeners, and their first money, of which they hear."""

    @abstractmethod
    async def look(self) -> None:
        """Have the exchange's engine answer something. Raises Unavailable."""

    @abstractmethod
    async def judge(self) -> list[str]:
        """Ask for everything; complaints."""

    @abstractmethod
    def settle(self) -> None:
        """Take over from what was asked, which nobody complained of, what nobody was sure of."""

    @abstractmethod
    async def compare(self, control: Control, prefix: str) -> list[str]:
        """In what a copy answers otherwise than was answered last; under a prefix of all paths."""

    @abstractmethod
    def keep(self) -> Callable[[], list[str]]:
        """Remember what was answered last; what is called tells in what it was answered otherwise since."""

    @abstractmethod
    def judge_whole(self) -> list[str]:
        """What a long run must have come to and has not, or it would have tested nothing of it."""

    @property
    @abstractmethod
    def surveyed(self) -> Sequence[Surveyed]:
        """What was asked last, account by account."""

    @property
    @abstractmethod
    def is_whole(self) -> bool:
        """Whether listeners heard everything from the beginning."""

    @abstractmethod
    def reset(self) -> None:
        """End the connections of all clients and listeners."""

    @abstractmethod
    def reset_auditors(self) -> None: ...

    # Acting

    async def take_turns(self, turns: int) -> None:
        """One after another, so that a seed decides everything."""
        for _ in range(turns):
            if self._dice.random() < 0.15:
                await self.hand.act()
            else:
                await self._dice.choice(self.clients).act()

    async def rush(self, turns: int, *, until: Callable[[], bool] = lambda: False) -> None:
        """All at once, each so many times, and less often who does more each time. until: asked after
        everything that anybody does."""
        is_over = False

        async def go_on(acts: Callable[[], Awaitable[None]], often: int) -> None:
            nonlocal is_over
            for _ in range(often):
                await acts()
                is_over = is_over or until()
                if is_over:
                    return

        turns = round(turns * self.pace)
        fewer = turns * 2 // 5
        acting = (go_on(one.act, fewer if one in self.seldom else turns) for one in self.clients)
        await asyncio.gather(go_on(self.hand.act, turns), *acting)

    # Auditing

    async def recovered(self) -> None:
        """Wait until the exchange decides again."""
        async with asyncio.timeout(RECOVERY_S):
            while True:
                try:
                    if (await self.control.get("/health"))["status"] == "ok":
                        # An engine that is being rebuilt is waited for by whoever needs it.
                        await self.control.now_ms()
                        await self.look()
                        return
                except Unavailable:
                    pass
                await asyncio.sleep(0.01)

    async def audit(self, *, is_again: bool = False) -> None:
        """Let nothing be under way, ask for everything, and fail with all that is wrong. is_again: since the
        last time nothing happened, and no time passed."""
        self.reset_auditors()  # A connection may be old enough to be ended while it is used.
        self.control.reset()
        if not is_again:
            # What a mark has already decided is done when it is looked at next.
            await self.control.step(TICKS_MS)
            self.journey.moved_ms += TICKS_MS
        complaints = await self.judge()
        defects = await self.control.defects()
        if defects:
            complaints.append(f"{defects} requests met a defect of the emulator's")
        self.fail_with(complaints)
        self.settle()

    async def audit_a_fork(self, name: str) -> None:
        """A fork is folded from the journal, so it answers as what it was forked from, or something is
        not in the journal."""
        await self.control.fork(name)
        if self.fingerprint is not None and self.fingerprint(name) != self.fingerprint(self.control.sandbox):
            self.fail_with([f"the fingerprint of the fork {name} is another one"])
        control = Control(self.address, site=self.site, sandbox=name)
        complaints = await self.compare(control, f"/~{name}")
        control.reset()
        await self.control.drop(name)
        self.fail_with([f"in a fork, {complaint}" for complaint in complaints])

    async def audit_again(self) -> None:
        """Nothing happened since the last audit, whatever became of the server: all is as it was."""
        differing = self.keep()
        await self.audit(is_again=True)
        self.fail_with([f"after a restart, {complaint}" for complaint in differing()])

    def fail_with(self, complaints: list[str]) -> None:
        if complaints:
            shown = "\n".join(complaint[:600] for complaint in complaints[:30])
            raise AssertionError(self.story(f"{len(complaints)} complaints\n{shown}"))

    def story(self, why: str) -> str:
        """What is told of a failure: how to run it again, and what was asked before it."""
        asked = "\n".join(self.transcript.lines)
        return f"EMULATOR_TEST_SEED={self.seed}: {why}\n\nbefore that:\n{asked}"

    def hang_up(self) -> None:
        """Let go of every connection, as when the server is gone."""
        self.control.reset()
        self.reset()
        self.reset_auditors()


@asynccontextmanager
async def begun(world: World, address: Address) -> AsyncIterator[World]:
    """A world on an exchange that is there; whatever fails on the way is told with its seed."""
    print(f"EMULATOR_TEST_SEED={world.seed}")
    world.address.port = address.port
    await world.begin()
    try:
        yield world
    except Exception as error:
        if str(error).startswith("EMULATOR_TEST_SEED"):
            raise
        raise AssertionError(world.story(repr(error))) from error
    finally:
        world.hang_up()
