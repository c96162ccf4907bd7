"""Fills that a venue lists later than it reports their order."""

from __future__ import annotations

from decimal import Decimal

from app.domain.errors import VenueUnavailable
from app.domain.events import OrderReported
from app.domain.identifiers import Currency, TradeId
from app.domain.order import Order
from app.domain.order_reports import LOOKS_MAX
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.services.advance import advance
from app.services.placing.place import place_order
from app.services.placing.resolve import resolve_order
from tests.support.builders import a_command, a_fill, a_report, an_order
from tests.support.rig import POLICY, Rig, deaths, encounters

ORDER_ID = an_order().id
FEE = {Currency("USDT"): Decimal("0.01")}
FILL = a_fill(fee=Decimal("0.01"))
EARLY = a_report(lists_fills=True)
WHOLE = a_report(lists_fills=True, fills=(FILL,), fees=FEE)


def filled_early() -> Rig:
    """A rig with an order that is filled, whose trade the venue does not list yet."""
    rig = Rig()
    rig.put(an_order())
    rig.venue.place_script.append(EARLY)
    place_order(ORDER_ID, rig.ports)
    rig.drain()
    return rig


def listed_now() -> Rig:
    """The same, when the venue lists the trade and it is time to look."""
    rig = filled_early()
    rig.venue.ledger[rig.order().client_order_id] = WHOLE
    rig.clock.advance(POLICY.unknown_retry_ms)
    return rig


def look(rig: Rig) -> Order:
    resolve_order(ORDER_ID, rig.ports)
    return rig.order()


def is_whole(order: Order) -> bool:
    return (order.status, order.fills, order.fees) == (OrderStatus.FILLED, (FILL,), FEE)


def asked(rig: Rig) -> list[int]:
    """Count the questions from now on."""
    questions: list[int] = []
    rig.venue.before_find = lambda: questions.append(1)
    return questions


def test_the_venue_gets_a_moment_before_it_is_asked() -> None:
    rig = filled_early()
    questions = asked(rig)

    order = look(rig)

    assert questions == []
    assert order.looks == 1
    assert order.next_action_at_ms == rig.clock.server_ms() + POLICY.unknown_retry_ms


def test_what_is_listed_late_completes_fills_and_fees_and_changes_no_end() -> None:
    rig = listed_now()

    order = look(rig)

    assert is_whole(order)
    assert order.owed() == ()
    assert rig.events(ORDER_ID) == ["sent", "acknowledged", "filled", "closed", "fills_listed"]


def test_what_is_never_listed_is_asked_for_a_few_times() -> None:
    rig = filled_early()
    questions = asked(rig)

    rig.settle(rounds=100)

    assert len(questions) == LOOKS_MAX
    assert rig.order().owed() == ()
    assert rig.order().status is OrderStatus.FILLED


def test_a_venue_that_is_away_is_asked_again() -> None:
    rig = listed_now()
    rig.venue.find_script.append(VenueUnavailable("away"))

    away = look(rig)
    rig.settle()

    assert away.fills == ()
    assert is_whole(rig.order())


def test_a_venue_that_has_forgotten_the_order_changes_nothing() -> None:
    rig = listed_now()
    rig.venue.find_script += [None] * LOOKS_MAX

    rig.settle(rounds=100)

    assert rig.order().status is OrderStatus.FILLED
    assert rig.order().owed() == ()


def test_old_news_of_an_order_that_has_ended_changes_nothing() -> None:
    rig = listed_now()
    rig.venue.ledger[rig.order().client_order_id] = a_report(OrderStatus.NEW)

    order = look(rig)

    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, Decimal("0.5"))


def test_a_fill_that_comes_after_a_cancel_is_found_by_the_look() -> None:
    rig = Rig()
    rig.put(an_order())
    told = {"filled_quantity": Decimal("0.2"), "lists_fills": True}
    rig.venue.place_script.append(a_report(OrderStatus.CANCELED, **told))
    place_order(ORDER_ID, rig.ports)
    rig.drain()
    fills = (
        a_fill(quantity=Decimal("0.2")),
        a_fill(trade_id=TradeId("t2"), quantity=Decimal("0.1")),
    )
    more = a_report(OrderStatus.CANCELED, filled_quantity=Decimal("0.3"), fills=fills)
    rig.venue.ledger[rig.order().client_order_id] = more

    rig.settle()

    order = rig.order()
    assert (order.status, order.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.3"))
    assert order.fills == fills
    assert rig.events(ORDER_ID)[-1] == "late_fill"


def test_whoever_asked_for_the_order_hears_of_its_fees() -> None:
    rig = Rig()
    rig.venue.place_script.append(EARLY)
    signal = rig.run(a_command())
    order = rig.order()
    fill = a_fill(quantity=order.filled_quantity, fee=Decimal("0.01"))
    whole = a_report(filled_quantity=order.filled_quantity, fills=(fill,), fees=FEE)
    rig.venue.ledger[order.client_order_id] = whole

    rig.settle()

    ended = rig.signal(signal.id)
    assert ended.status is RequestStatus.DONE
    assert ended.fees == FEE


def test_a_process_that_dies_on_the_way_leaves_the_look_to_others() -> None:
    for rig in deaths(listed_now, look):
        rig.settle()

        assert is_whole(rig.order())
        assert rig.order().owed() == ()
        assert rig.events(ORDER_ID).count("fills_listed") == 1


def test_two_who_look_at_once_count_each_fill_once() -> None:
    for rig in encounters(listed_now, look, look):
        rig.settle()

        assert is_whole(rig.order())
        assert rig.events(ORDER_ID).count("fills_listed") == 1


def test_news_and_a_look_at_once_count_each_fill_once() -> None:
    def news(rig: Rig) -> None:
        advance(ORDER_ID, OrderReported(at_ms=rig.clock.now_ms(), report=WHOLE), rig.ports)

    for rig in encounters(listed_now, look, news):
        rig.settle()

        assert is_whole(rig.order())


def test_an_order_that_is_still_looked_at_does_not_leave_the_store() -> None:
    rig = filled_early()

    waiting = rig.ports.archive_queue.finished(10)
    rig.settle(rounds=100)
    done = rig.ports.archive_queue.finished(10)

    assert (list(waiting), list(done)) == ([], [ORDER_ID])
