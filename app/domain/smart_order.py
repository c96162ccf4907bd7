"""A trigger, then an order: stops, trailing stops and take-profits that wait for their price."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.enums import (
    Dialect,
    Direction,
    Kind,
    Market,
    OrderType,
    PositionSide,
    ReasonCode,
    Side,
    SmartOrderType,
    TimeInForce,
)
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    TimerDue,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
    TriggerRefused,
)
from app.domain.identifiers import (
    AccountId,
    AggregateId,
    EpochMs,
    FreshId,
    OrderId,
    Symbol,
    quote_of,
)
from app.domain.instrument import on_tick
from app.domain.order import Order, at_tick
from app.domain.reason import Reason
from app.domain.smart_order_command import PlaceSmartOrder
from app.domain.status import OPEN, OrderStatus
from app.domain.trigger import Offset, Trigger

#: How often a protective order that the venue refuses is placed anew before a person is told.
PLACEMENTS_MAX = 3

SmartOrderEvent = (
    TriggerArmed
    | TriggerDisarmed
    | TriggerFired
    | TriggerRefused
    | TimerDue
    | CancelRequested
    | OrderUpdated
)


class SmartOrderState(StrEnum):
    """Where a smart order stands; the words of the Poloniex dialect.

    TRIGGERED is for good once its order was opened; an order that could not be opened makes it
    FAILED. PENDING_CANCEL is passed through in the step that cancels.
    """

    PENDING_NEW = "PENDING_NEW"
    PENDING_CANCEL = "PENDING_CANCEL"
    TRIGGERED = "TRIGGERED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


#: States in which a caller id stays taken: it still may trade, or it has.
_HOLDING = frozenset(
    {SmartOrderState.PENDING_NEW, SmartOrderState.PENDING_CANCEL, SmartOrderState.TRIGGERED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrder:
    """Waits in the trigger book, then places one order.

    Attributes:
        parent_id: whose part it is; None where a caller has asked for it by itself.
        request_id: the aggregate that the request became from which it comes.
        quantity: in base currency; None where `amount` alone tells the size.
        amount: in quote currency; counts for buys that place a market order, and goes before
            `quantity` there.
        price: the limit as the caller gave it; an order that it places at the market has none.
        limit_offset: how far from the price of the firing tick a trailing limit lies.
        operator: as the caller gave it.
        post_only: the limit order that it places may only make.
        expires_at_ms: business time at which it gives up waiting; None is never.
        armed: the trigger book may hold the trigger.
        order_id: the order it has placed; the newest one if it had to place again.
        order_status: how that order stood when last heard of.
        placements: orders placed so far.
    """

    id: AggregateId
    dialect: Dialect
    origin: str
    account: AccountId
    symbol: Symbol
    market: Market
    side: Side
    type: SmartOrderType = SmartOrderType.STOP
    quantity: Decimal | None
    trigger: Trigger
    created_at_ms: EpochMs
    updated_at_ms: EpochMs
    parent_id: AggregateId | None = None
    request_id: AggregateId | None = None
    position_side: PositionSide | None = None
    reduce_only: bool = False
    amount: Decimal | None = None
    price: Decimal | None = None
    limit_offset: Offset | None = None
    operator: Direction | None = None
    post_only: bool = False
    time_in_force: TimeInForce = TimeInForce.GTC
    caller_id: str | None = None
    expires_at_ms: EpochMs | None = None
    state: SmartOrderState = SmartOrderState.PENDING_NEW
    reason: Reason | None = None
    armed: bool = False
    order_id: OrderId | None = None
    order_status: OrderStatus | None = None
    placements: int = 0
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Make smart orders impossible that could place nothing."""
        if self.type.is_trailing is (self.trigger.trail is None):
            raise ValueError(f"smart order {self.id} is {self.type}, trail {self.trigger.trail}")
        if self.type is SmartOrderType.STOP_LIMIT and self.price is None:
            raise ValueError(f"smart order {self.id} is {self.type} without a price")
        if self.type is SmartOrderType.TRAILING_STOP_LIMIT and self.limit_offset is None:
            raise ValueError(f"smart order {self.id} is {self.type} without a limit offset")
        if self.budget is None and (self.quantity is None or self.quantity <= 0):
            raise ValueError(f"smart order {self.id} has a quantity of {self.quantity}")

    @property
    def kind(self) -> Kind:
        """What sort of aggregate this is."""
        return Kind.SMART_ORDER

    @property
    def is_waiting(self) -> bool:
        """Whether its price has not come yet."""
        return self.state is SmartOrderState.PENDING_NEW

    @property
    def is_live(self) -> bool:
        """Whether it, or the order it placed, may still do something."""
        return self.is_waiting or (
            self.state is SmartOrderState.TRIGGERED
            and self.order_status not in {OrderStatus.FILLED, *_ENDED_UNFILLED}
        )

    @property
    def is_filled(self) -> bool:
        """Whether its order was filled whole."""
        return self.order_status is OrderStatus.FILLED

    @property
    def stands_alone(self) -> bool:
        """Whether a caller has asked for it by itself, rather than as a part of something."""
        return self.parent_id is None

    @property
    def holds_caller_id(self) -> bool:
        """Whether its caller id may not be used again: it still may trade, or it has."""
        return self.state in _HOLDING

    @property
    def budget(self) -> Decimal | None:
        """What its order may spend, in quote currency; None where a quantity tells the size."""
        return self.amount if self.side is Side.BUY and not self.type.is_limit else None

    def command(self) -> PlaceSmartOrder:
        """Return the command that would make the same again."""
        return PlaceSmartOrder(
            symbol=self.symbol,
            side=self.side,
            type=self.type,
            time_in_force=self.time_in_force,
            quantity=self.quantity,
            amount=self.amount,
            price=self.price,
            stop=self.trigger.stop,
            trail=self.trigger.trail,
            limit_offset=self.limit_offset,
            operator=self.operator,
            post_only=self.post_only,
            caller_id=self.caller_id,
        )

    def owed(self) -> tuple[Effect, ...]:
        """Return what the trigger book does not know yet, and when its patience ends."""
        owed = []
        if self.is_waiting and self.expires_at_ms is not None:
            owed.append(self._effect(EffectKind.TIMER, self.expires_at_ms))
        if self.is_waiting is not self.armed:
            owed.append(self._effect(EffectKind.ARM if self.is_waiting else EffectKind.DISARM))
        return tuple(owed)

    def _effect(self, kind: EffectKind, due_at_ms: EpochMs = AT_ONCE) -> Effect:
        about = f"{kind} {self.sentence()}"
        return Effect(
            kind=kind, target=self.id, due_at_ms=due_at_ms, about=about, account=self.account
        )

    def sentence(self) -> str:
        """Return, for instance, `sell 0.5 ETH/USDT when last reaches 1900`."""
        size = f"{self.quantity or 0:f}"
        if self.budget is not None:
            size = f"for {self.budget:f} {quote_of(self.symbol)}"
        return f"{self.side.lower()} {size} {self.symbol} when {self.trigger.sentence()}"

    def decide(self, event: SmartOrderEvent) -> Decision["SmartOrder"]:  # noqa: PLR0911 - a table
        """Return what becomes of the smart order when `event` happens; nonsense is ignored."""
        match event:
            case TriggerArmed():
                return self._armed(event)
            case TriggerDisarmed():
                return Decision(replace(self, armed=False))
            case TriggerFired():
                return self._fired(event)
            case TriggerRefused():
                return self._given_up(SmartOrderState.REJECTED, event.at_ms, event.reason)
            case TimerDue():
                return self._timer_due(event)
            case CancelRequested():
                return self._given_up(SmartOrderState.CANCELED, event.at_ms, event.reason)
            case OrderUpdated():
                return self._order_updated(event)

    def _armed(self, event: TriggerArmed) -> Decision["SmartOrder"]:
        if self.armed:
            return ignored(self, "it is armed already")
        if not self.is_waiting:
            return Decision(replace(self, armed=True))
        armed = replace(self, armed=True)
        return Decision(armed, entries=(TimelineEntry(EntryName.ARMED, event.at_ms),))

    def _fired(self, event: TriggerFired) -> Decision["SmartOrder"]:
        if not self.is_waiting:
            return ignored(self, f"its price came when it was {self.state}")
        fired = replace(
            self, state=SmartOrderState.TRIGGERED, armed=False, updated_at_ms=event.at_ms
        )
        limit = self._limit_at(event.prices.get(self.trigger.slot))
        if isinstance(limit, Reason):
            return fired._failed(limit, event.at_ms)  # noqa: SLF001
        placed = (limit, EntryName.TRIGGERED)
        decision = fired._placing(event.new_ids[0], event.at_ms, placed)  # noqa: SLF001
        return replace(decision, children=at_tick(decision.children, event.tick_at_ms))

    def _limit_at(self, price: Decimal | None) -> Decimal | Reason | None:
        """Return the limit of the order it places, for the price of the firing tick, or why not.

        Source: Poloniex documentation, "Create Smart Order" (limitOffset).
        """
        if not self.type.is_limit:
            return None
        if self.limit_offset is None or not self.type.is_trailing:
            return self.price
        if price is None:
            return Reason(ReasonCode.NO_PRICE, "the price at which it was triggered is not known")
        away = self.limit_offset.below if self.side is Side.SELL else self.limit_offset.above
        limit = on_tick(away(price), self.trigger.price_step, self.side)
        if limit <= 0:
            return Reason(
                ReasonCode.LIMIT_NOT_ABOVE_ZERO, f"{self.limit_offset} from {price:f} is {limit:f}"
            )
        return limit

    def _timer_due(self, event: TimerDue) -> Decision["SmartOrder"]:
        if self.expires_at_ms is None or event.at_ms < self.expires_at_ms:
            return ignored(self, f"its timer came early, it waits until {self.expires_at_ms}")
        waited = event.at_ms - self.created_at_ms
        reason = Reason(ReasonCode.TOO_OLD, f"its price did not come within {waited} ms")
        return self._given_up(SmartOrderState.EXPIRED, event.at_ms, reason)

    def _given_up(
        self, state: SmartOrderState, at_ms: EpochMs, reason: Reason
    ) -> Decision["SmartOrder"]:
        """End the waiting. Of this and the price exactly one comes first, and the other is late."""
        if not self.is_waiting:
            return ignored(self, f"what should make it {state} found it {self.state}")
        ended = replace(
            self,
            state=state,
            reason=reason,
            armed=True,  # somebody may be arming it, or may have died right after
            updated_at_ms=at_ms,
        )
        return Decision(ended, entries=_ended(EntryName(state.value.lower()), at_ms, reason))

    def _failed(self, reason: Reason | None, at_ms: EpochMs) -> Decision["SmartOrder"]:
        failed = replace(self, state=SmartOrderState.FAILED, reason=reason, updated_at_ms=at_ms)
        name = EntryName.ALERT if self.reduce_only else EntryName.FAILED
        return Decision(failed, entries=_ended(name, at_ms, reason))

    def _order_updated(self, event: OrderUpdated) -> Decision["SmartOrder"]:
        order = event.order
        if order.id != self.order_id:
            return ignored(self, f"order {order.id} is not its own")
        heard = replace(
            self,
            order_status=order.status,
            filled_quantity=order.filled_quantity,
            average_price=order.average_price,
        )
        if not order.is_closed:
            return Decision(heard)
        if order.status is OrderStatus.FILLED or order.filled_quantity > 0:
            entry = TimelineEntry(EntryName.FILLED, event.at_ms)
            return Decision(heard, entries=(entry, TimelineEntry(EntryName.CLOSED, event.at_ms)))
        was_opened = self.order_status in OPEN
        return heard._order_failed(order, event, was_opened=was_opened)  # noqa: SLF001

    def _order_failed(
        self, order: Order, event: OrderUpdated, *, was_opened: bool
    ) -> Decision["SmartOrder"]:
        """Place a guard again that the venue refused; what nobody guards by fails."""
        nothing_left = order.reason is not None and order.reason.code is ReasonCode.NO_POSITION
        refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
        if nothing_left or not refused or was_opened:
            ended = replace(self, reason=order.reason)
            return Decision(
                ended, entries=(TimelineEntry(EntryName.CLOSED, event.at_ms, order.reason),)
            )
        if self.reduce_only and self.placements < PLACEMENTS_MAX:
            placed = (order.price, EntryName.DEFERRED)
            return self._placing(event.new_ids[0], event.at_ms, placed)
        return self._failed(order.reason, event.at_ms)

    def _placing(
        self, fresh: FreshId, at_ms: EpochMs, placed: tuple[Decimal | None, EntryName]
    ) -> Decision["SmartOrder"]:
        """Bring forth the order, with this limit; the timeline gains this entry."""
        limit, name = placed
        order = Order(
            id=OrderId(fresh.id),
            client_order_id=fresh.client_order_id,
            parent_id=self.id,
            request_id=self.request_id or self.id,
            dialect=self.dialect,
            origin=self.origin,
            account=self.account,
            symbol=self.symbol,
            market=self.market,
            side=self.side,
            position_side=self.position_side,
            type=self._order_type,
            time_in_force=self.time_in_force,
            quantity=Decimal(0) if self.budget is not None else self.quantity or Decimal(0),
            amount=self.budget,
            price=limit,
            reduce_only=self.reduce_only,
            reduces=self.reduce_only or self.side is Side.SELL,
            caller_id=self.caller_id,
            due_at_ms=at_ms,
            created_at_ms=at_ms,
            updated_at_ms=at_ms,
        )
        placing = replace(
            self,
            order_id=order.id,
            order_status=order.status,
            placements=self.placements + 1,
        )
        return Decision(placing, children=(order,), entries=(TimelineEntry(name, at_ms),))

    @property
    def _order_type(self) -> OrderType:
        if not self.type.is_limit:
            return OrderType.MARKET
        return OrderType.LIMIT_MAKER if self.post_only else OrderType.LIMIT


_ENDED_UNFILLED = frozenset(
    {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DENIED}
)


def direction_of(side: Side, *, takes_profit: bool) -> Direction:
    """Return which way the price must go: up for a selling take-profit, down for a selling stop."""
    return Direction.RISING if (side is Side.SELL) is takes_profit else Direction.FALLING


def _ended(name: EntryName, at_ms: EpochMs, reason: Reason | None) -> tuple[TimelineEntry, ...]:
    return (TimelineEntry(name, at_ms, reason), TimelineEntry(EntryName.CLOSED, at_ms))
