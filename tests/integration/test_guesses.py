"""Guesses of credentials are limited, of every kind by the same rules."""

import base64
import hashlib
import hmac
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import requests

from app.store.memory.attempts import FAILURES_MAX
from tests.support import three_commas
from tests.support.stack import Installation
from tests.support.stand_in import stand_in
from tests.support.users import apisify

pytestmark = pytest.mark.integration

OWNER, STRANGER = "203.0.113.7", "203.0.113.9"
TRADINGVIEW = "52.89.214.238"

WRONG = "a-secret-that-nobody-has"

Send = Callable[[Installation, str, str], requests.Response]


@dataclass(frozen=True)
class Kind:
    """One kind of credential.

    Attributes:
        send: sends a request with this secret, from this peer.
        secret: finds the right secret.
        refusal: tells whether a body is what the dialect says with 429.
    """

    name: str
    send: Send
    secret: Callable[[Installation], str]
    refusal: Callable[[Mapping[str, Any]], bool]

    @property
    def counted_as(self) -> str:
        return {"admin token": "admin", "login": "admin", "webhook": "crypto_arsenal"}.get(
            self.name, self.name
        )


def _demo(*path: str) -> Callable[[Installation], str]:
    return lambda stack: str(reduce(operator.getitem, path, stack.run["demo"]))


def _token(stack: Installation) -> str:
    token: str = stack.run["admin_token"]
    return token


def _bearer(stack: Installation, secret: str, peer: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {secret}", "X-Forwarded-For": peer}
    return requests.get(stack.url("/api/accounts"), headers=headers, timeout=30)


def _login(stack: Installation, secret: str, peer: str) -> requests.Response:
    headers = {"X-Forwarded-For": peer}
    return requests.post(stack.url("/login"), json={"token": secret}, headers=headers, timeout=30)


def _basic(stack: Installation, secret: str, peer: str) -> requests.Response:
    user = stack.run["demo"]["hummingbot"]["username"]
    headers = {"X-Forwarded-For": peer}
    return requests.get(stack.url("/accounts/"), auth=(user, secret), headers=headers, timeout=30)


def _webhook(stack: Installation, secret: str, peer: str) -> requests.Response:
    sender = {**stack.run["demo"]["crypto_arsenal"]["spot"], "connectorToken": secret}
    return stack.send({**sender, "action": "cancelAll"}, **{"X-Forwarded-For": peer})


def _poloniex(stack: Installation, secret: str, peer: str) -> requests.Response:
    now = str(int(time.time() * 1000))
    text = f"GET\n/accounts/balances\nsignTimestamp={now}".encode()
    signature = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest())
    headers = {
        "key": stack.run["demo"]["poloniex"]["key"],
        "signature": signature.decode(),
        "signTimestamp": now,
        "X-Forwarded-For": peer,
    }
    return requests.get(stack.url("/accounts/balances"), headers=headers, timeout=30)


def _apisify(stack: Installation, secret: str, peer: str) -> requests.Response:
    now_ms = int(time.time() * 1000)
    key = stack.run["demo"]["apisify"]["apikey"]
    order = {
        **apisify.B,
        # From TradingView's addresses the key alone may be enough, so there it is what one guesses.
        "apikey": WRONG if peer == TRADINGVIEW else key,
        "timestamp": now_ms,
        "sign": apisify.signed(now_ms, secret=secret),
    }
    # One that is right, but for its symbol: it is told so only after its signature was good.
    return apisify.Caller(stack).post({**order, "symbol": "NOTHING"}, peer)


def _three_commas(stack: Installation, secret: str, peer: str) -> requests.Response:
    target = "/public/api/ver1/validate"
    key = stack.run["demo"]["three_commas"]["key"]
    headers = three_commas.headers(target, key=key, secret=secret)
    return requests.get(stack.url(target), headers={**headers, "X-Forwarded-For": peer}, timeout=30)


def _is_own(body: Mapping[str, Any]) -> bool:
    return bool(body["error"]["code"] == "rate_limited" and body["error"]["message"])


KINDS = [
    Kind("admin token", _bearer, _token, _is_own),
    Kind("login", _login, _token, _is_own),
    Kind(
        "hummingbot",
        _basic,
        _demo("hummingbot", "password"),
        lambda body: set(body) == {"detail"} and "too many" in body["detail"],
    ),
    Kind("webhook", _webhook, _demo("crypto_arsenal", "spot", "connectorToken"), _is_own),
    Kind(
        "poloniex",
        _poloniex,
        _demo("poloniex", "secret"),
        lambda body: body == {"code": 429, "message": "Too many requests"},
    ),
    Kind(
        "apisify",
        _apisify,
        _demo("apisify", "secret"),
        lambda body: (body["result"], body["code"]) == ("error", "rate_limited"),
    ),
    Kind(
        "three_commas",
        _three_commas,
        _demo("three_commas", "secret"),
        lambda body: bool(body["error"] == "too_many_requests"),
    ),
]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Installation]:
    """An installation behind a trusted proxy, which limits as one with real money does."""
    with stand_in(tmp_path, {**apisify.ENVIRONMENT, "HOOKFILL_RATE_LIMITS": "1"}) as stack:
        yield stack


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of credential."""
    given: Kind = request.param
    return given


def _guess(stack: Installation, kind: Kind, peer: str, times: int) -> list[int]:
    return [kind.send(stack, WRONG, peer).status_code for _ in range(times)]


def _is_let_in(answer: requests.Response) -> bool:
    return answer.status_code not in {401, 403, 429} and answer.status_code < 500


def test_a_peer_that_guesses_too_often_is_refused_in_the_words_of_the_dialect(
    stack: Installation, kind: Kind
) -> None:
    assert set(_guess(stack, kind, STRANGER, FAILURES_MAX)) == {401}

    refused = kind.send(stack, WRONG, STRANGER)

    assert refused.status_code == 429
    assert kind.refusal(refused.json())
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    counted = requests.get(stack.url("/metrics"), timeout=30).text
    named = f'hookfill_wrong_credentials_total{{kind="{kind.counted_as}",limited="yes"}}'
    assert named in counted


def test_what_is_right_is_let_in_whoever_guesses(stack: Installation, kind: Kind) -> None:
    assert 429 in _guess(stack, kind, STRANGER, FAILURES_MAX + 2)

    for peer in (OWNER, STRANGER):  # behind a proxy that nobody has named, the two are one
        assert _is_let_in(kind.send(stack, kind.secret(stack), peer)), peer
    assert kind.send(stack, WRONG, OWNER).status_code == 401


def test_an_address_that_many_share_is_never_refused(stack: Installation, kind: Kind) -> None:
    assert set(_guess(stack, kind, TRADINGVIEW, FAILURES_MAX + 2)) == {401}
