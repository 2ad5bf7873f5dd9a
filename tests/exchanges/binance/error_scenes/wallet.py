"""Refusals of the wallet."""

from __future__ import annotations

from tests.exchanges.binance.error_scenes.case import DESTINATION, TRANSFER, WITHDRAW, Cases
from tests.exchanges.binance.test_wallet_movements import ETHEREUM_ADDRESS, RIPPLE_ADDRESS

cases = Cases()

# The wallet's

for _code, _text, _changes in (
    (-4007, "Address verification failed", {"address": "0x1"}),
    (-4008, "Address tag validation is not passed.", {"coin": "XRP", "address": RIPPLE_ADDRESS}),
    (-4018, "We don't have this asset.", {"coin": "MOON"}),
    (-4019, "Current asset is not open for withdrawal.", {"coin": "EUR"}),
    (
        -4021,
        "Asset withdrawal must be an integer multiple of 0.000001.",
        {
            "coin": "USDT",
            "network": "ETH",
            "address": ETHEREUM_ADDRESS,
            "amount": "10.0000001",
        },
    ),
    (-4022, "Not less than the minimum pick-up quantity 0.0005.", {"amount": "0.0004"}),
    (-4023, "Within 24 hours, the withdrawal exceeds the maximum amount.", {"amount": 10_000_000_000}),
    (-4026, "User has insufficient balance", {"amount": "100.1"}),
    (-4106, "TAG_NOT_SUPPORTED_FOR_NETWORK", {"addressTag": "12"}),
):
    cases.asks(_code, _text, "POST", WITHDRAW, {**DESTINATION, **_changes})

cases.asks(
    -4047,
    "Time interval must be within 0-90 days",
    "GET",
    "/sapi/v1/capital/deposit/hisrec",
    {"startTime": 1},
)

for _code, _text, _changes in (
    (-5003, "You don't have this asset.", {"asset": "MOON"}),
    (-5007, "Quantity must be greater than zero.", {"amount": 0}),
    (-5013, "Asset transfer failed: insufficient balance", {"amount": "100.1"}),
):
    cases.asks(
        _code, _text, "POST", TRANSFER, {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1, **_changes}
    )
