"""binance-sdk-spot pointed at the emulator by its base_path, and a look at what its typed models hold.

Every option that can be left alone is: the time-out of one second too.
"""

import contextlib
import logging
import warnings

from binance_sdk_spot.rest_api.rest_api import SpotRestAPI
from binance_sdk_spot.spot import ConfigurationRestAPI, Spot
from pydantic import BaseModel
from stage import URL

called = set()
"""The methods of the REST API that were used."""

CONDITIONAL = {
    "icebergQty",
    "preventedMatchId",
    "preventedMatches",
    "preventedQuantity",
    "stopPrice",
    "strategyId",
    "strategyType",
    "trailingDelta",
    "trailingTime",
    "usedSor",
    "workingFloor",
    "pegPriceType",
    "pegOffsetType",
    "pegOffsetValue",
    "peggedPrice",
    "expiryReason",
}
"""Documented as present only where they apply, so the models neither demand nor always know them."""

BINARY_ONLY = {"priceExponent", "qtyExponent", "multiplierExponent"}
"""Declared by the models of filters; the documents have them in the binary encoding alone."""

MARKET_METHODS = {
    "agg_trades",
    "avg_price",
    "depth",
    "exchange_info",
    "execution_rules",
    "get_trades",
    "historical_block_trades",
    "historical_trades",
    "klines",
    "ping",
    "reference_price",
    "reference_price_calculation",
    "ticker",
    "ticker24hr",
    "ticker_book_ticker",
    "ticker_price",
    "ticker_trading_day",
    "time",
    "ui_klines",
}

METHODS = {name for name in vars(SpotRestAPI) if not name.startswith("_")} - {
    "send_request",
    "send_signed_request",
}


class Rest:
    """The SDK's REST API; each answer is checked to be whole and typed, then given as the model."""

    def __init__(self, **configuration):
        self.rest = Spot(config_rest_api=ConfigurationRestAPI(base_path=URL, **configuration)).rest_api

    def __getattr__(self, name):
        method = getattr(self.rest, name)

        def call(*, absent=(), unknown=(), **terms):
            called.add(name)
            answer = method(**terms).data()
            missing, extra = set(), set()
            _look(answer, missing, extra)
            missing -= CONDITIONAL | BINARY_ONLY | set(absent)
            extra -= CONDITIONAL | set(unknown)
            assert not missing, f"{name} lacks {sorted(missing)}"
            assert not extra, f"{name} has {sorted(extra)} too"
            return answer

        return call


def of(account):
    return Rest(api_key=account.key, api_secret=account.secret)


def _look(value, missing, extra):
    """Gathers the declared fields that are not there, and the keys that are and should not be."""
    if isinstance(value, list):
        for each in value:
            _look(each, missing, extra)
        return
    if not isinstance(value, BaseModel):
        return
    if hasattr(value, "actual_instance"):
        _look(value.actual_instance, missing, extra)
        return
    for name, field in type(value).model_fields.items():
        held = getattr(value, name)
        if name == "additional_properties":
            extra.update(held)
        elif held is None:
            missing.add(field.alias or name)
        else:
            _look(held, missing, extra)


@contextlib.contextmanager
def quietly():
    """Fails on any warning: the SDK logs one where an answer does not fit its model."""
    records = []

    class Keeper(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    keeper = Keeper(logging.WARNING)
    logging.getLogger().addHandler(keeper)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        logging.getLogger().removeHandler(keeper)
    assert not records, records
