"""A world in which pairs are traded out of one wallet, and contracts out of others, on their own floors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.simulation.auditor import Surveyed, Terms, audit, audit_book, audit_together, differences, settle
from tests.simulation.bourse import Bourse
from tests.simulation.client import Manners, Owner, Prices
from tests.simulation.contract_auditor import differences_of_contracts
from tests.simulation.contract_words import Floor
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Dialect, Listener, Seat, Unavailable
from tests.simulation.hand import Hand, Place
from tests.simulation.lines import HttpLine, SocketLine
from tests.simulation.survey import Survey, survey
from tests.simulation.words import Movement
from tests.simulation.workload import MONEY, Actor
from tests.simulation.world import SEATS, SINCE_MS, World

ALWAYS = (
    "place",
    "place routed",
    "place oco",
    "place oto",
    "place otoco",
    "place opo",
    "place opoco",
    "cancel",
    "cancel all",
    "cancel list",
    "replace",
    "amend",
    "test",
    "deposit",
    "transfer",
    "withdraw",
    "lock",
    "choose fees",
    "query",
    "add key",
    "remove key",
)
"""What every long run must have done with success."""

ALWAYS_WITH_CONTRACTS = (
    "place limit",
    "place market",
    "place apart",
    "place of batch",
    "modify",
    "cancel",
    "cancel apart",
    "set leverage",
    "set margin type",
    "change mode",
    "count down",
    "transfer",
    "query",
)
"""Likewise, on one of the floors at least."""


class SeparateWorld(World):
    """floors: where its accounts trade contracts as well."""

    def __init__(
        self,
        dialect: Dialect,
        seed: int,
        *,
        floors: Sequence[Floor] = (),
        manners: Manners | None = None,
        kept: int | None = 60,
    ) -> None:
        super().__init__(dialect.engine, dialect.site, seed, manners=manners, kept=kept)
        self.dialect = dialect
        self.surveys: list[Survey] = []
        prices = Prices()
        self.terms = Terms(
            instruments={one.name: one for one in dialect.instruments},
            hold_step=dialect.hold_step,
            wallet=dialect.wallets[0],
            elsewhere=frozenset(floor.wallet for floor in floors),
        )
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
                        Control(self.address, site=dialect.site),
                        prices,
                        Random(self._dice.getrandbits(32)),
                        self.transcript,
                        self.manners,
                    )
                )
            seat = self._seat(f"{account}-ears", owner.credentials, has_socket=True)
            self._listeners.append((owner, seat, dialect.listener(seat)))
        self.bourse = Bourse(
            floors,
            self.owners,
            self.address,
            dialect,
            self.journey,
            Random(self._dice.getrandbits(32)),
            self.transcript,
            self.manners,
        )
        self.seldom = [one.trader for one in self.bourse.desks]
        self.clients = [*self.actors, *self.seldom]
        self.hand = Hand(
            [Place(dialect.instruments, self.control, prices), *self.bourse.places],
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
    def loud_path(self) -> str:
        return self.dialect.loud_path

    @property
    def order_path(self) -> str:
        return self.dialect.order_path

    @property
    def auditor(self) -> Seat:
        """Who asks what concerns no account."""
        return self._auditors[self.owners[0].credentials.account]

    def _seat(self, name: str, credentials: Credentials, *, has_socket: bool, prefix: str = "") -> Seat:
        socket = SocketLine(self.address, prefix + self.dialect.socket_path) if has_socket else None
        return Seat(name, credentials, HttpLine(self.address, prefix), socket)

    async def begin(self) -> None:
        for owner, _, listener in self._listeners:
            await self.control.open_account(owner.credentials, owner.trade_group)
            await listener.listen()
            account, wallet = owner.credentials.account, self.dialect.wallets[0]
            for asset, amount in MONEY.items():
                movement = Movement(source="", target=wallet, asset=asset, amount=amount)
                asked = owner.notebook.ask_movement(movement)
                owner.notebook.moved(asked, await self.control.deposit(account, wallet, asset, amount))
        await self.bourse.begin()

    async def look(self) -> None:
        await self.dialect.balances(self.auditor)

    # Auditing

    async def judge(self) -> list[str]:
        complaints: list[str] = []
        surveys: list[Survey] = []
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
        complaints += await self.bourse.audit(self.control, surveys, SINCE_MS)
        self.surveys = surveys
        return complaints

    def settle(self) -> None:
        for owner, found in zip(self.owners, self.surveys, strict=True):
            settle(self.terms, owner.notebook, found)
        self.bourse.settle()

    async def _survey(self, owner: Owner, *, prefix: str = "", control: Control | None = None) -> Survey:
        seat = self._auditors[owner.credentials.account]
        if prefix:
            seat = self._seat("copy", owner.credentials, has_socket=seat.socket is not None, prefix=prefix)
        try:
            return await survey(self.dialect, control or self.control, seat, self._dice, since_ms=SINCE_MS)
        finally:
            if prefix:
                seat.reset()

    async def compare(self, control: Control, prefix: str) -> list[str]:
        complaints: list[str] = []
        for owner, before in zip(self.owners, self.surveys, strict=True):
            after = await self._survey(owner, prefix=prefix, control=control)
            complaints += differences(before, after)
        return complaints + await self.bourse.compare_with_a_copy(control, prefix, SINCE_MS)

    def keep(self) -> Callable[[], list[str]]:
        surveys, contracts = self.surveys, self.bourse.surveys

        def differing() -> list[str]:
            complaints: list[str] = []
            for then, now in zip(surveys, self.surveys, strict=True):
                complaints += differences(then, now)
            for one, other in zip(contracts, self.bourse.surveys, strict=True):
                complaints += differences_of_contracts(one, other)
            return complaints

        return differing

    @property
    def surveyed(self) -> Sequence[Surveyed]:
        return [*self.surveys, *self.bourse.surveys]

    @property
    def is_whole(self) -> bool:
        return all(owner.notebook.stream.is_whole for owner in self.owners) and not any(
            desk.notebook.fold.begun for desk in self.bourse.desks
        )

    def judge_whole(self) -> list[str]:
        done = self.transcript.done
        missing = [what for what in ALWAYS if not done(what)]
        if not any(order.prevented for one in self.surveys for order in one.orders.values()):
            missing.append("prevented matches")
        if self.bourse.desks:
            missing += [
                what for what in ALWAYS_WITH_CONTRACTS if not done(f"UM {what}") and not done(f"CM {what}")
            ]
            incomes = {one.kind for found in self.bourse.surveys for one in found.incomes}
            missing += sorted({"REALIZED_PNL", "COMMISSION", "FUNDING_FEE"} - incomes)
        return missing

    def reset(self) -> None:
        for actor in self.actors:
            actor.seat.reset()
            actor.control.reset()
        for _, seat, listener in self._listeners:
            listener.close()
            seat.reset()
        self.bourse.hang_up()

    def reset_auditors(self) -> None:
        for seat in self._auditors.values():
            seat.reset()
