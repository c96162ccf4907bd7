"""One order at one venue account, and everything that may happen to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.enums import (
    Dialect,
    Kind,
    Market,
    OrderType,
    PositionSide,
    ReasonCode,
    Side,
    TimeInForce,
)
from app.domain.events import (
    CancelDeferred,
    CancelRequested,
    ClaimRenewed,
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
from app.domain.identifiers import (
    AccountId,
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    OrderId,
    Symbol,
    VenueOrderId,
    quote_of,
)
from app.domain.moments import has_come
from app.domain.reason import Reason
from app.domain.report import Fill, OrderReport, fees_of, is_all_told, merged
from app.domain.status import CLOSED, IN_FLIGHT, OPEN, OrderStatus, may_move
from app.domain.succession import Succession

if TYPE_CHECKING:
    from app.domain.aggregate import Aggregate

#: Sends that certainly did not arrive before the order is given up as a dead letter.
ATTEMPTS_MAX = 5

#: Questions about fills that the venue has not listed; the pause doubles with each.
LOOKS_MAX = 8

OrderEvent = (
    TurnTaken
    | PlacementClaimed
    | ClaimRenewed
    | PlacementDenied
    | PlacementDeferred
    | OrderReported
    | FillsAwaited
    | OutcomeLost
    | OutcomeStated
    | LookUpClaimed
    | StillUnknown
    | ProvenAbsent
    | CancelRequested
    | CancelDeferred
    | OrderUpdated
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One instruction to buy or sell.

    Attributes:
        origin: what a "cancel many" of its dialect reaches, for instance one connector.
        request_id: the aggregate that the request became from which this order comes.
        reduces: a spot sale, a reduce-only order or a close: it may still run when entries may not.
        awaits_turn: it is not sent before it has had its turn in the lane.
        had_turn: it has had it, or comes from one that has.
        succeeds: the order whose end it waits for, to take its place; None if it waits for none.
        replaced_by: the order that waits for the end of this one.
        quantity: in base currency; 0 where `amount` tells the size.
        amount: what a market buy may spend, in quote currency; None where `quantity` counts.
        price: the limit, in quote currency; None for a market order.
        leverage: to be set on the account's symbol first; None leaves it alone.
        not_after_ms: business time after which an entry is too late; None never is.
        due_at_ms: business time at which it should be sent.
        tick_at_ms: business time of the prices that fired the trigger which it comes from; None if
            it comes from none, or not at once.
        next_action_at_ms: server time before which nothing is tried again, nor asked again.
        lease_until_ms: server time at which a placement that gave no answer counts as lost.
        token: fencing token of the newest placement; rises with each.
        attempts: placements begun.
        absent_since_ms: see `StillUnknown`.
        awaits_fills: the venue has not listed all fills behind `filled_quantity`, or not their
            fees, and is asked again.
        looks: how often it was looked at for that, since the filled quantity rose last; the first
            look asks nothing, and gives the venue a moment.
    """

    id: OrderId
    dialect: Dialect
    origin: str
    account: AccountId
    symbol: Symbol
    market: Market
    side: Side
    type: OrderType
    quantity: Decimal
    client_order_id: ClientOrderId
    created_at_ms: EpochMs
    updated_at_ms: EpochMs
    parent_id: AggregateId | None = None
    request_id: AggregateId | None = None
    position_side: PositionSide | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    reduces: bool = False
    awaits_turn: bool = False
    had_turn: bool = False
    succeeds: Succession | None = None
    replaced_by: OrderId | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    leverage: int | None = None
    caller_id: str | None = None
    not_after_ms: EpochMs | None = None
    due_at_ms: EpochMs = AT_ONCE
    tick_at_ms: EpochMs | None = None
    status: OrderStatus = OrderStatus.PENDING_NEW
    reason: Reason | None = None
    cancel_requested: bool = False
    needs_person: bool = False
    attempts: int = 0
    token: int = 0
    lease_until_ms: EpochMs = AT_ONCE
    next_action_at_ms: EpochMs = AT_ONCE
    unknown_since_ms: EpochMs | None = None
    absent_since_ms: EpochMs | None = None
    venue_order_id: VenueOrderId | None = None
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    position_after: Decimal | None = None
    awaits_fills: bool = False
    looks: int = 0

    def __post_init__(self) -> None:
        """Make orders impossible that no venue could understand."""
        if self.status is OrderStatus.DENIED:
            return
        if self.amount is not None:
            self._check_amount()
        elif self.quantity <= 0:
            raise ValueError(f"order {self.id} has a quantity of {self.quantity}, not above 0")
        if (self.type is OrderType.MARKET) is (self.price is not None):
            raise ValueError(f"order {self.id} is {self.type} with price {self.price}")
        if self.awaits_turn and not self.reduces:
            raise ValueError(f"order {self.id} waits for its turn, though it reduces nothing")

    def _check_amount(self) -> None:
        buys = self.type is OrderType.MARKET and self.side is Side.BUY
        if not buys or self.quantity or self.amount is None or self.amount <= 0:
            raise ValueError(
                f"order {self.id} is {self.side} {self.type} {self.quantity} for {self.amount}"
            )

    @property
    def kind(self) -> Kind:
        """What sort of aggregate this is."""
        return Kind.ORDER

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.status in CLOSED

    @property
    def is_live(self) -> bool:
        """Whether it still may do something."""
        return not self.is_closed

    @property
    def is_queued(self) -> bool:
        """Whether it stands in its lane, where nobody may send it."""
        return self.awaits_turn and self.status is OrderStatus.PENDING_NEW

    @property
    def is_held(self) -> bool:
        """Whether it waits for the end of the order whose place it takes; nobody may send it."""
        return self.succeeds is not None and self.status is OrderStatus.PENDING_NEW

    @property
    def is_in_flight(self) -> bool:
        """Whether nobody knows yet what it does to the position."""
        return self.status in IN_FLIGHT and not (self.is_queued or self.is_held)

    @property
    def caller_id_scope(self) -> str | None:
        """Within what live orders must have different caller ids; None for parts of something.

        One that is being replaced has left its caller id to whoever wants it.
        """
        if self.caller_id is None or self.parent_id is not None or self.replaced_by is not None:
            return None
        return f"{self.origin}:orders"

    @property
    def remaining_quantity(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled_quantity

    @property
    def is_to_be_looked_at(self) -> bool:
        """Whether fills are missing that its venue may list by now; a cancel goes first."""
        return self.awaits_fills and (self.is_closed or not self.cancel_requested)

    def owed(self) -> tuple[Effect, ...]:
        """Return the one piece of work that this order's state asks for, if any."""
        match self.status:
            case OrderStatus.PENDING_NEW if self.is_held:
                return ()  # the end of the old one is told to it
            case OrderStatus.PENDING_NEW if self.awaits_turn:
                kind, due = EffectKind.ADVANCE, AT_ONCE
            case OrderStatus.PENDING_NEW:
                kind, due = EffectKind.PLACE, self.next_action_at_ms
            case OrderStatus.PLACING:
                kind, due = EffectKind.RESOLVE, self.lease_until_ms
            case OrderStatus.UNKNOWN if not self.needs_person:
                kind, due = EffectKind.RESOLVE, self.next_action_at_ms
            case OrderStatus.NEW | OrderStatus.PARTIALLY_FILLED if self.cancel_requested:
                kind, due = EffectKind.CANCEL, self.next_action_at_ms
            case _ if self.is_to_be_looked_at:
                kind, due = EffectKind.RESOLVE, self.next_action_at_ms
            case _:
                return ()
        urgent = kind is EffectKind.CANCEL or (self.reduces and not self.is_to_be_looked_at)
        return (
            Effect(
                kind=kind,
                target=self.id,
                due_at_ms=due,
                urgent=urgent,
                about=self.sentence(),
                account=self.account,
            ),
        )

    def sentence(self) -> str:
        """Return, for instance, `buy 0.5 BTC/USDT market`."""
        price = "market" if self.price is None else f"at {self.price:f}"
        size = f"{self.quantity:f}"
        if self.amount is not None:
            size = f"for {self.amount:f} {quote_of(self.symbol)}"
        return f"{self.side.lower()} {size} {self.symbol} {price}"

    def decide(self, event: OrderEvent) -> Decision["Order"]:  # noqa: C901, PLR0911, PLR0912 - a table
        """Return what becomes of the order when `event` happens; nonsense is ignored."""
        match event:
            case TurnTaken():
                return self._turn_taken(event)
            case PlacementClaimed():
                return self._claimed(event)
            case ClaimRenewed():
                return self._renewed(event)
            case PlacementDenied():
                return self._denied(event)
            case PlacementDeferred():
                return self._deferred(event)
            case OrderReported():
                return self._reported(event)
            case FillsAwaited():
                return self._fills_awaited(event)
            case OutcomeLost():
                return self._lost(event)
            case OutcomeStated():
                return self._stated(event)
            case LookUpClaimed():
                return self._look_up_claimed(event)
            case StillUnknown():
                return self._still_unknown(event)
            case ProvenAbsent():
                return self._absent(event)
            case CancelRequested():
                return self._cancel_requested(event)
            case CancelDeferred():
                return self._cancel_deferred(event)
            case OrderUpdated():
                return self._succeeding(event)

    def _turn_taken(self, event: TurnTaken) -> Decision["Order"]:
        if not self.is_queued:
            return ignored(self, f"its turn found the order {self.status}")
        let_go = replace(self, awaits_turn=False, had_turn=True, updated_at_ms=event.at_ms)
        return Decision(let_go)

    def _claimed(self, event: PlacementClaimed) -> Decision["Order"]:
        if self.status is not OrderStatus.PENDING_NEW or self.awaits_turn or self.is_held:
            return ignored(self, f"a claim found the order {self.status}")
        return _entry(
            replace(
                self,
                status=OrderStatus.PLACING,
                attempts=self.attempts + 1,
                token=self.token + 1,
                lease_until_ms=event.lease_until_ms,
                updated_at_ms=event.at_ms,
            ),
            EntryName.SENT,
            event.at_ms,
        )

    def _renewed(self, event: ClaimRenewed) -> Decision["Order"]:
        if self.status is not OrderStatus.PLACING or event.token != self.token:
            return ignored(self, f"renewal of claim {event.token} found the order {self.status}")
        renewed = replace(self, lease_until_ms=event.lease_until_ms, updated_at_ms=event.at_ms)
        return Decision(renewed)

    def _denied(self, event: PlacementDenied) -> Decision["Order"]:
        if self.status is not OrderStatus.PENDING_NEW:
            return ignored(self, f"a denial found the order {self.status}")
        status = OrderStatus.DENIED
        if event.reason.code is ReasonCode.TOO_LATE:
            status = OrderStatus.EXPIRED
        denied = replace(self, status=status, reason=event.reason, updated_at_ms=event.at_ms)
        name = EntryName.EXPIRED if status is OrderStatus.EXPIRED else EntryName.DENIED
        return _entry(denied, name, event.at_ms, event.reason)

    def _deferred(self, event: PlacementDeferred) -> Decision["Order"]:
        if self.status is not OrderStatus.PLACING or event.token != self.token:
            return ignored(self, f"news of placement {event.token} found the order {self.status}")
        if self._is_sent_no_more:
            return self._canceled_unsent(event.at_ms)
        if self.attempts >= ATTEMPTS_MAX and not event.held_back:
            reason = Reason(
                ReasonCode.ATTEMPTS_EXHAUSTED,
                f"{self.attempts} attempts did not arrive; the last said: {event.reason.message}",
            )
            dead = replace(
                self, status=OrderStatus.DENIED, reason=reason, updated_at_ms=event.at_ms
            )
            return _entry(dead, EntryName.DENIED, event.at_ms, reason)
        waiting = replace(
            self,
            status=OrderStatus.PENDING_NEW,
            attempts=self.attempts - 1 if event.held_back else self.attempts,
            next_action_at_ms=event.retry_at_ms,
            updated_at_ms=event.at_ms,
        )
        return _entry(waiting, EntryName.DEFERRED, event.at_ms, event.reason)

    def _lost(self, event: OutcomeLost) -> Decision["Order"]:
        if self.status is not OrderStatus.PLACING or event.token != self.token:
            return ignored(self, f"news of placement {event.token} found the order {self.status}")
        if event.lease_until_ms not in {None, self.lease_until_ms}:
            return ignored(self, f"the claim of placement {event.token} was renewed")
        lost = replace(
            self,
            status=OrderStatus.UNKNOWN,
            reason=event.reason,
            unknown_since_ms=event.server_ms,
            absent_since_ms=None,
            next_action_at_ms=event.next_check_at_ms,
            updated_at_ms=event.at_ms,
        )
        return _entry(lost, EntryName.UNKNOWN, event.at_ms, event.reason)

    def _is_asked_about(self, token: int) -> bool:
        """Tell whether the outcome of this placement is what is in question."""
        return self.status is OrderStatus.UNKNOWN and token == self.token

    def _look_up_claimed(self, event: LookUpClaimed) -> Decision["Order"]:
        is_time = has_come(self.next_action_at_ms, event.server_ms, event.within_ms)
        if not self._is_asked_about(event.token) or not is_time:
            return ignored(self, f"a question about placement {event.token} came too late")
        return Decision(replace(self, next_action_at_ms=event.until_ms, updated_at_ms=event.at_ms))

    def _still_unknown(self, event: StillUnknown) -> Decision["Order"]:
        if not self._is_asked_about(event.token):
            return self._has_moved_on(event.token)
        return Decision(
            replace(
                self,
                next_action_at_ms=event.next_check_at_ms,
                needs_person=event.needs_person,
                absent_since_ms=event.absent_since_ms,
                updated_at_ms=event.at_ms,
            )
        )

    def _has_moved_on(self, token: int) -> Decision["Order"]:
        message = f"what became of placement {token} found the order {self.status}"
        return ignored(self, f"{message}, placed {self.token} times")

    def _absent(self, event: ProvenAbsent) -> Decision["Order"]:
        if not self._is_asked_about(event.token):
            return self._has_moved_on(event.token)
        absent = replace(
            self,
            status=OrderStatus.PENDING_NEW,
            reason=None,
            needs_person=False,
            unknown_since_ms=None,
            absent_since_ms=None,
            next_action_at_ms=AT_ONCE,
            updated_at_ms=event.at_ms,
        )
        if self._is_sent_no_more:
            return absent._canceled_unsent(event.at_ms)  # noqa: SLF001
        return _entry(absent, EntryName.ABSENT, event.at_ms)

    @property
    def _is_sent_no_more(self) -> bool:
        """Whether it ends rather than being sent again; what is filled is not bought twice."""
        return self.cancel_requested or self.filled_quantity > 0

    def _cancel_requested(self, event: CancelRequested) -> Decision["Order"]:
        if self.is_closed or self.cancel_requested:
            return ignored(self, f"a cancel found the order {self.status}")
        if self.status is OrderStatus.PENDING_NEW:
            return replace(self, reason=event.reason)._canceled_unsent(event.at_ms)  # noqa: SLF001
        asked = replace(
            self,
            cancel_requested=True,
            replaced_by=event.replaced_by,
            reason=self.reason if self.status is OrderStatus.UNKNOWN else event.reason,
            next_action_at_ms=(
                self.next_action_at_ms if self.status is OrderStatus.UNKNOWN else AT_ONCE
            ),
            updated_at_ms=event.at_ms,
        )
        return _entry(asked, EntryName.CANCEL_REQUESTED, event.at_ms, event.reason)

    def _cancel_deferred(self, event: CancelDeferred) -> Decision["Order"]:
        if self.is_closed or not self.cancel_requested:
            return ignored(self, f"a postponed cancel found the order {self.status}")
        return Decision(
            replace(self, next_action_at_ms=event.retry_at_ms, updated_at_ms=event.at_ms)
        )

    def _succeeding(self, event: OrderUpdated) -> Decision["Order"]:
        """Take the place of the order that has ended, or come to nothing with it."""
        old = event.order
        if not self.is_held or self.succeeds is None or self.succeeds.order_id != old.id:
            return ignored(self, f"news of order {old.id} found the order {self.status}")
        if old.is_live:
            return ignored(self, f"order {old.id} is still {old.status}")
        takes_rest, rest = self.succeeds.takes_rest, old.remaining_quantity
        is_free = old.status is OrderStatus.CANCELED and not (takes_rest and rest <= 0)
        if not (is_free or self.succeeds.proceeds):
            reason = Reason(ReasonCode.NOT_REPLACED, f"order {old.id} is {old.status}")
            return self._denied(PlacementDenied(at_ms=event.at_ms, reason=reason))
        quantity = rest if is_free and takes_rest else self.quantity
        freed = replace(self, succeeds=None, quantity=quantity, updated_at_ms=event.at_ms)
        return _entry(freed, EntryName.DUE, event.at_ms)

    def _canceled_unsent(self, at_ms: EpochMs) -> Decision["Order"]:
        said = "canceled before it was sent"
        if self.filled_quantity:
            said = "an earlier placement filled a part of it, and the rest is not sent again"
        reason = self.reason or Reason(ReasonCode.REQUESTED, said)
        canceled = replace(self, status=OrderStatus.CANCELED, reason=reason, updated_at_ms=at_ms)
        return _entry(canceled, EntryName.CANCELED, at_ms, reason)

    def _stated(self, event: OutcomeStated) -> Decision["Order"]:
        if not self._is_asked_about(event.token):
            return self._has_moved_on(event.token)
        return self._adopted(event.report, event.at_ms)

    def _reported(self, event: OrderReported) -> Decision["Order"]:
        if event.token in {None, self.token} or self.status is OrderStatus.PENDING_NEW:
            return self._adopted(event.report, event.at_ms)
        return self._told_of_earlier(event)

    def _told_of_earlier(self, event: OrderReported) -> Decision["Order"]:
        """Take in what is filled of an earlier placement; its end is not the end of a newer one."""
        report = event.report
        if report.filled_quantity <= self.filled_quantity:
            return ignored(self, f"the answer to placement {event.token} came too late")
        is_whole = report.status is OrderStatus.FILLED or (
            self.amount is None and report.filled_quantity >= self.quantity
        )
        if is_whole or not self.is_in_flight:
            status = OrderStatus.FILLED if is_whole else self.status
            fills_alone = replace(
                report, status=status, venue_order_id=self.venue_order_id, reason=None
            )
            return self._adopted(fills_alone, event.at_ms)
        fills = merged(self.fills, report.fills)
        told = replace(
            self,
            fills=fills,
            filled_quantity=report.filled_quantity,
            average_price=report.average_price,
            fees=_fees_after(self, report, fills, grown=True),
            position_after=report.position_after,
            updated_at_ms=event.at_ms,
        )
        return _entry(told, EntryName.PARTIALLY_FILLED, event.at_ms)

    def _adopted(self, report: OrderReport, at_ms: EpochMs) -> Decision["Order"]:
        fills = merged(self.fills, report.fills)
        filled = max(self.filled_quantity, report.filled_quantity)
        status = _status_after(self, report, filled)
        grown = filled > self.filled_quantity
        if status is None or (status is self.status and not grown and fills == self.fills):
            return ignored(self, f"a report of {report.status} found the order {self.status}")
        news = replace(
            self,
            status=status,
            fills=fills,
            filled_quantity=filled,
            average_price=report.average_price if grown else self.average_price,
            fees=_fees_after(self, report, fills, grown=grown),
            venue_order_id=self.venue_order_id or report.venue_order_id,
            position_after=report.position_after if grown else self.position_after,
            reason=_reason_after(self, status, report),
            awaits_fills=_awaits_fills(self, report, fills, filled),
            looks=0 if grown else self.looks,
            needs_person=False,
            unknown_since_ms=None,
            absent_since_ms=None,
            # A cancel that was asked for meanwhile does not wait for the next question.
            next_action_at_ms=self.next_action_at_ms if self.status in OPEN else AT_ONCE,
            updated_at_ms=at_ms,
        )
        return Decision(news, entries=tuple(_report_entries(self, news, at_ms)))

    def _fills_awaited(self, event: FillsAwaited) -> Decision["Order"]:
        if not self.is_to_be_looked_at or event.look != self.looks:
            return ignored(self, f"look {event.look} for fills found look {self.looks}")
        looks = self.looks + 1
        return Decision(
            replace(
                self,
                looks=looks,
                awaits_fills=looks <= LOOKS_MAX,
                next_action_at_ms=event.next_look_at_ms,
                updated_at_ms=event.at_ms,
            )
        )


def at_tick(children: Sequence["Aggregate"], tick_at_ms: EpochMs | None) -> tuple["Aggregate", ...]:
    """Return what a tick has brought forth, with orders that know the time of that tick."""
    return tuple(
        replace(one, tick_at_ms=tick_at_ms) if isinstance(one, Order) else one for one in children
    )


def _status_after(order: Order, report: OrderReport, filled: Decimal) -> OrderStatus | None:
    """Return the status that a report leads to, or None where the table has no such move."""
    wanted = report.status
    if order.amount is None and 0 < order.quantity <= filled:
        wanted = OrderStatus.FILLED
    elif filled > 0 and wanted is OrderStatus.NEW:
        wanted = OrderStatus.PARTIALLY_FILLED
    if wanted is order.status or may_move(order.status, wanted):
        return wanted
    if order.is_closed:
        return order.status  # perhaps the same with a higher filled quantity
    return None


def _fees_after(
    order: Order, report: OrderReport, fills: tuple[Fill, ...], *, grown: bool
) -> Mapping[Currency, Decimal]:
    """Return the fees so far: those of the fills that are known, if there is news of them."""
    if fills != order.fills:
        return fees_of(fills)
    return dict(report.fees) if grown and report.fees else order.fees


def _awaits_fills(
    order: Order, report: OrderReport, fills: tuple[Fill, ...], filled: Decimal
) -> bool:
    """Tell whether the venue is to be asked for fills; what it never lists is not waited for."""
    return (report.lists_fills or order.awaits_fills) and not is_all_told(fills, filled)


def _reason_after(order: Order, status: OrderStatus, report: OrderReport) -> Reason | None:
    if report.reason is not None:
        return report.reason
    known = None if order.status is OrderStatus.UNKNOWN else order.reason
    if order.is_closed and status is order.status:
        return known
    if status is OrderStatus.CANCELED:
        return known or Reason(ReasonCode.REQUESTED, "canceled at the venue")
    return known if order.cancel_requested and status not in CLOSED else None


def _report_entries(before: Order, after: Order, at_ms: EpochMs) -> list[TimelineEntry]:
    """Return what a report adds to the timeline: acknowledged once, then each step of its life."""
    entries = []
    if before.status in IN_FLIGHT and after.status is not OrderStatus.REJECTED:
        entries.append(TimelineEntry(EntryName.ACKNOWLEDGED, at_ms))
    if after.filled_quantity > before.filled_quantity:
        entries.append(TimelineEntry(_fill_name(before, after), at_ms))
    elif after.fills != before.fills:
        entries.append(TimelineEntry(EntryName.FILLS_LISTED, at_ms))
    if after.status in CLOSED and before.status not in CLOSED:
        if after.status is not OrderStatus.FILLED:
            entries.append(
                TimelineEntry(EntryName(after.status.value.lower()), at_ms, after.reason)
            )
        entries.append(TimelineEntry(EntryName.CLOSED, at_ms))
    return entries


def _fill_name(before: Order, after: Order) -> EntryName:
    """Return what a timeline calls a fill; one after the end has a name of its own."""
    if after.status is OrderStatus.FILLED:
        return EntryName.FILLED
    return EntryName.LATE_FILL if before.is_closed else EntryName.PARTIALLY_FILLED


def _entry(
    order: Order, name: EntryName, at_ms: EpochMs, reason: Reason | None = None
) -> Decision[Order]:
    entries = [TimelineEntry(name, at_ms, reason)]
    if order.is_closed:
        entries.append(TimelineEntry(EntryName.CLOSED, at_ms))
    return Decision(order, entries=tuple(entries))
