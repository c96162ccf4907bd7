"""Lanes: one at a time, in order of due time, then of arrival."""

from typing import Any

import pytest

from app.domain.commands import Action
from app.domain.identifiers import EpochMs
from app.domain.signal import SignalState, Stage
from app.domain.status import OrderStatus
from app.store import keys
from app.store.lanes import LOOKED_AT
from tests.builders import (
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
from tests.contract.store import Store


def test_a_lane_shows_who_waits_in_order_of_due_time(store: Store) -> None:
    for number, due in ((1, 30), (2, 10), (3, 20)):
        store.put(a_signal(id=an_id(number), due_at_ms=EpochMs(NOW + due)))

    turn = store.lanes.enter(SPOT_ID, BTC)

    assert turn is not None
    assert turn.waiting == (an_id(2), an_id(3), an_id(1))
    assert turn.in_flight == ()


def test_those_of_one_millisecond_wait_in_order_of_arrival(store: Store) -> None:
    ids = store.queue(9, 3, 7, 1)

    turn = store.lanes.enter(SPOT_ID, BTC)

    assert turn is not None
    assert list(turn.waiting) == ids


def test_a_crowd_within_one_millisecond_keeps_its_order_and_its_millisecond(store: Store) -> None:
    ids = store.queue(*range(40, 0, -1))
    store.put(a_signal(id=an_id(99), due_at_ms=EpochMs(NOW + 1)))

    turn = store.lanes.enter(SPOT_ID, BTC)

    assert turn is not None
    assert list(turn.waiting) == [*ids, an_id(99)]


def test_more_than_a_double_can_tell_apart_still_come_before_the_next_millisecond(
    store: Store,
) -> None:
    lane = keys.lane(SPOT_ID, BTC)
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
        {"state": SignalState.SCHEDULED},
        {"state": SignalState.DONE},
        {"stage": Stage.WORKING},
        {"stage": Stage.PROTECTED},
        {"action": Action.CANCEL},
    ],
)
def test_who_has_no_turn_to_take_does_not_wait(store: Store, odd: dict[str, Any]) -> None:
    store.put(a_signal(**odd))

    assert store.lanes.head(SPOT_ID, BTC) is None


def test_a_lane_is_held_by_one(store: Store) -> None:
    first = store.lanes.enter(SPOT_ID, BTC)

    assert first is not None
    assert store.lanes.enter(SPOT_ID, BTC) is None
    assert store.lanes.enter(SPOT_ID, ETH) is not None
    assert store.lanes.enter(USDM_ID, BTC) is not None


def test_a_lane_that_was_left_is_free_and_its_token_rises(store: Store) -> None:
    first = store.lanes.enter(SPOT_ID, BTC)
    assert first is not None
    store.lanes.leave(first)

    second = store.lanes.enter(SPOT_ID, BTC)

    assert second is not None
    assert second.token > first.token


def test_a_lease_that_ran_out_frees_the_lane(store: Store) -> None:
    first = store.lanes.enter(SPOT_ID, BTC)
    assert first is not None
    store.client.hset(keys.lane_lease(SPOT_ID, BTC), "until", NOW)  # long ago

    second = store.lanes.enter(SPOT_ID, BTC)

    assert second is not None
    assert second.token == first.token + 1


def test_who_slept_does_not_take_the_lane_from_another(store: Store) -> None:
    first = store.lanes.enter(SPOT_ID, BTC)
    assert first is not None
    store.client.hset(keys.lane_lease(SPOT_ID, BTC), "until", NOW)
    second = store.lanes.enter(SPOT_ID, BTC)
    assert second is not None

    store.lanes.leave(first)

    assert store.lanes.enter(SPOT_ID, BTC) is None


def test_whoever_leaves_learns_of_newcomers(store: Store) -> None:
    known = store.queue(1)
    turn = store.lanes.enter(SPOT_ID, BTC)
    assert turn is not None
    assert list(turn.waiting) == known

    (newcomer,) = store.queue(2)

    assert store.lanes.leave(turn) == newcomer


def test_whoever_leaves_with_nobody_new_is_told_so(store: Store) -> None:
    store.queue(1)
    turn = store.lanes.enter(SPOT_ID, BTC)
    assert turn is not None

    assert store.lanes.leave(turn) is None


def test_a_turn_shows_the_orders_in_flight(store: Store) -> None:
    store.put(an_order())

    seen = []
    for status in (OrderStatus.PENDING_NEW, OrderStatus.PLACING, OrderStatus.UNKNOWN):
        store.change(an_order_in(status))
        turn = store.lanes.enter(SPOT_ID, BTC)
        assert turn is not None
        seen.append(turn.in_flight)
        store.lanes.leave(turn)
    store.change(an_order_in(OrderStatus.NEW))
    turn = store.lanes.enter(SPOT_ID, BTC)

    assert seen == [(an_order().id,)] * 3
    assert turn is not None
    assert turn.in_flight == ()


def test_nobody_is_next_while_an_order_is_in_flight(store: Store) -> None:
    (waiting,) = store.queue(1)
    store.put(an_order(id=an_id(2)))

    busy = store.lanes.head(SPOT_ID, BTC)
    store.change(an_order_in(OrderStatus.NEW, id=an_id(2)))

    assert busy is None
    assert store.lanes.head(SPOT_ID, BTC) == waiting


def test_one_turn_looks_at_a_bounded_number(store: Store) -> None:
    lane = keys.lane(SPOT_ID, BTC)
    store.client.zadd(lane, {str(number): NOW + number for number in range(LOOKED_AT + 10)})

    turn = store.lanes.enter(SPOT_ID, BTC)

    assert turn is not None
    assert len(turn.waiting) == LOOKED_AT
