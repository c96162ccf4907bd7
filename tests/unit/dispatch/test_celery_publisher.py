"""Wake-ups as Celery messages."""

import json
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
import redis
import structlog
from structlog.testing import capture_logs

from app.dispatch.broker import celery_for
from app.dispatch.celery_publisher import IDS_MAX, SLOT_GRACE_MS, SLOT_MS, CeleryPublisher, Put
from app.dispatch.routes import QueueName, TaskName
from app.domain.effects import Effect, EffectKind
from app.domain.errors import StoreUnavailable
from app.domain.identifiers import EpochMs
from app.outages import QUIET_SECONDS, Outage
from app.store.coordination.queues import RedisQueues
from app.store.core.connection import connect
from tests.support.builders import NOW, SPOT_ID, USDM_ID, an_id, an_order
from tests.support.clocks import FrozenClock
from tests.support.servers import QUICK, running_server

HORIZON_MS = 20_000


@dataclass
class Message:
    """What one message says."""

    task: str
    values: list[int]
    about: str
    eta: str | None


class Broker:
    """A broker that keeps what it gets, and a publisher that sends to it."""

    def __init__(self, put: Put | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self.clock = FrozenClock()
        self.claims: dict[int, int] = {}
        self.publisher = CeleryPublisher(
            put or self.put,
            self.clock,
            self.claim,
            HORIZON_MS,
            lambda account: f"account-{account}",
        )

    def put(self, messages: Sequence[tuple[str, str]]) -> Sequence[None]:
        """Keep messages."""
        self.sent += messages
        return [None] * len(messages)

    def claim(self, slot: int, life_ms: int) -> bool:
        """Claim a slot for so long, unless somebody has."""
        if slot in self.claims:
            return False
        self.claims[slot] = life_ms
        return True

    def messages(self, queue: QueueName) -> list[Message]:
        """Return everything that has come into a queue."""
        return [read(text) for name, text in self.sent if name == queue]


def read(text: str) -> Message:
    message = json.loads(text)
    (values,), _, _ = json.loads(b64decode(message["body"]))
    headers = message["headers"]
    return Message(headers["task"], values, headers["argsrepr"], headers["eta"])


@pytest.fixture
def broker() -> Broker:
    return Broker()


def place(number: int = 1, **odd: object) -> Effect:
    return Effect(kind=EffectKind.PLACE, target=an_id(number), **odd)  # type: ignore[arg-type]  # by name


def test_an_effect_becomes_a_message_with_its_id(broker: Broker) -> None:
    broker.publisher.publish([place(1)])

    (message,) = broker.messages(QueueName.ORDERS)
    assert (message.task, message.values) == (TaskName.PLACE, [an_id(1)])
    assert message.eta is None


def test_ids_of_one_task_share_a_message(broker: Broker) -> None:
    broker.publisher.publish([place(1), place(2), place(1)])

    (message,) = broker.messages(QueueName.ORDERS)
    assert message.values == [an_id(1), an_id(2)]


def test_different_work_on_one_aggregate_is_one_id(broker: Broker) -> None:
    news, arm = (Effect(kind=kind, target=an_id()) for kind in (EffectKind.NEWS, EffectKind.ARM))

    broker.publisher.publish([news, arm])

    (message,) = broker.messages(QueueName.ORDERS)
    assert (message.task, message.values) == (TaskName.ADVANCE, [an_id()])


def test_many_ids_are_spread_over_messages(broker: Broker) -> None:
    broker.publisher.publish([place(number) for number in range(2 * IDS_MAX + 1)])

    sizes = [len(message.values) for message in broker.messages(QueueName.ORDERS)]
    assert sizes == [IDS_MAX, IDS_MAX, 1]


def test_what_is_urgent_goes_another_way(broker: Broker) -> None:
    broker.publisher.publish([place(1), place(2, urgent=True)])

    assert [one.values for one in broker.messages(QueueName.URGENT)] == [[an_id(2)]]
    assert [one.values for one in broker.messages(QueueName.ORDERS)] == [[an_id(1)]]


def test_what_is_not_due_is_left_to_the_sweep(broker: Broker) -> None:
    broker.publisher.publish([place(1, due_at_ms=EpochMs(NOW + 1)), place(2, due_at_ms=NOW)])

    assert [one.values for one in broker.messages(QueueName.ORDERS)] == [[an_id(2)]]


def test_a_message_reads_like_a_sentence(broker: Broker) -> None:
    effects = [*an_order().owed(), place(2, about="sell 1 BTC/USDT market", account=USDM_ID)]
    effects += [place(3), place(4), place(5)]

    broker.publisher.publish(effects)

    (message,) = broker.messages(QueueName.ORDERS)
    assert message.about == (
        f"buy 0.5 BTC/USDT market, account account-{SPOT_ID}; "
        f"sell 1 BTC/USDT market, account account-{USDM_ID}; place {an_id(3)}; and 2 more"
    )


# Timers


def timer(in_ms: int) -> Effect:
    return Effect(kind=EffectKind.TIMER, target=an_id(), due_at_ms=EpochMs(NOW + in_ms))


def test_a_timer_gets_a_countdown_to_the_end_of_its_slot(broker: Broker) -> None:
    before = time.time()

    broker.publisher.publish([timer(5_010)])

    (message,) = broker.messages(QueueName.EVENTS)
    assert (message.task, message.values) == (TaskName.TIMERS_DUE, [NOW + 5_050])
    assert message.eta is not None
    due = datetime.fromisoformat(message.eta).timestamp()
    assert before + 5.05 <= due <= time.time() + 5.1


def test_a_timer_at_the_beginning_of_a_slot_does_not_ring_early(broker: Broker) -> None:
    broker.publisher.wake_timers([NOW])

    (message,) = broker.messages(QueueName.EVENTS)
    assert message.values == [NOW + SLOT_MS]


def test_timers_of_one_slot_share_a_countdown(broker: Broker) -> None:
    broker.publisher.publish([timer(5_001), timer(5_049)])
    broker.publisher.publish([timer(5_020)])

    assert len(broker.messages(QueueName.EVENTS)) == 1


def test_a_slot_is_claimed_until_its_message_counts_as_lost(broker: Broker) -> None:
    broker.publisher.wake_timers([EpochMs(NOW + 5_000)])

    assert broker.claims == {(NOW + 5_050) // SLOT_MS: 5_050 + SLOT_GRACE_MS}


def test_timers_far_ahead_are_left_to_the_sweep(broker: Broker) -> None:
    broker.publisher.publish([timer(HORIZON_MS + 1), timer(HORIZON_MS - SLOT_MS)])

    messages = broker.messages(QueueName.EVENTS)
    assert [one.values for one in messages] == [[NOW + HORIZON_MS]]
    assert len(broker.claims) == 1


def test_a_timer_that_is_overdue_rings_at_once(broker: Broker) -> None:
    broker.publisher.wake_timers([EpochMs(NOW - 60_000)])

    (message,) = broker.messages(QueueName.EVENTS)
    assert message.eta is None


# Nothing that fails on the way raises


def test_a_broker_that_is_away_costs_neither_an_error_nor_time() -> None:
    away = Broker(RedisQueues(connect("redis://127.0.0.1:1/0", 2.0)).put)
    started = time.monotonic()

    away.publisher.publish([place(1), place(2, urgent=True), timer(10)])

    assert time.monotonic() - started < 30


def test_a_broker_that_takes_nothing_for_a_while_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Mock(return_value=0.0)
    outage = Outage("broker", seconds)
    for module in ("outages", "dispatch.celery_publisher"):
        monkeypatch.setattr(f"app.{module}.BROKER", outage)
    structlog.reset_defaults()
    with running_server(tmp_path, QUICK) as server, redis.Redis.from_url(server.url) as client:
        publisher = Broker(RedisQueues(connect(server.url, 20.0)).put).publisher
        client.config_set("min-replicas-to-write", 1)
        with capture_logs() as told:
            for number in range(20):
                publisher.publish([place(number), place(number, urgent=True)])
        assert [line["event"] for line in told] == ["message_lost"]
        assert "NOREPLICAS" in told[0]["error"]

        client.config_set("min-replicas-to-write", 0)
        seconds.return_value = QUIET_SECONDS
        with capture_logs() as told:
            publisher.publish([place(1)])
        assert [line["event"] for line in told] == ["outage_over"]
        assert told[0]["failures"] == 40


def test_a_store_that_is_away_is_no_error_of_the_publisher(broker: Broker) -> None:
    silent = Mock(side_effect=StoreUnavailable("the store did not answer"))
    clock = Mock(now_ms=silent, server_ms=silent)
    publisher = CeleryPublisher(broker.put, clock, broker.claim, HORIZON_MS, str)

    publisher.publish([place(1, due_at_ms=NOW)])
    publisher.publish([timer(10)])
    publisher.wake_timers([NOW])

    assert broker.messages(QueueName.ORDERS) == []


def test_a_name_that_cannot_be_read_is_no_error_of_the_publisher(broker: Broker) -> None:
    unreadable = Mock(side_effect=StoreUnavailable("no name"))
    publisher = CeleryPublisher(broker.put, broker.clock, broker.claim, HORIZON_MS, unreadable)

    publisher.publish(an_order().owed())


# Settings of the broker


def test_messages_are_json_and_leave_no_results() -> None:
    conf = celery_for("memory://").conf

    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.task_ignore_result
    assert not conf.task_publish_retry


def test_no_countdown_comes_near_the_visibility_timeout() -> None:
    options = celery_for("redis://127.0.0.1:1/0").conf.broker_transport_options

    assert options["visibility_timeout"] * 1_000 > 10 * HORIZON_MS
