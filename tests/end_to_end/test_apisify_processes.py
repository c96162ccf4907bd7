"""The acceptance vectors of the apisify spec that are about processes: V34 and V35."""

import signal
import time

import pytest
from celery import Celery

from tests.support.stack import Stack
from tests.support.users.apisify import ACCOUNT, B, Caller, fresh


@pytest.fixture
def caller(own_steps_stack: Stack) -> Caller:
    """Return the caller of a stack in the state that the vectors begin from."""
    caller = Caller(own_steps_stack)
    caller.reset()
    return caller


def test_v34_nothing_is_queued_while_the_store_is_away(
    caller: Caller, own_steps_stack: Stack
) -> None:
    stack = own_steps_stack
    stack.kill("redis", signal.SIGSTOP)
    try:
        answer = caller.post(B)
    finally:
        stack.kill("redis", signal.SIGCONT)
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")
    assert answer.headers["Retry-After"] == "5"
    stack.wait_ready()
    stack.settle()
    assert caller.orders() == []
    caller.accepted(B)
    assert len(caller.orders()) == 1


def test_v35_a_task_delivered_twice_places_once(caller: Caller, own_steps_stack: Stack) -> None:
    caller.reset("-3")
    body = caller.accepted(fresh(side="Sarbuy"))
    (order,) = caller.orders()
    celery = Celery(broker=own_steps_stack.run["broker_url"])
    for one in (body["order_id"], order["id"]):
        for task in ("hookfill.advance", "hookfill.place"):
            celery.send_task(task, args=[[one]], queue="orders")
    time.sleep(0.5)
    own_steps_stack.settle()
    assert len(own_steps_stack.account(ACCOUNT)["ledger"]) == 1
    assert caller.position() == 1
