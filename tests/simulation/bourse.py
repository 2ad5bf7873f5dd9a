"""The part of a world that trades contracts: a client of each account on each floor, who listens for it, and
what is asked of it for the audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from tests.simulation.auditor import audit_book, audit_sides
from tests.simulation.client import Manners, Owner, Prices, Transcript
from tests.simulation.contract_auditor import (
    Rules,
    audit_contracts,
    differences_of_contracts,
    settle_contracts,
)
from tests.simulation.contract_notebook import ContractNotebook
from tests.simulation.contract_survey import ContractSurvey, survey_contracts
from tests.simulation.contract_words import Contracted, Floor, Hearing
from tests.simulation.control import Control
from tests.simulation.dialect import Credentials, Dialect, Seat, Unavailable
from tests.simulation.hand import Journey, Place
from tests.simulation.lines import Address, HttpLine, SocketLine
from tests.simulation.survey import Survey
from tests.simulation.trader import Trader

HEDGED = 1
"""The owner who begins with two positions of a contract, by number."""
MOVES = (-700, -300, -60, -20, -5, 5, 20, 60, 300, 700)
"""Some of them cost who has borrowed much all that he has."""
ALIVE_MS = 3_500_000
"""For how long a stream is told of an account without being asked again, about."""
COPIES = 2
"""Of how many desks a copy is looked at."""
ISOLATED = 2
"""The one whose positions have margins of their own at first."""


class Desk(NamedTuple):
    """An account on a floor."""

    floor: Floor
    owner: Owner
    notebook: ContractNotebook
    trader: Trader
    hearing: Hearing
    auditor: Seat


class Bourse:
    def __init__(
        self,
        floors: Sequence[Floor],
        owners: Sequence[Owner],
        address: Address,
        money: Dialect,
        journey: Journey,
        dice: Random,
        transcript: Transcript,
        manners: Manners,
    ) -> None:
        self._address = address
        self._dice = dice
        self._money = money
        self._journey = journey
        self._kept_ms = journey.now_ms
        self.places = [
            Place(floor.instruments, Control(address, site=floor.site), Prices(), MOVES) for floor in floors
        ]
        self.desks: list[Desk] = []
        for number, owner in enumerate(owners):
            siblings: list[Trader] = []
            for floor, place in zip(floors, self.places, strict=True):
                account = owner.credentials.account
                notebook = ContractNotebook(account)
                # By turns one that makes its requests over a socket, and one that does not.
                has_socket = (number + len(siblings)) % 2 == 0
                trader = Trader(
                    self._seat(f"{account}-{floor.name}", owner.credentials, floor, has_socket=has_socket),
                    owner,
                    floor,
                    notebook,
                    money,
                    place.prices,
                    journey,
                    Random(dice.getrandbits(32)),
                    transcript,
                    manners,
                    siblings,
                )
                siblings.append(trader)
                ears = self._seat(
                    f"{account}-{floor.name}-ears", owner.credentials, floor, has_socket=not has_socket
                )
                auditor = self._seat("auditor", owner.credentials, floor, has_socket=number % 2 == 1)
                hearing = floor.hearing(ears, address)
                self.desks.append(Desk(floor, owner, notebook, trader, hearing, auditor))
        self.rules = {floor.name: _rules_of(floor) for floor in floors}
        self._floors = floors
        self.surveys: list[ContractSurvey] = []

    def _seat(
        self, name: str, credentials: Credentials, floor: Floor, *, has_socket: bool, prefix: str = ""
    ) -> Seat:
        socket = SocketLine(self._address, prefix + floor.socket_path) if has_socket else None
        return Seat(name, credentials, HttpLine(self._address, prefix), socket)

    async def begin(self) -> None:
        """Listen, and bring the first money."""
        for number, desk in enumerate(self.desks):
            await desk.hearing.listen()
            owner = number // len(self._floors)
            await desk.trader.begin(isolated=owner == ISOLATED)
            if owner == HEDGED and desk.trader is desk.trader.siblings[-1]:
                await desk.trader.choose_mode(hedged=True)

    async def before_time(self, step_ms: int) -> None:
        """Keep alive what would end if it was not said again."""
        now_ms = self._journey.now_ms
        if now_ms + step_ms - self._kept_ms >= ALIVE_MS:
            self._kept_ms = now_ms
            for desk in self.desks:
                await desk.hearing.keep_alive()

    # Auditing

    async def audit(self, control: Control, surveys: Sequence[Survey], since_ms: int) -> list[str]:
        """Ask for everything; complaints. surveys: of the same accounts, where money is moved."""
        complaints: list[str] = []
        self.surveys = []
        movements = {one.account: one.movements for one in surveys}
        for desk in self.desks:
            desk.auditor.reset()
            notebook = desk.notebook
            try:
                notebook.complaints += notebook.fold.take(await desk.hearing.hear())
            except Unavailable:
                notebook.fold.is_torn = True
                await desk.hearing.listen()
            found = await self._survey(desk, desk.auditor, control, since_ms)
            self.surveys.append(found)
            complaints += audit_contracts(
                self.rules[desk.floor.name], notebook, found, movements[found.account]
            )
        for floor, found_there in self._by_floor():
            complaints += audit_sides(found_there)
            seat = next(desk.auditor for desk in self.desks if desk.floor is floor)
            for traded in floor.instruments:
                if not traded.delivery_ms or found_there[0].now_ms < traded.delivery_ms:
                    complaints += audit_book(traded.name, await floor.book(seat, traded), found_there)
        return complaints

    def _by_floor(self) -> Iterator[tuple[Floor, list[ContractSurvey]]]:
        for floor in self._floors:
            yield (
                floor,
                [found for desk, found in zip(self.desks, self.surveys, strict=True) if desk.floor is floor],
            )

    async def _survey(self, desk: Desk, seat: Seat, control: Control, since_ms: int) -> ContractSurvey:
        return await survey_contracts(
            desk.floor, control, self._money.engine, seat, self._dice, since_ms=since_ms
        )

    def settle(self) -> None:
        for desk, found in zip(self.desks, self.surveys, strict=True):
            settle_contracts(desk.notebook, found)

    async def compare_with_a_copy(self, control: Control, prefix: str, since_ms: int) -> list[str]:
        """Of some desks, as a copy is one whole."""
        complaints: list[str] = []
        surveyed = list(zip(self.desks, self.surveys, strict=True))
        for desk, before in self._dice.sample(surveyed, min(COPIES, len(surveyed))):
            seat = self._seat(
                "copy",
                desk.owner.credentials,
                desk.floor,
                has_socket=desk.auditor.socket is not None,
                prefix=prefix,
            )
            try:
                complaints += differences_of_contracts(
                    before, await self._survey(desk, seat, control, since_ms)
                )
            finally:
                seat.reset()
        return complaints

    def hang_up(self) -> None:
        for place in self.places:
            place.control.reset()
        for desk in self.desks:
            desk.trader.seat.reset()
            desk.hearing.close()
            desk.auditor.reset()


def _rules_of(floor: Floor) -> Rules:
    instruments: Mapping[str, Contracted] = {one.name: one for one in floor.instruments}
    return Rules(instruments=instruments, wallet=floor.wallet, kinds=floor.kinds)
