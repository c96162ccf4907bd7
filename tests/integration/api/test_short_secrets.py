"""Secrets that people have chosen too short are taken, and called weak."""

import pytest

from app.services.admin.records import SHORT_SECRET_CHARACTERS
from tests.support.caller import Caller, Json

pytestmark = pytest.mark.integration

LONG = "x" * SHORT_SECRET_CHARACTERS
SHORT = LONG[1:]

#: Where each kind is set, what it calls its secret, and what else it needs.
KINDS: list[tuple[str, str, Json]] = [
    ("/api/clients/hummingbot/me", "password", {"accounts": ["play"]}),
    ("/api/clients/poloniex/me", "secret", {"accounts": ["play"]}),
    ("/api/clients/three_commas/me", "secret", {"accounts": ["play"]}),
    (f"/api/clients/apisify/{LONG * 2}", "secret", {"accounts": ["play"]}),
    ("/api/connectors/me", "token", {"account": "play", "symbol": "BTC/USDT"}),
]


@pytest.fixture(autouse=True)
def _account(api: Caller) -> None:
    api.call("PUT", "/api/accounts/play")


def _told(api: Caller) -> list[Json]:
    findings = api.call("POST", "/api/doctor")["findings"]
    return [one for one in findings if one["check"] in {"clients", "connectors"}]


@pytest.mark.parametrize(("path", "word", "needed"), KINDS)
def test_a_short_secret_is_called_weak_until_it_is_a_longer_one(
    api: Caller, path: str, word: str, needed: Json
) -> None:
    made = api.call("PUT", path, {**needed, word: SHORT})

    assert f"The {word} has fewer than 16 characters" in made["weakness"]
    assert api.call("GET", path)["weakness"] == made["weakness"]
    assert api.call("PUT", path, {"enabled": True})["weakness"] == made["weakness"]
    (row,) = _told(api)
    assert row["grade"] == "warning"
    assert made["weakness"] in row["message"]
    assert "16 characters or more" in row["fix"]
    assert SHORT not in str(row)
    assert "weakness" not in api.call("PUT", path, {word: LONG})
    assert _told(api) == []


@pytest.mark.parametrize(("path", "word", "needed"), KINDS)
def test_one_that_is_made_here_is_not_weak(api: Caller, path: str, word: str, needed: Json) -> None:
    made = api.call("PUT", path, needed)

    assert len(made[word]) >= SHORT_SECRET_CHARACTERS
    assert "weakness" not in made


def test_what_is_switched_off_is_no_finding(api: Caller) -> None:
    for path, word, needed in KINDS:
        api.call("PUT", path, {**needed, word: SHORT})
        api.call("DELETE", path)

    assert _told(api) == []
