"""Lanes: in order of due time, then of arrival, and what is in flight."""

from typing import Any

import pytest

from app.domain.commands import Action
from app.domain.enums import ReasonCode
from app.domain.identifiers import EpochMs
from app.domain.reason import Reason
from app.domain.request.signal import RequestStatus, Stage
from app.domain.status import OrderStatus
from app.store.core import keys
from app.store.core.lanes import LOOKED_AT
from tests.support.builders import (
    BTC,
    ETH,
    NOW,
    SPOT_ID,
    USDM_ID,
    a_signal,
    an_id,
    an_order,
    an_order_in,
)
from tests.support.redis_store import Store


def test_a_lane_shows_who_waits_in_order_of_due_time(store: Store) -> None:
    for number, due in ((1, 30), (2, 10), (3, 20)):
        store.put(a_signal(id=an_id(number), due_at_ms=EpochMs(NOW + due)))

    lane = store.lanes.look(SPOT_ID, BTC)

    assert lane.waiting == (an_id(2), an_id(3), an_id(1))
    assert lane.in_flight == ()


def test_those_of_one_millisecond_wait_in_order_of_arrival(store: Store) -> None:
    ids = store.queue(9, 3, 7, 1)

    seen = store.lanes.look(SPOT_ID, BTC)

    assert list(seen.waiting) == ids


def test_a_crowd_within_one_millisecond_keeps_its_order_and_its_millisecond(store: Store) -> None:
    ids = store.queue(*range(40, 0, -1))
    store.put(a_signal(id=an_id(99), due_at_ms=EpochMs(NOW + 1)))

    seen = store.lanes.look(SPOT_ID, BTC)

    assert list(seen.waiting) == [*ids, an_id(99)]


def test_more_than_a_double_can_tell_apart_still_come_before_the_next_millisecond(
    store: Store,
) -> None:
    lane = keys.account(SPOT_ID).lane + BTC
    store.client.zadd(lane, {"1": NOW + 4095 / 4096})

    store.queue(2, 3)

    found: Any = store.client.zrange(lane, 0, -1, withscores=True)
    scores = [score for _, score in found]
    assert max(scores) < NOW + 1
    assert store.lanes.head(SPOT_ID, BTC) == 1


def test_whoever_comes_back_to_the_lane_keeps_the_place(store: Store) -> None:
    ids = store.queue(1, 2)
    store.change(a_signal(id=ids[0], stage=Stage.CLOSING))

    assert store.lanes.head(SPOT_ID, BTC) == ids[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"status": RequestStatus.SCHEDULED},
        {"status": RequestStatus.DONE},
        {"stage": Stage.WORKING},
        {"stage": Stage.PROTECTED},
        {"action": Action.CANCEL},
    ],
)
def test_who_has_no_turn_to_take_does_not_wait(store: Store, odd: dict[str, Any]) -> None:
    store.put(a_signal(**odd))

    assert store.lanes.head(SPOT_ID, BTC) is None


def test_a_lane_shows_the_orders_in_flight(store: Store) -> None:
    store.put(an_order())

    seen = []
    for status in (OrderStatus.PENDING_NEW, OrderStatus.PLACING, OrderStatus.UNKNOWN):
        store.change(an_order_in(status))
        seen.append(store.lanes.look(SPOT_ID, BTC).in_flight)
    store.change(an_order_in(OrderStatus.NEW))

    assert seen == [(an_order().id,)] * 3
    assert store.lanes.look(SPOT_ID, BTC).in_flight == ()


def test_every_change_to_what_is_in_flight_is_counted(store: Store) -> None:
    seen = [store.lanes.look(SPOT_ID, BTC).changes]

    store.put(an_order())
    seen.append(store.lanes.look(SPOT_ID, BTC).changes)
    for status in (OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW):
        store.change(an_order_in(status))
        seen.append(store.lanes.look(SPOT_ID, BTC).changes)

    assert seen == [0, 1, 2, 3, 4]


def test_an_order_that_joined_and_left_between_two_looks_shows_in_the_count(store: Store) -> None:
    before = store.lanes.look(SPOT_ID, BTC)

    store.put(an_order())
    store.change(an_order_in(OrderStatus.FILLED))

    after = store.lanes.look(SPOT_ID, BTC)
    assert after.in_flight == before.in_flight == ()
    assert after.changes > before.changes


def test_what_moves_nothing_in_flight_is_not_counted(store: Store) -> None:
    (waiting,) = store.queue(2)
    store.put(an_order())
    before = store.lanes.look(SPOT_ID, BTC).changes

    store.change(a_signal(id=waiting, status=RequestStatus.DONE))
    store.change(an_order(reason=Reason(ReasonCode.REQUESTED, "changed")))
    store.put(an_order(id=an_id(3), reduces=True, awaits_turn=True))

    assert store.lanes.look(SPOT_ID, BTC).changes == before


def test_lanes_count_apart(store: Store) -> None:
    store.put(an_order())

    assert store.lanes.look(SPOT_ID, ETH).changes == 0
    assert store.lanes.look(USDM_ID, BTC).changes == 0


def test_nobody_is_next_while_an_order_is_in_flight(store: Store) -> None:
    (waiting,) = store.queue(1)
    store.put(an_order(id=an_id(2)))

    busy = store.lanes.head(SPOT_ID, BTC)
    store.change(an_order_in(OrderStatus.NEW, id=an_id(2)))

    assert busy is None
    assert store.lanes.head(SPOT_ID, BTC) == waiting


def test_one_look_sees_a_bounded_number(store: Store) -> None:
    lane = keys.account(SPOT_ID).lane + BTC
    store.client.zadd(lane, {str(number): NOW + number for number in range(LOOKED_AT + 10)})

    assert len(store.lanes.look(SPOT_ID, BTC).waiting) == LOOKED_AT
