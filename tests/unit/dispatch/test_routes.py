"""Every kind of work has its task, and every task its queue."""

import pytest

from app.dispatch.routes import QUEUE_OF, QueueName, TaskName, queue_of, task_of
from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import EpochMs
from app.domain.worker_request import Question, WorkerRequest
from app.services.perform import BY_ID
from tests.support.builders import SPOT_ID, an_id


@pytest.mark.parametrize("kind", EffectKind)
def test_every_kind_of_work_has_a_task(kind: EffectKind) -> None:
    assert task_of(kind) in TaskName


@pytest.mark.parametrize("kind", BY_ID)
def test_a_kind_of_work_that_goes_by_id_has_a_task_of_its_name(kind: EffectKind) -> None:
    assert task_of(kind).name == kind.name


def test_every_task_has_a_queue() -> None:
    assert QUEUE_OF.keys() == set(TaskName)


@pytest.mark.parametrize("kind", EffectKind)
def test_what_is_urgent_waits_in_the_urgent_queue(kind: EffectKind) -> None:
    usual, urgent = (Effect(kind=kind, target=an_id(), urgent=flag) for flag in (False, True))

    assert queue_of(urgent) is QueueName.URGENT
    assert queue_of(usual) is QUEUE_OF[task_of(kind)]


def test_task_names_are_frozen() -> None:
    assert {name.value for name in TaskName} == {
        "hookfill.place",
        "hookfill.cancel",
        "hookfill.resolve",
        "hookfill.advance",
        "hookfill.timers_due",
        "hookfill.poll_prices",
        "hookfill.poll_orders",
        "hookfill.poll_guards",
        "hookfill.sweep",
        "hookfill.canary",
        "hookfill.inspect",
        "hookfill.learn",
        "hookfill.reconcile",
        "hookfill.archive",
        "hookfill.adjust",
        "hookfill.cancel_at_venue",
        "hookfill.rounds",
    }


def test_what_people_ask_takes_no_thread_from_cancels() -> None:
    request = WorkerRequest(
        id=an_id(),
        kind=EffectKind.LEARN,
        account=SPOT_ID,
        asked_ms=EpochMs(1),
        until_ms=EpochMs(2),
        question=Question(),
    )

    assert queue_of(request.effect()) is not QueueName.URGENT
