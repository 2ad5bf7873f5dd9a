"""What the futures sites of the exchange answer and this project does not, and why."""

from __future__ import annotations

from emulator.exchanges.binance.futures.products import USDM, Product
from emulator.web.contract import NotEmulated

_USDM = (
    (
        "/v1/pmAccountInfo",
        "there are no accounts with portfolio margin, and no document says what others are told",
    ),
    ("/v1/account", "the exchange itself retired it; use /fapi/v2/account or /fapi/v3/account"),
    ("/v1/balance", "the exchange itself retired it; use /fapi/v2/balance or /fapi/v3/balance"),
    (
        "/v1/positionRisk",
        "the exchange itself retired it; use /fapi/v2/positionRisk or /fapi/v3/positionRisk",
    ),
)


def not_emulated(product: Product) -> tuple[NotEmulated, ...]:
    paths = _USDM if product is USDM else ()
    return (
        *(NotEmulated("*", product.prefix + path, why) for path, why in paths),
        NotEmulated("*", f"{product.prefix}/*", "not among the endpoints that clients of futures call"),
        NotEmulated("*", "/futures/data/*", "not among the endpoints that clients of futures call"),
    )
