"""At which rates trades are charged."""

from __future__ import annotations

from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.categories import CATEGORIES, OPTION
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import CategorisedFeeRates, FeeRate, FeeRates, SpotFeeRate
from emulator.exchanges.bybit.refusals import CATEGORY as ILLEGAL_CATEGORY
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.web.contract import Call, Parameter, Rows

rows = Rows()


@rows.route(
    "GET",
    "/v5/account/fee-rate",
    summary="Get fee rate",
    description="Of one symbol, or of all that can be traded.",
    security=READ,
    parameters=(
        # Quirk: it says that it has to be there, and its own example goes without ("Get Fee Rate"; ccxt).
        Parameter("category", default="linear"),
        Parameter("symbol"),
        Parameter("baseCoin", description="Of options, which are not emulated."),
    ),
    answers=FeeRates | CategorisedFeeRates,
)
def fee_rates(call: Call) -> FeeRates | CategorisedFeeRates:
    values = call.values
    if values["category"] == OPTION:
        return {"category": OPTION, "list": []}
    category = CATEGORIES.get(values["category"])
    if category is None:
        raise refuse(10001, text=ILLEGAL_CATEGORY)
    listings = [one for one in category.listings.values() if one.is_listed(call.now_us)]
    if "symbol" in values:
        listings = [one for one in listings if one.symbol == values["symbol"]]
        if not listings:
            raise refuse_parameter("symbol")
    found: list[FeeRate] = [
        {
            "symbol": one.symbol,
            "takerFeeRate": decimal_text(one.instrument.taker_fee),
            "makerFeeRate": decimal_text(one.instrument.maker_fee),
        }
        for one in listings
    ]
    if category.is_derivative:
        return {"list": found}
    # Quirk: pairs have the category beside the list, and contracts have not ("Get Fee Rate").
    pairs: list[SpotFeeRate] = [
        {**rate, "baseCoin": listing.base} for rate, listing in zip(found, listings, strict=True)
    ]
    return {"category": category.name, "list": pairs}
