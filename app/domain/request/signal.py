"""A signal: perhaps a delay, then an order sized at that moment, then perhaps its protection.

    SCHEDULED ──due──> EXECUTING ──> DONE, PARTIAL, SKIPPED, DENIED, REJECTED, CANCELED, EXPIRED

While EXECUTING it goes through its stages: QUEUED (waits for its turn in the lane), CLOSING (the
opposite leg is being closed first), WORKING (its order is at the venue, and from its first fill on
perhaps a stop), PROTECTED (the entry is filled; take-profit and stop-loss wait for their prices).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import ClassVar

from app.domain.bracket import IDS_AT_VENUE, Bracket
from app.domain.commands import Action, LateExits, OnOpposite, SignalRules, Size, SizeKind
from app.domain.decision import Child, Decision, EntryName, Rules, TimelineEntry, ignored
from app.domain.effects import AT_ONCE
from app.domain.enums import Kind, OrderType, PositionMode, PositionSide, ReasonCode, Side
from app.domain.events import (
    Executed,
    OrderUpdated,
    PositionSeen,
    SmartOrderUpdated,
    TargetsCanceled,
)
from app.domain.exits import heard, promised
from app.domain.identifiers import AggregateId, EpochMs, FreshId, OrderId
from app.domain.instrument import Instrument
from app.domain.order import Order
from app.domain.reason import Reason
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
    turned_away,
)
from app.domain.sizing import sized
from app.domain.smart_order import SmartOrder
from app.domain.status import OrderStatus

__all__ = ["RequestStatus", "Signal", "Stage"]

_EVERYTHING = Size(SizeKind.PERCENT, Decimal(100))

_SIZE_WORDS = {
    SizeKind.FIXED: "{:f}",
    SizeKind.NOTIONAL: "for {:f}",
    SizeKind.PERCENT: "{:f}%",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Request):
    """One accepted request of the signal kind.

    Attributes:
        targets: of a cancel that is not delayed: what was live when it came.
        price_step: tick of its symbol, known from the execution on.
        pairs: guards that belong together, where its entry has filled more after it was guarded.
        at_venue: guards that the venue holds → for how much.
        profits: those of them that are take-profits.
        leaving: those of them that are asked to go when what takes their place rests there.
        sold: what its entry has opened and others close: each guard that the venue was to hold and
            whose price came → how much it has closed, or closes still. Under the id of the entry's
            order what was closed by whomever while that worked.
        grown_at_ms: business time at which its entry was last heard to have filled more.
        seen_size: of its position, where the venue holds a stop for another one.
        gone_since_ms: server time at which the position that it guards was first found gone, and
            not there since.
    """

    kind: ClassVar[Kind] = Kind.SIGNAL
    action: Action
    rules: SignalRules
    size: Size | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    targets: tuple[AggregateId, ...] | None = None
    price_step: Decimal | None = None
    pairs: tuple[frozenset[AggregateId], ...] = ()
    at_venue: Mapping[AggregateId, Decimal] = field(default_factory=dict)
    profits: frozenset[AggregateId] = frozenset()
    leaving: frozenset[AggregateId] = frozenset()
    sold: Mapping[AggregateId, Decimal] = field(default_factory=dict)
    grown_at_ms: EpochMs | None = None
    seen_size: Decimal | None = None
    gone_since_ms: EpochMs | None = None

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
    def closes_first(self) -> PositionSide | None:
        """The leg that an entry closes, where the account holds it, before it opens anything."""
        reverses = self.is_entry and self.rules.on_opposite is OnOpposite.REVERSE
        leg = self.position_side if reverses else None
        return None if leg is None else leg.opposite

    @property
    def is_cancel(self) -> bool:
        """Whether it only takes off what others placed."""
        return self.action.is_cancel

    @property
    def is_protecting(self) -> bool:
        """Whether it guards a position that it has opened, or what it has opened of it so far."""
        is_early = self.stage is Stage.WORKING and bool(self.guards)
        return self.is_live and (self.stage is Stage.PROTECTED or is_early)

    @property
    def guards(self) -> frozenset[AggregateId]:
        """What guards its position; while its entry works only what the venue was to hold."""
        return self.working - {self.order_id} if self.stage is Stage.WORKING else self.working

    @property
    def to_cancel(self) -> frozenset[AggregateId]:
        """What a cancel takes off: not what guards the part of its entry that has filled."""
        return self.working - self.guards if self.stage is Stage.WORKING else self.working

    @property
    def is_let_go(self) -> bool:
        """Whether all that guards its position is asked to go."""
        return self.guards <= self.withdrawing

    @property
    def guarded_leg(self) -> PositionSide | None:
        """The leg of a position that it has opened and guards now, if it does."""
        return self.position_side if self.is_protecting else None

    @property
    def held_at_venue(self) -> Mapping[AggregateId, Decimal]:
        """The guards that the venue is to hold from now on → for how much."""
        wanted = self.working - self.withdrawing - self.leaving
        return {one: size for one, size in self.at_venue.items() if one in wanted}

    def beside(self, guard: AggregateId) -> frozenset[AggregateId]:
        """Return what else guards, or has guarded, what one of our guards is for."""
        pairs = [one for one in self.pairs if guard in one]
        return frozenset[AggregateId]().union(*pairs) - {guard}

    @property
    def is_only_here(self) -> bool:
        """Whether nothing is left of the stops that its venue was to hold."""
        stops = self.at_venue.keys() - self.profits
        return self.is_protecting and bool(stops) and not stops & self.working

    def fitting(self, size: Decimal) -> Decimal:
        """Return how much of a position of this size is what its entry has opened."""
        return min(size, self.left)

    @property
    def left(self) -> Decimal:
        """What its entry has filled without what is known to be closed of that."""
        return max(self.filled_quantity - sum(self.sold.values()), Decimal(0))

    def misfits(self, size: Decimal) -> frozenset[AggregateId]:
        """Return the guards that the venue holds for more or less than there is, none if for none.

        Not every venue makes a stop smaller that finds less than it was for: Binance refuses it, in
        accounts that hold both legs ("New Algo Order", -2022).

        Args:
            size: of the position, as it was seen.
        """
        held, fitting = self.held_at_venue, self.fitting(size)
        kinds = (held.keys() - self.profits, held.keys() & self.profits)
        others = [kind for kind in kinds if sum(held[one] for one in kind) != fitting]
        return frozenset[AggregateId]().union(*others) if fitting else frozenset()

    def alike(self, *, are_stops: bool) -> frozenset[AggregateId]:
        """Return the guards of one kind that the venue holds: stops, or take-profits."""
        return frozenset(self.at_venue.keys() - self.profits) if are_stops else self.profits

    @property
    def not_after_ms(self) -> EpochMs | None:
        """Business time after which its order is too late; None is never."""
        bounded = self.action.is_entry or self.rules.late_exits is LateExits.DROP
        if self.goes_on and not self.action.is_entry:
            return None  # it was in time
        if not bounded or not self.rules.entry_lateness_ms:
            return None
        return EpochMs(self.due_at_ms + self.rules.entry_lateness_ms)

    def sentence(self) -> str:
        """Return, for instance, `buy 50% BTC/USDT`."""
        words = [self.action.lower().replace("_", " ")]
        if self.size is not None and not self.action.is_cancel:
            words.append(_SIZE_WORDS[self.size.kind].format(self.size.value))
        return " ".join([*words, self.symbol])


# The turn in the lane


def _executed(signal: Signal, event: Executed) -> Decision[Signal]:
    instrument = turn_of(signal, event)
    if isinstance(instrument, Decision):
        return instrument
    signal = resumed(signal)
    price = signal.reference_price(signal.side, event.quote, instrument)
    unknown = signal.no_price(price)
    if unknown is not None:
        return turned_away(signal, unknown, event.at_ms)
    refusal = _wrong_side(signal, price)
    if refusal is not None:
        return ended(signal, RequestStatus.DENIED, event.at_ms, refusal)
    # Kept for the guards: they are made when the entry has filled, and nobody asks the venue
    # then.
    known = replace(signal, price_step=instrument.price_step)
    return _faced_with_opposite(known, event, instrument, price)


def _wrong_side(signal: Signal, price: Decimal) -> Reason | None:
    """Return why a guard is on the wrong side, if one is (Crypto Arsenal spec, 3.3)."""
    if not signal.action.is_entry:
        return None
    low, high = signal.stop_loss, signal.take_profit
    if signal.position_side is PositionSide.SHORT:
        low, high = high, low
    if (low is None or low < price) and (high is None or price < high):
        return None
    return Reason(
        ReasonCode.TP_SL_SIDE,
        f"profit {signal.take_profit} and loss {signal.stop_loss} do not lie around {price:f}",
    )


def _faced_with_opposite(
    signal: Signal, event: Executed, instrument: Instrument, price: Decimal
) -> Decision[Signal]:
    leg = signal.position_side
    # Closed already: what is seen is old, or is somebody else's, and a reversal closes once.
    if not signal.action.is_entry or leg is None or signal.closing_order_id is not None:
        return _sized(signal, event, instrument, price)
    held = event.account.position(signal.symbol, leg.opposite)
    netting = event.account.position_mode is PositionMode.ONEWAY
    size = instrument.quantity(held.size)
    if size <= 0:  # flat, or less than anybody can trade
        return _sized(signal, event, instrument, price)
    if signal.rules.on_opposite is OnOpposite.REVERSE:
        return _closing_first(
            signal, event, leg.opposite, size, instrument.at_market().one_order(size)
        )
    # A one-way account would net the entry against the opposite leg, and open less than was
    # asked for: without a reversal it is denied there.
    if netting or signal.rules.on_opposite is OnOpposite.REJECT:
        reason = Reason(ReasonCode.OPPOSITE_POSITION, f"a {leg.opposite} of {held.size:f} is open")
        return ended(signal, RequestStatus.DENIED, event.at_ms, reason)
    return _sized(signal, event, instrument, price)


def _closing_first(
    signal: Signal, event: Executed, leg: PositionSide, size: Decimal, first: Decimal
) -> Decision[Signal]:
    fresh = event.new_ids[0]
    close = replace(
        _order(signal, fresh, event.at_ms, first),
        position_side=leg,
        type=OrderType.MARKET,
        price=None,
        leverage=None,
        reduce_only=True,
        reduces=True,
        not_after_ms=None,
    )
    closing = replace(
        signal,
        stage=Stage.CLOSING,
        closing_order_id=close.id,
        to_close=signal.closed_quantity + size,
        working=frozenset({close.id}),
        updated_at_ms=event.at_ms,
    )
    return Decision(closing, (close,), (TimelineEntry(EntryName.SIZED, event.at_ms),))


def _sized(
    signal: Signal, event: Executed, instrument: Instrument, price: Decimal
) -> Decision[Signal]:
    size = signal.size or _EVERYTHING
    exits_on = signal.goes_on and not signal.action.is_entry
    if exits_on and signal.quantity is not None:
        size = Size(SizeKind.FIXED, signal.quantity - signal.filled_quantity)
    result = sized(signal.action, size, price, event.account, instrument, signal.rules)
    refusal = result.refusal
    if exits_on and refusal is not None:
        held = event.account.held(signal.symbol, signal.position_side)
        # Perhaps to its own limit, where a venue shows late that it is gone.
        if held.available < instrument.quantity(min(size.value, held.size)):
            return turned_away(signal, promised(held), event.at_ms)
    if refusal is not None and signal.filled_quantity:
        # What is left is nothing, or less than anybody can trade: it has closed.
        return ended(signal, RequestStatus.DONE, event.at_ms, refusal)
    # Nothing to close is no failure: the alert has what it wanted.
    if refusal is not None and refusal.code is ReasonCode.NO_POSITION:
        return ended(signal, RequestStatus.SKIPPED, event.at_ms, refusal)
    limit = None if signal.limit is None else price
    order = _order(signal, event.new_ids[0], event.at_ms, result.quantity, limit, refusal)
    if refusal is not None:
        denied = replace(signal, order_id=order.id, quantity=result.quantity)
        # The denied order is brought forth all the same: callers look for it by its id, and it
        # says why.
        return replace(ended(denied, RequestStatus.DENIED, event.at_ms, refusal), children=(order,))
    is_limit_or_entry = limit is not None or signal.action.is_entry
    working = replace(
        signal,
        stage=Stage.WORKING if is_limit_or_entry else Stage.CLOSING,
        order_id=order.id,
        quantity=signal.quantity if exits_on else result.whole or order.quantity,
        gives_up_at_ms=signal.gives_up_at_ms if exits_on else None,
        market_from_ms=market_from(signal, order),
        working=frozenset({order.id}),
        updated_at_ms=event.at_ms,
    )
    return Decision(working, (order,), (TimelineEntry(EntryName.SIZED, event.at_ms),))


def _order(
    signal: Signal,
    fresh: FreshId,
    at_ms: EpochMs,
    quantity: Decimal,
    price: Decimal | None = None,
    refusal: Reason | None = None,
) -> Order:
    side = signal.side
    assert side is not None, "cancels do not stand in lanes"  # noqa: S101
    opens = signal.action in {Action.OPEN_LONG, Action.OPEN_SHORT}
    return Order(
        id=OrderId(fresh.id),
        client_order_id=fresh.client_order_id,
        parent_id=signal.id,
        request_id=signal.id,
        **signal.beginning(at_ms),
        side=side,
        position_side=signal.position_side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        reduce_only=signal.position_side is not None and not opens,
        reduces=not signal.action.is_entry,
        had_turn=True,
        leverage=signal.rules.leverage if opens else None,
        caller_id=signal.caller_id,
        not_after_ms=signal.not_after_ms,
        due_at_ms=signal.due_at_ms,
        status=OrderStatus.PENDING_NEW if refusal is None else OrderStatus.DENIED,
        reason=refusal,
    )


# News of the children


def _order_updated(signal: Signal, event: OrderUpdated) -> Decision[Signal]:
    order = event.order
    # After its end a signal still takes in what its own order has filled late, since the
    # amounts are shown; nothing else moves it.
    known = heard(signal.filled_by, order) == signal.filled_by
    own = order.id in {signal.order_id, *signal.filled_by}
    # All orders of an exit are its own: one that ended with nothing filled may have filled yet.
    own = own or (order.parent_id == signal.id and not signal.is_entry)
    if not signal.is_live and (not own or known):
        return ignored(signal, f"news of order {order.id} found it {signal.status}")
    if order.id == signal.closing_order_id:
        return _closing_updated(signal, order, event.at_ms)
    if own:
        return _own_order_updated(signal, order, event)
    return _position_closed(signal, order, event.at_ms)


def _closing_updated(signal: Signal, order: Order, at_ms: EpochMs) -> Decision[Signal]:
    if signal.stage is not Stage.CLOSING or not order.is_closed:
        return ignored(signal, f"its close is {order.status}")
    closed = closed_so_far(signal, order, at_ms)
    # Back into the lane for the entry: it is sized anew, from what the account has after the
    # close.
    is_closed = order.status is OrderStatus.FILLED and closed.closed_quantity >= signal.to_close
    if is_closed and not signal.cancel_requested:
        return Decision(
            replace(
                closed, stage=Stage.QUEUED, gives_up_at_ms=None, next_turn_ms=AT_ONCE, reason=None
            )
        )
    # Or for another close: the next turn closes what is there then, or finds nothing and opens.
    again = going_on(replace(closed, closing_order_id=None), order, at_ms)
    return again or ended(closed, STATUS_AFTER[order.status], at_ms, order.reason)


def _own_order_updated(signal: Signal, order: Order, event: OrderUpdated) -> Decision[Signal]:
    heard = heard_of(signal, order, event.at_ms)
    late = heard.filled_quantity - signal.filled_quantity
    if late > 0:  # what was seen gone was so before
        heard = replace(heard, grown_at_ms=event.at_ms, gone_since_ms=None)
    if signal.stage is Stage.PROTECTED and late > 0 and not signal.cancel_requested:
        return _guarded(heard, event, late)
    if order.is_closed and not signal.action.is_entry:
        is_news = order.id in signal.working
        return _exit_ended(heard, order, event.at_ms, is_news=is_news)
    if signal.stage is not Stage.WORKING:
        return Decision(heard)
    if not order.is_closed:
        return _filling(heard, event.new_ids, event.at_ms) if late > 0 else Decision(heard)
    if order.filled_quantity > 0:
        return _filled(heard, event)
    return ended(heard, STATUS_AFTER[order.status], event.at_ms, order.reason)


def _exit_ended(signal: Signal, order: Order, at_ms: EpochMs, *, is_news: bool) -> Decision[Signal]:
    """Go on, or end by whether all was closed that was to be closed."""
    if signal.filled_quantity >= (signal.quantity or order.quantity):
        return _whole(signal, at_ms)
    if not is_news:
        return Decision(signal)
    again = going_on(signal, order, at_ms)
    return again or ended(signal, STATUS_AFTER[order.status], at_ms, order.reason)


def _whole(signal: Signal, at_ms: EpochMs) -> Decision[Signal]:
    """End an exit that has closed all; if that was told late, its newest order must go first."""
    if signal.status is RequestStatus.DONE:
        return Decision(signal)
    if signal.working:
        return Decision(replace(signal, withdrawing=signal.working))
    return ended(signal, RequestStatus.DONE, at_ms, None)


def _filling(signal: Signal, new_ids: Sequence[FreshId], at_ms: EpochMs) -> Decision[Signal]:
    """Have the venue hold a stop for what has filled so far, while the entry still works.

    It grows as any stop does that is for less than there is; see `_refitted`. Ours, and a
    take-profit, are made when the entry has ended: by then a price beyond them has filled it whole.
    """
    is_wanted = signal.action.is_entry and signal.limit is not None  # at the market it soon ends
    has_had_one = bool(signal.at_venue or signal.sold.keys() - {signal.order_id})
    if has_had_one or not (is_wanted and signal.left) or signal.price_step is None:
        return Decision(signal)
    bracket, levels = _bracket(signal, signal.price_step), (None, signal.stop_loss)
    children = bracket.of_venue(levels, signal.left, new_ids, at_ms)
    if not children:
        return Decision(signal)
    early = replace(_with_guards(signal, children, signal.left), updated_at_ms=at_ms)
    return Decision(early, children, (TimelineEntry(EntryName.PROTECTED, at_ms),))


def _filled(signal: Signal, event: OrderUpdated) -> Decision[Signal]:
    """Protect what was opened, completely or in part."""
    # Whether the position is there at all is not asked here: a venue may show it late, and what
    # turns out to guard nothing ends soon; see `PositionSeen`.
    if (signal.take_profit, signal.stop_loss) == (None, None) or signal.price_step is None:
        return ended(signal, RequestStatus.DONE, event.at_ms, signal.reason)
    # Also where the fill has overtaken the cancel.
    early = signal.guards
    wanted = replace(
        signal, cancel_requested=False, withdrawing=signal.withdrawing & early, working=early
    )
    if signal.left:
        return _guarded(wanted, event, signal.left)
    # Stops of the venue have closed all that has filled, or are about to.
    over = replace(wanted, stage=Stage.PROTECTED, withdrawing=early & signal.at_venue.keys())
    return Decision(over) if early else ended(over, RequestStatus.DONE, event.at_ms, signal.reason)


def _guarded(signal: Signal, event: OrderUpdated, quantity: Decimal) -> Decision[Signal]:
    """Guard so much of what the entry has filled; what was told after that has guards of its own.

    A guard that has fired cannot grow, and all of the position may be sold by then. Stops that rest
    for a part of it since before go when the venue holds those for all of it.
    """
    assert signal.price_step is not None, "it is known from its turn on"  # noqa: S101
    levels = signal.take_profit, signal.stop_loss
    early = signal.guards & signal.at_venue.keys() if signal.stage is Stage.WORKING else frozenset()
    fits = bool(early) and sum(signal.held_at_venue.values()) == quantity
    bracket, at_ms = _bracket(signal, signal.price_step), event.at_ms
    at_venue = (signal.take_profit, None if fits else signal.stop_loss)
    children = (
        *bracket.ours(levels, quantity, event.new_ids, at_ms),
        *bracket.of_venue(at_venue, quantity, event.new_ids[2:], at_ms),
    )
    protected = replace(
        _with_guards(signal, children, quantity, early),
        status=RequestStatus.EXECUTING,
        stage=Stage.PROTECTED,
        leaving=signal.leaving if fits else signal.leaving | (early - signal.withdrawing),
        updated_at_ms=event.at_ms,
    )
    return Decision(protected, children, (TimelineEntry(EntryName.PROTECTED, event.at_ms),))


def _with_guards(
    signal: Signal,
    children: tuple[Child, ...],
    quantity: Decimal,
    early: frozenset[AggregateId] = frozenset(),
) -> Signal:
    """Take in guards for so much, in one pair with those that rest since before."""
    guards = [child for child in children if isinstance(child, SmartOrder)]
    pair = frozenset(guard.id for guard in guards)
    held = [guard for guard in guards if guard.at_venue]
    return replace(
        signal,
        pairs=(*(one for one in signal.pairs if not one & early), pair | early),
        at_venue={**signal.at_venue, **{guard.id: quantity for guard in held}},
        profits=signal.profits | {guard.id for guard in held if not guard.is_stop_loss},
        working=signal.working | pair,
    )


def _bracket(signal: Signal, price_step: Decimal) -> Bracket:
    assert signal.side is not None, "cancels have no position"  # noqa: S101
    return Bracket(
        owner=signal,
        side=signal.side.opposite,
        position_side=signal.position_side,
        venue=signal.venue,
        price_step=price_step,
        exits=signal.exits,
    )


def _smart_order_updated(signal: Signal, event: SmartOrderUpdated) -> Decision[Signal]:
    child = event.smart_order
    if child.id not in signal.guards or not signal.is_protecting:
        return ignored(signal, f"smart order {child.id} is not its own, or ended before")
    heard = replace(_venue_heard(signal, child), updated_at_ms=event.at_ms)
    if signal.stage is Stage.WORKING:
        return _early_heard(signal, heard, event)
    return _guard_heard(signal, heard, child, event.at_ms)


def _guard_heard(
    signal: Signal, heard: Signal, child: SmartOrder, at_ms: EpochMs
) -> Decision[Signal]:
    gone = _found_gone(child)
    if not heard.working:
        return ended(heard, RequestStatus.DONE, at_ms, heard.reason or gone)
    # One that was asked to go says nothing of the position, which may be another since.
    is_old = child.id in signal.withdrawing and not (child.at_venue and child.is_filled)
    if heard.is_let_go or child.is_live or is_old:
        return Decision(heard)
    # One of two guards has closed what both are for, or has found the position closed. The other
    # must go before it opens a new one.
    pair, reason = _goes_with(child, signal) & heard.working, child.reason
    is_done = child.is_filled or _was_done_beside(child)
    if is_done and _closes_all_of(child, signal):
        reason = Reason(ReasonCode.SIBLING_FILLED, f"smart order {child.id} has filled")
    elif gone is not None:
        pair, reason = heard.working, gone
    elif not (child.at_venue or is_done):  # somebody wanted it gone: the others of its kind, too
        pair &= heard.alike(are_stops=child.is_stop_loss)
    else:
        pair = frozenset()
    if not pair:
        return Decision(heard)
    return Decision(replace(heard, withdrawing=heard.withdrawing | pair, reason=reason))


def _early_heard(before: Signal, heard: Signal, event: SmartOrderUpdated) -> Decision[Signal]:
    """Take off the entry that still works when a stop closes what it has opened already."""
    if heard.sold == before.sold:
        # What has filled since the one before was asked to go has none yet.
        is_bare = not heard.guards and len(event.new_ids) >= IDS_AT_VENUE
        return _filling(heard, event.new_ids, event.at_ms) if is_bare else Decision(heard)
    entry = heard.working - heard.guards
    return Decision(replace(heard, withdrawing=heard.withdrawing | entry))


def _venue_heard(signal: Signal, child: SmartOrder) -> Signal:
    """Take in how a child is, and what that means for those that the venue holds."""
    # One that has fired goes on until all is closed that it was for.
    is_going = child.is_live and not child.is_pending
    closes = child.quantity if is_going else child.filled_quantity
    if child.id in signal.sold or (closes and child.id in signal.at_venue):
        signal = replace(signal, sold={**signal.sold, child.id: closes or Decimal(0)})
    if not child.is_live:
        return _without(signal, child)
    if not child.is_pending:
        # Its price has come, and what it has not filled yet goes on: nothing takes its place.
        return _held_no_more(signal, child.id)
    # One that has fallen back waits here for all that it is for.
    if (child.rests or child.is_waiting) and child.id in signal.held_at_venue:
        going = signal.leaving & signal.alike(are_stops=child.is_stop_loss)
        withdrawing = signal.withdrawing | going
        return replace(signal, withdrawing=withdrawing, leaving=signal.leaving - going)
    return signal


def _held_no_more(signal: Signal, guard: AggregateId) -> Signal:
    at_venue = {one: size for one, size in signal.at_venue.items() if one != guard}
    return replace(
        signal,
        at_venue=at_venue,
        profits=signal.profits - {guard},
        leaving=signal.leaving - {guard},
    )


def _without(signal: Signal, child: SmartOrder) -> Signal:
    """Forget a child that has ended; of those at the venue all of it, if it was to go."""
    after = replace(signal, working=signal.working - {child.id})
    if child.filled_quantity:  # what it has sold is to be known of whoever sells beside it
        after = replace(after, leaving=after.leaving - {child.id})
    elif child.at_venue and child.id in {*signal.withdrawing, *signal.leaving}:
        after = replace(
            _held_no_more(after, child.id),
            pairs=tuple(pair - {child.id} for pair in signal.pairs),
            withdrawing=signal.withdrawing - {child.id},
        )
    # What was to take the place of others has come to nothing: they are what is held.
    kind = after.alike(are_stops=child.is_stop_loss)
    is_held = bool(kind & after.held_at_venue.keys())
    return after if is_held else replace(after, leaving=after.leaving - kind)


def _was_done_beside(child: SmartOrder) -> bool:
    """Tell whether a guard has found that others had closed what it was for."""
    return child.reason is not None and child.reason.code is ReasonCode.SIBLING_FILLED


def _closes_all_of(child: SmartOrder, before: Signal) -> bool:
    """Tell whether what a guard was for is all that its pair is for by now.

    A stop of the venue that is being replaced may be for less: what there is has grown since.
    """
    if child.id not in before.at_venue:
        return True
    pair = _pair_of(child.id, before) - before.leaving - before.withdrawing
    sizes = [size for one, size in before.at_venue.items() if one in pair]
    return child.filled_quantity >= max(sizes, default=Decimal(0))


def _pair_of(guard: AggregateId, signal: Signal) -> frozenset[AggregateId]:
    """Return the guards that a guard belongs to; records of earlier releases name none."""
    found = [one for one in signal.pairs if guard in one]
    return found[0].union(*found[1:]) if found else signal.working.difference(*signal.pairs)


def _goes_with(child: SmartOrder, signal: Signal) -> frozenset[AggregateId]:
    """Return what is to go when a guard has ended: not a stop that other pairs need, too."""
    ours = signal.working - signal.at_venue.keys()
    others = [one for one in signal.pairs if child.id not in one and one & ours]
    return (_pair_of(child.id, signal) & signal.working).difference(*others)


def _found_gone(child: SmartOrder) -> Reason | None:
    """Return the reason of a guard that has ended if that was the end of its position.

    That of a stop for the venue is not: a new position may not be shown there yet.
    """
    reason = child.reason
    if reason is None or child.is_live or child.at_venue:
        return None
    if reason.code in {ReasonCode.NO_POSITION, ReasonCode.POSITION_CLOSED}:
        return Reason(ReasonCode.POSITION_CLOSED, reason.message)
    return None


def _position_seen(signal: Signal, event: PositionSeen) -> Decision[Signal]:
    """Let the guards go of a position that was twice not there, by looks that are apart."""
    if not signal.is_protecting or signal.is_let_go:
        return ignored(signal, "it guards nothing any more")
    since_ms = signal.gone_since_ms
    if event.size:
        there = replace(signal, gone_since_ms=None, updated_at_ms=event.at_ms)
        if since_ms is not None:
            return Decision(there)
        return _refitted(signal, event) or ignored(signal, "the position is there")
    if since_ms is None or event.begun_ms < since_ms:  # the clock was set back, or it came late
        since_ms = event.begun_ms
    if event.begun_ms - since_ms >= event.shown_late_ms:
        what = f"the {signal.guarded_leg} of {signal.symbol} is gone"
        return _let_go(signal, Reason(ReasonCode.POSITION_CLOSED, what), event.at_ms)
    if since_ms == signal.gone_since_ms:
        return ignored(signal, f"the position was gone at {since_ms} already")
    return Decision(replace(signal, gone_since_ms=since_ms, updated_at_ms=event.at_ms))


def _refitted(signal: Signal, event: PositionSeen) -> Decision[Signal] | None:
    """Let the venue hold a stop for what there is now; when it rests, those of before go.

    While one that was to take the place of others never was heard to rest, they stay, and it goes.
    Two looks must agree: a position may be shown late, or ours may be closing it just now.
    """
    before, quantity = signal.misfits(event.size), signal.fitting(event.size)
    if not before or signal.price_step is None or not event.new_ids:
        return None
    if signal.seen_size != event.size:
        return Decision(replace(signal, seen_size=event.size, updated_at_ms=event.at_ms))
    profit = signal.take_profit if before & signal.profits else None
    loss = signal.stop_loss if before - signal.profits else None
    bracket = _bracket(signal, signal.price_step)
    children = bracket.of_venue((profit, loss), quantity, event.new_ids, event.at_ms)
    guards = [child for child in children if isinstance(child, SmartOrder)]
    held = frozenset(guard.id for guard in guards)
    reason = Reason(ReasonCode.REPLACED, f"{event.size:f} is there")
    stay = signal.leaving & signal.working
    kinds = [signal.alike(are_stops=one) for one in (True, False)]
    again = frozenset[AggregateId]().union(*(before & kind for kind in kinds if stay & kind))
    refitted = replace(
        signal,
        pairs=tuple(pair | held for pair in signal.pairs),
        at_venue={**signal.at_venue, **dict.fromkeys(held, quantity)},
        profits=signal.profits | {guard.id for guard in guards if not guard.is_stop_loss},
        working=signal.working | held,
        leaving=stay | (before - again),
        withdrawing=signal.withdrawing | again,
        seen_size=None,
        reason=reason,
        updated_at_ms=event.at_ms,
    )
    return Decision(refitted, children, (TimelineEntry(EntryName.PROTECTED, event.at_ms, reason),))


def _position_closed(signal: Signal, order: Order, at_ms: EpochMs) -> Decision[Signal]:
    """Take off the protection of a position that somebody else has closed."""
    flat = order.position_after is not None and order.position_after == 0
    if not signal.is_protecting or not flat or signal.is_let_go:
        return ignored(signal, f"order {order.id} is not its own")
    if signal.grown_at_ms is not None and order.updated_at_ms < signal.grown_at_ms:
        # That is told late. If the position is gone all the same, looks at it find out.
        return ignored(signal, f"its entry has filled more since order {order.id}")
    reason = Reason(ReasonCode.POSITION_CLOSED, f"order {order.id} closed the position")
    return _let_go(signal, reason, at_ms)


def _let_go(signal: Signal, reason: Reason, at_ms: EpochMs) -> Decision[Signal]:
    sold = signal.sold
    if signal.stage is Stage.WORKING and signal.order_id is not None:
        before = sold.get(signal.order_id, Decimal(0))
        sold = {**sold, signal.order_id: before + signal.left}
    going = signal.withdrawing | signal.guards
    let_go = replace(signal, sold=sold, withdrawing=going, reason=reason, updated_at_ms=at_ms)
    return Decision(let_go)


# Cancels


def _targets_canceled(signal: Signal, event: TargetsCanceled) -> Decision[Signal]:
    if not signal.action.is_cancel or signal.status is not RequestStatus.EXECUTING:
        return ignored(signal, f"it is {signal.status} {signal.action}")
    if event.count == 0 and signal.action is Action.CANCEL:
        reason = Reason(ReasonCode.NOTHING_TO_CANCEL, "nothing live has that id")
        return ended(signal, RequestStatus.SKIPPED, event.at_ms, reason)
    return ended(signal, RequestStatus.DONE, event.at_ms, None)


RULES: Rules = {
    **COMMON_RULES,
    Executed: _executed,
    OrderUpdated: _order_updated,
    PositionSeen: _position_seen,
    SmartOrderUpdated: _smart_order_updated,
    TargetsCanceled: _targets_canceled,
}
