"""One order: what each event does to it in each status."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from app.domain.aggregate import decide
from app.domain.decision import EntryName
from app.domain.effects import Effect, EffectKind
from app.domain.enums import OrderType, ReasonCode
from app.domain.events import (
    CancelDeferred,
    CancelRequested,
    CheckDeferred,
    ClaimRenewed,
    Event,
    FillsAwaited,
    LookUpClaimed,
    OrderReported,
    OutcomeLost,
    OutcomeStated,
    PlacementClaimed,
    PlacementDeferred,
    PlacementDenied,
    ProvenAbsent,
    StillUnknown,
    TurnTaken,
)
from app.domain.identifiers import Currency, EpochMs, TradeId
from app.domain.order import Order
from app.domain.order_life import ATTEMPTS_MAX
from app.domain.order_reports import LOOKS_MAX
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import CLOSED, IN_FLIGHT, OPEN, OrderStatus
from tests.support.builders import (
    LATER,
    NO_ANSWER,
    NOT_REACHED,
    NOW,
    REFUSED,
    REQUESTED,
    a_fill,
    a_report,
    an_order,
    an_order_in,
    must,
)

RETRY = EpochMs(NOW + 5_000)
LEASE = EpochMs(NOW + 30_000)

CLAIMED = PlacementClaimed(at_ms=LATER, lease_until_ms=LEASE)
TOO_LATE = PlacementDenied(at_ms=LATER, reason=Reason(ReasonCode.TOO_LATE, "it was too late"))
HALTED = PlacementDenied(at_ms=LATER, reason=Reason(ReasonCode.ACCOUNT_HALTED, "it is halted"))
DEFERRED = PlacementDeferred(at_ms=LATER, token=1, retry_at_ms=RETRY, reason=NOT_REACHED)
LOST = OutcomeLost(at_ms=LATER, token=1, server_ms=LATER, next_check_at_ms=RETRY, reason=NO_ANSWER)
STILL_UNKNOWN = StillUnknown(at_ms=LATER, token=1, next_check_at_ms=RETRY)
ABSENT = ProvenAbsent(at_ms=LATER, token=1)
CANCEL = CancelRequested(at_ms=LATER, reason=REQUESTED)
CANCEL_LATER = CancelDeferred(at_ms=LATER, retry_at_ms=RETRY)


def reported(status: OrderStatus = OrderStatus.FILLED, **odd: object) -> OrderReported:
    return OrderReported(at_ms=LATER, report=a_report(status, **odd))


EVENTS: dict[str, Event] = {
    "turn": TurnTaken(at_ms=LATER),
    "claimed": CLAIMED,
    "halted": HALTED,
    "too_late": TOO_LATE,
    "unchecked": CheckDeferred(at_ms=LATER, server_ms=LATER, reason=NOT_REACHED),
    "deferred": DEFERRED,
    "lost": LOST,
    "stated": OutcomeStated(at_ms=LATER, token=1, report=a_report()),
    "look_up": LookUpClaimed(
        at_ms=LATER, token=1, server_ms=LATER, within_ms=60_000, until_ms=RETRY
    ),
    "still_unknown": STILL_UNKNOWN,
    "absent": ABSENT,
    "cancel": CANCEL,
    "cancel_later": CANCEL_LATER,
    "new": reported(OrderStatus.NEW),
    "partly": reported(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.3")),
    "filled": reported(OrderStatus.FILLED),
    "canceled": reported(OrderStatus.CANCELED),
    "expired": reported(OrderStatus.EXPIRED),
    "rejected": reported(OrderStatus.REJECTED),
}

#: Event → from status → to status; `=` stays as it is, but notes something. Else: ignored.
OUTCOMES = """
turn
claimed        PENDING_NEW:PLACING
halted         PENDING_NEW:DENIED
too_late       PENDING_NEW:EXPIRED
unchecked      PENDING_NEW:=
deferred       PLACING:PENDING_NEW
lost           PLACING:UNKNOWN
stated         UNKNOWN:FILLED
look_up        UNKNOWN:=
still_unknown  UNKNOWN:=
absent         UNKNOWN:PENDING_NEW
cancel         PENDING_NEW:CANCELED PLACING:= UNKNOWN:= NEW:= PARTIALLY_FILLED:=
cancel_later
new            PENDING_NEW:NEW PLACING:NEW UNKNOWN:NEW
partly         PENDING_NEW:PARTIALLY_FILLED PLACING:PARTIALLY_FILLED UNKNOWN:PARTIALLY_FILLED \
NEW:PARTIALLY_FILLED PARTIALLY_FILLED:= CANCELED:= EXPIRED:= REJECTED:= DENIED:=
filled         PENDING_NEW:FILLED PLACING:FILLED UNKNOWN:FILLED NEW:FILLED PARTIALLY_FILLED:FILLED \
CANCELED:FILLED EXPIRED:FILLED REJECTED:FILLED DENIED:FILLED
canceled       PENDING_NEW:CANCELED PLACING:CANCELED UNKNOWN:CANCELED NEW:CANCELED \
PARTIALLY_FILLED:CANCELED
expired        PENDING_NEW:EXPIRED PLACING:EXPIRED UNKNOWN:EXPIRED NEW:EXPIRED \
PARTIALLY_FILLED:EXPIRED
rejected       PENDING_NEW:REJECTED PLACING:REJECTED UNKNOWN:REJECTED NEW:REJECTED
"""

EXPECTED = {
    words[0]: dict(pair.split(":") for pair in words[1:])
    for line in OUTCOMES.split("\n")
    if (words := line.split())
}


@pytest.mark.parametrize(("name", "status"), list(product(EVENTS, OrderStatus)))
def test_every_event_in_every_status_has_its_one_outcome(name: str, status: OrderStatus) -> None:
    order = an_order_in(status)
    expected = EXPECTED[name].get(status)

    decision = decide(order, EVENTS[name])

    if expected is None:
        assert decision.ignored
        assert decision.aggregate is order
    else:
        assert decision.ignored is None
        assert decision.aggregate.status == (status if expected == "=" else expected)


#: Status → the one kind of work that it owes.
OWED = {
    OrderStatus.PENDING_NEW: EffectKind.PLACE,
    OrderStatus.PLACING: EffectKind.RESOLVE,
    OrderStatus.UNKNOWN: EffectKind.RESOLVE,
}


@pytest.mark.parametrize("status", OrderStatus)
def test_an_order_owes_what_its_status_asks_for(status: OrderStatus) -> None:
    owed = [effect.kind for effect in an_order_in(status).owed()]

    assert owed == ([OWED[status]] if status in OWED else [])


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED])
def test_an_open_order_owes_the_cancel_that_is_wanted(status: OrderStatus) -> None:
    (owed,) = an_order_in(status, cancel_requested=True).owed()

    assert owed.kind is EffectKind.CANCEL
    assert owed.urgent


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_a_closed_order_owes_nothing_even_if_its_cancel_was_wanted(status: OrderStatus) -> None:
    assert an_order_in(status, cancel_requested=True).owed() == ()


def test_an_exit_goes_before_entries() -> None:
    (owed,) = an_order(reduces=True).owed()

    assert owed.urgent


def test_an_effect_says_what_it_is_about() -> None:
    (owed,) = an_order(price=Decimal("40000.00")).owed()

    assert owed.about == "buy 0.5 BTC/USDT at 40000.00"
    assert an_order().sentence() == "buy 0.5 BTC/USDT market"


def test_what_effects_are_about_does_not_tell_them_apart() -> None:
    one = Effect(kind=EffectKind.PLACE, target=an_order().id, about="buy")

    assert one == Effect(kind=EffectKind.PLACE, target=an_order().id, about="sell")


# Orders that nobody could understand


def test_an_order_without_a_quantity_cannot_exist() -> None:
    with pytest.raises(ValueError, match="quantity of 0"):
        an_order(quantity=Decimal(0))


def test_a_limit_order_without_a_price_cannot_exist() -> None:
    with pytest.raises(ValueError, match="LIMIT with price None"):
        an_order(type=OrderType.LIMIT)


def test_a_market_order_with_a_price_cannot_exist() -> None:
    with pytest.raises(ValueError, match="MARKET with price 1"):
        an_order(type=OrderType.MARKET, price=Decimal(1))


def test_a_denied_order_may_show_how_little_was_left() -> None:
    assert an_order_in(OrderStatus.DENIED, quantity=Decimal(0)).quantity == 0


# Claims and their fencing tokens


def test_a_claim_gives_a_new_token_and_a_lease() -> None:
    claimed = decide(an_order(), CLAIMED).aggregate

    assert (claimed.token, claimed.attempts, claimed.lease_until_ms) == (1, 1, LEASE)
    assert claimed.owed()[0].due_at_ms == LEASE


def test_a_claim_that_was_renewed_is_not_lost_with_the_lease_of_before() -> None:
    claimed = decide(an_order(), CLAIMED).aggregate
    renewal = ClaimRenewed(at_ms=LATER, token=1, lease_until_ms=EpochMs(LEASE + 1))
    renewed = decide(claimed, renewal).aggregate
    ran_out = replace(LOST, lease_until_ms=LEASE)

    assert decide(claimed, ran_out).aggregate.status is OrderStatus.UNKNOWN
    assert decide(renewed, ran_out).ignored is not None
    assert decide(renewed, LOST).aggregate.status is OrderStatus.UNKNOWN


def test_a_second_claim_finds_the_order_taken() -> None:
    claimed = decide(an_order(), CLAIMED).aggregate

    assert decide(claimed, CLAIMED).ignored == "a claim found the order PLACING"


#: What says nothing of a fill.
WITHOUT_FILLS = [OrderStatus.NEW, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED]
OF_THE_FIRST: list[Event] = [
    DEFERRED,
    LOST,
    STILL_UNKNOWN,
    ABSENT,
    EVENTS["stated"],
    EVENTS["look_up"],
    *(OrderReported(at_ms=LATER, report=a_report(one), token=1) for one in WITHOUT_FILLS),
]


@pytest.mark.parametrize(
    "status", [OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW, OrderStatus.FILLED]
)
@pytest.mark.parametrize("event", OF_THE_FIRST)
def test_news_of_an_older_placement_means_nothing_to_a_newer_one(
    event: Event, status: OrderStatus
) -> None:
    order = an_order_in(status, token=2)

    assert decide(order, event).ignored


@pytest.mark.parametrize("status", [OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW])
def test_an_older_placement_that_was_filled_after_all_fills_the_order(status: OrderStatus) -> None:
    order = an_order_in(status, token=2)

    told = decide(order, OrderReported(at_ms=LATER, report=a_report(), token=1)).aggregate

    assert (told.status, told.filled_quantity) == (OrderStatus.FILLED, Decimal("0.5"))


#: An older placement that was taken off when a part of it had been filled.
PARTLY_OFF = OrderReported(
    at_ms=LATER,
    report=a_report(
        OrderStatus.CANCELED, filled_quantity=Decimal("0.3"), average_price=Decimal(50_000)
    ),
    token=1,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OrderStatus.PLACING, OrderStatus.PLACING),
        (OrderStatus.UNKNOWN, OrderStatus.UNKNOWN),
        (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED),
    ],
)
def test_fills_of_an_older_placement_count_and_its_end_does_not(
    before: OrderStatus, after: OrderStatus
) -> None:
    order = an_order_in(before, token=2, next_action_at_ms=RETRY)

    told = decide(order, PARTLY_OFF).aggregate

    assert (told.status, told.filled_quantity) == (after, Decimal("0.3"))
    assert told.unknown_since_ms == order.unknown_since_ms
    assert told.next_action_at_ms == RETRY
    assert decide(told, PARTLY_OFF).ignored


def test_what_cannot_pass_is_denied_at_its_first_try() -> None:
    refused = Reason(ReasonCode.CREDENTIALS_REFUSED, "Invalid API-key.")
    order = an_order_in(OrderStatus.PLACING)

    denied = decide(order, replace(DEFERRED, reason=refused)).aggregate

    assert (denied.status, denied.reason) == (OrderStatus.DENIED, refused)
    assert denied.owed() == ()


@pytest.mark.parametrize(
    ("before", "event"),
    [
        (OrderStatus.PLACING, replace(DEFERRED, token=2)),
        (OrderStatus.UNKNOWN, replace(ABSENT, token=2)),
    ],
)
def test_what_an_older_placement_has_filled_is_not_sent_again(
    before: OrderStatus, event: Event
) -> None:
    order = decide(an_order_in(before, token=2), PARTLY_OFF).aggregate

    ended = decide(order, event).aggregate

    assert (ended.status, ended.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.3"))
    assert "an earlier placement" in must(ended.reason).message


@pytest.mark.parametrize("report", [a_report(), a_report(OrderStatus.NEW), PARTLY_OFF.report])
def test_what_the_venue_has_after_all_is_not_sent_again(report: OrderReport) -> None:
    order = decide(an_order_in(OrderStatus.UNKNOWN), ABSENT).aggregate

    found = decide(order, OrderReported(at_ms=LATER, report=report, token=1)).aggregate

    assert order.status is OrderStatus.PENDING_NEW
    assert found.status is report.status
    assert decide(found, CLAIMED).ignored


def test_one_question_at_a_time_keeps_others_from_asking() -> None:
    order = an_order_in(OrderStatus.UNKNOWN)
    claim = LookUpClaimed(at_ms=LATER, token=1, server_ms=LATER, within_ms=60_000, until_ms=RETRY)

    asked = decide(order, claim).aggregate

    assert asked.next_action_at_ms == RETRY
    assert decide(asked, claim).ignored
    assert decide(asked, replace(claim, server_ms=RETRY)).ignored is None


def test_absence_is_not_carried_over_to_the_next_placement() -> None:
    order = an_order_in(OrderStatus.UNKNOWN)
    absent = replace(STILL_UNKNOWN, absent_since_ms=LATER)
    first = decide(order, absent).aggregate
    again = decide(decide(first, ABSENT).aggregate, CLAIMED).aggregate

    second = decide(again, replace(LOST, token=2)).aggregate

    assert first.absent_since_ms == LATER
    assert second.absent_since_ms is None
    assert decide(second, absent).ignored


def test_a_late_answer_to_the_newest_placement_resolves_what_was_unknown() -> None:
    order = an_order_in(OrderStatus.UNKNOWN)

    decision = decide(order, OrderReported(at_ms=LATER, report=a_report(), token=1))

    assert decision.aggregate.status is OrderStatus.FILLED


def test_the_last_attempt_that_does_not_arrive_is_a_dead_letter() -> None:
    order = an_order_in(OrderStatus.PLACING, attempts=ATTEMPTS_MAX)

    decision = decide(order, DEFERRED)

    assert decision.aggregate.status is OrderStatus.DENIED
    assert must(decision.aggregate.reason).code is ReasonCode.ATTEMPTS_EXHAUSTED
    assert [one.name for one in decision.entries] == [EntryName.DENIED, EntryName.CLOSED]


def test_what_did_not_arrive_waits_for_its_next_try() -> None:
    waiting = decide(an_order_in(OrderStatus.PLACING), DEFERRED).aggregate

    (owed,) = waiting.owed()
    assert (owed.kind, owed.due_at_ms) == (EffectKind.PLACE, RETRY)


# Outcomes that nobody knows


def test_an_unknown_outcome_is_asked_about_at_its_time() -> None:
    lost = decide(an_order_in(OrderStatus.PLACING), LOST).aggregate

    (owed,) = lost.owed()
    assert (owed.kind, owed.due_at_ms) == (EffectKind.RESOLVE, RETRY)
    assert lost.unknown_since_ms == LATER


def test_where_nobody_can_be_asked_a_person_must_look() -> None:
    event = replace(STILL_UNKNOWN, needs_person=True)

    waiting = decide(an_order_in(OrderStatus.UNKNOWN), event).aggregate

    assert waiting.needs_person
    assert waiting.owed() == ()


@pytest.mark.parametrize("event", [reported(OrderStatus.NEW), ABSENT])
def test_what_is_known_again_needs_no_person(event: Event) -> None:
    order = an_order_in(OrderStatus.UNKNOWN, needs_person=True)

    known = decide(order, event).aggregate

    assert not known.needs_person
    assert known.unknown_since_ms is None


def test_an_order_that_is_proven_absent_may_be_sent_again_under_the_same_id() -> None:
    order = an_order_in(OrderStatus.UNKNOWN)

    absent = decide(order, ABSENT).aggregate

    assert absent.owed()[0].kind is EffectKind.PLACE
    assert absent.client_order_id == order.client_order_id
    assert absent.reason is None


# Cancels


def test_a_cancel_before_the_order_was_sent_ends_it() -> None:
    canceled = decide(an_order(), CANCEL).aggregate

    assert canceled.status is OrderStatus.CANCELED
    assert canceled.reason == REQUESTED


def test_a_cancel_on_its_way_lets_fills_count() -> None:
    asked = decide(an_order_in(OrderStatus.NEW), CANCEL).aggregate

    partly = decide(asked, reported(OrderStatus.PARTIALLY_FILLED)).aggregate

    assert partly.cancel_requested
    assert partly.filled_quantity == Decimal("0.2")
    assert partly.owed()[0].kind is EffectKind.CANCEL


def test_a_second_cancel_changes_nothing() -> None:
    asked = decide(an_order_in(OrderStatus.NEW), CANCEL).aggregate

    assert decide(asked, CANCEL).ignored


def test_a_cancel_that_did_not_get_through_is_tried_later() -> None:
    asked = an_order_in(OrderStatus.NEW, cancel_requested=True)

    later = decide(asked, CANCEL_LATER).aggregate

    assert later.owed()[0].due_at_ms == RETRY


@pytest.mark.parametrize(
    ("status", "event"), [(OrderStatus.PLACING, DEFERRED), (OrderStatus.UNKNOWN, ABSENT)]
)
def test_what_did_not_arrive_and_is_not_wanted_any_more_is_not_sent_again(
    status: OrderStatus, event: Event
) -> None:
    asked = decide(an_order_in(status), CANCEL).aggregate

    ended = decide(asked, event).aggregate

    assert ended.status is OrderStatus.CANCELED
    assert must(ended.reason).code is ReasonCode.REQUESTED


def test_a_canceled_order_does_not_claim_that_its_outcome_is_unknown() -> None:
    asked = decide(an_order_in(OrderStatus.UNKNOWN), CANCEL).aggregate

    adopted = decide(asked, reported(OrderStatus.NEW)).aggregate

    assert adopted.reason is None
    canceled = decide(adopted, reported(OrderStatus.CANCELED)).aggregate
    assert must(canceled.reason).code is ReasonCode.REQUESTED


def test_an_order_that_is_found_at_last_is_canceled_at_once() -> None:
    asked = decide(an_order_in(OrderStatus.UNKNOWN, next_action_at_ms=RETRY), CANCEL).aggregate

    (owed,) = decide(asked, reported(OrderStatus.NEW)).aggregate.owed()

    assert owed.kind is EffectKind.CANCEL
    assert owed.due_at_ms == 0


# Reports


def test_a_report_that_comes_twice_changes_nothing() -> None:
    event = reported(OrderStatus.PARTIALLY_FILLED, fills=(a_fill(quantity=Decimal("0.2")),))
    once = decide(an_order_in(OrderStatus.NEW), event).aggregate

    assert decide(once, event).ignored


def test_a_trade_counts_once_however_often_it_is_told() -> None:
    first, second = a_fill(), a_fill(trade_id=TradeId("t2"))
    order = an_order_in(OrderStatus.PARTIALLY_FILLED, fills=(first,))

    filled = decide(order, reported(fills=(first, second, first))).aggregate

    assert [fill.trade_id for fill in filled.fills] == ["t1", "t2"]


def test_fills_that_are_told_after_the_total_are_added() -> None:
    order = an_order_in(OrderStatus.FILLED)

    told = decide(order, reported(fills=(a_fill(),)))

    assert told.ignored is None
    assert told.aggregate.fills == (a_fill(),)
    assert [entry.name for entry in told.entries] == [EntryName.FILLS_LISTED]


# Fills that the venue lists later than what they add up to


def unlisted(status: OrderStatus = OrderStatus.FILLED, **odd: object) -> Order:
    """An order that has just come to this status, of which not all fills are known."""
    order = an_order_in(OrderStatus.NEW, filled_quantity=Decimal("0.1"))
    odd = {"filled_quantity": Decimal("0.5"), "lists_fills": True, **odd}
    return decide(order, reported(status, **odd)).aggregate


@pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.CANCELED])
def test_an_order_without_all_its_fills_is_looked_at_again(status: OrderStatus) -> None:
    order = unlisted(status, filled_quantity=Decimal("0.4"))

    (owed,) = order.owed()

    assert (order.is_closed, owed.kind, owed.urgent) == (True, EffectKind.RESOLVE, False)


@pytest.mark.parametrize(
    "told",
    [
        {"fills": (a_fill(),)},
        {"lists_fills": False},
        {"filled_quantity": Decimal("0.1"), "fills": (a_fill(quantity=Decimal("0.1")),)},
    ],
)
def test_nobody_waits_for_fills_that_are_known_or_never_listed(told: dict[str, object]) -> None:
    status = OrderStatus.CANCELED if "filled_quantity" in told else OrderStatus.FILLED

    assert unlisted(status, **told).owed() == ()


def test_fills_without_their_fee_are_waited_for_and_learn_it() -> None:
    bare, paid = a_fill(fee_currency=Currency("")), a_fill(fee=Decimal("0.01"))
    order = unlisted(fills=(bare,))

    told = decide(order, reported(fills=(paid,), lists_fills=True)).aggregate

    assert [one.kind for one in order.owed()] == [EffectKind.RESOLVE]
    assert (told.fills, told.fees) == ((paid,), {"USDT": Decimal("0.01")})
    assert (told.status, told.owed()) == (OrderStatus.FILLED, ())


def test_fees_are_those_of_all_fills_that_are_known() -> None:
    one = a_fill(quantity=Decimal("0.2"), fee=Decimal("0.01"))
    other = a_fill(trade_id=TradeId("t2"), quantity=Decimal("0.3"), fee=Decimal("0.02"))
    order = unlisted(fills=(one,), fees={"USDT": Decimal("0.01")})

    told = decide(order, reported(fills=(other,), fees={"USDT": Decimal("0.02")})).aggregate

    assert order.fees == {"USDT": Decimal("0.01")}
    assert told.fees == {"USDT": Decimal("0.03")}


def test_a_report_that_tells_no_fees_does_not_take_any_away() -> None:
    order = an_order_in(OrderStatus.PARTIALLY_FILLED, fees={"USDT": Decimal("0.01")})

    assert decide(order, reported()).aggregate.fees == {"USDT": Decimal("0.01")}


def awaited(look: int) -> FillsAwaited:
    return FillsAwaited(at_ms=LATER, look=look, next_look_at_ms=RETRY)


def test_the_number_of_looks_is_bounded() -> None:
    order = unlisted()
    for look in range(LOOKS_MAX + 1):
        assert order.owed()
        order = decide(order, awaited(look)).aggregate

    assert (order.status, order.owed()) == (OrderStatus.FILLED, ())


def test_a_look_counts_once() -> None:
    order = decide(unlisted(), awaited(0)).aggregate

    assert decide(order, awaited(0)).ignored
    assert order.next_action_at_ms == RETRY


def test_more_that_is_filled_is_worth_as_many_looks_again() -> None:
    order = unlisted(OrderStatus.CANCELED, filled_quantity=Decimal("0.2"))
    for look in range(LOOKS_MAX + 1):
        order = decide(order, awaited(look)).aggregate

    more = reported(OrderStatus.CANCELED, filled_quantity=Decimal("0.3"), lists_fills=True)

    assert decide(order, more).aggregate.owed()


def test_a_cancel_goes_before_a_look() -> None:
    order = unlisted(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.2"))

    canceling = decide(order, CANCEL).aggregate

    assert [one.kind for one in order.owed()] == [EffectKind.RESOLVE]
    assert [one.kind for one in canceling.owed()] == [EffectKind.CANCEL]
    assert decide(canceling, awaited(0)).ignored


def test_old_news_does_not_lower_what_is_filled() -> None:
    order = an_order_in(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.4"))

    assert decide(order, reported(OrderStatus.NEW)).ignored
    assert decide(order, reported(OrderStatus.PARTIALLY_FILLED)).ignored


def test_an_order_that_rests_with_something_filled_is_partially_filled() -> None:
    event = reported(OrderStatus.NEW, filled_quantity=Decimal("0.1"))

    assert decide(an_order_in(OrderStatus.PLACING), event).aggregate.status == "PARTIALLY_FILLED"


def test_an_order_that_has_everything_is_filled_whatever_else_is_said() -> None:
    event = reported(OrderStatus.CANCELED, filled_quantity=Decimal("0.5"))

    assert decide(an_order_in(OrderStatus.NEW), event).aggregate.status is OrderStatus.FILLED


@pytest.mark.parametrize("status", sorted(IN_FLIGHT | OPEN))
def test_an_order_that_is_refused_with_something_filled_has_ended(status: OrderStatus) -> None:
    order = an_order(status=status, token=1, attempts=1)
    refused = reported(OrderStatus.REJECTED, filled_quantity=Decimal("0.2"), reason=REFUSED)

    ended = decide(order, refused).aggregate

    assert (ended.status, ended.filled_quantity, ended.reason) == (
        OrderStatus.CANCELED,
        Decimal("0.2"),
        REFUSED,
    )


def test_a_fill_that_overtook_the_cancel_counts() -> None:
    order = an_order_in(OrderStatus.CANCELED, reason=REQUESTED)

    partly = decide(order, EVENTS["partly"])

    assert partly.aggregate.status is OrderStatus.CANCELED
    assert partly.aggregate.filled_quantity == Decimal("0.3")
    assert [entry.name for entry in partly.entries] == [EntryName.LATE_FILL]


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.DENIED])
def test_a_fill_that_nobody_expected_counts(status: OrderStatus) -> None:
    order = an_order_in(status, reason=REQUESTED)

    told = decide(order, EVENTS["partly"]).aggregate

    assert (told.status, told.filled_quantity) == (status, Decimal("0.3"))
    assert told.reason == REQUESTED


def test_no_fill_fills_no_denied_order_without_a_quantity() -> None:
    order = an_order_in(OrderStatus.DENIED, quantity=Decimal(0))

    assert decide(order, EVENTS["canceled"]).ignored


def test_a_price_that_is_told_after_the_fill_is_taken_in() -> None:
    """Some venues list fills a moment later, and their price with them."""
    bare = decide(an_order_in(OrderStatus.NEW), reported(average_price=None)).aggregate
    told = decide(bare, reported(average_price=Decimal(50_000))).aggregate

    assert (bare.status, bare.average_price) == (OrderStatus.FILLED, None)
    assert (told.filled_quantity, told.average_price) == (bare.filled_quantity, Decimal(50_000))
    assert decide(told, reported(average_price=Decimal(50_100))).ignored


def test_a_report_brings_price_fees_and_position() -> None:
    event = reported(
        average_price=Decimal(49_000),
        fees={Currency("USDT"): Decimal(1)},
        position_after=Decimal("0.5"),
    )

    filled = decide(an_order_in(OrderStatus.PLACING), event).aggregate

    assert filled.average_price == Decimal(49_000)
    assert filled.fees == {"USDT": Decimal(1)}
    assert filled.position_after == Decimal("0.5")
    assert filled.remaining_quantity == 0


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (reported(OrderStatus.NEW), ["acknowledged"]),
        (reported(OrderStatus.PARTIALLY_FILLED), ["acknowledged", "partially_filled"]),
        (reported(OrderStatus.FILLED), ["acknowledged", "filled", "closed"]),
        (reported(OrderStatus.CANCELED), ["acknowledged", "canceled", "closed"]),
        (reported(OrderStatus.REJECTED, reason=REFUSED), ["rejected", "closed"]),
    ],
)
def test_the_timeline_tells_each_step_once(event: OrderReported, names: list[str]) -> None:
    decision = decide(an_order_in(OrderStatus.PLACING), event)

    assert [entry.name for entry in decision.entries] == names


def test_an_order_knows_whether_it_may_still_do_something() -> None:
    live = {status for status in OrderStatus if an_order_in(status).is_live}

    assert live == set(OrderStatus) - CLOSED


def test_news_of_nothing_is_not_told() -> None:
    order: Order = an_order_in(OrderStatus.NEW)

    assert decide(order, reported(OrderStatus.NEW)).entries == ()


# Turns

QUEUED = an_order(reduces=True, awaits_turn=True)


def test_an_order_that_waits_for_its_turn_owes_its_turn() -> None:
    (owed,) = QUEUED.owed()

    assert (owed.kind, owed.urgent) == (EffectKind.ADVANCE, True)
    assert QUEUED.is_queued
    assert not QUEUED.is_in_flight


def test_nobody_may_send_it_before_its_turn() -> None:
    assert decide(QUEUED, CLAIMED).ignored


def test_in_its_turn_it_may_be_sent() -> None:
    turned = decide(QUEUED, TurnTaken(at_ms=LATER)).aggregate

    assert (turned.status, turned.is_queued) == (OrderStatus.PENDING_NEW, False)
    assert [one.kind for one in turned.owed()] == [EffectKind.PLACE]
    assert turned.is_in_flight
    assert decide(turned, TurnTaken(at_ms=LATER)).ignored


def test_a_cancel_takes_it_out_of_its_lane() -> None:
    canceled = decide(QUEUED, CANCEL).aggregate

    assert canceled.status is OrderStatus.CANCELED
    assert not canceled.is_queued
    assert canceled.owed() == ()


def test_only_what_reduces_waits_for_a_turn() -> None:
    with pytest.raises(ValueError, match="turn"):
        an_order(awaits_turn=True)
