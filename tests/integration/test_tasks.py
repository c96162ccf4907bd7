"""The tasks as a worker runs them, in this process, over a real server."""

import importlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
import redis
from celery import Celery

from app.bootstrap import Wiring, web_wiring
from app.dispatch.routes import TaskName
from app.domain.commands import Action, SignalRules
from app.domain.enums import Dialect, Mode
from app.domain.errors import StoreUnavailable, VenueUnavailable
from app.domain.identifiers import AccountId, AggregateId, EpochMs, VenueName
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.sender import Sender
from app.ports.ledger import Change
from app.services.intake.requests import accept_signal
from app.settings import Settings
from app.store.coordination import rounds
from tests.support.builders import (
    BTC,
    ORIGIN,
    SPOT,
    a_command,
    a_live_account,
    a_signal,
    an_id,
    fixed,
    must,
)
from tests.support.paper_desk import PaperDesk
from tests.support.processes import eventually
from workers.process import this_process
from workers.schedule import Round, schedule_for

pytestmark = pytest.mark.integration

Run = Callable[[TaskName, list[object]], None]
GARBAGE: list[object] = [None, "x", -1, 1.5, "9" * 5_000, 2**53 - 1, {}]


@pytest.fixture
def web(redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """A web process of an installation with one account and a price."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    monkeypatch.setenv("REDIS_URL", redis_server)
    monkeypatch.setenv("HOOKFILL_DATA_DIR", str(tmp_path))
    # The process of the tests has perhaps just noted the same in a store that is empty now.
    monkeypatch.setattr(rounds, "APART_MS", 0)
    wiring = web_wiring(Settings.from_environment(os.environ))
    desk = PaperDesk(wiring.paper.ports)
    desk.seed_instruments()
    account = wiring.registry.put_account(replace(SPOT, id=AccountId(0)))
    desk.set_account(account, {"balances": {"USDT": "10000"}})
    desk.set_prices({"prices": {BTC: {"last": "50000"}}})
    return wiring


@pytest.fixture
def celery_app(web: Wiring) -> Celery:
    """The Celery app, with its tasks; it reads the environment when it is imported."""
    del web
    app: Celery = importlib.import_module("workers.celery_app").celery_app
    app.loader.import_default_modules()
    return app


@pytest.fixture
def run(celery_app: Celery) -> Run:
    """Return a function that runs a task as a worker does."""

    def run(task: TaskName, values: list[object]) -> None:
        celery_app.tasks[task](values)
        assert this_process().crews.finish(30)

    return run


def accepted(web: Wiring, delay_ms: int = 0) -> AggregateId:
    sender = Sender(
        dialect=Dialect.CRYPTO_ARSENAL,
        origin=ORIGIN,
        account=web.registry.accounts()[0],
        received_at_ms=web.ports.clock.now_ms(),
    )
    command = a_command(size=fixed("0.1"), delay_ms=delay_ms)
    return accept_signal(command, BTC, SignalRules(), sender, web.ports).id


def signal(web: Wiring, signal_id: AggregateId) -> Signal:
    found = web.ports.ledger.load(signal_id).aggregate
    assert isinstance(found, Signal)
    return found


def test_what_beat_starts_are_tasks_that_exist(celery_app: Celery) -> None:
    entries = schedule_for(Settings.from_environment(os.environ))

    assert {entry.task for entry in entries} <= set(celery_app.tasks)


def test_one_message_carries_a_signal_to_its_end(web: Wiring, run: Run) -> None:
    signal_id = accepted(web)

    run(TaskName.ADVANCE, [signal_id])

    done = signal(web, signal_id)
    assert done.status is RequestStatus.DONE
    assert done.filled_quantity == Decimal("0.1")
    assert web.ports.outbox.owed() == []


def test_a_message_that_comes_twice_does_nothing(web: Wiring, run: Run) -> None:
    signal_id = accepted(web)
    run(TaskName.ADVANCE, [signal_id])
    version = web.ports.ledger.load(signal_id).version

    for task in (TaskName.ADVANCE, TaskName.PLACE, TaskName.CANCEL, TaskName.RESOLVE):
        run(task, [signal_id])

    assert web.ports.ledger.load(signal_id).version == version


@pytest.mark.parametrize("task", TaskName)
def test_garbage_is_harmless_in_every_task(web: Wiring, run: Run, task: TaskName) -> None:
    signal_id = accepted(web)

    run(task, GARBAGE)

    assert signal(web, signal_id).is_live


def test_garbage_beside_an_id_does_not_keep_it_from_its_work(web: Wiring, run: Run) -> None:
    signal_id = accepted(web)

    run(TaskName.ADVANCE, [*GARBAGE, signal_id, *GARBAGE])

    assert signal(web, signal_id).status is RequestStatus.DONE


def test_a_timer_is_released_and_carried_out(web: Wiring, run: Run) -> None:
    signal_id = accepted(web, delay_ms=1)
    # The clock of whoever releases: those of two processes may be a millisecond apart.
    while this_process().ports.clock.now_ms() <= signal(web, signal_id).due_at_ms:
        pass

    run(TaskName.TIMERS_DUE, [int(signal(web, signal_id).due_at_ms)])

    assert signal(web, signal_id).status is RequestStatus.DONE


def test_a_timer_that_is_not_due_stays(web: Wiring, run: Run) -> None:
    signal_id = accepted(web, delay_ms=60_000)

    run(TaskName.TIMERS_DUE, [int(EpochMs(web.ports.clock.now_ms()))])

    assert signal(web, signal_id).status is RequestStatus.SCHEDULED


def test_the_canary_is_heard(web: Wiring, run: Run) -> None:
    run(TaskName.CANARY, [])

    assert abs(web.ports.clock.server_ms() - must(web.ports.runs.canary_ms())) < 5_000


def test_a_canary_speaks_for_its_own_queue(web: Wiring, run: Run) -> None:
    run(TaskName.CANARY, ["orders", "no-queue"])

    assert set(web.ports.rounds.last_ms()) == {"queue:orders"}
    assert web.ports.runs.canary_ms() is None


@pytest.mark.parametrize(
    "messages",
    [
        [(TaskName.ROUNDS, list(Round))],
        [(task, []) for task in (TaskName.POLL_PRICES, TaskName.POLL_ORDERS, TaskName.SWEEP)],
    ],
    ids=["this release", "older releases"],
)
def test_what_is_done_again_and_again_says_when(
    web: Wiring, run: Run, messages: list[tuple[TaskName, list[object]]]
) -> None:
    for task, values in messages:
        run(task, values)

    last_ms = web.ports.rounds.last_ms()
    assert set(last_ms) == {"prices", "orders", "sweep"}
    assert all(abs(web.ports.clock.server_ms() - at_ms) < 5_000 for at_ms in last_ms.values())


def test_flower_is_told_of_work_that_somebody_waits_for(celery_app: Celery) -> None:
    quiet = {task for task in TaskName if not celery_app.tasks[task].send_events}

    assert quiet == {
        TaskName.ROUNDS,
        TaskName.CANARY,
        TaskName.POLL_PRICES,
        TaskName.POLL_ORDERS,
        TaskName.POLL_GUARDS,
        TaskName.SWEEP,
        TaskName.ARCHIVE,
    }


def begun(run: Run, *names: str) -> list[Round]:
    """Run the task for rounds of these names, of which one fails; return which were begun."""
    found: list[Round] = []

    def begin(name: Round) -> None:
        found.append(name)
        if name is Round.ORDERS:
            raise StoreUnavailable("away")
        if name is Round.SWEEP:
            raise RuntimeError("ours")

    table = importlib.import_module("workers.rounds").BEGIN
    with patch.dict(table, {name: lambda _, name=name: begin(name) for name in Round}):
        run(TaskName.ROUNDS, [*names])
    return found


def test_a_round_that_fails_keeps_no_other_from_its_work(run: Run) -> None:
    assert begun(run, *reversed(Round)) == list(Round)


def test_those_rounds_are_begun_that_a_message_names(run: Run) -> None:
    assert begun(run, "sweep", "of a newer release", "prices") == [Round.PRICES, Round.SWEEP]


@pytest.mark.parametrize(("name", "work"), [(Round.SWEEP, "sweep"), (Round.ARCHIVE, "archive")])
def test_a_slow_round_holds_up_no_other_and_does_not_pile_up(
    celery_app: Celery, web: Wiring, monkeypatch: pytest.MonkeyPatch, name: Round, work: str
) -> None:
    let_go = threading.Event()
    slow = Mock(side_effect=lambda _: let_go.wait(20))
    monkeypatch.setattr(importlib.import_module("workers.maintenance"), work, slow)

    celery_app.tasks[TaskName.ROUNDS]([name])
    eventually(lambda: slow.called)
    for _ in range(4):
        celery_app.tasks[TaskName.ROUNDS]([name, Round.PRICES])
    eventually(lambda: "prices" in web.ports.rounds.last_ms())
    threads = [one.name for one in threading.enumerate() if one.name.startswith(f"{name}-")]
    let_go.set()
    assert this_process().crews.finish(30)

    assert threads == [f"{name}-1"]
    assert slow.call_count == 2


def test_reconciliations_in_their_turn_are_left_to_all_workers(
    web: Wiring, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = a_live_account("far", venue=VenueName("binance"), mode=Mode.TESTNET)
    far = web.registry.put_account(account).id
    assert this_process().ports.accounts.account(far).name == "far"  # it reads the registry anew
    sent = Mock()
    monkeypatch.setattr(this_process().messages, "_send", sent)

    run(TaskName.ROUNDS, [Round.RECONCILE])

    (messages,) = sent.call_args.args
    assert [task for task, _, _ in messages] == [TaskName.RECONCILE]


@pytest.mark.parametrize(
    ("error", "is_noted"), [(VenueUnavailable("away"), True), (RuntimeError("ours"), False)]
)
def test_a_round_fails_for_our_mistakes_and_not_for_a_venue(
    web: Wiring, run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, *, is_noted: bool
) -> None:
    polls = importlib.import_module("workers.polls")
    monkeypatch.setattr(polls, "watch_prices", Mock(side_effect=error))

    run(TaskName.POLL_PRICES, [])

    assert ("prices" in web.ports.rounds.last_ms()) is is_noted


def test_rounds_of_exchanges_are_waited_for_as_long_as_anybody_needs_them(
    web: Wiring, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = importlib.import_module("workers.polls")
    monkeypatch.setattr(polls, "look_at_account", Mock(side_effect=VenueUnavailable("away")))
    account = a_live_account("far", venue=VenueName("binance"), mode=Mode.TESTNET)
    far = web.registry.put_account(account).id
    web.ports.rounds.done("orders:77", EpochMs(1))
    web.memory.want_view(far)
    assert this_process().ports.accounts.account(far).name == "far"  # it reads the registry anew

    run(TaskName.POLL_ORDERS, [])
    awaited = web.ports.rounds.last_ms()
    web.ports.rounds.done(f"orders:{far}", EpochMs(1))
    run(TaskName.POLL_ORDERS, [str(far)])
    looked_at = web.ports.rounds.last_ms()

    assert set(awaited) == {"orders", f"orders:{far}"}
    assert looked_at[f"orders:{far}"] >= awaited[f"orders:{far}"]


def test_guarded_accounts_at_exchanges_are_looked_at_in_their_turn(
    web: Wiring, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls = importlib.import_module("workers.polls")
    look = Mock()
    monkeypatch.setattr(polls, "look_at_guards", look)
    far, near = (
        web.registry.put_account(a_live_account(name, venue=VenueName(venue), mode=Mode.TESTNET)).id
        for name, venue in (("far", "binance"), ("near", "bybit"))
    )
    guards = a_signal(Action.OPEN_LONG, account=far, id=an_id(1, far), stage=Stage.PROTECTED)
    web.ports.ledger.commit([Change(None, guards)])
    assert this_process().ports.accounts.account(far).name == "far"  # it reads the registry anew
    sent = Mock()
    monkeypatch.setattr(this_process().messages, "send", sent)

    run(TaskName.POLL_ORDERS, [])
    run(TaskName.POLL_GUARDS, [str(far)])

    told = [one.args[:2] for one in sent.call_args_list if one.args[0] is TaskName.POLL_GUARDS]
    assert told == [(TaskName.POLL_GUARDS, [str(far)])]
    assert [one.args[0] for one in look.call_args_list] == [far]
    assert near != far


def test_prices_are_evaluated(web: Wiring, run: Run) -> None:
    run(TaskName.POLL_PRICES, [])

    assert web.paper.ports.prices.oldest_tick() is None


def test_the_sweep_hands_out_work_and_does_none_itself(web: Wiring, run: Run) -> None:
    signal_id = accepted(web)
    with redis.Redis.from_url(web.settings.redis_url, decode_responses=True) as client:
        for key in client.scan_iter("*:outbox"):
            for member in client.zrange(key, 0, -1):
                client.zadd(key, {member: 1})

    run(TaskName.SWEEP, [])

    assert signal(web, signal_id).status is RequestStatus.EXECUTING
    assert web.ports.outbox.overdue(10) == []


def test_orders_of_an_account_are_followed(web: Wiring, run: Run) -> None:
    run(TaskName.POLL_ORDERS, [1])
    run(TaskName.POLL_PRICES, [VenueName("paper")])

    assert list(web.ports.reports.accounts_with_news()) == []
