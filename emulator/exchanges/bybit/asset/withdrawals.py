"""Withdrawals: checked as the exchange checks them, taken from the ledger and completed at once.

Whether the receiving address belongs to another account here is not looked at, so none is internal.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.events import AmountWithdrawn
from emulator.core.history import Movement, MovementKind, Query
from emulator.core.numbers import exact, is_on_step
from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.bybit.account.readings import read
from emulator.exchanges.bybit.asset.coins import WITHDRAW_MAX
from emulator.exchanges.bybit.asset.deposits import find_chain, network_of
from emulator.exchanges.bybit.asset.words import (
    COIN,
    CURSOR,
    END_TIME,
    START_TIME,
    find_coin,
    limit,
    movements,
    page,
    refuse_asset,
)
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.auth import READ, WITHDRAW
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.asset import Withdrawal, WithdrawalMade, Withdrawals
from emulator.exchanges.bybit.running import FUND, UNIFIED, engine_of
from emulator.listings.networks import Network
from emulator.web.addresses import transaction_id
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SOURCES: Final = {"FUND": FUND, "UTA": UNIFIED}
"""The wallet of each `accountType` that this endpoint knows; there is no earn account here."""
BY_UID: Final = 2
"""`forceChain` of a withdrawal to another user."""
TAKEN_OUT: Final = 1
"""`feeType` where the amount has the fee in it."""
FIRST_ID: Final = 131_000_000
"""What numbers of withdrawals begin after, so that they look as those of the exchange."""
DAYS: Final = 30


@rows.route(
    "POST",
    "/v5/asset/withdraw/create",
    summary="Withdraw",
    security=WITHDRAW,
    parameters=(
        COIN.but(required=True),
        Parameter("chain", description="The coin's default one where it is not sent."),
        Parameter("address", required=True),
        Parameter("tag"),
        Parameter("amount", Kind.DECIMAL, required=True),
        Parameter("timestamp", Kind.INTEGER, required=True),
        Parameter("forceChain", Kind.INTEGER, default=0, minimum=0, maximum=2),
        Parameter("accountType", required=True, description="FUND, UTA, or both with a comma between them."),
        Parameter(
            "feeType",
            Kind.INTEGER,
            default=0,
            minimum=0,
            maximum=1,
            description="0: the amount is what arrives; 1: the fee is taken out of it.",
        ),
        Parameter("requestId", pattern="[0-9A-Za-z]{1,32}", description="The same one is refused."),
    ),
    answers=WithdrawalMade,
)
async def withdraw(call: Call) -> WithdrawalMade:
    values = call.values
    asset = find_coin(values["coin"])
    if values["forceChain"] == BY_UID:
        # Nobody else is known by a number here.
        raise refuse_asset(131077)
    chain = find_chain(asset, values.get("chain"))
    _check_destination(chain, values["address"], values.get("tag", ""))
    with exact():
        amount = _leaving(chain, values["amount"], is_taken_out=values["feeType"] == TAKEN_OUT)
    name: str = values.get("requestId", "")
    if name:
        query = Query(account=call.account, scope=MovementKind.WITHDRAWAL.value, label=name, limit=1)
        # What is asked of the archive takes a while: memory is asked last.
        if await call.records(Movement, query) or engine_of(call.sandbox).views.select(Movement, query):
            raise refuse_asset(131082)
    command = c.Withdraw(
        account=call.account,
        wallet=_source(call, asset.code, amount),
        asset=asset.code,
        amount=amount,
        fee=chain.withdraw_fee,
        reference=name,
        labels=(("chain", chain.code), ("address", values["address"]), ("tag", values.get("tag", ""))),
    )

    def answer(done: Done) -> WithdrawalMade:
        if isinstance(done.rejection, InsufficientBalance):
            raise refuse_asset(131212)
        if done.rejection is not None:
            raise call.site.dialect.speak(done.rejection, command)
        (event,) = done.events
        assert isinstance(event, AmountWithdrawn)
        return {"id": _id(event)}

    return await call.attempt(command, answer)


def _check_destination(chain: Network, address: str, tag: str) -> None:
    if not re.search(chain.address_regex, address):
        raise refuse_asset(131002, text="Withdraw address chain or destination tag are not equal")
    if not chain.tag_regex:
        if tag:
            raise refuse_asset(131081)
    elif tag and not re.search(chain.tag_regex, tag):
        raise refuse_asset(131002, text="Withdraw address chain or destination tag are not equal")


def _leaving(chain: Network, asked: Decimal, *, is_taken_out: bool) -> Decimal:
    """What leaves the wallet, the fee included."""
    arriving = asked - chain.withdraw_fee if is_taken_out else asked
    if not chain.withdraw_min <= arriving <= WITHDRAW_MAX:
        raise refuse_asset(131096)
    if not is_on_step(asked, chain.step):
        raise refuse_asset(131002)
    return arriving + chain.withdraw_fee


def _source(call: Call, coin: str, amount: Decimal) -> str:
    """The wallet that is named; of several, the first that has enough, or else the first."""
    named = [one.strip() for one in call.values["accountType"].split(",")]
    wallets = [SOURCES[one] for one in named if one in SOURCES]
    if not wallets or any(one not in (*SOURCES, "EARN") for one in named):
        raise refuse_asset(131002)
    with exact():
        standing = read(call)
        enough = (one for one in wallets if standing.transferable(one, coin) >= amount)
        return next(enough, wallets[0])


@rows.route(
    "GET",
    "/v5/asset/withdraw/query-record",
    summary="Get withdrawal records",
    description="Newest first, of the last thirty days where no time is given.",
    security=READ,
    parameters=(
        Parameter("withdrawID"),
        Parameter("txID"),
        COIN,
        Parameter("withdrawType", Kind.INTEGER, default=0, minimum=0, maximum=2),
        START_TIME,
        END_TIME,
        limit(50),
        CURSOR,
    ),
    answers=Withdrawals,
)
async def withdrawals(call: Call) -> Withdrawals:
    values = call.values
    named, transaction, coin = values.get("withdrawID"), values.get("txID"), values.get("coin")
    found: list[tuple[int, Withdrawal]] = []
    # All are on a chain.
    walked = await movements(call, MovementKind.WITHDRAWAL, DAYS) if values["withdrawType"] != 1 else []
    for movement in walked:
        event = movement.event
        assert type(event) is AmountWithdrawn
        if coin not in (None, event.asset) or named not in (None, "", _id(event)):
            continue
        withdrawal = _withdrawal(call.sandbox.seed, event, movement.time_us)
        if transaction in (None, "", withdrawal["txID"]):
            found.append((event.movement, withdrawal))
    listed, cursor = page(found, values["limit"])
    return {"rows": listed, "nextPageCursor": cursor}


def _withdrawal(seed: int, event: AmountWithdrawn, time_us: int) -> Withdrawal:
    labels = dict(event.labels)
    asset, code = assets().get(event.asset), labels.get("chain", "")
    chain = next((one for one in asset.networks if one.code == code), None) if asset is not None else None
    moment = str(time_us // 1_000_000 * 1000)
    with exact():
        arrived = event.amount - event.fee
    return {
        "coin": event.asset,
        "chain": code,
        "amount": decimal_text(arrived),
        "txID": transaction_id(seed, event.movement, "" if chain is None else network_of(chain)),
        "status": "success",
        "toAddress": labels.get("address", ""),
        "tag": labels.get("tag", ""),
        "withdrawFee": decimal_text(event.fee),
        "createTime": moment,
        "updateTime": moment,
        "withdrawId": _id(event),
        "withdrawType": 0,
        "tax": "0",
        "taxRate": "0",
        "taxType": "",
    }


def _id(event: AmountWithdrawn) -> str:
    return str(FIRST_ID + event.movement)
