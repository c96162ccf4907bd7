"""A smart trade while one event changes it: what becomes of it, and what it brings forth."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.decision import Decision, EntryName, TimelineEntry, ignored
from app.domain.enums import Direction, OrderType, Side
from app.domain.identifiers import AggregateId, EpochMs, FreshId, OrderId
from app.domain.order import Condition, Order
from app.domain.reason import Reason
from app.domain.smart_trade.enums import StepKind
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.watching import rebooked

#: Ids that one event may use up: four steps and a stop, and an order for each.
IDS_PER_EVENT = 10


class Draft:
    """The trade as it is so far in the course of one event. Lives no longer than that event.

    Attributes:
        trade: as it is so far.
        at_ms: when the event happened.
    """

    def __init__(
        self,
        trade: SmartTrade,
        at_ms: EpochMs,
        new_ids: Sequence[FreshId] = (),
        tick_at_ms: EpochMs | None = None,
    ) -> None:
        self.trade = trade
        self.at_ms = at_ms
        self._before = trade
        self._ids = iter(new_ids)
        self._tick_at_ms = tick_at_ms
        self._children: list[Order] = []
        self._entries: list[TimelineEntry] = []

    def change(self, **facts: Any) -> None:  # noqa: ANN401 - as `replace` has it
        """Change fields of the trade."""
        self.trade = replace(self.trade, **facts)

    def change_step(self, step_id: AggregateId, **facts: Any) -> None:  # noqa: ANN401 - likewise
        """Change fields of one step."""
        self.change(
            steps=tuple(
                replace(one, updated_at_ms=self.at_ms, **facts) if one.id == step_id else one
                for one in self.trade.steps
            )
        )

    def note_stop(self, **facts: Any) -> None:  # noqa: ANN401 - likewise
        """Change what is remembered of the stop at the venue."""
        self.change(venue_stop=replace(self.trade.venue_stop, **facts))

    def add_step(self, kind: StepKind, **facts: Any) -> Step:  # noqa: ANN401 - likewise
        """Add a step with a fresh id."""
        step = Step(
            id=next(self._ids).id,
            kind=kind,
            created_at_ms=self.at_ms,
            updated_at_ms=self.at_ms,
            **facts,
        )
        self.change(steps=(*self.trade.steps, step))
        return step

    def place(  # noqa: PLR0913 - what an order is
        self,
        step_id: AggregateId | None,
        side: Side,
        quantity: Decimal,
        price: Decimal | None,
        not_after_ms: EpochMs | None = None,
        *,
        rests: bool = False,
        level: Decimal | None = None,
    ) -> StepOrder:
        """Bring forth an order, at market without a price; it is sent once this is committed.

        One that rests waits for its price on the book: no time runs in which it is to fill. One
        with a level waits at its venue for the last price to come there, and then sells.
        """
        trade, fresh = self.trade, next(self._ids)
        is_exit = side is not trade.type.entry_side
        order = StepOrder(
            id=OrderId(fresh.id),
            client_order_id=fresh.client_order_id,
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=quantity,
            step_id=step_id,
            price=price,
            level=level,
        )
        self._children.append(
            Order(
                id=order.id,
                client_order_id=order.client_order_id,
                parent_id=trade.id,
                request_id=trade.id,
                **trade.beginning(self.at_ms),
                side=side,
                type=order.type,
                quantity=quantity,
                price=price,
                condition=None if level is None else _falls_to(level),
                reduces=is_exit or side is Side.SELL,
                fits_held=is_exit,
                not_after_ms=not_after_ms,
                tick_at_ms=self._tick_at_ms if level is None else None,
                due_at_ms=self.at_ms,
            )
        )
        # An exit may be tried for days: earlier tries that came to nothing are forgotten.
        known = (
            one
            for one in trade.orders
            if one.is_live or one.filled_quantity or one.step_id != step_id
        )
        self.change(orders=(*known, order))
        step = trade.step(step_id)
        ends = trade.exits.limit_ms and price is not None and not rests
        if is_exit and step is not None and ends:
            since_ms = step.market_from_ms or EpochMs(self.at_ms + trade.exits.limit_ms)
            self.change_step(step.id, market_from_ms=since_ms)
        return order

    def withdraw(self, orders: Iterable[StepOrder]) -> None:
        """Have these orders taken off, if they still may fill."""
        gone = {one.id for one in orders if one.is_live}
        self.change(
            orders=tuple(
                replace(one, withdrawn=True) if one.id in gone else one for one in self.trade.orders
            )
        )

    def start_over(self) -> None:
        """Let exits be tried at once, however they went so far."""
        self.change(misses=0, goes_on_at_ms=None, empty_since_ms=None, reason=None)

    def tell(self, name: EntryName, reason: Reason | None = None) -> None:
        """Add a line to the timeline."""
        self._entries.append(TimelineEntry(name, self.at_ms, reason))

    def decision(self, why_nothing: str) -> Decision[SmartTrade]:
        """Return what has become of the trade; if nothing has, that the event was ignored."""
        # After each event, whatever it was: no handler has to think of the trigger book.
        trade = rebooked(self.trade)
        # Nothing but the time would change: ignored, so that repeated news writes nothing.
        if trade == self._before:
            return ignored(self._before, why_nothing)
        if trade.is_final and not self._before.is_final:
            trade = replace(trade, closed_at_ms=self.at_ms)
            self.tell(EntryName.CLOSED, trade.reason)
        trade = replace(trade, updated_at_ms=self.at_ms)
        return Decision(trade, tuple(self._children), tuple(self._entries))


def _falls_to(level: Decimal) -> Condition:
    return Condition(level=level, direction=Direction.FALLING)
