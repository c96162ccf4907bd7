"""A foreign order is canceled at its venue: once, and what became of it is what the venue says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from app.domain.enums import Mode, Side
from app.domain.errors import (
    HistoryUnavailable,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import ClientOrderId, Symbol, VenueOrderId
from app.domain.reconciliation import VenueOrder
from app.domain.status import OrderStatus
from app.domain.venue_cancel import CancelState, VenueCancel
from app.services.admin.venue_cancels import (
    cancel_at_venue,
    hurry_venue_cancels,
    request_venue_cancel,
)
from app.services.following.reconcile import reconcile
from tests.support.builders import BTC, SPOT, SPOT_ID, a_fill, a_report, an_order_in
from tests.support.fakes import Lost
from tests.support.rig import POLICY, Rig, deaths, encounters, with_ids

if TYPE_CHECKING:
    from app.domain.order import Order
    from app.domain.report import OrderReport

STRANGER = VenueOrderId("77")
OPEN, GONE = a_report(OrderStatus.NEW), a_report(OrderStatus.CANCELED)
LOST = Lost(OutcomeUnknown("the answer was lost"))
S = CancelState

Work = Callable[[Rig], object]


def idle(_: Rig) -> None:
    """Let nobody work."""


def stranger(client_order_id: str = "by-hand") -> VenueOrder:
    return VenueOrder(
        client_order_id=ClientOrderId(client_order_id),
        venue_order_id=STRANGER,
        symbol=BTC,
        side=Side.BUY,
        quantity=Decimal("0.01"),
        filled_quantity=Decimal(0),
        price=Decimal(30_000),
    )


def found(rig: Rig, order: VenueOrder | None = None) -> Rig:
    """Let the reconciliation find an order that nobody here has placed, where money is real."""
    rig.registry.put_account(replace(SPOT, mode=Mode.LIVE))
    rig.venue.strangers[STRANGER] = order or stranger(), OPEN
    reconcile(SPOT_ID, rig.ports)
    return rig


def ours(rig: Rig, status: OrderStatus) -> Order:
    order = an_order_in(status, price=Decimal(40_000), venue_order_id=STRANGER)
    order = replace(order, client_order_id=rig.ports.ids.client_order_id(order.id))
    rig.put(order)
    return order


def a_rig() -> Rig:
    return found(with_ids())


@pytest.fixture
def rig() -> Rig:
    return a_rig()


def ask(rig: Rig, work: Work = Rig.drain, number: VenueOrderId = STRANGER) -> VenueCancel:
    rig.clock.while_asleep = partial(work, rig)
    return request_venue_cancel(SPOT, BTC, number, rig.ports)


def later(rig: Rig, ms: int) -> VenueCancel:
    """Let time pass, with somebody who looks whether anything was forgotten."""
    end_ms = rig.clock.server_ms() + ms
    while rig.clock.server_ms() < end_ms:
        rig.clock.advance(1_000)
        hurry_venue_cancels(rig.ports)
        rig.drain()
    return newest(rig)


def newest(rig: Rig) -> VenueCancel:
    return rig.ports.venue_cancels.of(SPOT_ID)[0]


def test_it_is_canceled_once_and_the_venue_says_how_it_ended(rig: Rig) -> None:
    cancel = ask(rig)

    assert (cancel.state, cancel.message) == (S.ENDED, "it is CANCELED")
    assert rig.venue.canceled == [STRANGER]
    (effect,) = rig.publisher.published
    assert effect.urgent
    assert effect.about == "cancel buy 0.01 BTC/USDT at 30000 at the venue"


@pytest.mark.parametrize(("symbol", "number"), [(BTC, "78"), ("ETH/USDT", "77")])
def test_what_was_not_found_there_is_not_canceled(rig: Rig, symbol: str, number: str) -> None:
    with pytest.raises(NotFound, match="compare the account"):
        request_venue_cancel(SPOT, Symbol(symbol), VenueOrderId(number), rig.ports)

    assert not rig.publisher.published


def test_an_order_that_is_followed_here_is_not_canceled_this_way() -> None:
    rig = with_ids()
    order = ours(rig, OrderStatus.NEW)
    rig.venue.sent.append(order)
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.NEW, venue_order_id=STRANGER)
    reconcile(SPOT_ID, rig.ports)

    with pytest.raises(NotFound):
        ask(rig)


def test_a_second_wish_waits_for_the_first(rig: Rig) -> None:
    first = ask(rig, idle)

    second = ask(rig)

    assert second.id == first.id
    assert rig.venue.canceled == [STRANGER]


def test_what_has_ended_is_not_canceled_again(rig: Rig) -> None:
    first = ask(rig)

    assert ask(rig) == first
    assert rig.venue.canceled == [STRANGER]


def test_a_message_that_comes_again_sends_nothing(rig: Rig) -> None:
    rig.venue.stranger_script.append(OPEN)
    cancel = ask(rig)

    cancel_at_venue(cancel.id, rig.ports)

    assert newest(rig).state is S.UNKNOWN
    assert rig.venue.canceled == [STRANGER]


def test_nobody_waits_for_ever_and_no_worker_begins_too_late(rig: Rig) -> None:
    before_ms = rig.clock.server_ms()

    cancel = ask(rig, idle)

    assert cancel.state is S.ASKED
    assert (
        POLICY.venue_cancel_wait_ms
        <= rig.clock.server_ms() - before_ms
        < POLICY.venue_cancel_wait_ms + 100
    )
    rig.clock.advance(POLICY.venue_cancel_begin_ms)
    rig.drain()
    assert newest(rig).state is S.UNSENT
    assert rig.venue.canceled == []


def test_a_message_that_was_lost_is_sent_again(rig: Rig) -> None:
    ask(rig, idle)
    rig.publisher.waiting.clear()

    assert later(rig, 5_000).state is S.ENDED


def test_what_did_not_arrive_may_be_asked_for_again(rig: Rig) -> None:
    rig.venue.standing_script.append(VenueUnavailable("nobody is there"))

    cancel = ask(rig)

    assert cancel.state is S.UNSENT
    assert "nobody is there" in cancel.message
    assert ask(rig).state is S.ENDED
    assert len(rig.ports.venue_cancels.of(SPOT_ID)) == 1


def test_a_lost_answer_is_looked_up(rig: Rig) -> None:
    rig.venue.standing_script.append(LOST)

    assert ask(rig).state is S.ENDED
    assert rig.venue.canceled == [STRANGER]


def test_what_nobody_can_say_is_unknown_and_looked_up_again(rig: Rig) -> None:
    rig.venue.standing_script.append(LOST)
    rig.venue.stranger_script.extend([VenueUnavailable("nobody is there")] * 2)

    cancel = ask(rig)

    assert cancel.state is S.UNKNOWN
    assert "nobody is there" in cancel.message
    assert later(rig, 20_000).state is S.ENDED
    assert rig.venue.canceled == [STRANGER]


def test_a_look_up_that_is_behind_settles_nothing(rig: Rig) -> None:
    rig.venue.stranger_script.extend([OPEN, OPEN])

    cancel = ask(rig)

    assert cancel.state is S.UNKNOWN
    assert later(rig, 20_000).state is S.ENDED


def test_an_order_that_stays_open_stands(rig: Rig) -> None:
    rig.venue.standing_script.append(OutcomeUnknown("it was lost on the way"))

    assert ask(rig).state is S.UNKNOWN
    cancel = later(rig, rig.ports.policy.grace_ms(replace(SPOT, mode=Mode.LIVE)) + 60_000)

    assert cancel.state is S.STANDS
    assert "still open" in cancel.message
    assert rig.venue.canceled == []
    assert ask(rig).state is S.ENDED


def test_a_refusal_is_told_and_the_order_looked_up(rig: Rig) -> None:
    rig.venue.standing_script.append(VenueRejected("not just now"))

    assert ask(rig).state is S.UNKNOWN
    cancel = later(rig, 120_000)

    assert cancel.state is S.STANDS
    assert "not just now" in cancel.message


def test_a_refusal_of_what_has_filled_is_no_refusal(rig: Rig) -> None:
    rig.venue.standing_script.append(VenueRejected("unknown order"))
    rig.venue.strangers[STRANGER] = stranger(), a_report(OrderStatus.FILLED)

    cancel = ask(rig)

    assert (cancel.state, cancel.message) == (S.ENDED, "it was filled before the cancel came")


def test_what_had_filled_in_part_is_told(rig: Rig) -> None:
    part = a_report(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.004"))
    rig.venue.strangers[STRANGER] = stranger(), part

    assert ask(rig).message == "it is CANCELED; 0.004 of it had been filled"


def test_an_order_that_the_venue_forgets_has_ended_when_it_says_so_twice(rig: Rig) -> None:
    rig.venue.stranger_script.extend([None, None])

    assert ask(rig).state is S.UNKNOWN
    rig.clock.advance(rig.ports.policy.venue_absence_ms)
    cancel_at_venue(newest(rig).id, rig.ports)

    cancel = newest(rig)
    assert cancel.state is S.ENDED
    assert "does not tell how" in cancel.message


def test_a_venue_that_never_answers_is_left_to_a_person(rig: Rig) -> None:
    rig.venue.standing_script.append(VenueRejected("the key is bad"))
    rig.venue.stranger_script.extend([VenueUnavailable("the key is bad")] * 1_000)

    ask(rig)
    cancel = later(rig, POLICY.venue_cancel_give_up_ms + 120_000)

    assert cancel.state is S.UNANSWERED
    assert "Look there" in cancel.message
    assert cancel.may_be_repeated


def test_a_venue_that_nobody_knows_any_more_is_sent_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.ports.venues, "of", Mock(side_effect=NotFound("there is no venue")))

    assert ask(rig).state is S.UNSENT


def test_whoever_dies_over_it_sends_it_once_at_most_and_its_end_is_known() -> None:
    def act(rig: Rig) -> None:
        ask(rig)

    for rig in deaths(a_rig, act):
        arrived = len(rig.venue.canceled)

        cancel = later(rig, POLICY.venue_cancel_lease_ms + 120_000)

        assert cancel.is_settled
        assert len(rig.venue.canceled) <= 1
        if arrived:
            assert cancel.state is S.ENDED
        _, report = rig.venue.strangers[STRANGER]
        assert (cancel.state is S.ENDED) is (report.status is OrderStatus.CANCELED)


def test_two_workers_at_once_send_it_once() -> None:
    def prepare() -> Rig:
        rig = a_rig()
        ask(rig, idle)
        return rig

    def work(rig: Rig) -> None:
        cancel_at_venue(newest(rig).id, rig.ports)

    for rig in encounters(prepare, work, work):
        assert rig.venue.canceled == [STRANGER]
        assert newest(rig).state is S.ENDED


def test_two_people_at_once_have_one_cancel() -> None:
    for rig in encounters(a_rig, ask, ask):
        rig.drain()
        assert rig.venue.canceled == [STRANGER]
        assert newest(rig).state is S.ENDED
        assert len(rig.ports.venue_cancels.of(SPOT_ID)) == 1


def test_an_order_of_ours_learns_what_it_had_filled() -> None:
    rig = with_ids()
    order = ours(rig, OrderStatus.CANCELED)
    found(rig, stranger(order.client_order_id))
    fill = a_fill(quantity=Decimal("0.1"))
    part: OrderReport = a_report(OrderStatus.CANCELED, filled_quantity=fill.quantity, fills=(fill,))
    rig.venue.ledger[order.client_order_id] = part

    assert ask(rig).state is S.ENDED

    assert rig.order().filled_quantity == fill.quantity
    assert rig.order().status is OrderStatus.CANCELED


def test_nobody_is_woken_for_what_waits_for_its_time(rig: Rig) -> None:
    rig.venue.stranger_script.append(OPEN)
    ask(rig)
    before = len(rig.publisher.published)

    hurry_venue_cancels(rig.ports)
    assert len(rig.publisher.published) == before

    rig.clock.advance(rig.ports.policy.unknown_retry_ms + 1_000)
    hurry_venue_cancels(rig.ports)
    hurry_venue_cancels(rig.ports)
    assert len(rig.publisher.published) == before + 1


PARTLY_GONE = a_report(OrderStatus.CANCELED, filled_quantity=Decimal("0.003"))


def forgotten() -> Rig:
    """A rig that has found an order of ours of which neither store nor history knows anything."""
    rig = with_ids()
    return found(rig, stranger(rig.ports.ids.fresh(SPOT_ID, 1)[0].client_order_id))


def test_a_fill_of_an_order_of_ours_that_nobody_knows_is_kept_for_a_person() -> None:
    rig = forgotten()
    rig.venue.stranger_script.append(PARTLY_GONE)

    cancel = ask(rig)

    assert cancel.state is S.ENDED
    (kept,) = rig.ports.reconciliations.orphans(SPOT_ID)
    assert (kept.client_order_id, kept.report) == (cancel.order.client_order_id, PARTLY_GONE)


def test_what_the_history_may_know_is_not_settled_while_it_does_not_answer() -> None:
    rig = forgotten()
    rig.venue.stranger_script += [PARTLY_GONE, PARTLY_GONE]
    ports = rig.ports
    silent = Mock(wraps=rig.history)
    silent.load.side_effect = HistoryUnavailable("nobody tells")
    rig.ports = replace(ports, history=silent)

    cancel = ask(rig)

    assert cancel.state is S.UNKNOWN
    assert rig.ports.reconciliations.orphans(SPOT_ID) == []
    rig.ports = ports
    assert later(rig, 10_000).state is S.ENDED
    assert len(rig.ports.reconciliations.orphans(SPOT_ID)) == 1
