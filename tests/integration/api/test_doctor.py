"""Whether all is well: what the store, the queue and the workers tell."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from decimal import Decimal

import pytest

from app.bootstrap import Wiring
from app.dispatch.celery_publisher import CeleryPublisher
from app.dispatch.routes import QueueName, TaskName
from app.domain.account import PAPER, Account
from app.domain.effects import Effect, EffectKind
from app.domain.enums import Mode, Side
from app.domain.errors import NotFound
from app.domain.finding import Finding, Grade
from app.domain.identifiers import (
    AccountId,
    AggregateId,
    ClientOrderId,
    EpochMs,
    VenueName,
    VenueOrderId,
)
from app.domain.notice import NoticeKind
from app.domain.reconciliation import Mismatch, MismatchKind, Reconciliation, VenueOrder
from app.domain.worker_request import WorkerAnswer
from app.exchanges.account_key import name_of
from app.factory import create_app
from app.ports.coordination import WorkerRequests
from app.ports.notices import Mailbox, Progress
from app.services.admin.inspect import inspect_account
from app.services.ask import leave_request
from app.settings import ServerUrl
from app.store.memory.key_trials import PAUSE_MS, RedisKeyTrials, Scope, State, Word
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.builders import BTC, a_live_account, an_id, must
from tests.support.caller import Caller, Json, Worker, make_all_rounds

pytestmark = pytest.mark.integration

WELL = Finding(check="keys", message="they are good")
WARNED = Finding(check="clock", message="it is off by 900 ms", grade=Grade.WARNING, fix="Set it.")
BROKEN = Finding(check="keys", message="they are refused", grade=Grade.ERROR, fix="Make others.")


class Workers(CeleryPublisher):
    """Workers that find at once what a test has them find, by account id; others say nothing."""

    def __init__(self, requests: WorkerRequests) -> None:
        self._requests = requests
        self.found: Mapping[int, Sequence[Finding]] = {}
        self.asked: set[int] = set()

    def publish(self, effects: Sequence[Effect]) -> None:
        for one in effects:
            assert one.kind is EffectKind.INSPECT
            account_id = self._requests.find(one.target).account
            self.asked.add(account_id)
            if account_id in self.found:
                answer = WorkerAnswer(findings=tuple(self.found[account_id]))
                self._requests.reply(one.target, answer)


@pytest.fixture
def workers(wiring: Wiring) -> Workers:
    return Workers(wiring.ports.worker_requests)


@pytest.fixture
def api(wiring: Wiring, workers: Workers) -> Caller:
    policy = replace(wiring.ports.policy, inspect_wait_ms=100)
    ports = replace(wiring.ports, publisher=workers, policy=policy)
    return Caller(create_app(replace(wiring, ports=ports)).test_client(), ADMIN_TOKEN)


def put_account(wiring: Wiring, name: str, venue: str, *, enabled: bool = True) -> AccountId:
    """Make an account, at an exchange perhaps, which the API would not do in the test profile."""
    mode = Mode.PAPER if venue == PAPER else Mode.TESTNET
    account = a_live_account(name, venue=VenueName(venue), mode=mode, enabled=enabled)
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
    assert workers.asked == {real["first"]}


def test_a_refused_key_is_told_and_a_person_who_asks_has_it_tried(
    api: Caller, wiring: Wiring, workers: Workers, real: dict[str, AccountId]
) -> None:
    account = wiring.registry.account(real["first"])
    trials = RedisKeyTrials(wiring.memory._client)  # noqa: SLF001 - as a worker has it
    trials.end(account.id, begun(trials, account), Scope.READS, Word.REFUSED, "Invalid API-key.")

    shown = api.call("GET", "/api/accounts/first")["credentials_refused"]
    compared = api.call("GET", "/api/accounts/first/reconciliation")["credentials_refused"]
    api.call("POST", "/api/doctor")
    after_doctor = api.call("GET", "/api/accounts/first")["credentials_refused"]
    api.call("POST", "/api/accounts/first/test")

    assert workers.asked == set(real.values())
    assert shown == compared == after_doctor
    assert (shown["scope"], shown["message"]) == ("reads", "Invalid API-key.")
    assert shown["again_at_ms"] - shown["since_ms"] == PAUSE_MS
    assert api.call("GET", "/api/accounts/first")["credentials_refused"] is None


def begun(trials: RedisKeyTrials, account: Account) -> str:
    """Begin to try an account's key, and return its name."""
    name = name_of(account)
    assert trials.begin(account.id, name, Scope.READS, 1_000).state is State.TRY
    return name


def test_one_error_is_enough(api: Caller, workers: Workers, real: dict[str, AccountId]) -> None:
    workers.found = {real["first"]: [WELL, BROKEN]}

    assert api.call("POST", "/api/accounts/first/test")["ok"] is False


def test_all_accounts_at_exchanges_are_looked_at_and_no_others(
    api: Caller, workers: Workers, real: dict[str, AccountId]
) -> None:
    workers.found = {real["first"]: [WELL], real["second"]: [BROKEN]}

    answer = api.call("POST", "/api/doctor")

    assert workers.asked == {real["first"], real["second"]}
    told = [(one["account"], one["grade"]) for one in answer["findings"] if one["account"]]
    assert sorted(told) == [("first", "ok"), ("second", "error")]
    assert answer["ok"] is False


def test_workers_that_say_nothing_are_told_of(
    api: Caller, workers: Workers, real: dict[str, AccountId]
) -> None:
    workers.found = {real["first"]: [WELL]}

    findings = api.call("POST", "/api/doctor")["findings"]

    silent = about(findings, "worker")
    assert (silent["account"], silent["grade"]) == ("second", "error")
    assert "poll" in silent["fix"]
    assert about(findings, "keys")["account"] == "first"


def test_a_broker_on_the_server_of_the_store_is_warned_of(wiring: Wiring, api: Caller) -> None:
    apart = replace(wiring.settings, broker_url=ServerUrl("redis://127.0.0.1:1/0"))
    other = Caller(create_app(replace(wiring, settings=apart)).test_client(), ADMIN_TOKEN)

    broker = about(api.call("POST", "/api/doctor")["findings"], "broker")
    checks = [one["check"] for one in other.call("POST", "/api/doctor")["findings"]]

    assert (broker["grade"], "BROKER_URL" in broker["fix"]) == ("warning", True)
    assert "broker" not in checks


def test_a_store_that_may_lose_orders_is_an_error(api: Caller) -> None:
    # The server of the tests keeps nothing on disk.
    answer = api.call("POST", "/api/doctor")

    store = about(answer["findings"], "store")
    assert (store["account"], store["grade"]) == (None, "error")
    assert "appendonly" in store["message"]
    assert answer["ok"] is False


def test_the_queue_is_well_while_canaries_come_through(api: Caller, wiring: Wiring) -> None:
    def told(check: str) -> list[tuple[str, str]]:
        findings = api.call("POST", "/api/doctor")["findings"]
        return [(one["grade"], one["message"]) for one in findings if one["check"] == check]

    assert [grade for grade, _ in told("queue")] == ["error"] * len(QueueName)
    assert all("It never was." in message for _, message in told("sweep"))
    make_all_rounds(wiring.ports)
    ((grade, _),) = told("queue")
    assert grade == "ok"
    wiring.ports.rounds.done("prices:binance", EpochMs(1))
    ((grade, message),) = told("prices")
    assert (grade, "prices:binance is late" in message) == ("error", True)


def test_a_client_that_is_weak_is_told_of_while_it_is_enabled(api: Caller, wiring: Wiring) -> None:
    put_account(wiring, "play", PAPER)
    path, body = "/api/clients/apisify/guess-me", {"accounts": ["play"]}
    api.call("PUT", path, {**body, "allow_tradingview_ip": True})

    row = about(api.call("POST", "/api/doctor")["findings"], "clients")

    assert row["grade"] == "warning"
    assert "apisify client of play" in row["message"]
    assert "guess-me" not in row["message"]
    api.call("DELETE", path)
    findings = api.call("POST", "/api/doctor")["findings"]
    assert not [one for one in findings if one["check"] == "clients"]


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
        "credentials_refused": None,
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
    """What a worker answers to whoever asked."""

    def test_play_money_is_well(self, wiring: Wiring, worker: Worker) -> None:
        request = asked(wiring, put_account(wiring, "play", PAPER))
        another = asked(wiring, put_account(wiring, "other", PAPER))

        worker.take(TaskName.INSPECT, [request])

        assert {one.grade for one in found(wiring, request)} == {Grade.OK}
        assert wiring.ports.worker_requests.answer(another) is None

    def test_an_account_that_is_gone_is_an_answer(self, wiring: Wiring, worker: Worker) -> None:
        request = asked(wiring, AccountId(4711))

        worker.take(TaskName.INSPECT, [request])

        (one,) = found(wiring, request)
        assert (one.check, one.grade) == ("account", Grade.ERROR)

    def test_a_venue_that_cannot_be_used_is_an_answer(self, wiring: Wiring) -> None:
        request = asked(wiring, put_account(wiring, "far", "binance"))

        # In a web process, where no exchange is within reach.
        inspect_account(request, wiring.ports)

        (one,) = found(wiring, request)
        assert (one.check, one.grade) == ("venue", Grade.ERROR)
        assert "binance" in one.message

    def test_a_message_that_comes_again_asks_nobody(self, wiring: Wiring) -> None:
        request = asked(wiring, put_account(wiring, "play", PAPER))
        inspect_account(request, wiring.ports)

        with pytest.raises(NotFound):
            inspect_account(request, wiring.ports)


def asked(wiring: Wiring, account: AccountId) -> AggregateId:
    return leave_request(EffectKind.INSPECT, account, 5_000, wiring.ports).id


def found(wiring: Wiring, request: AggregateId) -> Sequence[Finding]:
    return must(wiring.ports.worker_requests.answer(request)).findings


def test_a_channel_whose_messages_do_not_arrive_is_named(api: Caller, wiring: Wiring) -> None:
    address = {"service_url": "tgram://123456789:abcdefg_hijklmnop_qrst/1"}
    for name in ("good", "bad"):
        api.call("PUT", f"/api/channels/{name}", address)
    failed = Progress(error="error=404", error_ms=EpochMs(1))
    wiring.notices.note(Mailbox(NoticeKind.FILL, "bad"), failed)
    findings = api.call("POST", "/api/doctor")["findings"]

    (found,) = [one for one in findings if one["check"] == "channels"]
    assert found["grade"] == "warning"
    assert found["message"] == "messages do not get to channel bad: error=404"
