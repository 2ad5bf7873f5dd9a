"""How much: request weight and raw requests by IP, unfilled orders by account (rest-api.md, LIMITS).

Windows are aligned to the sandbox's clock. A request is refused before it is looked at when its IP
has used up the minute or is banned; what it costs is charged when it ends, since an order that is
accepted costs nothing. Counts are of one sandbox and of this process; they end with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from types import MappingProxyType

import msgspec

from emulator.core.events import OrderPlaced, TradeExecuted
from emulator.core.ids import MARKET_ORDER, AccountId, OrderId
from emulator.exchanges.binance.errors import ERRORS
from emulator.exchanges.binance.refusals import ErrorTable
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.ports import Batch
from emulator.runtime.quotas import DAY_US, MINUTE_US, Bans, Window
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Refusal

VIOLATIONS_TOLERATED = 20
"""How many refusals within a minute are let pass before a ban. Not documented."""

SAPI_POOL = "sapi"
"""The pool of /sapi rows that name none."""
ACCOUNT_POOL = "uid"
"""The `pool` of a /sapi row whose weight is charged to the account instead of the IP."""
ACCOUNT_SECOND_POOL = "uid-second"
"""The same by the second, of which the wallet documents have one ("Withdraw History")."""
FUNDING_POOL = "funding"
"""What the two futures endpoints about funding rates share, instead of the weight of all others."""
DATA_POOL = "data"
"""What USD-M's endpoints under /futures/data are counted by, each for itself."""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Requests whose weight is counted apart from the others'. header: which tells of it, if one does.

    by_account: counted for the account, not the IP. by_path: each endpoint by itself.
    """

    interval_us: int
    words: str
    header: bytes | None = None
    by_account: bool = False
    by_path: bool = False


POOLS: Mapping[str, Pool] = MappingProxyType(
    {
        SAPI_POOL: Pool(
            interval_us=MINUTE_US, words="1 MINUTE", header=b"x-sapi-used-ip-weight-1m", by_path=True
        ),
        ACCOUNT_POOL: Pool(
            interval_us=MINUTE_US,
            words="1 MINUTE",
            header=b"x-sapi-used-uid-weight-1m",
            by_account=True,
            by_path=True,
        ),
        ACCOUNT_SECOND_POOL: Pool(
            interval_us=1_000_000,
            words="1 SECOND",
            header=b"x-sapi-used-uid-weight-1s",
            by_account=True,
            by_path=True,
        ),
        # Quirk: requests for funding rates are counted apart, and no header tells of them (Get Funding Rate
        # History: 500 in 5 minutes, shared with Get Funding Info).
        FUNDING_POOL: Pool(interval_us=5 * MINUTE_US, words="5 MINUTES"),
        # Quirk: figures under /futures/data cost USD-M no weight, and are counted apart (Open Interest
        # Statistics: 1000 requests in 5 minutes).
        DATA_POOL: Pool(interval_us=5 * MINUTE_US, words="5 MINUTES", by_path=True),
    }
)

SECOND_US = 1_000_000

WALLET = "spot"
"""Whose orders come off the counts when they are filled."""

UNFILLED_MAX = 100_000
"""How many orders are remembered as not yet filled; older ones no longer give their place back."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of GET /api/v3/exchangeInfo, of /sapi's headers, and of the documents of sockets.

    requests_per_5_minutes: 0: however many. orders_per_minute: where it is not zero, orders are counted by
    the minute and not by the day. fills_release: whether a first fill takes an order off the counts.
    """

    weight_per_minute: int = 6000
    requests_per_5_minutes: int = 300_000
    orders_per_10_seconds: int = 100
    orders_per_day: int = 200_000
    orders_per_minute: int = 0
    fills_release: bool = True
    sapi_weight_per_minute: int = 12_000
    sapi_account_weight_per_minute: int = 180_000
    sapi_account_weight_per_second: int = 180_000
    funding_requests_per_5_minutes: int = 500
    data_requests_per_5_minutes: int = 1000
    connections_per_5_minutes: int = 300
    messages_per_second: int = 5
    ban_shortest_us: int = 2 * MINUTE_US
    ban_longest_us: int = 3 * DAY_US
    ten_seconds: str = "10 SECOND"
    """How the exchange calls them when there were too many orders."""

    @property
    def pools(self) -> Mapping[str, int]:
        """What each of `POOLS` holds."""
        return {
            SAPI_POOL: self.sapi_weight_per_minute,
            ACCOUNT_POOL: self.sapi_account_weight_per_minute,
            ACCOUNT_SECOND_POOL: self.sapi_account_weight_per_second,
            FUNDING_POOL: self.funding_requests_per_5_minutes,
            DATA_POOL: self.data_requests_per_5_minutes,
        }


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
    """The counters of one sandbox; errors: in whose words what is used up is told."""

    def __init__(self, limits: Limits, *, maker_releases: int, errors: ErrorTable = ERRORS) -> None:
        self.limits = limits
        self._errors = errors
        self._maker_releases = maker_releases
        self._weight = Window(interval_us=MINUTE_US, limit=limits.weight_per_minute)
        self.charge = self._weight.add
        """Called with an IP, what its request cost, and now: returns what it has used in this minute."""
        self._requests = Window(interval_us=5 * MINUTE_US, limit=limits.requests_per_5_minutes)
        self._seconds = Window(interval_us=10 * SECOND_US, limit=limits.orders_per_10_seconds)
        if limits.orders_per_minute:
            self._long = Window(interval_us=MINUTE_US, limit=limits.orders_per_minute)
            self._long_words = "MINUTE"
        else:
            self._long = Window(interval_us=DAY_US, limit=limits.orders_per_day)
            self._long_words = "1 DAY"
        self._pools = {
            name: Window(interval_us=POOLS[name].interval_us, limit=limit)
            for name, limit in limits.pools.items()
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
        """Count a request of the common pool; raises -1003 as 418 while banned, as 429 when used up."""
        self.check_ban(ip, now_us)
        most = self._requests.limit
        if most and self._requests.add(ip, 1, now_us) > most:
            raise self._violation(ip, now_us, self._errors.refuse(-1003), self._requests)
        if self._weight.used(ip, now_us) >= self._weight.limit:
            raise self._too_heavy(ip, now_us)

    def check_ban(self, ip: str, now_us: int) -> None:
        """Raises -1003 as 418 while the IP is banned."""
        if self._bans:
            until_us = self._bans.until_us(ip, now_us)
            if until_us is not None:
                raise self._banned(until_us, now_us)

    def check_weight(self, ip: str, weight: int, now_us: int) -> None:
        """Raises -1003 when a request of this weight would exceed the minute."""
        if self._weight.used(ip, now_us) + weight > self._weight.limit:
            raise self._too_heavy(ip, now_us)

    def enter_pool(self, pool: str, subject: Hashable, weight: int, now_us: int) -> None:
        """Charge a request of one of `POOLS`; raises -1003 when it is used up."""
        window = self._pools[pool]
        if window.add(subject, weight, now_us) > window.limit:
            raise _used_up(self._weight_used(window.limit, POOLS[pool].words), window, now_us)

    def pool_used(self, pool: str, subject: Hashable, now_us: int) -> int:
        return self._pools[pool].used(subject, now_us)

    def _weight_used(self, limit: int, words: str) -> Refusal:
        return self._errors.refuse(-1003, text=self._errors.weight_used.format(limit=limit, interval=words))

    def _too_heavy(self, ip: str, now_us: int) -> Refusal:
        return self._violation(ip, now_us, self._weight_used(self._weight.limit, "1 MINUTE"), self._weight)

    def _violation(self, ip: str, now_us: int, refusal: Refusal, window: Window) -> Refusal:
        until_us = self._bans.note_violation(ip, now_us)
        if until_us is not None:
            return self._banned(until_us, now_us)
        return _used_up(refusal, window, now_us)

    def _banned(self, until_us: int, now_us: int) -> Exhausted:
        words = self._errors.ip_banned % (until_us // 1000)
        return _exhausted(Refusal(418, -1003, words), until_us, now_us)

    # Sockets, by IP

    def connect(self, ip: str, now_us: int, *, pool: str) -> None:
        """Count an attempt to open a WebSocket; raises -1003 as 418 while banned, -1034 when it is too many.

        pool: attempts of different pools count apart, as those at different hosts of the exchange do.
        """
        self.check_ban(ip, now_us)
        window = self._connections
        if window.add((pool, ip), 1, now_us) > window.limit:
            refusal = self._errors.refuse(-1034, window.limit, "5 MINUTE")
            raise self._violation(ip, now_us, refusal, window)

    def note_flood(self, ip: str, now_us: int) -> None:
        """A connection of this IP was cut because it said too much; who goes on doing so is banned."""
        self._bans.note_violation(ip, now_us)

    # Unfilled orders, by account

    def reserve_orders(
        self,
        account: AccountId,
        count: int,
        now_us: int,
        *,
        in_long: int | None = None,
        enforced: bool = True,
    ) -> None:
        """Count orders that are about to be placed; raises -1015 when the account has too many, and
        then counts nothing. in_long: as how many they count in the longer window, if not as many."""
        # Quirk: an order that the day's limit refuses does not count in the ten seconds either
        # (CHANGELOG.md, 2025-04-07).
        if in_long is None:
            in_long = count
        if enforced:
            self._check_orders(self._long, self._long_words, account, in_long, now_us)
            self._check_orders(self._seconds, self.limits.ten_seconds, account, count, now_us)
        self._long.add(account, in_long, now_us)
        self._seconds.add(account, count, now_us)

    def _check_orders(self, window: Window, words: str, account: AccountId, count: int, now_us: int) -> None:
        if window.used(account, now_us) + count > window.limit:
            raise _used_up(self._errors.refuse(-1015, window.limit, words), window, now_us)

    def release_orders(self, account: AccountId, count: int, now_us: int) -> None:
        """Take orders off the counts: they were rejected, or got their first fill."""
        self._long.release(account, count, now_us)
        self._seconds.release(account, count, now_us)

    def orders_used(self, account: AccountId, now_us: int) -> tuple[int, int]:
        """Orders that count in the current ten seconds and in the current day, or minute."""
        return self._seconds.used(account, now_us), self._long.used(account, now_us)

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
                    # Contracts are counted by their own sites, and in another way.
                    if event.wallet != WALLET:
                        continue
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


class QuotasBySandbox(PerSandbox[Quotas]):
    """The quotas of each sandbox that is asked about, for as long as that sandbox lives."""

    def __init__(
        self, limits: Limits, *, engine: str, maker_releases: int, errors: ErrorTable = ERRORS
    ) -> None:
        super().__init__(self._begin)
        self.limits = limits
        self._errors = errors
        self._engine = engine
        self._maker_releases = maker_releases

    def _begin(self, sandbox: Sandbox) -> Quotas:
        quotas = Quotas(self.limits, maker_releases=self._maker_releases, errors=self._errors)
        engine = self._engine
        clock = sandbox.clock

        def on_batch(batch: Batch) -> None:
            quotas.note(batch, engine, clock.now_us())

        if self.limits.fills_release:
            sandbox.fanout.subscribe(on_batch)
        return quotas
