"""Channels are made, changed, shown, tried and switched off; their addresses are never shown."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.bootstrap import Wiring
from app.channels.messenger import Messenger, StoreOutage
from app.channels.sender import ChannelSender
from app.domain.errors import StoreUnavailable
from app.services.admin.rekey import rekey
from tests.support.caller import Caller, Worker
from tests.support.processes import eventually
from tests.support.receivers import TELEGRAM, Receiver, running_receiver

pytestmark = pytest.mark.integration

BAD = (400, "validation_failed")
PHONE = "/api/channels/phone"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@contextmanager
def running(messenger: Messenger) -> Iterator[None]:
    """Let it look again and again, quickly."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(0.02):
            messenger.look()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def test_a_channel_is_made_and_its_address_is_never_shown(api: Caller, wiring: Wiring) -> None:
    made = api.call("PUT", PHONE, {"service_url": TELEGRAM})

    assert made == {
        "name": "phone",
        "service": "tgram",
        "kinds": [
            "fill",
            "refusal",
            "missed",
            "bad_request",
            "protection",
            "unknown",
            "venue",
            "account",
            "unready",
        ],
        "accounts": [],
        "pause_seconds": 60,
        "quiet_hours": None,
        "enabled": True,
        "waiting": 0,
        "sent": 0,
        "dropped": 0,
        "last_sent_at_ms": None,
        "error": None,
        "error_at_ms": None,
    }
    assert api.call("GET", PHONE) == made
    assert api.call("GET", "/api/channels") == {"data": [made]}
    wiring.registry.refresh()
    (kept,) = wiring.registry.channels()
    assert "abcdefg" not in str(kept)
    assert wiring.vault.decrypt(kept.origin, kept.sealed) == {"service_url": TELEGRAM}


def test_a_webhook_gets_a_secret_that_is_shown_once(api: Caller) -> None:
    made = api.call("PUT", PHONE, {"webhook_url": "https://example.com/hook"})
    changed = api.call("PUT", PHONE, {"webhook_url": "https://example.com/other"})
    given = api.call("PUT", PHONE, {"secret": "whsec_" + "QUFB" * 8})

    assert made["secret"].startswith("whsec_")
    assert (made["service"], made["pause_seconds"]) == ("webhook", 0)
    assert "secret" not in changed
    assert "secret" not in given


def test_what_is_named_changes_and_the_rest_stays(api: Caller, wiring: Wiring) -> None:
    api.call("PUT", "/api/accounts/first")
    api.call("PUT", PHONE, {"service_url": TELEGRAM, "kinds": ["fill", "fill"]})
    hours = {"begin": "22:00", "end": "07:00", "timezone": "Europe/Berlin", "kinds": ["fill"]}
    changed = api.call(
        "PUT", PHONE, {"accounts": ["first"], "pause_seconds": 5, "quiet_hours": hours}
    )
    loud = api.call("PUT", PHONE, {"quiet_hours": None})
    disabled = api.call("DELETE", PHONE)

    assert (changed["kinds"], changed["accounts"]) == (["fill"], ["first"])
    assert (changed["pause_seconds"], changed["quiet_hours"]) == (5, hours)
    assert loud["quiet_hours"] is None
    assert disabled["enabled"] is False
    wiring.registry.refresh()
    (kept,) = wiring.registry.channels()
    assert wiring.vault.decrypt(kept.origin, kept.sealed) == {"service_url": TELEGRAM}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["service_url"]),
        ({"kinds": ["fill"]}, ["service_url"]),
        ({"service_url": "https://example.com/hook"}, ["service_url"]),
        ({"service_url": "nonsense"}, ["service_url"]),
        ({"service_url": 1}, ["service_url"]),
        ({"service_url": ""}, ["service_url"]),
        ({"service_url": TELEGRAM, "webhook_url": "https://example.com"}, ["webhook_url"]),
        ({"service_url": TELEGRAM, "secret": "whsec_" + "QUFB" * 8}, ["secret"]),
        ({"webhook_url": "ftp://example.com"}, ["webhook_url"]),
        ({"webhook_url": "http://"}, ["webhook_url"]),
        ({"webhook_url": "http://[::1"}, ["webhook_url"]),
        ({"webhook_url": "http://example.com:99999/"}, ["webhook_url"]),
        ({"webhook_url": "http://example.com/ /"}, ["webhook_url"]),
        ({"webhook_url": "https://example.com", "secret": "short"}, ["secret"]),
        ({"webhook_url": "https://example.com", "secret": "whsec_QUFB"}, ["secret"]),
        ({"webhook_url": "https://example.com", "secret": "whsec_*" + "A" * 40}, ["secret"]),
        ({"service_url": TELEGRAM, "kinds": ["weather"]}, ["kinds.0"]),
        ({"service_url": TELEGRAM, "kinds": ["test"]}, ["kinds.0"]),
        ({"service_url": TELEGRAM, "accounts": ["nobody"]}, ["accounts"]),
        ({"service_url": TELEGRAM, "pause_seconds": -1}, ["pause_seconds"]),
        ({"service_url": TELEGRAM, "pause_seconds": 3_601}, ["pause_seconds"]),
        ({"service_url": TELEGRAM, "quiet_hours": {"begin": "22:00"}}, ["quiet_hours.end"]),
        (
            {"service_url": TELEGRAM, "quiet_hours": {"begin": "24:00", "end": "7:00"}},
            ["quiet_hours.begin", "quiet_hours.end"],
        ),
        (
            {
                "service_url": TELEGRAM,
                "quiet_hours": {"begin": "22:00", "end": "07:00", "timezone": "Mars/Base"},
            },
            ["quiet_hours.timezone"],
        ),
        (
            {"service_url": TELEGRAM, "quiet_hours": {"begin": "07:00", "end": "07:00"}},
            ["quiet_hours"],
        ),
        (
            {
                "service_url": TELEGRAM,
                "quiet_hours": {"begin": "22:00", "end": "07:00", "timezone": "localtime"},
            },
            ["quiet_hours.timezone"],
        ),
        ({"service_url": f"{TELEGRAM}/12315545"}, ["service_url"]),
        ({"service_url": f"{TELEGRAM}, json://example.com"}, ["service_url"]),
        ({"webhook_url": "https://example.com", "pause_seconds": 5}, ["pause_seconds"]),
        ({"service_url": TELEGRAM, "colour": "red"}, ["colour"]),
    ],
)
def test_what_no_channel_can_be(api: Caller, body: object, fields: list[str]) -> None:
    assert api.refusal("PUT", PHONE, body) == (*BAD, fields)
    assert api.call("GET", "/api/channels") == {"data": []}


def test_names_and_channels_that_are_not_there(api: Caller) -> None:
    assert api.refusal("PUT", "/api/channels/a b", {"service_url": TELEGRAM}) == (*BAD, ["name"])
    for method, path in (("GET", PHONE), ("DELETE", PHONE), ("POST", f"{PHONE}/test")):
        assert api.refusal(method, path)[:2] == (404, "not_found")


def test_a_channel_is_tried_and_says_what_became_of_it(
    api: Caller, wiring: Wiring, receiver: Receiver
) -> None:
    api.call("PUT", PHONE, {"service_url": f"json://{receiver.address}/secret-path"})
    receiver.answers.extend([200, 404])
    with running(wiring.messenger()):
        good = api.call("POST", f"{PHONE}/test")
        bad = api.call("POST", f"{PHONE}/test")
    api.call("DELETE", PHONE)
    off = api.call("POST", f"{PHONE}/test")

    assert good == {"arrived": True, "message": "The message has arrived."}
    assert bad["arrived"] is False
    assert "404" in bad["message"]
    assert "secret-path" not in bad["message"]
    assert off == {"arrived": False, "message": "The channel is switched off."}
    assert len(receiver.received) == 2


def test_a_fill_and_a_bad_alert_reach_a_webhook(
    demo: Caller, wiring: Wiring, worker: Worker, receiver: Receiver
) -> None:
    hook = {"webhook_url": f"http://{receiver.address}/hook", "kinds": ["fill", "bad_request"]}
    demo.call("PUT", "/api/channels/mine", hook)
    worker.wiring.registry.refresh()
    with running(wiring.messenger()):
        demo.signal(action="buy", fixed="0.1")
        assert demo.signal(action="buy", fixed="much").status_code == 400
        worker.work()
        eventually(lambda: len(receiver.received) >= 2)

    told = {one.json["type"]: one.json for one in receiver.received}
    assert told["fill"]["message"] == "bought 0.1 BTC/USDT at 50000"
    assert told["fill"]["account"] == "demo"
    assert "fixed" in told["bad_request"]["message"]


def test_what_waits_for_a_channel_that_is_switched_off_goes(
    demo: Caller, wiring: Wiring, worker: Worker
) -> None:
    demo.call("PUT", PHONE, {"service_url": TELEGRAM})
    worker.wiring.registry.refresh()
    demo.signal(action="buy", fixed="0.1")
    worker.work()
    before = demo.call("GET", PHONE)["waiting"]
    demo.call("DELETE", PHONE)
    wiring.messenger().look()

    assert before == 1
    assert demo.call("GET", PHONE)["waiting"] == 0


def test_addresses_get_the_newest_secret_key(api: Caller, wiring: Wiring) -> None:
    api.call("PUT", PHONE, {"service_url": TELEGRAM})
    found = rekey(wiring.records, wiring.demo_secrets)

    assert found.older == 0
    assert found.unreadable == []


def test_a_store_that_is_away_is_told_once_by_one_process_of_a_machine(
    api: Caller, wiring: Wiring, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api.call("PUT", PHONE, {"service_url": f"json://{receiver.address}/phone"})
    wiring.registry.refresh()
    sender = ChannelSender(wiring.vault)
    lock = tmp_path / "lock"
    outages = [StoreOutage(wiring.registry, sender, wiring.notices, lock) for _ in range(2)]
    monkeypatch.setattr("app.channels.messenger.LASTING_MS", 200)
    for one in outages:
        one.lasts()
    soon = len(receiver.received)
    time.sleep(0.3)
    for one in (*outages, *outages):
        one.lasts()
    for one in outages:
        one.is_over()
    wiring.messenger().look()
    eventually(lambda: len(receiver.received) == 2)

    assert soon == 0
    told = [one.json["message"] for one in receiver.received]
    assert "the store does not answer" in told[0]
    assert "the store answers again" in told[1]


def test_whatever_goes_wrong_in_the_thread_of_the_messenger_it_goes_on(
    api: Caller, wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.call("PUT", PHONE, {"webhook_url": "https://a..b/"})
    wiring.registry.refresh()
    messenger = wiring.messenger()
    looks = Mock(side_effect=StoreUnavailable("away"))
    messenger.look = looks  # type: ignore[method-assign] # for good
    monkeypatch.setattr("app.channels.messenger.LASTING_MS", 0)
    monkeypatch.setattr("app.channels.messenger.PAUSE_SECONDS", 0.02)
    monkeypatch.setattr("app.channels.messenger.TRIES", 1)
    messenger.start()

    eventually(lambda: looks.call_count > 5)
    # It ends with the process only: from here on it looks at nothing.
    looks.side_effect = None


def test_without_channels_nothing_is_looked_for(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Mock()
    monkeypatch.setattr(wiring.notices, "mailboxes", asked)
    wiring.messenger().look()

    asked.assert_not_called()
