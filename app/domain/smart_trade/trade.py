"""A smart trade: an entry, then exits that wait for their prices, then an end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.entity import Entity
from app.domain.enums import Direction, Kind, PositionSide, Side
from app.domain.exits import USUAL, ExitRules, is_failing
from app.domain.identifiers import AggregateId, EpochMs, VenueName
from app.domain.instrument import Instrument
from app.domain.reason import Reason
from app.domain.smart_trade.enums import (
    CANCELLABLE,
    EDITABLE,
    FINAL,
    GUARDED,
    OPEN,
    StepKind,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.spec import EntryRule, StopLoss, TakeProfit
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.venue_stop import NONE_YET, VenueStop
from app.domain.smart_trade.watch import Watch
from app.domain.status import OPEN as AT_VENUE


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartTrade(Entity):
    """One smart trade.

    Attributes:
        instrument: the rules of its symbol when it was opened.
        asked_quantity: units to buy (or to sell first), in base currency.
        entry: None for a SmartSale.
        basis_price: of a SmartSale: what the coins cost.
        take_profit, stop_loss: None while switched off.
        entry_direction: which way the price goes to a conditional entry; None until it is known.
        reason: why it failed or was cancelled; for `failed` it is the error message. Of one that
            has finished: what was not there to close. Of one that lives: why its exit goes on.
        steps: all that there ever were, by id.
        orders: all that live or have filled, and of each step the newest.
        watches: what the trigger book may hold of it.
        watches_made: counts them, for their names.
        stop_hit: the stop's price has come, and its timeout is not over.
        stop_is_due: the timeout is over, and the next tick tells whether the stop is still hit.
        stop_deadline_ms: business time at which the stop-loss timeout is over; None is none.
        misses: exit orders in a row that have filled nothing.
        goes_on_at_ms: server time before which no exit order is placed; None unless it pauses.
        empty_since_ms: when its venue said first that nothing is left to close; None once anything
            has filled since.
        exits: how its exits go on.
        venue_stop: how the stop goes that its venue is to hold.
        panic_order_id: the newest order of a panic sell.
        entry_lateness_ms: an entry order later than this is not sent; 0 is never too late.
    """

    kind: ClassVar[Kind] = Kind.SMART_TRADE
    venue: VenueName
    instrument: Instrument
    type: TradeType
    status: TradeStatus
    asked_quantity: Decimal
    closed_at_ms: EpochMs | None = None
    entry: EntryRule | None = None
    basis_price: Decimal | None = None
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    entry_direction: Direction | None = None
    note: str | None = None
    reason: Reason | None = None
    steps: tuple[Step, ...] = ()
    orders: tuple[StepOrder, ...] = ()
    watches: tuple[Watch, ...] = ()
    watches_made: int = 0
    stop_hit: bool = False
    stop_is_due: bool = False
    stop_deadline_ms: EpochMs | None = None
    misses: int = 0
    goes_on_at_ms: EpochMs | None = None
    empty_since_ms: EpochMs | None = None
    exits: ExitRules = USUAL
    venue_stop: VenueStop = NONE_YET
    panic_order_id: AggregateId | None = None
    entry_lateness_ms: int = 60_000
    caller_id: str | None = None

    # What every aggregate has

    @property
    def side(self) -> Side:
        """Which way its entry trades; a SmartSale sells what is held."""
        return Side.SELL if self.type is TradeType.SMART_SALE else self.type.entry_side

    @property
    def position_side(self) -> PositionSide | None:
        """Smart trades trade spot."""
        return None

    @property
    def is_live(self) -> bool:
        """Whether it, or an order of it, still may do something."""
        return self.status not in FINAL or any(one.is_live for one in self.orders)

    @property
    def quantity(self) -> Decimal:
        """What was asked for, in base currency."""
        return self.asked_quantity

    @property
    def filled_quantity(self) -> Decimal:
        """What was filled on its own side, in base currency."""
        own = (one.filled_quantity for one in self.orders if one.side is self.side)
        return sum(own, Decimal(0))

    @property
    def average_price(self) -> Decimal | None:
        """Return the average price of that; None if nothing is filled."""
        quantity = self.filled_quantity
        notional = sum((one.notional for one in self.orders if one.side is self.side), Decimal(0))
        return notional / quantity if quantity else None

    def owed(self) -> tuple[Effect, ...]:
        """Return what the trigger book does not know yet, orders to take off, and a timer."""
        owed = []
        if any(one.is_wanted and not one.is_held for one in self.watches):
            owed.append(self._effect(EffectKind.ARM))
        elif not all(one.is_wanted for one in self.watches):
            owed.append(self._effect(EffectKind.DISARM))
        if any(one.withdrawn and one.is_live for one in self.orders):
            owed.append(self._effect(EffectKind.WITHDRAW, urgent=True))
        if self.resumes_at_ms is not None:
            # By the server's clock, as all retries are: one that was set back holds up no exit.
            owed.append(self._effect(EffectKind.ADVANCE, self.resumes_at_ms, urgent=True))
        if self.wakes_at_ms is not None:
            owed.append(self._effect(EffectKind.TIMER, self.wakes_at_ms))
        return tuple(owed)

    @property
    def resumes_at_ms(self) -> EpochMs | None:
        """Server time at which the pause of an exit is over, or that of the venue's stop."""
        pauses = (self.goes_on_at_ms, self.venue_stop.again_at_ms)
        return min((one for one in pauses if one is not None), default=None)

    @property
    def wakes_at_ms(self) -> EpochMs | None:
        """When time alone moves it: the end of the stop-loss timeout, or of a limit's patience."""
        moments = [at_ms for at_ms, _ in self.limits_that_end]
        if self.stop_deadline_ms is not None and not self.stop_is_due and self.status in GUARDED:
            moments.append(self.stop_deadline_ms)
        return min(moments, default=None)

    @property
    def limits_that_end(self) -> Sequence[tuple[EpochMs, StepOrder]]:
        """Its exits that rest at a limit, each with when that falls back to the market."""
        resting = (
            (step.market_from_ms, order)
            for step in self.steps
            for order in self.orders_of(step.id)
            if order.is_live and not order.withdrawn and order.price is not None
        )
        return [(at_ms, order) for at_ms, order in resting if at_ms is not None]

    @property
    def exit_fails(self) -> bool:
        """Whether its exits have filled nothing several times in a row, and it goes on."""
        exits = (one for one in self.orders if one.side is self.type.exit_side)
        return is_failing(self.misses, self.reason) and not any(
            one.status in AT_VENUE for one in exits
        )

    @property
    def resting_stop(self) -> StepOrder | None:
        """Its stop at the venue, from when it is to be sent until its end is known."""
        return next((one for one in self.orders if one.level is not None and one.is_live), None)

    @property
    def is_only_here(self) -> bool:
        """Whether its venue was to hold a stop of the open position, and is not known to."""
        is_wanted = self.status in GUARDED and self.venue_stop.is_wanted
        return is_wanted and not any(one.rests for one in self.orders)

    def _effect(
        self, kind: EffectKind, due_at_ms: EpochMs = AT_ONCE, *, urgent: bool = False
    ) -> Effect:
        effect = self.effect(kind, due_at_ms, urgent=urgent)
        return replace(effect, about=f"{kind} {self.sentence()}")

    def sentence(self) -> str:
        """Return, for instance, `smart trade Classic: 0.5 ETH/USDT, bought`."""
        status = self.status.replace("_", " ")
        return f"smart trade {self.type}: {self.asked_quantity:f} {self.symbol}, {status}"

    # What may be done with it now (spec 4.1)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL

    @property
    def is_editable(self) -> bool:
        """Whether an update may change something."""
        if self.status is TradeStatus.BUY_ORDER_PLACED:
            return all(one.price is not None and not one.filled_quantity for one in self.orders)
        return self.status in EDITABLE

    @property
    def is_cancellable(self) -> bool:
        """Whether a cancel is taken."""
        # A panic is left alone while its order is at work, and not for as long as it goes on.
        pauses = self.goes_on_at_ms is not None and not self.is_final
        return self.status in CANCELLABLE or pauses

    @property
    def is_panic_sellable(self) -> bool:
        """Whether a panic sell is taken."""
        return self.status in OPEN and not self.type.is_simple

    # Steps and orders

    def step(self, step_id: AggregateId | None) -> Step | None:
        """Return a step, or None if the trade has none with this id."""
        return next((one for one in self.steps if one.id == step_id), None)

    def steps_of(self, *kinds: StepKind) -> tuple[Step, ...]:
        """Return the steps of these kinds, by id."""
        return tuple(one for one in self.steps if one.kind in kinds)

    def orders_of(self, step_id: AggregateId) -> tuple[StepOrder, ...]:
        """Return the orders by which a step was carried out, oldest first; often one or none."""
        return tuple(one for one in self.orders if one.step_id == step_id)
