"""How often: requests by IP, and calls of an endpoint by account ("Rate Limit Rules").

An IP that asks too often is turned away with HTTP 403 for ten minutes. An account has so many calls of each
endpoint in a rolling second, or minute, and where an endpoint takes a category, so many of each category; a
batch counts as the orders in it. Counts are of one sandbox and of this process; they end with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from emulator.exchanges.bybit.refusals import refuse
from emulator.runtime.quotas import MINUTE_US, Bans, Rolling, Window

SECOND_US: Final = 1_000_000


class Rate(msgspec.Struct, frozen=True):
    """calls: in an interval. by_category: of categories that have another number."""

    calls: int
    by_category: Mapping[str, int] = {}
    interval_us: int = SECOND_US

    def of(self, category: str | None) -> int:
        return self.calls if category is None else self.by_category.get(category, self.calls)


def _minutely(calls: int) -> Rate:
    return Rate(calls, interval_us=MINUTE_US)


_ORDERS = Rate(10, {"spot": 20})

RATES: Final[Mapping[str, Rate]] = MappingProxyType(
    {
        "/v5/order/create": _ORDERS,
        "/v5/order/amend": Rate(10),
        "/v5/order/cancel": _ORDERS,
        "/v5/order/cancel-all": Rate(10, {"spot": 20, "option": 1}),
        "/v5/order/create-batch": _ORDERS,
        "/v5/order/amend-batch": _ORDERS,
        "/v5/order/cancel-batch": _ORDERS,
        "/v5/order/pre-check": _ORDERS,
        "/v5/order/disconnected-cancel-all": Rate(5),
        "/v5/order/realtime": Rate(50),
        "/v5/order/history": Rate(50),
        "/v5/order/spot-borrow-check": Rate(50),
        "/v5/execution/list": Rate(50),
        "/v5/position/list": Rate(50),
        "/v5/position/closed-pnl": Rate(50),
        "/v5/position/get-closed-positions": Rate(50),
        "/v5/account/transaction-log": Rate(25),
        "/v5/account/fee-rate": Rate(5),
        "/v5/account/instruments-info": Rate(10),
        "/v5/account/query-dcp-info": Rate(5),
        "/v5/account/smp-group": Rate(5),
        "/v5/account/borrow": Rate(1),
        "/v5/account/repay": Rate(1),
        "/v5/account/no-convert-repay": Rate(1),
        "/v5/account/quick-repayment": Rate(1),
        "/v5/account/mmp-modify": Rate(5),
        "/v5/account/mmp-reset": Rate(5),
        "/v5/account/set-collateral-switch-batch": Rate(5),
        "/v5/account/set-limit-px-action": Rate(10),
        "/v5/account/set-margin-mode": Rate(5),
        "/v5/account/upgrade-to-uta": Rate(1),
        "/v5/asset/transfer/query-asset-info": _minutely(60),
        "/v5/asset/transfer/query-transfer-coin-list": _minutely(60),
        "/v5/asset/transfer/query-inter-transfer-list": _minutely(60),
        "/v5/asset/transfer/query-account-coins-balance": Rate(5),
        "/v5/asset/transfer/query-account-coin-balance": Rate(450),
        "/v5/asset/transfer/inter-transfer": _minutely(60),
        "/v5/asset/transfer/universal-transfer": Rate(5),
        "/v5/asset/deposit/query-record": _minutely(100),
        "/v5/asset/deposit/query-address": _minutely(300),
        "/v5/asset/deposit/query-internal-record": Rate(300),
        "/v5/asset/withdraw/query-record": _minutely(300),
        "/v5/asset/withdraw/withdrawable-amount": Rate(300),
        "/v5/asset/withdraw/create": Rate(5),
        "/v5/asset/withdraw/cancel": _minutely(60),
        "/v5/asset/coin/query-info": Rate(5),
        "/v5/asset/exchange/order-record": _minutely(600),
        "/v5/user/query-api": Rate(10),
        "/v5/spot-margin-trade/switch-mode": Rate(5),
        "/v5/spot-margin-trade/set-leverage": Rate(5),
    }
)
"""What the table names. Most rates can be raised for an account, which nobody can here."""

_GROUPS: Final = (("/v5/position/", Rate(10)),)
RATE_ELSEWHERE: Final = Rate(50)
"""Of what the table passes over: as much as most endpoints that read have."""


def rate_of(path: str) -> Rate:
    rate = RATES.get(path)
    if rate is not None:
        return rate
    return next((rate for prefix, rate in _GROUPS if path.startswith(prefix)), RATE_ELSEWHERE)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that are nobody's own. connections_*: of WebSockets. orders_per_second: of an IP,
    over sockets that take orders."""

    requests_per_5_seconds: int = 600
    ban_us: int = 10 * MINUTE_US
    connections_per_5_minutes: int = 500
    connections_per_market: int = 1000
    orders_per_second: int = 3000


class Quotas:
    """The counters of one sandbox."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._requests = Window(interval_us=5 * SECOND_US, limit=limits.requests_per_5_seconds)
        self._connections = Window(interval_us=5 * MINUTE_US, limit=limits.connections_per_5_minutes)
        self._orders = Window(interval_us=SECOND_US, limit=limits.orders_per_second)
        # The first request too many bans, for ten minutes each time.
        self._bans = Bans(
            tolerance=0, within_us=5 * SECOND_US, shortest_us=limits.ban_us, longest_us=limits.ban_us
        )
        self._open: Counter[tuple[str, str]] = Counter()
        self._pools: dict[tuple[str, str | None], Rolling] = {}

    def enter(self, ip: str, now_us: int) -> None:
        """Count a request of an IP; raises 403 when it is one too many, and until its ban ends."""
        if self._bans and self._bans.until_us(ip, now_us) is not None:
            raise refuse(403, status=403)
        if self._requests.add(ip, 1, now_us) > self._requests.limit:
            self._bans.note_violation(ip, now_us)
            raise refuse(403, status=403)

    def connect(self, ip: str, market: str, now_us: int) -> None:
        """Count an attempt to open a WebSocket; raises 403 when there were too many, or as many are open."""
        if self._connections.add(ip, 1, now_us) > self._connections.limit:
            raise refuse(403, status=403)
        if self._open[ip, market] >= self.limits.connections_per_market:
            raise refuse(403, status=403)

    def opened(self, ip: str, market: str) -> None:
        """A connection is open, until `closed`."""
        self._open[ip, market] += 1

    def closed(self, ip: str, market: str) -> None:
        left = self._open.pop((ip, market), 0) - 1
        if left > 0:
            self._open[ip, market] = left

    def ask(self, ip: str, now_us: int) -> None:
        """Count a request over a socket that takes orders; raises 10403 when there were too many."""
        if self._orders.add(ip, 1, now_us) > self._orders.limit:
            raise refuse(10403, self._orders.limit)

    def pool(self, path: str, category: str | None) -> Rolling:
        """Who counts the calls of an endpoint, of one category where it takes any."""
        pool = self._pools.get((path, category))
        if pool is None:
            rate = rate_of(path)
            pool = Rolling(interval_us=rate.interval_us, limit=rate.of(category))
            self._pools[path, category] = pool
        return pool
