"""binance-sdk-spot pointed at the emulator by its addresses, and a look at what its typed models hold.

Every option that can be left alone is: the time-out of one second too.
"""

import asyncio
import contextlib
import logging
import warnings

from binance_sdk_models import held_whole, quietly  # noqa: F401 - quietly is for the programs
from binance_sdk_spot.rest_api.rest_api import SpotRestAPI
from binance_sdk_spot.spot import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
    Spot,
)
from binance_sdk_spot.websocket_api.websocket_api import SpotWebSocketAPI
from stage import STREAMS, URL

WITHIN_S = 10

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


SOCKET_METHODS = {name for name in vars(SpotWebSocketAPI) if not name.startswith("_")} - {
    "close_connection",
    "ping_server",
    "send_message",
    "send_signed_message",
}


class Rest:
    """The SDK's REST API; each answer is checked to be whole and typed, then given as the model."""

    def __init__(self, **configuration):
        self.rest = Spot(config_rest_api=ConfigurationRestAPI(base_path=URL, **configuration)).rest_api

    def __getattr__(self, name):
        method = getattr(self.rest, name)

        def call(*, absent=(), unknown=(), **terms):
            called.add(name)
            return whole(name, method(**terms).data(), absent, unknown)

        return call


UNDECLARED = {"rateLimits"}
"""Some models do not have them; all answers do, and without them the SDK itself would fail."""

RESULT_UNDECLARED = {"exchange_info", "my_filters"}
"""Their models are those of the bare result, which comes wrapped like all others."""


class SocketApi:
    """The SDK's WebSocket API on one connection; what it is answered is checked like REST's answers.

    The SDK logs a refusal, and returns it; here it is raised.
    """

    def __init__(self, api):
        self.api = api
        self.limits = []
        """What the last answer said of limits."""

    def __getattr__(self, name):
        method = getattr(self.api, name)

        async def call(*, absent=(), **terms):
            called.add(name)
            try:
                response = await method(**terms)
            except ValueError as error:
                (answer,) = error.args
                if not isinstance(answer, dict):
                    raise
                raise SocketRefused(answer["error"]) from error
            if hasattr(response, "stream"):
                answer = whole(name, response.response.data(), absent, UNDECLARED)
                return answer.result, Heard(response.stream)
            answer = response.data()
            if isinstance(answer, dict) and "error" in answer:
                raise SocketRefused(answer["error"])
            self.limits = response.rate_limits
            if name in RESULT_UNDECLARED:
                return answer.additional_properties.get("result")
            answer = whole(name, getattr(answer, "actual_instance", answer), absent, UNDECLARED)
            assert answer.status == 200
            return answer.result

        return call


class SocketRefused(Exception):
    def __init__(self, error):
        super().__init__(error)
        self.error = error


class Heard:
    """What a stream tells, message by message."""

    def __init__(self, stream):
        self._stream = stream
        self._queue = asyncio.Queue()
        stream.on("message", self._queue.put_nowait)

    async def next(self):
        async with asyncio.timeout(WITHIN_S):
            message = await self._queue.get()
        return getattr(message, "actual_instance", message)

    async def unsubscribe(self):
        await self._stream.unsubscribe()

    @property
    def is_empty(self):
        return self._queue.empty()


@contextlib.asynccontextmanager
async def socket_api(account=None, **configuration):
    if account is not None:
        configuration |= {"api_key": account.key, "api_secret": account.secret}
    configuration = ConfigurationWebSocketAPI(stream_url=f"{STREAMS}/ws-api/v3", **configuration)
    api = Spot(config_ws_api=configuration).websocket_api
    with warnings.catch_warnings():
        # It gives its time-out to aiohttp as aiohttp no longer likes it.
        warnings.simplefilter("ignore", DeprecationWarning)
        await api.create_connection()
    try:
        yield SocketApi(api)
    finally:
        await api.close_connection(close_session=True)


@contextlib.asynccontextmanager
async def market_streams(**configuration):
    configuration = ConfigurationWebSocketStreams(stream_url=STREAMS, **configuration)
    streams = Spot(config_ws_streams=configuration).websocket_streams
    await streams.create_connection()
    try:
        yield streams
    finally:
        await streams.close_connection(close_session=True)


def of(account):
    return Rest(api_key=account.key, api_secret=account.secret)


def whole(name, answer, absent=(), unknown=()):
    """The answer, once it is certain that it has what its model declares, and nothing else."""
    conditional = CONDITIONAL | set(absent) | BINARY_ONLY
    return held_whole(name, answer, conditional, CONDITIONAL | set(unknown))


@contextlib.contextmanager
def refusals():
    """What it logs of refusals that are wanted is not looked at."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
