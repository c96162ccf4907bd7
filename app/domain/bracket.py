"""The take-profit and the stop-loss of an entry (Crypto Arsenal spec 3.3)."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.enums import PriceSource
from app.domain.identifiers import EpochMs, FreshId, VenueName
from app.domain.order import Order
from app.domain.smart_order import SmartOrder
from app.domain.trigger import Trigger, protective_direction


def protection_of(
    entry: Order,
    levels: tuple[Decimal | None, Decimal | None],
    new_ids: Sequence[FreshId],
    at_ms: EpochMs,
    traded: tuple[VenueName, Decimal],
    quantity: Decimal,
) -> tuple[SmartOrder, ...]:
    """Return the smart orders that guard what `entry` has filled, reduce-only, market on trigger.

    Args:
        entry: the closed entry.
        levels: trigger prices of the take-profit and of the stop-loss; None leaves one out.
        new_ids: as many as there are levels.
        at_ms: business time.
        traded: the venue, and the price step of the symbol there.
        quantity: of what it has filled, that which has no guards yet.
    """
    side, (venue, price_step) = entry.side.opposite, traded
    against = protective_direction(side)
    directions = (against.opposite, against)
    return tuple(
        SmartOrder(
            id=fresh.id,
            parent_id=entry.parent_id,
            request_id=entry.request_id,
            **entry.beginning(at_ms),
            side=side,
            position_side=entry.position_side,
            quantity=quantity,
            # Two guards of one position: whichever comes second must not open the opposite.
            reduce_only=True,
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
        # Each level has its id whether it is wanted or not, so that a repeated decision gives the
        # same.
        for direction, level, fresh in zip(directions, levels, new_ids, strict=False)
        if level is not None
    )
