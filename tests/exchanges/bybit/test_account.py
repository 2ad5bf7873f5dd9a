"""What an account is and chooses, over the wire: margin mode, collateral, debts, spot margin, protection.

Figures are reckoned by hand: 1,000,000 USDT count as they are, 10 BTC at 100,000 dollars for 98 %, further
ones for less. Of USDT 3,000,000 can be borrowed at 0.00066 % an hour, of BTC 30 at 0.000147 %; what is owed
needs a tenth of it as initial margin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from emulator.core.commands import Deposit, Withdraw
from emulator.exchanges.bybit.account import protection
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import NOW_MS, SECOND_US
from tests.exchanges.bybit.treasury import INVERSE, LINEAR, Treasury

pytestmark = pytest.mark.anyio

INFO = "/v5/account/info"
MODE = "/v5/account/set-margin-mode"
COLLATERAL = "/v5/account/collateral-info"
SWITCH = "/v5/account/set-collateral-switch"
STATE = "/v5/spot-margin-trade/state"

CHARGED_MS = 1_790_003_100_000
"""2026-09-21 15:05 UTC."""


@pytest.fixture
async def pit() -> AsyncIterator[Treasury]:
    async with Treasury() as pit:
        yield pit


# What it is


async def test_an_account_is_a_unified_one_under_cross_margin(pit: Treasury) -> None:
    told = await pit.get(INFO)
    assert told.pop("updatedTime") == str(NOW_MS)
    assert told == {
        "marginMode": "REGULAR_MARGIN",
        # UTA 2.0 Pro (enum, unifiedmarginstatus).
        "unifiedMarginStatus": 6,
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }
    assert await pit.post("/v5/account/upgrade-to-uta") == {
        "unifiedUpdateStatus": "SUCCESS",
        "unifiedUpdateMsg": None,
    }
    assert await pit.get("/v5/account/smp-group") == {"smpGroup": 0}


async def test_what_is_chosen_without_consequence_for_margins(pit: Treasury) -> None:
    await pit.post("/v5/account/set-hedging-mode", {"setHedgingMode": "ON"})
    assert (await pit.get(INFO))["spotHedgingStatus"] == "ON"
    assert (await pit.get(INFO, who="bob"))["spotHedgingStatus"] == "OFF"
    config = "/v5/account/user-setting-config"
    told = await pit.get(config)
    # The defaults of get-user-setting-config.mdx.
    assert (told["lpaSpot"], told["lpaPerp"]) == (False, False)
    await pit.post("/v5/account/set-limit-px-action", {"category": "inverse", "modifyEnable": False})
    await pit.post("/v5/account/set-limit-px-action", {"category": "spot", "modifyEnable": True})
    told = await pit.get(config)
    assert (told["lpaSpot"], told["lpaPerp"]) == (True, True)


async def test_coins_that_are_asked_for_are_told_of_even_without_any(pit: Treasury) -> None:
    assert [one["coin"] for one in (await pit.wallet())["coin"]] == ["USDT", "BTC"]
    (one,) = (await pit.wallet(coin="ETH"))["coin"]
    numbers = {
        name: one[name] for name in one if name not in ("coin", "marginCollateral", "collateralSwitch")
    }
    empty = {"availableToWithdraw", "availableToBorrow"}
    # hummingbot reads every figure as a decimal.
    assert {numbers[name] for name in numbers if name not in empty} == {"0"}
    assert {numbers[name] for name in empty} == {""}
    sent = {"accountType": "UNIFIED", "coin": "NONE"}
    assert (await pit.no("GET", "/v5/account/wallet-balance", sent))[0] == 10001
    assert (await pit.no("GET", "/v5/account/wallet-balance", {"accountType": "CONTRACT"}))[0] == 10001
    assert (await pit.no("GET", "/v5/account/wallet-balance"))[0] == 10001


# Margin mode


async def test_margin_modes_are_of_all_contracts_at_once(pit: Treasury) -> None:
    for mode in ("ISOLATED_MARGIN", "PORTFOLIO_MARGIN", "REGULAR_MARGIN", "REGULAR_MARGIN"):
        assert await pit.margin_mode(mode) == {"reasons": []}
        assert (await pit.get(INFO))["marginMode"] == mode
    assert (await pit.no("POST", MODE, {"setMarginMode": "CROSS"}))[0] == 10001


async def test_an_open_position_gets_a_margin_of_its_own_and_gives_it_back(pit: Treasury) -> None:
    await pit.trade(LINEAR, "0.1")
    await pit.hold("BTC/USDT", "100010")
    await pit.margin_mode("ISOLATED_MARGIN")
    # 10001 / 10, and 10001 * 9 / 10 * 0.00055
    assert (await pit.position())["positionBalance"] == "1005.050495"
    await pit.margin_mode("REGULAR_MARGIN")
    wallet = await pit.wallet()
    assert wallet["accountIMRate"] != ""
    assert (await pit.coin("USDT"))["walletBalance"] == "999994.49945"


async def test_a_batch_of_switches_is_all_or_none(pit: Treasury) -> None:
    """A position in bitcoin's inverse contract keeps it from being switched off, and so ether beside it."""
    path = f"{SWITCH}-batch"
    sent = [{"coin": "ETH", "collateralSwitch": "OFF"}, {"coin": "SOL", "collateralSwitch": "ON"}]
    assert (await pit.post(path, {"request": sent}))["list"] == sent
    await pit.trade("inverse:BTCUSD", "100")
    mixed = [{"coin": "ETH", "collateralSwitch": "ON"}, {"coin": "BTC", "collateralSwitch": "OFF"}]
    await pit.no("POST", path, {"request": mixed})
    told = {one["currency"]: one["collateralSwitch"] for one in (await pit.get(COLLATERAL))["list"]}
    assert (told["ETH"], told["BTC"], told["SOL"]) == (False, True, True)


async def test_a_mode_that_cannot_be_is_refused_with_its_reasons(pit: Treasury) -> None:
    await pit.post("/v5/account/borrow", {"coin": "ETH", "amount": "1"})
    reply = await pit.ask("POST", MODE, {"setMarginMode": "ISOLATED_MARGIN"})
    body = reply.json
    assert (body["retCode"], body["retMsg"]) == (3400045, "Set margin mode failed")
    (reason,) = body["result"]["reasons"]
    assert set(reason) == {"reasonCode", "reasonMsg"}
    assert (await pit.get(INFO))["marginMode"] == "REGULAR_MARGIN"


# Collateral


async def test_collateral_is_told_by_coin(pit: Treasury) -> None:
    (bitcoin,) = (await pit.get(COLLATERAL, {"currency": "BTC"}))["list"]
    assert bitcoin == {
        "currency": "BTC",
        "hourlyBorrowRate": "0.00000147",
        "maxBorrowingAmount": "30",
        "freeBorrowingLimit": "0",
        "freeBorrowAmount": "0",
        "borrowAmount": "0",
        "otherBorrowAmount": "0",
        "availableToBorrow": "30",
        "borrowable": True,
        "borrowUsageRate": "0",
        "marginCollateral": True,
        "collateralSwitch": True,
        "collateralRatio": "0.98",
        "freeBorrowingAmount": "",
    }
    listed = [one["currency"] for one in (await pit.get(COLLATERAL))["list"]]
    assert {"USDT", "USDC", "BTC", "ETH"} <= set(listed) <= set(assets())
    assert (await pit.no("GET", COLLATERAL, {"currency": "NONE"}))[0] == 10001


async def test_every_coin_has_a_worth(pit: Treasury) -> None:
    """A million PEPE are a thousand at the index of 1000PEPEUSDT, so 20 dollars, and count for seven tenths
    of that; of SHIB alike by SHIB1000USDT."""
    listed = [one["currency"] for one in (await pit.get(COLLATERAL))["list"]]
    assert set(listed) == set(assets())
    await pit.hold("1000PEPE/USDT", "0.02")
    await pit.hold("SHIB1000/USDT", "0.03")
    before = Decimal((await pit.wallet("bob"))["totalAvailableBalance"])
    bob = pit.sandbox.accounts["bob"]
    for coin in ("PEPE", "SHIB"):
        await pit.do(Deposit(account=bob, wallet=UNIFIED, asset=coin, amount=Decimal(1_000_000)))
    assert (await pit.coin("PEPE", "bob"))["usdValue"] == "20"
    assert (await pit.coin("SHIB", "bob"))["usdValue"] == "30"
    after = Decimal((await pit.wallet("bob"))["totalAvailableBalance"])
    assert after - before == Decimal("35")


async def test_the_more_there_is_of_a_coin_the_less_it_counts_for(pit: Treasury) -> None:
    """The table of "Understanding Collateral Value Ratios in Unified Trading Account" (help centre)."""
    (bitcoin,) = (await pit.get("/v5/spot-margin-trade/collateral", {"currency": "BTC"}))["list"]
    assert bitcoin["currency"] == "BTC"
    assert [tuple(one.values()) for one in bitcoin["collateralRatioList"]] == [
        ("0", "10", "0.98"),
        ("10", "20", "0.95"),
        ("20", "30", "0.9"),
        ("30", "40", "0.85"),
        ("40", "50", "0.8"),
        ("50", "", "0"),
    ]
    assert list(bitcoin["collateralRatioList"][0]) == ["minQty", "maxQty", "collateralRatio"]
    (tether,) = (await pit.get("/v5/spot-margin-trade/collateral", {"currency": "USDT"}))["list"]
    assert tether["collateralRatioList"] == [{"minQty": "0", "maxQty": "", "collateralRatio": "1"}]
    listed = (await pit.get("/v5/spot-margin-trade/collateral"))["list"]
    assert {one["currency"] for one in listed} == set(assets())
    bob = pit.sandbox.accounts["bob"]
    # 10 * 0.98 + 5 * 0.95 at 100000, and then 10 * (0.98 + 0.95 + 0.9 + 0.85 + 0.8)
    for more, counted in (("5", "1455000"), ("45", "4480000")):
        await pit.do(Deposit(account=bob, wallet=UNIFIED, asset="BTC", amount=Decimal(more)))
        assert (await pit.wallet("bob"))["totalAvailableBalance"] == str(1_000_000 + int(counted))
    # What counts for nothing leaves without a loss: all of it is transferable.
    assert (await pit.wallet("bob"))["totalEquity"] == "7000000"


async def test_what_is_lent_of_a_coin_and_what_is_owed_of_it(pit: Treasury) -> None:
    """Of 1980000 dollars that are there 2 BTC need a tenth; a third one was borrowed and spent."""
    path = "/v5/spot-margin-trade"
    asked = {"currency": "BTC"}
    # 1980000 cover a tenth of 198 BTC, but no more than 30 are lent.
    assert await pit.get(f"{path}/max-borrowable", asked) == {"maxLoan": "30", "currency": "BTC"}
    await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"})
    assert (await pit.get(f"{path}/max-borrowable", asked))["maxLoan"] == "28"
    assert await pit.get(f"{path}/repayment-available-amount", asked) == {
        "lossLessRepaymentAmount": "2",
        "currency": "BTC",
    }
    assert await pit.get(f"{path}/liability", asked) == {
        "currency": "BTC",
        "totalBorrowAmount": "2",
        "fixedBorrowAmount": "0",
        "flexibleBorrowAmount": "2",
        "spotTotalBorrow": "2",
        "derivativesBorrow": "0",
    }
    (tiers,) = (await pit.get(f"{path}/position-tiers", asked))["list"]
    assert tiers["positionTiersRatioList"] == [
        {"tier": "1", "borrowLimit": "30", "positionMMR": "0.04", "positionIMR": "0.1", "maxLeverage": "10"}
    ]
    assert (await pit.get(f"{path}/coinstate", asked))["list"] == [{"currency": "BTC", "spotLeverage": ""}]
    await pit.post(f"{path}/switch-mode", {"spotMarginMode": "1"})
    await pit.post(f"{path}/set-leverage", {"leverage": "4"})
    assert (await pit.get(f"{path}/coinstate", asked))["list"] == [{"currency": "BTC", "spotLeverage": "4"}]
    (rules,) = (await pit.get(f"{path}/currency-data", asked))["list"]
    assert (rules["flexibleManualBorrowable"], rules["fixedManualBorrowable"]) == (True, False)
    assert (rules["minFlexibleManualBorrowQty"], rules["flexibleManualBorrowAccuracy"]) == ("0.00000001", "8")
    for row in ("collateral", "liability", "max-borrowable", "position-tiers", "coinstate", "currency-data"):
        assert (await pit.no("GET", f"{path}/{row}", {"currency": "NONE"}))[0] == 10001


async def test_losses_that_are_not_realised_are_of_contracts(pit: Treasury) -> None:
    """Of 100 USDT less is there than long 0.1 from 100010 has lost at 80010."""
    asked = {"currency": "USDT"}
    alice = pit.sandbox.accounts["alice"]
    await pit.do(
        Withdraw(account=alice, wallet=UNIFIED, asset="USDT", amount=Decimal(999_900), fee=Decimal(0))
    )
    await pit.trade(LINEAR, "0.1")
    # 100 less the fee of 10001 * 0.00055, and 0.1 * (100010 - 80010) are lost.
    await pit.hold("BTC/USDT", "80010")
    told = await pit.get("/v5/spot-margin-trade/liability", asked)
    assert told["totalBorrowAmount"] == told["derivativesBorrow"] == "1905.50055"
    assert told["spotTotalBorrow"] == "0"


async def test_a_coin_that_is_switched_off_counts_for_nothing(pit: Treasury) -> None:
    assert (await pit.wallet())["totalAvailableBalance"] == "1980000"
    assert await pit.post(SWITCH, {"coin": "BTC", "collateralSwitch": "OFF"}) == {}
    wallet = await pit.wallet()
    assert (wallet["totalAvailableBalance"], wallet["totalEquity"]) == ("1000000", "2000000")
    assert (await pit.coin("BTC"))["collateralSwitch"] is False
    # What is so already is a success.
    assert await pit.post(SWITCH, {"coin": "BTC", "collateralSwitch": "OFF"}) == {}
    await pit.post(SWITCH, {"coin": "BTC", "collateralSwitch": "ON"})
    assert (await pit.wallet())["totalAvailableBalance"] == "1980000"


async def test_what_cannot_be_switched(pit: Treasury) -> None:
    assert (await pit.no("POST", SWITCH, {"coin": "USDT", "collateralSwitch": "OFF"}))[0] == 182111
    assert (await pit.no("POST", SWITCH, {"coin": "NONE", "collateralSwitch": "OFF"}))[0] == 110050
    assert (await pit.no("POST", SWITCH, {"coin": "BTC", "collateralSwitch": "off"}))[0] == 10001
    await pit.trade(INVERSE, "1000")
    # Positions settle in it.
    assert (await pit.no("POST", SWITCH, {"coin": "BTC", "collateralSwitch": "OFF"}))[0] == 182108


async def test_several_coins_are_switched_at_once(pit: Treasury) -> None:
    batch = f"{SWITCH}-batch"
    request = [{"coin": "BTC", "collateralSwitch": "OFF"}, {"coin": "ETH", "collateralSwitch": "ON"}]
    assert (await pit.post(batch, {"request": request}))["list"] == request
    (bitcoin,) = (await pit.get(COLLATERAL, {"currency": "BTC"}))["list"]
    assert bitcoin["collateralSwitch"] is False
    twice = [{"coin": "BTC", "collateralSwitch": "ON"}, {"coin": "BTC", "collateralSwitch": "OFF"}]
    assert (await pit.no("POST", batch, {"request": twice}))[0] == 182112
    assert (await pit.no("POST", batch, {"request": []}))[0] == 10001
    assert (await pit.no("POST", batch, {"request": [{"coin": "BTC"}]}))[0] == 10001


# Debts


async def test_what_is_borrowed_is_there_and_owed(pit: Treasury) -> None:
    assert await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"}) == {
        "coin": "BTC",
        "amount": "2",
    }
    coin = await pit.coin("BTC")
    assert (coin["walletBalance"], coin["equity"]) == ("12", "10")
    assert (coin["borrowAmount"], coin["spotBorrow"], coin["accruedInterest"]) == ("2", "2", "0")
    wallet = await pit.wallet()
    # A tenth of 200,000 as initial margin, a twenty-fifth as maintenance margin.
    assert (wallet["totalInitialMargin"], wallet["totalMaintenanceMargin"]) == ("20000", "8000")
    (told,) = (await pit.get(COLLATERAL, {"currency": "BTC"}))["list"]
    assert (told["borrowAmount"], told["availableToBorrow"]) == ("2", "28")
    # 2 / 30, cut off
    assert told["borrowUsageRate"] == "0.0666"


async def test_an_hour_of_a_debt_costs_interest(pit: Treasury) -> None:
    await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"})
    # 14:15 until after 15:05, when it is charged.
    await pit.step(51 * 60 * SECOND_US)
    # 2 * 0.00000147
    assert (await pit.coin("BTC"))["accruedInterest"] == "0.00000294"
    (told,) = (await pit.get("/v5/account/borrow-history"))["list"]
    assert told == {
        "currency": "BTC",
        # 15:05, as its page says of all that is owed then.
        "createdTime": CHARGED_MS,
        "borrowCost": "0.00000294",
        "hourlyBorrowRate": "0.00000147",
        "InterestBearingBorrowSize": "2",
        "costExemption": "0",
        "borrowAmount": "2",
        "unrealisedLoss": "",
        "freeBorrowedAmount": "0",
    }
    log = {"currency": "BTC", "type": "INTEREST"}
    assert (await pit.get("/v5/account/transaction-log", log))["list"] == []
    assert await pit.post("/v5/account/no-convert-repay", {"coin": "BTC"}) == {"resultStatus": "SU"}
    coin = await pit.coin("BTC")
    assert (coin["walletBalance"], coin["borrowAmount"], coin["accruedInterest"]) == ("9.99999706", "0", "0")
    (paid,) = (await pit.get("/v5/account/transaction-log", log))["list"]
    # Interest comes first, and then the two that were borrowed.
    assert (paid["change"], paid["cashBalance"]) == ("-0.00000294", "11.99999706")
    assert len((await pit.get("/v5/account/borrow-history"))["list"]) == 1


async def test_what_was_charged_is_paged(pit: Treasury) -> None:
    path = "/v5/account/borrow-history"
    await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"})
    await pit.post("/v5/account/borrow", {"coin": "ETH", "amount": "10"})
    await pit.step(171 * 60 * SECOND_US)
    first = await pit.get(path, {"limit": 4})
    second = await pit.get(path, {"limit": 4, "cursor": first["nextPageCursor"]})
    times = [one["createdTime"] for one in (*first["list"], *second["list"])]
    assert times == sorted(times, reverse=True)
    assert (len(first["list"]), len(second["list"]), second["nextPageCursor"]) == (4, 2, "")
    only = await pit.get(path, {"currency": "ETH"})
    assert [one["currency"] for one in only["list"]] == ["ETH"] * 3
    assert (await pit.no("GET", path, {"cursor": "x"}))[0] == 10001
    span = {"startTime": NOW_MS, "endTime": NOW_MS + 31 * 86_400_000}
    assert (await pit.no("GET", path, span))[0] == 10001


async def test_what_may_be_traded_is_what_the_market_shows(pit: Treasury) -> None:
    path = "/v5/account/instruments-info"
    for category in ("linear", "inverse", "spot"):
        sent = {"category": category, "symbol": "BTCUSD" if category == "inverse" else "BTCUSDT"}
        (own,) = (await pit.get(path, sent))["list"]
        (shown,) = (await pit.get("/v5/market/instruments-info", sent))["list"]
        assert own == {**shown, "isPublicRpi": False, "myRpiPermission": False}
    page = await pit.get(path, {"category": "linear", "limit": 3})
    following = await pit.get(path, {"category": "linear", "limit": 3, "cursor": page["nextPageCursor"]})
    assert len({one["symbol"] for one in (*page["list"], *following["list"])}) == 6
    assert (await pit.no("GET", path, {"category": "option"}))[0] == 10001
    assert (await pit.no("GET", path, {"category": "linear", "symbol": "NONE"}))[0] == 10001


async def test_a_part_is_given_back(pit: Treasury) -> None:
    await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"})
    await pit.post("/v5/account/no-convert-repay", {"coin": "BTC", "amount": "0.5"})
    coin = await pit.coin("BTC")
    assert (coin["walletBalance"], coin["borrowAmount"]) == ("11.5", "1.5")
    await pit.post("/v5/account/repay", {"repaymentType": "ALL"})
    assert (await pit.coin("BTC"))["borrowAmount"] == "0"


async def test_a_debt_that_was_spent_is_bought_for_other_coins(pit: Treasury) -> None:
    await pit.post("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    await pit.book("spot:USDCUSDT", [("1", "5000")], [("1.0001", "5000")])
    # For 1000 USDT, less a fee of 0.1 %.
    selling = {"category": "spot", "symbol": "USDCUSDT", "side": "Sell", "orderType": "Market", "qty": "1000"}
    await pit.post("/v5/order/create", {**selling, "isLeverage": 1})
    moved = {
        "transferId": "42c0cfb0-6bca-c242-bc76-4e6df6cbab16",
        "coin": "USDT",
        "amount": "1000499",
        "fromAccountType": "UNIFIED",
        "toAccountType": "FUND",
    }
    await pit.post("/v5/asset/transfer/inter-transfer", moved)
    assert (await pit.coin("USDT"))["walletBalance"] == "500"
    assert (await pit.coin("USDC"))["equity"] == "-1000"
    assert (await pit.no("POST", "/v5/account/no-convert-repay", {"coin": "USDC"}))[0] == 34022049
    told = await pit.post("/v5/account/quick-repayment", {"coin": "USDC"})
    given = {one["coin"]: Decimal(one["repaymentQty"]) for one in told["list"]}
    # Dollars are sold first; for the other 500 bitcoin that counts for 98,000, upwards.
    assert given == {"USDT": 500, "BTC": Decimal("0.00510205")}
    assert (await pit.coin("USDC"))["equity"] == "0"
    assert (await pit.coin("USDT"))["walletBalance"] == "0"


async def test_what_was_borrowed_by_hand_is_left_by_a_quick_repayment(pit: Treasury) -> None:
    await pit.post("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    await pit.post("/v5/account/borrow", {"coin": "USDC", "amount": "400"})
    await pit.book("spot:USDCUSDT", [("1", "5000")], [("1.0001", "5000")])
    selling = {"category": "spot", "symbol": "USDCUSDT", "side": "Sell", "orderType": "Market", "qty": "1000"}
    await pit.post("/v5/order/create", {**selling, "isLeverage": 1})
    told = await pit.post("/v5/account/quick-repayment", {})
    assert told["list"] == [{"coin": "USDT", "repaymentQty": "600"}]
    assert (await pit.coin("USDC"))["borrowAmount"] == "400"
    # What is left was borrowed.
    assert (await pit.no("POST", "/v5/account/quick-repayment", {}))[0] == 182120


@pytest.mark.parametrize(
    ("path", "sent", "code"),
    [
        ("borrow", {"coin": "NONE", "amount": "1"}, 34022010),
        ("borrow", {"coin": "BTC", "amount": "31"}, 34022031),
        ("borrow", {"coin": "BTC", "amount": "0.000000001"}, 34022033),
        ("borrow", {"coin": "BTC"}, 10001),
        ("no-convert-repay", {"coin": "BTC"}, 34022041),
        ("no-convert-repay", {"coin": "NONE"}, 34022010),
        ("repay", {"coin": "BTC", "repaymentType": "FIXED"}, 34022041),
        ("repay", {}, 10001),
        ("repay", {"amount": "1", "repaymentType": "ALL"}, 10001),
        ("repay", {"repaymentType": "ALL"}, 34022041),
        ("quick-repayment", {}, 182102),
        ("quick-repayment", {"coin": "BTC"}, 182102),
    ],
)
async def test_loans_that_are_refused(pit: Treasury, path: str, sent: dict[str, Any], code: int) -> None:
    assert (await pit.no("POST", f"/v5/account/{path}", sent))[0] == code


# Spot margin


async def test_spot_margin_is_switched_on_with_a_leverage(pit: Treasury) -> None:
    off = {"spotLeverage": "", "spotMarginMode": "0", "effectiveLeverage": ""}
    assert await pit.get(STATE) == off
    sent = {"leverage": "4"}
    assert (await pit.no("POST", "/v5/spot-margin-trade/set-leverage", sent))[0] == 176038
    told = await pit.post("/v5/spot-margin-trade/switch-mode", {"spotMarginMode": "1"})
    assert told == {"spotMarginMode": "1"}
    await pit.post("/v5/spot-margin-trade/set-leverage", sent)
    assert (await pit.no("POST", "/v5/spot-margin-trade/set-leverage", {"leverage": "11"}))[0] == 176034
    assert (await pit.no("POST", "/v5/spot-margin-trade/set-leverage", {"leverage": "1"}))[0] == 176034
    # Of one coin there is no leverage of its own: nothing is done rather than another thing.
    one = {"leverage": "5", "currency": "BTC"}
    assert (await pit.no("POST", "/v5/spot-margin-trade/set-leverage", one))[0] == 10001
    assert await pit.get(STATE) == {"spotLeverage": "4", "spotMarginMode": "1", "effectiveLeverage": "1"}
    await pit.post("/v5/account/borrow", {"coin": "USDT", "amount": "1000000"})
    # 3,000,000 owned over 2,000,000 that are its own, cut off to two places.
    assert (await pit.get(STATE))["effectiveLeverage"] == "1.5"
    # What is owed needs a quarter now.
    assert (await pit.wallet())["totalInitialMargin"] == "250000"


async def test_spot_margin_is_not_for_isolated_margin(pit: Treasury) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    sent = {"spotMarginMode": "1"}
    assert (await pit.no("POST", "/v5/spot-margin-trade/switch-mode", sent))[0] == 182021


async def test_terms_of_loans_are_told_to_anybody(pit: Treasury) -> None:
    (level,) = (await pit.get("/v5/spot-margin-trade/data", {"currency": "BTC"}))["vipCoinList"]
    (bitcoin,) = level["list"]
    assert level["vipLevel"] == "No VIP"
    assert (bitcoin["hourlyBorrowRate"], bitcoin["maxBorrowingAmount"]) == ("0.00000147", "30")
    assert bitcoin["collateralRatio"] == "0.98"
    assert (await pit.get("/v5/spot-margin-trade/data", {"vipLevel": "VIP-1"}))["vipCoinList"] == []
    assert (await pit.no("GET", "/v5/spot-margin-trade/data", {"vipLevel": "VIP-9"}))[0] == 10001


# Demo funds


async def test_demo_funds_are_deposited_and_taken_back(pit: Treasury) -> None:
    path = "/v5/account/demo-apply-money"
    money = [{"coin": "USDT", "amountStr": "109"}, {"coin": "ETH", "amountStr": "1"}]
    assert await pit.post(path, {"adjustType": 0, "utaDemoApplyMoney": money}) == {}
    assert (await pit.coin("USDT"))["walletBalance"] == "1000109"
    assert (await pit.coin("ETH"))["walletBalance"] == "1"
    await pit.post(path, {"adjustType": 1, "utaDemoApplyMoney": money})
    assert (await pit.coin("USDT"))["walletBalance"] == "1000000"
    assert (await pit.no("POST", path, {"adjustType": 1, "utaDemoApplyMoney": money}))[0] == 110012
    too_much = [{"coin": "BTC", "amountStr": "15.1"}]
    assert (await pit.no("POST", path, {"utaDemoApplyMoney": too_much}))[0] == 10001
    assert (await pit.no("POST", path, {"utaDemoApplyMoney": [{"coin": "SOL", "amountStr": "1"}]}))[
        0
    ] == 10001
    assert (await pit.no("POST", path, {}))[0] == 10001


# Disconnection protection

WINDOW = "/v5/order/disconnected-cancel-all"
WINDOWS = "/v5/account/query-dcp-info"


async def open_orders(pit: Treasury, who: str = "alice") -> list[str]:
    state = pit.sandbox.engines["bybit"].state
    return [one.instrument for one in state.accounts[pit.sandbox.accounts[who]].open_orders.values()]


async def quotes(pit: Treasury) -> None:
    await pit.rest(LINEAR, "0.1", "99000")
    await pit.rest(INVERSE, "-100", "101000")
    await pit.rest("spot:BTCUSDT", "0.1", "99000")


async def test_windows_are_kept_by_product(pit: Treasury) -> None:
    assert await pit.get(WINDOWS) == {"dcpInfos": []}
    await pit.post(WINDOW, {"product": "DERIVATIVES", "timeWindow": 40})
    await pit.post(WINDOW, {"product": "SPOT", "timeWindow": 10})
    await pit.post(WINDOW, {"timeWindow": 3})
    told = (await pit.get(WINDOWS))["dcpInfos"]
    assert [(one["product"], one["timeWindow"]) for one in told] == [
        ("SPOT", "10"),
        ("DERIVATIVES", "40"),
        ("OPTIONS", "3"),
    ]
    for seconds in (2, 301):
        assert (await pit.no("POST", WINDOW, {"product": "SPOT", "timeWindow": seconds}))[0] == 10001


async def test_orders_of_the_product_end_when_nobody_comes_back(pit: Treasury) -> None:
    await pit.post(WINDOW, {"product": "DERIVATIVES", "timeWindow": 40})
    await quotes(pit)
    alice = pit.sandbox.accounts["alice"]
    for _ in range(2):
        protection.came(pit.sandbox, alice, "dcp.future")
    protection.went(pit.sandbox, alice, "dcp.future")
    await elapse(pit, 60)
    # One of two is still there.
    assert len(await open_orders(pit)) == 3
    protection.went(pit.sandbox, alice, "dcp.future")
    await elapse(pit, 39)
    assert len(await open_orders(pit)) == 3
    await elapse(pit, 2)
    assert await open_orders(pit) == ["spot:BTCUSDT"]


async def test_only_what_is_active_ends(pit: Treasury) -> None:
    """dcp.mdx: all active orders will be cancelled. What active means is told by other pages, where it is
    the opposite of conditional (`orderFilter` of open-order.mdx); that stops of positions stay is concluded
    from that, and said nowhere."""
    await pit.post(WINDOW, {"product": "DERIVATIVES", "timeWindow": 10})
    await pit.post(WINDOW, {"product": "SPOT", "timeWindow": 10})
    await pit.trade(LINEAR, "0.1")
    await pit.post(
        "/v5/position/trading-stop",
        {
            "category": "linear",
            "symbol": "BTCUSDT",
            "positionIdx": 0,
            "tpslMode": "Full",
            "stopLoss": "90000",
        },
    )
    conditional = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "95000"}
    linear = {**conditional, "category": "linear", "triggerPrice": "95500", "triggerDirection": 2}
    spot = {**conditional, "category": "spot", "triggerPrice": "95500", "orderFilter": "tpslOrder"}
    waiting = {await pit.place(linear), await pit.place(spot)}
    await quotes(pit)
    alice = pit.sandbox.accounts["alice"]
    for topic in ("dcp.future", "dcp.spot"):
        protection.came(pit.sandbox, alice, topic)
        protection.went(pit.sandbox, alice, topic)
    await elapse(pit, 12)
    listed = [
        one
        for category in ("linear", "inverse", "spot")
        for one in (await pit.get("/v5/order/realtime", {"category": category, "symbol": SYMBOLS[category]}))[
            "list"
        ]
    ]
    assert {one["orderStatus"] for one in listed} == {"Untriggered"}
    assert sorted(one["stopOrderType"] for one in listed) == ["Stop", "StopLoss", "tpslOrder"]
    assert waiting < {one["orderId"] for one in listed}


SYMBOLS = {"linear": "BTCUSDT", "inverse": "BTCUSD", "spot": "BTCUSDT"}


async def test_who_comes_back_in_time_keeps_the_orders(pit: Treasury) -> None:
    await pit.post(WINDOW, {"product": "DERIVATIVES", "timeWindow": 10})
    await quotes(pit)
    alice = pit.sandbox.accounts["alice"]
    protection.came(pit.sandbox, alice, "dcp.future")
    protection.went(pit.sandbox, alice, "dcp.future")
    await elapse(pit, 9)
    protection.came(pit.sandbox, alice, "dcp.future")
    await elapse(pit, 60)
    assert len(await open_orders(pit)) == 3


async def test_without_a_window_nothing_ends(pit: Treasury) -> None:
    await quotes(pit)
    alice = pit.sandbox.accounts["alice"]
    for topic in protection.TOPICS:
        protection.came(pit.sandbox, alice, topic)
        protection.went(pit.sandbox, alice, topic)
    await elapse(pit, 400)
    assert len(await open_orders(pit)) == 3


async def elapse(pit: Treasury, seconds: int) -> None:
    """Alarms ring a turn of the event loop after the clock was set."""
    await pit.step(seconds * SECOND_US)
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
