"""Which symbols a request is about.

A symbol that is not listed is -1121, alone or among others. `symbolStatus` refuses a single symbol of
another status with -1220, and leaves those out that are among several or among all.
"""

from __future__ import annotations

from emulator.core.engine import Engine
from emulator.core.instruments import Instrument, Kind
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.vocabulary import SYMBOL_STATUS_WORDS
from emulator.web.contract import Call


def listed(engine: Engine) -> list[Instrument]:
    """All symbols, in the order of the listing."""
    return [instrument for instrument in engine.instruments.values() if instrument.kind is Kind.SPOT]


def find(engine: Engine, symbol: str) -> Instrument:
    """The instrument of a symbol; raises -1121."""
    instrument = engine.instruments.get(symbol)
    if instrument is None or instrument.kind is not Kind.SPOT:
        raise refuse(-1121)
    return instrument


def asked(call: Call) -> Instrument:
    """The one symbol of a request, which then reads that instrument's market only."""
    instrument = find(call.engine, call.values["symbol"])
    status = call.values.get("symbolStatus")
    # Quirk: `symbolStatus` refuses one symbol of another status, but leaves such symbols out of several
    # (rest-api.md, "24hr ticker price change statistics").
    if status is not None and SYMBOL_STATUS_WORDS[instrument.status] != status:
        raise refuse(-1220)
    call.instrument = instrument.symbol
    return instrument


def asked_for(call: Call) -> list[Instrument] | None:
    """The symbols of a request that may name several or none, or None when it names just one."""
    values = call.values
    if "symbol" in values:
        return None
    engine = call.engine
    symbols = values.get("symbols")
    if symbols is None:
        chosen = listed(engine)
    elif symbols:
        chosen = [find(engine, symbol) for symbol in symbols]
    else:
        raise refuse(-1105, "symbols")
    return with_status(chosen, values.get("symbolStatus"))


def with_status(instruments: list[Instrument], status: str | None) -> list[Instrument]:
    if status is None:
        return instruments
    return [i for i in instruments if SYMBOL_STATUS_WORDS[i.status] == status]
