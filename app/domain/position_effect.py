"""Which leg an order works on, and whether it may only reduce (Hummingbot spec 2.5)."""

from dataclasses import dataclass

from app.domain.commands import PositionAction
from app.domain.enums import Market, PositionMode, PositionSide, Side


@dataclass(frozen=True, slots=True)
class Reach:
    """What an order may do to a position.

    Attributes:
        position_side: the leg that it works on; None for spot, and for one net position.
        reduce_only: whether the venue must not let it open anything.
        reduces: whether it may still run when entries may not.
    """

    position_side: PositionSide | None
    reduce_only: bool
    reduces: bool


def reach_of(side: Side, action: PositionAction, market: Market, mode: PositionMode) -> Reach:
    """Return what an order may do; a spot order ignores `action`, and a spot sale reduces."""
    if market is Market.SPOT:
        return Reach(None, reduce_only=False, reduces=side is Side.SELL)
    closes = action is PositionAction.CLOSE
    position_side = side.works_on(reduces=closes) if mode is PositionMode.HEDGE else None
    return Reach(position_side, reduce_only=closes, reduces=closes)
