"""Assets of a wallet that stand together. Figures by docs/futures-maths.md (A5, L22) or by hand as shown."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.collateral import CollateralAsset, CollateralRate, CollateralTier
from emulator.core.history import Income, IncomeKind, incomes_of
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.core.positions import MarginMode
from emulator.core.rejections import Obstacle, Setting
from emulator.core.rules import MarginRules
from tests.core.futures import BTC, BTC_COIN, ETH
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.world import SECOND, SPOT, START, World, limit, perpetual, plain, still

D = Decimal
USDT = CollateralAsset(asset="USDT", index=D("0.99"), bid_buffer=D("0.01"), ask_buffer=D("0.005"))
USDC = CollateralAsset(asset="USDC")
COIN = CollateralAsset(asset="BTC", bid_buffer=D("0.05"), index_of="BTCUSDT_PERP")
MODE = Setting.COLLATERAL_MODE


class Together(World):
    """Two contracts in one wallet; carol's assets there stand together."""

    def __init__(self, *assets: CollateralAsset, feed: ScriptedFeed | None = None, **amounts: str) -> None:
        super().__init__(
            feed or still("50000"),
            perpetual(BTC),
            perpetual(ETH, symbol="ETHUSDT_PERP", base="ETH"),
            perpetual(BTC_COIN),
            margin=MarginRules(insurance={"USDT": D(1000)}, collateral={"usdm": assets or (USDT, USDC)}),
            funds="1000000",
        )
        self.carol = self.open("carol", USDT="0", BTC="0", ETH="0")
        for asset, amount in amounts.items():
            self.deposit(self.carol, asset, amount, "usdm")
        self.does(self.setting())

    def setting(self, *, shared: bool = True) -> c.SetCollateralMode:
        return c.SetCollateralMode(account=self.carol, wallet="usdm", shared=shared)

    def trade(self, quantity: str, price: str) -> None:
        """Carol buys from bob, or sells to him."""
        signed = D(quantity)
        make, take = (self.sell, self.buy) if signed > 0 else (self.buy, self.sell)
        make(self.bob, plain(abs(signed)), price)
        take(self.carol, plain(abs(signed)), price)

    def price_of(self, base: str, price: str) -> tuple[e.Event, ...]:
        return self.does(c.SetPrice(pair=f"{base}/USDT", price=D(price)))

    def has(self, asset: str) -> str:
        return plain(self.free(self.carol, asset, "usdm"))

    @property
    def positions(self) -> list[str]:
        return [symbol for symbol, _ in self.engine.state.accounts[self.carol].positions]


def blocked(obstacle: Obstacle, setting: Setting = MODE) -> r.SettingBlocked:
    return r.SettingBlocked(setting=setting, obstacle=obstacle)


# The mode


def test_a_choice_that_changes_nothing_or_cannot_be_made_is_refused() -> None:
    world = Together(USDT="200")
    assert world.refuses(world.setting()) == r.SettingUnchanged(setting=MODE)
    for wallet in ("coinm", SPOT, "nowhere"):
        elsewhere = c.SetCollateralMode(account=world.carol, wallet=wallet, shared=True)
        assert world.refuses(elsewhere) == r.UnknownWallet(wallet=wallet)
    world.does(world.setting(shared=False))
    assert world.refuses(world.setting(shared=False)) == r.SettingUnchanged(setting=MODE)


def test_nothing_isolated_goes_with_it() -> None:
    world = Together(USDT="200")
    isolated = c.SetMarginMode(account=world.carol, instrument=world.symbol, mode=MarginMode.ISOLATED)
    assert world.refuses(isolated) == blocked(Obstacle.SHARED, Setting.MARGIN_MODE)
    world.does(world.setting(shared=False))
    world.does(isolated)
    assert world.refuses(world.setting()) == blocked(Obstacle.ISOLATED)


def test_it_waits_until_there_is_no_order() -> None:
    world = Together(USDT="200")
    order = world.buy(world.carol, "0.01", "40000")
    assert world.refuses(world.setting(shared=False)) == blocked(Obstacle.ORDERS)
    world.cancel(order)
    world.does(world.setting(shared=False))


def test_what_each_does_not_cover_by_itself_must_not_be_there() -> None:
    """5000 / 20 = 250 of margin in USDT, of which there is none."""
    world = Together(USDC="1000")
    world.trade("0.1", "50000")
    assert world.refuses(world.setting(shared=False)) == blocked(Obstacle.MARGIN)
    world.trade("-0.1", "49000")
    assert world.has("USDT") == "-100"
    assert world.refuses(world.setting(shared=False)) == blocked(Obstacle.DEBT)
    world.deposit(world.carol, "USDT", "100", "usdm")
    world.does(world.setting(shared=False))


# What there is


def test_all_assets_cover_an_order() -> None:
    """A5: 200 USDT and 220 USDC are 416.02, and 418.1315644 USDT at the ask."""
    world = Together(USDT="200", USDC="220")
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.168", "50000")))
    assert refused == r.InsufficientMargin(asset="USDT", needed=D(420), available=D("418.1315644"))
    world.buy(world.carol, "0.167", "50000")
    # 417.5 * 0.99495 = 415.391625 of 416.02 are needed, so 0.628375 may leave.
    leaving = c.Transfer(account=world.carol, asset="USDC", amount=D(1), source="usdm", target=SPOT)
    assert world.refuses(leaving) == r.InsufficientBalance(
        asset="USDC", needed=D(1), available=D("0.62837500")
    )


def test_what_does_not_count_covers_nothing_and_may_leave() -> None:
    world = Together(BNB="100", USDT="1")
    refused = world.refuses(world.placing(world.carol, limit(Side.BUY, "0.01", "50000")))
    assert isinstance(refused, r.InsufficientMargin)
    world.does(c.Transfer(account=world.carol, asset="BNB", amount=D(100), source="usdm", target=SPOT))


# Liquidation


def test_another_asset_stands_for_the_loss() -> None:
    """L22: 1000 USD elsewhere and no USDT: long 0.1 at 50000 is kept down to 40109.7.

    At 39949.3 1005.07 USDT are owed, which are 999.9943965 at the ask; the fee of 1.25 % takes the rest:
    1000 / 0.99495 = 1005.07563194, down. Then all USDC are exchanged for all that is owed.
    """
    world = Together(USDC="1000")
    world.trade("0.1", "50000")
    world.price("40109.7")
    assert world.positions
    happened = world.price_of("BTC", "40109.6")
    assert not world.positions
    (begun,) = [event for event in happened if isinstance(event, e.LiquidationBegun)]
    assert (begun.asset, begun.instrument) == ("", "")
    with_taken = [event for event in happened if isinstance(event, e.PositionTakenOver)]
    assert [plain(event.price) for event in with_taken] == ["39949.3"]
    incomes = world.engine.views.select(Income, incomes_of(world.carol, "usdm"))
    assert [(one.kind.value, one.asset, plain(one.amount)) for one in incomes[1:]] == [
        ("realised", "USDT", "-1005.07"),
        ("liquidation_fee", "USDT", "-0.00563194"),
        ("exchange", "USDC", "-1000"),
        ("exchange", "USDT", "1005.07563194"),
    ]
    assert (world.has("USDC"), world.has("USDT")) == ("0", "0")


def test_the_price_of_what_stands_for_it_liquidates_too() -> None:
    """1 BTC counts for 95 %. Short 10 ETH at 4000 and now at 5000 loses 10000, and 200 must be kept, so BTC
    may fall to 10736.84..."""
    world = Together(CollateralAsset(asset="USDT"), COIN, BTC="1")
    world.price_of("ETH", "4000")
    world.symbol = "ETHUSDT_PERP"
    world.deposit(world.bob, "USDT", "1000000", "usdm")
    world.trade("-10", "4000")
    world.price_of("ETH", "5000")
    world.price_of("BTC", "10736.9")
    assert world.positions
    world.price_of("BTC", "10736.8")
    assert not world.positions
    assert_same(world.engine, world.replayed())


def test_its_index_is_watched_as_the_marks_are() -> None:
    """By the market itself, where both fall at once: at 5000 1 BTC counts for 4750, and long 0.1 lost 4500;
    at 4710 they are 4474.5 and 4529."""
    moments = [(START - SECOND, "50000"), (START + 10 * SECOND, "5000"), (START + 20 * SECOND, "4710")]
    world = Together(CollateralAsset(asset="USDT"), COIN, feed=ScriptedFeed(*moments), BTC="1")
    world.trade("0.1", "50000")
    happened = world.until(30)
    begun = [at_us for at_us, events in happened if isinstance(events[0], e.LiquidationBegun)]
    assert begun == [START + 20 * SECOND]


def test_an_index_may_be_of_many() -> None:
    """1000 at a thousandth of the index of bitcoin are as much as one bitcoin, and so are 500 beside half a
    bitcoin: as above, they may fall to 10736.84..."""
    small = msgspec.structs.replace(COIN, asset="ETH", index_part=D("0.001"))
    for small_ones, bitcoins in (("1000", "0"), ("500", "0.5")):
        world = Together(CollateralAsset(asset="USDT"), COIN, small, ETH=small_ones, BTC=bitcoins)
        world.price_of("ETH", "4000")
        world.symbol = "ETHUSDT_PERP"
        world.deposit(world.bob, "USDT", "1000000", "usdm")
        world.trade("-10", "4000")
        world.price_of("ETH", "5000")
        world.price_of("BTC", "10736.9")
        assert world.positions
        world.price_of("BTC", "10736.8")
        assert not world.positions


# Tiers


STEEP = msgspec.structs.replace(
    COIN,
    tiers=(
        CollateralTier(floor=D(1), bid_buffer=D("0.2")),
        CollateralTier(floor=D(2), bid_buffer=D(1)),
    ),
)


@pytest.mark.parametrize(
    ("owned", "counted"),
    [("0.5", "0.475"), ("1", "0.95"), ("1.5", "1.35"), ("2", "1.75"), ("9", "1.75"), ("-1", "-1")],
)
def test_what_is_beyond_a_tier_counts_less(owned: str, counted: str) -> None:
    """0.95 of the first, 0.8 of the second, and nothing of the rest."""
    rate = CollateralRate(index=D(50000), bid_buffer=D("0.05"), tiers=STEEP.tiers)
    with exact():
        assert rate.worth(D(owned)) == D(counted) * 50000
        # Whatever it counts for is the least of what its lines say.
        assert rate.worth(D(owned)) == min(start + rise * D(owned) for start, rise in rate.lines())


def test_what_counts_least_leaves_first() -> None:
    """3 BTC at 50000 count for 87500: the third leaves without a loss, half of the second for 20000."""
    rate = CollateralRate(index=D(50000), bid_buffer=D("0.05"), tiers=STEEP.tiers)
    step = D("0.0001")
    with exact():
        assert rate.spared(D(3), D(0), step) == 1
        assert rate.spared(D(3), D(20000), step) == D("1.5")
        assert rate.spared(D(3), D(40000 + 47500), step) == 3
        assert rate.spared(D("0.5"), D(4750), step) == D("0.1")
        assert rate.lost(D(3), D("1.5")) == 20000
        # 47500 need one, 20000 more half of the second; what is beyond 87500 counts at the index.
        assert [rate.needed(D(one), step) for one in (23750, 67500, 87500, 92500)] == [
            D("0.5"),
            D("1.5"),
            D(2),
            D("2.1"),
        ]
        unused = CollateralRate(index=D(50000), tiers=STEEP.tiers, is_used=False)
        assert (unused.worth(D(3)), unused.worth(D(-1))) == (D(0), D(-50000))


def test_tiers_are_what_positions_are_covered_by() -> None:
    """1.5 BTC count for 1.35 of its index. Short 10 ETH from 4000 and at 5000 loses 10000, and 200 must be
    kept: that is 10200 / 1.35 = 7555.55..."""
    world = Together(CollateralAsset(asset="USDT"), STEEP, BTC="1.5")
    world.price_of("ETH", "4000")
    world.symbol = "ETHUSDT_PERP"
    world.deposit(world.bob, "USDT", "1000000", "usdm")
    world.trade("-10", "4000")
    world.price_of("ETH", "5000")
    world.price_of("BTC", "7555.6")
    assert world.positions
    world.price_of("BTC", "7555.5")
    assert not world.positions
    assert_same(world.engine, world.replayed())


def test_the_market_finds_out_when_tiers_cover_no_more() -> None:
    """Short 10 ETH from 50000 beside 9 BTC that count for 1.75: at 60000 they are 105000, and cover a loss of
    100000 with the 2700 that must be kept; at 60500 they are 105875, and 105000 are lost."""
    moments = [(START - SECOND, "50000"), (START + 10 * SECOND, "60000"), (START + 20 * SECOND, "60500")]
    world = Together(CollateralAsset(asset="USDT"), STEEP, feed=ScriptedFeed(*moments), BTC="9")
    world.symbol = "ETHUSDT_PERP"
    world.deposit(world.bob, "USDT", "1000000", "usdm")
    world.trade("-10", "50000")
    happened = world.until(30)
    begun = [at_us for at_us, events in happened if isinstance(events[0], e.LiquidationBegun)]
    assert begun == [START + 20 * SECOND]


# Exchange


LENT = CollateralAsset(
    asset="USDT", bid_buffer=D("0.01"), ask_buffer=D("0.01"), exchanged=D("0.5"), owed_max=D(100)
)
HALVED = CollateralAsset(
    asset="BTC", bid_buffer=D("0.05"), index_of="BTCUSDT_PERP", exchanged=D("0.5"), owed_max=D("0.1")
)


def exchanges(world: Together) -> list[tuple[str, str]]:
    incomes = world.engine.views.select(Income, incomes_of(world.carol, "usdm", kind=IncomeKind.EXCHANGE))
    return [(one.asset, plain(one.amount)) for one in incomes]


def test_what_is_owed_beyond_a_bound_is_bought_for_a_share_of_all_others() -> None:
    """110 USDT at 1.005 cost 110.55 of 1 BTC at 48750 and 2000 USDC: 0.00217832 BTC (110.55 / 50750, down)
    are 105.66477611 USDT, and 4.33522389 * 1.005 = 4.35690001 USDC (up) are the rest."""
    world = Together(LENT, USDC, HALVED, BTC="1", USDC="2000")
    world.trade("0.1", "50000")
    world.trade("-0.1", "48900")
    assert world.has("USDT") == "-110"
    world.wait(SECOND)
    assert exchanges(world) == [
        ("BTC", "-0.00217832"),
        ("USDT", "105.66477611"),
        ("USDC", "-4.35690001"),
        ("USDT", "4.33522389"),
    ]
    assert [world.has(one) for one in ("USDT", "USDC", "BTC")] == ["0", "1995.64309999", "0.99782168"]
    assert_same(world.engine, world.replayed())


def test_what_may_be_owed_is_left_alone() -> None:
    world = Together(LENT, USDC, HALVED, BTC="1", USDC="2000")
    world.trade("0.1", "50000")
    world.trade("-0.1", "49000")
    world.wait(60 * SECOND)
    assert (world.has("USDT"), exchanges(world)) == ("-100", [])


def test_it_is_bought_while_there_is_a_position_too() -> None:
    """-110 as above, for 48750 a BTC: 110.55 / 48750 = 0.002267692..., up."""
    world = Together(LENT, HALVED, BTC="1")
    world.trade("0.2", "50000")
    world.trade("-0.1", "48900")
    world.wait(SECOND)
    assert exchanges(world) == [("BTC", "-0.0022677"), ("USDT", "110")]
    assert world.positions == ["BTCUSDT_PERP"]


def test_who_has_too_little_goes_on_owing() -> None:
    """100 USDC are 100 / 1.005 = 99.50248756 USDT (down), of 120."""
    world = Together(LENT, USDC, USDC="100")
    world.trade("0.01", "50000")
    world.trade("-0.01", "38000")
    assert world.has("USDT") == "-120"
    world.wait(60 * SECOND)
    assert exchanges(world) == [("USDC", "-100"), ("USDT", "99.50248756")]
    assert (world.has("USDT"), world.has("USDC")) == ("-20.49751244", "0")
    assert world.refuses(world.setting(shared=False)) == blocked(Obstacle.DEBT)
    assert_same(world.engine, world.replayed())


def test_it_comes_to_the_same_again() -> None:
    world = Together(USDC="1000")
    world.trade("0.1", "50000")
    world.price("45000")
    assert_same(world.engine, world.replayed())
    assert world.engine.audit() == []
