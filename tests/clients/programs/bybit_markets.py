"""Bybit's markets of bitcoin, standing where the programs of its clients put them."""

from stage import control, hold_price, print_trade

SITE = "bybit"
SPOT, LINEAR, INVERSE = "spot:BTCUSDT", "linear:BTCUSDT", "inverse:BTCUSD"
"""What the control API calls them."""

QUANTITIES = {SPOT: "10", LINEAR: "10", INVERSE: "1000000"}


def hold_markets():
    """All at 100000, with a quantity each ten and twenty dollars beside it, on both sides."""
    # A price is that of a pair in all its markets, and takes their books with it: so first the prices.
    for market in (LINEAR, INVERSE):
        move(market, "100000")
    for market, quantity in QUANTITIES.items():
        sides = {"bids": ("99990", "99980"), "asks": ("100010", "100020")}
        book = {side: [[price, quantity] for price in prices] for side, prices in sides.items()}
        control("PUT", f"markets/{SITE}/{market}/book", book)


def move(market, price):
    """Moves the last, index and mark prices of the market's pair."""
    hold_price(market, price, SITE)


def trade_there(market, price, quantity, side):
    """A trade of the market with a taker of that side."""
    print_trade(market, price, quantity, side, SITE)
