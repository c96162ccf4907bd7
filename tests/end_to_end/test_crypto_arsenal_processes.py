"""The acceptance vectors of the Crypto Arsenal spec that are about processes: V29 and V30."""

import signal
import time

from celery import Celery

from tests.support.stack import Stack
from tests.support.users.crypto_arsenal import FUTURES, SPOT, SPOT1
from tests.vectors.test_crypto_arsenal import V17, accepted, orders


def test_v29_nothing_is_queued_while_the_store_is_away(stack: Stack) -> None:
    payload = {**SPOT1, "action": "buy", "fixed": "0.01"}
    stack.kill("redis", signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = stack.send(payload)
        took = time.monotonic() - began
    finally:
        stack.kill("redis", signal.SIGCONT)
    assert answer.status_code == 503
    assert answer.text != "ok"
    assert answer.json()["error"]["code"] == "queue_unavailable"
    assert answer.headers["Retry-After"] == "5"
    assert took < 3  # TradingView gives up then
    stack.wait_ready()
    stack.settle()
    assert orders(stack, SPOT) == []
    accepted(stack, payload)
    assert len(orders(stack, SPOT)) == 1


def test_v30_a_task_delivered_twice_places_once(stack: Stack) -> None:
    accepted(stack, V17)
    (row,) = stack.rows(kind="SIGNAL", account=FUTURES)
    celery = Celery(broker=stack.run["broker_url"])
    stack.advance(10_000)
    for _ in range(3):
        for task in ("hookfill.advance", "hookfill.place", "hookfill.timers_due"):
            argument = 0 if task.endswith("due") else row["id"]
            celery.send_task(task, args=[[argument]], queue="orders")
    time.sleep(0.5)
    stack.settle()
    assert len(orders(stack, FUTURES)) == 1
    assert len(stack.account(FUTURES)["ledger"]) == 1
