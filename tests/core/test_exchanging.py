"""One asset of a wallet of contracts for another, because the account wants it."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.ledger import MARKET
from emulator.core.numbers import exact
from tests.core.sameness import assert_same
from tests.core.test_trading_contracts import Pit
from tests.core.world import plain, still


def selling(pit: Pit, amount: str, **changes: Any) -> c.ExchangeAssets:
    """So many dollars for bitcoins, at 50,000."""
    values: dict[str, Any] = {
        "account": pit.alice,
        "wallet": "usdm",
        "sold": "USDT",
        "sold_amount": D(amount),
        "bought": "BTC",
        "bought_amount": D(amount) / 50_000,
        "reference": "quote-1",
    }
    return c.ExchangeAssets(**(values | changes))


def test_what_one_has_less_the_market_has_more() -> None:
    pit = Pit(feed=still("50000"), funds="20000")
    (event,) = pit.does(selling(pit, "5000"))
    assert isinstance(event, e.AssetExchanged)
    assert event.reference == "quote-1"
    assert [plain(pit.free(pit.alice, asset, "usdm")) for asset in ("USDT", "BTC")] == ["15000", "0.1"]
    market = pit.engine.state.ledger.counterparties[MARKET]
    assert (plain(market["USDT"]), plain(market["BTC"])) == ("5000", "-0.1")
    with exact():
        assert not pit.engine.audit()
    assert_same(pit.engine, pit.replayed())


def test_it_is_an_income_of_its_own_kind() -> None:
    pit = Pit(feed=still("50000"), funds="20000")
    pit.does(selling(pit, "5000"))
    found = pit.engine.views.select(Income, incomes_of(pit.alice, "usdm", kind=IncomeKind.CONVERSION))
    assert [(one.asset, plain(one.amount)) for one in found] == [("USDT", "-5000"), ("BTC", "0.1")]
    assert not pit.engine.views.select(Income, incomes_of(pit.alice, "usdm", kind=IncomeKind.EXCHANGE))


def test_what_positions_need_stays() -> None:
    """1 bitcoin at 50,000 and five times needs 10,000."""
    pit = Pit(feed=still("50000"), funds="20000")
    pit.does(pit.leverage("5"))
    pit.trade("1", "50000")
    free = pit.free(pit.alice, "USDT", "usdm") - 10_000
    refused = pit.do(selling(pit, str(free + D("0.01")))).rejection
    assert refused == r.InsufficientBalance(asset="USDT", needed=free + D("0.01"), available=free)
    pit.does(selling(pit, str(free)))


def test_what_cannot_be_is_refused() -> None:
    pit = Pit(feed=still("50000"), funds="20000")
    cases: tuple[tuple[dict[str, Any], type[r.Rejection]], ...] = (
        ({"account": 99}, r.UnknownAccount),
        ({"wallet": "spot"}, r.UnknownWallet),
        ({"wallet": "moon"}, r.UnknownWallet),
        ({"sold_amount": D(0)}, r.AmountInvalid),
        ({"bought_amount": D("0.000000001")}, r.AmountInvalid),
        ({"bought_amount": D(-1)}, r.AmountInvalid),
    )
    for changes, kind in cases:
        assert isinstance(pit.do(selling(pit, "5000", **changes)).rejection, kind), changes
