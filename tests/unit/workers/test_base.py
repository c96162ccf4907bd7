"""What all tasks share: whatever a message says, it harms nothing else."""

import threading
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from kombu import Queue
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from app.dispatch.broker import celery_for
from app.dispatch.routes import QueueName, TaskName
from app.domain.commands import Action
from app.domain.effects import EffectKind
from app.domain.errors import (
    Conflict,
    HookfillError,
    NotFound,
    OutcomeUnknown,
    StoreUnavailable,
    UnreadableRecord,
)
from app.domain.identifiers import AggregateId
from app.domain.request.signal import RequestStatus
from app.ports import Ports
from app.services.perform import BY_ID, carry_out
from app.services.placing.resolve import resolve_order
from tests.support.builders import SPOT_ID, a_command, a_report, fixed
from tests.support.fakes import ThenSilent
from tests.support.rig import POLICY, Rig
from tests.support.round_trips import round_trips
from workers import base
from workers.base import AggregateTask, HookfillTask, Lane, id_in, one_piece_of_work
from workers.crew import Crews

BUY = a_command(size=fixed("0.1"))
OPEN = a_command(Action.OPEN_LONG, size=fixed("0.1"))


class Recording(AggregateTask):
    """Notes what it is to work on."""

    name = TaskName.PLACE

    def __init__(self) -> None:
        self.tried: list[tuple[TaskName, int]] = []

    def begin(
        self, task: TaskName, aggregate_id: AggregateId, walked: set[Lane], ports: Ports
    ) -> None:
        del walked, ports
        self.tried.append((task, aggregate_id))


def test_every_id_of_a_message_is_worked_on() -> None:
    task = Recording()

    task.work([12, "34", 12], Rig().ports)

    assert task.tried == [(TaskName.PLACE, 12), (TaskName.PLACE, 34), (TaskName.PLACE, 12)]


def test_nobody_looks_whose_an_id_is_that_waits_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep sends what waits again and again; a thousand of them must cost nothing."""
    crews = Crews(lambda _: 1)
    monkeypatch.setattr(base, "this_process", lambda: SimpleNamespace(crews=crews))
    monkeypatch.setattr(base, "offer", Mock())  # nothing is left that runs when this is over
    let_go = threading.Event()

    def wait() -> None:
        assert let_go.wait(20)

    crews.of("slow").offer("first", wait)
    crews.of("slow").offer((TaskName.PLACE, AggregateId(12)), wait)
    ports = Mock()

    Place().work([12, 34], ports)
    let_go.set()

    ports.ledger.load.assert_called_once_with(AggregateId(34))


class Place(AggregateTask):
    name = TaskName.PLACE

    def _is_urgent(self) -> bool:
        return False  # no message has brought it


class Advance(AggregateTask):
    name = TaskName.ADVANCE

    def _is_urgent(self) -> bool:
        return False  # no message has brought it


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A rig whose process does at once what is handed to a crew, and knows only its ports."""
    rig = Rig()
    process = SimpleNamespace(crews=Crews(lambda _: 1), watchdog=Mock(), ports=rig.ports)
    monkeypatch.setattr(base, "this_process", lambda: process)
    monkeypatch.setattr(base, "offer", lambda _owner, _key, work, _rank: work())
    return rig


def test_a_message_has_each_lane_walked_once(rig: Rig) -> None:
    spot = [rig.accept(BUY).id for _ in range(5)]
    futures = [rig.accept(OPEN).id for _ in range(5)]
    rig.publisher.waiting.clear()

    with round_trips(rig.redis) as trips:
        Advance().work([*spot, *futures], rig.ports)
    rig.drain()

    # In each lane one look for each turn, and one that finds nobody.
    assert sum(one == "MULTI GET GET ZRANGE SMEMBERS" for one in trips) == 2 * (5 + 1)
    assert rig.states(*spot, *futures) == [RequestStatus.DONE] * 10
    assert [one.parent_id for one in rig.venue.sent if one.account == SPOT_ID] == spot


def test_who_has_begun_is_worked_on_whoever_else_is_of_its_lane(rig: Rig) -> None:
    """A sale keeps its place until its order has ended; the message may be about its news."""
    rig.venue.place_script.append(ThenSilent(a_report(), OutcomeUnknown("nobody answered")))
    sale = rig.run(a_command(Action.SELL, size=fixed("0.1")))
    buys = [rig.accept(BUY).id for _ in range(2)]
    rig.clock.advance(POLICY.unknown_retry_ms)
    resolve_order(rig.orders()[0].id, rig.ports)
    rig.publisher.waiting.clear()

    Advance().work([*buys, sale.id], rig.ports)

    assert rig.signal(sale.id).status is RequestStatus.DONE


GARBAGE: list[Any] = [
    None,
    True,
    "",
    "x",
    "-1",
    -1,
    1.5,
    "1.5",
    [],
    {},
    "\uff11\uff12",
    "9" * 5_000,
    "1 2",
    b"1",
]


@pytest.mark.parametrize("value", GARBAGE, ids=repr)
def test_what_is_no_id_is_passed_over(value: object) -> None:
    task = Recording()

    task.work([value, 7], Rig().ports)

    assert task.tried == [(TaskName.PLACE, 7)]


@pytest.mark.parametrize(("value", "number"), [(0, 0), ("007", 7), (2**53 - 1, 2**53 - 1)])
def test_an_id_is_taken_as_number_or_text(value: object, number: int) -> None:
    assert id_in(value) == number


@pytest.mark.parametrize("error", [NotFound("gone"), Conflict("busy"), StoreUnavailable("away")])
def test_an_error_of_ours_ends_one_piece_of_work(error: HookfillError) -> None:
    with one_piece_of_work():
        raise error


def test_a_mistake_of_ours_ends_one_piece_of_work_and_is_loud() -> None:
    def failed() -> float:
        return REGISTRY.get_sample_value("hookfill_failed_items_total", {"loop": "work"}) or 0

    before = failed()
    with capture_logs() as logs, one_piece_of_work():
        raise ZeroDivisionError

    assert failed() == before + 1
    assert [(one["log_level"], one["event"]) for one in logs] == [("error", "work_failed")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, SoftTimeLimitExceeded])
def test_what_ends_a_task_or_its_process_is_not_held_back(error: type[BaseException]) -> None:
    with pytest.raises(error), one_piece_of_work():
        raise error


@pytest.mark.parametrize("spoil", [UnreadableRecord("newer"), KeyError("ours")])
def test_what_is_wrong_with_one_id_of_a_message_keeps_none_from_the_others(
    spoil: Exception,
) -> None:
    class Spoiled(Recording):
        def begin(
            self, task: TaskName, aggregate_id: AggregateId, walked: set[Lane], ports: Ports
        ) -> None:
            if aggregate_id == 1:
                raise spoil
            super().begin(task, aggregate_id, walked, ports)

    task = Spoiled()

    task.work([1, 2], Rig().ports)

    assert task.tried == [(TaskName.PLACE, 2)]


@pytest.mark.parametrize("kind", [*BY_ID, EffectKind.ADVANCE])
def test_every_use_case_says_that_an_id_is_unknown(kind: EffectKind) -> None:
    with pytest.raises(NotFound):
        carry_out(kind, AggregateId(2**53 - 1), Rig().ports)


def test_a_task_must_say_what_it_does() -> None:
    with pytest.raises(NotImplementedError):
        HookfillTask().work([], Rig().ports)


@pytest.mark.parametrize("queue", QueueName)
def test_a_message_says_in_which_queue_it_waited(queue: QueueName) -> None:
    """By that a task knows what is urgent."""
    app = celery_for("memory://")
    app.send_task(TaskName.PLACE, args=([1],), queue=queue)

    with app.connection_for_read() as connection:
        message = Queue(queue)(connection.channel()).get()

    assert message is not None
    assert message.delivery_info["routing_key"] == queue
