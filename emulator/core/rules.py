"""What of an exchange's behaviour is data of the whole engine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core.collateral import CollateralAsset as CollateralAsset
from emulator.core.collateral import CollateralTier as CollateralTier
from emulator.core.collateral import Counted
from emulator.core.fees import NO_DISCOUNT, FeeRules
from emulator.core.margin import CostRule as CostRule
from emulator.core.numbers import ZERO
from emulator.core.positions import AccountMargin


class LeverageScope(str, Enum):
    """What can have a leverage of its own, beside the contract for all of an account's positions in it."""

    CONTRACT = "contract"
    """Nothing."""
    ISOLATED_LEG = "isolated_leg"
    """A leg of hedge mode under isolated margin."""
    ISOLATED_ORDER = "isolated_order"
    """An order under isolated margin; what it opens joins the position (`positions.joined_leverage`)."""


class PositionModeScope(str, Enum):
    """What has a position mode of its own."""

    WALLET = "wallet"
    """All contracts of a wallet have one."""
    CONTRACT = "contract"
    """Each contract has one."""


class LiquidationStyle(str, Enum):
    """What becomes of a position that cannot be kept."""

    SALE = "sale"
    """It is sold in the book by an order that is limited by the bankruptcy price. Its owner gets what it
    brings, less the fee for the insurance fund; what the book does not take passes to the fund at that
    price."""
    TAKEOVER = "takeover"
    """What makes it smaller by a tier is an ordinary trade in the book, of all of that or of nothing. What is
    left when that is not enough passes to the insurance fund as a whole, at its bankruptcy price and for a
    taker's fee; what the book gives for it is the fund's. Whoever is deleveraged pays a maker's fee."""


class ClosingNames(msgspec.Struct, frozen=True, kw_only=True):
    """Client ids of orders that the exchange itself places; `{order}` stands for the order's id."""

    liquidation: str = "liquidation-{order}"
    deleveraging: str = "deleveraging-{order}"
    delivery: str = "delivery-{order}"


class MarginRules(msgspec.Struct, frozen=True, kw_only=True):
    """What accounts must have to trade contracts.

    cost: what an order that opens must be covered by beside its initial margin. sell_premium: how much
    above the last price a sell of a linear contract is assumed to trade. counted: how unrealised profit
    counts towards what is available. shrinks_reducing: whether an order that may only reduce and is larger
    than what there is becomes as large as that; else it is refused. shares_position_mode: whether an account
    has one position mode for all its wallets of contracts. leverage_scope: what can have a leverage of its
    own. refits_isolated: whether another leverage makes the margin of an isolated position what opening it at
    that leverage takes, beside what was added; else it stays, and the leverage cannot be lowered.

    liquidation_style: what becomes of a position that cannot be kept. deleveraging_ends_orders: whether the
    orders of an account in the book of a contract end before it is deleveraged there.
    liquidates_by_tier: whether a position that cannot be kept is made smaller tier by tier, as far as it is
    needed; else, and in its lowest tier, it is closed as a whole. warning_ratio: of maintenance margin to
    equity, from which on somebody should be warned; None: nobody is. insurance: what the insurance fund
    has of each asset at the start. collateral: by wallet, what counts where an account lets all its assets
    stand together, among it all that contracts of the wallet settle in; where nothing does, none may.

    account_margin: by wallet, how an account's contracts there are covered until it chooses; wallets where
    that is not chosen for all contracts at once are not named. counts_held: whether funds that are held for
    pairs' orders cover the margin of new orders as well; what must be kept they cover in any case.
    position_mode_scope: what has a position mode of its own. interest_minute: how many minutes after a whole
    hour interest is charged for what is owed. spot_leverage_max: the highest leverage of orders that borrow.
    """

    cost: CostRule = CostRule()
    sell_premium: Decimal = ZERO
    counted: Counted = Counted.BOTH
    shrinks_reducing: bool = True
    shares_position_mode: bool = False
    leverage_scope: LeverageScope = LeverageScope.CONTRACT
    refits_isolated: bool = False
    liquidates_by_tier: bool = True
    warning_ratio: Decimal | None = None
    insurance: Mapping[str, Decimal] = {}
    collateral: Mapping[str, tuple[CollateralAsset, ...]] = {}
    names: ClosingNames = ClosingNames()
    account_margin: Mapping[str, AccountMargin] = {}
    counts_held: bool = True
    position_mode_scope: PositionModeScope = PositionModeScope.WALLET
    interest_minute: int = 0
    spot_leverage_max: Decimal = Decimal(10)
    liquidation_style: LiquidationStyle = LiquidationStyle.SALE
    deleveraging_ends_orders: bool = False


class EngineRules(msgspec.Struct, frozen=True, kw_only=True):
    """symbols: the spot instrument of each (base, quote), to convert fees and values.

    keeps_transactions: whether what only some exchanges tell of is kept: each change of a wallet of contracts
    with the balance after it (`Transaction`), what orders closed of positions (`ClosedRecord`), funding among
    the fills, what an execution tells beside a trade (`Fill`), and positions over their life (`Lifetime`).
    pair_wallets: where pairs are traded, which may be where contracts are, too; None: in all wallets where
    these are not.
    """

    fees: FeeRules = NO_DISCOUNT
    symbols: Mapping[tuple[str, str], str] = {}
    margin: MarginRules = MarginRules()
    pair_wallets: tuple[str, ...] | None = None
    keeps_transactions: bool = False
