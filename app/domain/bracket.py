"""The take-profit and the stop-loss of an entry (Crypto Arsenal spec 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.decision import Child
from app.domain.entity import Entity
from app.domain.enums import Direction, PositionSide, PriceSource, Side
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
        beyond_percent: how far beyond the stop-loss that of the venue lies; None: it holds none.
    """

    owner: Entity
    side: Side
    position_side: PositionSide | None
    venue: VenueName
    price_step: Decimal
    beyond_percent: Decimal | None = None

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
            children.append(self._guard(new_ids[1], loss, against, quantity, at_ms))
            children += self.beyond(loss, quantity, new_ids[2:], at_ms)
        return tuple(children)

    def beyond(
        self, loss: Decimal, quantity: Decimal, new_ids: Sequence[FreshId], at_ms: EpochMs
    ) -> tuple[Child, ...]:
        """Return the one that the venue holds beyond a stop-loss, and its order, if it holds one.

        Args:
            loss: the price of ours.
            quantity: of the position.
            new_ids: two.
            at_ms: business time.
        """
        if self.beyond_percent is None:
            return ()
        away = loss * self.beyond_percent / 100
        further = loss - away if self.side is Side.SELL else loss + away
        level = on_tick(further, self.price_step, self.side.opposite)  # not nearer than that
        if level <= 0:
            return ()
        direction = protective_direction(self.side)
        return resting(self._guard(new_ids[0], level, direction, quantity, at_ms), new_ids[1])

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
