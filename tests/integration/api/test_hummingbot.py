"""Who is let in by the Hummingbot routes, where several web processes share a store."""

from dataclasses import replace
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.bootstrap import Wiring, web_wiring
from app.dialects.hummingbot.callers import LOOKS_PER_SECOND
from app.domain.account import ApiClient
from app.domain.enums import Dialect
from app.domain.identifiers import AccountName
from app.factory import create_app
from app.settings import Settings
from app.store.memory.attempts import FAILURES_MAX
from tests.support.builders import a_live_account
from tests.support.caller import Caller
from tests.support.processes import eventually

pytestmark = pytest.mark.integration

USER = "/api/clients/hummingbot/admin"
ORDER = {
    "account_name": "mine",
    "connector_name": "paper",
    "trading_pair": "BTC-USDT",
    "trade_type": "BUY",
    "amount": 0.001,
    "price": 40_000,
}


@pytest.fixture
def other(settings: Settings) -> FlaskClient:
    """Another web process, which has read that there is nobody."""
    client = create_app(web_wiring(settings)).test_client()
    assert listed(client).status_code == HTTPStatus.UNAUTHORIZED
    return client


def listed(client: FlaskClient, password: str = "admin") -> TestResponse:  # noqa: S107 - of no installation
    return client.get("/accounts/", auth=("admin", password))


def made(api: Caller, password: str = "admin") -> None:  # noqa: S107
    api.call("PUT", "/paper/accounts/mine", {"market": "SPOT", "balances": {"USDT": "1000"}})
    api.call("PUT", USER, {"password": password, "accounts": ["mine"]})


def test_who_was_made_known_in_another_process_is_let_in_at_once(
    api: Caller, other: FlaskClient
) -> None:
    made(api)

    assert listed(other).get_json() == ["mine"]


def test_who_was_made_known_in_another_process_is_let_in_whoever_has_guessed(
    api: Caller, settings: Settings
) -> None:
    other = create_app(web_wiring(replace(settings, rate_limits=True))).test_client()
    statuses = {listed(other).status_code for _ in range(FAILURES_MAX + 2)}
    assert statuses == {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}

    made(api)

    eventually(lambda: listed(other).status_code == HTTPStatus.OK)


def test_an_old_password_is_refused_at_once(
    api: Caller, wiring: Wiring, other: FlaskClient
) -> None:
    wiring.paper.seed_instruments()
    made(api)
    listed(other)
    made(api, "another")

    placed = other.post("/trading/orders", json=ORDER, auth=("admin", "admin"))
    assert placed.status_code == HTTPStatus.UNAUTHORIZED
    made(api, "one more")
    assert listed(other, "another").status_code == HTTPStatus.UNAUTHORIZED
    assert listed(other, "one more").status_code == HTTPStatus.OK


def test_who_was_switched_off_is_refused_at_once(api: Caller, other: FlaskClient) -> None:
    made(api)
    listed(other)
    api.call("DELETE", USER)

    assert listed(other).status_code == HTTPStatus.UNAUTHORIZED


def test_a_crowd_of_strangers_does_not_keep_the_store_busy(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = create_app(wiring).test_client()
    listed(client)
    asked: list[int] = []
    refresh = wiring.registry.refresh

    def counted() -> bool:
        asked.append(1)
        return refresh()

    monkeypatch.setattr(wiring.registry, "refresh", counted)

    for _ in range(5 * LOOKS_PER_SECOND):
        assert listed(client, "guess").status_code == HTTPStatus.UNAUTHORIZED
        client.get("/accounts/")

    assert len(asked) <= 3 * LOOKS_PER_SECOND


def test_default_credentials_do_not_open_accounts_with_money(
    api: Caller, wiring: Wiring, other: FlaskClient
) -> None:
    made(api)
    live = wiring.registry.put_account(a_live_account("live", group="mine"))

    refused = api.send("PUT", USER, {"accounts": ["mine", "live"]})
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert "password" in refused.get_json()["error"]["fields"]
    assert listed(other).get_json() == ["mine"]

    secret = wiring.vault.hashed("hummingbot:admin", "admin")
    known = ApiClient(dialect=Dialect.HUMMINGBOT, key="admin", secret=secret)
    wiring.registry.put_client(replace(known, accounts=(live.name,)))
    assert listed(other).status_code == HTTPStatus.UNAUTHORIZED
    api.call("PUT", USER, {"password": "mine alone"})
    assert listed(other, "mine alone").get_json() == ["mine"]


def test_an_account_that_is_gone_takes_nobody_along(
    api: Caller, wiring: Wiring, other: FlaskClient
) -> None:
    made(api)
    known = wiring.registry.client(Dialect.HUMMINGBOT, "admin")
    assert known is not None
    gone = (*known.accounts, AccountName("gone"))
    wiring.registry.put_client(replace(known, accounts=gone))

    assert listed(other).get_json() == ["mine"]


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"5",
    b"{",
    b"\xff",
    b'{"limit": 1e400}',
    b'{"limit": 99999999999999999999999999999999999999999999}',
    b'{"limit": NaN}',
    b'{"start_time": 1e30, "end_time": -1e30}',
    b'{"start_time": -99999999999999999999}',
    b'{"cursor": "OTk5OTk5OTk5OTk5OTk5OXw5OTk5OTk5OTk5OTk5OTk5"}',
    b'{"cursor": "\\ud800"}',
    b'{"cursor": 5}',
    b'{"account_names": [null], "connector_names": "x"}',
    b'{"trading_pairs": ["", "-", "\\u0000", "/"], "status": "", "trade_types": ["x"]}',
    b'{"leverage": 1e1, "trading_pair": "", "position_mode": "\\u0000"}',
    b'{"a":' * 500,
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body[:20])
def test_no_body_is_a_mistake_of_ours(api: Caller, other: FlaskClient, body: bytes) -> None:
    made(api)

    for rule in other.application.url_map.iter_rules():
        if rule.endpoint.startswith("hummingbot.") and "POST" in (rule.methods or set()):
            for names in (("mine", "paper", "x" * 999), ("mine", "paper_perpetual", "%00")):
                path = rule.rule
                for argument, value in zip(
                    ("account_name", "connector_name", "order_id"), names, strict=True
                ):
                    path = path.replace(f"<{argument}>", value)
                answer = other.post(
                    path, data=body, auth=("admin", "admin"), content_type="application/json"
                )
                assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, f"{path} {body!r}"
