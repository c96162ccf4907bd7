"""Secret keys are rotated: everything gets the newest, and the others can go."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from app.bootstrap import Wiring, web_wiring
from app.cli.keys import rekey as command
from app.demo import seed
from app.domain.enums import Dialect
from app.domain.identifiers import AccountName
from app.factory import create_app
from app.services.admin import rekey as rekeying
from app.settings import Secret, Settings
from app.store.core.registry import RedisRegistry
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.builders import must
from tests.support.caller import Caller, Json
from tests.support.each_dialect import SECRET, open_for_all, request_of
from tests.unit.store.test_vault import bare_digest

pytestmark = pytest.mark.integration

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
CREDENTIALS = {"apiKey": "of-the-exchange", "secret": "that-nobody-sees"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, secret_keys=(Secret(OLD),))


@pytest.fixture
def with_keys(settings: Settings) -> Iterator[Callable[..., tuple[Wiring, Caller]]]:
    """Start the installation anew, with other keys."""
    started: list[Wiring] = []

    def start(*keys: str) -> tuple[Wiring, Caller]:
        wiring = web_wiring(replace(settings, secret_keys=tuple(map(Secret, keys))))
        started.append(wiring)
        return wiring, Caller(create_app(wiring).test_client(), ADMIN_TOKEN)

    yield start
    for wiring in started:
        wiring.memory._client.connection_pool.disconnect()  # noqa: SLF001 - the one of the process


@pytest.fixture
def used(demo: Caller, wiring: Wiring) -> Caller:
    """Return a caller of an installation that has something sealed of every kind."""
    open_for_all(demo)
    seal_credentials(wiring)
    return demo


def seal_credentials(wiring: Wiring) -> None:
    """Give the demo account credentials, which the API takes for real venues alone."""
    account = wiring.registry.account_named(AccountName("demo"))
    sealed = wiring.vault.encrypt("demo", CREDENTIALS)
    wiring.registry.put_account(replace(account, credentials=sealed))


def refused(api: Caller) -> list[str]:
    """Return the dialects that do not know their callers."""
    found = []
    for number, dialect in enumerate(Dialect, start=1):
        sent = request_of(dialect, number)
        answer = sent.to(api.client)
        if answer.status_code in {401, 403, 503}:
            found.append(f"{dialect}: {answer.text}")
    return found


def renewed_by(api: Caller) -> Json:
    return api.call("POST", "/api/rekey")


def test_what_has_the_newest_key_needs_no_other(
    used: Caller, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    _, both = with_keys(NEW, OLD)

    done, again = renewed_by(both), renewed_by(both)

    assert refused(used) != []  # its process knows the old key alone
    assert done == {
        "keys": 2,
        "renewed": {"accounts": 1, "connectors": 1, "clients": 4},
        "newest": 6,
        "older": 0,
        "unreadable": [],
    }
    assert again == {**done, "renewed": {}}
    wiring, new = with_keys(NEW)
    assert refused(new) == []
    sealed = must(wiring.registry.account_named(AccountName("demo")).credentials)
    assert wiring.vault.decrypt("demo", sealed) == CREDENTIALS


def test_tokens_of_an_earlier_release_go_on_and_survive_their_key(
    demo: Caller, wiring: Wiring, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    connector = must(wiring.registry.connector("demo"))
    wiring.registry.put_connector(replace(connector, token_hash=bare_digest(OLD, "demo-token")))
    order = {"action": "buy", "fixed": "0.001"}
    before = demo.signal(**order).status_code
    _, both = with_keys(NEW, OLD)
    between = both.signal(**order).status_code

    done = renewed_by(both)

    _, new = with_keys(NEW)
    assert [before, between, new.signal(**order).status_code] == [200, 200, 200]
    assert done["renewed"] == {"connectors": 1}
    wrong = {"connectorName": "demo", "connectorToken": "demo-tokem", **order}
    assert new.client.post("/trading-signal/webhook", json=wrong).status_code == 401


@pytest.mark.usefixtures("used")
def test_a_key_that_was_forgotten_costs_no_token_of_an_earlier_release(
    wiring: Wiring, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    connector = must(wiring.registry.connector("demo"))
    wiring.registry.put_connector(replace(connector, token_hash=bare_digest(OLD, "demo-token")))
    _, forgotten = with_keys(NEW)
    told = renewed_by(forgotten)

    _, both = with_keys(NEW, OLD)
    done = renewed_by(both)

    assert told["unreadable"] != []
    assert (told["renewed"], told["newest"], told["older"]) == ({}, 0, 1)
    assert (done["newest"], done["older"], done["unreadable"]) == (6, 0, [])
    assert refused(both) == []


@pytest.mark.usefixtures("used")
def test_what_no_key_opens_is_told_and_the_rest_is_sealed_anew(
    with_keys: Callable[..., tuple[Wiring, Caller]],
) -> None:
    other, _ = with_keys(Fernet.generate_key().decode())
    seal_credentials(other)
    _, both = with_keys(NEW, OLD)

    done = renewed_by(both)

    assert done["unreadable"] == ["account demo"]
    assert done["renewed"] == {"connectors": 1, "clients": 4}
    assert both.call("PUT", "/api/accounts/demo", {"credentials": None})
    assert renewed_by(both)["unreadable"] == []


def test_a_stop_halfway_and_changes_meanwhile_lose_nothing(
    used: Caller,
    with_keys: Callable[..., tuple[Wiring, Caller]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody switches clients off between reading and writing, and the process dies."""
    monkeypatch.setattr(rekeying, "BATCH", 1)
    wiring, both = with_keys(NEW, OLD)
    put: Any = RedisRegistry._put  # noqa: SLF001 - where reading is over
    others = ["/api/connectors/demo", "/api/clients/poloniex/each-dialect"]

    def meeting(registry: RedisRegistry, records: list[Any]) -> None:
        if registry is wiring.registry and records[0].origin in {
            "crypto_arsenal:demo",
            "poloniex:each-dialect",
        }:
            if not others:
                raise KeyboardInterrupt
            used.call("DELETE", others.pop(0))
        put(registry, records)

    account = wiring.registry.account_named(AccountName("demo"))
    wiring.registry.put_account(replace(account, credentials=None))
    monkeypatch.setattr(RedisRegistry, "_put", meeting)
    with pytest.raises(KeyboardInterrupt):
        renewed_by(both)
    monkeypatch.setattr(RedisRegistry, "_put", put)

    done = renewed_by(both)

    assert done["renewed"]
    assert (done["newest"], done["older"], done["unreadable"]) == (5, 0, [])
    for path in ("/api/connectors/demo", "/api/clients/poloniex/each-dialect"):
        assert both.call("GET", path)["enabled"] is False


def test_beside_others_who_change_all_the_time_nothing_of_theirs_is_lost(
    used: Caller, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    _, both = with_keys(NEW, OLD)
    _, other = with_keys(NEW, OLD)
    path, numbers = "/api/connectors/demo", range(1, 21)
    began = threading.Event()

    def change() -> None:
        for number in numbers:
            other.call("PUT", path, {"leverage": number})
            began.set()

    changing = threading.Thread(target=change)
    changing.start()
    began.wait()
    renewed_by(both)
    changing.join()

    done = renewed_by(both)

    assert (done["newest"], done["older"], done["unreadable"]) == (6, 0, [])
    assert used.call("GET", path)["leverage"] == numbers[-1]
    _, new = with_keys(NEW)
    assert refused(new) == []


def test_the_demo_is_shown_as_it_was_after_its_key_has_gone(
    settings: Settings, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    first = seed(settings)
    both, api = with_keys(NEW, OLD)
    between = seed(both.settings)

    renewed_by(api)

    new, _ = with_keys(NEW)
    assert between == first
    assert seed(new.settings) == first
    assert SECRET not in str(first)


def test_keys_that_come_back_open_the_demo_as_it_was(
    settings: Settings, with_keys: Callable[..., tuple[Wiring, Caller]]
) -> None:
    first = seed(settings)

    other, api = with_keys(NEW)
    lost = seed(other.settings)

    assert lost != first
    assert "a secret of the demo" not in renewed_by(api)["unreadable"]
    assert seed(settings) == first


def test_the_command_says_when_keys_can_go(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Json] = [
        {"keys": 2, "renewed": {"clients": 3}, "newest": 3, "older": 0, "unreadable": []},
        {"keys": 1, "renewed": {}, "newest": 3, "older": 0, "unreadable": []},
        {"keys": 2, "renewed": {}, "newest": 2, "older": 0, "unreadable": ["account mine"]},
        {"keys": 2, "renewed": {}, "newest": 2, "older": 1, "unreadable": []},
    ]
    monkeypatch.setattr("app.cli.api.Api.post", lambda *_: answers.pop(0))
    asked = ["--url", "http://127.0.0.1:1", "--token", "t"]

    can_go, alone, lost, older = (CliRunner().invoke(command, asked) for _ in range(4))

    assert "Sealed anew: 3 clients." in can_go.output
    assert "The other 1 can be taken out of HOOKFILL_SECRET_KEY" in can_go.output
    assert "taken out" not in alone.output
    assert [one.exit_code for one in (can_go, alone, lost, older)] == [0, 0, 1, 1]
    for one in (lost, older):
        assert "Take no key away yet." in one.output
    assert "None of the keys opens account mine" in lost.output
