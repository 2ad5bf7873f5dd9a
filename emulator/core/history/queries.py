"""How records are asked for."""

from __future__ import annotations

import msgspec

from emulator.core.history.keys import Key
from emulator.core.history.wallets import (
    NUMBER_OF_INCOME,
    NUMBER_OF_TRANSACTION,
    IncomeKind,
    TransactionKind,
)
from emulator.core.ids import AccountId


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of one account are asked for; None does not restrict.

    first_id, last_id, start_us, end_us are inclusive. newest: the last `limit` instead of the first.
    Whichever it is, what is answered ascends by id.
    """

    account: AccountId
    scope: str = ""
    first_id: int | None = None
    last_id: int | None = None
    start_us: int | None = None
    end_us: int | None = None
    part: int | None = None
    label: str | None = None
    limit: int = 1000
    newest: bool = False

    def admits(self, key: Key) -> bool:
        """Whether a record of the account and scope is among what is asked for, leaving the limit aside."""
        return (
            (self.first_id is None or key.id >= self.first_id)
            and (self.last_id is None or key.id <= self.last_id)
            and (self.start_us is None or key.time_us >= self.start_us)
            and (self.end_us is None or key.time_us <= self.end_us)
            and (self.part is None or key.part == self.part)
            and (self.label is None or key.label == self.label)
        )


def incomes_of(
    account: AccountId,
    wallet: str,
    *,
    kind: IncomeKind | None = None,
    instrument: str | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    limit: int = 1000,
    newest: bool = False,
) -> Query:
    """The query for `Income` records of a wallet, of one kind or all, about one instrument or any."""
    return Query(
        account=account,
        scope=wallet,
        part=None if kind is None else NUMBER_OF_INCOME[kind],
        label=instrument,
        start_us=start_us,
        end_us=end_us,
        limit=limit,
        newest=newest,
    )


def transactions_of(
    account: AccountId,
    wallet: str,
    *,
    kind: TransactionKind | None = None,
    asset: str | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    last_number: int | None = None,
    limit: int = 1000,
    newest: bool = False,
) -> Query:
    """The query for `Transaction` records of a wallet, of one kind or all, of one asset or any."""
    return Query(
        account=account,
        scope=wallet,
        part=None if kind is None else NUMBER_OF_TRANSACTION[kind],
        label=asset,
        start_us=start_us,
        end_us=end_us,
        last_id=last_number,
        limit=limit,
        newest=newest,
    )
