"""Binance's public files of past market data: zip archives of every day and month, as a bucket of S3.

They are made when they are asked for, from the same market as the rows of the REST sites, so a file and an
endpoint that tell of one time say the same.
"""

from __future__ import annotations

from emulator.exchanges.binance.bulk.door import BucketDoor
from emulator.exchanges.binance.bulk.keys import BUCKET
from emulator.exchanges.binance.bulk.rows import rows
from emulator.exchanges.binance.running import ENGINE
from emulator.web.contract import NotEmulated, Site

__all__ = ["site"]

_SUMS = "sums that the exchange takes of its order book and its positions are not made for the past"
_LIQUIDATIONS = "the market's own traders are not liquidated"

NOT_EMULATED = (
    NotEmulated("*", "/data/option/*", "options are not emulated"),
    *(
        NotEmulated("*", f"/data/futures/{product}/{period}/{kind}/*", why)
        for product in ("um", "cm")
        for period, kind, why in (
            ("daily", "bookDepth", _SUMS),
            ("daily", "bookTicker", _SUMS),
            ("monthly", "bookTicker", _SUMS),
            ("daily", "metrics", _SUMS),
            ("daily", "liquidationSnapshot", _LIQUIDATIONS),
        )
    ),
)


def site() -> Site:
    return Site(
        name="binance-vision",
        engine=ENGINE,
        title="Binance Public Data",
        rows=tuple(rows),
        dialect=BucketDoor(),
        not_emulated=NOT_EMULATED,
        description=f"The files of `{BUCKET}`, and the bucket of that name that holds them. They are made "
        "from the market's own history when they are asked for, and tell what REST tells. A day is there "
        "from midnight UTC on, a month from the first Monday of the next one. Each file has its "
        "`.CHECKSUM` beside it. Months of more than one and a half million rows are left out, and their "
        "days hold the same. A listing tells the exact size of files that were asked for before, and else "
        "about how large they are.",
        takes_forms=False,
    )
