"""A signal with its orders and smart orders under any interleaving of what may happen to them."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.aggregate import Aggregate, decide, is_news
from app.domain.commands import Action, OnOpposite, SignalRules
from app.domain.enums import PositionMode, PositionSide
from app.domain.events import (
    CancelRequested,
    Event,
    Executed,
    OrderReported,
    OrderUpdated,
    OutcomeLost,
    PlacementClaimed,
    PlacementDeferred,
    ProvenAbsent,
    SmartOrderUpdated,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
)
from app.domain.identifiers import AggregateId, FreshId, OrderId
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Signal
from app.domain.smart_order import SmartOrder
from app.domain.status import CLOSED, IN_FLIGHT, OPEN, OrderStatus
from tests.support.builders import (
    NO_ANSWER,
    NOT_REACHED,
    NOW,
    REFUSED,
    REQUESTED,
    a_fresh_id,
    a_signal,
    a_turn,
    a_view,
    fixed,
)
from tests.support.searching import times

TENTHS = st.integers(0, 10)
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


class SignalMachine(RuleBasedStateMachine):
    """News of a child reaches its parent at once; the store sees to it that it comes at all."""

    def __init__(self) -> None:
        super().__init__()
        self.all: dict[AggregateId, Aggregate] = {}
        self.signal_id = a_signal().id
        self.used = 1_000
        self.opposite = Decimal(0)

    @initialize(
        action=st.sampled_from([Action.OPEN_LONG, Action.OPEN_SHORT, Action.CLOSE_LONG]),
        reverses=st.booleans(),
        begun=st.sampled_from(["protected", "turn", "delayed"]),
        protected=st.booleans(),
        opposite=TENTHS,
    )
    def accepted(
        self, action: Action, *, reverses: bool, begun: str, protected: bool, opposite: int
    ) -> None:
        """Begin with a filled entry and its protection, with the turn, or before it.

        Left to chance, hardly any life comes as far as protection.
        """
        is_guarded = protected or begun == "protected"
        above, below = Decimal(2_200), Decimal(1_900)
        if action is Action.OPEN_SHORT:
            above, below = below, above
        on_opposite = OnOpposite.REVERSE if reverses else OnOpposite.KEEP
        signal = a_signal(
            action,
            size=fixed("1"),
            rules=SignalRules(leverage=5, on_opposite=on_opposite, entry_lateness_ms=0),
            status=RequestStatus.SCHEDULED if begun == "delayed" else RequestStatus.EXECUTING,
            take_profit=above if is_guarded else None,
            stop_loss=below if is_guarded else None,
        )
        self.signal_id = signal.id
        self.all[signal.id] = signal
        self.opposite = Decimal(opposite) / 10
        if begun != "delayed":
            self.turn()
        if begun == "protected":
            for order in self.orders():
                self.fill(order, 10)

    @property
    def signal(self) -> Signal:
        found = self.all[self.signal_id]
        assert isinstance(found, Signal)
        return found

    def orders(self) -> list[Order]:
        return [one for one in self.all.values() if isinstance(one, Order)]

    def smart_orders(self) -> list[SmartOrder]:
        return [one for one in self.all.values() if isinstance(one, SmartOrder)]

    def fresh(self) -> tuple[FreshId, FreshId]:
        self.used += 2
        account = self.signal.account
        return a_fresh_id(self.used, account), a_fresh_id(self.used + 1, account)

    def happen(self, aggregate_id: AggregateId, event: Event) -> None:
        """Let something happen, and tell the parent if it is news."""
        before = self.all[aggregate_id]
        decision = decide(before, event)
        after = decision.aggregate
        self.all[aggregate_id] = after
        for child in decision.children:
            assert child.id not in self.all
            self.all[child.id] = child
        if after.parent_id is not None and is_news(before, after):
            self.tell(after.parent_id, after)

    def tell(self, parent_id: AggregateId, child: Aggregate) -> None:
        if isinstance(child, Order):
            update = OrderUpdated(at_ms=NOW, order=child, new_ids=self.fresh())
            self.happen(parent_id, update)
        elif isinstance(child, SmartOrder):
            self.happen(parent_id, SmartOrderUpdated(at_ms=NOW, smart_order=child))

    @rule()
    def timer(self) -> None:
        self.happen(self.signal_id, TimerDue(at_ms=NOW))

    @rule()
    def turn(self) -> None:
        leg = self.signal.position_side or PositionSide.LONG
        held = {leg: "1", leg.opposite: str(self.opposite)}
        view = a_view({"USDT": "100000"}, held, mode=PositionMode.HEDGE)
        event: Executed = a_turn(self.signal, account=view, new_ids=self.fresh())
        self.happen(self.signal_id, event)

    @precondition(lambda self: any(one.is_live for one in self.orders()))
    @rule(tenths=st.integers(1, 10))
    def sent_and_filled(self, tenths: int) -> None:
        self.fill(next(one for one in self.orders() if one.is_live), tenths)

    def fill(self, order: Order, tenths: int) -> None:
        self.happen(order.id, PlacementClaimed(at_ms=NOW, lease_until_ms=NOW))
        status = OrderStatus.FILLED if tenths == 10 else OrderStatus.CANCELED
        report = OrderReport(status=status, filled_quantity=order.quantity * tenths / 10)
        self.happen(order.id, OrderReported(at_ms=NOW, report=report))

    @precondition(lambda self: self.orders() or self.signal.status is RequestStatus.SCHEDULED)
    @rule()
    def cancel(self) -> None:
        self.happen(self.signal_id, CancelRequested(at_ms=NOW, reason=REQUESTED))

    @precondition(lambda self: self.signal.withdrawing & self.signal.working)
    @rule()
    def withdraw(self) -> None:
        event = CancelRequested(at_ms=NOW, reason=REQUESTED)
        for child_id in sorted(self.signal.withdrawing & self.signal.working):
            self.happen(child_id, event)
            child = self.all[child_id]
            if isinstance(child, SmartOrder) and child.is_live and child.order_id is not None:
                self.happen(child.order_id, event)

    @precondition(lambda self: self.orders())
    @rule(data=st.data(), fate=st.sampled_from(["claim", "defer", "lose", "absent"]))
    def on_the_way(self, data: st.DataObject, fate: str) -> None:
        order = data.draw(st.sampled_from(self.orders()))
        events: dict[str, Event] = {
            "claim": PlacementClaimed(at_ms=NOW, lease_until_ms=NOW),
            "defer": PlacementDeferred(
                at_ms=NOW, token=order.token, retry_at_ms=NOW, reason=NOT_REACHED
            ),
            "lose": OutcomeLost(
                at_ms=NOW,
                token=order.token,
                server_ms=NOW,
                next_check_at_ms=NOW,
                reason=NO_ANSWER,
            ),
            "absent": ProvenAbsent(at_ms=NOW, token=order.token),
        }
        self.happen(order.id, events[fate])

    @precondition(lambda self: self.orders())
    @rule(data=st.data(), status=REPORTED, tenths=TENTHS)
    def reported(self, data: st.DataObject, status: OrderStatus, tenths: int) -> None:
        order = data.draw(st.sampled_from(self.orders()))
        tenths = 10 if status is OrderStatus.FILLED else tenths
        if status is OrderStatus.REJECTED:
            tenths = 0
        report = OrderReport(
            status=status,
            filled_quantity=order.quantity * tenths / 10,
            average_price=Decimal(2_000),
            reason=REFUSED if status is OrderStatus.REJECTED else None,
        )
        self.happen(order.id, OrderReported(at_ms=NOW, report=report))

    @precondition(lambda self: self.smart_orders())
    @rule(data=st.data(), what=st.sampled_from(["armed", "disarmed", "fired"]))
    def triggers(self, data: st.DataObject, what: str) -> None:
        smart_order = data.draw(st.sampled_from(self.smart_orders()))
        events: dict[str, Event] = {
            "armed": TriggerArmed(at_ms=NOW),
            "disarmed": TriggerDisarmed(at_ms=NOW),
            "fired": TriggerFired(at_ms=NOW, tick=1, prices={}, new_ids=self.fresh()),
        }
        self.happen(smart_order.id, events[what])

    @precondition(lambda self: self.signal.is_protecting)
    @rule()
    def closed_by_others(self) -> None:
        other = replace(
            self.orders()[0], id=OrderId(AggregateId(1)), parent_id=None, position_after=Decimal(0)
        )
        update = OrderUpdated(at_ms=NOW, order=other, new_ids=self.fresh())
        self.happen(self.signal_id, update)

    def children(self) -> list[Aggregate]:
        return [one for one in self.all.values() if one.parent_id == self.signal_id]

    @invariant()
    def a_signal_lives_as_long_as_a_child_of_it(self) -> None:
        live = {child.id for child in self.children() if child.is_live}
        assert live == self.signal.working
        assert self.signal.is_live or not live

    @invariant()
    def there_is_one_entry_and_one_close_at_most_at_a_time(self) -> None:
        live = [one for one in self.children() if isinstance(one, Order) and one.is_live]
        entries = [one for one in self.children() if one.id == self.signal.order_id]
        assert len(live) <= 1
        assert len(entries) <= 1

    @invariant()
    def what_is_withdrawn_is_its_own(self) -> None:
        assert self.signal.withdrawing <= {child.id for child in self.children()}

    @invariant()
    def a_live_signal_waits_for_something(self) -> None:
        if self.signal.is_live:
            assert self.signal.owed() or self.signal.working

    @invariant()
    def it_knows_what_its_orders_have_filled(self) -> None:
        """They are several only of an exit; those that close first count apart."""
        reduces = not self.signal.action.is_entry
        own = [
            one
            for one in self.orders()
            if one.parent_id == self.signal_id and one.reduces is reduces
        ]
        if all(one.status in OPEN | CLOSED for one in own):
            assert self.signal.filled_quantity == sum(one.filled_quantity for one in own)

    @invariant()
    def nothing_of_it_lives_when_it_has_ended(self) -> None:
        if not self.signal.is_live:
            own = [one for one in self.orders() if one.parent_id == self.signal_id]
            assert not any(one.is_live for one in own)

    @invariant()
    def a_filled_entry_is_guarded_or_was_given_up_on_purpose(self) -> None:
        if not self.signal.action.is_entry or self.signal.stop_loss is None:
            return
        order = self.all.get(self.signal.order_id) if self.signal.order_id else None
        if isinstance(order, Order) and order.is_closed and order.filled_quantity > 0:
            guarded = sum((one.quantity or Decimal(0) for one in self.smart_orders()), Decimal(0))
            assert guarded <= 2 * order.filled_quantity  # by a stop and by a profit
            assert self.signal.cancel_requested or guarded == 2 * order.filled_quantity

    @invariant()
    def a_smart_order_has_one_live_order_at_most(self) -> None:
        for smart_order in self.smart_orders():
            own = [one for one in self.orders() if one.parent_id == smart_order.id]
            live = [one for one in own if one.status in OPEN | IN_FLIGHT]
            assert len(live) <= 1


TestSignals = SignalMachine.TestCase
TestSignals.settings = settings(times(1.6), stateful_step_count=25)
