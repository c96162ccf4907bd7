"""A reversal: close, then open, sized from the net position when its turn comes.

The coins of a spot account are its position; they are bought and sold, and never turned around.

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
from app.domain.decision import Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.enums import Kind, Market, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.events import Executed, OrderUpdated
from app.domain.exits import Filled, heard
from app.domain.identifiers import EpochMs, FreshId, OrderId
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.netting import Legs, closable, legs_of
from app.domain.request.request import (
    COMMON_RULES,
    STATUS_AFTER,
    Request,
    RequestStatus,
    Stage,
    closed_so_far,
    ended,
    going_on,
    heard_of,
    market_from,
    resumed,
    turn_of,
)
from app.domain.status import OPEN, OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(Request):
    """One accepted request about a net position.

    Attributes:
        wanted: quantity as asked for; 0 closes everything.
        entry_lateness_ms: later than this after its due time it opens nothing; 0 is never too late.
        alert_price: what a market order says that the price is.
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
    alert_price: Decimal | None = None
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
        """Whether it may open or add to something, as far as that is known."""
        sells_coins = self.market is Market.SPOT and self.action.side is not Side.BUY
        return self.action is not NetAction.CLOSE and not sells_coins and not self.only_closes

    @property
    def only_closes(self) -> bool:
        """Whether its turn has found that it opens nothing."""
        return self.legs is not None and self.legs.only_closes

    @property
    def opens(self) -> PositionSide | None:
        """The leg that it opens or adds to, if what is held leaves it anything; None of coins."""
        side = self.action.side if self.is_entry and self.market is not Market.SPOT else None
        return None if side is None else side.opens

    @property
    def closes_first(self) -> PositionSide | None:
        """The leg that an entry closes, where the account holds it, before it opens anything."""
        side = self.action.side if self.market is not Market.SPOT else None
        return None if side is None else side.opens.opposite

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


# The turn in the lane


def _executed(reversal: Reversal, event: Executed) -> Decision[Reversal]:
    instrument = turn_of(reversal, event)
    if isinstance(instrument, Decision):
        return instrument
    reversal = resumed(reversal)
    if reversal.legs is not None:
        return _closing_again(reversal, reversal.legs, event, instrument)
    # From here on the quantities stand: what is closed and what is opened belong together.
    legs = legs_of(
        reversal.action, reversal.wanted, reversal.on_same_side, event.account, instrument
    )
    if isinstance(legs, Reason):
        return ended(reversal, RequestStatus.SKIPPED, event.at_ms, legs)
    price = reversal.reference_price(legs.side, event.quote, instrument)
    has_legs = reversal.market is not Market.SPOT
    sized = replace(
        reversal,
        legs=legs,
        mode=event.account.position_mode if has_legs else PositionMode.ONEWAY,
        price=None if reversal.limit_price is None else price,
        # Callers are shown what opens; a close that opens nothing is shown by what it closes.
        quantity=legs.quantity if legs.is_one_order else legs.opening or legs.closing,
    )
    refusal = reversal.no_price(price) or legs.refusal(instrument, price, reversal.wanted)
    if refusal is None and reversal.action.reverses and not legs.opening:
        # It is meant to turn the position around: what it opens is less than a lot.
        refusal = instrument.refusal(legs.opening, price, reversal.wanted)
    if refusal is not None:
        return ended(sized, RequestStatus.DENIED, event.at_ms, refusal)
    reduces = bool(legs.closing) and not legs.is_one_order
    quantity = legs.closing if reduces else legs.quantity
    return _placing(sized, instrument.one_order(quantity), event, reduces=reduces)


def _closing_again(
    reversal: Reversal, legs: Legs, event: Executed, instrument: Instrument
) -> Decision[Reversal]:
    """Close what is left of what was to be closed, as far as it is there; then what opens may."""
    held = closable(legs.side, event.account, instrument)
    left = instrument.quantity(min(legs.closing - _closed(reversal), held))
    if left >= instrument.quantity_step:
        too_little = _unsold(reversal, left, event, instrument)
        if too_little is not None:
            return ended(reversal, RequestStatus.DONE, event.at_ms, too_little)
        return _placing(reversal, instrument.one_order(left), event, reduces=True)
    if legs.opening and not reversal.cancel_requested:
        # What is not there any more, others have closed.
        all_closed = replace(legs, closing=_closed(reversal))
        return _opening(replace(reversal, legs=all_closed), event)
    if _closed(reversal):
        return ended(reversal, RequestStatus.DONE, event.at_ms, None)
    reason = Reason(ReasonCode.NO_POSITION, f"no position in {reversal.symbol} is left to close")
    return ended(reversal, RequestStatus.SKIPPED, event.at_ms, reason)


def _unsold(
    reversal: Reversal, left: Decimal, event: Executed, instrument: Instrument
) -> Reason | None:
    """Return why what is left of coins that were sold stays: it is less than anybody can trade."""
    price = reversal.reference_price(reversal.side, event.quote, instrument)
    if reversal.market is not Market.SPOT or not _closed(reversal) or price <= 0:
        return None
    refusal = instrument.refusal(left, price)
    is_too_little = refusal is not None and refusal.code is ReasonCode.BELOW_MINIMUM
    return refusal if is_too_little else None


def _closed(reversal: Reversal) -> Decimal:
    """Return what is closed so far: of one that opens nothing it is what its orders filled."""
    return reversal.closed_quantity + (reversal.filled_quantity if reversal.only_closes else 0)


def _placing(
    reversal: Reversal, quantity: Decimal, event: Executed, *, reduces: bool
) -> Decision[Reversal]:
    """Send an order of its turn, which is often the only one."""
    legs, at_ms = reversal.legs, event.at_ms
    assert legs is not None, "they are known from its turn on"  # noqa: S101
    fresh = event.new_ids[0]
    order = _order(reversal, fresh, at_ms, quantity, reduces=reduces)
    sent = replace(
        reversal,
        working=frozenset({order.id}),
        market_from_ms=market_from(reversal, order),
        updated_at_ms=at_ms,
    )
    if reduces and legs.opening:
        sent = replace(sent, stage=Stage.CLOSING, closing_order_id=order.id)
    else:
        stage = Stage.CLOSING if reduces and order.price is None else Stage.WORKING
        sent = replace(sent, stage=stage, order_id=order.id)
    return Decision(sent, (order,), (TimelineEntry(EntryName.SIZED, at_ms),))


def _order(
    reversal: Reversal, fresh: FreshId, at_ms: EpochMs, quantity: Decimal, *, reduces: bool
) -> Order:
    side = reversal.side
    assert side is not None, "its legs are known by now"  # noqa: S101
    leg = None if reversal.mode is PositionMode.ONEWAY else side.works_on(reduces=reduces)
    price = None if reduces and reversal.at_market else reversal.price
    due_at_ms = _due_at(reversal, at_ms)
    bounded = not reduces and reversal.entry_lateness_ms > 0
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        parent_id=reversal.id,
        request_id=reversal.id,
        **reversal.beginning(at_ms),
        side=side,
        position_side=leg,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        alert_price=None if reduces or price is not None else reversal.alert_price,
        reduce_only=reduces and reversal.market is not Market.SPOT,
        reduces=reduces,
        had_turn=True,
        not_after_ms=EpochMs(due_at_ms + reversal.entry_lateness_ms) if bounded else None,
        due_at_ms=due_at_ms,
    )


def _due_at(reversal: Reversal, at_ms: EpochMs) -> EpochMs:
    """Return when an order is due: one that had to wait for a resting close is due now."""
    rested = reversal.stage is Stage.WORKING and reversal.price is not None
    waited = rested or reversal.at_market
    return at_ms if waited else reversal.due_at_ms


# News of its orders


def _order_updated(reversal: Reversal, event: OrderUpdated) -> Decision[Reversal]:
    order = event.order
    if order.parent_id != reversal.id:
        return ignored(reversal, f"order {order.id} is not its own")
    # Also of one that has ended: what seemed to have filled nothing may have filled after all.
    if order.id in reversal.closed_by or (order.reduces and not reversal.only_closes):
        return _close_updated(reversal, order, event)
    return _own_order_updated(reversal, order, event.at_ms)


def _close_updated(reversal: Reversal, order: Order, event: OrderUpdated) -> Decision[Reversal]:
    told = closed_so_far(reversal, order, event.at_ms)
    if order.id not in reversal.working:
        if told.closed_quantity == reversal.closed_quantity:
            return ignored(reversal, f"news of order {order.id} found it {reversal.status}")
        return Decision(told)
    if not reversal.is_live:
        return Decision(told)
    # Before its end is looked at: a close that has filled is just what the opening waits for.
    if _may_open(told, order):
        return _opening(told, event)
    if order.is_closed:
        return _close_ended(told, order, event.at_ms)
    # Once it rests, others take their turns; one at the market does not rest.
    rests = order.status in OPEN and order.price is not None
    return Decision(replace(told, stage=Stage.WORKING if rests else reversal.stage))


def _may_open(reversal: Reversal, close: Order) -> bool:
    """Tell whether the order that opens may be sent: the one that closes is certain."""
    if reversal.order_id is not None or reversal.legs is None or reversal.cancel_requested:
        return False
    # In a hedge account the legs are apart, so the venue's word that it has a close which rests is
    # enough. Else what opens could net against what is not closed yet.
    # A close that is larger than one order may be has further orders to come, and so may one at the
    # market, or that falls back to it.
    is_only_one = close.quantity >= reversal.legs.closing and close.price is not None
    rests = close.status in OPEN and is_only_one and reversal.market_from_ms is None
    together = reversal.legs.is_together and rests
    return together or reversal.closed_quantity >= reversal.legs.closing


def _opening(reversal: Reversal, event: OrderUpdated | Executed) -> Decision[Reversal]:
    assert reversal.legs is not None, "it has closed what they say"  # noqa: S101
    order = _order(reversal, event.new_ids[0], event.at_ms, reversal.legs.opening, reduces=False)
    opening = replace(
        reversal,
        stage=Stage.WORKING,
        order_id=order.id,
        working=reversal.working | {order.id},
        gives_up_at_ms=None,
        market_from_ms=None,
        reason=None,
    )
    return Decision(opening, children=(order,))


def _close_ended(reversal: Reversal, order: Order, at_ms: EpochMs) -> Decision[Reversal]:
    """End, unless what opens still works; if the close has failed that is taken off."""
    if reversal.order_id is None:  # nothing was opened
        again = going_on(reversal, order, at_ms)
        if again is not None:
            return again
    failed = order.status is not OrderStatus.FILLED
    reason = order.reason if failed else reversal.reason
    if not reversal.working:
        return _finished(reversal, order.status, reason, at_ms)
    withdrawing = reversal.working if failed else reversal.withdrawing
    return Decision(replace(reversal, withdrawing=withdrawing, reason=reason))


def _own_order_updated(reversal: Reversal, order: Order, at_ms: EpochMs) -> Decision[Reversal]:
    known = heard(reversal.filled_by, order) == reversal.filled_by
    if not reversal.is_live and known:
        return ignored(reversal, f"news of order {order.id} found it {reversal.status}")
    told = heard_of(reversal, order, at_ms)
    if order.id == reversal.order_id:
        told = replace(told, order_status=order.status)
    if not reversal.is_live or not order.is_closed or order.id not in reversal.working:
        return Decision(told)
    if told.working:
        return Decision(replace(told, reason=order.reason))
    again = _going_on_closing(told, order, at_ms)
    return again or _finished(told, order.status, order.reason, at_ms)


def _going_on_closing(
    reversal: Reversal, order: Order, at_ms: EpochMs
) -> Decision[Reversal] | None:
    """Return what becomes of one that has not closed all it had to, and opened nothing."""
    legs = reversal.legs
    if legs is None or legs.closing <= max(_closed(reversal), reversal.filled_quantity):
        return None
    if legs.only_closes:
        return going_on(reversal, order, at_ms)
    reason = order.reason
    # What closes may go where what opens may not.
    may_close = reason is not None and (reason.is_by_rules or reason.is_by_limits)
    if not (legs.is_one_order and (order.filled_quantity or may_close)):
        return None
    # From here on what closes goes first, by itself, and what opens comes after it.
    apart = replace(
        reversal,
        legs=replace(legs, is_one_order=False, is_together=False),
        order_id=None,
        order_status=None,
        closed_by=reversal.filled_by or {order.id: Filled()},
        closed_quantity=reversal.filled_quantity,
        filled_by={},
        filled_quantity=Decimal(0),
        average_price=None,
        fees={},
        quantity=legs.opening,
    )
    return going_on(apart, order, at_ms)


def _finished(
    reversal: Reversal, status: OrderStatus, reason: Reason | None, at_ms: EpochMs
) -> Decision[Reversal]:
    """End as its orders have ended."""
    if _has_done_its_part(reversal):
        # Why a close went on is no news once all is closed.
        known = None if reversal.only_closes else reversal.reason
        return ended(reversal, RequestStatus.DONE, at_ms, known)
    end = ended(reversal, STATUS_AFTER[status], at_ms, reason)
    is_partial = end.aggregate.status is RequestStatus.PARTIAL
    if is_partial and not (reversal.cancel_requested or reversal.goes_on):
        # The position is not what was asked for, and nothing more will come of itself.
        alert = TimelineEntry(EntryName.ALERT, at_ms, reason)
        return replace(end, entries=(alert, *end.entries))
    return end


def _has_done_its_part(reversal: Reversal) -> bool:
    """Whether it has closed all that it had to, and opened something if it was to."""
    legs = reversal.legs
    if legs is None:
        return False
    if legs.is_one_order:
        return reversal.filled_quantity > (legs.closing if reversal.action.reverses else 0)
    opened = legs.only_closes or reversal.filled_quantity > 0
    return opened and _closed(reversal) >= legs.closing


RULES: Rules = {
    **COMMON_RULES,
    Executed: _executed,
    OrderUpdated: _order_updated,
}
