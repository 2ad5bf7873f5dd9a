"""Where an account receives, and what a withdrawal is called; the looks of both are `web.addresses`."""

from __future__ import annotations

from emulator.core.ids import AccountId
from emulator.listings.networks import Network
from emulator.web.addresses import Address, derived_address, derived_digest


def deposit_address(seed: int, account: AccountId, network: Network) -> Address:
    """An account's own address on a network."""
    return derived_address(seed, account, network.code, has_memo=bool(network.tag_regex))


def withdrawal_id(seed: int, movement: int) -> str:
    return derived_digest(f"withdrawal/{seed}/{movement}", 16).hex()
