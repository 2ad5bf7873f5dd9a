"""A world in which every account trades pairs and contracts out of one wallet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tests.simulation.auditor import Surveyed, audit_book, audit_sides
from tests.simulation.bybit import Bybit, Ears
from tests.simulation.bybit_survey import survey_unified
from tests.simulation.bybit_trader import MONEY, BybitTrader
from tests.simulation.client import Manners, Prices
from tests.simulation.control import Control
from tests.simulation.dialect import Seat, Unavailable
from tests.simulation.effort import IS_LONG, PACE
from tests.simulation.hand import Hand, Place
from tests.simulation.notebook import Known
from tests.simulation.unified_auditor import audit_unified, differences_of_unified, settle_unified
from tests.simulation.unified_notebook import UnifiedNotebook
from tests.simulation.unified_words import UnifiedSurvey
from tests.simulation.words import OrderView
from tests.simulation.world import SEATS, SINCE_MS, World

MOVES = (-700, -300, -60, -20, -5, 5, 20, 60, 300, 700)
"""How far prices are moved at once, in 1/10,000; some of them cost who has borrowed much all that he has."""
HEDGED, ISOLATED = 1, 2
"""Owners, by number: who begins with two positions of a contract, and whose have margins of their own."""
COPIES = 1
"""Of how many accounts a copy is looked at."""

ALWAYS = (
    "place Limit spot",
    "place Market spot",
    "place Limit linear",
    "place Market linear",
    "place Limit inverse",
    "place Market inverse",
    "place apart StopOrder",
    "place apart tpslOrder",
    "place apart linear",
    "place apart inverse",
    "create of batch",
    "amend",
    "cancel",
    "cancel all",
    "set stops",
    "borrow",
    "deposit",
    "transfer",
    "query",
)
"""What every run must have done with success."""

IN_CAMPAIGNS = (
    "set leverage",
    "set margin mode",
    "move margin",
    "use collateral",
    "repay",
    "add key",
    "remove key",
)
"""What long ones must have done beside."""
KINDS = ("TRADE", "SETTLEMENT", "TRANSFER_OUT")
KINDS_IN_CAMPAIGNS = ("INTEREST", "LIQUIDATION")
"""What they must have in their logs."""


class Account:
    """One owner: what its clients know together, who listens for it, and who asks for the audit."""

    def __init__(self, world: UnifiedWorld, number: int) -> None:
        self.owner = owner = world.owners[number]
        self.notebook = UnifiedNotebook(owner.credentials.account)
        self.ears = Ears(world.address, owner.credentials)
        self.auditor = world.seat(number, "auditor", has_socket=False)


class UnifiedWorld(World):
    pace = PACE

    def __init__(
        self, bybit: Bybit, seed: int, *, manners: Manners | None = None, kept: int | None = 60
    ) -> None:
        super().__init__(bybit.engine, bybit.site, seed, manners=manners, kept=kept)
        self.bybit = bybit
        self.instruments = {one.name: one for one in bybit.instruments}
        self.surveys: list[UnifiedSurvey] = []
        self.accounts = [Account(self, number) for number in range(len(self.owners))]
        prices = Prices()
        self.traders: list[BybitTrader] = []
        for number, account in enumerate(self.accounts):
            for place in range(SEATS):
                self.traders.append(
                    BybitTrader(
                        self.seat(
                            number, f"{account.owner.credentials.account}{place}", has_socket=place > 0
                        ),
                        account.owner,
                        bybit,
                        account.notebook,
                        Control(self.address, site=bybit.site),
                        prices,
                        self.journey,
                        Random(self._dice.getrandbits(32)),
                        self.transcript,
                        self.manners,
                        chooses=place == 0,
                    )
                )
        self.clients = self.traders
        self.hand = Hand(
            [Place(bybit.instruments, self.control, prices, MOVES)],
            self.journey,
            Random(self._dice.getrandbits(32)),
            self.transcript,
        )

    def seat(self, owner: int, name: str, *, has_socket: bool, prefix: str = "") -> Seat:
        credentials = self.owners[owner].credentials
        return self.bybit.seat(self.address, name, credentials, has_socket=has_socket, prefix=prefix)

    @property
    def loud_path(self) -> str:
        return self.bybit.loud_path

    @property
    def order_path(self) -> str:
        return self.bybit.order_path

    async def begin(self) -> None:
        for number, account in enumerate(self.accounts):
            owner, trader = account.owner, self.traders[number * SEATS]
            await self.control.open_account(owner.credentials, owner.trade_group)
            await account.ears.listen()
            for asset, amount in MONEY.items():
                await trader.bring(asset, amount)
            if number == ISOLATED:
                await trader.choose_margin_mode("ISOLATED_MARGIN")
            else:
                await trader.choose_spot_margin(on=True)
            if number == HEDGED:
                await trader.choose_mode(hedged=True)

    async def look(self) -> None:
        await self.bybit.get(self.accounts[0].auditor, "/v5/account/info", {})

    # Auditing

    async def judge(self) -> list[str]:
        complaints: list[str] = []
        surveys: list[UnifiedSurvey] = []
        for number, account in enumerate(self.accounts):
            notebook = account.notebook
            # What is asked waits for what it saw, and what is told of that is then on its way.
            found = await self._survey(number, account.auditor, self.control)
            try:
                notebook.complaints += notebook.told_of.take(await account.ears.hear())
            except Unavailable:
                notebook.told_of.is_torn = True
                await account.ears.listen()
            surveys.append(found)
            complaints += audit_unified(self.instruments, notebook, found)
        complaints += audit_sides(surveys)
        for traded in self.bybit.instruments:
            if not traded.delivery_ms or surveys[0].now_ms < traded.delivery_ms:
                book = await self.bybit.book(self.accounts[0].auditor, traded)
                complaints += audit_book(traded.name, book, surveys)
        self.surveys = surveys
        return complaints

    async def _survey(self, number: int, seat: Seat, control: Control) -> UnifiedSurvey:
        asked = self.accounts[number].notebook.orders.values()
        acknowledged = {
            one.id: OrderView(id=one.id, name="", instrument=one.instrument)
            for one in asked
            if one.known is Known.THERE and one.id is not None
        }
        return await survey_unified(
            self.bybit, control, seat, self._dice, since_ms=SINCE_MS, acknowledged=acknowledged.values()
        )

    def settle(self) -> None:
        for account, found in zip(self.accounts, self.surveys, strict=True):
            settle_unified(account.notebook, found)

    async def compare(self, control: Control, prefix: str) -> list[str]:
        complaints: list[str] = []
        for number in self._dice.sample(range(len(self.accounts)), COPIES):
            seat = self.seat(number, "copy", has_socket=False, prefix=prefix)
            try:
                after = await self._survey(number, seat, control)
            finally:
                seat.reset()
            complaints += differences_of_unified(self.surveys[number], after)
        return complaints

    def keep(self) -> Callable[[], list[str]]:
        before = self.surveys

        def differing() -> list[str]:
            return [
                complaint
                for then, now in zip(before, self.surveys, strict=True)
                for complaint in differences_of_unified(then, now)
            ]

        return differing

    @property
    def surveyed(self) -> Sequence[Surveyed]:
        return self.surveys

    @property
    def is_whole(self) -> bool:
        return not any(account.notebook.told_of.begun for account in self.accounts)

    def judge_whole(self) -> list[str]:
        told = {entry.kind for found in self.surveys for entry in found.entries}
        done = (*ALWAYS, *(IN_CAMPAIGNS if IS_LONG else ()))
        kinds = (*KINDS, *(KINDS_IN_CAMPAIGNS if IS_LONG else ()))
        missing = [what for what in done if not self.transcript.done(what)]
        return missing + [kind for kind in kinds if kind not in told]

    def reset(self) -> None:
        for trader in self.traders:
            trader.seat.reset()
            trader.control.reset()
        for account in self.accounts:
            account.ears.close()

    def reset_auditors(self) -> None:
        for account in self.accounts:
            account.auditor.reset()
