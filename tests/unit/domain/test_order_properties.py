"""One order under any sequence of events: what holds whatever happens, in whatever order."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.aggregate import decide
from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.enums import ReasonCode
from app.domain.events import (
    CancelDeferred,
    CancelRequested,
    CheckDeferred,
    ClaimRenewed,
    Event,
    FillsAwaited,
    LookUpClaimed,
    OrderReported,
    OrderUpdated,
    OutcomeLost,
    OutcomeStated,
    PlacementClaimed,
    PlacementDeferred,
    PlacementDenied,
    ProvenAbsent,
    StillUnknown,
    TurnTaken,
)
from app.domain.identifiers import AggregateId, EpochMs, OrderId, TradeId
from app.domain.order import Order, Succession
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import CLOSED, OrderStatus, may_move
from tests.support.builders import (
    LATER,
    NO_ANSWER,
    NOT_REACHED,
    NOW,
    REQUESTED,
    a_fill,
    a_report,
    an_order,
    an_order_in,
)
from tests.support.searching import times

MOMENTS = st.integers(NOW, NOW + 100_000).map(EpochMs)
#: Mostly of the one claim that most orders here have had: news of another is ignored.
TOKENS = st.sampled_from([1, 1, 1, 0, 2, 3])
REPORTED = st.sampled_from(
    [
        OrderStatus.NEW,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
    ]
)
DENIALS = st.sampled_from([ReasonCode.TOO_LATE, ReasonCode.ACCOUNT_HALTED]).map(
    lambda code: Reason(code, "we refused")
)
#: Fills of a tenth each, by number; the order is for half a coin.
FILLS = st.lists(st.integers(1, 5), max_size=3, unique=True).map(
    lambda numbers: tuple(
        a_fill(trade_id=TradeId(f"t{number}"), quantity=Decimal("0.1")) for number in numbers
    )
)
REPORTS = st.builds(
    lambda status, tenths, fills, lists: OrderReport(
        status=status,
        filled_quantity=Decimal(5 if status is OrderStatus.FILLED else tenths) / 10,
        average_price=Decimal(50_000),
        fills=fills,
        lists_fills=lists,
    ),
    REPORTED,
    st.integers(0, 5),
    FILLS,
    st.booleans(),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(TurnTaken, at_ms=MOMENTS),
    st.builds(PlacementClaimed, at_ms=MOMENTS, lease_until_ms=MOMENTS, reduce_only=st.booleans()),
    st.builds(CheckDeferred, at_ms=MOMENTS, server_ms=MOMENTS, reason=st.just(NOT_REACHED)),
    st.builds(ClaimRenewed, at_ms=MOMENTS, token=TOKENS, lease_until_ms=MOMENTS),
    st.builds(PlacementDenied, at_ms=MOMENTS, reason=DENIALS),
    st.builds(
        PlacementDeferred,
        at_ms=MOMENTS,
        token=TOKENS,
        retry_at_ms=MOMENTS,
        reason=st.just(NOT_REACHED),
    ),
    st.builds(OrderReported, at_ms=MOMENTS, report=REPORTS, token=st.none() | TOKENS),
    st.builds(
        OutcomeLost,
        at_ms=MOMENTS,
        token=TOKENS,
        server_ms=MOMENTS,
        next_check_at_ms=MOMENTS,
        reason=st.just(NO_ANSWER),
    ),
    st.builds(
        StillUnknown,
        at_ms=MOMENTS,
        token=TOKENS,
        next_check_at_ms=MOMENTS,
        needs_person=st.booleans(),
    ),
    st.builds(ProvenAbsent, at_ms=MOMENTS, token=TOKENS),
    st.builds(
        LookUpClaimed,
        at_ms=MOMENTS,
        token=TOKENS,
        server_ms=MOMENTS,
        within_ms=st.integers(0, 60_000),
        until_ms=MOMENTS,
    ),
    st.builds(OutcomeStated, at_ms=MOMENTS, token=TOKENS, report=REPORTS),
    st.builds(FillsAwaited, at_ms=MOMENTS, look=st.integers(0, 2), next_look_at_ms=MOMENTS),
    st.builds(CancelRequested, at_ms=MOMENTS, reason=st.just(REQUESTED)),
    st.builds(CancelDeferred, at_ms=MOMENTS, retry_at_ms=MOMENTS),
    st.builds(
        OrderUpdated,
        at_ms=MOMENTS,
        order=st.sampled_from(OrderStatus).map(an_order_in),
        new_ids=st.just(()),
    ),
)
#: Half of the events are a claim or a loss, or few sequences would come beyond the first status.
LIVES = st.lists(
    st.one_of(st.just(PlacementClaimed(at_ms=NOW, lease_until_ms=NOW)), EVENTS),
    min_size=10,
    max_size=25,
)
LOST = an_order_in(OrderStatus.UNKNOWN)
QUEUED = an_order(reduces=True, awaits_turn=True)
#: Waits for the end of an order, so that news of that one mean something to it.
HELD = an_order(id=OrderId(AggregateId(2)), succeeds=Succession(order_id=an_order().id))
ORDERS = st.sampled_from(OrderStatus).map(an_order_in) | st.just(QUEUED) | st.just(HELD)


def reported_in(status: OrderStatus, **odd: object) -> Order:
    """An order that rested until its venue said this of it."""
    report = OrderReported(at_ms=LATER, report=a_report(status, **odd))
    return decide(an_order_in(OrderStatus.NEW), report).aggregate


def decisions(order: Order, events: list[Event]) -> list[tuple[Order, Decision[Order]]]:
    """Return each state with the decision that was taken in it."""
    steps = []
    for event in events:
        decision = decide(order, event)
        steps.append((order, decision))
        order = decision.aggregate
    return steps


@given(LIVES)
def test_an_order_moves_only_along_the_table(events: list[Event]) -> None:
    for before, decision in decisions(an_order(), events):
        after = decision.aggregate
        assert after.status is before.status or may_move(before.status, after.status)


@given(ORDERS, LIVES)
def test_what_is_filled_never_falls_and_no_trade_counts_twice(
    order: Order, events: list[Event]
) -> None:
    for before, decision in decisions(order, events):
        after = decision.aggregate
        assert before.filled_quantity <= after.filled_quantity <= after.quantity
        assert after.fills[: len(before.fills)] == before.fills
        assert len({fill.trade_id for fill in after.fills}) == len(after.fills)


@given(ORDERS, LIVES)
def test_what_is_closed_stays_closed_save_for_a_fill_that_overtook_the_news(
    order: Order, events: list[Event]
) -> None:
    for before, decision in decisions(order, events):
        after = decision.aggregate
        if before.status in CLOSED and after.status is not before.status:
            assert before.status is not OrderStatus.FILLED
            assert after.status is OrderStatus.FILLED
            assert after.filled_quantity > before.filled_quantity


@given(LIVES)
def test_tokens_and_attempts_only_rise_and_only_with_a_claim(events: list[Event]) -> None:
    for before, decision in decisions(an_order(), events):
        after = decision.aggregate
        claimed = after.status is OrderStatus.PLACING is not before.status
        assert after.token == before.token + claimed
        assert after.attempts == after.token


@given(LIVES)
def test_an_order_that_takes_a_place_is_not_sent_before_that_is_free(
    events: list[Event],
) -> None:
    for event, (before, decision) in zip(events, decisions(HELD, events), strict=True):
        after = decision.aggregate
        if before.is_held and not after.is_held and after.is_in_flight:
            assert isinstance(event, OrderUpdated)
            assert (event.order.status, after.owed() != ()) == (OrderStatus.CANCELED, True)


@given(LIVES)
def test_an_order_of_unknown_outcome_is_not_sent_again_without_proof(
    events: list[Event],
) -> None:
    for event, (before, decision) in zip(events, decisions(LOST, events), strict=True):
        after = decision.aggregate
        is_proof = isinstance(event, ProvenAbsent) and event.token == before.token
        if before.status is OrderStatus.UNKNOWN and not is_proof:
            assert after.status not in {OrderStatus.PENDING_NEW, OrderStatus.PLACING}


@given(ORDERS, LIVES)
def test_an_order_owes_at_most_one_thing_and_when_closed_a_look_for_its_fills_alone(
    order: Order, events: list[Event]
) -> None:
    for _, decision in decisions(order, events):
        after = decision.aggregate
        assert len(after.owed()) <= (1 if after.awaits_fills or after.is_live else 0)


@given(ORDERS, LIVES)
@example(LOST, [StillUnknown(at_ms=NOW, token=1, next_check_at_ms=NOW, needs_person=True)])
def test_nothing_stays_unknown_that_nobody_looks_at(order: Order, events: list[Event]) -> None:
    for _, decision in decisions(order, events):
        after = decision.aggregate
        if after.status is OrderStatus.UNKNOWN:
            assert [one.kind for one in after.owed()] == (
                [] if after.needs_person else [EffectKind.RESOLVE]
            )
        else:
            assert not after.needs_person


CANCELING = st.sampled_from([OrderStatus.PLACING, OrderStatus.UNKNOWN, OrderStatus.NEW]).map(
    lambda status: an_order_in(status, cancel_requested=True)
)


@given(CANCELING | ORDERS, LIVES)
def test_a_cancel_is_not_forgotten_while_the_order_lives(order: Order, events: list[Event]) -> None:
    for before, decision in decisions(order, events):
        after = decision.aggregate
        assert after.cancel_requested >= before.cancel_requested
        if after.cancel_requested:
            assert after.status is not OrderStatus.PENDING_NEW


@given(ORDERS, LIVES)
def test_what_is_ignored_changes_nothing_and_tells_nothing(
    order: Order, events: list[Event]
) -> None:
    for before, decision in decisions(order, events):
        if decision.ignored is not None:
            assert decision.aggregate is before
            assert decision.entries == ()
            assert decision.children == ()


@given(ORDERS, LIVES)
def test_a_denial_always_says_why(order: Order, events: list[Event]) -> None:
    for before, decision in decisions(order, events):
        after = decision.aggregate
        if after.status is OrderStatus.DENIED is not before.status:
            assert after.reason is not None


#: The venue says that it is filled, and lists none of the fills yet.
UNTOLD = reported_in(OrderStatus.FILLED, lists_fills=True)


@given(st.just(UNTOLD) | ORDERS, LIVES)
def test_fills_are_waited_for_only_while_some_are_missing(
    order: Order, events: list[Event]
) -> None:
    for _, decision in decisions(order, events):
        after = decision.aggregate
        if after.awaits_fills:
            assert sum(one.quantity for one in after.fills) < after.filled_quantity


@given(LIVES)
def test_what_stands_in_its_lane_is_not_sent_before_its_turn(events: list[Event]) -> None:
    for event, (before, decision) in zip(events, decisions(QUEUED, events), strict=True):
        after = decision.aggregate
        if before.is_queued and not after.is_queued:
            assert isinstance(event, TurnTaken | OrderReported) or after.is_closed
        if after.is_queued:
            assert (after.attempts, after.is_in_flight) == (0, False)


@given(LIVES)
def test_what_is_filled_is_not_sent_again(events: list[Event]) -> None:
    for before, decision in decisions(an_order(), events):
        if decision.aggregate.token > before.token:
            assert before.filled_quantity == 0


#: What speaks of a placement before the newest of `PLACED_AGAIN`.
OF_EARLIER = EVENTS.filter(lambda event: getattr(event, "token", None) in {0, 1})
PLACED_AGAIN = st.sampled_from([OrderStatus.UNKNOWN, OrderStatus.PLACING, OrderStatus.NEW]).map(
    lambda status: an_order_in(status, token=2, absent_since_ms=NOW)
)


@times(10)
@given(PLACED_AGAIN, OF_EARLIER)
def test_what_is_said_of_an_earlier_placement_ends_no_newer_one(order: Order, event: Event) -> None:
    after = decide(order, event).aggregate

    if after.filled_quantity == order.filled_quantity:
        assert after is order
    elif order.is_in_flight and after.status is order.status:
        assert after.absent_since_ms == order.absent_since_ms
    else:
        assert after.status in {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED}
