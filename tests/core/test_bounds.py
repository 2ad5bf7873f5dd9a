"""One look at a plain order says what all checks say; and nobody adds a check that it does not know of."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import pytest

from emulator.core.bounds import Bounds
from emulator.core.checks import admits, check_counts, check_status
from emulator.core.decisions.placing import check_leg
from emulator.core.instruments import (
    Instrument,
    InstrumentStatus,
    OrderType,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import Attached, OrderTerms, PegSide, Slippage
from emulator.core.positions import Leg
from emulator.core.rejections import Rejection
from tests.core.world import World, deep, instrument, limit, peg, stop

BUY, SELL = Side.BUY, Side.SELL

PLAIN = {
    "side", "quantity", "price", "post_only", "self_trade_mode", "client_id", "labels", "cause", "role",
    "parent",
    "parent_name",
}  # fmt: skip
"""What plain orders differ in."""

ELSE: dict[str, Any] = {
    "type": OrderType.MARKET,
    "quote_quantity": Decimal(1),
    "time_in_force": TimeInForce.IOC,
    "trigger": stop("90"),
    "iceberg_quantity": Decimal(1),
    "peg": peg(PegSide.PRIMARY),
    "leg": Leg.LONG,
    "reduce_only": True,
    "close_position": True,
    "price_protect": True,
    "detached": True,
    "good_till_us": 1,
    "leverage": Decimal(5),
    "borrows": True,
    "close_on_trigger": True,
    "attached": Attached(whole=True),
    "slippage": Slippage(steps=1),
}


@pytest.mark.parametrize("field", OrderTerms.__struct_fields__)
def test_terms_that_ask_for_more_are_not_plain(field: str) -> None:
    """Whoever adds terms says here whether a plain order may have them."""
    bounds, terms = Bounds(instrument()), limit(BUY, "1", "100")
    with exact():
        assert bounds.admit(terms, ZERO)
        if field not in PLAIN:
            assert not bounds.admit(msgspec.structs.replace(terms, **{field: ELSE[field]}), ZERO)


def test_every_rule_of_instruments_is_known() -> None:
    """Whoever adds a rule says here whether plain orders are bound by it, and then binds them in `Bounds`."""
    binding = {
        "status", "price_step", "price_min", "price_max", "quantity_step", "quantity_min", "quantity_max",
        "notional_min", "notional_max", "bid_multiplier_up", "bid_multiplier_down", "ask_multiplier_up",
        "ask_multiplier_down", "orders_max", "position_max", "self_trade_modes", "contract",
    }  # fmt: skip
    not_of_limit_orders = {
        "market_quantity_step", "market_quantity_min", "market_quantity_max", "market_orders",
        "notional_min_applies_to_market", "notional_max_applies_to_market", "quote_quantity_orders",
        "take_bound", "take_bound_failure",
    }  # fmt: skip
    of_others = {
        "trigger_orders_max", "trigger_orders_shared", "trigger_orders", "trigger_sources", "trigger_protect",
        "trailing_above_min", "trailing_above_max", "trailing_below_min", "trailing_below_max",
        "trailing_orders", "trailing_reached", "iceberg_orders_max", "iceberg_parts_max", "iceberg_orders",
        "pegged_orders", "order_lists_max", "order_lists", "amends_max", "amends", "cancel_replace",
        "dormant_modified", "below_executed", "band_at_trigger", "detached_orders_max",
    }  # fmt: skip
    of_what_comes_then = {
        "symbol", "kind", "base", "quote", "settle", "base_step", "quote_step", "reference_minutes",
        "measured_by_index",
        "self_trade_default", "maker_fee", "taker_fee", "fee_asset_rule", "hold_includes_fee",
        "post_only_failure", "fill_or_kill_failure", "amend_keeps_priority", "profile",
    }  # fmt: skip
    # What is beyond the bounds is looked at more closely, and may be right.
    widening = {"post_only_quantity_max"}
    groups = (binding, not_of_limit_orders, of_others, of_what_comes_then, widening)
    assert set(Instrument.__struct_fields__) == set().union(*groups)
    assert len(Instrument.__struct_fields__) == sum(map(len, groups))


RULES: dict[str, tuple[Any, ...]] = {
    "price_min": ("0", "95"),
    "price_max": ("0", "105"),
    "price_step": ("0.5", "7"),
    "quantity_min": ("0", "1", "1.5"),
    "quantity_max": ("0", "2"),
    "quantity_step": ("0.5", "1"),
    "notional_min": ("98", "150"),
    "notional_max": ("0", "102", "200"),
    "bid_multiplier_up": ("1.02",),
    "bid_multiplier_down": ("0.98",),
    "ask_multiplier_up": ("1.03",),
    "ask_multiplier_down": ("0.97",),
    "orders_max": (1, 2),
    "self_trade_modes": (frozenset({SelfTradeMode.DECREMENT}),),
}
PRICES = ("0", "0.005", "0.01", "91", "94.99", "95", "97", "98", "100", "102", "103", "105", "105.5")
QUANTITIES = ("0", "0.0005", "0.001", "0.5", "0.75", "1", "1.5", "2", "2.001", "3")
MODES = (None, SelfTradeMode.DECREMENT, SelfTradeMode.EXPIRE_TAKER)


@pytest.mark.parametrize("orders", [0, 1, 2])
@pytest.mark.parametrize("rule", [(), *((name, value) for name, values in RULES.items() for value in values)])
def test_one_look_says_what_all_checks_say(rule: tuple[str, Any] | tuple[()], orders: int) -> None:
    world = World(deep(), instrument(**dict([rule] if rule else [])), checked=False)
    state, now = world.engine.state, world.now
    account, listed = state.accounts[world.alice], state.markets[world.symbol]
    for name in ("taken", "other")[:orders]:
        # Whatever its rules let through.
        world.do(world.placing(world.alice, limit(SELL, "1", "101.5", client_id=name)))
    said = set()
    with exact():
        for side, price, quantity in product(Side, PRICES, QUANTITIES):
            for mode, name, post_only in product(MODES, ("", "taken"), (False, True)):
                terms = limit(side, quantity, price, stp=mode, client_id=name, post_only=post_only)
                expected = listed.bounds.is_open and checked(world, terms) is None
                assert admits(state, account, listed, terms, now) is expected, terms
                said.add(expected)
    assert said == {False, True} or not listed.bounds.is_open or listed.bounds.orders_max <= orders


def checked(world: World, terms: OrderTerms) -> Rejection | None:
    """What the checks say, one after the other."""
    state, now = world.engine.state, world.now
    account, listed = state.accounts[world.alice], state.markets[world.symbol]
    return (
        check_status(listed.instrument, now)
        or check_leg(state, account, "spot", listed, terms, terms.price, now)
        or check_counts(state, account, listed.instrument, (terms,))
    )


@pytest.mark.parametrize(
    ("rules", "is_open"),
    [
        ({}, True),
        ({"status": InstrumentStatus.HALTED}, False),
        ({"position_max": "10"}, False),
        ({"quantity_min": "1", "quantity_step": "2"}, False),
        ({"quantity_step": "0"}, False),
        ({"price_step": "0"}, False),
    ],
)
def test_where_one_look_does_not_tell(rules: dict[str, Any], is_open: bool) -> None:
    world = World(deep(), instrument(**rules))
    assert world.engine.state.markets[world.symbol].bounds.is_open is is_open
