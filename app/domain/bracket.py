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
from app.domain.smart_order_life import resting
from app.domain.trigger import Trigger, protective_direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What guards one position: smart orders, reduce-only, at the market when their price comes.

    Attributes:
        owner: whose position it is, and whose children they are.
        side: on which they trade.
        position_side: the leg; None outside futures.
        venue: whose prices they watch.
        price_step: tick of the symbol there.
        exits: who holds the stop-loss, and how far beyond it the other one lies.
    """

    owner: Entity
    side: Side
    position_side: PositionSide | None
    venue: VenueName
    price_step: Decimal
    exits: ExitRules = USUAL

    def guards(
        self,
        levels: tuple[Decimal | None, Decimal | None],
        quantity: Decimal,
        new_ids: Sequence[FreshId],
        at_ms: EpochMs,
    ) -> tuple[Child, ...]:
        """Return those of so much of the position, and the order of the one that the venue holds.

        Args:
            levels: of take-profit and stop-loss; None leaves one out.
            quantity: that which has no guards yet.
            new_ids: four.
            at_ms: business time.
        """
        profit, loss = levels
        against = protective_direction(self.side)
        # Each has its id whether it is wanted or not, so that a repeated decision gives the same.
        children: list[Child] = []
        if profit is not None:
            children.append(self._guard(new_ids[0], profit, against.opposite, quantity, at_ms))
        if loss is not None:
            ours = self._beyond(loss) if self.exits.venue_first else loss
            if ours is not None:
                children.append(self._guard(new_ids[1], ours, against, quantity, at_ms))
            children += self.of_venue(loss, quantity, new_ids[2:], at_ms)
        return tuple(children)

    def of_venue(
        self, loss: Decimal, quantity: Decimal, new_ids: Sequence[FreshId], at_ms: EpochMs
    ) -> tuple[Child, ...]:
        """Return the one that the venue holds, and its order, if it holds one.

        Args:
            loss: the price of the stop-loss.
            quantity: of the position.
            new_ids: two.
            at_ms: business time.
        """
        first = self.exits.venue_first
        level = self._on_step(loss) if first else self._beyond(loss)
        if not level:
            return ()
        direction = protective_direction(self.side)
        guard = self._guard(new_ids[0], level, direction, quantity, at_ms)
        return resting(replace(guard, falls_back=first), new_ids[1])

    def _beyond(self, loss: Decimal) -> Decimal | None:
        """Return the price of the other stop; None if there is none."""
        if self.exits.beyond_percent is None:
            return None
        away = loss * self.exits.beyond_percent / 100
        further = loss - away if self.side is Side.SELL else loss + away
        level = self._on_step(further)
        return level if level > 0 else None

    def _on_step(self, level: Decimal) -> Decimal:
        """Return the price as the venue takes it, no nearer than it is."""
        return on_tick(level, self.price_step, self.side.opposite)

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
