"""Whether all is well: what the store, the queue and the workers tell."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal

import pytest

from app.admin import doctor
from app.admin.health import CANARY_AGE_MAX_MS
from app.bootstrap import Wiring
from app.dispatch.celery_publisher import CeleryPublisher
from app.dispatch.routes import QueueName, TaskName
from app.domain.account import PAPER
from app.domain.enums import Mode, Side
from app.domain.finding import Finding, Grade
from app.domain.identifiers import (
    AccountId,
    AccountName,
    ClientOrderId,
    EpochMs,
    VenueName,
    VenueOrderId,
)
from app.domain.reconciliation import Mismatch, MismatchKind, Reconciliation, VenueOrder
from app.factory import create_app
from app.ports.coordination import Findings
from app.services.admin.inspect import inspect_account
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.builders import BTC, SPOT, an_id
from tests.support.caller import Caller, Json, Worker

pytestmark = pytest.mark.integration

WELL = Finding(check="keys", message="they are good")
WARNED = Finding(check="clock", message="it is off by 900 ms", grade=Grade.WARNING, fix="Set it.")
BROKEN = Finding(check="keys", message="they are refused", grade=Grade.ERROR, fix="Make others.")


class Workers(CeleryPublisher):
    """Workers that find at once what a test has them find, by account id; others say nothing."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.found: Mapping[int, Sequence[Finding]] = {}
        self.asked: list[int] = []

    def send(
        self,
        task: TaskName,
        values: Sequence[int | str],
        queue: QueueName | None = None,
        countdown_ms: int = 0,
        about: str = "",
    ) -> None:
        del queue, countdown_ms, about
        assert task is TaskName.INSPECT
        for value in values:
            account_id, _, ticket = str(value).partition(":")
            self.asked.append(int(account_id))
            if int(account_id) in self.found:
                self._findings.put(ticket, self.found[int(account_id)])


@pytest.fixture
def workers(wiring: Wiring) -> Workers:
    return Workers(wiring.ports.findings)


@pytest.fixture
def api(wiring: Wiring, workers: Workers) -> Caller:
    app = create_app(replace(wiring, messages=workers))
    return Caller(app.test_client(), ADMIN_TOKEN)


def put_account(wiring: Wiring, name: str, venue: str, *, enabled: bool = True) -> AccountId:
    """Make an account, at an exchange perhaps, which the API would not do in the test profile."""
    mode = Mode.PAPER if venue == PAPER else Mode.TESTNET
    account = replace(
        SPOT,
        id=AccountId(0),
        name=AccountName(name),
        group=name,
        venue=VenueName(venue),
        mode=mode,
        enabled=enabled,
    )
    return wiring.registry.put_account(account).id


@pytest.fixture
def real(wiring: Wiring) -> dict[str, AccountId]:
    """Two accounts at exchanges, beside one that is switched off and one of play money."""
    put_account(wiring, "off", "binance", enabled=False)
    put_account(wiring, "play", PAPER)
    return {
        "first": put_account(wiring, "first", "binance"),
        "second": put_account(wiring, "second", "bybit"),
    }


def about(findings: Sequence[Json], check: str) -> Json:
    (found,) = [one for one in findings if one["check"] == check]
    return found


def test_an_account_is_as_a_worker_finds_it(
    api: Caller, workers: Workers, real: dict[str, AccountId]
) -> None:
    workers.found = {real["first"]: [WELL, WARNED]}

    answer = api.call("POST", "/api/accounts/first/test")

    assert answer == {
        "ok": True,
        "account": "first",
        "venue": "binance",
        "findings": [{"account": "first", **asdict(one)} for one in (WELL, WARNED)],
    }
    assert workers.asked == [real["first"]]


def test_one_error_is_enough(api: Caller, workers: Workers, real: dict[str, AccountId]) -> None:
    workers.found = {real["first"]: [WELL, BROKEN]}

    assert api.call("POST", "/api/accounts/first/test")["ok"] is False


def test_all_accounts_at_exchanges_are_looked_at_and_no_others(
    api: Caller, workers: Workers, real: dict[str, AccountId]
) -> None:
    workers.found = {real["first"]: [WELL], real["second"]: [BROKEN]}

    answer = api.call("POST", "/api/doctor")

    assert sorted(workers.asked) == sorted([real["first"], real["second"]])
    told = [(one["account"], one["grade"]) for one in answer["findings"] if one["account"]]
    assert sorted(told) == [("first", "ok"), ("second", "error")]
    assert answer["ok"] is False


def test_workers_that_say_nothing_are_told_of(
    api: Caller, workers: Workers, real: dict[str, AccountId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.1)
    workers.found = {real["first"]: [WELL]}

    findings = api.call("POST", "/api/doctor")["findings"]

    silent = about(findings, "worker")
    assert (silent["account"], silent["grade"]) == ("second", "error")
    assert "poll" in silent["fix"]
    assert about(findings, "keys")["account"] == "first"


def test_a_store_that_may_lose_orders_is_an_error(api: Caller) -> None:
    # The server of the tests keeps nothing on disk.
    answer = api.call("POST", "/api/doctor")

    store = about(answer["findings"], "store")
    assert (store["account"], store["grade"]) == (None, "error")
    assert "appendonly" in store["message"]
    assert answer["ok"] is False


def test_the_queue_is_well_while_canaries_come_through(api: Caller, wiring: Wiring) -> None:
    def queue() -> tuple[str, str]:
        row = about(api.call("POST", "/api/doctor")["findings"], "queue")
        return row["grade"], row["message"]

    never = queue()
    now_ms = wiring.clock.server_ms()
    wiring.ports.heartbeat.beat(EpochMs(now_ms - CANARY_AGE_MAX_MS - 1))
    late = queue()
    wiring.ports.heartbeat.beat(now_ms)
    well = queue()

    assert (never[0], late[0], well[0]) == ("error", "error", "ok")
    assert "none ever came" in never[1]
    assert "the last came" in late[1]


def test_an_account_is_compared_with_its_venue(
    api: Caller, wiring: Wiring, real: dict[str, AccountId]
) -> None:
    before = api.call("GET", "/api/accounts/first/reconciliation")
    foreign = VenueOrder(
        client_order_id=ClientOrderId("theirs"),
        venue_order_id=VenueOrderId("77"),
        symbol=BTC,
        side=Side.BUY,
        quantity=Decimal("0.10"),
        filled_quantity=Decimal(0),
    )
    kind = MismatchKind.MISSING
    mismatch = Mismatch(kind=kind, about="h1", message="it is not there", aggregate_id=an_id(7))
    outcome = Reconciliation(at_ms=EpochMs(7), mismatches=(mismatch,), foreign=(foreign,))
    wiring.ports.reconciliations.put(real["first"], outcome)
    wiring.memory.keep_clock_offset(VenueName("binance:testnet"), 12)

    answer = api.call("GET", "/api/accounts/first/reconciliation")

    assert (before["at_ms"], before["agrees"], before["mismatches"]) == (None, None, [])
    assert answer == {
        "account": "first",
        "venue": "binance",
        "adapter": "full",
        "lists_all_symbols": True,
        "clock_offset_ms": 12,
        "at_ms": 7,
        "is_stale": True,
        "agrees": False,
        "mismatches": [
            {
                "kind": "missing",
                "about": "h1",
                "message": "it is not there",
                "fix": mismatch.fix,
                "order_id": str(an_id(7)),
                "venue_order": None,
            }
        ],
        "foreign_orders": [
            {
                "client_order_id": "theirs",
                "venue_order_id": "77",
                "symbol": "BTC/USDT",
                "side": "BUY",
                "quantity": "0.1",
                "filled_quantity": "0",
                "price": None,
                "sentence": "buy 0.1 BTC/USDT",
            }
        ],
        "failure": None,
        "waiting_for_person": [],
        "cancels": [],
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "test"), ("GET", "reconciliation")],
    ids=["test", "reconciliation"],
)
def test_an_account_that_is_not_there(api: Caller, method: str, path: str) -> None:
    assert api.refusal(method, f"/api/accounts/nobody/{path}")[0] == 404


def test_it_takes_no_fields(api: Caller) -> None:
    assert api.refusal("POST", "/api/doctor", {"deep": True})[2] == ["deep"]


class TestInspect:
    """What a worker leaves for whoever asked."""

    def test_play_money_is_well(self, wiring: Wiring, worker: Worker) -> None:
        account_id = put_account(wiring, "play", PAPER)

        worker.take(TaskName.INSPECT, [f"{account_id}:ticket"])

        found = wiring.ports.findings.get("ticket")
        assert found
        assert {one.grade for one in found} == {Grade.OK}
        assert wiring.ports.findings.get("another") is None

    def test_an_account_that_is_gone_is_an_answer(self, wiring: Wiring, worker: Worker) -> None:
        worker.take(TaskName.INSPECT, ["4711:ticket"])

        (found,) = wiring.ports.findings.get("ticket") or ()
        assert (found.check, found.grade) == ("account", Grade.ERROR)

    def test_a_venue_that_cannot_be_used_is_an_answer(self, wiring: Wiring) -> None:
        account_id = put_account(wiring, "far", "binance")

        # In a web process, where no exchange is within reach.
        inspect_account(account_id, "ticket", wiring.ports)

        (found,) = wiring.ports.findings.get("ticket") or ()
        assert (found.check, found.grade) == ("venue", Grade.ERROR)
        assert "binance" in found.message
