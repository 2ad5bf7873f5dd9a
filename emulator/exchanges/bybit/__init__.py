"""Bybit v5: one site, one engine, and one wallet in which pairs and contracts are traded.

`engine` makes the engine, `sites` the site, `SYMBOLS` says what it calls the engine's instruments.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Feed
from emulator.core.rules import EngineRules
from emulator.exchanges.bybit import (
    account,
    asset,
    batches,
    lending,
    market,
    position,
    prechecks,
    queries,
    service,
    spot_margin,
    trading,
    user,
)
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.auth import ALL_PERMISSIONS
from emulator.exchanges.bybit.categories import CATEGORIES, SPOT, all_instruments
from emulator.exchanges.bybit.covering import MARGIN
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.running import ENGINE, FUND, UNIFIED
from emulator.exchanges.bybit.snippets import snippets
from emulator.exchanges.bybit.streams.sockets import sockets
from emulator.exchanges.bybit.user_data.sockets import OPERATIONS as PRIVATE_OPERATIONS
from emulator.exchanges.bybit.user_data.sockets import find_private, private_socket
from emulator.exchanges.bybit.user_data.topics import CHANNELS as PRIVATE_CHANNELS
from emulator.exchanges.bybit.user_data.topics import TOPICS as PRIVATE_TOPICS
from emulator.exchanges.bybit.ws_api.methods import methods
from emulator.exchanges.bybit.ws_api.orders import OPERATIONS
from emulator.exchanges.bybit.ws_api.sockets import trade_socket
from emulator.web.contract import Counting, NotEmulated, Rows, Site, Timestamps

__all__ = ["ASSETS", "ENGINE", "SYMBOLS", "TRADED", "WALLETS", "Eras", "engine", "sites", "snippets"]

WALLETS: Final = (UNIFIED, FUND)

ASSETS: Final = frozenset(assets())

TRADED: Final[Mapping[str, frozenset[str]]] = MappingProxyType({UNIFIED: ASSETS, FUND: ASSETS})
"""What a demo account has in each wallet."""

SYMBOLS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "bybit": {
            **{name: name for category in CATEGORIES.values() for name in category.symbols},
            **{symbol: one.instrument.symbol for symbol, one in SPOT.listings.items()},
            **{
                symbol: one.instrument.symbol
                for category in CATEGORIES.values()
                if category.is_derivative
                for symbol, one in category.listings.items()
            },
        }
    }
)
"""The instrument of each symbol, by site. Where a pair and a contract have the same, the contract is meant;
either goes by `category:symbol` as well."""

_MODULES: Final[tuple[Rows, ...]] = (
    service.rows,
    *market.MODULES,
    trading.rows,
    batches.rows,
    queries.rows,
    prechecks.rows,
    *position.MODULES,
    *account.MODULES,
    *asset.MODULES,
    spot_margin.rows,
    lending.rows,
    user.rows,
)
"""Everything that the site answers, in the order of the documents."""

NOT_EMULATED: Final = (
    *market.NOT_EMULATED,
    # Positions and accounts
    NotEmulated("POST", "/v5/position/move-positions", "positions do not move between accounts"),
    NotEmulated("GET", "/v5/position/move-history", "positions do not move between accounts"),
    NotEmulated("GET", "/v5/position/get-closed-positions", "it is about options, of which there are none"),
    NotEmulated("POST", "/v5/position/confirm-pending-mmr", "tiers do not change under positions"),
    NotEmulated("POST", "/v5/account/set-delta-mode", "delta neutral mode is not emulated"),
    NotEmulated("GET", "/v5/account/option-asset-info", "there are no options"),
    NotEmulated("GET", "/v5/account/pay-info", "what is repaid for whom is not kept"),
    NotEmulated("GET", "/v5/account/trade-info-for-analysis", "trades are not analysed"),
    NotEmulated("GET", "/v5/account/contract-transaction-log", "it is of accounts before the unified one"),
    NotEmulated("GET", "/v5/pre-upgrade/*", "no account was anything else before it was a unified one"),
    NotEmulated("GET", "/v5/asset/coin-greeks", "there are no options"),
    NotEmulated("GET", "/v5/asset/portfolio-margin", "portfolio margin is priced as cross margin"),
    NotEmulated("GET", "/v5/asset/delivery-record", "deliveries are in the transaction log only"),
    NotEmulated("GET", "/v5/asset/settlement-record", "sessions of contracts in USDC are not settled"),
    # Spot margin
    NotEmulated("*", "/v5/spot-margin-trade/fixed*", "nothing is lent at fixed rates"),
    NotEmulated(
        "GET", "/v5/spot-margin-trade/flexible-available-inventory", "the lender has no end of coins"
    ),
    NotEmulated("*", "/v5/spot-margin-trade/*", "rates never change, and nothing is repaid by itself"),
    # Wallets
    NotEmulated("GET", "/v5/asset/asset-overview", "wallets are told one by one"),
    NotEmulated("GET", "/v5/asset/fundinghistory", "the funding wallet has no statement"),
    NotEmulated("GET", "/v5/asset/total-members-assets", "there are no sub-accounts"),
    NotEmulated("GET", "/v5/asset/transfer/query-asset-info", "it is of accounts before the unified one"),
    NotEmulated("GET", "/v5/asset/transfer/query-sub-member-list", "there are no sub-accounts"),
    NotEmulated("POST", "/v5/asset/transfer/save-transfer-sub-member", "there are no sub-accounts"),
    NotEmulated("POST", "/v5/asset/transfer/universal-transfer", "there are no sub-accounts"),
    NotEmulated("GET", "/v5/asset/transfer/query-universal-transfer-list", "there are no sub-accounts"),
    NotEmulated("GET", "/v5/asset/deposit/query-internal-record", "nobody pays by name here"),
    NotEmulated("GET", "/v5/asset/deposit/query-sub-member-*", "there are no sub-accounts"),
    NotEmulated("POST", "/v5/asset/deposit/deposit-to-account", "deposits go to the wallet they are made to"),
    NotEmulated("POST", "/v5/asset/withdraw/cancel", "withdrawals are completed at once"),
    NotEmulated("GET", "/v5/asset/withdraw/query-address", "addresses are not kept"),
    NotEmulated("GET", "/v5/asset/withdraw/vasp/list", "nobody is asked whom money goes to"),
    NotEmulated("POST", "/v5/asset/travel-rule/*", "nobody is asked whom money comes from"),
    NotEmulated("*", "/v5/asset/exchange/*", "conversions are not emulated; trade the pair"),
    NotEmulated("*", "/v5/asset/covert/*", "conversions are not emulated; trade the pair"),
    # Keys
    NotEmulated("*", "/v5/user/*", "keys and accounts are made by the control API"),
    NotEmulated("*", "/v5/apilimit/*", "limits are the same for everybody"),
    # Products of their own
    NotEmulated("GET", "/v5/announcements/index", "there is nothing to announce"),
    NotEmulated("*", "/v5/affiliate/*", "affiliates have nothing to do here"),
    NotEmulated("*", "/v5/broker/*", "brokers have nothing to do here"),
    NotEmulated("*", "/v5/earn/*", "earning products are not emulated"),
    NotEmulated("*", "/v5/ins*", "institutions have nothing to do here"),
    NotEmulated("*", "/v5/crypto-loan*", "loans are not emulated"),
    NotEmulated("*", "/v5/lending/*", "lending is not emulated"),
    NotEmulated("*", "/v5/spot-lever-token/*", "leveraged tokens are not emulated"),
    NotEmulated("*", "/v5/spread/*", "spread trading is not emulated"),
    NotEmulated("*", "/v5/rfq/*", "requests for quotes are not emulated"),
    NotEmulated("*", "/v5/strategy/*", "strategies are not emulated"),
    NotEmulated("POST", "/v5/dca/*", "the exchange's bots are not emulated"),
    NotEmulated("POST", "/v5/grid/*", "the exchange's bots are not emulated"),
    NotEmulated("POST", "/v5/fgridbot/*", "the exchange's bots are not emulated"),
    NotEmulated("POST", "/v5/fcombobot/*", "the exchange's bots are not emulated"),
    NotEmulated("POST", "/v5/fmartingalebot/*", "the exchange's bots are not emulated"),
    NotEmulated("*", "/v5/alpha/*", "tokens of other chains are not emulated"),
    NotEmulated("POST", "/v5/card/*", "cards are not emulated"),
    NotEmulated("*", "/v5/p2p/*", "trading with persons is not emulated"),
    NotEmulated("*", "/v5/fiat/*", "fiat is not emulated"),
    NotEmulated("*", "/v3/*", "the exchange itself retired its API v3; use v5"),
    NotEmulated("*", "/v2/*", "the exchange itself retired its API v2; use v5"),
)


def engine(feed: Feed) -> Engine:
    """The engine of all categories, without any state."""
    return Engine(
        ENGINE,
        all_instruments(),
        feed,
        WALLETS,
        EngineRules(
            symbols={
                (one.instrument.base, one.instrument.quote): one.instrument.symbol
                for one in SPOT.listings.values()
            },
            margin=MARGIN,
            pair_wallets=(UNIFIED,),
            keeps_transactions=True,
        ),
    )


def sites(*, eras: Eras, timestamps: Timestamps, counting: Counting) -> tuple[Site, ...]:
    """The sites that are served. timestamps, counting: see `web/contract`."""
    door = Door(eras=eras, timestamps=timestamps, counting=counting)
    routes = tuple(route for rows in _MODULES for route in rows)
    return (
        Site(
            name="bybit",
            engine=ENGINE,
            title="Bybit v5",
            rows=routes,
            dialect=door,
            not_emulated=NOT_EMULATED,
            sockets=(
                *sockets(
                    eras,
                    find=(find_private,),
                    channels=PRIVATE_CHANNELS,
                    repeated=PRIVATE_TOPICS,
                    operations={**OPERATIONS, **PRIVATE_OPERATIONS},
                    methods=methods(routes),
                ),
                private_socket(eras),
                trade_socket(routes, eras),
            ),
            takes_forms=False,
            takes_json=True,
            permissions=ALL_PERMISSIONS,
        ),
    )
