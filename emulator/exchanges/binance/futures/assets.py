"""What assets are worth in US dollars, where all of them stand together as margin."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.numbers import ONE, round_half
from emulator.core.rules import CollateralAsset
from emulator.exchanges.binance.futures.products import USDM
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES
from emulator.market_data.marks import marks_of

BUFFERS: Mapping[str, Decimal] = MappingProxyType(
    {
        "USDT": Decimal("0.001"),
        "USDC": Decimal("0.001"),
        "BTC": Decimal("0.05"),
        "ETH": Decimal("0.05"),
        "BNB": Decimal("0.05"),
    }
)
"""How far the rates at which an asset counts are from its index, either way. Half of it, where it is sold
or bought by itself. The documents have only examples, of other assets."""

AUTO_EXCHANGE: Mapping[str, str] = MappingProxyType(
    {"USDT": "-10000", "BTC": "-0.00100000", "BNB": "-10", "ETH": "-5", "USDC": "-10000"}
)
"""Below which balance an asset is bought for others, where all stand together (exchange listing, 2022)."""

_HALF: Final = Decimal("0.5")

COLLATERAL_ASSETS: Final = tuple(
    CollateralAsset(
        asset=asset,
        bid_buffer=buffer,
        ask_buffer=buffer,
        exchanged=_HALF,
        index_of="" if asset in USDM.assets else USDM.listings[asset + "USDT"].instrument.symbol,
        owed_max=-Decimal(AUTO_EXCHANGE[asset]),
    )
    for asset, buffer in BUFFERS.items()
)
"""The same for the engine."""


class AssetReading(NamedTuple):
    """An asset at one moment: its index price, and how far the rates at which it counts are from that."""

    asset: str
    price: Decimal
    buffer: Decimal

    @property
    def symbol(self) -> str:
        return self.asset + "USD"

    @property
    def exchanged(self) -> Decimal:
        """The buffer where it is sold or bought by itself."""
        return self.buffer * _HALF

    def rate(self, change: Decimal) -> Decimal:
        """So much of the index away from it."""
        return round_half(self.price * (ONE + change), EIGHT_PLACES)


def read_asset(engine: Engine, asset: str, now_us: int) -> AssetReading:
    return AssetReading(asset, asset_price(engine, asset, now_us), BUFFERS[asset])


def asset_price(engine: Engine, asset: str, now_us: int) -> Decimal:
    """In US dollars, for which a stablecoin stands."""
    if asset in USDM.assets:
        return ONE
    name = USDM.listings[asset + "USDT"].instrument.symbol
    return marks_of(engine, name).index_price(now_us)
