"""What the futures sites of the exchange answer and this project does not, and why."""

from __future__ import annotations

from emulator.exchanges.binance.futures.products import USDM, Product
from emulator.web.contract import NotEmulated

_REFERRALS = "referrals and brokers' programs are not emulated"

_BOTH = (
    ("/v1/apiReferral/*", _REFERRALS),
    ("/v1/pmExchangeInfo", "limits of portfolio margin are not emulated"),
)

_USDM = (
    ("/v1/account", "the exchange itself retired it; use /fapi/v2/account or /fapi/v3/account"),
    ("/v1/balance", "the exchange itself retired it; use /fapi/v2/balance or /fapi/v3/balance"),
    (
        "/v1/positionRisk",
        "the exchange itself retired it; use /fapi/v2/positionRisk or /fapi/v3/positionRisk",
    ),
    ("/v1/stock/contract", "no contracts on stocks are listed here, so there is no agreement to sign"),
    ("/v1/lvtKlines", "leveraged tokens are not emulated; the exchange itself delisted them"),
)


def not_emulated(product: Product) -> tuple[NotEmulated, ...]:
    paths = (*_BOTH, *(_USDM if product is USDM else ()))
    return (
        *(NotEmulated("*", product.prefix + path, why) for path, why in paths),
        NotEmulated("*", f"{product.prefix}/*", "not among the endpoints that clients of futures call"),
        NotEmulated("*", "/futures/data/*", "not among the endpoints that clients of futures call"),
    )
