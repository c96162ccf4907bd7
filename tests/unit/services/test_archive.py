"""What has finished goes into the history and leaves; nothing is lost, doubled or held up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from app.domain.commands import Action
from app.domain.errors import HistoryUnavailable, NotFound
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.search import EVERYTHING, Search
from app.domain.status import OrderStatus
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.ports.history import Record
from app.ports.ledger import Change
from app.ports.room import STAY_MS_MIN, StoreMemory
from app.services.find_anywhere import present
from app.services.following.follow import follow_news
from app.services.keeping import archive as archive_module
from app.services.keeping.archive import UNREADABLE_MS, archive
from app.services.perform import perform
from app.store.core import keys
from app.store.core.archive_queue import RedisArchiveQueue
from app.store.core.memory import RedisMemory
from app.store.core.scripts import text_of
from tests.support.builders import (
    SPOT_ID,
    USDM_ID,
    a_command,
    a_fill,
    a_report,
    a_signal,
    a_view,
    an_id,
    an_order_in,
    fixed,
)
from tests.support.rig import Away, Rig, StepHistory, deaths, encounters

if TYPE_CHECKING:
    from app.domain.aggregate import Aggregate
    from app.domain.order import Order

AFTER_MS = 2_000


def a_rig() -> Rig:
    rig = Rig()
    policy = replace(rig.ports.policy, history_after_ms=AFTER_MS)
    rig.ports = replace(rig.ports, policy=policy)
    rig.venue.account = a_view({"USDT": "1000000", "BTC": "5"})
    return rig


def traded() -> Rig:
    """A rig with a signal whose order was filled, one that is done without, and one that rests."""
    rig = a_rig()
    fill = a_fill(quantity=Decimal("0.5"))
    rig.venue.place_script += [a_report(fills=(fill,)), a_report(OrderStatus.NEW)]
    rig.run(a_command(size=fixed("0.5")))
    rig.clock.advance(3)
    rig.run(a_command(size=fixed("0.5"), limit_price=Decimal(40_000)))
    rig.clock.advance(3)
    rig.run(a_command(size=fixed("0.00000001")))
    rig.settle(rounds=5, step_ms=10)
    return rig


def archived(rig: Rig) -> None:
    """Let everything leave that may."""
    for _ in range(3):
        archive(rig.ports)
        rig.clock.advance(AFTER_MS + 1)


def everything(rig: Rig) -> Sequence[Aggregate]:
    """Return what people see, once the fills and counts were found to agree with it."""
    found = list(rig.whole.newest(None))
    ids = [one.id for one in found]
    assert len(set(ids)) == len(ids) == rig.whole.count()
    fills = list(rig.whole.fills(None))
    assert len(fills) == rig.whole.count_fills()
    assert sorted((order.id, fill.trade_id) for _, order, fill in fills) == sorted(
        (one.id, fill.trade_id) for one in found for fill in getattr(one, "fills", ())
    )
    return found


def stories(rig: Rig) -> dict[object, object]:
    """Return the timelines and children of everything."""
    return {
        one.id: (rig.whole.timeline(one.id), rig.whole.children(one.id)) for one in everything(rig)
    }


def in_store(rig: Rig) -> set[int]:
    return {int(key.rsplit(":", 1)[1]) for key in rig.redis.scan_iter("*:aggregate:*")}


def test_what_has_finished_leaves_and_what_is_live_stays() -> None:
    rig = traded()
    before, told = everything(rig), stories(rig)
    live = {one.id for one in before if one.is_live}

    archived(rig)

    assert len(live) == 2
    assert in_store(rig) == live
    assert everything(rig) == before
    assert stories(rig) == told
    assert [rig.whole.find(one.id) for one in before] == before


def test_with_no_time_set_nothing_leaves() -> None:
    rig = traded()
    policy = replace(rig.ports.policy, history_after_ms=0)
    rig.ports = replace(rig.ports, policy=policy)
    before = in_store(rig)

    archived(rig)

    assert in_store(rig) == before
    assert rig.history.count(EVERYTHING, ()) == len(before) - 2


@pytest.mark.parametrize(
    ("percent", "stay_ms"),
    [(0, 30_000), (25, 30_000), (26, 28_000), (30, 20_000), (39, 2_000), (40, 1_000), (130, 1_000)],
)
def test_the_less_room_there_is_the_sooner_it_leaves(percent: int, stay_ms: int) -> None:
    assert StoreMemory(percent * 1_000, 100_000).stay_ms(30_000) == stay_ms


def test_a_store_without_a_limit_has_room() -> None:
    assert StoreMemory(1 << 40, 0).stay_ms(3_000) == 3_000


def test_what_has_finished_leaves_soon_when_room_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = traded()
    live = {one.id for one in everything(rig) if one.is_live}
    archive(rig.ports)
    rig.clock.advance(STAY_MS_MIN + 1)
    archive(rig.ports)
    roomy = in_store(rig)

    monkeypatch.setattr(RedisMemory, "read", lambda _: StoreMemory(40, 100))
    archive(rig.ports)

    assert len(roomy) > len(live)
    assert in_store(rig) == live


def test_what_comes_back_for_late_news_is_there_until_it_is_told_however_short_room_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RedisMemory, "read", lambda _: StoreMemory(45, 100))
    rig = Rig()
    rig.venue.place_script.append(a_report(OrderStatus.CANCELED))
    signal = rig.run(a_command(Action.OPEN_LONG, size=fixed("0.4"), stop_loss=Decimal(1_900)))
    (order,) = rig.orders()
    for _ in range(2):
        archive(rig.ports)
        rig.clock.advance(STAY_MS_MIN + 1)
    archive(rig.ports)
    bring_back, met = RedisArchiveQueue.bring_back, []

    def meeting(queue: RedisArchiveQueue, record: Record, give_up_at_ms: EpochMs) -> None:
        bring_back(queue, record, give_up_at_ms)
        met.append(record.aggregate.id)
        archive(rig.ports)

    monkeypatch.setattr(RedisArchiveQueue, "bring_back", meeting)
    late = a_report(OrderStatus.CANCELED, filled_quantity=Decimal("0.4"))
    rig.reports.news[USDM_ID] = {order.client_order_id: late}
    follow_news(rig.ports)
    rig.settle()

    assert order.id in met
    found = [rig.whole.find(one) for one in (order.id, signal.id)]
    assert [getattr(one, "filled_quantity", None) for one in found] == [Decimal("0.4")] * 2


def test_a_second_time_changes_nothing() -> None:
    rig = traded()
    before = everything(rig)
    archived(rig)
    written: list[int] = []
    rig.history.after_keep = lambda: written.append(1)

    archived(rig)

    assert written == []
    assert everything(rig) == before


def _noted(rig: Rig, seen: list[Sequence[Aggregate]]) -> Rig:
    seen.append(everything(rig))
    return rig


def test_whenever_it_dies_nothing_is_lost_or_doubled() -> None:
    seen: list[Sequence[Aggregate]] = []

    for rig in deaths(lambda: _noted(traded(), seen), archived):
        expected = seen[-1]
        assert everything(rig) == expected
        archived(rig)
        assert everything(rig) == expected
        assert in_store(rig) == {one.id for one in expected if one.is_live}


def test_two_at_once_lose_and_double_nothing() -> None:
    seen: list[Sequence[Aggregate]] = []

    for rig in encounters(lambda: _noted(traded(), seen), archived, archived):
        expected = seen[-1]
        assert everything(rig) == expected
        archived(rig)
        assert in_store(rig) == {one.id for one in expected if one.is_live}


def news_of_the_resting_order(rig: Rig) -> None:
    (order,) = [one for one in rig.orders() if one.status is OrderStatus.NEW]
    rig.reports.news[SPOT_ID] = {order.client_order_id: a_report(fills=(a_fill(),))}
    follow_news(rig.ports)
    rig.drain()


def test_a_fill_while_it_archives_is_in_the_history_in_the_end() -> None:
    for rig in encounters(traded, archived, news_of_the_resting_order):
        assert all(not one.is_live for one in everything(rig))
        assert rig.whole.count_fills() == 2
        archived(rig)
        assert in_store(rig) == set()
        assert rig.whole.count_fills() == 2
        assert [one.status for one in everything(rig) if one.parent_id is None] == [
            RequestStatus.DENIED,
            RequestStatus.DONE,
            RequestStatus.DONE,
        ]


def canceled_and_gone() -> Rig:
    """A rig with a canceled order that has left, with its signal."""
    rig = a_rig()
    rig.venue.place_script.append(a_report(OrderStatus.CANCELED))
    rig.run(a_command(size=fixed("0.5")))
    rig.settle()
    archived(rig)
    assert in_store(rig) == set()
    return rig


def late_report(rig: Rig) -> None:
    """Let the venue tell that the canceled order was filled after all."""
    (order,) = rig.orders()
    rig.reports.news[SPOT_ID] = {order.client_order_id: a_report(fills=(a_fill(),))}
    follow_news(rig.ports)
    rig.settle()


def _assert_filled(rig: Rig) -> Order:
    signal, order = sorted(everything(rig), key=lambda one: one.id)
    assert (order.status, order.fills) == (OrderStatus.FILLED, (a_fill(),))  # type: ignore[union-attr]
    assert signal.filled_quantity == Decimal("0.5")
    return rig.order()


def test_a_late_report_brings_an_order_and_its_signal_back() -> None:
    rig = canceled_and_gone()
    (before,) = rig.orders()

    late_report(rig)

    _assert_filled(rig)
    assert rig.ports.ledger.load(before.id).version > 2
    archived(rig)
    _assert_filled(rig)
    assert in_store(rig) == set()
    assert rig.events(before.id) == []
    names = [entry.name.value for entry, _ in rig.whole.timeline(before.id)]
    assert names == ["sent", "acknowledged", "canceled", "closed", "filled"]


def test_a_late_report_that_is_cut_short_is_read_again() -> None:
    for rig in deaths(canceled_and_gone, late_report):
        late_report(rig)
        _assert_filled(rig)
        archived(rig)
        _assert_filled(rig)


def test_a_late_report_and_an_archive_meet() -> None:
    for rig in encounters(canceled_and_gone, late_report, archived):
        rig.settle()
        late_report(rig)
        _assert_filled(rig)


def test_a_report_that_says_nothing_new_brings_nothing_back() -> None:
    rig = canceled_and_gone()
    (order,) = rig.orders()
    rig.reports.news[SPOT_ID] = {order.client_order_id: a_report(OrderStatus.CANCELED)}

    follow_news(rig.ports)

    assert in_store(rig) == set()
    assert rig.reports.accounts_with_news() == []


def test_what_never_was_is_not_found() -> None:
    rig = canceled_and_gone()

    with pytest.raises(NotFound, match="never was"):
        present(an_id(99), rig.ports)
    with pytest.raises(NotFound):
        rig.whole.find(an_id(99))
    assert (rig.whole.timeline(an_id(99)), rig.whole.children(an_id(99))) == ([], [])


class TestWithoutTheHistory:
    def away(self, rig: Rig) -> Rig:
        """The same with a history that does not answer."""
        history = SqlHistory(Away("sqlite://"))
        rig.ports = replace(rig.ports, history=history)
        rig.whole = WholeReader(rig.reader, history)
        return rig

    def test_nothing_leaves_and_trading_goes_on(self) -> None:
        rig = self.away(traded())
        before = in_store(rig)

        with pytest.raises(HistoryUnavailable):
            archive(rig.ports)
        rig.run(a_command(size=fixed("0.1")))
        (resting,) = [
            one
            for one in rig.reader.newest(None)
            if getattr(one, "status", None) is OrderStatus.NEW
        ]
        rig.reports.news[SPOT_ID] = {resting.client_order_id: a_report()}  # type: ignore[union-attr]
        follow_news(rig.ports)
        rig.drain()

        assert in_store(rig) > before
        assert all(not one.is_live for one in rig.reader.newest(None))

    def test_what_is_live_is_listed_all_the_same(self) -> None:
        rig = self.away(traded())
        live = Search(states=frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}))

        assert [one.account for one in rig.whole.newest(None, live)] == [SPOT_ID]
        assert rig.whole.count(live) == 1
        with pytest.raises(HistoryUnavailable):
            list(rig.whole.newest(None))

    def test_news_of_what_has_left_waits_and_holds_up_no_other(self) -> None:
        rig = canceled_and_gone()
        (gone,) = rig.orders()
        rig.venue.place_script.append(a_report(OrderStatus.NEW))
        rig.run(a_command(size=fixed("0.2"), limit_price=Decimal(40_000)))
        resting = next(one for one in rig.orders() if one.is_live)
        history, whole = rig.history, rig.whole
        self.away(rig)
        rig.reports.news[SPOT_ID] = {
            gone.client_order_id: a_report(fills=(a_fill(),)),
            resting.client_order_id: a_report(OrderStatus.CANCELED),
        }

        follow_news(rig.ports)

        assert rig.load(resting.id).is_live is False
        assert rig.reports.accounts_with_news() == [SPOT_ID]
        rig.ports, rig.whole = replace(rig.ports, history=history), whole
        follow_news(rig.ports)
        assert rig.reports.accounts_with_news() == []
        assert rig.whole.find(gone.id).filled_quantity == Decimal("0.5")


def test_another_history_gets_all_that_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "BATCH", 2)
    rig = traded()
    before = everything(rig)
    archive(rig.ports)
    rig.history = StepHistory()
    rig.ports = replace(rig.ports, history=rig.history)
    rig.whole = WholeReader(rig.reader, rig.history)

    archive(rig.ports)

    assert everything(rig) == before
    archived(rig)
    assert everything(rig) == before
    assert in_store(rig) == {one.id for one in before if one.is_live}


def test_nothing_leaves_that_the_history_has_lost() -> None:
    rig = traded()
    before = everything(rig)
    archive(rig.ports)
    with rig.history._database.writing() as connection:  # noqa: SLF001 - somebody deletes rows
        connection.exec_driver_sql("DELETE FROM hookfill_records")
    rig.clock.advance(AFTER_MS + 1)

    archive(rig.ports)

    assert in_store(rig) == {one.id for one in before}
    archived(rig)
    assert in_store(rig) == {one.id for one in before if one.is_live}
    assert everything(rig) == before


def test_a_record_of_a_newer_release_holds_up_nobody() -> None:
    rig = traded()
    newer = next(one for one in rig.reader.newest(None) if not one.is_live)
    body = text_of(rig.redis.hget(keys.AggregateKeys(newer.id).record, "body"))
    rig.redis.hset(keys.AggregateKeys(newer.id).record, "body", body.replace('"s":1', '"s":9'))
    count = len(in_store(rig))

    archive(rig.ports)

    assert rig.history.count(EVERYTHING, ()) == count - 3
    assert newer.id not in rig.ports.archive_queue.finished(99)
    rig.clock.advance(UNREADABLE_MS)
    assert newer.id in rig.ports.archive_queue.finished(99)


def test_it_goes_on_for_as_long_as_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "BATCH", 2)
    rig = a_rig()
    for number in range(1, 8):
        rig.put(an_order_in(OrderStatus.FILLED, id=an_id(number)))

    archive(rig.ports)

    assert rig.history.count(EVERYTHING, ()) == 7


def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "BATCH", 2)
    rig = a_rig()
    for number in range(1, 8):
        rig.put(an_order_in(OrderStatus.FILLED, id=an_id(number)))
    rig.history.after_keep = lambda: rig.clock.advance(archive_module.PATIENCE_MS)

    archive(rig.ports)

    assert rig.history.count(EVERYTHING, ()) == 2


def test_news_is_read_by_who_has_left() -> None:
    rig = a_rig()
    signal = a_signal(id=an_id(1), status=RequestStatus.DONE, order_id=an_id(2))
    child = an_order_in(OrderStatus.CANCELED, id=an_id(2), parent_id=signal.id)
    rig.ports.ledger.commit([Change(None, signal), Change(None, child)])
    archived(rig)
    assert in_store(rig) == set()
    rig.redis.hset(keys.AggregateKeys(signal.id).inbox, str(child.id), 1)

    perform(signal.id, rig.ports)

    assert rig.redis.exists(keys.AggregateKeys(signal.id).inbox) == 0
    archived(rig)
    assert in_store(rig) == set()
