"""Binance's two futures products: the same thing under other names, told apart by data.

USD-M settles linear contracts in a stablecoin, COIN-M inverse ones in the coin itself. What is written
once for both asks `product_of` a call; what has other fields or paths on one of them is a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

from emulator.core.instruments import Instrument
from emulator.exchanges.binance.futures.listings import Listing, load
from emulator.web.contract import Call


class Product:
    """One of them: its site, the prefix of its paths, and the wallet in which its contracts are traded.

    letters: how the exchange calls it where both are told of, `UM` or `CM`.
    """

    def __init__(
        self, *, site: str, title: str, prefix: str, letters: str, wallet: str, is_inverse: bool
    ) -> None:
        self.site = site
        self.title = title
        self.prefix = prefix
        self.letters = letters
        self.wallet = wallet
        self.is_inverse = is_inverse

    def __repr__(self) -> str:
        return f"<{self.letters}>"

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        """By symbol, in the order of `exchangeInfo`."""
        return MappingProxyType({listing.symbol: listing for listing in load(self.wallet)})

    @cached_property
    def symbols(self) -> Mapping[str, str]:
        """The symbol of each of the core's instruments that are this product's."""
        return MappingProxyType({one.instrument.symbol: one.symbol for one in self.listings.values()})

    @cached_property
    def instruments(self) -> Mapping[str, Instrument]:
        """As the core knows them, by its own names."""
        return MappingProxyType({one.instrument.symbol: one.instrument for one in self.listings.values()})

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """What its contracts settle in."""
        return tuple(dict.fromkeys(one.instrument.settle for one in self.listings.values()))

    def holds(self, instrument: str) -> bool:
        """Whether one of the engine's instruments is traded here."""
        return instrument in self.symbols


USDM = Product(
    site="binance-usdm",
    title="Binance USD-M Futures",
    prefix="/fapi",
    letters="UM",
    wallet="usdm",
    is_inverse=False,
)
COINM = Product(
    site="binance-coinm",
    title="Binance COIN-M Futures",
    prefix="/dapi",
    letters="CM",
    wallet="coinm",
    is_inverse=True,
)
COLLATERAL = tuple(dict.fromkeys((*USDM.assets, "USDC", "BTC", "ETH", "BNB")))
"""What USD-M holds as margin: what its contracts settle in, and what counts beside it where all assets
stand together."""

PRODUCTS: Mapping[str, Product] = MappingProxyType({one.site: one for one in (USDM, COINM)})
"""By the name of their site."""


def product_of(call: Call) -> Product:
    """Which of them a call came in by."""
    return PRODUCTS[call.site.name]


def instruments_of(products: Iterable[Product]) -> dict[str, Instrument]:
    """All contracts of some products, by the core's names."""
    return {name: one for product in products for name, one in product.instruments.items()}
