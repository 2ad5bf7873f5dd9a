"""binance-sdk-spot, used by somebody who asks too much: first told to wait, then banned."""

from binance_common.errors import RateLimitBanError, TooManyRequestsError
from binance_sdk_spot_setup import Rest
from stage import raised, run

rest = Rest().rest

HEAVY = 250
LIMIT = 6000


def exhaust(kind):
    """Asks for deep books until it is refused with an error of that kind."""
    for _ in range(3 * LIMIT // HEAVY):  # a new minute may begin in between
        try:
            answer = rest.depth(symbol="BTCUSDT", limit=5000)
        except kind as error:
            return answer.rate_limits, error
    raise AssertionError(f"no {kind.__name__} was raised")


def check_weight_is_used_up():
    used, error = exhaust(TooManyRequestsError)
    assert [limit.count for limit in used if limit.rateLimitType == "REQUEST_WEIGHT"] == [LIMIT]
    assert error.status_code == -1003
    assert "current limit is 6000 request weight per 1 MINUTE" in error.error_message
    assert 0 < error.retry_after <= 60


def check_who_goes_on_is_banned():
    ban = None
    for _ in range(100):
        try:
            rest.depth(symbol="BTCUSDT", limit=5000)
        except TooManyRequestsError:
            continue
        except RateLimitBanError as error:
            ban = error
            break
    assert ban.status_code == -1003
    assert ban.error_message.startswith("Way too much request weight used; IP banned until ")
    assert 60 < ban.retry_after <= 120
    raised(RateLimitBanError, rest.depth, symbol="NOSUCHCOIN")  # the ban comes before any look at parameters


run()
