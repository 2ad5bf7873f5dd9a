"""Addresses, memos and transaction ids that look like those of a network.

All are derived, so that they are the same whenever somebody asks and after a restart. They fit the
network's pattern, but have no valid checksum: nobody can send anything to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import msgspec

from emulator.core.ids import AccountId

HEX: Final = "0123456789abcdef"
BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE36: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DIGITS: Final = "123456789"


class Form(msgspec.Struct, frozen=True):
    """How an address is written: a prefix, then so many characters of an alphabet. explorer: a page
    that shows an address. transaction_prefix: what transaction ids begin with."""

    prefix: str
    alphabet: str
    length: int
    explorer: str = ""
    transaction_prefix: str = ""


def _evm(explorer: str) -> Form:
    return Form("0x", HEX, 40, f"https://{explorer}/address/", "0x")


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "BTC": Form("bc1q", BECH32, 38, "https://blockchair.com/bitcoin/address/"),
        "ETH": _evm("etherscan.io"),
        "BSC": _evm("bscscan.com"),
        "ARBITRUM": _evm("arbiscan.io"),
        "OPTIMISM": _evm("optimistic.etherscan.io"),
        "MATIC": _evm("polygonscan.com"),
        "AVAXC": _evm("snowtrace.io"),
        "TRX": Form("T", BASE58, 33, "https://tronscan.org/#/address/"),
        "SOL": Form("", BASE58, 44, "https://solscan.io/account/"),
        "LTC": Form("ltc1q", BECH32, 38, "https://blockchair.com/litecoin/address/"),
        "BCH": Form("q", BECH32, 41, "https://blockchair.com/bitcoin-cash/address/"),
        "DOGE": Form("D", BASE58, 33, "https://blockchair.com/dogecoin/address/"),
        "XRP": Form("r", BASE58, 33, "https://livenet.xrpl.org/accounts/"),
        "ADA": Form("addr1", BECH32, 53, "https://cardanoscan.io/address/"),
        "DOT": Form("1", BASE58, 46, "https://polkadot.subscan.io/account/"),
        "XLM": Form("GA", BASE32, 54, "https://stellar.expert/explorer/public/account/"),
        "NEAR": Form("", HEX, 64, "https://nearblocks.io/address/"),
        "APT": Form("0x", HEX, 64, "https://explorer.aptoslabs.com/account/", "0x"),
        "SUI": Form("0x", HEX, 64, "https://suiscan.xyz/mainnet/account/", "0x"),
        "FIL": Form("f1", BASE36, 39, "https://filfox.info/en/address/"),
        "ATOM": Form("cosmos1", BECH32, 38, "https://www.mintscan.io/cosmos/address/"),
        "TON": Form("UQ", BASE64, 46, "https://tonviewer.com/"),
        "HBAR": Form("0.0.", DIGITS, 7, "https://hashscan.io/mainnet/account/"),
        "ICP": Form("", HEX, 64, "https://dashboard.internetcomputer.org/account/"),
    }
)
"""By a code of the network; what an exchange calls it otherwise is its own table."""

MEMO_LENGTH: Final = 9
_PERSON: Final = b"networks"


class Address(msgspec.Struct, frozen=True):
    """Where an account receives on a network. tag: empty where addresses have no memo."""

    text: str
    tag: str
    url: str


def derived_address(seed: int, account: AccountId, network: str, *, has_memo: bool) -> Address:
    """An account's own address, one for all assets of a network; networks of one form share it, as
    those of Ethereum's kind do."""
    form = FORMS[network]
    name = f"address/{seed}/{account}/{form.prefix}/{form.length}"
    text = form.prefix + _characters(name, form.alphabet, form.length)
    tag = _characters(f"memo/{seed}/{account}", DIGITS, MEMO_LENGTH) if has_memo else ""
    return Address(text, tag, form.explorer + text if form.explorer else "")


def transaction_id(seed: int, movement: int, network: str) -> str:
    """The id that a movement has on its network."""
    form = FORMS.get(network)
    prefix = "" if form is None else form.transaction_prefix
    return prefix + derived_digest(f"transaction/{seed}/{movement}", 32).hex()


def _characters(name: str, alphabet: str, length: int) -> str:
    """So many characters, drawn evenly enough: each takes two bytes of a digest."""
    drawn: list[str] = []
    block = 0
    while len(drawn) < length:
        digest = derived_digest(f"{name}/{block}", 64)
        pairs = zip(digest[::2], digest[1::2], strict=True)
        drawn += [alphabet[(high << 8 | low) % len(alphabet)] for high, low in pairs]
        block += 1
    return "".join(drawn[:length])


def derived_digest(name: str, size: int) -> bytes:
    """So many bytes that a name stands for."""
    return blake2b(name.encode(), digest_size=size, person=_PERSON).digest()
