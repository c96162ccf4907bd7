"""One bad record is one bad record: whatever goes through many goes on, and people see it."""

import json
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client import REGISTRY

from app.domain.commands import Action
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AggregateId, EpochMs, OrderId
from app.domain.kill_switch import KillSwitch
from app.domain.market import Tick
from app.domain.request.signal import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.domain.trigger import Firing
from app.ports.ledger import Stored
from app.services.admin.kill_switches import fire_kill_switches
from app.services.following.follow import follow_news, poll_orders
from app.services.following.news import read_news
from app.services.following.reconcile import reconcile
from app.services.keeping.archive import archive
from app.services.keeping.quarantine import try_quarantined
from app.services.keeping.sweep import sweep
from app.services.placing.settle import is_settled
from app.services.reset import cancel_everything
from app.services.watching.release import release_due
from app.services.watching.watch import HANDED_ON_MAX, TRIED_MAX, watch_prices
from app.store.core import keys
from app.store.core.ledger import RedisLedger
from tests.support.builders import (
    BTC,
    PAPER,
    SPOT_ID,
    a_command,
    a_quote,
    a_report,
    a_signal,
    a_stop,
    an_id,
    an_order_in,
    client_id,
    fixed,
)
from tests.support.rig import POLICY, Rig

BAD, GOOD = an_id(1), an_id(2)
SECOND = 1_000


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def edit(body: str) -> str:
        record = json.loads(body)
        change(record)
        return json.dumps(record)

    return edit


#: How a record can be bad → what makes it so of a good one.
KINDS: dict[str, Callable[[str], str]] = {
    "newer schema": edited(lambda one: one.update(s=99)),
    "unknown kind": edited(lambda one: one.update(k="BASKET")),
    "unknown word": edited(lambda one: one.update(sd="SIDEWAYS", side="SIDEWAYS", dl="KLINGON")),
    "missing key": edited(lambda one: one.pop("sy")),
    "no number": edited(lambda one: one.update(quantity="many", stage=7, state=[], dl={})),
    "broken text": lambda body: body[:-9],
    "another shape": lambda _: "[]",
    "no text": lambda _: "",
}

Spoil = Callable[[Rig, AggregateId], None]


class Mistaken(RedisLedger):
    """A ledger with a mistake of ours that only one record meets."""

    def load(self, aggregate_id: AggregateId) -> Stored:
        if aggregate_id == BAD:
            raise KeyError("a case that nobody has thought of")
        return super().load(aggregate_id)

    def load_all(self, ids: Collection[AggregateId]) -> Sequence[Stored]:
        return [self.load(one) for one in ids]


def spoiling(edit: Callable[[str], str]) -> Spoil:
    def spoil(rig: Rig, aggregate_id: AggregateId) -> None:
        key = keys.AggregateKeys(aggregate_id).record
        rig.redis.hset(key, "body", edit(str(rig.redis.hget(key, "body"))))

    return spoil


def mistaken(rig: Rig, aggregate_id: AggregateId) -> None:
    assert aggregate_id == BAD
    ledger = Mistaken(rig.redis, rig.clock, lambda: "rig", POLICY.republish_after_ms)
    rig.ports = replace(rig.ports, ledger=ledger)


NEWER = spoiling(KINDS["newer schema"])
SPOILS = {name: spoiling(edit) for name, edit in KINDS.items()}


def stops(rig: Rig, ids: Sequence[AggregateId] = (BAD, GOOD)) -> None:
    """Stops that wait at the same level, the bad one first."""
    for one in ids:
        stop = a_stop(id=one, caller_id=str(one))
        rig.put(replace(stop, trigger=replace(stop.trigger, owner=one, looks_now=False)))
    sweep(rig.ports)
    rig.clock.advance(3_000)
    sweep(rig.ports)
    rig.drain()


def resting(rig: Rig) -> None:
    """Two orders that are open at the venue."""
    for one in (BAD, GOOD):
        rig.put(an_order_in(OrderStatus.NEW, id=one, client_order_id=client_id(one)))


# What goes through many, and what of the good one shows that it came to it


def firings(rig: Rig, spoil: Spoil) -> None:
    stops(rig)
    spoil(rig, BAD)
    rig.feed.ticks.append(Tick(number=1, at_ms=rig.clock.now_ms(), quotes={BTC: a_quote("60001")}))
    watch_prices(PAPER, rig.ports)
    assert rig.smart_order(GOOD).status is SmartOrderStatus.TRIGGERED


def timers(rig: Rig, spoil: Spoil) -> None:
    for one in (BAD, GOOD):
        due = EpochMs(rig.clock.now_ms() + SECOND)
        rig.put(a_signal(id=one, status=RequestStatus.SCHEDULED, due_at_ms=due))
    spoil(rig, BAD)
    rig.clock.advance(2 * SECOND)
    release_due([], rig.ports)
    assert rig.signal(GOOD).status is not RequestStatus.SCHEDULED


def kill_switches(rig: Rig, spoil: Spoil) -> None:
    resting(rig)
    origin, now_ms = rig.order(GOOD).origin, rig.clock.now_ms()
    switch = KillSwitch(account=SPOT_ID, origin=origin, set_at_ms=now_ms, cancel_at_ms=now_ms)
    rig.ports.kill_switches.put(switch)
    spoil(rig, BAD)
    fire_kill_switches(rig.ports)
    assert rig.order(GOOD).cancel_requested
    assert rig.ports.kill_switches.of(SPOT_ID) == switch, "it has not reached all"


def outbox(rig: Rig, spoil: Spoil) -> None:
    for one in (BAD, GOOD):
        rig.put(a_signal(id=one))
    rig.publisher.waiting.clear()
    spoil(rig, BAD)
    rig.clock.advance(4 * SECOND)
    sweep(rig.ports)
    assert GOOD in {effect.target for effect in rig.publisher.published}


def polls(rig: Rig, spoil: Spoil) -> None:
    resting(rig)
    for one in (BAD, GOOD):
        rig.venue.ledger[client_id(one)] = a_report()
    spoil(rig, BAD)
    poll_orders(SPOT_ID, rig.ports)
    assert rig.order(GOOD).status is OrderStatus.FILLED


def reports(rig: Rig, spoil: Spoil) -> None:
    resting(rig)
    ids = {one: rig.ports.ids.client_order_id(one) for one in (BAD, GOOD)}
    rig.reports.news[SPOT_ID] = {ids[one]: a_report() for one in (BAD, GOOD)}
    spoil(rig, BAD)
    follow_news(rig.ports)
    assert rig.order(GOOD).status is OrderStatus.FILLED
    assert set(rig.reports.news[SPOT_ID]) == {ids[BAD]}, "nobody has heard of it"


def reconciliations(rig: Rig, spoil: Spoil) -> None:
    resting(rig)
    rig.venue.ledger[client_id(GOOD)] = a_report()
    spoil(rig, BAD)
    reconcile(SPOT_ID, rig.ports)
    assert rig.order(GOOD).status is OrderStatus.FILLED


def cancels(rig: Rig, spoil: Spoil) -> None:
    stops(rig)
    spoil(rig, BAD)
    found = rig.ports.live.waiting(SPOT_ID)
    assert [one.id for one in found] == [GOOD]


def news(rig: Rig, spoil: Spoil) -> None:
    parent = an_id(3)
    rig.put(a_signal(id=parent))
    for one in (BAD, GOOD):
        rig.put(an_order_in(OrderStatus.FILLED, id=one, parent_id=parent))
        rig.redis.hset(keys.AggregateKeys(parent).inbox, str(one), "1")
    spoil(rig, BAD)
    read_news(parent, rig.ports)
    assert set(rig.ports.ledger.with_news(parent)[1]) == {BAD}


def resets(rig: Rig, spoil: Spoil) -> None:
    resting(rig)
    spoil(rig, BAD)
    with pytest.raises(Exception, match="still has something live"):
        cancel_everything(SPOT_ID, rig.ports)
    assert rig.order(GOOD).status is OrderStatus.CANCELED


Loop = Callable[[Rig, Spoil], None]
LOOPS: tuple[Loop, ...] = (
    firings,
    timers,
    kill_switches,
    outbox,
    polls,
    reports,
    reconciliations,
    cancels,
    news,
    resets,
)
#: Those in which a mistake of ours, too, ends the work on one item only.
MISTAKE_LOOPS = (firings, timers, kill_switches, outbox, reports, news)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_record_that_cannot_be_read_holds_up_no_other(rig: Rig, loop: Loop, kind: str) -> None:
    loop(rig, SPOILS[kind])

    assert [one.id for one in rig.ports.quarantine.all()] == [BAD]


@pytest.mark.parametrize("loop", MISTAKE_LOOPS, ids=lambda loop: loop.__name__)
def test_a_mistake_of_ours_ends_its_own_item_and_is_loud(rig: Rig, loop: Loop) -> None:
    def count() -> float:
        names = [one for one in REGISTRY.collect() if one.name == "hookfill_failed_items"]
        return sum(sample.value for one in names for sample in one.samples)

    before = count()

    loop(rig, mistaken)

    assert count() > before


def test_many_bad_records_hold_up_neither_another_firing_nor_the_next_tick(rig: Rig) -> None:
    ids = [an_id(number) for number in range(1, HANDED_ON_MAX + 2)]
    stops(rig, ids)
    *bad, good = ids
    for one in bad:
        SPOILS["newer schema"](rig, one)
    for number in (1, 2):
        quotes = {BTC: a_quote("60001")}
        tick = Tick(number=number, at_ms=rig.clock.now_ms(), quotes=quotes)
        rig.feed.ticks.append(tick)

    for _ in range(3):
        watch_prices(PAPER, rig.ports)

    assert rig.smart_order(good).status is SmartOrderStatus.TRIGGERED
    assert list(rig.feed.ticks) == []


def test_no_look_tries_all_of_many_that_cannot_be_told(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [an_id(number) for number in range(1, 2 * TRIED_MAX)]
    stops(rig, ids)
    for one in ids:
        SPOILS["newer schema"](rig, one)
    rig.feed.ticks.append(Tick(number=1, at_ms=rig.clock.now_ms(), quotes={BTC: a_quote("60001")}))
    load = Mock(wraps=rig.ports.ledger.load)
    monkeypatch.setattr(rig.ports.ledger, "load", load)
    left: deque[Firing] = deque()
    tried = []

    for _ in range(3):
        before = load.call_count
        watch_prices(PAPER, rig.ports, left)
        tried.append(load.call_count - before)

    assert max(tried) == TRIED_MAX
    assert list(rig.feed.ticks) == []


# Lists


@pytest.mark.parametrize("kind", KINDS)
def test_lists_show_the_others(rig: Rig, kind: str) -> None:
    resting(rig)
    SPOILS[kind](rig, BAD)

    assert [one.id for one in rig.whole.newest(None)] == [GOOD]
    assert rig.whole.count() == 1
    with pytest.raises(UnreadableRecord, match=str(BAD)):
        rig.whole.find(BAD)


def test_what_is_kept_in_a_newer_form_leaves_the_list_of_the_rest_whole(rig: Rig) -> None:
    for one in (BAD, GOOD):
        rig.put(an_order_in(OrderStatus.FILLED, id=one))
    archive(rig.ports)
    rig.history.spoil(BAD)

    assert [one.id for one in rig.whole.newest(None)] == [GOOD]


def test_the_others_are_archived(rig: Rig) -> None:
    for one in (BAD, GOOD):
        rig.put(an_order_in(OrderStatus.FILLED, id=one))
    NEWER(rig, BAD)

    archive(rig.ports)

    assert set(rig.history.marks([BAD, GOOD])) == {GOOD}


def test_the_stack_counts_as_settled_without_it(rig: Rig) -> None:
    rig.put(a_signal(id=BAD))
    NEWER(rig, BAD)

    assert is_settled(rig.ports)


def test_a_timeline_shows_what_can_be_read(rig: Rig) -> None:
    stored = rig.accept(a_command(size=fixed("0.1"))).id
    before = len(rig.reader.timeline(stored))
    rig.redis.rpush(
        keys.AggregateKeys(stored).timeline, '["transmogrified", 1, "newer"]', "[]", "{"
    )

    assert len(rig.reader.timeline(stored)) == before > 0


def test_what_a_newer_release_owes_is_left_to_it(rig: Rig) -> None:
    rig.put(a_signal(id=GOOD))
    rig.redis.zadd(keys.shard_of(BAD).outbox, {f"teleport:{BAD}": 1})
    rig.clock.advance(4 * SECOND)

    assert [effect.target for effect in rig.ports.outbox.overdue(10)] == [GOOD]
    assert [effect.target for effect in rig.ports.outbox.owed()] == [GOOD]


# Lanes


def waiting(rig: Rig) -> tuple[AggregateId, AggregateId]:
    """An entry and an exit behind a request that nobody can read."""
    rig.put(a_signal(id=BAD))
    NEWER(rig, BAD)
    entry = rig.accept(a_command(size=fixed("0.1"))).id
    exit_ = rig.accept(a_command(Action.SELL, size=fixed("0.1"))).id
    rig.drain()
    return entry, exit_


def test_nobody_overtakes_it_in_its_lane_at_first(rig: Rig) -> None:
    entry, exit_ = waiting(rig)

    rig.settle(rounds=POLICY.lane_patience_ms // SECOND - 2, step_ms=SECOND)

    states = {rig.signal(one).status for one in (entry, exit_)}
    assert states == {RequestStatus.EXECUTING}
    assert rig.venue.sent == []


def test_exits_go_on_when_their_patience_is_over_and_entries_wait_until_they_expire(
    rig: Rig,
) -> None:
    entry, exit_ = waiting(rig)

    rig.settle(rounds=POLICY.lane_patience_ms // SECOND + 5, step_ms=SECOND)
    state = rig.signal(entry).status
    rig.settle(rounds=60, step_ms=SECOND)

    assert rig.signal(exit_).status is RequestStatus.DONE
    assert state is RequestStatus.EXECUTING
    assert rig.signal(entry).status is RequestStatus.EXPIRED


def test_an_order_in_flight_that_cannot_be_read_counts_as_unknown(rig: Rig) -> None:
    rig.put(an_order_in(OrderStatus.PLACING, id=OrderId(BAD)))
    NEWER(rig, BAD)
    entry = rig.accept(a_command(size=fixed("0.1"))).id
    exit_ = rig.accept(a_command(Action.SELL, size=fixed("0.1"))).id

    rig.settle(rounds=5, step_ms=SECOND)
    early = rig.signal(exit_).status
    rig.settle(rounds=POLICY.lane_patience_ms // SECOND, step_ms=SECOND)

    assert early is RequestStatus.EXECUTING
    assert rig.signal(exit_).status is RequestStatus.DONE
    assert rig.signal(entry).status is RequestStatus.EXECUTING


# The quarantine


def test_it_tells_whose_it_is_why_and_since_when(rig: Rig) -> None:
    resting(rig)
    NEWER(rig, BAD)
    list(rig.whole.newest(None))
    since_ms = rig.clock.server_ms()
    rig.clock.advance(60 * SECOND)
    list(rig.whole.newest(None))

    (found,) = rig.ports.quarantine.all()

    assert (found.id, found.account, found.since_ms) == (BAD, SPOT_ID, since_ms)
    assert "schema 99" in found.why
    assert rig.ports.quarantine.count() == 1
    assert rig.ports.quarantine.find(BAD) == found
    assert rig.ports.quarantine.find(GOOD) is None


@pytest.mark.parametrize("kind", ["broken text", "another shape", "no text"])
def test_of_what_is_no_record_at_all_nobody_says_whose_it_is(rig: Rig, kind: str) -> None:
    resting(rig)
    SPOILS[kind](rig, BAD)
    list(rig.whole.newest(None))

    (found,) = rig.ports.quarantine.all()

    assert found.account is None


def test_a_record_that_can_be_read_again_leaves_by_itself_and_goes_on(rig: Rig) -> None:
    resting(rig)
    key = keys.AggregateKeys(BAD).record
    body = str(rig.redis.hget(key, "body"))
    NEWER(rig, BAD)
    list(rig.whole.newest(None))
    try_quarantined(rig.ports)
    before = rig.ports.quarantine.count()

    rig.redis.hset(key, "body", body)
    try_quarantined(rig.ports)

    assert (before, rig.ports.quarantine.count()) == (1, 0)
    assert rig.load(BAD).id == BAD


def test_one_that_is_gone_leaves(rig: Rig) -> None:
    resting(rig)
    NEWER(rig, BAD)
    list(rig.whole.newest(None))

    rig.redis.delete(keys.AggregateKeys(BAD).record)
    try_quarantined(rig.ports)

    assert rig.ports.quarantine.all() == []


def test_a_cancel_of_many_reaches_the_others_and_is_done_again(rig: Rig) -> None:
    rig.venue.place_script.extend([a_report(OrderStatus.NEW)] * 2)
    limit = a_command(size=fixed("0.1"), limit_price=Decimal(40_000))
    first, second = rig.run(limit), rig.run(limit)
    body = rig.redis.hget(keys.AggregateKeys(first.id).record, "body")
    NEWER(rig, first.id)

    canceling = rig.run(a_command(Action.CANCEL_ALL))
    reached, state = rig.signal(second.id).status, canceling.status
    rig.redis.hset(keys.AggregateKeys(first.id).record, "body", str(body))
    rig.settle()

    assert (reached, state) == (RequestStatus.CANCELED, RequestStatus.EXECUTING)
    assert rig.signal(first.id).status is RequestStatus.CANCELED
    assert rig.signal(canceling.id).status is RequestStatus.DONE
