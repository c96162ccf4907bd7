"""The take-profit and the stop-loss of an entry (Crypto Arsenal spec 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.decision import Child
from app.domain.entity import Entity
from app.domain.enums import Direction, PositionSide, PriceSource, Side
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import EpochMs, FreshId, VenueName
from app.domain.instrument import on_tick
from app.domain.smart_order import SmartOrder
from app.domain.smart_order_placing import resting
from app.domain.trigger import Trigger, protective_direction

#: Ids that the guards which the venue holds may use up: two, and an order for each.
IDS_AT_VENUE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What guards one position: smart orders, reduce-only, at the market when their price comes.

    Attributes:
        owner: whose position it is, and whose children they are.
        side: on which they trade.
        position_side: the leg; None outside futures.
        venue: whose prices they watch.
        price_step: tick of the symbol there.
        exits: who holds what guards it, and how far beyond each the other one lies.
    """

    owner: Entity
    side: Side
    position_side: PositionSide | None
    venue: VenueName
    price_step: Decimal
    exits: ExitRules = USUAL

    def ours(
        self,
        levels: tuple[Decimal | None, Decimal | None],
        quantity: Decimal,
        new_ids: Sequence[FreshId],
        at_ms: EpochMs,
    ) -> tuple[Child, ...]:
        """Return those of so much of the position that wait here.

        Args:
            levels: of take-profit and stop-loss; None leaves one out.
            quantity: that which has no guards yet.
            new_ids: two.
            at_ms: business time.
        """
        profit, loss = levels
        against = protective_direction(self.side)
        # Each has its id whether it is wanted or not, so that a repeated decision gives the same.
        ours = ((new_ids[0], profit, against.opposite), (new_ids[1], loss, against))
        children: list[Child] = []
        for fresh, wanted, direction in ours:
            level = self._beyond(wanted, direction) if self.exits.venue_first else wanted
            if level is not None:
                children.append(self._guard(fresh, level, direction, quantity, at_ms))
        return tuple(children)

    def of_venue(
        self,
        levels: tuple[Decimal | None, Decimal | None],
        quantity: Decimal,
        new_ids: Sequence[FreshId],
        at_ms: EpochMs,
    ) -> tuple[Child, ...]:
        """Return those that the venue holds, and their orders, if it holds any.

        A take-profit is no protection: the venue holds it only where it acts first.

        Args:
            levels: of take-profit and stop-loss; None leaves one out.
            quantity: of the position.
            new_ids: four.
            at_ms: business time.
        """
        profit, loss = levels
        first, against = self.exits.venue_first, protective_direction(self.side)
        held: list[Child] = []
        for ids, wanted, direction in (
            (new_ids[:2], loss, against),
            (new_ids[2:], profit if first else None, against.opposite),
        ):
            level = self._at_venue(wanted, direction)
            if level is not None:
                guard = self._guard(ids[0], level, direction, quantity, at_ms)
                held += resting(replace(guard, falls_back=first), ids[1], at_ms)
        return tuple(held)

    def _at_venue(self, wanted: Decimal | None, direction: Direction) -> Decimal | None:
        """Return the price for which the venue waits; None if it holds none."""
        if wanted is None or not self.exits.venue_first:
            return self._beyond(wanted, direction)
        return self._on_step(wanted, direction)

    def _beyond(self, wanted: Decimal | None, direction: Direction) -> Decimal | None:
        """Return the price of the other one; None if there is none."""
        further = None if wanted is None else self.exits.beyond(wanted, direction)
        return None if further is None else self._on_step(further, direction)

    def _on_step(self, level: Decimal, direction: Direction) -> Decimal | None:
        """Return the price as the venue takes it, no nearer than it is; None if that is nothing."""
        side = Side.BUY if direction is Direction.FALLING else Side.SELL
        found = on_tick(level, self.price_step, side)
        return found if found > 0 else None

    def _guard(
        self,
        fresh: FreshId,
        level: Decimal,
        direction: Direction,
        quantity: Decimal,
        at_ms: EpochMs,
    ) -> SmartOrder:
        return SmartOrder(
            id=fresh.id,
            parent_id=self.owner.id,
            request_id=self.owner.id,
            **self.owner.beginning(at_ms),
            side=self.side,
            position_side=self.position_side,
            quantity=quantity,
            # Several guards of one position: whichever comes second must not open the opposite.
            reduce_only=True,
            trigger=Trigger(
                owner=fresh.id,
                venue=self.venue,
                symbol=self.owner.symbol,
                source=PriceSource.LAST,
                direction=direction,
                level=level,
                price_step=self.price_step,
                # An entry may fill at a price that is past its stop already.
                looks_now=True,
            ),
        )
