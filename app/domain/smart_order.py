"""A trigger, then an order: stops, trailing stops and take-profits that wait for their price.

What may happen to one is in `smart_order_life`.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from app.domain.commands import PlaceSmartOrder
from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.entity import Entity
from app.domain.enums import (
    Direction,
    Kind,
    PositionSide,
    Side,
    SmartOrderType,
    TimeInForce,
)
from app.domain.exits import FilledBy, is_failing
from app.domain.identifiers import AggregateId, EpochMs, OrderId, quote_of
from app.domain.reason import Reason
from app.domain.status import OPEN, OrderStatus
from app.domain.trigger import Offset, Trigger, protective_direction


class SmartOrderStatus(StrEnum):
    """Where a smart order stands; the words of the Poloniex dialect.

    TRIGGERED is for good once its order was opened; an order that could not be opened makes it
    FAILED. PENDING_CANCEL is one that rests at its venue and is being taken off; of one that waits
    here it is passed through in the step that cancels.
    """

    PENDING_NEW = "PENDING_NEW"
    PENDING_CANCEL = "PENDING_CANCEL"
    TRIGGERED = "TRIGGERED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


#: States in which its price may still come.
_PENDING = frozenset({SmartOrderStatus.PENDING_NEW, SmartOrderStatus.PENDING_CANCEL})

#: States in which a caller id stays taken: it still may trade, or it has.
_HOLDING = frozenset(
    {SmartOrderStatus.PENDING_NEW, SmartOrderStatus.PENDING_CANCEL, SmartOrderStatus.TRIGGERED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartOrder(Entity):
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
        filled_by: of a guard, and of one that was to rest at the venue: what each of its orders has
            filled.
        misses: of a guard: orders in a row that have filled nothing.
        goes_on_at_ms: of a guard: server time of its next order; None unless it waits for that.
        cancel_requested: of a guard that has an order: it places no further one.
        at_venue: its order rests at the venue from the start on, and waits for the price there;
            the trigger book here knows nothing of it.
        taken_off: how often somebody has taken that off at the venue.
        falls_back: if the venue does not hold it, it waits here instead.
        succeeds: the smart order whose end it waits for, to take its place; None if it waits for
            none.
        proceeds: it takes that place even if the old one ends otherwise than canceled.
        replaced_by: the smart order that waits for the end of this one.
    """

    kind: ClassVar[Kind] = Kind.SMART_ORDER
    side: Side
    type: SmartOrderType = SmartOrderType.STOP
    quantity: Decimal | None
    trigger: Trigger
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
    status: SmartOrderStatus = field(
        default=SmartOrderStatus.PENDING_NEW, metadata={"stored": "state"}
    )
    reason: Reason | None = None
    armed: bool = False
    order_id: OrderId | None = None
    order_status: OrderStatus | None = None
    filled_by: FilledBy = field(default_factory=dict)
    misses: int = 0
    goes_on_at_ms: EpochMs | None = None
    cancel_requested: bool = False
    at_venue: bool = False
    taken_off: int = 0
    falls_back: bool = False
    succeeds: AggregateId | None = None
    proceeds: bool = False
    replaced_by: AggregateId | None = None
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
        is_sold = self.is_guard or self.side is Side.SELL
        if self.at_venue and not (is_sold and self.trigger.level and not self.type.is_limit):
            raise ValueError(f"smart order {self.id} is {self.type}, and can't rest at its venue")
        if self.budget is None and (self.quantity is None or self.quantity <= 0):
            raise ValueError(f"smart order {self.id} has a quantity of {self.quantity}")

    @property
    def is_waiting(self) -> bool:
        """Whether it waits here for its price, which has not come yet."""
        is_new = self.status is SmartOrderStatus.PENDING_NEW
        return is_new and not (self.at_venue or self.is_held)

    @property
    def is_held(self) -> bool:
        """Whether it waits for the end of the one that it replaces; nobody waits for its price."""
        return self.succeeds is not None and self.status is SmartOrderStatus.PENDING_NEW

    @property
    def is_pending(self) -> bool:
        """Whether its price may still come, wherever that is waited for."""
        return self.is_waiting or self.is_held or self.is_resting

    @property
    def is_resting(self) -> bool:
        """Whether its venue waits for its price, as far as that is known."""
        return self.status in _PENDING and self.at_venue and not self.is_held

    @property
    def rests(self) -> bool:
        """Whether its venue has said that it waits for its price."""
        return self.is_resting and self.order_status in OPEN

    @property
    def is_live(self) -> bool:
        """Whether it, or the order it placed, may still do something."""
        # A triggered one lives as long as the order it placed: its parent must hear of that end.
        return (
            self.is_waiting
            or self.is_held
            or self.goes_on_at_ms is not None
            or (
                (self.status is SmartOrderStatus.TRIGGERED or self.is_resting)
                and self.order_status not in {OrderStatus.FILLED, *_ENDED_UNFILLED}
            )
        )

    @property
    def is_filled(self) -> bool:
        """Whether what it was for was filled whole."""
        # The newest order of several may have filled whole, and a cancel have ended it there.
        cut_short = self.cancel_requested and self.filled_quantity < (self.quantity or 0)
        is_whole = self.order_status is OrderStatus.FILLED and self.goes_on_at_ms is None
        return is_whole and not cut_short

    @property
    def is_guard(self) -> bool:
        """Whether it protects a position: then it goes on until that is flat."""
        return self.reduce_only

    @property
    def is_stop_loss(self) -> bool:
        """Whether it waits for a price that is bad for the position, not for a take-profit."""
        return self.trigger.direction is protective_direction(self.side)

    @property
    def has_several(self) -> bool:
        """Whether more than one order of it may have filled something."""
        return self.is_guard or self.falls_back

    @property
    def resumes_at_ms(self) -> EpochMs | None:
        """Server time at which it sends its next order; None unless it waits for that."""
        return self.goes_on_at_ms

    @property
    def stands_alone(self) -> bool:
        """Whether a caller has asked for it by itself, rather than as a part of something."""
        return self.parent_id is None

    @property
    def holds_caller_id(self) -> bool:
        """Whether its caller id may not be used again: it still may trade, or it has.

        One that is being replaced has given it up, so that its successor may have it.
        """
        return self.status in _HOLDING and self.replaced_by is None

    @property
    def budget(self) -> Decimal | None:
        """What its order may spend, in quote currency; None where a quantity tells the size."""
        return self.amount if self.side is Side.BUY and not self.type.is_limit else None

    @property
    def exit_fails(self) -> bool:
        """Whether its orders have filled nothing several times in a row, and it goes on."""
        fails = self.is_live and is_failing(self.misses, self.reason)
        return self.is_guard and fails and not self.is_resting

    @property
    def is_only_here(self) -> bool:
        """Whether its venue does not hold a stop: it waits here, or was not heard to rest there."""
        is_wanted = self.is_resting and self.status is SmartOrderStatus.PENDING_NEW
        is_absent = is_wanted and self.is_live and not self.rests
        return self.is_stop_loss and (is_absent or (self.falls_back and self.is_waiting))

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
        """Return ARM or DISARM until the trigger book has caught up, and the timer that ends it.

        And WITHDRAW until one that its venue is to take off has ended.
        """
        owed = []
        if self.is_resting and self.status is SmartOrderStatus.PENDING_CANCEL:
            owed.append(self._effect(EffectKind.WITHDRAW, urgent=True))
        if self.status is SmartOrderStatus.PENDING_NEW and self.expires_at_ms is not None:
            owed.append(self._effect(EffectKind.TIMER, self.expires_at_ms))
        if self.goes_on_at_ms is not None:
            # By the server's clock, as all retries are: one that was set back holds up no exit.
            owed.append(self._effect(EffectKind.ADVANCE, self.goes_on_at_ms, urgent=True))
        # Compared rather than remembered: whatever was done or forgotten, this asks for what is
        # missing.
        if self.is_waiting is not self.armed:
            owed.append(self._effect(EffectKind.ARM if self.is_waiting else EffectKind.DISARM))
        return tuple(owed)

    def _effect(
        self, kind: EffectKind, due_at_ms: EpochMs = AT_ONCE, *, urgent: bool = False
    ) -> Effect:
        effect = self.effect(kind, due_at_ms, urgent=urgent)
        return replace(effect, about=f"{kind} {self.sentence()}")

    def sentence(self) -> str:
        """Return, for instance, `sell 0.5 ETH/USDT when last reaches 1900 at the venue`."""
        size = f"{self.quantity or 0:f}"
        if self.budget is not None:
            size = f"for {self.budget:f} {quote_of(self.symbol)}"
        where = " at the venue" if self.at_venue else ""
        return f"{self.side.lower()} {size} {self.symbol} when {self.trigger.sentence()}{where}"


_ENDED_UNFILLED = frozenset(
    {OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED, OrderStatus.DENIED}
)
