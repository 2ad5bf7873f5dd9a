"""The rows of instruments.json."""

from __future__ import annotations

from typing import Literal

from emulator.listings import rows

TierRow = tuple[str, str, str, str]
"""The largest value of a position, in what the contract settles in; the highest leverage; the initial and the
maintenance rate."""


class PairRow(rows.InstrumentRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair.

    quantity_min, order_quantity_max, amount_max: shown, and not checked any more ("Get Instruments Info").
    quantity_max, market_quantity_max: of one order of that type. notional_min: of its amount of money.
    """

    symbol_id: int
    order_quantity_max: str
    amount_max: str
    price_limit_x: str
    price_limit_y: str
    margin_trading: str = "utaOnly"


class ContractRow(rows.ContractRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract, or a family of dated ones.

    dated: empty for a perpetual; else how its contracts are called: by the `day` of their delivery or by the
    letter of its `quarter`. price_scale: places of index and mark price. notional_min: "0" is shown as
    nothing. tiers: which table of the file. delivery_fee: a rate; of a perpetual nothing.
    """

    symbol_id: int
    price_scale: int
    leverage_max: str
    tiers: str
    price_limit_x: str
    price_limit_y: str
    copy_trading: str
    dated: Literal["", "day", "quarter"] = ""
    delivery_fee: str = "0"
