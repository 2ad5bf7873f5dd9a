"""The control API as the simulation uses it: accounts, money, time, prices made by hand, and forks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from tests.simulation.dialect import Credentials, Unavailable
from tests.simulation.lines import Address, HttpLine, Lost
from tests.simulation.words import Outcome, Reply

Levels = Sequence[tuple[Decimal, Decimal]]


class Control:
    def __init__(self, address: Address, *, site: str, sandbox: str = "default") -> None:
        self._line = HttpLine(address)
        self._site = site
        self.sandbox = sandbox

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Raises Lost."""
        content = b"" if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"}
        target = f"/~{self.sandbox}/_emulator{path}"
        status, answer = await self._line.ask(method, target, headers, content)
        return status, orjson.loads(answer)

    async def do(self, method: str, path: str, body: Any = None) -> Reply:
        try:
            status, answer = await self.ask(method, path, body)
        except Lost as lost:
            return Reply(outcome=Outcome.UNKNOWN, reason=str(lost))
        if status == 200:
            return Reply(outcome=Outcome.DONE)
        code = answer["error"]["code"]
        reason = f"{code} {answer['error']['message']}"
        match status, code:
            case 503, "outcome_unknown":
                return Reply(outcome=Outcome.UNKNOWN, reason=reason)
            case 503, _:
                return Reply(outcome=Outcome.UNDONE, reason=reason)
            case _ if status >= 500:
                return Reply(outcome=Outcome.UNKNOWN, reason=reason, is_broken=True)
        return Reply(outcome=Outcome.REFUSED, reason=reason)

    async def get(self, path: str) -> Any:
        try:
            status, answer = await self.ask("GET", path)
        except Lost as lost:
            raise Unavailable(str(lost)) from lost
        if status == 503:
            raise Unavailable(str(answer))
        assert status == 200, (path, status, answer)
        return answer

    def reset(self) -> None:
        self._line.reset()

    # Accounts and money

    async def open_account(self, credentials: Credentials, trade_group: int = 0) -> None:
        await self._must("/accounts", {"name": credentials.account, "tradeGroup": trade_group})
        await self.add_key(credentials)

    async def add_key(self, credentials: Credentials, permissions: Sequence[str] = ()) -> None:
        body = {"key": credentials.key, "secret": credentials.secret, "permissions": list(permissions)}
        await self._must(f"/accounts/{credentials.account}/keys", body)

    async def _must(self, path: str, body: Any) -> None:
        reply = await self.do("POST", path, body)
        assert reply.outcome is Outcome.DONE, (path, reply)

    async def deposit(self, account: str, wallet: str, asset: str, amount: Decimal) -> Reply:
        body = {"wallet": wallet, "asset": asset, "amount": format(amount, "f")}
        return await self.do("POST", f"/accounts/{account}/deposits", body)

    async def lock(self, account: str, wallet: str, asset: str, change: Decimal) -> Reply:
        body = {"wallet": wallet, "asset": asset, "amount": format(abs(change), "f"), "release": change < 0}
        return await self.do("POST", f"/accounts/{account}/locks", body)

    async def money(
        self, account: str, engine: str
    ) -> tuple[dict[str, dict[str, tuple[Decimal, Decimal]]], dict[str, str]]:
        """Free and held by wallet and asset, and what the books of the exchange are out by."""
        shown = await self.get(f"/ledger/{account}?limit=1")
        wallets = {
            wallet: {
                asset: (Decimal(one["free"]), Decimal(one["held"]))
                for asset, one in assets.items()
                if Decimal(one["free"]) or Decimal(one["held"])
            }
            for wallet, assets in shown["balances"][engine].items()
        }
        return wallets, shown["checks"][engine]["differences"]

    # Time

    async def now_ms(self) -> int:
        reading: int = (await self.get("/clock"))["timeMs"]
        return reading

    async def step(self, milliseconds: int) -> Reply:
        return await self.do("PUT", "/clock", {"step": milliseconds})

    async def run(self, speed: int) -> Reply:
        return await self.do("PUT", "/clock", {"speed": speed})

    # Markets

    async def set_price(self, instrument: str, price: Decimal, mode: str) -> Reply:
        return await self.do("PUT", self._market(instrument, "/price"), {"price": str(price), "mode": mode})

    async def set_book(self, instrument: str, bids: Levels, asks: Levels) -> Reply:
        body = {
            side: [[format(price, "f"), format(quantity, "f")] for price, quantity in levels]
            for side, levels in (("bids", bids), ("asks", asks))
        }
        return await self.do("PUT", self._market(instrument, "/book"), body)

    async def print_trade(self, instrument: str, price: Decimal, quantity: Decimal, side: str) -> Reply:
        body = {"price": format(price, "f"), "quantity": format(quantity, "f"), "side": side}
        return await self.do("POST", self._market(instrument, "/trades"), body)

    async def release(self, instrument: str) -> Reply:
        return await self.do("DELETE", self._market(instrument, ""))

    def _market(self, instrument: str, what: str) -> str:
        return f"/markets/{self._site}/{instrument}{what}"

    # The whole

    async def fork(self, name: str) -> None:
        await self._must(f"/sandboxes/{self.sandbox}/fork", {"name": name})

    async def drop(self, name: str) -> None:
        reply = await self.do("DELETE", f"/sandboxes/{name}")
        assert reply.outcome is Outcome.DONE, reply

    async def defects(self) -> int:
        """Requests that met a defect of the emulator's."""
        found: int = (await self.get("/health"))["requests"]["broken"]
        return found
