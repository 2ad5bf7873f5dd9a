"""ccxt's bybit pointed at the emulator: all of its addresses replaced, nothing else.

It tells by the word `spot` in an address whether a public socket is that of pairs.
"""

import ccxt
from bybit_markets import hold_markets
from stage import URL, Account, D, open_account

PAIR, SWAP, COIN = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"


def urls(base=URL):
    """What goes into the constructor, or into a bot's ccxt_config, as it is."""
    sockets = base.replace("http", "ws", 1)
    private = f"{sockets}/v5/private"
    return {
        "api": {
            **dict.fromkeys(("spot", "futures", "v2", "public", "private"), base),
            "ws": {
                "public": {
                    each: f"{sockets}/v5/public/{each}" for each in ("spot", "linear", "inverse", "option")
                },
                "private": {
                    "spot": {"unified": private, "nonUnified": private},
                    "contract": private,
                    "usdc": private,
                    "trade": f"{sockets}/v5/trade",
                },
            },
        }
    }


def config_of(account=None, **options):
    keys = {} if account is None else {"apiKey": account.key, "secret": account.secret}
    return {**keys, "urls": urls(), "enableRateLimit": False, **options}


loaded = ccxt.bybit(config_of())
loaded.load_markets()


def begin(*, account=None, kind=ccxt.bybit, permissions=(), funds=None, **options):
    """A client with an account of its own, on markets that stand at 100000; the markets are loaded once."""
    hold_markets()
    funds = {"USDT": "100000", "BTC": "1"} if funds is None else funds
    account = account or open_account(wallet="unified", permissions=permissions, **funds)
    exchange = kind(config_of(account, **options))
    exchange.set_markets(loaded.markets, loaded.currencies)
    return exchange


def nobody():
    return Account("", "nobody", "nothing")


def near(shown, exact):
    """Unified figures are floats."""
    return abs(D(str(shown)) - D(exact)) < D("1e-8")
