"""Rows of the paper venue follow their orders into the history; the money stays as it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import Side
from app.domain.errors import HistoryUnavailable
from app.history.sql_history import SqlHistory
from app.services.following.follow import follow_news
from app.services.keeping import archive as archive_module
from app.services.keeping.archive import archive
from tests.support.builders import SPOT
from tests.support.paper_rig import AFTER_MS, PaperRig
from tests.support.rig import Away, deaths, encounters


def traded() -> PaperRig:
    """An order that was filled, one that rests, and a repeat that was refused."""
    rig = PaperRig()
    rig.buy(None, "40000")
    rig.world.spot.place(rig.orders()[0])
    rig.settle(rounds=5, step_ms=10)
    return rig


def archived(rig: PaperRig) -> None:
    for _ in range(3):
        rig.rest()


def test_what_rests_stays_and_all_else_follows_its_order() -> None:
    rig = traded()
    before = rig.told()

    archived(rig)

    resting = [one.client_order_id for one in rig.orders() if one.is_live]
    assert len(resting) == 1
    assert rig.world.in_store() == resting
    assert rig.told() == before
    assert len(rig.world.ports.rows(SPOT.id)) == 3


def test_a_row_stays_as_long_as_its_order() -> None:
    rig = traded()

    archive(rig.ports)
    archive(rig.ports)

    assert len(rig.world.in_store()) == 2


def test_with_no_time_set_no_row_leaves() -> None:
    rig = traded()
    rig.ports = replace(rig.ports, policy=replace(rig.ports.policy, history_after_ms=0))

    archived(rig)

    assert len(rig.world.in_store()) == 3


def test_an_order_that_is_sent_again_long_after_is_refused() -> None:
    rig = traded()
    order = rig.orders()[0]
    archived(rig)
    money = rig.world.available()

    report = rig.world.spot.place(order)

    assert report.fills == order.fills
    assert rig.world.available() == money
    archive(rig.ports)
    assert len(rig.world.in_store()) == 1
    outcomes = [row.outcome for row in rig.world.ports.rows(SPOT.id)]
    assert outcomes == ["FILLED", "NEW", "DUPLICATE", "DUPLICATE"]


def test_whenever_it_dies_nothing_is_told_otherwise() -> None:
    seen: list[object] = []

    def prepared() -> PaperRig:
        rig = traded()
        seen.append(rig.told())
        return rig

    for rig in deaths(prepared, archived):
        assert rig.told() == seen[-1]
        archived(rig)
        assert rig.told() == seen[-1]
        assert len(rig.world.in_store()) == 1


def test_two_at_once_lose_and_double_nothing() -> None:
    seen: list[object] = []

    def prepared() -> PaperRig:
        rig = traded()
        archive(rig.ports)
        rig.clock.advance(AFTER_MS + 1)
        seen.append(rig.told())
        return rig

    for rig in encounters(prepared, archived, archived):
        assert rig.told() == seen[-1]
        assert len(rig.world.in_store()) == 1


def test_a_fill_while_it_archives_is_followed_and_leaves_in_the_end() -> None:
    def filled(rig: PaperRig) -> None:
        rig.world.price("40000")
        follow_news(rig.ports)
        rig.settle()

    def kept() -> PaperRig:
        rig = traded()
        rig.rest()
        return rig

    for rig in encounters(kept, lambda rig: archive(rig.ports), filled):
        rig.settle()
        archived(rig)
        assert rig.world.in_store() == []
        assert [row.outcome for row in rig.world.ports.rows(SPOT.id)].count("FILLED") == 2
        assert rig.world.available() == Decimal(10_000) - 500 - 400
        assert rig.whole.count_fills() == 2


def test_without_the_history_nothing_leaves_and_trading_goes_on() -> None:
    rig = traded()
    there = rig.ports
    rig.ports = replace(rig.ports, history=SqlHistory(Away("sqlite://")))

    with pytest.raises(HistoryUnavailable):
        archive(rig.ports)
    rig.buy(None)

    assert len(rig.world.in_store()) == 4
    rig.ports = there
    archived(rig)
    assert len(rig.world.in_store()) == 1


def test_what_an_older_release_has_kept_leaves_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = PaperRig()
    monkeypatch.setattr(archive_module, "PATIENCE_MS", 0)
    monkeypatch.setattr(archive_module, "BATCH", 4)
    for _ in range(10):
        rig.world.spot.place(rig.world.order(Side.BUY, "0.01"))
    before = rig.told()

    left = []
    while rig.world.in_store():
        archive(rig.ports)
        left.append(len(rig.world.in_store()))

    assert left == [6, 2, 0]
    assert rig.told() == before


def test_a_step_goes_on_while_much_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = PaperRig()
    monkeypatch.setattr(archive_module, "BATCH", 4)
    for _ in range(10):
        rig.world.spot.place(rig.world.order(Side.BUY, "0.01"))

    archive(rig.ports)

    assert rig.world.in_store() == []
