"""The take-profit and the stop-loss of an entry (Crypto Arsenal spec 3.3)."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.decision import Child
from app.domain.enums import Direction, PriceSource, Side
from app.domain.identifiers import EpochMs, FreshId, VenueName
from app.domain.instrument import on_tick
from app.domain.order import Order
from app.domain.smart_order import SmartOrder
from app.domain.smart_order_life import resting
from app.domain.trigger import Trigger, protective_direction


def protection_of(
    entry: Order,
    levels: tuple[Decimal | None, Decimal | None, Decimal | None],
    new_ids: Sequence[FreshId],
    at_ms: EpochMs,
    traded: tuple[VenueName, Decimal],
    quantity: Decimal,
) -> tuple[Child, ...]:
    """Return the smart orders that guard what `entry` has filled, reduce-only, market on trigger.

    The venue may hold a stop-loss beyond ours: then its order is among what is returned.

    Args:
        entry: the closed entry.
        levels: trigger prices of the take-profit, of the stop-loss, and of that which the venue
            holds; None leaves one out.
        new_ids: one for each level, and another for the order that the venue holds.
        at_ms: business time.
        traded: the venue, and the price step of the symbol there.
        quantity: of what it has filled, that which has no guards yet.

    Returns:
        Take-profit, stop-loss and that of the venue with its order, as far as there are any.
    """
    venue, price_step = traded
    side = entry.side.opposite
    against = protective_direction(side)

    def guard(
        fresh: FreshId, level: Decimal, direction: Direction, *, at_venue: bool
    ) -> SmartOrder:
        return SmartOrder(
            id=fresh.id,
            parent_id=entry.parent_id,
            request_id=entry.request_id,
            **entry.beginning(at_ms),
            side=side,
            position_side=entry.position_side,
            quantity=quantity,
            # Several guards of one position: whichever comes second must not open the opposite.
            reduce_only=True,
            at_venue=at_venue,
            trigger=Trigger(
                owner=fresh.id,
                venue=venue,
                symbol=entry.symbol,
                source=PriceSource.LAST,
                direction=direction,
                level=level,
                price_step=price_step,
                # An entry may fill at a price that is past its stop already.
                looks_now=True,
            ),
        )

    profit, loss, beyond = levels
    # Each has its ids whether it is wanted or not, so that a repeated decision gives the same.
    children: list[Child] = []
    if profit is not None:
        children.append(guard(new_ids[0], profit, against.opposite, at_venue=False))
    if loss is not None:
        children.append(guard(new_ids[1], loss, against, at_venue=False))
    if beyond is not None:
        outlasting = guard(new_ids[2], beyond, against, at_venue=True)
        children += resting(outlasting, new_ids[3], at_ms)
    return tuple(children)


def beyond_stop(
    level: Decimal | None, side: Side, price_step: Decimal, percent: Decimal | None
) -> Decimal | None:
    """Return where the venue holds a stop that is to act after ours; None if it holds none.

    Args:
        level: of ours, if there is one.
        side: on which both trade.
        price_step: tick of the symbol.
        percent: how far beyond ours it lies; None: there is none.
    """
    if level is None or percent is None:
        return None
    away = level * percent / 100
    beyond = level - away if side is Side.SELL else level + away
    on_step = on_tick(beyond, price_step, side.opposite)  # not nearer than that
    return on_step if on_step > 0 else None
