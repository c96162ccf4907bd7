"""Whether it runs, whether it works, and how much waits, told even when the store is away."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.parser import text_string_to_metric_families

from app.bootstrap import Wiring, web_wiring
from app.dispatch.routes import QueueName, TaskName
from app.domain.identifiers import AggregateId, EpochMs
from app.factory import create_app
from app.lateness import CANARY_AGE_MAX_MS, EXCHANGE_AGE_MAX_MS
from app.metric_files import FOLDER
from app.ports.ledger import Change
from app.services.keeping.rounds import queue_round
from app.settings import Settings
from app.store.core import keys
from app.store.core.connection import connect
from tests.support.builders import a_failing_exit, a_refused_stop
from tests.support.caller import Caller, make_all_rounds

pytestmark = pytest.mark.integration


@pytest.fixture
def away(tmp_path: Path) -> FlaskClient:
    """A stranger before an app whose store is not there."""
    environ = {"REDIS_URL": "redis://:s3cret@127.0.0.1:1/0", "HOOKFILL_DATA_DIR": str(tmp_path)}
    return create_app(web_wiring(Settings.from_environment(environ))).test_client()


def _anew(wiring: Wiring) -> FlaskClient:
    """Return a stranger before a web process that remembers no answer."""
    return create_app(wiring).test_client()


def _gauges(client: FlaskClient) -> dict[str, str]:
    """Return name, with the queue if there is one → value as text."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        " ".join([sample.name, *sample.labels.values()]): str(sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if family.type == "gauge"
    }


def test_the_process_runs_even_without_a_store(away: FlaskClient) -> None:
    answer = away.get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_without_a_store_it_is_not_ready(away: FlaskClient) -> None:
    answer = away.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["status"] == "not_ready"
    assert set(answer.get_json()["problems"]) == {"store"}
    assert "s3cret" not in answer.text


def test_without_a_store_the_metrics_say_so(away: FlaskClient) -> None:
    gauges = _gauges(away)

    assert (gauges["hookfill_store_up"], gauges["hookfill_broker_up"]) == ("0.0", "0.0")
    assert "hookfill_outbox_effects" not in gauges


ROUNDS = {*map(queue_round, QueueName), "prices", "orders", "sweep"}


def test_before_anything_was_done_it_is_not_ready(api: Caller) -> None:
    answer = api.client.get("/readyz")

    assert answer.status_code == 503
    assert set(answer.get_json()["problems"]) == ROUNDS


def test_it_is_ready_once_all_has_been_done(api: Caller, wiring: Wiring) -> None:
    make_all_rounds(wiring.ports)

    ready = api.client.get("/readyz")

    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert ready.get_json()["problems"] == {}
    assert ready.get_json()["canary_age_ms"] >= 0


@pytest.mark.parametrize("name", sorted(ROUNDS))
def test_one_round_that_is_late_is_named(api: Caller, wiring: Wiring, name: str) -> None:
    make_all_rounds(wiring.ports)
    now_ms = wiring.ports.clock.server_ms()

    wiring.ports.rounds.done(name, EpochMs(now_ms - CANARY_AGE_MAX_MS - 1))
    late = api.client.get("/readyz")

    assert (late.status_code, set(late.get_json()["problems"])) == (503, {name})
    assert "ms ago" in late.get_json()["problems"][name]


def test_an_exchange_has_more_time_and_is_not_named_to_strangers(wiring: Wiring) -> None:
    make_all_rounds(wiring.ports)
    now_ms = wiring.ports.clock.server_ms()
    rounds = wiring.ports.rounds

    rounds.await_each("prices", ["binance"], EpochMs(now_ms - EXCHANGE_AGE_MAX_MS + 5_000))
    assert _anew(wiring).get("/readyz").status_code == 200
    rounds.done("prices:binance", EpochMs(now_ms - EXCHANGE_AGE_MAX_MS - 1))
    late = _anew(wiring).get("/readyz")
    rounds.await_each("prices", [], now_ms)

    assert (late.status_code, set(late.get_json()["problems"])) == (503, {"prices:exchanges"})
    assert "binance" not in late.text
    assert _anew(wiring).get("/readyz").status_code == 200


def test_a_record_that_cannot_be_read_is_named_and_turns_nobody_away(
    demo: Caller, wiring: Wiring
) -> None:
    make_all_rounds(wiring.ports)
    for fixed in ("0.01", "0.02"):
        demo.signal(action="buy", fixed=fixed, delaySeconds=600)
    good, bad = (row["id"] for row in demo.rows())
    client = connect(wiring.settings.redis_url, 1)
    client.hset(keys.AggregateKeys(AggregateId(int(bad))).record, "body", '{"s": 99}')

    listed = demo.call("GET", "/api/orders")["data"]
    ready = demo.client.get("/readyz")
    shown = demo.client.get(f"/api/orders/{bad}", headers=demo.headers)
    (quarantined,) = demo.call("GET", "/api/quarantine")["data"]
    (found,) = [
        one for one in demo.call("POST", "/api/doctor")["findings"] if one["check"] == "records"
    ]

    assert [one["id"] for one in listed] == [good]
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert "cannot read: 1" in ready.get_json()["warnings"]["quarantine"]
    assert shown.status_code == 503
    assert (quarantined["id"], "schema 99" in quarantined["why"]) == (bad, True)
    assert (found["grade"], bad in found["message"]) == ("error", True)
    assert _gauges(demo.client)["hookfill_quarantined_records"] == "1.0"


def test_an_exit_that_does_not_get_through_is_named_until_it_does(
    demo: Caller, wiring: Wiring
) -> None:
    make_all_rounds(wiring.ports)
    (account, *_) = wiring.registry.accounts()
    failing = a_failing_exit(account.id, "Filter failure: LOT_SIZE")
    wiring.ports.ledger.commit([Change(None, failing)])

    ready = demo.client.get("/readyz")
    (found,) = [
        one for one in demo.call("POST", "/api/doctor")["findings"] if one["check"] == "exits"
    ]
    counted = _gauges(_anew(wiring))["hookfill_unprotected_positions exit"]
    stored = wiring.ports.ledger.load(failing.id)
    wiring.ports.ledger.commit([Change(stored, replace(failing, misses=0))])

    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert "get through: 1" in ready.get_json()["warnings"]["exits"]
    assert (found["grade"], found["fix"] != "") == ("error", True)
    assert account.name in found["message"]
    assert "LOT_SIZE" in found["message"]
    assert counted == "1.0"
    assert "exits" not in _anew(wiring).get("/readyz").get_json()["warnings"]


def test_a_stop_that_its_venue_does_not_hold_is_named(demo: Caller, wiring: Wiring) -> None:
    make_all_rounds(wiring.ports)
    (account, *_) = wiring.registry.accounts()
    refused = a_refused_stop(account.id, "too many stop orders")
    before = _gauges(_anew(wiring))["hookfill_unprotected_positions only_here"]

    wiring.ports.ledger.commit([Change(None, refused)])

    gauges = _gauges(_anew(wiring))
    (found,) = [
        one for one in demo.call("POST", "/api/doctor")["findings"] if one["check"] == "protection"
    ]
    assert before == "0.0"
    assert gauges["hookfill_unprotected_positions only_here"] == "1.0"
    assert gauges["hookfill_unprotected_positions exit"] == "0.0"
    assert found["grade"] == "warning"
    assert "too many stop orders" in found["message"]
    assert "exits" not in _anew(wiring).get("/readyz").get_json()["warnings"]
    row = demo.call("GET", f"/api/orders/{refused.id}")
    assert row["held_by"] == "venue"


def test_the_metrics_tell_what_waits(demo: Caller, wiring: Wiring) -> None:
    before = _gauges(_anew(wiring))
    demo.signal(action="buy", fixed="0.01")
    demo.signal(action="buy", fixed="0.02", delaySeconds=600)
    wiring.ports.runs.beat(wiring.ports.clock.server_ms())
    wiring.messages.send(TaskName.CANARY, [])

    gauges = _gauges(demo.client)

    assert gauges["hookfill_store_up"] == gauges["hookfill_broker_up"] == "1.0"
    assert gauges["hookfill_outbox_effects"] == "1.0"
    assert gauges["hookfill_timers"] == "1.0"
    assert gauges["hookfill_unknown_orders"] == "0.0"
    assert gauges["hookfill_queue_length maintenance"] == "1.0"
    assert gauges["hookfill_queue_length urgent"] == "0.0"
    assert "hookfill_canary_age_seconds" in gauges
    assert "hookfill_canary_age_seconds" not in before


def test_the_metrics_count_requests(demo: Caller) -> None:
    demo.signal(action="buy", fixed="0.01")

    text = demo.client.get("/metrics").text

    assert "hookfill_requests_total" in text
    assert 'hookfill_acknowledge_seconds_count{dialect="crypto_arsenal"}' in text


def test_a_scrape_leaves_few_files_of_ended_processes(
    demo: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    for pid in range(2**22 + 1, 2**22 + 51):  # no process has these
        file = MmapedDict(str(tmp_path / f"counter_{pid}.db"))
        file.write_value(mmap_key("hits", "hits_total", [], [], "Hits."), 1.0, 0.0)
        file.close()

    for _ in range(2):
        assert "hits_total 50.0" in demo.client.get("/metrics").text
    assert len(list(tmp_path.glob("*.db"))) == 1


def test_without_a_store_our_own_paths_are_unavailable(away: FlaskClient, tmp_path: Path) -> None:
    token = Settings.from_environment({"HOOKFILL_DATA_DIR": str(tmp_path)}).admin_token.reveal()
    api = Caller(away, token)

    for method, path in (
        ("GET", "/api/orders"),
        ("GET", "/api/events"),
        ("PUT", "/api/accounts/x"),
    ):
        assert api.refusal(method, path) == (503, "store_unavailable", [])
