"""What all requests have in common that take their turn in a lane: identity, state, how they end.

SCHEDULED ──due──> EXECUTING ──> DONE, PARTIAL, SKIPPED, DENIED, REJECTED, CANCELED, EXPIRED
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from app.domain.decision import Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.entity import Entity
from app.domain.enums import Listing, PositionSide, ReasonCode, Side
from app.domain.events import (
    CancelRequested,
    Executed,
    PairGone,
    PlacementDenied,
    TimerDue,
    TurnDenied,
)
from app.domain.exits import (
    USUAL,
    ExitRules,
    FilledBy,
    growing_pause_ms,
    heard,
    is_failing,
    may_go_on,
    misses_after,
    pause_ms,
    total,
)
from app.domain.identifiers import (
    AggregateId,
    Currency,
    EpochMs,
    OrderId,
    VenueName,
)
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus


class RequestStatus(StrEnum):
    """Where a request stands (docs/design.md)."""

    SCHEDULED = "SCHEDULED"
    EXECUTING = "EXECUTING"
    DONE = "DONE"
    PARTIAL = "PARTIAL"
    SKIPPED = "SKIPPED"
    DENIED = "DENIED"
    REJECTED = "REJECTED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


_LIVE = frozenset({RequestStatus.SCHEDULED, RequestStatus.EXECUTING})


class Stage(StrEnum):
    """What an executing request waits for.

    CLOSING is an exit at the market, alone or before what opens: it keeps its place in the lane, so
    that whoever comes after it finds the position closed, or it has given up.
    """

    QUEUED = "QUEUED"
    CLOSING = "CLOSING"
    WORKING = "WORKING"
    PROTECTED = "PROTECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Entity):
    """One accepted request that is sized when its turn in the lane comes.

    Attributes:
        due_at_ms: business time of execution: receipt plus delay.
        exits: how it goes on where it closes something.
        limit_price: as the caller gave it; None is a market order.
        note: the caller's text.
        order_id: its entry, sale or close.
        closing_order_id: the order that first closes the opposite leg.
        to_close: what was there to close first.
        closed_by, closed_quantity: what that order has filled, and those before it.
        working: children that still may do something.
        withdrawing: children that are asked to go.
        quantity: of its order; of an exit that takes several, of all of them.
        filled_by: what each of its orders has filled, but for those that close first.
        filled_quantity, average_price, fees: of all of them, as last heard.
        misses: orders in a row of an exit that have filled nothing.
        next_turn_ms: server time before which an exit that goes on takes no turn.
        gives_up_at_ms: business time at which it goes on no more; None unless it does.
        market_from_ms: business time at which an exit at a limit falls back to the market; 0 when
            it has, None if it never does.
    """

    venue: VenueName
    due_at_ms: EpochMs
    exits: ExitRules = USUAL
    limit_price: Decimal | None = None
    caller_id: str | None = None
    note: str | None = None
    status: RequestStatus = field(default=RequestStatus.EXECUTING, metadata={"stored": "state"})
    stage: Stage = Stage.QUEUED
    reason: Reason | None = None
    cancel_requested: bool = False
    order_id: OrderId | None = None
    closing_order_id: OrderId | None = None
    to_close: Decimal = Decimal(0)
    closed_by: FilledBy = field(default_factory=dict)
    closed_quantity: Decimal = Decimal(0)
    working: frozenset[AggregateId] = frozenset()
    withdrawing: frozenset[AggregateId] = frozenset()
    quantity: Decimal | None = None
    filled_by: FilledBy = field(default_factory=dict)
    misses: int = 0
    next_turn_ms: EpochMs = AT_ONCE
    gives_up_at_ms: EpochMs | None = None
    market_from_ms: EpochMs | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)

    @property
    def is_entry(self) -> bool:
        """Whether it opens or adds to something."""
        raise NotImplementedError

    @property
    def position_side(self) -> PositionSide | None:
        """Which leg it works on, as far as that is known; None outside futures."""
        return None

    @property
    def opens(self) -> PositionSide | None:
        """The leg that an entry opens or adds to; None outside futures, and of exits."""
        return self.position_side if self.is_entry else None

    @property
    def closes_first(self) -> PositionSide | None:
        """The leg that an entry closes, where the account holds it, before it opens anything."""
        return None

    @property
    def awaits_first_turn(self) -> bool:
        """Whether it stands in its lane and has no children yet, of whom there could be news."""
        has_begun = self.order_id or self.closing_order_id or self.working
        return self.is_queued and self.stage is Stage.QUEUED and not has_begun

    @property
    def is_cancel(self) -> bool:
        """Whether it only takes off what others placed."""
        return False

    @property
    def is_live(self) -> bool:
        """Whether it, or a child of it, still may do something."""
        return self.status in _LIVE

    @property
    def to_cancel(self) -> frozenset[AggregateId]:
        """What a cancel of it takes off."""
        return self.working

    @property
    def is_queued(self) -> bool:
        """Whether it stands in its lane."""
        return (
            self.status is RequestStatus.EXECUTING
            and self.stage in {Stage.QUEUED, Stage.CLOSING}
            and not self.is_cancel
        )

    @property
    def is_ready(self) -> bool:
        """Whether it waits for nothing but its turn, or is not that far yet."""
        return self.stage is Stage.QUEUED

    @property
    def goes_on(self) -> bool:
        """Whether an exit of it was sent and has not closed all that it was to close."""
        return self.gives_up_at_ms is not None

    @property
    def at_market(self) -> bool:
        """Whether the limit of its exit did not fill in time, so that the rest goes at market."""
        return self.market_from_ms == AT_ONCE

    @property
    def limit(self) -> Decimal | None:
        """The limit of an order that it sends now; None is a market order."""
        return None if self.at_market else self.limit_price

    @property
    def exit_fails(self) -> bool:
        """Whether its orders have closed nothing several times in a row, and it goes on."""
        return self.is_live and self.goes_on and is_failing(self.misses, self.reason)

    @property
    def holds_caller_id(self) -> bool:
        """Whether its caller id may not be used again yet: its order is not closed."""
        return self.is_live and self.stage is not Stage.PROTECTED and not self.is_cancel

    @property
    def guarded_leg(self) -> PositionSide | None:
        """The leg of a position that it has opened and guards now, if it does."""
        return None

    @property
    def not_after_ms(self) -> EpochMs | None:
        """Business time after which its order is too late; None is never."""
        raise NotImplementedError

    @property
    def turn_until_ms(self) -> EpochMs | None:
        """Business time after which its turn is too late; None is never.

        What it closes goes on for as long as it has patience, however late it is to open anything.
        """
        last_ms = self.not_after_ms
        if last_ms is None or self.gives_up_at_ms is None:
            return last_ms
        return EpochMs(last_ms + max(self.gives_up_at_ms - self.due_at_ms, 0))

    def owed(self) -> tuple[Effect, ...]:
        """Return the timer it waits for, its turn in the lane, or the children it wants gone."""
        if self.status is RequestStatus.SCHEDULED:
            return (self.effect(EffectKind.TIMER, self.due_at_ms, urgent=not self.is_entry),)
        if self.status is not RequestStatus.EXECUTING:
            return ()
        owed = []
        # While a close is on its way the request keeps its place in the lane, and owes nothing: the
        # news of that order brings it forward.
        if self.is_cancel or self.stage is Stage.QUEUED:
            urgent = not self.is_entry
            owed.append(self.effect(EffectKind.ADVANCE, self.next_turn_ms, urgent=urgent))
        if self.market_from_ms:
            owed.append(self.effect(EffectKind.TIMER, self.market_from_ms, urgent=True))
        # Owed until the last of them has ended, not until they were asked: asking may have failed.
        if self.withdrawing & self.working:
            owed.append(self.effect(EffectKind.WITHDRAW, urgent=True))
        return tuple(owed)

    def reference_price(
        self, side: Side | None, quote: Quote | None, instrument: Instrument
    ) -> Decimal:
        """Return the limit on its tick, as it will be sent, else the touch; 0 if there is none."""
        if side is None:
            return Decimal(0)
        if self.limit is not None:
            # On its tick, as it will be sent: size and checks must be about the order that the
            # venue sees.
            return instrument.price(self.limit, side)
        return Decimal(0) if quote is None else quote.touch(side)

    def no_price(self, price: Decimal) -> Reason | None:
        """Return why there can be no order at the reference price, if it is none."""
        if price > 0:
            return None
        if self.limit is None:
            return Reason(ReasonCode.NO_PRICE, f"no price of {self.symbol} is known")
        return Reason(
            ReasonCode.BELOW_MINIMUM, f"limit was {self.limit_price:f}, less than one price step"
        )


Some = TypeVar("Some", bound=Request)

#: How a request ends that has not got what it was for, by how its last order has.
STATUS_AFTER: Mapping[OrderStatus, RequestStatus] = {
    OrderStatus.CANCELED: RequestStatus.CANCELED,
    OrderStatus.EXPIRED: RequestStatus.EXPIRED,
    OrderStatus.REJECTED: RequestStatus.REJECTED,
    OrderStatus.DENIED: RequestStatus.DENIED,
    OrderStatus.FILLED: RequestStatus.PARTIAL,
}

#: Ends of an exit that was sent, and has not closed what it was to close.
_GIVEN_UP = frozenset(STATUS_AFTER.values())

#: Between two looks whether a halted market trades again: after so long at first, then the longer
#: the longer it has lasted, up to the second.
_HALT_LOOK_MS, _HALT_LOOK_MAX_MS = 5_000, 60_000

#: Ends that the timeline names; the others say enough by `closed`.
_TOLD = frozenset(RequestStatus) - _LIVE - {RequestStatus.DONE, RequestStatus.PARTIAL}


# What becomes of any request


def _timer_due(request: Some, event: TimerDue) -> Decision[Some]:
    """Let it begin when its time has come; or let its exit fall back to the market."""
    if request.status is RequestStatus.EXECUTING and request.market_from_ms:
        return _limit_over(request, request.market_from_ms, event.at_ms)
    if request.status is not RequestStatus.SCHEDULED:
        return ignored(request, f"its timer found it {request.status}")
    # The due time is the truth. A message may come early: the clock may have been set back
    # since.
    if event.at_ms < request.due_at_ms:
        return ignored(request, f"its timer came {request.due_at_ms - event.at_ms} ms early")
    due = replace(request, status=RequestStatus.EXECUTING, updated_at_ms=event.at_ms)
    return Decision(due, entries=(TimelineEntry(EntryName.DUE, event.at_ms),))


def _limit_over(request: Some, market_from_ms: EpochMs, at_ms: EpochMs) -> Decision[Some]:
    """Take off the limit that has not filled; when it is gone, the rest goes at the market."""
    if at_ms < market_from_ms:
        return ignored(request, f"its timer came {market_from_ms - at_ms} ms early")
    reason = request.exits.not_filled()
    back = replace(
        request,
        market_from_ms=AT_ONCE,
        # No more than the exit is at work then: what opens waits for its end.
        withdrawing=request.working,
        reason=reason,
        updated_at_ms=at_ms,
    )
    return Decision(back, entries=(TimelineEntry(EntryName.CANCEL_REQUESTED, at_ms, reason),))


def _denied(request: Some, event: PlacementDenied) -> Decision[Some]:
    """End one that was not begun: an entry whose time came when none may begin."""
    if request.status is not RequestStatus.SCHEDULED:
        return ignored(request, f"a denial found it {request.status}")
    return ended(request, RequestStatus.DENIED, event.at_ms, event.reason)


def _turn_denied(request: Some, event: TurnDenied) -> Decision[Some]:
    if not request.is_queued or request.stage is not Stage.QUEUED:
        return ignored(request, f"a denial of its turn found it {request.status} {request.stage}")
    return ended(request, RequestStatus.DENIED, event.at_ms, event.reason)


def turn_of(request: Some, event: Executed) -> Instrument | Decision[Some]:
    """Return what is traded in its turn; or its end, where that is too late or not traded."""
    if not request.is_queued or request.stage is not Stage.QUEUED:
        return ignored(request, f"its turn found it {request.status} {request.stage}")
    # Late before unknown: who comes too late is told so, whatever else is wrong with the
    # request.
    if request.turn_until_ms is not None and event.at_ms > request.turn_until_ms:
        late = event.at_ms - request.due_at_ms
        reason = Reason(ReasonCode.TOO_LATE, f"it was {late} ms late")
        return ended(request, RequestStatus.EXPIRED, event.at_ms, reason)
    if event.instrument is None and _may_trade_again(request, event.listing):
        return _halted(request, event.at_ms)
    if event.instrument is None:
        reason = Reason(ReasonCode.UNKNOWN_INSTRUMENT, f"{request.symbol} is not traded here")
        return turned_away(request, reason, event.at_ms)
    return event.instrument.at_market() if request.limit is None else event.instrument


def _may_trade_again(request: Request, listing: Listing) -> bool:
    """Tell whether a market that is closed just now may open again: some do not list such ones.

    What opens a position is not kept for a market that is not even listed.
    """
    return listing is Listing.HALTED or (listing is Listing.ABSENT and not request.is_entry)


def _halted(request: Some, at_ms: EpochMs) -> Decision[Some]:
    """Have another turn later, and say why; an entry expires meanwhile as any other."""
    lasted = 0 if request.is_entry else max(at_ms - request.due_at_ms, 0)  # it is soon too late
    pause = min(max(_HALT_LOOK_MS, lasted), _HALT_LOOK_MAX_MS)
    reason = Reason(ReasonCode.MARKET_HALTED, f"{request.symbol} is not traded just now")
    waits = replace(
        request, next_turn_ms=EpochMs(at_ms + pause), reason=reason, updated_at_ms=at_ms
    )
    is_news = not is_halted(request)
    entries = (TimelineEntry(EntryName.DEFERRED, at_ms, reason),) if is_news else ()
    return Decision(waits, entries=entries)


def is_halted(request: Request) -> bool:
    """Tell whether it waits for its market to be traded again."""
    return request.reason is not None and request.reason.code is ReasonCode.MARKET_HALTED


def resumed(request: Some) -> Some:
    """Return it as it is in its turn, no longer waiting for its market."""
    return replace(request, reason=None) if is_halted(request) else request


def _pair_gone(request: Some, event: PairGone) -> Decision[Some]:
    """End what waits for its time or its turn; what is at the venue ends as that says."""
    is_waiting = request.is_live and not request.is_cancel and request.stage is Stage.QUEUED
    if not is_waiting or request.working:
        return ignored(request, f"the end of its pair found it {request.status} {request.stage}")
    decision = ended(request, RequestStatus.CANCELED, event.at_ms, event.reason)
    if request.is_entry or request.goes_on:
        return decision
    # What it was to close is there still, as far as anybody knows.
    alert = TimelineEntry(EntryName.ALERT, event.at_ms, event.reason)
    return replace(decision, entries=(alert, *decision.entries))


def heard_of(request: Some, order: Order, at_ms: EpochMs) -> Some:
    """Return the request as it is when an order of it is as told."""
    known = heard(request.filled_by, order)
    filled = total(known, request.market)
    return replace(
        request,
        filled_by=known,
        filled_quantity=filled.quantity,
        average_price=filled.average_price,
        fees=dict(filled.fees),
        working=request.working - {order.id} if order.is_closed else request.working,
        updated_at_ms=at_ms,
    )


def closed_so_far(request: Some, order: Order, at_ms: EpochMs) -> Some:
    """Return the request as it is when an order that closes first is as told."""
    known = heard(request.closed_by, order)
    return replace(
        request,
        closed_by=known,
        closed_quantity=total(known, request.market).quantity,
        working=request.working - {order.id} if order.is_closed else request.working,
        updated_at_ms=at_ms,
    )


def market_from(request: Request, order: Order) -> EpochMs | None:
    """Return when a request that sends this order falls back to the market; see `Request`."""
    is_limit_exit = order.reduces and order.price is not None
    if request.market_from_ms is not None or not (is_limit_exit and request.exits.limit_ms):
        return request.market_from_ms
    return EpochMs(order.created_at_ms + request.exits.limit_ms)


def going_on(request: Some, order: Order, at_ms: EpochMs) -> Decision[Some] | None:
    """Put an exit back into its lane for another order; None if it ends with this one.

    It ends when somebody wants that, or when it did not get through for as long as it has patience
    since an order of it has filled whole, or has fallen back to the market.
    """
    falls_back = request.at_market and order.price is not None
    if request.cancel_requested or not (falls_back or may_go_on(order)):
        return None
    told = replace(request, working=request.working - {order.id})
    if falls_back:
        return _once_more(told, 0, 0, request.exits.not_filled(), at_ms)
    misses = misses_after(request.misses, order)
    return _once_more(told, misses, pause_ms(misses, order), order.reason, at_ms)


def turned_away(request: Some, reason: Reason, at_ms: EpochMs) -> Decision[Some]:
    """End one of which its turn makes no order; an exit that goes on has another turn later."""
    again = None
    if request.goes_on:
        misses = request.misses + 1
        again = _once_more(request, misses, growing_pause_ms(misses), reason, at_ms)
    return again or ended(request, RequestStatus.DENIED, at_ms, reason)


def _once_more(
    request: Some, misses: int, pause: int, reason: Reason | None, at_ms: EpochMs
) -> Decision[Some] | None:
    """Have another turn after a pause in milliseconds; None if it has no patience left."""
    gives_up_at_ms = EpochMs(at_ms + request.exits.patience_ms)
    if request.gives_up_at_ms is not None and pause:
        gives_up_at_ms = request.gives_up_at_ms
        pause = min(pause, gives_up_at_ms - at_ms)  # the last try is at the end of that time
        if pause <= 0 or misses >= request.exits.misses_max:
            return None
    waits = replace(
        request,
        stage=Stage.QUEUED,
        misses=misses,
        next_turn_ms=EpochMs(at_ms + pause) if pause else AT_ONCE,
        gives_up_at_ms=gives_up_at_ms,
        reason=reason,
        updated_at_ms=at_ms,
    )
    return Decision(waits, entries=(TimelineEntry(EntryName.DEFERRED, at_ms, reason),))


def _cancel_requested(request: Some, event: CancelRequested) -> Decision[Some]:
    """End it at once, or as soon as its children have ended."""
    if not request.is_live or request.cancel_requested:
        return ignored(request, f"a cancel found it {request.status}")
    # Nothing at work: it ends at once. Otherwise it ends with the last of its children, and as
    # that one did, since an order may fill before its cancel arrives.
    if not request.working:
        wanted = replace(request, gives_up_at_ms=None)  # so nobody is called for that
        return ended(wanted, RequestStatus.CANCELED, event.at_ms, event.reason)
    going = replace(
        request,
        cancel_requested=True,
        withdrawing=request.withdrawing | request.to_cancel,
        market_from_ms=None,
        reason=event.reason,
        updated_at_ms=event.at_ms,
    )
    entry = TimelineEntry(EntryName.CANCEL_REQUESTED, event.at_ms, event.reason)
    return Decision(going, entries=(entry,))


def ended(
    request: Some, status: RequestStatus, at_ms: EpochMs, reason: Reason | None
) -> Decision[Some]:
    """Return its end."""
    if (request.closed_quantity or request.filled_quantity) and status is not RequestStatus.DONE:
        status = RequestStatus.PARTIAL  # something is closed, not all; or nothing was opened then
    after = replace(request, status=status, reason=reason, updated_at_ms=at_ms)
    entries = []
    if request.goes_on and status in _GIVEN_UP and not request.cancel_requested:
        # It has given up: the position is still there, and nothing more will come of itself.
        entries.append(TimelineEntry(EntryName.ALERT, at_ms, reason))
    if status in _TOLD:
        entries.append(TimelineEntry(EntryName(status.value.lower()), at_ms, reason))
    entries.append(TimelineEntry(EntryName.CLOSED, at_ms))
    return Decision(after, entries=tuple(entries))


#: Of every request; each kind has more.
COMMON_RULES: Rules = {
    TimerDue: _timer_due,
    PlacementDenied: _denied,
    TurnDenied: _turn_denied,
    PairGone: _pair_gone,
    CancelRequested: _cancel_requested,
}
