"""Why a figure is what it is: the formula, what was put into it, and what came out.

Nothing is reckoned anew here. Every value is one that the core's own statement has, which is what a site
shows and what is decided by.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypedDict

from emulator.core.contracts import Tier
from emulator.core.engine import Engine
from emulator.core.instruments import Instrument
from emulator.core.numbers import exact
from emulator.core.orders import Order
from emulator.core.positions import Leg, MarginMode, closing_cost
from emulator.core.statement import PositionStatement, WalletStatement, closing_rate, wallet_statement
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows
from emulator.web.control.accounts import account_of
from emulator.web.control.dialect import ACCOUNT_NAME, desk, text
from emulator.web.control.markets import SITE, SYMBOL, market_of

rows = Rows()

ACCOUNT = ACCOUNT_NAME.but(name="account")
LEG = Parameter(
    "leg",
    Kind.CHOICE,
    choices=tuple(leg.value for leg in Leg),
    description="Of hedge mode: long or short. Else the one position there is.",
)
ORDER = Parameter("order", Kind.INTEGER, required=True, minimum=1, description="Its id.")
WALLET = Parameter(
    "wallet", pattern=r"[a-z0-9_-]{1,30}", length_max=30, description="Where not in the site's own."
)
ASSET = Parameter("asset", pattern="[A-Za-z0-9]{1,20}", length_max=20, required=True)
_POSITION = (ACCOUNT, SITE, SYMBOL, LEG)


class Figure(TypedDict):
    """One step. formula: in words and names of the inputs; where it is empty, the value is given."""

    name: str
    formula: str
    inputs: dict[str, str]
    value: str


class TierShown(TypedDict):
    """A row of a contract's margin table, in its settle asset. amount: what is taken off value x rate."""

    floor: str
    cap: str
    leverageMax: str
    maintenanceRate: str
    amount: str


class Explained(TypedDict):
    sandbox: str
    account: str
    site: str
    subject: str
    unit: str
    timeUs: int
    figures: list[Figure]
    tier: TierShown | None


@rows.route(
    "GET",
    "/explain/liquidation/{account}/{site}/{symbol}",
    summary="At which mark price a position is liquidated, and why",
    parameters=_POSITION,
    answers=Explained,
)
def liquidation(call: Call) -> Explained:
    with exact():
        wallet, one = _position(call)
        figures = [*_value_and_maintenance(one), _funds(wallet, one)]
        sense = "1 / p" if one.contract.is_inverse else "p"
        turned = "cost - size x quantity x 1 / p" if one.contract.is_inverse else "size x quantity x p - cost"
        inputs = {
            "funds": one.funds,
            "quantity": one.position.quantity,
            "size": one.contract.size,
            "cost": one.position.cost,
            "direction": one.position.direction,
        }
        figures.append(
            _figure(
                "liquidation",
                f"the mark price p with funds + direction x ({turned}) = maintenance margin of "
                f"size x quantity x {sense}, by the tier that holds there; both legs of hedge mode together",
                inputs,
                one.liquidation,
            )
        )
        figures.append(
            _figure(
                "bankruptcy",
                f"the price p with funds + direction x ({turned}) = closing rate x size x quantity x {sense}",
                {**inputs, "closing rate": closing_rate(one.contract)},
                one.bankruptcy,
            )
        )
        return _explained(call, "liquidation", one.contract.settle, figures, one.tier)


@rows.route(
    "GET",
    "/explain/margin/{account}/{site}/{symbol}",
    summary="What a position and the orders beside it must be covered by",
    parameters=_POSITION,
    answers=Explained,
)
def margin(call: Call) -> Explained:
    with exact():
        _, one = _position(call)
        leverage = one.position.leverage
        bids, asks = one.resting.at(leverage)
        contract, needs = one.contract, "{} / leverage"
        shown = {"value": one.initial_value, "leverage": leverage}
        if contract.initial_fee:
            needs += (
                " + {} x (leverage - lean) / leverage x closing rate; lean: the sign, turned when inverse"
            )
            shown["closing rate"] = contract.initial_fee
        of_own = "; of one with a leverage of its own, its margin x the position's leverage"
        if one.resting.own is None:
            of_own = ""
        figures = [
            *_value_and_maintenance(one),
            _figure("bids", f"worth of the orders to buy that rest beside it{of_own}", {}, bids),
            _figure("asks", f"worth of the orders to sell that rest beside it{of_own}", {}, asks),
            _figure(
                "position margin",
                needs.format("|value|", "|value|"),
                shown,
                one.needed.position,
            ),
            _figure(
                "order margin",
                f"larger = max(|value + bids|, |value - asks|): {needs.format('larger', 'larger')} "
                "- position margin",
                {**shown, "bids": bids, "asks": asks},
                one.needed.orders,
            ),
            _figure(
                "largest value",
                "cap of the last tier whose highest leverage admits this one",
                {"leverage": leverage},
                one.value_max,
            ),
        ]
        if one.position.mode is MarginMode.ISOLATED:
            figures.append(
                _figure("isolated margin", "put up for this position alone", {}, one.position.margin)
            )
        return _explained(call, "margin", one.contract.settle, figures, one.tier)


@rows.route(
    "GET",
    "/explain/balance/{account}/{site}/{asset}",
    summary="What an account has of an asset, and how much of it can be used",
    parameters=(ACCOUNT, SITE, ASSET, WALLET),
    answers=Explained,
)
def balance(call: Call) -> Explained:
    engine, wallet = _wallet(call)
    account = engine.state.accounts[account_of(call, call.values["account"])]
    asset: str = call.values["asset"]
    with exact():
        if wallet in engine.state.margin_wallets:
            now_us = call.sandbox.clock.now_us()
            statement = wallet_statement(engine.state, engine.rules, account, wallet, now_us)
            figures = _of_contracts(statement, asset)
        else:
            figures = _of_pairs(engine, account.id, wallet, asset)
        return _explained(call, "balance", asset, figures, None)


@rows.route(
    "GET",
    "/explain/order/{account}/{site}/{symbol}/{order}",
    summary="What an order holds or needs, and what became of it",
    parameters=(ACCOUNT, SITE, SYMBOL, ORDER),
    answers=Explained,
)
async def order(call: Call) -> Explained:
    engine_name, instrument = market_of(call)
    account = account_of(call, call.values["account"])
    found = await call.sandbox.history.order(
        engine_name, account, instrument.symbol, call.values["order"], None
    )
    if found is None:
        raise Refusal(404, "no_such_order", f"The account has no order {call.values['order']} here.")
    with exact():
        return _explained(call, "order", _unit_of(instrument, found), _of_order(instrument, found), None)


def _explained(call: Call, subject: str, unit: str, figures: list[Figure], tier: Tier | None) -> Explained:
    return {
        "sandbox": call.sandbox.name,
        "account": call.values["account"],
        "site": call.values["site"],
        "subject": subject,
        "unit": unit,
        "timeUs": call.sandbox.clock.now_us(),
        "figures": figures,
        "tier": None
        if tier is None
        else {
            "floor": text(tier.floor),
            "cap": text(tier.cap),
            "leverageMax": text(tier.leverage_max),
            "maintenanceRate": text(tier.maintenance_rate),
            "amount": text(tier.maintenance_amount),
        },
    }


def _figure(name: str, formula: str, inputs: Mapping[str, Decimal], value: Decimal | str | None) -> Figure:
    """value: None where there is no such figure."""
    return {
        "name": name,
        "formula": formula,
        "inputs": {key: text(one) for key, one in inputs.items()},
        "value": "none" if value is None else value if isinstance(value, str) else text(value),
    }


# Positions


def _position(call: Call) -> tuple[WalletStatement, PositionStatement]:
    """The position that is asked about; of several legs the one that is named, or the first."""
    engine_name, instrument = market_of(call)
    engine = call.sandbox.engines[engine_name]
    account = engine.state.accounts[account_of(call, call.values["account"])]
    contract = instrument.contract
    if contract is None:
        raise Refusal(
            400, "not_a_contract", "Only contracts have positions; ask for the balance, or an order."
        )
    now_us = call.sandbox.clock.now_us()
    statement = wallet_statement(engine.state, engine.rules, account, contract.wallet, now_us)
    leg = call.values.get("leg")
    for one in statement.positions:
        if one.instrument is instrument and leg in (None, one.position.leg.value):
            return statement, one
    raise Refusal(404, "no_such_position", "The account has neither a position nor an order that opens one.")


def _value_and_maintenance(one: PositionStatement) -> list[Figure]:
    contract, position, tier = one.contract, one.position, one.tier
    closing = closing_cost(contract, position)
    value = "quantity x size / mark" if contract.is_inverse else "quantity x size x mark"
    gained = "direction x (cost - |value|)" if contract.is_inverse else "direction x (|value| - cost)"
    return [
        _figure(
            "mark", "median of index with funding, index with basis, and the contract's price", {}, one.mark
        ),
        _figure("entry", "what was paid for each contract on average", {}, one.entry(Decimal("1E-12"))),
        _figure(
            "value",
            value,
            {"quantity": position.quantity, "size": contract.size, "mark": one.mark},
            one.value,
        ),
        _figure(
            "unrealised",
            gained,
            {"direction": position.direction, "value": one.value, "cost": position.cost},
            one.unrealised,
        ),
        _figure(
            "maintenance margin",
            "|value| x (rate + closing rate) - amount, of the tier that the value is in, + closing fee",
            {
                "value": one.value,
                "rate": tier.maintenance_rate,
                "closing rate": closing.rate,
                "amount": tier.maintenance_amount,
                "closing fee": closing.amount,
            },
            one.maintenance,
        ),
    ]


def _funds(wallet: WalletStatement, one: PositionStatement) -> Figure:
    if one.position.mode is MarginMode.ISOLATED:
        return _figure(
            "funds", "the margin of this position alone", {"margin": one.position.margin}, one.funds
        )
    settle = one.contract.settle
    others = [
        other
        for other in wallet.positions
        if other.instrument is not one.instrument
        and other.position.mode is MarginMode.CROSS
        and other.contract.settle == settle
    ]
    return _figure(
        "funds",
        "cross wallet + unrealised profit of all other contracts - their maintenance margins",
        {
            "cross wallet": wallet.assets[settle].cross_wallet,
            "unrealised of others": sum((other.unrealised for other in others), Decimal(0)),
            "maintenance of others": sum((other.maintenance for other in others), Decimal(0)),
        },
        one.funds,
    )


# Balances


def _wallet(call: Call) -> tuple[Engine, str]:
    """The engine of a site, and the wallet that is asked about: the site's own where none is named."""
    known = desk(call)
    site = known.sites.get(call.values["site"])
    if site is None:
        raise Refusal(404, "no_such_site", f"There is no site {call.values['site']!r} that is served.")
    engine = call.sandbox.engines[site.engine]
    wallet: str | None = call.values.get("wallet")
    if wallet is None:
        listed = next(iter(known.symbols.get(site.name, {}).values()), None)
        contract = None if listed is None else engine.instruments[listed].contract
        wallet = engine.state.wallets[0] if contract is None else contract.wallet
    if wallet not in engine.state.wallets:
        named = ", ".join(engine.state.wallets)
        raise Refusal(404, "no_such_wallet", f"There is no wallet {wallet!r}; there are: {named}.")
    return engine, wallet


def _of_contracts(statement: WalletStatement, asset: str) -> list[Figure]:
    own = statement.assets.get(asset)
    if own is None:
        raise Refusal(404, "nothing_there", f"The wallet has nothing of {asset}, and nothing settles in it.")
    covered = {
        "cross wallet": own.cross_wallet,
        "cross unrealised": own.cross_unrealised,
        "cross margins": own.cross_margin,
        "margin of isolated orders": own.isolated_order_margin,
    }
    return [
        _figure("wallet", "what is in it, margins of isolated positions included", {}, own.wallet),
        _figure("isolated", "margins of isolated positions", {}, own.isolated),
        _figure(
            "cross wallet",
            "wallet - isolated",
            {"wallet": own.wallet, "isolated": own.isolated},
            own.cross_wallet,
        ),
        _figure("unrealised", "profit of all positions at their mark prices", {}, own.unrealised),
        _figure(
            "margin balance",
            "wallet + unrealised",
            {"wallet": own.wallet, "unrealised": own.unrealised},
            own.margin_balance,
        ),
        _figure("maintenance margin", "of all positions", {}, own.maintenance),
        _figure(
            "initial margin",
            "of positions + of orders",
            {"of positions": own.position_margin, "of orders": own.order_margin},
            own.initial_margin,
        ),
        _figure(
            "available",
            "max(0, cross wallet + cross unrealised - cross margins - margin of isolated orders); where all "
            "assets stand together, the same of all, in this asset",
            covered,
            statement.available(asset),
        ),
        _figure(
            "can leave",
            "the same without profit that is not realised",
            covered,
            statement.withdrawable(asset),
        ),
    ]


def _of_pairs(engine: Engine, account: int, wallet: str, asset: str) -> list[Figure]:
    state = engine.state
    owner = state.accounts[account]
    free = state.ledger.free(account, wallet, asset)
    total = state.ledger.total(account, wallet, asset)
    orders = {
        f"order {one.id}": one.held
        for one in owner.open_orders.values()
        if one.held and (one.wallet, one.hold_asset) == (wallet, asset)
    }
    lists = {
        f"order list {one.id}": one.held
        for one in owner.open_lists.values()
        if one.held and (one.wallet, one.hold_asset) == (wallet, asset)
    }
    locked = state.locked.get((account, wallet, asset), Decimal(0))
    return [
        _figure("total", "free + held", {"free": free, "held": total - free}, total),
        _figure("free", "total - held", {"total": total, "held": total - free}, free),
        _figure(
            "held",
            "what each open order and order list needs, and what systems outside have locked",
            {**orders, **lists, "locked": locked},
            total - free,
        ),
    ]


# Orders


def _unit_of(instrument: Instrument, found: Order) -> str:
    return instrument.settle if instrument.contract is not None else found.hold_asset


def _of_order(instrument: Instrument, found: Order) -> list[Figure]:
    contract, price = instrument.contract, found.price
    inputs: dict[str, Decimal] = {"remaining": found.remaining}
    if price is not None:
        inputs["price"] = price
    figures = [
        _figure("status", "", {}, found.status.value),
        _figure("why it ended", "", {}, found.end_reason.value),
        _figure(
            "remaining",
            "quantity - executed - prevented",
            {
                "quantity": found.quantity or Decimal(0),
                "executed": found.executed,
                "prevented": found.prevented,
            },
            found.remaining,
        ),
    ]
    if contract is not None:
        worth = None if price is None else instrument.amount(found.remaining, price)
        figures.append(
            _figure(
                "worth",
                "remaining x size / price" if contract.is_inverse else "remaining x size x price",
                {**inputs, "size": contract.size},
                worth,
            )
        )
        figures.append(
            _figure(
                "held",
                "a contract's order holds nothing; what it needs is in the margin of its symbol",
                {},
                found.held,
            )
        )
        return figures
    formula = "remaining x price" if found.side.value == "buy" else "remaining"
    figures.append(
        _figure("held", f"{formula}, while it is open; in a list the list holds it", inputs, found.held)
    )
    return figures
