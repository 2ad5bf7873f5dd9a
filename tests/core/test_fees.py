"""Fees: maker and taker, in the asset received or in quote, or less of it in a discount asset."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.fees import FeeRules
from emulator.core.instruments import FeeAssetRule, Instrument, Side
from emulator.core.orders import Order
from tests.core.futures import BTC, BTC_COIN
from tests.core.sameness import assert_same
from tests.core.world import World, deep, instrument, limit, market, perpetual, plain, still

BUY, SELL = Side.BUY, Side.SELL
RATES = {"maker_fee": "0.001", "taker_fee": "0.002"}
BNB = FeeRules(discount_asset="BNB")


def charged(world: World, order: Order) -> list[tuple[str, str]]:
    return [(plain(fill.fee), fill.fee_asset) for fill in world.engine.views.fills_of[order.id]]


def paying_with_bnb(amount: str, *instruments: Instrument, price: str = "250") -> World:
    """Alice pays fees in BNB and has this much of it; BNB is at a fixed price."""
    listed = instruments or (
        instrument(**RATES),
        instrument(symbol="BNBUSDT", base="BNB", quantity_step="0.001", **RATES),
    )
    world = World(still(price, depth=10), *listed, fees=BNB)
    world.alice = world.open("payer", BNB=amount)
    world.does(c.SetFeePayment(account=world.alice, discounted=True))
    return world


def test_taker_and_maker_pay_from_what_they_receive() -> None:
    world = World(None, instrument(**RATES))
    maker = world.sell(world.bob, "2", "50")
    taker = world.buy(world.alice, "1", "50")
    assert charged(world, taker) == [("0.002", "BTC")]
    assert charged(world, maker) == [("0.05", "USDT")]
    assert world.free(world.alice, "BTC") == Decimal("1000000.998")
    assert world.free(world.bob, "USDT") == Decimal("1000049.95")


def test_fees_are_rounded_down_to_the_ledgers_step() -> None:
    world = World(None, instrument(taker_fee="0.000000333", maker_fee="0"))
    world.sell(world.bob, "1", "1")
    taker = world.buy(world.alice, "1", "1")
    assert charged(world, taker) == [("0.00000033", "BTC")]


def test_fees_of_everything_received() -> None:
    """The whole of the proceeds may be sold again, less the fee; nothing is overdrawn."""
    world = World(None, instrument(**RATES), funds="1000")
    poor = world.open("poor", BTC="0", USDT="50")
    world.sell(world.bob, "1", "50")
    world.buy(poor, "1", "50")
    assert (plain(world.free(poor, "BTC")), plain(world.free(poor, "USDT"))) == ("0.998", "0")


# Charged in quote


def in_quote(**terms: Any) -> Instrument:
    return instrument(fee_asset_rule=FeeAssetRule.QUOTE, **(RATES | terms))


def test_in_quote_a_buy_holds_the_fee_too() -> None:
    world = World(None, in_quote())
    order = world.buy(world.alice, "1", "50")
    assert world.held(world.alice, "USDT") == Decimal("50.1")
    world.sell(world.bob, "1", "50")
    assert charged(world, order) == [("0.05", "USDT")]
    assert world.free(world.alice, "USDT") == Decimal("999949.95")
    assert not world.held(world.alice, "USDT")
    assert world.free(world.alice, "BTC") == 1_000_001


def test_in_quote_a_buy_without_money_for_the_fee_is_refused() -> None:
    world = World(deep(), in_quote(), funds="100")
    needed = Decimal("100.2")
    for terms in (limit(BUY, "1", "100"), market(BUY, "1")):
        said = world.refuses(world.placing(world.alice, terms))
        assert said == r.InsufficientBalance(asset="USDT", needed=needed, available=Decimal(100))


def test_in_quote_a_budget_includes_the_fee() -> None:
    world = World(deep(), in_quote(), funds="100")
    order = world.place(world.alice, market(BUY, budget="100"))
    assert order.executed == Decimal("0.998")
    assert charged(world, order) == [("0.1996", "USDT")]
    assert world.free(world.alice, "USDT") == Decimal("0.0004")


def test_a_hold_may_include_the_fee_though_it_is_taken_from_proceeds() -> None:
    world = World(None, instrument(hold_includes_fee=True, **RATES))
    order = world.buy(world.alice, "1", "50")
    assert world.held(world.alice, "USDT") == Decimal("50.1")
    world.sell(world.bob, "1", "50")
    assert charged(world, order) == [("0.001", "BTC")]
    assert world.free(world.alice, "USDT") == 999_950


def test_an_order_knows_what_its_trades_have_cost_by_now() -> None:
    """0.1 % of 50 and of 100 for the maker, 0.2 % of what each taker gets."""
    world = World(None, instrument(**RATES))
    maker = world.sell(world.bob, "4", "50")
    first = world.buy(world.alice, "1", "50")
    assert (maker.fees, first.fees) == ((("USDT", Decimal("0.05")),), (("BTC", Decimal("0.002")),))
    world.buy(world.alice, "2", "50")
    assert maker.fees == (("USDT", Decimal("0.15")),)
    assert_same(world.engine, world.replayed())


# In the discount asset


@pytest.mark.parametrize(
    ("side", "is_maker", "fee"),
    [
        (BUY, False, "0.0015"),  # 250 * 0.002 * 0.75 / 250
        (SELL, False, "0.001494"),  # 249 * 0.002 * 0.75 / 250
        (BUY, True, "0.000744"),  # 248 * 0.001 * 0.75 / 250
    ],
)
def test_converted_at_the_last_price(side: Side, is_maker: bool, fee: str) -> None:
    world = paying_with_bnb("1")
    if is_maker:
        order = world.buy(world.alice, "1", "248")
        world.sell(world.bob, "3", "248")
    else:
        order = world.place(world.alice, market(side, "1"))
    assert charged(world, order) == [(fee, "BNB")]
    assert world.free(world.alice, "BNB") == 1 - Decimal(fee)


def test_the_document_s_discount() -> None:
    """commission_faq.md: 0.01049475 USDT at 1 BNB = 260 USDT, less the discount; ours keeps 8 places."""
    listed = (
        instrument(maker_fee="0", taker_fee="0.0000006", quantity_step="0.00001"),
        instrument(symbol="BNBUSDT", base="BNB"),
    )
    world = World(still("260"), *listed, fees=FeeRules(discount_asset="BNB", discount=Decimal("0.25")))
    world.does(c.SetFeePayment(account=world.alice, discounted=True))
    world.buy(world.bob, "0.49975", "35000")
    order = world.place(world.alice, market(SELL, "0.49975"))
    assert charged(world, order) == [("0.00001009", "BNB")]


@pytest.mark.parametrize(
    ("amount", "fees"),
    [
        ("0.0015", [("0.0015", "BNB")]),
        ("0.00149999", [("0.002", "BTC")]),
        ("0", [("0.002", "BTC")]),
    ],
)
def test_not_enough_of_it_means_the_whole_fee_in_the_usual_asset(
    amount: str, fees: list[tuple[str, str]]
) -> None:
    world = paying_with_bnb(amount)
    order = world.place(world.alice, market(BUY, "1"))
    assert charged(world, order) == fees


def test_it_may_run_out_during_one_order() -> None:
    world = paying_with_bnb("0.0020")
    order = world.place(world.alice, market(BUY, "2"))
    assert charged(world, order) == [("0.0015", "BNB"), ("0.002", "BTC")]


def test_what_is_held_does_not_pay_fees() -> None:
    world = paying_with_bnb("0.5")
    world.symbol = "BNBUSDT"
    world.sell(world.alice, "0.5", "300")
    world.symbol = "BTCUSDT"
    order = world.place(world.alice, market(BUY, "1"))
    assert charged(world, order) == [("0.002", "BTC")]


@pytest.mark.parametrize(
    ("side", "fee"),
    [(BUY, ("0.0015", "BNB")), (SELL, ("0.498", "USDT"))],
)
def test_trading_the_discount_asset_itself(side: Side, fee: tuple[str, str]) -> None:
    """A buyer has one and pays from that; a seller of all of it has none left to pay with."""
    world = paying_with_bnb("1")
    world.symbol = "BNBUSDT"
    order = world.place(world.alice, market(side, "1"))
    assert charged(world, order) == [fee]
    assert world.free(world.alice, "BNB") >= 0


def test_a_seller_of_less_than_all_pays_from_the_rest() -> None:
    world = paying_with_bnb("1")
    world.symbol = "BNBUSDT"
    order = world.place(world.alice, market(SELL, "0.5"))
    assert charged(world, order) == [("0.00075", "BNB")]


@pytest.mark.parametrize("terms", [market(BUY, "1"), market(BUY, budget="250"), limit(BUY, "1", "250")])
@pytest.mark.parametrize(("spare", "fee"), [("0", ("0.002", "ETH")), ("0.375", ("0.375", "BNB"))])
def test_buying_with_the_discount_asset_comes_before_its_fees(
    terms: Any, spare: str, fee: tuple[str, str]
) -> None:
    """ETH costs all the BNB there is: then the fee is in ETH; never is the wallet overdrawn."""
    listed = instrument(symbol="ETHBNB", base="ETH", quote="BNB", settle="BNB", **RATES)
    world = paying_with_bnb(str(250 + Decimal(spare)), listed)
    order = world.place(world.alice, terms)
    assert charged(world, order) == [fee]
    assert plain(world.free(world.alice, "BNB")) == "0"


def test_without_a_price_to_convert_at_the_usual_asset_is_charged() -> None:
    world = paying_with_bnb("1", instrument(**RATES), instrument(symbol="BNBEUR", base="BNB", quote="EUR"))
    order = world.place(world.alice, market(BUY, "1"))
    assert charged(world, order) == [("0.002", "BTC")]


def test_the_inverse_price_converts_too() -> None:
    listed = (instrument(**RATES), instrument(symbol="USDTBNB", base="USDT", quote="BNB"))
    world = paying_with_bnb("1000", *listed)
    order = world.place(world.alice, market(BUY, "1"))
    assert charged(world, order) == [("93.75", "BNB")]  # 250 * 0.002 * 0.75 * 250


def test_switched_off_again() -> None:
    world = paying_with_bnb("1")
    world.does(c.SetFeePayment(account=world.alice, discounted=False))
    order = world.place(world.alice, market(BUY, "1"))
    assert charged(world, order) == [("0.002", "BTC")]
    assert world.does(c.SetFeePayment(account=world.alice, discounted=False)) == ()
    assert world.refuses(c.SetFeePayment(account=77, discounted=False)) == r.UnknownAccount(account=77)


def test_each_wallet_has_its_own_choice() -> None:
    """Of a contract a tenth less is paid: 250 * 0.002 * 0.9 / 250 BNB."""
    world = World(
        still("250", depth=10),
        instrument(**RATES),
        instrument(symbol="BNBUSDT", base="BNB", quantity_step="0.001", **RATES),
        perpetual(BTC, **RATES),
        perpetual(BTC_COIN, **RATES),
        fees=FeeRules(discount_asset="BNB", discounts={"usdm": Decimal("0.9")}),
    )
    for wallet in ("spot", "usdm", "coinm"):
        world.deposit(world.alice, "BNB", "10", wallet)
    choice = c.SetFeePayment(account=world.alice, discounted=True, wallet="usdm")
    world.does(choice)
    assert world.does(choice) == ()
    assert world.refuses(msgspec.structs.replace(choice, wallet="nowhere")) == r.UnknownWallet(
        wallet="nowhere"
    )
    assert charged(world, world.buy(world.alice, "1", "260"))[0][1] == "BTC"
    world.symbol = "BTCUSDT_PERP"
    assert charged(world, world.buy(world.alice, "1", "250")) == [("0.0018", "BNB")]
    world.does(c.SetFeePayment(account=world.alice, discounted=True))
    world.symbol = "BTCUSD_PERP"
    assert charged(world, world.buy(world.alice, "1", "250"))[0][1] == "BTC"
    world.does(msgspec.structs.replace(choice, discounted=False))
    assert world.engine.state.accounts[world.alice].discounted == {"spot", "funding", "coinm"}
    assert_same(world.engine, world.replayed())
