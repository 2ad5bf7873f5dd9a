"""ccxt pointed at the emulator: all of its addresses replaced, nothing else."""

from stage import URL, site_url


def urls(spot=URL, linear=URL, inverse=URL):
    """What goes into the constructor, or into a bot's ccxt_config, as it is."""
    api = {
        "public": f"{spot}/api/v3",
        "private": f"{spot}/api/v3",
        "v1": f"{spot}/api/v1",
        "sapi": f"{spot}/sapi/v1",
    }
    api |= {f"sapiV{version}": f"{spot}/sapi/v{version}" for version in (2, 3, 4)}
    for letter, base in (("f", linear), ("d", inverse)):
        for kind in ("Public", "Private"):
            api[f"{letter}api{kind}"] = f"{base}/{letter}api/v1"
            api |= {f"{letter}api{kind}V{version}": f"{base}/{letter}api/v{version}" for version in (2, 3)}
        api[f"{letter}apiData"] = f"{base}/futures/data"
    sockets = spot.replace("http", "ws", 1)
    # It takes a socket's messages for the spot market only if "/stream" is in the socket's address.
    api["ws"] = {
        "spot": f"{sockets}/stream/ws",
        # What ends in "/ws" is led over "/public", "/market" and "/private", as the exchange's own host is.
        "linear": f"{linear.replace('http', 'ws', 1)}/ws",
        # On a port of all sites this address says which; on a site's own port it may say so too.
        "inverse": f"{inverse.replace('http', 'ws', 1)}/binance-coinm/ws",
        "ws-api": {
            "spot": f"{sockets}/ws-api/v3",
            "linear": f"{linear.replace('http', 'ws', 1)}/ws-fapi/v1",
            "inverse": f"{inverse.replace('http', 'ws', 1)}/ws-dapi/v1",
        },
    }
    return {"api": api}


def own_ports():
    """The same with a port for each site."""
    return urls(site_url("binance"), site_url("binance-usdm"), site_url("binance-coinm"))


def config_of(account, **options):
    return {
        "apiKey": account.key,
        "secret": account.secret,
        "urls": urls(),
        "enableRateLimit": False,
        **options,
    }
