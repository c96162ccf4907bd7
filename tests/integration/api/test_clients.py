"""API clients are made, changed, shown and switched off, each dialect with its own settings."""

import pytest
import redis

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.store.core import keys
from tests.support.builders import must
from tests.support.caller import Caller

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")


@pytest.fixture(autouse=True)
def _accounts(api: Caller) -> None:
    api.call("PUT", "/api/accounts/spot")
    api.call("PUT", "/api/accounts/usdm", {"market": "USDM"})


@pytest.mark.parametrize("dialect", [Dialect.APISIFY, Dialect.POLONIEX, Dialect.THREE_COMMAS])
def test_a_secret_that_signs_is_sealed(api: Caller, wiring: Wiring, dialect: Dialect) -> None:
    made = api.call("PUT", f"/api/clients/{dialect}/my-key", {"accounts": ["spot"]})

    secret = made.pop("secret")
    assert made == {
        "dialect": dialect,
        "key": "my-key",
        "accounts": ["spot"],
        "permissions": None,
        "enabled": True,
    }
    assert api.call("GET", f"/api/clients/{dialect}/my-key") == made
    assert api.call("GET", "/api/clients") == {"data": [made]}
    stored = must(wiring.registry.client(dialect, "my-key"))
    assert secret not in stored.secret
    assert wiring.vault.decrypt(f"{dialect}:my-key", stored.secret) == {"secret": secret}


def test_a_password_is_hashed(api: Caller, wiring: Wiring) -> None:
    path = "/api/clients/hummingbot/admin"
    answer = api.send("PUT", path, {"password": "open sesame", "accounts": ["spot", "usdm"]})

    assert answer.get_json()["accounts"] == ["spot", "usdm"]
    assert "sesame" not in answer.text
    stored = must(wiring.registry.client(Dialect.HUMMINGBOT, "admin"))
    assert wiring.vault.matches(stored.origin, "open sesame", stored.secret)
    made = api.call("PUT", "/api/clients/hummingbot/other")["password"]
    assert len(made) >= 32


def test_only_what_is_named_changes(api: Caller, wiring: Wiring) -> None:
    path = "/api/clients/apisify/my-key"
    first = {"secret": "s3cret", "accounts": ["usdm"], "close_mode": "all"}
    made = api.call("PUT", path, first)

    changed = api.call("PUT", path, {"sar_same_side": "add", "accounts": ["usdm", "spot"]})

    assert changed == {**made, "sar_same_side": "add", "accounts": ["usdm", "spot"]}
    assert changed["close_mode"] == "all"
    stored = must(wiring.registry.client(Dialect.APISIFY, "my-key"))
    assert wiring.vault.decrypt("apisify:my-key", stored.secret) == {"secret": "s3cret"}


def test_a_client_is_switched_off_and_on(api: Caller) -> None:
    api.call("PUT", "/api/clients/poloniex/my-key")

    assert api.call("DELETE", "/api/clients/poloniex/my-key")["enabled"] is False
    assert api.call("PUT", "/api/clients/poloniex/my-key", {"enabled": True})["enabled"] is True


def test_both_spellings_of_a_permission_are_one(api: Caller) -> None:
    body = {"permissions": ["SMART_TRADES_READ", "SMART_TRADE_WRITE", "SMART_TRADE_READ"]}

    made = api.call("PUT", "/api/clients/three_commas/my-key", body)

    assert made["permissions"] == ["SMART_TRADE_READ", "SMART_TRADE_WRITE"]


@pytest.mark.parametrize("dialect", ["crypto_arsenal", "telegram", "POLONIEX"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_dialect_without_clients(api: Caller, method: str, dialect: str) -> None:
    assert api.refusal(method, f"/api/clients/{dialect}/x", {}) == (404, "not_found", [])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_client_that_is_not_there(api: Caller, method: str) -> None:
    assert api.refusal(method, "/api/clients/apisify/x") == (404, "not_found", [])


@pytest.mark.parametrize(
    ("dialect", "body", "fields"),
    [
        ("apisify", {"password": "x"}, ["password"]),
        ("hummingbot", {"secret": "x"}, ["secret"]),
        ("apisify", {"secret": ""}, ["secret"]),
        ("apisify", {"secret": "x" * 257}, ["secret"]),
        ("apisify", {"accounts": ["nobody"]}, ["accounts"]),
        ("apisify", {"accounts": "spot"}, ["accounts"]),
        ("apisify", {"accounts": [5]}, ["accounts.0"]),
        ("apisify", {"close_mode": "half", "color": "red"}, ["close_mode", "color"]),
        ("apisify", {"dedup_window_seconds": -1}, ["dedup_window_seconds"]),
        ("apisify", {"permissions": ["TRADE"]}, ["permissions.0"]),
        ("poloniex", {"accounts": ["spot", "usdm"]}, ["accounts"]),
        ("poloniex", {"accounts": ["usdm"]}, ["accounts"]),
        ("poloniex", {"by_id_shape": "tuple"}, ["by_id_shape"]),
        ("poloniex", {"close_mode": "all"}, ["close_mode"]),
        ("three_commas", {"permissions": ["TRADE"]}, ["permissions.0"]),
        ("three_commas", {"enabled": 1}, ["enabled"]),
    ],
)
def test_what_is_wrong_is_said_by_field(
    api: Caller, dialect: str, body: dict[str, object], fields: list[str]
) -> None:
    assert api.refusal("PUT", f"/api/clients/{dialect}/x", body) == (*BAD, fields)
    assert api.call("GET", "/api/clients") == {"data": []}


@pytest.mark.parametrize("key", ["a%20b", "x" * 129, "%C3%A9"])
def test_a_key_that_cannot_be(api: Caller, key: str) -> None:
    assert api.refusal("PUT", f"/api/clients/apisify/{key}", {}) == (*BAD, ["name"])


def test_a_client_of_an_account_that_is_gone_can_be_switched_off(
    demo: Caller, redis_server: str
) -> None:
    demo.call("PUT", "/api/clients/apisify/one", {"accounts": ["demo"]})
    with redis.Redis.from_url(redis_server) as client:
        client.hdel(keys.ACCOUNTS, "demo")
    demo.call("PUT", "/api/accounts/other")  # so that all is read anew

    changed = demo.call("PUT", "/api/clients/apisify/one", {"enabled": False})

    assert (changed["accounts"], changed["enabled"]) == (["demo"], False)
    refused = demo.refusal("PUT", "/api/clients/apisify/one", {"accounts": ["demo"]})
    assert refused == (400, "validation_failed", ["accounts"])
