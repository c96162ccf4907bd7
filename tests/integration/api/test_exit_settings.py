"""How exits go on is set per connector and client, and each request carries it with it."""

import pytest

from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.domain.exits import USUAL, ExitRules
from app.domain.request.request import Request
from app.domain.smart_trade.trade import SmartTrade
from tests.support.caller import Caller
from tests.support.each_dialect import KEY, Sent, open_for_all, request_of

pytestmark = pytest.mark.integration

PATHS = {
    Dialect.CRYPTO_ARSENAL: "/api/connectors/demo",
    Dialect.APISIFY: f"/api/clients/apisify/{KEY}",
    Dialect.THREE_COMMAS: f"/api/clients/three_commas/{KEY}",
}
BOTH = {"exit_patience_seconds": 90, "limit_exit_seconds": 30}


@pytest.fixture
def caller(demo: Caller) -> Caller:
    open_for_all(demo)
    return demo


def send(caller: Caller, one: Sent) -> None:
    answer = one.to(caller.client)
    assert answer.status_code in {200, 201}, answer.text


def rules_of_the_newest(wiring: Wiring) -> ExitRules:
    found = next(iter(wiring.reader.newest(None)))
    assert isinstance(found, Request | SmartTrade)
    return found.exits


def settings_of(dialect: Dialect) -> dict[str, int]:
    """Return what can be set: an exit of a smart trade goes on for ever."""
    if dialect is Dialect.THREE_COMMAS:
        return {"limit_exit_seconds": 30}
    return BOTH


@pytest.mark.parametrize("dialect", list(PATHS))
def test_a_request_has_the_settings_of_whose_it_is(
    dialect: Dialect, caller: Caller, wiring: Wiring
) -> None:
    send(caller, request_of(dialect, 1))
    assert rules_of_the_newest(wiring) == USUAL

    shown = caller.call("PUT", PATHS[dialect], settings_of(dialect))
    assert settings_of(dialect).items() <= shown.items()
    send(caller, request_of(dialect, 2))

    patience_ms = 60_000 if dialect is Dialect.THREE_COMMAS else 90_000
    assert rules_of_the_newest(wiring) == ExitRules(patience_ms=patience_ms, limit_ms=30_000)


@pytest.mark.parametrize("dialect", list(PATHS))
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_exit_seconds", -1),
        ("limit_exit_seconds", 604_801),
        ("limit_exit_seconds", "soon"),
        ("exit_patience_seconds", 0),
        ("exit_patience_seconds", 3_601),
    ],
)
def test_what_cannot_be_is_refused(
    dialect: Dialect, name: str, value: object, caller: Caller
) -> None:
    answer = caller.send("PUT", PATHS[dialect], {name: value})

    assert answer.status_code == 400
    assert name in answer.get_json()["error"]["fields"]
