"""Accounts, their keys and their money."""

from __future__ import annotations

from decimal import Decimal
from secrets import choice
from string import ascii_letters, digits
from typing import Annotated, Literal, NamedTuple, TypedDict

import msgspec

from emulator.core.commands import Deposit, LockFunds, UnlockFunds
from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO
from emulator.runtime.ports import KeyKind, KeyRecord
from emulator.web.contract import Call, Parameter, Refusal, Rows
from emulator.web.control.dialect import (
    ACCOUNT_NAME,
    BODY,
    Name,
    Number,
    desk,
    number,
    refuse_body,
    submit,
    text,
    translated,
)
from emulator.web.recorder import mask_key

rows = Rows()

KEY_PATTERN = "[A-Za-z0-9_-]{1,128}"
GENERATED_LENGTH = 64
"""What real keys and secrets have, in letters and digits."""

_ALPHABET = ascii_letters + digits

KEY = Parameter("key", pattern=KEY_PATTERN, length_max=128, required=True, description="An API key, in full.")


# Accounts


class KeyShown(TypedDict):
    """key: its first letters; the rest is its owner's."""

    key: str
    kind: Literal["hmac", "rsa", "ed25519"]
    permissions: list[str]
    label: str


class BalanceShown(TypedDict):
    free: str
    held: str


Wallets = dict[str, dict[str, BalanceShown]]
"""By wallet and asset."""


class AccountSummary(TypedDict):
    name: str
    id: int
    keys: int


class AccountList(TypedDict):
    sandbox: str
    accounts: list[AccountSummary]


class AccountShown(TypedDict):
    """exchanges: the wallets in each exchange's engine. tradeGroup: 0 is none."""

    sandbox: str
    name: str
    id: int
    tradeGroup: int
    keys: list[KeyShown]
    exchanges: dict[str, Wallets]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """trade_group: accounts of one group, other than 0, do not trade with each other."""

    name: Name
    trade_group: Annotated[int, msgspec.Meta(ge=0, le=(1 << 31) - 1)] = 0


@rows.route("GET", "/accounts", summary="All accounts of the sandbox", answers=AccountList)
def list_accounts(call: Call) -> AccountList:
    owners = [record.account for record in call.sandbox.keys.values()]
    return {
        "sandbox": call.sandbox.name,
        "accounts": [
            {"name": name, "id": account, "keys": owners.count(account)}
            for name, account in call.sandbox.accounts.items()
        ],
    }


@rows.route(
    "POST",
    "/accounts",
    summary="Open an account, without keys or money",
    body=NewAccount,
    answers=AccountShown,
)
async def open_account(call: Call) -> AccountShown:
    wanted: NewAccount = call.values[BODY]
    with translated():
        await call.sandbox.open_account(wanted.name, wanted.trade_group)
    return _shown(call, wanted.name)


@rows.route(
    "GET",
    "/accounts/{name}",
    summary="An account: its keys, and its balances in all wallets",
    parameters=(ACCOUNT_NAME,),
    answers=AccountShown,
)
def read_account(call: Call) -> AccountShown:
    return _shown(call, call.values["name"])


def account_of(call: Call, name: str) -> AccountId:
    account = call.sandbox.accounts.get(name)
    if account is None:
        raise Refusal(404, "no_such_account", f"There is no account {name!r} in this sandbox.")
    return account


def _shown(call: Call, name: str) -> AccountShown:
    account = account_of(call, name)
    engines = call.sandbox.engines
    first = next(iter(engines.values()))
    return {
        "sandbox": call.sandbox.name,
        "name": name,
        "id": account,
        "tradeGroup": first.state.accounts[account].trade_group,
        "keys": [
            {
                "key": mask_key(record.key.encode()) or "",
                "kind": record.kind.value,
                "permissions": sorted(record.permissions),
                "label": record.label,
            }
            for record in call.sandbox.keys.values()
            if record.account == account
        ],
        "exchanges": {name: wallets_of(engine, account) for name, engine in engines.items()},
    }


def wallets_of(engine: Engine, account: AccountId) -> Wallets:
    return {
        wallet: {
            asset: {"free": text(balance.free), "held": text(balance.held)}
            for asset, balance in sorted(engine.state.ledger.wallets[account, wallet].items())
        }
        for wallet in engine.state.wallets
    }


# Keys


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An HMAC key, generated where not given; or the public key (PEM) of an RSA or Ed25519 pair.

    permissions: none named allows everything. passphrase: for exchanges that want one.
    """

    kind: Literal["hmac", "rsa", "ed25519"] = "hmac"
    key: Annotated[str, msgspec.Meta(pattern=f"^{KEY_PATTERN}$")] | None = None
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    public_key: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)] | None = None
    passphrase: Annotated[str, msgspec.Meta(max_length=256)] = ""
    permissions: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=40)]], msgspec.Meta(max_length=20)
    ] = []
    label: Annotated[str, msgspec.Meta(max_length=200)] = ""


class KeyMade(TypedDict):
    """secret: of an HMAC key; shown here and nowhere again."""

    account: str
    key: str
    kind: Literal["hmac", "rsa", "ed25519"]
    secret: str | None
    passphrase: str
    permissions: list[str]
    label: str


class KeyRemovedAnswer(TypedDict):
    removed: str


@rows.route(
    "POST",
    "/accounts/{name}/keys",
    summary="Make an HMAC key, or register the public key of an RSA or Ed25519 pair",
    parameters=(ACCOUNT_NAME,),
    body=NewKey,
    answers=KeyMade,
)
async def add_key(call: Call) -> KeyMade:
    wanted: NewKey = call.values[BODY]
    name: str = call.values["name"]
    account = account_of(call, name)
    known = desk(call).permissions
    for permission in wanted.permissions:
        if permission not in known:
            raise refuse_body(f"{permission!r} is not a permission; there are: {', '.join(known)}.")
    if wanted.kind == "hmac":
        if wanted.public_key is not None:
            raise refuse_body("An hmac key has no publicKey; name the kind rsa or ed25519.")
        secret = shown = wanted.secret or _generated()
    else:
        if wanted.public_key is None or wanted.secret is not None:
            raise refuse_body(f"A key of kind {wanted.kind} has a publicKey and no secret.")
        secret, shown = _public_key(wanted.kind, wanted.public_key), None
    record = KeyRecord(
        key=wanted.key or _generated(),
        account=account,
        kind=KeyKind(wanted.kind),
        secret=secret,
        passphrase=wanted.passphrase,
        permissions=frozenset(wanted.permissions),
        label=wanted.label,
    )
    with translated():
        await call.sandbox.add_key(record)
    return {
        "account": name,
        "key": record.key,
        "kind": wanted.kind,
        "secret": shown,
        "passphrase": record.passphrase,
        "permissions": sorted(record.permissions),
        "label": record.label,
    }


@rows.route(
    "DELETE",
    "/accounts/{name}/keys/{key}",
    summary="Take a key away from an account",
    parameters=(ACCOUNT_NAME, KEY),
    answers=KeyRemovedAnswer,
)
async def remove_key(call: Call) -> KeyRemovedAnswer:
    account = account_of(call, call.values["name"])
    key: str = call.values["key"]
    record = call.sandbox.keys.get(key)
    if record is None or record.account != account:
        raise Refusal(404, "no_such_key", "The account has no such key.")
    with translated():
        await call.sandbox.remove_key(key)
    return {"removed": key}


def _generated() -> str:
    return "".join(choice(_ALPHABET) for _ in range(GENERATED_LENGTH))


def _public_key(kind: str, pem: str) -> str:
    """The key in the form in which it is kept. Raises `invalid_key` for what cannot verify anything."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    if "PRIVATE KEY" in pem:
        raise Refusal(400, "invalid_key", "This is a private key: keep it, and register its public key.")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refusal(400, "invalid_key", "publicKey is not a public key in PEM form.") from error
    wanted = RSAPublicKey if kind == "rsa" else Ed25519PublicKey
    if not isinstance(key, wanted):
        raise Refusal(400, "invalid_key", f"publicKey is not a key of kind {kind}.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


# Money


class NewDeposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """exchange: whose wallet; may be left out where only one exchange has a wallet of this name."""

    wallet: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    asset: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    amount: Number
    exchange: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None


class Deposited(TypedDict):
    """balance: of that asset in that wallet afterwards."""

    account: str
    exchange: str
    wallet: str
    asset: str
    amount: str
    balance: BalanceShown


@rows.route(
    "POST",
    "/accounts/{name}/deposits",
    summary="Give an account money",
    parameters=(ACCOUNT_NAME,),
    body=NewDeposit,
    answers=Deposited,
)
async def deposit(call: Call) -> Deposited:
    movement = _movement(call)
    account, wallet, asset, amount = movement.account, movement.wallet, movement.asset, movement.amount
    command = Deposit(account=account, wallet=wallet, asset=asset, amount=amount, reference="control")
    return await submit(call, movement.exchange, command, lambda done: movement.show(call))


class NewLock(NewDeposit, frozen=True, forbid_unknown_fields=True):
    """release: give back what was locked before."""

    release: bool = False


class Locked(Deposited):
    """locked: how much of the asset is locked in that wallet afterwards; it is part of what is held."""

    locked: str


@rows.route(
    "POST",
    "/accounts/{name}/locks",
    summary="Lock money of an account as a system outside the exchange would, or give it back",
    parameters=(ACCOUNT_NAME,),
    body=NewLock,
    answers=Locked,
)
async def lock(call: Call) -> Locked:
    movement = _movement(call)
    account, wallet, asset, amount = movement.account, movement.wallet, movement.asset, movement.amount
    make = UnlockFunds if call.values[BODY].release else LockFunds

    def answer(done: object) -> Locked:
        state = call.sandbox.engines[movement.exchange].state
        return {**movement.show(call), "locked": text(state.locked.get((account, wallet, asset), ZERO))}

    command = make(account=account, wallet=wallet, asset=asset, amount=amount)
    return await submit(call, movement.exchange, command, answer)


class _Movement(NamedTuple):
    """Money of an account, as a body names it and as it is shown afterwards."""

    name: str
    account: AccountId
    exchange: str
    wallet: str
    asset: str
    amount: Decimal

    def show(self, call: Call) -> Deposited:
        ledger = call.sandbox.engines[self.exchange].state.ledger
        balance = ledger.wallets[self.account, self.wallet][self.asset]
        return {
            "account": self.name,
            "exchange": self.exchange,
            "wallet": self.wallet,
            "asset": self.asset,
            "amount": text(self.amount),
            "balance": {"free": text(balance.free), "held": text(balance.held)},
        }


def _movement(call: Call) -> _Movement:
    """What a body asks for. Raises a Refusal for an account, exchange, wallet or asset that is not there."""
    wanted: NewDeposit = call.values[BODY]
    name: str = call.values["name"]
    account = account_of(call, name)
    amount = number(wanted.amount, "amount")
    exchange = _exchange(call, wanted)
    if wanted.asset not in desk(call).assets[exchange]:
        raise Refusal(400, "no_such_asset", f"{exchange} has no asset {wanted.asset!r}.")
    return _Movement(name, account, exchange, wanted.wallet, wanted.asset, amount)


def _exchange(call: Call, wanted: NewDeposit) -> str:
    engines = call.sandbox.engines
    if wanted.exchange is not None and wanted.exchange not in engines:
        raise Refusal(
            400,
            "no_such_exchange",
            f"There is no exchange {wanted.exchange!r}; there are: {', '.join(engines)}.",
        )
    candidates = [wanted.exchange] if wanted.exchange is not None else list(engines)
    having = [name for name in candidates if wanted.wallet in engines[name].state.wallets]
    if not having:
        wallets = {wallet for name in candidates for wallet in engines[name].state.wallets}
        raise Refusal(
            400,
            "no_such_wallet",
            f"There is no wallet {wanted.wallet!r}; there are: {', '.join(sorted(wallets))}.",
        )
    if len(having) > 1:
        raise Refusal(
            400,
            "exchange_missing",
            f"Several exchanges have a wallet {wanted.wallet!r}: {', '.join(having)}.",
        )
    return having[0]
