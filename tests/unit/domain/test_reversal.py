"""Reversals: one netting order, or a close and then an opening."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.aggregate import decide
from app.domain.commands import NetAction
from app.domain.decision import EntryName
from app.domain.enums import (
    Dialect,
    Kind,
    Market,
    OrderType,
    PositionMode,
    PositionSide,
    ReasonCode,
    Side,
)
from app.domain.events import CancelRequested, Executed, OrderUpdated, TimerDue
from app.domain.exits import USUAL
from app.domain.identifiers import EpochMs, OrderId
from app.domain.market import AccountView, Position
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import RequestStatus, Stage
from app.domain.request.reversal import Reversal
from app.domain.status import MOVES, OPEN, OrderStatus
from tests.support.builders import (
    BTC,
    BTC_SPOT,
    ETH,
    ETH_USDM,
    NOW,
    PAPER,
    REFUSED,
    REQUESTED,
    USDM_ID,
    a_fresh_id,
    a_quote,
    a_view,
    an_id,
    must,
)

HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
CANCEL = CancelRequested(at_ms=NOW, reason=REQUESTED)


def a_reversal(
    action: NetAction = NetAction.REVERSE_BUY, wanted: str = "1", limit: str | None = None
) -> Reversal:
    """A request about the net position in ETH, due now."""
    return Reversal(
        id=an_id(1, USDM_ID),
        dialect=Dialect.APISIFY,
        origin="apisify:one",
        account=USDM_ID,
        venue=PAPER,
        symbol=ETH,
        market=Market.USDM,
        action=action,
        wanted=Decimal(wanted),
        limit_price=None if limit is None else Decimal(limit),
        due_at_ms=NOW,
        created_at_ms=NOW,
        updated_at_ms=NOW,
    )


def a_turn(position: str = "0", mode: PositionMode = ONEWAY, first_id: int = 500) -> Executed:
    """Its turn, with one net position, at 2,000."""
    size = Decimal(position)
    positions = {(ETH, LONG if size > 0 else SHORT): Position(size=abs(size))} if size else {}
    return Executed(
        at_ms=NOW,
        account=AccountView(position_mode=mode, positions=positions),
        quote=a_quote("2000"),
        instrument=ETH_USDM,
        new_ids=(a_fresh_id(first_id, USDM_ID), a_fresh_id(first_id + 1, USDM_ID)),
    )


def taken(reversal: Reversal, turn: Executed) -> tuple[Reversal, Order]:
    decision = decide(reversal, turn)
    (order,) = decision.children
    assert isinstance(order, Order)
    return decision.aggregate, order


def told(
    reversal: Reversal, order: Order, status: OrderStatus, filled: str | None = None
) -> tuple[Reversal, tuple[Order, ...]]:
    """Let it hear how its order stands."""
    whole = order.quantity if status is OrderStatus.FILLED else Decimal(0)
    news = replace(
        order,
        status=status,
        filled_quantity=whole if filled is None else Decimal(filled),
        reason=REFUSED if status in {OrderStatus.REJECTED, OrderStatus.CANCELED} else None,
    )
    ids = (a_fresh_id(600, USDM_ID), a_fresh_id(601, USDM_ID))
    decision = decide(reversal, OrderUpdated(at_ms=NOW, order=news, new_ids=ids))
    return decision.aggregate, tuple(one for one in decision.children if isinstance(one, Order))


def test_netting_is_one_order_that_may_open() -> None:
    reversal, order = taken(a_reversal(), a_turn("-3"))

    assert (order.side, order.quantity, order.reduce_only) == (Side.BUY, Decimal(4), False)
    assert (order.position_side, order.reduces, order.type) == (None, False, OrderType.MARKET)
    done, more = told(reversal, order, OrderStatus.FILLED)
    assert (done.status, more, done.kind) == (RequestStatus.DONE, (), Kind.REVERSAL)


@pytest.mark.parametrize(("filled", "left"), [("2", "1"), ("0", "3")])
def test_a_netting_order_that_has_not_closed_goes_on_with_that(filled: str, left: str) -> None:
    reversal, order = taken(a_reversal(), a_turn("-3"))
    status = OrderStatus.CANCELED if filled != "0" else OrderStatus.REJECTED
    rules = Reason(ReasonCode.AGAINST_RULES, "Filter failure: LOT_SIZE")
    news = replace(order, status=status, filled_quantity=Decimal(filled), reason=rules)

    heard_of = OrderUpdated(at_ms=NOW, order=news, new_ids=(a_fresh_id(590, USDM_ID),) * 2)
    decision = decide(reversal, heard_of)
    waits = decision.aggregate
    assert isinstance(waits, Reversal)
    assert (waits.is_queued, decision.children) == (True, ())
    closing, close = taken(waits, a_turn(f"-{left}", first_id=510))
    assert (close.quantity, close.reduce_only) == (Decimal(left), True)
    opening, (opened,) = told(closing, close, OrderStatus.FILLED)
    assert (opened.quantity, opened.reduce_only) == (Decimal(1), False)
    done, more = told(opening, opened, OrderStatus.FILLED)

    assert (done.status, more) == (RequestStatus.DONE, ())
    assert (done.closed_quantity, done.filled_quantity) == (Decimal(3), Decimal(1))
    assert decide(done, heard_of).ignored


@pytest.mark.parametrize("mode", list(PositionMode))
def test_a_reversal_to_less_than_a_lot_touches_nothing(mode: PositionMode) -> None:
    decision = decide(a_reversal(wanted="0.0000001"), a_turn("-3", mode))

    assert decision.children == ()
    ended = decision.aggregate
    assert isinstance(ended, Reversal)
    assert (ended.status, ended.reason and ended.reason.code) == (
        RequestStatus.DENIED,
        ReasonCode.BELOW_MINIMUM,
    )
    assert "0.0000001" in str(ended.reason)


def test_a_close_at_the_market_that_is_at_work_opens_nothing_yet() -> None:
    reversal, close = taken(a_reversal(), a_turn("-3", HEDGE))

    at_work, more = told(reversal, close, OrderStatus.PARTIALLY_FILLED, filled="1")
    assert more == ()
    goes_on, more = told(at_work, close, OrderStatus.CANCELED, filled="1")

    assert more == ()
    assert (goes_on.is_queued, goes_on.closed_quantity) == (True, Decimal(1))


def test_an_opening_does_not_make_up_for_a_limit_close_that_ended_short() -> None:
    reversal, close = taken(a_reversal(limit="2000"), a_turn("-3", HEDGE))
    opening, (opened,) = told(reversal, close, OrderStatus.NEW)

    filled, _ = told(opening, opened, OrderStatus.FILLED)
    ended, _ = told(filled, close, OrderStatus.CANCELED, filled="1")

    assert ended.status is RequestStatus.PARTIAL
    assert not ended.is_live


def test_hedge_legs_go_one_after_the_other() -> None:
    reversal, close = taken(a_reversal(), a_turn("-3", HEDGE))
    assert (close.side, close.quantity, close.position_side) == (Side.BUY, Decimal(3), SHORT)
    assert (close.reduce_only, reversal.stage, reversal.is_queued) == (True, Stage.CLOSING, True)

    opening, (opened,) = told(reversal, close, OrderStatus.FILLED)

    assert (opened.side, opened.quantity, opened.position_side) == (Side.BUY, Decimal(1), LONG)
    assert (opened.reduce_only, opening.is_queued) == (False, False)
    done, _ = told(opening, opened, OrderStatus.FILLED)
    assert done.status is RequestStatus.DONE


def test_a_resting_close_lets_its_opening_rest_beside_it() -> None:
    reversal, close = taken(a_reversal(limit="1900"), a_turn("-3", HEDGE))

    both, (opened,) = told(reversal, close, OrderStatus.NEW)

    assert (opened.price, opened.position_side) == (Decimal(1900), LONG)
    assert both.working == {close.id, opened.id}


def test_a_failed_close_opens_nothing() -> None:
    reversal, close = taken(a_reversal(), a_turn("-3", HEDGE))

    waits, more = told(reversal, close, OrderStatus.REJECTED)
    tired = replace(reversal, gives_up_at_ms=NOW)
    ended, none = told(tired, close, OrderStatus.REJECTED)

    assert (waits.stage, waits.goes_on, more) == (Stage.QUEUED, True, ())
    assert (ended.status, ended.reason, none) == (RequestStatus.REJECTED, REFUSED, ())


def test_a_close_that_gives_up_after_a_part_is_partial_and_calls_for_a_person() -> None:
    reversal, close = taken(a_reversal(NetAction.CLOSE, "0"), a_turn("3"))
    tired = replace(reversal, gives_up_at_ms=NOW)
    part = replace(close, status=OrderStatus.CANCELED, filled_quantity=Decimal(1))

    given_up = decide(tired, OrderUpdated(at_ms=NOW, order=part, new_ids=()))

    assert given_up.aggregate.status is RequestStatus.PARTIAL
    assert [entry.name for entry in given_up.entries].count(EntryName.ALERT) == 1


def test_a_close_at_the_market_keeps_its_place_while_its_venue_calls_it_open() -> None:
    market, close = taken(a_reversal(), a_turn("-3", HEDGE))
    market = replace(market, legs=replace(must(market.legs), is_together=False))

    waits, _ = told(market, close, OrderStatus.PARTIALLY_FILLED, "1")
    limit, close = taken(a_reversal(limit="1900"), a_turn("-3", HEDGE))
    limit = replace(limit, legs=replace(must(limit.legs), is_together=False))
    rests, _ = told(limit, close, OrderStatus.NEW)

    assert (waits.is_queued, rests.is_queued) == (True, False)


def test_a_failed_opening_leaves_it_partial_and_calls_for_a_person() -> None:
    reversal, close = taken(a_reversal(), a_turn("-3", HEDGE))
    opening, (opened,) = told(reversal, close, OrderStatus.FILLED)

    refused = replace(opened, status=OrderStatus.REJECTED, reason=REFUSED)
    decision = decide(opening, OrderUpdated(at_ms=NOW, order=refused, new_ids=()))

    assert (decision.aggregate.status, decision.children) == (RequestStatus.PARTIAL, ())
    assert [one.name for one in decision.entries] == [EntryName.ALERT, EntryName.CLOSED]


def test_a_close_that_is_taken_off_takes_its_opening_along() -> None:
    reversal, close = taken(a_reversal(limit="1900"), a_turn("-3", HEDGE))
    both, (opened,) = told(reversal, close, OrderStatus.NEW)

    without, _ = told(both, close, OrderStatus.CANCELED)

    assert without.withdrawing == {opened.id}
    ended, _ = told(without, opened, OrderStatus.CANCELED)
    assert ended.status is RequestStatus.CANCELED


def test_beyond_the_greatest_order_the_opening_waits_for_the_fill() -> None:
    turn = a_turn("-3")
    assert turn.instrument is not None
    capped = replace(turn, instrument=replace(turn.instrument, max_quantity=Decimal(3)))
    reversal, close = taken(a_reversal(limit="1900"), capped)

    resting, none = told(reversal, close, OrderStatus.NEW)
    opening, (opened,) = told(resting, close, OrderStatus.FILLED)

    assert (close.quantity, close.reduce_only, none) == (Decimal(3), True, ())
    assert not resting.is_queued
    assert (opened.quantity, opening.status) == (Decimal(1), RequestStatus.EXECUTING)


def test_a_close_is_a_signal_and_never_too_late() -> None:
    close = a_reversal(NetAction.CLOSE, "5")
    late = replace(a_turn("2"), at_ms=EpochMs(NOW + 10**9))

    reversal, order = taken(close, late)

    assert (reversal.kind, close.not_after_ms) == (Kind.SIGNAL, None)
    assert (order.side, order.quantity, order.reduce_only) == (Side.SELL, Decimal(2), True)


def test_an_entry_expires() -> None:
    late = replace(a_turn("2"), at_ms=EpochMs(NOW + 60_001))

    ended = decide(a_reversal(), late).aggregate

    assert (ended.status, ended.reason and ended.reason.code) == (
        RequestStatus.EXPIRED,
        ReasonCode.TOO_LATE,
    )


def test_a_limit_is_rounded_in_the_callers_favor() -> None:
    _, order = taken(a_reversal(limit="1900.009"), a_turn())

    assert order.price == Decimal("1900.00")


def test_nonsense_is_ignored() -> None:
    reversal = a_reversal()

    assert decide(reversal, TimerDue(at_ms=NOW)).ignored
    done, order = taken(reversal, a_turn())
    assert decide(done, a_turn()).ignored
    stranger = replace(order, id=OrderId(an_id(9, USDM_ID)), parent_id=None)
    assert decide(done, OrderUpdated(at_ms=NOW, order=stranger, new_ids=())).ignored


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("mode", PositionMode)
def test_nothing_opens_before_its_close_is_certain(mode: PositionMode, status: OrderStatus) -> None:
    turn = a_turn("-3", mode)
    assert turn.instrument is not None
    capped = replace(turn, instrument=replace(turn.instrument, max_quantity=Decimal(3)))
    reversal, close = taken(a_reversal(limit="1900"), capped)

    _, opened = told(reversal, close, status)

    # Where both legs are kept apart it is enough that the one rests.
    is_certain = status is OrderStatus.FILLED or (mode is HEDGE and status in OPEN)
    assert len(opened) == is_certain


#: With what news an order can have filled further.
MAY_FILL = OPEN | {OrderStatus.CANCELED, OrderStatus.EXPIRED}
LIMITS = st.sampled_from([None, "1900"])


class ReversalMachine(RuleBasedStateMachine):
    """A reversal and its orders under any interleaving of what may happen to them."""

    @initialize(
        action=st.sampled_from(NetAction),
        position=st.integers(-5, 5),
        mode=st.sampled_from(PositionMode),
        limit=LIMITS,
        capped=st.booleans(),
    )
    def turn(
        self,
        action: NetAction,
        position: int,
        mode: PositionMode,
        limit: str | None,
        *,
        capped: bool,
    ) -> None:
        self.position = Decimal(position)
        self.now = NOW
        self.orders: dict[int, Order] = {}
        #: How the order that closes stood when the one that opens was made.
        self.close_at_opening: OrderStatus | None = None
        self.mode = mode
        self.instrument = replace(ETH_USDM, max_quantity=Decimal(5)) if capped else ETH_USDM
        self.reversal = a_reversal(action, "2", limit)
        self.another_turn()

    def happen(self, event: Executed | OrderUpdated | CancelRequested) -> None:
        decision = decide(self.reversal, event)
        for child in decision.children:
            assert isinstance(child, Order)
            assert child.id not in self.orders
            if (close := self.close()) is not None and not child.reduce_only:
                # An earlier order may have closed all, though that was told late.
                is_whole = self.closed() >= must(decision.aggregate.legs).closing
                self.close_at_opening = OrderStatus.FILLED if is_whole else close.status
            self.orders[child.id] = child
        self.reversal = decision.aggregate

    def close(self) -> Order | None:
        return next((one for one in reversed(self.orders.values()) if one.reduce_only), None)

    def closed(self) -> Decimal:
        closes = (one for one in self.orders.values() if one.reduce_only)
        return sum((one.filled_quantity for one in closes), Decimal(0))

    def room_for(self, order: Order) -> Decimal:
        """Return how much an order that closes may have filled, as far as others have not."""
        return abs(self.position) - (self.closed() - order.filled_quantity)

    def movable(self) -> list[int]:
        return sorted(one.id for one in self.orders.values() if MOVES[one.status])

    @precondition(lambda self: self.movable())
    @rule(data=st.data(), share=st.integers(0, 10))
    def report(self, data: st.DataObject, share: int) -> None:
        """Tell how an order stands; of one that lives, news may have been skipped."""
        order = self.orders[data.draw(st.sampled_from(self.movable()))]
        known = MOVES[order.status] if order.is_closed else OrderStatus
        status = data.draw(st.sampled_from(sorted(known)))
        self.tell(order, status, order.quantity * share / 10)

    @precondition(lambda self: self.movable())
    @rule()
    def fill(self) -> None:
        order = self.orders[self.movable()[0]]
        self.tell(order, OrderStatus.FILLED, order.quantity)

    def tell(self, order: Order, status: OrderStatus, filled: Decimal) -> None:
        if status is OrderStatus.FILLED:
            filled = order.quantity
        elif status not in MAY_FILL or not order.filled_quantity < filled < order.quantity:
            filled = order.filled_quantity
        if order.reduce_only and filled > self.room_for(order):
            return  # no venue closes more than there is, with however many orders
        after = replace(order, status=status, filled_quantity=filled, reason=REFUSED)
        self.orders[order.id] = after
        number = 600 + 2 * len(self.orders)
        ids = (a_fresh_id(number, USDM_ID), a_fresh_id(number + 1, USDM_ID))
        self.happen(OrderUpdated(at_ms=self.now, order=after, new_ids=ids))

    @rule()
    def cancel(self) -> None:
        self.happen(CANCEL)

    @rule()
    def another_turn(self) -> None:
        """Let it have a turn, with the position as its closes have left it."""
        left = self.position - self.closed().copy_sign(self.position)
        number = 900 + 2 * len(self.orders)
        turn = a_turn(str(left), self.mode, first_id=number)
        self.happen(replace(turn, at_ms=self.now, instrument=self.instrument))

    @rule()
    def time_goes_by(self) -> None:
        self.now = EpochMs(self.now + USUAL.patience_ms + 1)

    @invariant()
    def never_two_of_a_kind_at_once(self) -> None:
        """At most one order opens, and one closes at a time, whatever comes twice."""
        opens = [one for one in self.orders.values() if not one.reduce_only]
        closes = [one for one in self.orders.values() if one.reduce_only and not one.is_closed]
        assert len(opens) <= 1
        assert len(closes) <= 1

    @invariant()
    def sizes_are_from_the_one_turn(self) -> None:
        assert self.closed() <= abs(self.position)
        close = self.close()
        if self.reversal.action.reverses and close is not None:
            opens = [one for one in self.orders.values() if not one.reduce_only]
            assert not opens or opens[0].quantity == 2
            assert must(self.reversal.legs).closing == abs(self.position)

    @invariant()
    def nothing_opens_before_its_close_is_certain(self) -> None:
        """It has filled; where the venue keeps both legs apart it is enough that it rests."""
        if self.close_at_opening is not None:
            rests = must(self.reversal.legs).is_together and self.close_at_opening in OPEN
            assert rests or self.close_at_opening is OrderStatus.FILLED

    @invariant()
    def it_is_live_as_long_as_an_order_is(self) -> None:
        """Or while it waits for another order of its close."""
        if any(not one.is_closed for one in self.orders.values()):
            assert self.reversal.is_live
        else:
            assert self.reversal.is_live == (self.reversal.is_queued and self.reversal.goes_on)

    @invariant()
    def done_means_that_something_was_traded(self) -> None:
        if self.reversal.status is RequestStatus.DONE:
            assert any(one.filled_quantity for one in self.orders.values())


class TwoLeggedMachine(ReversalMachine):
    """The same with something to close and then something to open: few of all turns have both."""

    @initialize(position=st.integers(-5, -4), mode=st.sampled_from(PositionMode), limit=LIMITS)
    def turn(self, position: int, mode: PositionMode, limit: str | None) -> None:
        super().turn(NetAction.REVERSE_BUY, position, mode, limit, capped=True)


TestReversalMachine = ReversalMachine.TestCase
TestTwoLeggedMachine = TwoLeggedMachine.TestCase
#: Long enough for both orders to end.
TestReversalMachine.settings = TestTwoLeggedMachine.settings = settings(stateful_step_count=10)


# At spot


def on_spot(action: NetAction, wanted: str = "1") -> Reversal:
    return replace(a_reversal(action, wanted), symbol=BTC, market=Market.SPOT)


def spot_turn(held: str, first_id: int = 500) -> Executed:
    """Its turn, with so many BTC, in the mode that a spot account has and does not mean."""
    turn = a_turn(mode=HEDGE, first_id=first_id)
    return replace(turn, account=a_view({"USDT": "100000", "BTC": held}), instrument=BTC_SPOT)


@pytest.mark.parametrize("action", [NetAction.SELL, NetAction.CLOSE])
def test_a_sale_of_coins_is_an_exit_and_no_leg(action: NetAction) -> None:
    sale = on_spot(action, "3")
    assert (sale.is_entry, sale.opens, sale.not_after_ms) == (False, None, None)
    assert sale.closes_first is None

    sold, order = taken(sale, spot_turn("2"))

    assert (order.side, order.quantity, order.reduces) == (Side.SELL, Decimal(2), True)
    assert (order.reduce_only, order.position_side) == (False, None)
    assert (sold.position_side, sold.kind) == (None, Kind.SIGNAL)
    assert told(sold, order, OrderStatus.FILLED)[0].status is RequestStatus.DONE


def test_a_purchase_of_coins_is_an_entry_and_no_leg() -> None:
    buy = on_spot(NetAction.BUY)
    assert (buy.is_entry, buy.opens, buy.closes_first) == (True, None, None)

    bought, order = taken(buy, spot_turn("0"))

    assert (order.side, order.quantity, order.reduces) == (Side.BUY, Decimal(1), False)
    assert (order.reduce_only, order.position_side) == (False, None)
    assert told(bought, order, OrderStatus.FILLED)[0].status is RequestStatus.DONE


def test_what_a_sale_of_coins_has_left_is_sold_by_the_next_order() -> None:
    sold, order = taken(on_spot(NetAction.CLOSE, "0"), spot_turn("2"))
    rest = Reason(ReasonCode.TIME_IN_FORCE, "the rest could not be filled at once")
    news = replace(order, status=OrderStatus.CANCELED, filled_quantity=Decimal("0.5"), reason=rest)
    ids = (a_fresh_id(600, USDM_ID), a_fresh_id(601, USDM_ID))
    waits = decide(sold, OrderUpdated(at_ms=NOW, order=news, new_ids=ids)).aggregate
    assert isinstance(waits, Reversal)

    again, second = taken(waits, spot_turn("1.5", first_id=510))

    assert (second.quantity, second.reduces, second.reduce_only) == (Decimal("1.5"), True, False)
    assert told(again, second, OrderStatus.FILLED)[0].status is RequestStatus.DONE


def test_coins_that_are_too_few_for_an_order_end_a_sale() -> None:
    sold, order = taken(on_spot(NetAction.CLOSE, "0"), spot_turn("2"))
    rest = Reason(ReasonCode.TIME_IN_FORCE, "the rest could not be filled at once")
    news = replace(
        order, status=OrderStatus.CANCELED, filled_quantity=Decimal("1.99998"), reason=rest
    )
    ids = (a_fresh_id(600, USDM_ID), a_fresh_id(601, USDM_ID))
    waits = decide(sold, OrderUpdated(at_ms=NOW, order=news, new_ids=ids)).aggregate

    end = decide(waits, spot_turn("0.00002", first_id=510))

    assert isinstance(end.aggregate, Reversal)
    assert (end.aggregate.status, end.children) == (RequestStatus.DONE, ())
    assert must(end.aggregate.reason).code is ReasonCode.BELOW_MINIMUM
