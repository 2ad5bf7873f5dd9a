"""What a story asks of an exchange, and the emulator behind it: a sandbox of its own for each story."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any, ClassVar

import httpx

from tests.stories.words import Leg, Place, Product, Told

BEGINS = "2026-09-21T15:50:00Z"
"""Ten minutes before funding is paid."""


class VenueRefused(Exception):
    """The exchange refuses, in its own words."""


class Control:
    """The control API of one sandbox."""

    def __init__(self, http: httpx.Client, url: str, sandbox: str) -> None:
        self._http = http
        self.sandbox = sandbox
        self.url = f"{url}/~{sandbox}"
        self._ask(
            "POST", f"{url}/_emulator/sandboxes", {"name": sandbox, "seed": 7, "clock": {"time": BEGINS}}
        )

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return self._ask(method, f"{self.url}/_emulator/{path}", body)

    def _ask(self, method: str, url: str, body: Any) -> Any:
        reply = self._http.request(method, url, json=body)
        assert reply.is_success, f"{method} {url} {body}: {reply.status_code} {reply.text}"
        return reply.json()


class Venue(ABC):
    """One account on one product of one exchange. Quantities are the exchange's own."""

    name: ClassVar[str]
    lots: ClassVar[dict[Product, Decimal]]
    """What one lot is on its wire."""
    fees: ClassVar[dict[Product, tuple[Decimal, Decimal]]]
    """Of makers and takers, as the exchange's schedule has them for newcomers."""
    margin_has_fee: ClassVar[bool] = False
    """Whether the margin of a position has what closing it costs where nothing is left of the rest."""
    funds: ClassVar[dict[str, str]] = {"USDT": "100000", "BTC": "10"}

    KEY = "story-key"
    SECRET = "story-secret"

    def __init__(self, http: httpx.Client, url: str, product: Product, sandbox: str) -> None:
        self.http = http
        self.product = product
        self.control = Control(http, url, sandbox)
        self.control("POST", "accounts", {"name": "teller"})
        self.control("POST", "accounts/teller/keys", {"key": self.KEY, "secret": self.SECRET})
        for asset, amount in self.funds.items():
            body = {"exchange": self.exchange, "wallet": self.wallet, "asset": asset, "amount": amount}
            self.control("POST", "accounts/teller/deposits", body)

    exchange: ClassVar[str]

    @property
    @abstractmethod
    def wallet(self) -> str:
        """The wallet that pays, as the control API has it."""

    @property
    @abstractmethod
    def market(self) -> str:
        """Where the control API has the market, `site/symbol`."""

    @property
    def size(self) -> Decimal:
        """Of one unit of quantity: in BTC, of an inverse contract in USD."""
        return Decimal(1)

    @property
    def lot(self) -> Decimal:
        return self.lots[self.product]

    @classmethod
    @abstractmethod
    def offers(cls, product: Product) -> frozenset[str]:
        """What it has on a product that only some have."""

    def book(self, bid: str, ask: str) -> None:
        deep = str(self.lot * 100)
        self.control("PUT", f"markets/{self.market}/book", {"bids": [[bid, deep]], "asks": [[ask, deep]]})

    def price(self, at: str) -> None:
        self.control("PUT", f"markets/{self.market}/price", {"price": at})

    def print(self, quantity: Decimal, price: str) -> None:
        body = {"price": price, "quantity": str(quantity), "side": "sell"}
        self.control("POST", f"markets/{self.market}/trades", body)

    def wait(self, seconds: int) -> None:
        self.control("PUT", "clock", {"step": f"{seconds}s"})

    @property
    def settle(self) -> str:
        """What a contract is paid in."""
        return "BTC" if self.product is Product.INVERSE else "USDT"

    @abstractmethod
    def place(self, order: Place) -> str:
        """Its id. Raises VenueRefused, as all below do."""

    @abstractmethod
    def amend(self, order: str, quantity: Decimal, limit: str | None) -> None:
        """limit: None: as it is."""

    @abstractmethod
    def cancel(self, order: str) -> None: ...

    @abstractmethod
    def told(self, order: str) -> Told: ...

    @abstractmethod
    def balances(self) -> dict[str, Decimal]:
        """All that the wallet has, by asset, held and isolated included, without unrealised profit."""

    @abstractmethod
    def position(self, leg: Leg | None) -> tuple[Decimal, Decimal]:
        """Quantity with its sign, and entry price."""

    @abstractmethod
    def liquidated_at(self) -> Decimal: ...

    @abstractmethod
    def hedge(self) -> None: ...

    @abstractmethod
    def isolate(self, leverage: int) -> None: ...

    @abstractmethod
    def funding_rate(self) -> Decimal:
        """The last one that was settled."""

    @abstractmethod
    def funding_paid(self) -> list[Decimal]:
        """What the account got, below zero what it paid, by its own history."""
