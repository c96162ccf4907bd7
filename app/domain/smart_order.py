"""A trigger, then an order: stops and take-profits that wait for their price."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from app.domain.decision import Decision, Entry, EntryName, ignored
from app.domain.effects import Effect, EffectKind
from app.domain.events import (
    CancelRequested,
    OrderUpdated,
    TriggerArmed,
    TriggerDisarmed,
    TriggerFired,
)
from app.domain.identifiers import AccountId, AggregateId, EpochMs, FreshId, OrderId, Symbol
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.domain.trigger import Trigger
from app.domain.words import (
    Dialect,
    Direction,
    Kind,
    Market,
    OrderType,
    PositionSide,
    ReasonCode,
    Side,
    TimeInForce,
)

#: How often a protective order that the venue refuses is placed anew before a person is told.
PLACEMENTS_MAX = 3

SmartOrderEvent = TriggerArmed | TriggerDisarmed | TriggerFired | CancelRequested | OrderUpdated


class SmartOrderState(StrEnum):
    """Where a smart order stands; the words of the Poloniex dialect."""

    PENDING_NEW = "PENDING_NEW"
    PENDING_CANCEL = "PENDING_CANCEL"
    TRIGGERED = "TRIGGERED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrder:
    """Waits in the trigger book, then places one order.

    Attributes:
        request_id: the aggregate that the request became from which it comes.
        quantity: in base currency.
        price: limit of the order it places; None for a market order.
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
    quantity: Decimal
    trigger: Trigger
    created_at_ms: EpochMs
    updated_at_ms: EpochMs
    parent_id: AggregateId | None = None
    request_id: AggregateId | None = None
    position_side: PositionSide | None = None
    reduce_only: bool = False
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    caller_id: str | None = None
    state: SmartOrderState = SmartOrderState.PENDING_NEW
    reason: Reason | None = None
    armed: bool = False
    order_id: OrderId | None = None
    order_status: OrderStatus | None = None
    placements: int = 0
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None

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

    def owed(self) -> tuple[Effect, ...]:
        """Return what the trigger book does not know yet."""
        if self.is_waiting == self.armed:
            return ()
        kind = EffectKind.ARM if self.is_waiting else EffectKind.DISARM
        about = f"{kind} {self.sentence()}"
        return (Effect(kind=kind, target=self.id, about=about, account=self.account),)

    def sentence(self) -> str:
        """Return, for instance, `sell 0.5 ETH/USDT when last reaches 1900`."""
        trigger = f"when {self.trigger.source} reaches {self.trigger.level:f}"
        return f"{self.side.lower()} {self.quantity:f} {self.symbol} {trigger}"

    def decide(self, event: SmartOrderEvent) -> Decision["SmartOrder"]:
        """Return what becomes of the smart order when `event` happens; nonsense is ignored."""
        match event:
            case TriggerArmed():
                return self._armed(event)
            case TriggerDisarmed():
                return Decision(replace(self, armed=False))
            case TriggerFired():
                return self._fired(event)
            case CancelRequested():
                return self._cancel_requested(event)
            case OrderUpdated():
                return self._order_updated(event)

    def _armed(self, event: TriggerArmed) -> Decision["SmartOrder"]:
        if self.armed:
            return ignored(self, "it is armed already")
        armed = replace(self, armed=True, updated_at_ms=event.at_ms)
        entries = (Entry(EntryName.ARMED, event.at_ms),) if self.is_waiting else ()
        return Decision(armed, entries=entries)

    def _fired(self, event: TriggerFired) -> Decision["SmartOrder"]:
        if not self.is_waiting:
            return ignored(self, f"its price came when it was {self.state}")
        fired = replace(
            self, state=SmartOrderState.TRIGGERED, armed=False, updated_at_ms=event.at_ms
        )
        return fired._placing(event.new_ids[0], event.at_ms, EntryName.TRIGGERED)  # noqa: SLF001

    def _cancel_requested(self, event: CancelRequested) -> Decision["SmartOrder"]:
        if not self.is_waiting:
            return ignored(self, f"a cancel found it {self.state}")
        canceled = replace(
            self,
            state=SmartOrderState.CANCELED,
            reason=event.reason,
            armed=True,  # somebody may be arming it, or may have died right after
            updated_at_ms=event.at_ms,
        )
        return Decision(canceled, entries=_ended(EntryName.CANCELED, event.at_ms, event.reason))

    def _order_updated(self, event: OrderUpdated) -> Decision["SmartOrder"]:
        order = event.order
        if order.id != self.order_id:
            return ignored(self, f"order {order.id} is not its own")
        heard = replace(
            self,
            order_status=order.status,
            filled_quantity=order.filled_quantity,
            average_price=order.average_price,
            updated_at_ms=event.at_ms,
        )
        if not order.is_closed:
            return Decision(heard)
        if order.status is OrderStatus.FILLED or order.filled_quantity > 0:
            entry = Entry(EntryName.FILLED, event.at_ms)
            return Decision(heard, entries=(entry, Entry(EntryName.CLOSED, event.at_ms)))
        return heard._order_failed(order, event)  # noqa: SLF001

    def _order_failed(self, order: Order, event: OrderUpdated) -> Decision["SmartOrder"]:
        """Place again what the venue refused to place, for a position must not stay unguarded."""
        nothing_left = order.reason is not None and order.reason.code is ReasonCode.NO_POSITION
        refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
        if nothing_left or not refused or not self.reduce_only:
            ended = replace(self, reason=order.reason)
            return Decision(ended, entries=(Entry(EntryName.CLOSED, event.at_ms, order.reason),))
        if self.placements < PLACEMENTS_MAX:
            return self._placing(event.new_ids[0], event.at_ms, EntryName.DEFERRED)
        failed = replace(self, state=SmartOrderState.FAILED, reason=order.reason)
        return Decision(failed, entries=_ended(EntryName.ALERT, event.at_ms, order.reason))

    def _placing(self, fresh: FreshId, at_ms: EpochMs, name: EntryName) -> Decision["SmartOrder"]:
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
            type=OrderType.MARKET if self.price is None else OrderType.LIMIT,
            time_in_force=self.time_in_force,
            quantity=self.quantity,
            price=self.price,
            reduce_only=self.reduce_only,
            reduces=self.reduce_only or self.side is Side.SELL,
            due_at_ms=at_ms,
            created_at_ms=at_ms,
            updated_at_ms=at_ms,
        )
        placing = replace(
            self,
            order_id=order.id,
            order_status=order.status,
            placements=self.placements + 1,
            updated_at_ms=at_ms,
        )
        return Decision(placing, children=(order,), entries=(Entry(name, at_ms),))


_ENDED_UNFILLED = frozenset(
    {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DENIED}
)


def direction_of(side: Side, *, takes_profit: bool) -> Direction:
    """Return which way the price must go: up for a selling take-profit, down for a selling stop."""
    return Direction.RISING if (side is Side.SELL) is takes_profit else Direction.FALLING


def _ended(name: EntryName, at_ms: EpochMs, reason: Reason | None) -> tuple[Entry, ...]:
    return (Entry(name, at_ms, reason), Entry(EntryName.CLOSED, at_ms))
