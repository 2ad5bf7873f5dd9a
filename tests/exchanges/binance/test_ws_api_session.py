"""Who asks over the WebSocket API: signatures of every kind of key, logon, and keys for single requests."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from emulator.exchanges.binance.eras import Eras
from emulator.runtime.ports import KeyRecord
from tests.exchanges.binance.switchboard import Caller, Key, Switchboard, escaped, payload
from tests.exchanges.binance.trading_floor import DEMO, LIMIT_BUY, NOW_MS, OTHER

pytestmark = pytest.mark.anyio

MALFORMED = (401, -2014, "API-key format invalid.")
UNKNOWN = (401, -2015, "Invalid API-key, IP, or permissions for action.")
UNSIGNED = (400, -1022, "Signature for this request is not valid.")
LATE = (400, -1021, "Timestamp for this request is outside of the recvWindow.")
NOBODY = (401, -1002, "You are not authorized to execute this request.")


def missing(name: str) -> tuple[int, int, str]:
    return 400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard(timestamps="sandbox").on_air() as on_air:
        yield on_air


@pytest.fixture
async def caller(board: Switchboard) -> AsyncIterator[Caller]:
    async with board.call() as connected:
        yield connected


# Signatures

DOCUMENTED_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
DOCUMENTED_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
DOCUMENTED = {
    "type": "LIMIT",
    "timeInForce": "GTC",
    "apiKey": DOCUMENTED_KEY,
    "timestamp": 1645423376532,
}


# web-socket-api.md, "SIGNED request example (HMAC)". A symbol that is not listed is found so only after the
# signature was found to be right.
@pytest.mark.parametrize(
    ("params", "signature", "code"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "0.01000000",
                "price": "52000.00",
                "recvWindow": 100,
            },
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
            None,
        ),
        (
            {
                "symbol": "１２３４５６",
                "side": "BUY",
                "quantity": "1.00000000",
                "price": "0.10000000",
                "recvWindow": 5000,
            },
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
            -1121,
        ),
    ],
)
async def test_documented_signatures(params: dict[str, Any], signature: str, code: int | None) -> None:
    async with Switchboard(timestamps="off").on_air() as board, board.call() as caller:
        await board.price("52000")
        account = board.sandbox.accounts[DEMO]
        await board.sandbox.add_key(KeyRecord(key=DOCUMENTED_KEY, account=account, secret=DOCUMENTED_SECRET))
        sent = {**DOCUMENTED, **params}
        for spelled in (signature, signature.upper()):
            answer = await caller.ask("order.test", {**sent, "signature": spelled})
            assert answer.get("error", {"code": None})["code"] == code, answer
        for wrong in ({"signature": "0" + signature[1:]}, {"signature": signature, "timeInForce": "IOC"}):
            assert await caller.no("order.test", {**sent, **wrong}) == UNSIGNED


KINDS = ("hmac", "ed25519", "rsa")


async def key_of(kind: str, board: Switchboard, who: str = DEMO) -> Key:
    match kind:
        case "ed25519":
            return await board.add_ed25519_key(who)
        case "rsa":
            return await board.add_rsa_key(who)
    secret = f"secret-of-{who}".encode()
    return Key(f"key-of-{who}", lambda text: hmac.digest(secret, text, "sha256").hex(), board)


@pytest.mark.parametrize("kind", KINDS)
async def test_keys_of_every_kind_sign_requests(kind: str, board: Switchboard, caller: Caller) -> None:
    key = await key_of(kind, board)
    placed = await caller.take("order.place", key.sign(**LIMIT_BUY))
    assert (await board.order(placed["orderId"]))["status"] == "NEW"
    signed = key.sign(**LIMIT_BUY)
    assert await caller.no("order.place", {**signed, "quantity": "0.02"}) == UNSIGNED
    assert await caller.no("order.place", {**signed, "signature": "AAAA"}) == UNSIGNED
    assert await caller.no("order.place", {**signed, "signature": "ä"}) == UNSIGNED


async def test_parameters_may_come_in_any_order(board: Switchboard, caller: Caller) -> None:
    signed = board.sign(**LIMIT_BUY)
    assert (await caller.take("order.place", dict(reversed(signed.items()))))["status"] == "NEW"


def signature_over(text: bytes) -> str:
    return hmac.digest(f"secret-of-{DEMO}".encode(), text, "sha256").hex()


async def test_what_clients_sign(board: Switchboard, caller: Caller) -> None:
    """ccxt signs as documented; the exchange's own connector and python-binance escape, and python-binance
    signs its language's words for truth."""
    mine = {"apiKey": f"key-of-{DEMO}", "timestamp": NOW_MS}
    named = {**mine, **LIMIT_BUY, "symbol": "１２３", "newClientOrderId": "a-b_c"}
    # A symbol that nobody lists is refused only when the signature was right.
    for text in (payload(named), escaped(named)):
        assert (await caller.no("order.place", {**named, "signature": signature_over(text)}))[1] == -1121
    truth = {**mine, "omitZeroBalances": True, "returnRateLimits": False}
    for text in (payload(truth), escaped(truth)):
        assert await caller.take("account.status", {**truth, "signature": signature_over(text)})


async def test_escaping_may_be_refused() -> None:
    board = Switchboard(eras=Eras(signature_encoding="encoded"), timestamps="sandbox")
    async with board.on_air(), board.call() as caller:
        named = {"apiKey": f"key-of-{DEMO}", "timestamp": NOW_MS, **LIMIT_BUY, "symbol": "１２３"}
        assert (await caller.no("order.place", {**named, "signature": signature_over(payload(named))}))[
            1
        ] == -1121
        assert (
            await caller.no("order.place", {**named, "signature": signature_over(escaped(named))}) == UNSIGNED
        )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda params: params.pop("apiKey"), missing("apiKey")),
        (lambda params: params.pop("timestamp"), missing("timestamp")),
        (lambda params: params.pop("signature"), missing("signature")),
        (lambda params: params.pop("symbol"), missing("symbol")),
        (lambda params: params.update(apiKey=None), (400, -1105, "Parameter 'apiKey' was empty.")),
        (lambda params: params.update(apiKey="no key!"), MALFORMED),
        (lambda params: params.update(apiKey="k" * 64), UNKNOWN),
        (lambda params: params.update(timestamp=NOW_MS - 5001), LATE),
        (lambda params: params.update(recvWindow=60_001), (400, -1131, "recvWindow must be less than 60000")),
        (lambda params: params.update(timestamp="soon"), None),
    ],
)
async def test_what_proves_nothing_is_refused(
    change: Callable[[dict[str, Any]], Any],
    refusal: tuple[int, int, str] | None,
    board: Switchboard,
    caller: Caller,
) -> None:
    params = board.sign(**LIMIT_BUY)
    change(params)
    found = await caller.no("order.place", params)
    assert found == refusal if refusal is not None else found[:2] == (400, -1100)
    assert await board.get("openOrders") == []


async def test_a_key_may_only_do_what_it_is_permitted(board: Switchboard, caller: Caller) -> None:
    record = KeyRecord(
        key="reader",
        account=board.sandbox.accounts[DEMO],
        secret="s",
        permissions=frozenset({"read"}),
    )
    await board.sandbox.add_key(record)
    reader = Key("reader", lambda text: hmac.digest(b"s", text, "sha256").hex(), board)
    assert await caller.take("account.status", reader.sign())
    assert await caller.no("order.place", reader.sign(**LIMIT_BUY)) == UNKNOWN
    await caller.take("session.logon", reader.sign())
    assert await caller.no("order.place", {**LIMIT_BUY, "timestamp": NOW_MS}) == UNKNOWN
    assert await caller.take("userDataStream.subscribe") == {"subscriptionId": 0}
    trader = KeyRecord(
        key="trader",
        account=board.sandbox.accounts[DEMO],
        secret="s",
        permissions=frozenset({"trade"}),
    )
    await board.sandbox.add_key(trader)
    key = Key("trader", lambda text: hmac.digest(b"s", text, "sha256").hex(), board)
    assert await caller.no("userDataStream.subscribe.signature", key.sign()) == UNKNOWN
    await caller.take("session.logon", key.sign())
    assert await caller.no("userDataStream.subscribe") == UNKNOWN


# Logon


@pytest.mark.parametrize("kind", KINDS)
async def test_logging_on_and_out(kind: str, board: Switchboard, caller: Caller) -> None:
    key = await key_of(kind, board)
    nobody = {
        "apiKey": None,
        "authorizedSince": None,
        "connectedSince": NOW_MS,
        "returnRateLimits": True,
        "serverTime": NOW_MS,
        "userDataStream": False,
    }
    assert await caller.take("session.status") == nobody
    await board.sandbox.step_clock(1_000_000)
    state = await caller.take("session.logon", key.sign())
    on = {**nobody, "apiKey": key.name, "authorizedSince": NOW_MS + 1000, "serverTime": NOW_MS + 1000}
    assert state == on
    await board.sandbox.step_clock(1_000_000)
    assert await caller.take("session.status") == {**on, "serverTime": NOW_MS + 2000}

    timely = {"timestamp": NOW_MS + 2000}
    placed = await caller.take("order.place", {**LIMIT_BUY, **timely})
    found = await caller.take("order.status", {"symbol": "BTCUSDT", "orderId": placed["orderId"], **timely})
    assert found["status"] == "NEW"
    assert await caller.no("account.status") == missing("timestamp")
    assert await caller.no("account.status", {"timestamp": NOW_MS - 4000}) == LATE

    assert await caller.take("session.logout") == {**nobody, "serverTime": NOW_MS + 2000}
    assert await caller.take("session.logout") == {**nobody, "serverTime": NOW_MS + 2000}
    assert await caller.no("account.status", timely) == missing("apiKey")


async def test_logging_on_always_takes_a_signature(board: Switchboard, caller: Caller) -> None:
    assert await caller.no("session.logon") == missing("apiKey")
    assert await caller.no("session.logon", {**board.sign(), "signature": "00"}) == UNSIGNED
    assert await caller.no("session.logon", {**board.sign(), "apiKey": "k" * 64}) == UNKNOWN
    await caller.take("session.logon", board.sign())
    assert await caller.no("session.logon", {"timestamp": NOW_MS}) == missing("apiKey")
    assert (await caller.no("session.logon", board.sign(symbol="BTCUSDT")))[1] == -1104


async def test_logging_on_again_changes_the_key(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    assert (await caller.take("session.logon", board.sign(OTHER)))["apiKey"] == f"key-of-{OTHER}"
    await caller.take("order.place", {**LIMIT_BUY, "timestamp": NOW_MS})
    assert len(await board.get("openOrders", who=OTHER)) == 1
    assert await board.get("openOrders") == []


async def test_a_failed_logon_changes_nothing(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    assert await caller.no("session.logon", {**board.sign(OTHER), "signature": "00"}) == UNSIGNED
    assert (await caller.take("session.status"))["apiKey"] == f"key-of-{DEMO}"


async def test_a_request_may_bring_a_key_of_its_own(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    await caller.own("order.place", OTHER, **LIMIT_BUY)
    assert len(await board.get("openOrders", who=OTHER)) == 1
    assert (await caller.take("session.status"))["apiKey"] == f"key-of-{DEMO}"
    # A key that is brought has to be proven, also when it is the one that is logged on.
    assert await caller.no("account.status", {"timestamp": NOW_MS, "apiKey": f"key-of-{DEMO}"}) == missing(
        "signature"
    )
    assert await caller.no("account.status", {**board.sign(OTHER), "signature": "00"}) == UNSIGNED


async def test_a_signature_without_a_key_is_of_the_one_logged_on(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    params: dict[str, Any] = {"timestamp": NOW_MS}
    assert await caller.take("account.status", {**params, "signature": signature_over(payload(params))})
    assert await caller.no("account.status", {**params, "signature": "00"}) == UNSIGNED


async def test_connections_do_not_share_a_logon(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    async with board.call() as another:
        assert (await another.take("session.status"))["apiKey"] is None
        assert await another.no("account.status", {"timestamp": NOW_MS}) == missing("apiKey")


async def test_requests_are_decided_in_the_order_in_which_they_come(
    board: Switchboard, caller: Caller
) -> None:
    """Nobody waits for the answer to a logon before sending what relies on it."""
    await caller.send("session.logon", board.sign(), id="logon")
    await caller.send("order.place", {**LIMIT_BUY, "timestamp": NOW_MS}, id="place")
    await caller.send("session.logout", id="logout")
    await caller.send("account.status", {"timestamp": NOW_MS}, id="status")
    answers: dict[str, int] = {}
    while len(answers) < 4:
        answer = await caller.answer()
        answers[answer["id"]] = answer["status"]
    assert answers == {"logon": 200, "place": 200, "logout": 200, "status": 400}


@pytest.mark.parametrize("kind", KINDS)
async def test_only_ed25519_keys_log_on_where_the_documents_are_kept_to(kind: str) -> None:
    board = Switchboard(eras=Eras(session_logon="ed25519"), timestamps="sandbox")
    async with board.on_air(), board.call() as caller:
        key = await key_of(kind, board)
        if kind == "ed25519":
            assert (await caller.take("session.logon", key.sign()))["apiKey"] == key.name
        else:
            assert await caller.no("session.logon", key.sign()) == UNSIGNED
            assert (await caller.take("session.status"))["apiKey"] is None
        assert await caller.take("userDataStream.subscribe.signature", key.sign()) == {"subscriptionId": 0}


# web-socket-api.md, "Authenticate after connection".
async def test_a_key_that_is_taken_away_ends_the_logon(board: Switchboard, caller: Caller) -> None:
    key = await board.add_ed25519_key()
    await caller.take("session.logon", key.sign())
    await caller.take("userDataStream.subscribe")
    await board.sandbox.remove_key(key.name)
    await caller.send("account.status", {"timestamp": NOW_MS}, id="mine")
    assert await caller.next() == {
        "id": None,
        "status": 401,
        "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    }
    answer = await caller.answer()
    assert (answer["id"], answer["error"]["code"]) == ("mine", -1102)
    assert (await caller.event())["event"]["e"] == "eventStreamTerminated"
    state = await caller.take("session.status")
    assert (state["apiKey"], state["userDataStream"]) == (None, False)


async def test_a_key_that_was_replaced_is_another_one(board: Switchboard, caller: Caller) -> None:
    await caller.take("session.logon", board.sign())
    record = board.sandbox.keys[f"key-of-{DEMO}"]
    await board.sandbox.remove_key(record.key)
    await board.sandbox.add_key(record)
    await caller.send("ping")
    assert (await caller.next())["status"] == 401
    assert (await caller.next())["status"] == 200


async def test_who_is_not_logged_on_subscribes_to_nothing(caller: Caller) -> None:
    assert await caller.no("userDataStream.subscribe") == NOBODY


# Sandboxes


async def test_a_key_leads_to_its_sandbox(board: Switchboard) -> None:
    other = await board.sandboxes.create("other")
    await other.add_key(KeyRecord(key="there", account=other.accounts[DEMO], secret="s"))
    there = Key("there", lambda text: hmac.digest(b"s", text, "sha256").hex(), board)
    async with board.call() as caller:
        placed = await caller.take("order.place", there.sign(**LIMIT_BUY))
        assert len(other.engines["binance"].state.accounts[other.accounts[DEMO]].open_orders) == 1
        assert await board.get("openOrders") == []
        await caller.take("session.logon", there.sign())
        terms = {"symbol": "BTCUSDT", "orderId": placed["orderId"], "timestamp": NOW_MS}
        assert (await caller.take("order.status", terms))["status"] == "NEW"
        await caller.take("session.logout")
        # Nobody logged on, so it is the sandbox of the address again.
        assert (await caller.no("order.status", board.sign(**terms)))[1] == -2013
    async with board.call(path="/~other/ws-api/v3") as caller:
        # The address says which one it is; the default one's key of the same name is another.
        assert await caller.take("account.status", there.sign())
        assert (await caller.own("order.place", **LIMIT_BUY))["status"] == "NEW"
        assert await board.get("openOrders") == []
    async with board.call(path="/~default/ws-api/v3") as caller:
        assert await caller.no("account.status", there.sign()) == UNKNOWN


async def test_a_connection_ends_with_the_sandbox_it_is_logged_on_to(board: Switchboard) -> None:
    other = await board.sandboxes.create("other")
    await other.add_key(KeyRecord(key="there", account=other.accounts[DEMO], secret="s"))
    there = Key("there", lambda text: hmac.digest(b"s", text, "sha256").hex(), board)
    async with board.call() as logged_on, board.call() as subscribed, board.call() as stranger:
        await logged_on.take("session.logon", there.sign())
        await subscribed.take("userDataStream.subscribe.signature", there.sign())
        await board.sandboxes.drop("other")
        assert (await logged_on.closed())[0] == 1012
        assert (await subscribed.closed())[0] == 1012
        assert await stranger.take("ping") == {}


async def test_base64_may_have_lost_its_plus(board: Switchboard, caller: Caller) -> None:
    """As over REST: a form turns it into a space."""
    key = await board.add_ed25519_key()
    params = key.sign(newClientOrderId="x", **LIMIT_BUY)
    raw = base64.b64decode(params["signature"])
    spaced = base64.b64encode(raw).decode().replace("+", " ")
    assert (await caller.take("order.place", {**params, "signature": spaced}))["status"] == "NEW"
