"""What users of the Spot site look for around the wallet and do not find here, and why."""

from __future__ import annotations

from emulator.web.contract import NotEmulated

_MARGIN = "margin accounts are not emulated: neither loans nor margin orders"
_SUB_ACCOUNTS = "sub-accounts are not emulated; make independent accounts with the control API"
_EARN = "earn, staking and savings products are not emulated"
_LOANS = "crypto loans are not emulated"
_CONVERT = "conversion outside the order book is not emulated; trade the symbol instead"
_REMOVED = (
    "the exchange removed it on 2026-02-20; subscribe over the WebSocket API, or set the era switch "
    "spot_listen_key to serve"
)

_BY_REASON: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_MARGIN, ("/sapi/v1/userListenToken", "/sapi/v1/userDataStream*")),
    (_MARGIN, ("/sapi/v1/margin/*", "/sapi/v2/margin/*", "/sapi/v1/portfolio/*", "/sapi/v2/portfolio/*")),
    (
        _SUB_ACCOUNTS,
        (
            "/sapi/v1/sub-account/*",
            "/sapi/v2/sub-account/*",
            "/sapi/v3/sub-account/*",
            "/sapi/v4/sub-account/*",
            "/sapi/v1/managed-subaccount/*",
            "/sapi/v1/broker/*",
            "/sapi/v1/apiReferral/*",
        ),
    ),
    (
        "cross-collateral loans are not emulated; the exchange itself ended them",
        ("/sapi/v1/futures/loan/*", "/sapi/v2/futures/loan/*"),
    ),
    (
        "tick data is not made into files here; ask /fapi or /dapi for trades and books",
        ("/sapi/v1/futures/histDataLink", "/sapi/v1/futuresHistDataId", "/sapi/v1/downloadLink"),
    ),
    ("of transfers only /sapi/v1/futures/transfer is emulated", ("/sapi/v1/futures/*",)),
    ("algorithmic orders of futures are not emulated", ("/sapi/v1/algo/futures/*",)),
    ("algorithmic orders are not emulated", ("/sapi/v1/algo/*",)),
    (_CONVERT, ("/sapi/v1/convert/*", "/sapi/v1/asset/convert-transfer*")),
    ("dust is not converted here", ("/sapi/v1/asset/dust*",)),
    (
        _EARN,
        (
            "/sapi/v1/simple-earn/*",
            "/sapi/v1/lending/*",
            "/sapi/v1/staking/*",
            "/sapi/v1/eth-staking/*",
            "/sapi/v2/eth-staking/*",
            "/sapi/v1/sol-staking/*",
            "/sapi/v1/onchain-yields/*",
            "/sapi/v1/soft-staking/*",
            "/sapi/v1/dci/*",
            "/sapi/v1/blvt/*",
            "/sapi/v1/bswap/*",
        ),
    ),
    (_LOANS, ("/sapi/v1/loan/*", "/sapi/v2/loan/*", "/sapi/v3/loan/*")),
    (
        "what the exchange sells beside trading is not emulated",
        (
            "/sapi/v1/mining/*",
            "/sapi/v1/nft/*",
            "/sapi/v1/giftcard/*",
            "/sapi/v1/pay/*",
            "/sapi/v1/c2c/*",
            "/sapi/v1/rebate/*",
            "/sapi/v1/copyTrading/*",
        ),
    ),
    ("banks are not emulated; deposit with the control API", ("/sapi/v1/fiat/*",)),
    ("the travel rule is not emulated; use /sapi/v1/capital", ("/sapi/v1/localentity/*",)),
    ("daily snapshots are not taken", ("/sapi/v1/accountSnapshot",)),
    (
        "switches of the account that nothing here depends on are not emulated",
        ("/sapi/v1/account/enableFastWithdrawSwitch", "/sapi/v1/account/disableFastWithdrawSwitch"),
    ),
    (
        "the rest of the wallet is not emulated",
        ("/sapi/v1/capital/*", "/sapi/v1/asset/*", "/sapi/v1/spot/*", "/sapi/v1/account/*"),
    ),
)

NOT_EMULATED = (
    # Quirk: the live host says 410 of it, with a page of HTML (issue threads of several clients).
    NotEmulated("*", "/api/v3/userDataStream", _REMOVED, gone=True),
    *(NotEmulated("*", path, why) for why, paths in _BY_REASON for path in paths),
)
"""In the order in which they are looked at: the first that fits a path says why."""
