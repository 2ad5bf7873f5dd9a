"""How much: request weight and raw requests by IP, unfilled orders by account (rest-api.md, LIMITS).

Windows are aligned to the sandbox's clock. A request is refused before it is looked at when its IP
has used up the minute or is banned; what it costs is charged when it ends, since an order that is
accepted costs nothing. Counts are of one sandbox and of this process; they end with it.
"""

from __future__ import annotations

from collections import OrderedDict
from weakref import ref

import msgspec

from emulator.core.events import OrderPlaced, TradeExecuted
from emulator.core.ids import MARKET_ORDER, AccountId, OrderId
from emulator.exchanges.binance.errors import IP_BANNED, WEIGHT_USED, refuse
from emulator.runtime.fanout import Unsubscribe
from emulator.runtime.ports import Batch
from emulator.runtime.quotas import DAY_US, MINUTE_US, Bans, Window
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Refusal

VIOLATIONS_TOLERATED = 20
"""How many refusals within a minute are let pass before a ban. Not documented."""

ACCOUNT_POOL = "uid"
"""The `pool` of a /sapi row whose weight is charged to the account instead of the IP."""
ACCOUNT_SECOND_POOL = "uid-second"
"""The same by the second, of which the wallet documents have one ("Withdraw History")."""

SECOND_US = 1_000_000

UNFILLED_MAX = 100_000
"""How many orders are remembered as not yet filled; older ones no longer give their place back."""

_QUOTAS_MAX = 256


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of GET /api/v3/exchangeInfo, of /sapi's headers, and of the documents of sockets."""

    weight_per_minute: int = 6000
    requests_per_5_minutes: int = 300_000
    orders_per_10_seconds: int = 100
    orders_per_day: int = 200_000
    sapi_weight_per_minute: int = 12_000
    sapi_account_weight_per_minute: int = 180_000
    sapi_account_weight_per_second: int = 180_000
    connections_per_5_minutes: int = 300
    messages_per_second: int = 5
    ban_shortest_us: int = 2 * MINUTE_US
    ban_longest_us: int = 3 * DAY_US


class Exhausted(Refusal):
    """Used up, or banned. until_us: the sandbox's time from which on asking again is of use."""

    until_us: int


def _exhausted(refusal: Refusal, until_us: int, now_us: int) -> Exhausted:
    seconds = max(1, -(-(until_us - now_us) // SECOND_US))
    exhausted = Exhausted(
        refusal.status,
        refusal.code,
        refusal.message,
        extra=refusal.extra,
        headers=(*refusal.headers, (b"retry-after", b"%d" % seconds)),
    )
    exhausted.until_us = until_us
    return exhausted


def _used_up(refusal: Refusal, window: Window, now_us: int) -> Exhausted:
    interval_us = window.interval_us
    return _exhausted(refusal, now_us - now_us % interval_us + interval_us, now_us)


class Quotas:
    """The counters of one sandbox."""

    def __init__(self, limits: Limits, *, maker_releases: int) -> None:
        self.limits = limits
        self._maker_releases = maker_releases
        self._weight = Window(interval_us=MINUTE_US, limit=limits.weight_per_minute)
        self._requests = Window(interval_us=5 * MINUTE_US, limit=limits.requests_per_5_minutes)
        self._seconds = Window(interval_us=10 * SECOND_US, limit=limits.orders_per_10_seconds)
        self._day = Window(interval_us=DAY_US, limit=limits.orders_per_day)
        self._sapi = Window(interval_us=MINUTE_US, limit=limits.sapi_weight_per_minute)
        self._sapi_accounts = {
            ACCOUNT_POOL: Window(interval_us=MINUTE_US, limit=limits.sapi_account_weight_per_minute),
            ACCOUNT_SECOND_POOL: Window(interval_us=SECOND_US, limit=limits.sapi_account_weight_per_second),
        }
        self._connections = Window(interval_us=5 * MINUTE_US, limit=limits.connections_per_5_minutes)
        self._bans = Bans(
            tolerance=VIOLATIONS_TOLERATED,
            within_us=MINUTE_US,
            shortest_us=limits.ban_shortest_us,
            longest_us=limits.ban_longest_us,
        )
        self._unfilled: OrderedDict[OrderId, AccountId] = OrderedDict()

    # Requests, by IP

    def enter(self, ip: str, now_us: int) -> None:
        """Count a request of the /api pool; raises -1003 as 418 while banned, as 429 when used up."""
        if self._bans:
            until_us = self._bans.until_us(ip, now_us)
            if until_us is not None:
                raise _banned(until_us, now_us)
        if self._requests.add(ip, 1, now_us) > self._requests.limit:
            raise self._violation(ip, now_us, refuse(-1003), self._requests)
        if self._weight.used(ip, now_us) >= self._weight.limit:
            raise self._too_heavy(ip, now_us)

    def check_weight(self, ip: str, weight: int, now_us: int) -> None:
        """Raises -1003 when a request of this weight would exceed the minute."""
        if self._weight.used(ip, now_us) + weight > self._weight.limit:
            raise self._too_heavy(ip, now_us)

    def charge(self, ip: str, weight: int, now_us: int) -> int:
        """Add what a request cost; returns what the IP has used in this minute."""
        if not weight:
            return self._weight.used(ip, now_us)
        return self._weight.add(ip, weight, now_us)

    def enter_sapi(self, ip: str, path: str, weight: int, now_us: int) -> int:
        """Charge a /sapi request, whose weights count per endpoint; raises -1003 when used up."""
        used = self._sapi.add((ip, path), weight, now_us)
        if used > self._sapi.limit:
            limit = self._sapi.limit
            refusal = refuse(-1003, limit, "1 MINUTE", text=WEIGHT_USED)
            raise _used_up(refusal, self._sapi, now_us)
        return used

    def sapi_used(self, ip: str, path: str, now_us: int) -> int:
        return self._sapi.used((ip, path), now_us)

    def enter_sapi_account(self, pool: str, account: AccountId, path: str, weight: int, now_us: int) -> None:
        """As `enter_sapi`, for the endpoints whose weight is the account's, not the IP's."""
        window = self._sapi_accounts[pool]
        if window.add((account, path), weight, now_us) > window.limit:
            words = "1 SECOND" if pool == ACCOUNT_SECOND_POOL else "1 MINUTE"
            refusal = refuse(-1003, window.limit, words, text=WEIGHT_USED)
            raise _used_up(refusal, window, now_us)

    def sapi_account_used(self, pool: str, account: AccountId, path: str, now_us: int) -> int:
        return self._sapi_accounts[pool].used((account, path), now_us)

    def _too_heavy(self, ip: str, now_us: int) -> Refusal:
        refusal = refuse(-1003, self._weight.limit, "1 MINUTE", text=WEIGHT_USED)
        return self._violation(ip, now_us, refusal, self._weight)

    def _violation(self, ip: str, now_us: int, refusal: Refusal, window: Window) -> Refusal:
        until_us = self._bans.note_violation(ip, now_us)
        if until_us is not None:
            return _banned(until_us, now_us)
        return _used_up(refusal, window, now_us)

    # Sockets, by IP

    def connect(self, ip: str, now_us: int, *, pool: str) -> None:
        """Count an attempt to open a WebSocket; raises -1003 as 418 while banned, -1034 when it is too many.

        pool: attempts of different pools count apart, as those at different hosts of the exchange do.
        """
        until_us = self._bans.until_us(ip, now_us)
        if until_us is not None:
            raise _banned(until_us, now_us)
        window = self._connections
        if window.add((pool, ip), 1, now_us) > window.limit:
            refusal = refuse(-1034, window.limit, "5 MINUTE")
            raise self._violation(ip, now_us, refusal, window)

    def note_flood(self, ip: str, now_us: int) -> None:
        """A connection of this IP was cut because it said too much; who goes on doing so is banned."""
        self._bans.note_violation(ip, now_us)

    # Unfilled orders, by account

    def reserve_orders(self, account: AccountId, count: int, now_us: int, *, enforced: bool = True) -> None:
        """Count orders that are about to be placed; raises -1015 when the account has too many, and
        then counts nothing."""
        # Quirk: an order that the day's limit refuses does not count in the ten seconds either
        # (CHANGELOG.md, 2025-04-07).
        if enforced:
            for window, words in ((self._day, "1 DAY"), (self._seconds, "10 SECOND")):
                if window.used(account, now_us) + count > window.limit:
                    refusal = refuse(-1015, window.limit, words)
                    raise _used_up(refusal, window, now_us)
        self._day.add(account, count, now_us)
        self._seconds.add(account, count, now_us)

    def release_orders(self, account: AccountId, count: int, now_us: int) -> None:
        """Take orders off the counts: they were rejected, or got their first fill."""
        self._day.release(account, count, now_us)
        self._seconds.release(account, count, now_us)

    def orders_used(self, account: AccountId, now_us: int) -> tuple[int, int]:
        """Unfilled orders of the current ten seconds and of the current day."""
        return self._seconds.used(account, now_us), self._day.used(account, now_us)

    def note(self, batch: Batch, engine: str, now_us: int) -> None:
        """Take the first fill of every order off its account's current counts."""
        # Quirk: the count of unfilled orders goes down by several when an order is first filled as maker,
        # whenever it was placed (faqs/order_count_decrement.md, "How do filled orders affect the unfilled
        # order count?").
        unfilled = self._unfilled
        for record in batch.records:
            if record.engine != engine:
                continue
            for event in record.events:
                if type(event) is OrderPlaced:
                    unfilled[event.order] = event.account
                    if len(unfilled) > UNFILLED_MAX:
                        unfilled.popitem(last=False)
                elif type(event) is TradeExecuted:
                    if event.taker != MARKET_ORDER:
                        account = unfilled.pop(event.taker, None)
                        if account is not None:
                            self.release_orders(account, 1, now_us)
                    if event.maker != MARKET_ORDER:
                        account = unfilled.pop(event.maker, None)
                        if account is not None:
                            self.release_orders(account, self._maker_releases, now_us)


def _banned(until_us: int, now_us: int) -> Refusal:
    return _exhausted(Refusal(418, -1003, IP_BANNED % (until_us // 1000)), until_us, now_us)


class _Entry:
    __slots__ = ("quotas", "sandbox", "unsubscribe")

    def __init__(self, sandbox: ref[Sandbox], quotas: Quotas, unsubscribe: Unsubscribe) -> None:
        self.sandbox = sandbox
        self.quotas = quotas
        self.unsubscribe = unsubscribe


class QuotasBySandbox:
    """The quotas of each sandbox that is asked about, for as long as that sandbox lives."""

    def __init__(self, limits: Limits, *, engine: str, maker_releases: int) -> None:
        self.limits = limits
        self._engine = engine
        self._maker_releases = maker_releases
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def of(self, sandbox: Sandbox) -> Quotas:
        # A sandbox that was reset is another object under the same name, and begins with fresh counts.
        entry = self._entries.get(sandbox.name)
        if entry is not None and entry.sandbox() is sandbox:
            return entry.quotas
        return self._begin(sandbox)

    def _begin(self, sandbox: Sandbox) -> Quotas:
        quotas = Quotas(self.limits, maker_releases=self._maker_releases)
        engine = self._engine
        clock = sandbox.clock

        def on_batch(batch: Batch) -> None:
            quotas.note(batch, engine, clock.now_us())

        self._drop(self._entries.pop(sandbox.name, None))
        unsubscribe = sandbox.fanout.subscribe(on_batch)
        self._entries[sandbox.name] = _Entry(ref(sandbox), quotas, unsubscribe)
        if len(self._entries) > _QUOTAS_MAX:
            self._drop(self._entries.popitem(last=False)[1])
        return quotas

    @staticmethod
    def _drop(entry: _Entry | None) -> None:
        if entry is not None:
            entry.unsubscribe()
