"""One order at one venue account. What may happen to it is in `order_life`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.entity import Entity
from app.domain.enums import (
    Direction,
    Kind,
    OrderType,
    PositionSide,
    PriceSource,
    ReasonCode,
    Side,
    TimeInForce,
)
from app.domain.identifiers import (
    AggregateId,
    ClientOrderId,
    Currency,
    EpochMs,
    OrderId,
    VenueOrderId,
    quote_of,
)
from app.domain.reason import Reason
from app.domain.report import Fill
from app.domain.status import CLOSED, IN_FLIGHT, OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What an order waits for that is to take the place of another.

    Attributes:
        order_id: the old order; before it has ended the new one is not sent, or both could trade.
        takes_rest: the new one is for what the old one leaves unfilled, whatever that will be.
        proceeds: the new one is sent even if the old one ends otherwise than canceled.
    """

    order_id: OrderId
    takes_rest: bool = False
    proceeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The price that an order waits for at its venue, which sends it to the market then.

    Attributes:
        level: in quote currency, on a step of the price.
        direction: which way the price must go to reach it.
        source: which price of the venue is compared with it, LAST or MARK.
    """

    level: Decimal
    direction: Direction
    source: PriceSource = PriceSource.LAST

    def sentence(self) -> str:
        """Return, for instance, `last reaches 1843`."""
        return f"{self.source} reaches {self.level:f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Entity):
    """One instruction to buy or sell.

    Attributes:
        request_id: the aggregate that the request became from which this order comes.
        reduces: a spot sale, a reduce-only order or a close: it may still run when entries may not.
        awaits_turn: it is not sent before it has had its turn in the lane.
        had_turn: it has had it, or comes from one that has.
        fits_held: an exit that is sent for no more than its venue has of the position right then.
        succeeds: the order whose end it waits for, to take its place; None if it waits for none.
        replaced_by: the order that waits for the end of this one.
        quantity: in base currency; 0 where `amount` tells the size.
        amount: what a market buy may spend, in quote currency; None where `quantity` counts.
        price: the limit, in quote currency; None for a market order.
        alert_price: what its caller says that the price was, where a market order comes with one.
        condition: what a market order waits for at its venue, resting there; None is nothing.
        leverage: to be set on the account's symbol first; None leaves it alone.
        not_after_ms: business time after which an entry is too late; None never is.
        due_at_ms: business time at which it should be sent.
        tick_at_ms: business time of the prices that fired the trigger which it comes from; None if
            it comes from none, or not at once.
        next_action_at_ms: server time before which nothing is tried again, nor asked again.
        lease_until_ms: server time at which a placement that gave no answer counts as lost.
        token: fencing token of the newest placement; rises with each.
        attempts: placements begun.
        unchecked_since_ms: server time since which the limits of its account could not tell
            whether it may be sent; exits go before it meanwhile.
        absent_since_ms: see `StillUnknown`.
        awaits_fills: the venue has not listed all fills behind `filled_quantity`, or not their
            fees, and is asked again.
        looks: how often it was looked at for that, since the filled quantity rose last; the first
            look asks nothing, and gives the venue a moment.
    """

    kind: ClassVar[Kind] = Kind.ORDER
    id: OrderId
    side: Side
    type: OrderType
    quantity: Decimal
    client_order_id: ClientOrderId
    parent_id: AggregateId | None = None
    request_id: AggregateId | None = None
    position_side: PositionSide | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    reduces: bool = False
    awaits_turn: bool = False
    had_turn: bool = False
    fits_held: bool = False
    succeeds: Succession | None = None
    replaced_by: AggregateId | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    alert_price: Decimal | None = None
    condition: Condition | None = None
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
    unchecked_since_ms: EpochMs | None = None
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
        # A denied order is kept as it was asked for, with whatever size made it be denied.
        if self.status is OrderStatus.DENIED:
            return
        if self.amount is not None:
            self._check_amount()
        elif self.quantity <= 0:
            raise ValueError(f"order {self.id} has a quantity of {self.quantity}, not above 0")
        # Every type but MARKET has a limit, also one that may only make.
        if (self.type is OrderType.MARKET) is (self.price is not None):
            raise ValueError(f"order {self.id} is {self.type} with price {self.price}")
        if self.condition is not None and not (self.reduces and self.type is OrderType.MARKET):
            raise ValueError(f"order {self.id} is {self.type} when {self.condition.sentence()}")
        # An entry is sized in its turn and then sent; only exits are made first and wait
        # afterwards.
        if self.awaits_turn and not self.reduces:
            raise ValueError(f"order {self.id} waits for its turn, though it reduces nothing")

    def _check_amount(self) -> None:
        buys = self.type is OrderType.MARKET and self.side is Side.BUY
        if not buys or self.quantity or self.amount is None or self.amount <= 0:
            raise ValueError(
                f"order {self.id} is {self.side} {self.type} {self.quantity} for {self.amount}"
            )

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
        """Whether it waits for its turn in the lane; it must not be sent before."""
        return self.awaits_turn and self.status is OrderStatus.PENDING_NEW

    @property
    def is_held(self) -> bool:
        """Whether it waits for the end of the order that it replaces; it is not sent before."""
        return self.succeeds is not None and self.status is OrderStatus.PENDING_NEW

    @property
    def is_in_flight(self) -> bool:
        """Whether its effect on the position is not known yet."""
        return self.status in IN_FLIGHT and not (self.is_queued or self.is_held)

    @property
    def reduced_leg(self) -> PositionSide:
        """The leg that it takes from, if it reduces a position; of one-way accounts by its side."""
        return self.position_side or self.side.works_on(reduces=True)

    @property
    def rests(self) -> bool:
        """Whether it waits at its venue for a price that has not come yet, as far as is known."""
        return self.condition is not None and self.status is OrderStatus.NEW

    @property
    def holds_lane(self) -> bool:
        """Whether others of its lane wait until its effect on the position is known.

        One that rests far from the price, should ours not be there to act, holds up nobody.
        """
        return self.is_in_flight and self.condition is None

    @property
    def has_only_waited(self) -> bool:
        """Whether it waits for its price at its venue, or has ended without that having come."""
        came = self.reason is not None and self.reason.code is ReasonCode.TIME_IN_FORCE
        return self.condition is not None and not (self.filled_quantity or came)

    @property
    def caller_id_scope(self) -> str | None:
        """Within what live orders must have different caller ids; None for parts of something.

        One that is being replaced has given its caller id up, so that its successor may have it.
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
        # One piece of work at a time, and the order of the cases is the order of importance: where
        # a cancel is wanted, missing fills are asked for after it has ended.
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
        # Whoever wants out goes before whoever wants in, save for mere book-keeping.
        urgent = kind is EffectKind.CANCEL or (self.reduces and not self.is_to_be_looked_at)
        return (self.effect(kind, due, urgent=urgent),)

    def sentence(self) -> str:
        """Return, for instance, `buy 0.5 BTC/USDT market`, with what it waits for at its venue."""
        price = "market" if self.price is None else f"at {self.price:f}"
        size = f"{self.quantity:f}"
        if self.amount is not None:
            size = f"for {self.amount:f} {quote_of(self.symbol)}"
        when = "" if self.condition is None else f" when {self.condition.sentence()}"
        return f"{self.side.lower()} {size} {self.symbol} {price}{when}"
