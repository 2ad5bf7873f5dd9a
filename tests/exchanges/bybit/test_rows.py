"""What the site answers and what it does not: every path of the documents (docs, v5) is one or the other."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from tests.exchanges.bybit.pit import Pit, site
from tests.web.client import ask

pytestmark = pytest.mark.anyio

REQUIRED = """
GET  market     time instruments-info tickers orderbook kline mark-price-kline index-price-kline
                premium-index-price-kline recent-trade funding/history open-interest risk-limit price-limit
GET  system     status
POST order      create amend cancel cancel-all create-batch amend-batch cancel-batch pre-check
                disconnected-cancel-all
GET  order      realtime history spot-borrow-check
GET  execution  list
GET  position   list closed-pnl
POST position   set-leverage switch-mode switch-isolated trading-stop set-auto-add-margin add-margin
                set-risk-limit set-tpsl-mode
GET  account    wallet-balance info fee-rate transaction-log collateral-info withdrawal borrow-history
                query-dcp-info mmp-state smp-group
POST account    set-margin-mode set-collateral-switch set-collateral-switch-batch borrow repay
                no-convert-repay quick-repayment mmp-modify mmp-reset set-hedging-mode
GET  user       query-api
GET  asset      coin/query-info transfer/query-account-coins-balance transfer/query-account-coin-balance
                transfer/query-inter-transfer-list deposit/query-record deposit/query-address
                withdraw/query-record
POST asset      transfer/inter-transfer
GET  spot-margin-trade  state data coinstate collateral currency-data liability max-borrowable position-tiers
POST spot-margin-trade  switch-mode set-leverage
"""

ELSEWHERE = """
GET  market     adlAlert fee-group-info
GET  position   move-history get-closed-positions
POST position   move-positions confirm-pending-mmr
GET  account    contract-transaction-log option-asset-info pay-info trade-info-for-analysis
POST account    set-delta-mode
GET  asset      asset-overview coin-greeks covert/small-balance-history delivery-record
                deposit/query-internal-record deposit/query-sub-member-address exchange/order-record
                exchange/query-coin-list fundinghistory portfolio-margin settlement-record
                total-members-assets transfer/query-asset-info transfer/query-sub-member-list
                transfer/query-universal-transfer-list withdraw/query-address withdraw/vasp/list
POST asset      covert/get-quote deposit/deposit-to-account exchange/quote-apply
                transfer/save-transfer-sub-member transfer/universal-transfer travel-rule/deposit/submit
                withdraw/cancel
GET  spot-margin-trade  fixedborrow-order-info interest-rate-history
POST spot-margin-trade  fixedborrow set-auto-repay-mode
GET  user       get-member-type query-sub-members sub-apikeys
POST user       create-sub-member update-api
GET  pre-upgrade  order/history account/transaction-log
GET  announcements  index
GET  spot-lever-token  info
GET  apilimit   query
POST spread     order/create
POST earn       place-order
"""


def paths(table: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    method = group = ""
    for line in table.strip().splitlines():
        words = line.split()
        if not line.startswith(" "):
            method, group, *words = words
        found += ((method, f"/v5/{group}/{word}") for word in words)
    return found


ROWS = {(row.method, row.path) for row in site().rows}


@pytest.mark.parametrize(("method", "path"), paths(REQUIRED))
def test_what_clients_need_is_there(method: str, path: str) -> None:
    assert (method, path) in ROWS


async def test_what_is_not_there_says_why() -> None:
    async with Pit() as pit:
        for method, path in paths(ELSEWHERE):
            reply = await ask(pit.application, method, path)
            why = next(
                one.why
                for one in site().not_emulated
                if one.method in ("*", method) and fnmatchcase(path, one.path)
            )
            assert reply.status == 404
            assert (reply.json["retCode"], reply.json["retMsg"]) == (
                10017,
                f"Route not found. Not emulated: {method} {path}: {why}",
            )
