"""A signal: perhaps a delay, then an order sized at that moment, then perhaps its protection.

    SCHEDULED ──due──> EXECUTING ──> DONE, PARTIAL, SKIPPED, DENIED, REJECTED, CANCELED, EXPIRED

While EXECUTING it goes through its stages: QUEUED (waits for its turn in the lane), CLOSING (the
opposite leg is being closed first), WORKING (its order is at the venue), PROTECTED (the entry is
filled; take-profit and stop-loss wait for their prices).
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.bracket import protection_of
from app.domain.commands import Action, LateExits, OnOpposite, SignalRules, Size, SizeKind
from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.enums import Kind, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.events import CancelRequested, Executed, TargetsCanceled, TimerDue
from app.domain.identifiers import AggregateId, EpochMs, FreshId, OrderId
from app.domain.instrument import Instrument
from app.domain.news import OrderUpdated, SmartOrderUpdated
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import STATUS_AFTER, Request, RequestStatus, Stage
from app.domain.sizing import sized
from app.domain.status import OrderStatus

__all__ = ["RequestStatus", "Signal", "SignalEvent", "Stage"]

SignalEvent = (
    TimerDue | Executed | OrderUpdated | SmartOrderUpdated | CancelRequested | TargetsCanceled
)

_EVERYTHING = Size(SizeKind.PERCENT, Decimal(100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Request):
    """One accepted request of the signal kind.

    Attributes:
        targets: of a cancel that is not delayed: what was live when it came.
        price_step: tick of its symbol, known from the execution on.
    """

    action: Action
    rules: SignalRules
    size: Size | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    targets: tuple[AggregateId, ...] | None = None
    price_step: Decimal | None = None

    @property
    def kind(self) -> Kind:
        """What sort of aggregate this is."""
        return Kind.SIGNAL

    @property
    def side(self) -> Side | None:
        """Which way its order trades; None for cancels."""
        return self.action.side

    @property
    def position_side(self) -> PositionSide | None:
        """Which leg it works on; None outside futures."""
        return self.action.position_side

    @property
    def is_entry(self) -> bool:
        """Whether it opens or adds to something."""
        return self.action.is_entry

    @property
    def is_cancel(self) -> bool:
        """Whether it only takes off what others placed."""
        return self.action.is_cancel

    @property
    def is_protecting(self) -> bool:
        """Whether it guards a position that it has opened."""
        return self.is_live and self.stage is Stage.PROTECTED

    @property
    def guarded_leg(self) -> PositionSide | None:
        """The leg of a position that it has opened and guards now, if it does."""
        return self.position_side if self.is_protecting else None

    @property
    def not_after_ms(self) -> EpochMs | None:
        """Business time after which its order is too late; None is never."""
        bounded = self.action.is_entry or self.rules.late_exits is LateExits.DROP
        if not bounded or not self.rules.entry_lateness_ms:
            return None
        return EpochMs(self.due_at_ms + self.rules.entry_lateness_ms)

    def sentence(self) -> str:
        """Return, for instance, `buy 50% BTC/USDT`."""
        words = [self.action.lower().replace("_", " ")]
        if self.size is not None and not self.action.is_cancel:
            words.append(_SIZE_WORDS[self.size.kind].format(self.size.value))
        return " ".join([*words, self.symbol])

    def decide(self, event: SignalEvent) -> Decision["Signal"]:
        """Return what becomes of the signal when `event` happens; nonsense is ignored."""
        match event:
            case TimerDue():
                return self._timer_due(event)
            case Executed():
                return self._executed(event)
            case OrderUpdated():
                return self._order_updated(event)
            case SmartOrderUpdated():
                return self._smart_order_updated(event)
            case CancelRequested():
                return self._cancel_requested(event)
            case TargetsCanceled():
                return self._targets_canceled(event)

    # The turn in the lane

    def _executed(self, event: Executed) -> Decision["Signal"]:
        missed = self._missed(event)
        if missed is not None or event.instrument is None:
            return missed or ignored(self, "it is not traded here")
        price = self._reference_price(self.side, event.quote, event.instrument)
        refusal = self._no_price(price) or self._wrong_side(price)
        if refusal is not None:
            return self._ended(RequestStatus.DENIED, event.at_ms, refusal)
        # Kept for the guards: they are made when the entry has filled, and nobody asks the venue
        # then.
        known = replace(self, price_step=event.instrument.price_step)
        return known._faced_with_opposite(event, event.instrument, price)  # noqa: SLF001

    def _wrong_side(self, price: Decimal) -> Reason | None:
        """Return why a guard is on the wrong side, if one is (Crypto Arsenal spec, 3.3)."""
        if not self.action.is_entry:
            return None
        low, high = self.stop_loss, self.take_profit
        if self.position_side is PositionSide.SHORT:
            low, high = high, low
        if (low is None or low < price) and (high is None or price < high):
            return None
        return Reason(
            ReasonCode.TP_SL_SIDE,
            f"profit {self.take_profit} and loss {self.stop_loss} do not lie around {price:f}",
        )

    def _faced_with_opposite(
        self, event: Executed, instrument: Instrument, price: Decimal
    ) -> Decision["Signal"]:
        leg = self.position_side
        if not self.action.is_entry or leg is None:
            return self._sized(event, instrument, price)
        held = event.account.position(self.symbol, leg.opposite)
        netting = event.account.position_mode is PositionMode.ONEWAY
        size = instrument.quantity(held.size)
        if size <= 0 or self.closing_order_id is not None:
            # Flat, or less than anybody can trade. Or closed already: what is seen is old, or is
            # somebody else's, and a reversal closes once.
            return self._sized(event, instrument, price)
        if self.rules.on_opposite is OnOpposite.REVERSE:
            return self._closing_first(event, leg.opposite, size)
        # A one-way account would net the entry against the opposite leg, and open less than was
        # asked for: without a reversal it is denied there.
        if netting or self.rules.on_opposite is OnOpposite.REJECT:
            reason = Reason(
                ReasonCode.OPPOSITE_POSITION, f"a {leg.opposite} of {held.size:f} is open"
            )
            return self._ended(RequestStatus.DENIED, event.at_ms, reason)
        return self._sized(event, instrument, price)

    def _closing_first(
        self, event: Executed, leg: PositionSide, size: Decimal
    ) -> Decision["Signal"]:
        fresh = event.new_ids[0]
        close = replace(
            self._order(fresh, event.at_ms, size),
            position_side=leg,
            type=OrderType.MARKET,
            price=None,
            leverage=None,
            reduce_only=True,
            reduces=True,
            not_after_ms=None,
        )
        closing = replace(
            self,
            stage=Stage.CLOSING,
            closing_order_id=close.id,
            working=frozenset({close.id}),
            updated_at_ms=event.at_ms,
        )
        return Decision(
            closing, children=(close,), entries=(TimelineEntry(EntryName.SIZED, event.at_ms),)
        )

    def _sized(self, event: Executed, instrument: Instrument, price: Decimal) -> Decision["Signal"]:
        size = self.size or _EVERYTHING
        result = sized(self.action, size, price, event.account, instrument, self.rules)
        refusal = result.refusal
        # Nothing to close is no failure: the alert has what it wanted.
        if refusal is not None and refusal.code is ReasonCode.NO_POSITION:
            return self._ended(RequestStatus.SKIPPED, event.at_ms, refusal)
        limit = None if self.limit_price is None else price
        order = self._order(event.new_ids[0], event.at_ms, result.quantity, limit, refusal)
        if refusal is not None:
            denied = replace(self, order_id=order.id, quantity=result.quantity)
            # The denied order is brought forth all the same: callers look for it by its id, and it
            # says why.
            ended = denied._ended(RequestStatus.DENIED, event.at_ms, refusal)  # noqa: SLF001
            return Decision(ended.aggregate, (order,), ended.entries)
        working = replace(
            self,
            stage=Stage.WORKING,
            order_id=order.id,
            quantity=order.quantity,
            working=frozenset({order.id}),
            updated_at_ms=event.at_ms,
        )
        return Decision(
            working, children=(order,), entries=(TimelineEntry(EntryName.SIZED, event.at_ms),)
        )

    def _order(
        self,
        fresh: FreshId,
        at_ms: EpochMs,
        quantity: Decimal,
        price: Decimal | None = None,
        refusal: Reason | None = None,
    ) -> Order:
        side = self.side
        assert side is not None, "cancels do not stand in lanes"  # noqa: S101
        opens = self.action in {Action.OPEN_LONG, Action.OPEN_SHORT}
        return Order(
            id=OrderId(fresh.id),
            client_order_id=fresh.client_order_id,
            parent_id=self.id,
            request_id=self.id,
            **self.beginning(at_ms),
            side=side,
            position_side=self.position_side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=quantity,
            price=price,
            reduce_only=self.position_side is not None and not opens,
            reduces=not self.action.is_entry,
            had_turn=True,
            leverage=self.rules.leverage if opens else None,
            caller_id=self.caller_id,
            not_after_ms=self.not_after_ms,
            due_at_ms=self.due_at_ms,
            status=OrderStatus.PENDING_NEW if refusal is None else OrderStatus.DENIED,
            reason=refusal,
        )

    # News of the children

    def _order_updated(self, event: OrderUpdated) -> Decision["Signal"]:
        order = event.order
        # After its end a signal still takes in what its own order has filled late, since the
        # amounts are shown; nothing else moves it.
        known = (order.filled_quantity, order.fees) == (self.filled_quantity, self.fees)
        if not self.is_live and (order.id != self.order_id or known):
            return ignored(self, f"news of order {order.id} found it {self.status}")
        if order.id == self.closing_order_id:
            return self._closing_updated(order, event.at_ms)
        if order.id == self.order_id:
            return self._own_order_updated(order, event)
        return self._position_closed(order, event.at_ms)

    def _closing_updated(self, order: Order, at_ms: EpochMs) -> Decision["Signal"]:
        if self.stage is not Stage.CLOSING or not order.is_closed:
            return ignored(self, f"its close is {order.status}")
        closed = replace(
            self,
            working=self.working - {order.id},
            closed_quantity=order.filled_quantity,
            updated_at_ms=at_ms,
        )
        # Back into the lane for the entry: it is sized anew, from what the account has after the
        # close.
        if order.status is OrderStatus.FILLED and not self.cancel_requested:
            return Decision(replace(closed, stage=Stage.QUEUED))
        if order.filled_quantity > 0:
            return closed._ended(RequestStatus.PARTIAL, at_ms, order.reason)  # noqa: SLF001
        return closed._ended(STATUS_AFTER[order.status], at_ms, order.reason)  # noqa: SLF001

    def _own_order_updated(self, order: Order, event: OrderUpdated) -> Decision["Signal"]:
        heard = replace(
            self,
            filled_quantity=order.filled_quantity,
            average_price=order.average_price,
            fees=dict(order.fees),
            updated_at_ms=event.at_ms,
        )
        if self.stage is not Stage.WORKING or not order.is_closed:
            return Decision(heard)
        idle = replace(heard, working=self.working - {order.id})
        if order.filled_quantity > 0:
            return idle._filled(order, event)  # noqa: SLF001
        return idle._ended(STATUS_AFTER[order.status], event.at_ms, order.reason)  # noqa: SLF001

    def _filled(self, order: Order, event: OrderUpdated) -> Decision["Signal"]:
        """Protect what was opened, completely or in part; a close needs no protection."""
        flat = order.position_after is not None and order.position_after == 0
        # Whether the position is there at all is told by what the order left behind: an entry may
        # have met an opposite leg, and then there is nothing to guard.
        levels = (self.take_profit, self.stop_loss)
        if not self.action.is_entry or flat or levels == (None, None) or self.price_step is None:
            return self._ended(RequestStatus.DONE, event.at_ms, self.reason)
        children = protection_of(
            order, levels, event.new_ids, event.at_ms, (self.venue, self.price_step)
        )
        protected = replace(
            self,
            status=RequestStatus.EXECUTING,  # also where the fill has overtaken the cancel
            stage=Stage.PROTECTED,
            cancel_requested=False,
            withdrawing=frozenset(),
            working=frozenset(child.id for child in children),
            updated_at_ms=event.at_ms,
        )
        return Decision(
            protected, children=children, entries=(TimelineEntry(EntryName.PROTECTED, event.at_ms),)
        )

    def _smart_order_updated(self, event: SmartOrderUpdated) -> Decision["Signal"]:
        child = event.smart_order
        if child.id not in self.working or self.stage is not Stage.PROTECTED:
            return ignored(self, f"smart order {child.id} is not its own, or ended before")
        working = self.working if child.is_live else self.working - {child.id}
        heard = replace(self, working=working, updated_at_ms=event.at_ms)
        if not working:
            return heard._ended(RequestStatus.DONE, event.at_ms, heard.reason)  # noqa: SLF001
        # One of the two guards has closed the position. The other must go before it opens a new
        # one.
        if child.is_filled and not heard.withdrawing:
            reason = Reason(ReasonCode.SIBLING_FILLED, f"smart order {child.id} has filled")
            return Decision(replace(heard, withdrawing=working, reason=reason))
        return Decision(heard)

    def _position_closed(self, order: Order, at_ms: EpochMs) -> Decision["Signal"]:
        """Take off the protection of a position that somebody else has closed."""
        flat = order.position_after is not None and order.position_after == 0
        if not self.is_protecting or not flat or self.withdrawing == self.working:
            return ignored(self, f"order {order.id} is not its own")
        reason = Reason(ReasonCode.POSITION_CLOSED, f"order {order.id} closed the position")
        return Decision(replace(self, withdrawing=self.working, reason=reason, updated_at_ms=at_ms))

    # Cancels

    def _targets_canceled(self, event: TargetsCanceled) -> Decision["Signal"]:
        if not self.action.is_cancel or self.status is not RequestStatus.EXECUTING:
            return ignored(self, f"it is {self.status} {self.action}")
        if event.count == 0 and self.action is Action.CANCEL:
            reason = Reason(
                ReasonCode.NOTHING_TO_CANCEL, f"nothing live has the id {self.caller_id}"
            )
            return self._ended(RequestStatus.SKIPPED, event.at_ms, reason)
        return self._ended(RequestStatus.DONE, event.at_ms, None)


_SIZE_WORDS = {
    SizeKind.FIXED: "{:f}",
    SizeKind.NOTIONAL: "for {:f}",
    SizeKind.PERCENT: "{:f}%",
}
