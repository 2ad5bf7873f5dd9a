"""What every fresh sandbox has: the demo account with its key and its funds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from emulator.core.commands import Deposit
from emulator.exchanges import binance, bybit
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox

DEMO_ACCOUNT = "demo"
DEMO_KEY = "emulator-demo-key"
DEMO_SECRET = "emulator-demo-secret"
DEMO_PASSPHRASE = "emulator-demo-passphrase"
DEMO_FUNDS: Mapping[str, Decimal] = {
    "USDT": Decimal(1_000_000),
    "USDC": Decimal(1_000_000),
    "BTC": Decimal(100),
    "ETH": Decimal(1000),
    "BNB": Decimal(1000),
}
DEMO_FUNDS_ELSE = Decimal(100_000)
DEMO_WALLETS: Mapping[str, Mapping[str, frozenset[str]]] = {
    binance.ENGINE: binance.TRADED,
    bybit.ENGINE: bybit.TRADED,
}
"""Which assets the demo account has, by engine and wallet."""


async def provision(sandbox: Sandbox) -> None:
    """What every fresh sandbox has: the demo account with its key and its funds."""
    account = await sandbox.open_account(DEMO_ACCOUNT)
    await sandbox.add_key(
        KeyRecord(
            key=DEMO_KEY,
            account=account,
            secret=DEMO_SECRET,
            passphrase=DEMO_PASSPHRASE,
            label="known to everybody",
        )
    )
    await furnish(sandbox, tuple(sandbox.engines))


async def furnish(sandbox: Sandbox, engines: Sequence[str]) -> None:
    """Give the demo account, if there is one, its funds in some engines."""
    account = sandbox.accounts.get(DEMO_ACCOUNT)
    if account is None:
        return
    deposits = [
        (
            engine,
            Deposit(
                account=account,
                wallet=wallet,
                asset=asset,
                amount=DEMO_FUNDS.get(asset, DEMO_FUNDS_ELSE),
                reference="demo",
            ),
        )
        for engine in engines
        for wallet, assets in DEMO_WALLETS[engine].items()
        for asset in sorted(assets)
    ]
    # All at once, so that they are one entry of the journal.
    for done in await asyncio.gather(*(sandbox.submit(engine, deposit) for engine, deposit in deposits)):
        assert done.rejection is None, done.rejection
