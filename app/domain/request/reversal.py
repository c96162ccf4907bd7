"""A reversal: close, then open, sized from the net position when its turn comes.

Whatever is asked of a net position is one of these: a buy from flat has nothing to close, a close
opens nothing. Only those that are meant to reverse are shown as reversals, the others as signals.

    SCHEDULED ──due──> EXECUTING ──> DONE, PARTIAL, SKIPPED, DENIED, REJECTED, CANCELED, EXPIRED

While EXECUTING: QUEUED (waits for its turn in the lane), CLOSING (the order that closes is on its
way, the one that opens is not sent yet), WORKING (its orders are at the venue). Quantities are
computed once, in that turn: computed anew after a fill they would be others.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.commands import NetAction, OnSameSide
from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.enums import Kind, OrderType, PositionMode, PositionSide, Side
from app.domain.events import CancelRequested, Executed, TimerDue
from app.domain.identifiers import EpochMs, FreshId, OrderId
from app.domain.news import OrderUpdated
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.netting import Legs, legs_of
from app.domain.request.request import STATUS_AFTER, Request, RequestStatus, Stage
from app.domain.status import OPEN, OrderStatus

ReversalEvent = TimerDue | Executed | OrderUpdated | CancelRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(Request):
    """One accepted request about a net position.

    Attributes:
        wanted: quantity as asked for; 0 closes everything.
        entry_lateness_ms: later than this after its due time it opens nothing; 0 is never too late.
        strategy: the caller's label.
        legs: what is traded, known from its turn on.
        mode: how the account held the position in that turn.
        price: the limit on its tick; None is a market order.
        order_status: how its order stood when last heard of.
    """

    action: NetAction
    wanted: Decimal
    on_same_side: OnSameSide = OnSameSide.SKIP
    entry_lateness_ms: int = 60_000
    strategy: str | None = None
    legs: Legs | None = None
    mode: PositionMode = PositionMode.ONEWAY
    price: Decimal | None = None
    order_status: OrderStatus | None = None

    @property
    def kind(self) -> Kind:
        """What sort of aggregate this is, for those who read."""
        return Kind.REVERSAL if self.action.reverses else Kind.SIGNAL

    @property
    def side(self) -> Side | None:
        """Which way it trades; of a close known from its turn on."""
        return self.action.side if self.legs is None else self.legs.side

    @property
    def position_side(self) -> PositionSide | None:
        """The leg of a hedge account that it opens, or, if it opens none, closes."""
        legs = self.legs
        if legs is None or self.mode is PositionMode.ONEWAY:
            return None
        return legs.side.works_on(reduces=not legs.opening)

    @property
    def is_entry(self) -> bool:
        """Whether it may open or add to something."""
        return self.action is not NetAction.CLOSE

    @property
    def not_after_ms(self) -> EpochMs | None:
        """Business time after which its order is too late; None is never."""
        if not self.is_entry or not self.entry_lateness_ms:
            return None
        return EpochMs(self.due_at_ms + self.entry_lateness_ms)

    def sentence(self) -> str:
        """Return, for instance, `reverse buy 1 BTC/USD`."""
        quantity = f"{self.wanted:f}" if self.wanted else "all"
        return f"{self.action.lower().replace('_', ' ')} {quantity} {self.symbol}"

    def decide(self, event: ReversalEvent) -> Decision["Reversal"]:
        """Return what becomes of the reversal when `event` happens; nonsense is ignored."""
        match event:
            case TimerDue():
                return self._timer_due(event)
            case Executed():
                return self._executed(event)
            case OrderUpdated():
                return self._order_updated(event)
            case CancelRequested():
                return self._cancel_requested(event)

    # The turn in the lane

    def _executed(self, event: Executed) -> Decision["Reversal"]:
        missed, instrument = self._missed(event), event.instrument
        if missed is not None or instrument is None:
            return missed or ignored(self, "it is not traded here")
        # From here on the quantities stand: what is closed and what is opened belong together.
        legs = legs_of(self.action, self.wanted, self.on_same_side, event.account, instrument)
        if isinstance(legs, Reason):
            return self._ended(RequestStatus.SKIPPED, event.at_ms, legs)
        price = self._reference_price(legs.side, event.quote, instrument)
        sized = replace(
            self,
            legs=legs,
            mode=event.account.position_mode,
            price=None if self.limit_price is None else price,
            # Callers are shown what opens; a close that opens nothing is shown by what it closes.
            quantity=legs.quantity if legs.is_one_order else legs.opening or legs.closing,
        )
        refusal = self._no_price(price) or legs.refusal(instrument, price)
        if refusal is not None:
            return sized._ended(RequestStatus.DENIED, event.at_ms, refusal)  # noqa: SLF001
        return sized._placing(legs, event.new_ids[0], event.at_ms)  # noqa: SLF001

    def _placing(self, legs: Legs, fresh: FreshId, at_ms: EpochMs) -> Decision["Reversal"]:
        """Send the first order, which is often the only one."""
        reduces = bool(legs.closing) and not legs.is_one_order
        quantity = legs.closing if reduces else legs.quantity
        order = self._order(fresh, at_ms, quantity, reduces=reduces)
        sent = replace(self, working=frozenset({order.id}), updated_at_ms=at_ms)
        if reduces and legs.opening:
            sent = replace(sent, stage=Stage.CLOSING, closing_order_id=order.id)
        else:
            sent = replace(sent, stage=Stage.WORKING, order_id=order.id)
        return Decision(sent, children=(order,), entries=(TimelineEntry(EntryName.SIZED, at_ms),))

    def _order(self, fresh: FreshId, at_ms: EpochMs, quantity: Decimal, *, reduces: bool) -> Order:
        side = self.side
        assert side is not None, "its legs are known by now"  # noqa: S101
        leg = None if self.mode is PositionMode.ONEWAY else side.works_on(reduces=reduces)
        due_at_ms = self._due_at(at_ms)
        bounded = not reduces and self.entry_lateness_ms > 0
        return Order(
            id=OrderId(fresh.id),
            client_order_id=fresh.client_order_id,
            parent_id=self.id,
            request_id=self.id,
            **self.beginning(at_ms),
            side=side,
            position_side=leg,
            type=OrderType.MARKET if self.price is None else OrderType.LIMIT,
            quantity=quantity,
            price=self.price,
            reduce_only=reduces,
            reduces=reduces,
            had_turn=True,
            not_after_ms=EpochMs(due_at_ms + self.entry_lateness_ms) if bounded else None,
            due_at_ms=due_at_ms,
        )

    def _due_at(self, at_ms: EpochMs) -> EpochMs:
        """Return when an order is due: one that had to wait for a resting close is due now."""
        waited = self.stage is Stage.WORKING and self.price is not None
        return at_ms if waited else self.due_at_ms

    # News of its orders

    def _order_updated(self, event: OrderUpdated) -> Decision["Reversal"]:
        order = event.order
        if order.id == self.closing_order_id:
            return self._close_updated(order, event)
        if order.id == self.order_id:
            return self._own_order_updated(order, event.at_ms)
        return ignored(self, f"order {order.id} is not its own")

    def _close_updated(self, order: Order, event: OrderUpdated) -> Decision["Reversal"]:
        if order.id not in self.working and order.filled_quantity == self.closed_quantity:
            return ignored(self, f"news of order {order.id} found it {self.status}")
        heard = replace(
            self,
            closed_quantity=order.filled_quantity,
            working=self.working - {order.id} if order.is_closed else self.working,
            updated_at_ms=event.at_ms,
        )
        if not self.is_live:
            return Decision(heard)
        # Before its end is looked at: a close that has filled is just what the opening waits for.
        if heard._may_open(order):  # noqa: SLF001
            return heard._opening(event)  # noqa: SLF001
        if order.is_closed:
            return heard._close_ended(order, event.at_ms)  # noqa: SLF001
        # Once it rests, others take their turns.
        return Decision(replace(heard, stage=Stage.WORKING if order.status in OPEN else self.stage))

    def _may_open(self, close: Order) -> bool:
        """Tell whether the order that opens may be sent: the one that closes is certain."""
        if self.order_id is not None or self.legs is None or self.cancel_requested:
            return False
        # In a hedge account the legs are apart, so the venue's word that it has the close is
        # enough. Else what opens could net against what is not closed yet.
        together = self.legs.is_together and close.status in OPEN
        return together or close.status is OrderStatus.FILLED

    def _opening(self, event: OrderUpdated) -> Decision["Reversal"]:
        assert self.legs is not None, "it has closed what they say"  # noqa: S101
        order = self._order(event.new_ids[0], event.at_ms, self.legs.opening, reduces=False)
        opening = replace(
            self,
            stage=Stage.WORKING,
            order_id=order.id,
            working=self.working | {order.id},
        )
        return Decision(opening, children=(order,))

    def _close_ended(self, order: Order, at_ms: EpochMs) -> Decision["Reversal"]:
        """End, unless what opens still works; if the close has failed that is taken off."""
        failed = order.status is not OrderStatus.FILLED
        reason = order.reason if failed else self.reason
        if not self.working:
            return self._finished(order.status, reason, at_ms)
        withdrawing = self.working if failed else self.withdrawing
        return Decision(replace(self, withdrawing=withdrawing, reason=reason))

    def _own_order_updated(self, order: Order, at_ms: EpochMs) -> Decision["Reversal"]:
        known = (order.filled_quantity, order.fees) == (self.filled_quantity, self.fees)
        if not self.is_live and known:
            return ignored(self, f"news of order {order.id} found it {self.status}")
        heard = replace(
            self,
            order_status=order.status,
            filled_quantity=order.filled_quantity,
            average_price=order.average_price,
            fees=dict(order.fees),
            working=self.working - {order.id} if order.is_closed else self.working,
            updated_at_ms=at_ms,
        )
        if not self.is_live or not order.is_closed:
            return Decision(heard)
        if heard.working:
            return Decision(replace(heard, reason=order.reason))
        return heard._finished(order.status, order.reason, at_ms)  # noqa: SLF001

    def _finished(
        self, status: OrderStatus, reason: Reason | None, at_ms: EpochMs
    ) -> Decision["Reversal"]:
        """End as its orders have ended."""
        if self._has_done_its_part:
            return self._ended(RequestStatus.DONE, at_ms, self.reason)
        state = STATUS_AFTER[status]
        if self.closed_quantity > 0 or self.filled_quantity > 0:
            state = RequestStatus.PARTIAL
        ended = self._ended(state, at_ms, reason)
        if ended.aggregate.status is RequestStatus.PARTIAL and not self.cancel_requested:
            # The position is not what was asked for, and nothing more will come of itself.
            alert = TimelineEntry(EntryName.ALERT, at_ms, reason)
            return replace(ended, entries=(alert, *ended.entries))
        return ended

    @property
    def _has_done_its_part(self) -> bool:
        """Whether its order has filled beyond what a reversal has to close first."""
        legs = self.legs
        passes_zero = legs is not None and legs.is_one_order and self.action.reverses
        return self.filled_quantity > (legs.closing if legs and passes_zero else 0)
