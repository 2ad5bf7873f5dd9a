"""A whole run: an exchange somewhere, accounts on it with several clients each, listeners, and an audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

from tests.simulation.auditor import Terms, audit, audit_book, audit_together, differences, settle
from tests.simulation.bourse import Bourse
from tests.simulation.contract_auditor import differences_of_contracts
from tests.simulation.contract_words import Floor
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Dialect, Listener, Seat, Unavailable
from tests.simulation.lines import Address, HttpLine, SocketLine
from tests.simulation.survey import Survey, survey
from tests.simulation.trader import Trader
from tests.simulation.words import Movement
from tests.simulation.workload import MONEY, Actor, Hand, Journey, Manners, Owner, Place, Prices, Transcript

ACCOUNTS = {"ann": 0, "ben": 7, "cleo": 7}
"""Accounts and their trade groups: two that are kept from trading with each other."""
SEATS = 3
RECOVERY_S = 30
START_MS = 1_790_000_000_000
TICKS_MS = 2000


class World:
    """floors: where its accounts trade contracts as well. kept: how much of what was asked is remembered;
    None for all."""

    def __init__(
        self,
        dialect: Dialect,
        seed: int,
        *,
        floors: Sequence[Floor] = (),
        manners: Manners | None = None,
        kept: int | None = 60,
    ) -> None:
        self.seed = seed
        self.dialect = dialect
        self.address = address = Address()
        self.control = Control(address, site=dialect.site)
        self.transcript = Transcript(kept)
        self.surveys: list[Survey] = []
        self.fingerprint: Callable[[str], str] | None = None
        """Of a sandbox by its name, where the state can be seen."""
        self._dice = Random(seed)
        self._prices = Prices()
        self.terms = Terms(
            instruments={one.name: one for one in dialect.instruments},
            hold_step=dialect.hold_step,
            wallet=dialect.wallets[0],
            elsewhere=frozenset(floor.wallet for floor in floors),
        )
        self.owners = [
            Owner(Credentials(name, f"{name}-key", f"{name}-secret"), group)
            for name, group in ACCOUNTS.items()
        ]
        self.actors: list[Actor] = []
        self._listeners: list[tuple[Owner, Seat, Listener]] = []
        for owner in self.owners:
            account = owner.credentials.account
            for number in range(SEATS):
                self.actors.append(
                    Actor(
                        self._seat(f"{account}{number}", owner.credentials, has_socket=number > 0),
                        owner,
                        dialect,
                        Control(address, site=dialect.site),
                        self._prices,
                        Random(self._dice.getrandbits(32)),
                        self.transcript,
                        manners or Manners(),
                    )
                )
            seat = self._seat(f"{account}-ears", owner.credentials, has_socket=True)
            self._listeners.append((owner, seat, dialect.listener(seat)))
        self.journey = Journey(START_MS)
        self.bourse = Bourse(
            floors,
            self.owners,
            address,
            dialect,
            self.journey,
            Random(self._dice.getrandbits(32)),
            self.transcript,
            manners or Manners(),
        )
        self._clients: list[Actor | Trader] = [*self.actors, *(one.trader for one in self.bourse.desks)]
        self.hand = Hand(
            [Place(dialect.instruments, self.control, self._prices), *self.bourse.places],
            self.journey,
            Random(self._dice.getrandbits(32)),
            self.transcript,
            self.bourse.before_time,
        )
        self._auditors = {
            owner.credentials.account: self._seat("auditor", owner.credentials, has_socket=number % 2 == 1)
            for number, owner in enumerate(self.owners)
        }

    @property
    def auditor(self) -> Seat:
        """Who asks what concerns no account."""
        return self._auditors[self.owners[0].credentials.account]

    def _seat(self, name: str, credentials: Credentials, *, has_socket: bool, prefix: str = "") -> Seat:
        socket = SocketLine(self.address, self._socket_path(prefix)) if has_socket else None
        return Seat(name, credentials, HttpLine(self.address, prefix), socket)

    def _socket_path(self, prefix: str) -> str:
        return prefix + self.dialect.socket_path

    async def begin(self) -> None:
        """Accounts, their listeners, and their first money, of which they hear."""
        for owner, _, listener in self._listeners:
            await self.control.open_account(owner.credentials, owner.trade_group)
            await listener.listen()
            account, wallet = owner.credentials.account, self.dialect.wallets[0]
            for asset, amount in MONEY.items():
                movement = Movement(source="", target=wallet, asset=asset, amount=amount)
                asked = owner.notebook.ask_movement(movement)
                owner.notebook.moved(asked, await self.control.deposit(account, wallet, asset, amount))
        await self.bourse.begin()

    # Acting

    async def take_turns(self, turns: int) -> None:
        """One after another, so that a seed decides everything."""
        for _ in range(turns):
            if self._dice.random() < 0.15:
                await self.hand.act()
            else:
                await self._dice.choice(self._clients).act()

    async def rush(self, turns: int, *, until: Callable[[], bool] = lambda: False) -> None:
        """All at once, each so many times, and who trades contracts less often, as what each of them does is
        more. until: asked after everything that anybody does."""
        is_over = False

        async def go_on(acts: Callable[[], Awaitable[None]], often: int = turns) -> None:
            nonlocal is_over
            for _ in range(often):
                await acts()
                is_over = is_over or until()
                if is_over:
                    return

        traders = (go_on(desk.trader.act, turns * 2 // 5) for desk in self.bourse.desks)
        await asyncio.gather(go_on(self.hand.act), *(go_on(actor.act) for actor in self.actors), *traders)

    # Auditing

    async def recovered(self) -> None:
        """Wait until the exchange decides again."""
        async with asyncio.timeout(RECOVERY_S):
            while True:
                try:
                    if (await self.control.get("/health"))["status"] == "ok":
                        # An engine that is being rebuilt is waited for by whoever needs it.
                        await self.control.now_ms()
                        await self.dialect.balances(self.auditor)
                        return
                except Unavailable:
                    pass
                await asyncio.sleep(0.01)

    async def audit(self, *, is_again: bool = False) -> list[Survey]:
        """Let nothing be under way, ask for everything, and fail with all that is wrong. is_again: since the
        last time nothing happened, and no time passed."""
        complaints: list[str] = []
        surveys: list[Survey] = []
        for seat in self._auditors.values():
            seat.reset()  # A connection may be old enough to be ended while it is used.
        self.control.reset()
        if not is_again:
            # What a mark has already decided is done when it is looked at next.
            await self.control.step(TICKS_MS)
            self.journey.moved_ms += TICKS_MS
        for owner, _, listener in self._listeners:
            notebook = owner.notebook
            try:
                notebook.complaints += notebook.stream.take(await listener.hear())
            except Unavailable:
                notebook.stream.begin_again()
                await listener.listen()
            found = await self._survey(owner)
            surveys.append(found)
            complaints += audit(self.terms, notebook, found)
        complaints += audit_together(surveys)
        for traded in self.dialect.instruments:
            book = await self.dialect.book(self.auditor, traded.name)
            complaints += audit_book(traded.name, book, surveys)
        complaints += await self.bourse.audit(self.control, surveys, START_MS - 1000)
        defects = await self.control.defects()
        if defects:
            complaints.append(f"{defects} requests met a defect of the emulator's")
        self.fail_with(complaints)
        for owner, found in zip(self.owners, surveys, strict=True):
            settle(self.terms, owner.notebook, found)
        self.bourse.settle()
        self.surveys = surveys
        return surveys

    async def _survey(self, owner: Owner, *, prefix: str = "", control: Control | None = None) -> Survey:
        seat = self._auditors[owner.credentials.account]
        if prefix:
            seat = self._seat("copy", owner.credentials, has_socket=seat.socket is not None, prefix=prefix)
        try:
            return await survey(
                self.dialect, control or self.control, seat, self._dice, since_ms=START_MS - 1000
            )
        finally:
            if prefix:
                seat.reset()

    async def audit_a_fork(self, name: str) -> None:
        """A fork is folded from the journal, so it answers as what it was forked from, or something is
        not in the journal."""
        await self.control.fork(name)
        if self.fingerprint is not None and self.fingerprint(name) != self.fingerprint(self.control.sandbox):
            self.fail_with([f"the fingerprint of the fork {name} is another one"])
        control = Control(self.address, site=self.dialect.site, sandbox=name)
        complaints: list[str] = []
        for owner, before in zip(self.owners, self.surveys, strict=True):
            after = await self._survey(owner, prefix=f"/~{name}", control=control)
            complaints += [f"in a fork, {complaint}" for complaint in differences(before, after)]
        complaints += [
            f"in a fork, {complaint}"
            for complaint in await self.bourse.compare_with_a_copy(control, f"/~{name}", START_MS - 1000)
        ]
        control.reset()
        await self.control.drop(name)
        self.fail_with(complaints)

    async def audit_again(self) -> None:
        """Nothing happened since the last audit, whatever became of the server: all is as it was."""
        before, contracts = self.surveys, self.bourse.surveys
        after = await self.audit(is_again=True)
        for then, now in zip(before, after, strict=True):
            self.fail_with([f"after a restart, {complaint}" for complaint in differences(then, now)])
        for one, other in zip(contracts, self.bourse.surveys, strict=True):
            differing = differences_of_contracts(one, other)
            self.fail_with([f"after a restart, {complaint}" for complaint in differing])

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
        for actor in self.actors:
            actor.seat.reset()
            actor.control.reset()
        for _, seat, listener in self._listeners:
            listener.close()
            seat.reset()
        for seat in self._auditors.values():
            seat.reset()
        self.bourse.hang_up()


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
