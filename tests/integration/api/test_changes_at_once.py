"""Two processes change the same record at once: neither change is lost."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from app.bootstrap import Wiring, web_wiring
from app.factory import create_app
from app.settings import Settings
from app.store.core.registry import CHANGES_MAX, RedisRegistry
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller, Json

pytestmark = pytest.mark.integration

#: Path → what makes it, then a change of it as it is shown.
RECORDS: Mapping[str, tuple[Json, Json]] = {
    "/api/accounts/mine": ({}, {"group": "other"}),
    "/api/connectors/mine": ({"account": "first", "symbol": "BTC/USDT"}, {"symbol": "ETH/USDT"}),
    "/api/clients/poloniex/mine": ({"accounts": ["first"]}, {"by_id_shape": "array"}),
    "/api/clients/three_commas/mine": ({"accounts": ["first"]}, {"accounts": []}),
    "/api/clients/apisify/mine": ({"accounts": ["first"]}, {"dedup_window_seconds": 5}),
    "/api/clients/hummingbot/mine": ({"accounts": ["first"]}, {"accounts": []}),
}


class Meeting:
    """Lets another process change something after the first has read and before it writes.

    Attributes:
        others: what it does, one after the other, each before one attempt to write.
    """

    def __init__(self, first: RedisRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.others: list[Callable[[], object]] = []
        put: Any = RedisRegistry._put  # noqa: SLF001 - where reading is over

        def meeting(registry: RedisRegistry, *record: object) -> None:
            if registry is first and self.others:
                self.others.pop(0)()
            put(registry, *record)

        monkeypatch.setattr(RedisRegistry, "_put", meeting)


@pytest.fixture
def meeting(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> Meeting:
    """Who writes between reading and writing of the process under test."""
    assert isinstance(wiring.registry, RedisRegistry)
    return Meeting(wiring.registry, monkeypatch)


@pytest.fixture
def other(settings: Settings) -> Caller:
    """A caller of another process."""
    return Caller(create_app(web_wiring(settings)).test_client(), ADMIN_TOKEN)


@pytest.mark.parametrize("path", RECORDS)
def test_what_is_switched_off_during_a_change_stays_off(
    path: str, api: Caller, other: Caller, meeting: Meeting
) -> None:
    needed, change = RECORDS[path]
    api.call("PUT", "/api/accounts/first")
    api.call("PUT", path, needed)
    meeting.others = [lambda: other.call("DELETE", path)]

    changed = api.call("PUT", path, change)

    assert not meeting.others
    assert changed["enabled"] is False
    assert changed.items() >= change.items()
    assert other.call("GET", path) == changed


@pytest.mark.parametrize("path", RECORDS)
def test_what_is_changed_while_it_is_switched_off_is_off_and_changed(
    path: str, api: Caller, other: Caller, meeting: Meeting
) -> None:
    needed, change = RECORDS[path]
    api.call("PUT", "/api/accounts/first")
    api.call("PUT", path, needed)
    meeting.others = [lambda: other.call("PUT", path, change)]

    off = api.call("DELETE", path)

    assert not meeting.others
    assert off["enabled"] is False
    assert off.items() >= change.items()
    assert other.call("GET", path) == off


def test_an_account_switched_off_while_its_play_money_is_set_stays_off(
    api: Caller, other: Caller, meeting: Meeting
) -> None:
    api.call("PUT", "/api/accounts/mine")
    meeting.others = [lambda: other.call("DELETE", "/api/accounts/mine")]

    api.call("PUT", "/paper/accounts/mine", {"position_mode": "ONEWAY", "reset": True})

    assert not meeting.others
    shown = other.call("GET", "/api/accounts/mine")
    assert (shown["enabled"], shown["position_mode"]) == (False, "ONEWAY")


def test_two_accounts_that_are_made_at_once_do_not_share_a_place_in_a_group(
    api: Caller, other: Caller, meeting: Meeting
) -> None:
    meeting.others = [lambda: other.call("PUT", "/api/accounts/theirs", {"group": "one"})]

    answer = api.send("PUT", "/api/accounts/mine", {"group": "one"})

    assert answer.status_code == 400
    assert list(answer.get_json()["error"]["fields"]) == ["group"]


def test_a_change_that_meets_others_again_and_again_is_refused_as_a_conflict(
    api: Caller, other: Caller, meeting: Meeting
) -> None:
    api.call("PUT", "/api/accounts/first")
    api.call("PUT", "/api/connectors/mine", {"account": "first", "symbol": "BTC/USDT"})
    changes = [{"leverage": 1 + number % 2} for number in range(1, CHANGES_MAX + 1)]
    meeting.others = [
        partial(other.call, "PUT", "/api/connectors/mine", change) for change in changes
    ]

    answer = api.send("DELETE", "/api/connectors/mine")

    assert answer.status_code == 409
    assert answer.get_json()["error"]["code"] == "registry_changed"
    assert other.call("GET", "/api/connectors/mine")["enabled"] is True
