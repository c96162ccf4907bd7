"""Which leg an order works on (Hummingbot spec, section 2.5)."""

import pytest

from app.domain.commands import PositionAction
from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.position_effect import Reach, reach_of

BUY, SELL = Side
OPEN, CLOSE = PositionAction
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.mark.parametrize(
    ("side", "action", "mode", "leg"),
    [
        (BUY, OPEN, HEDGE, LONG),
        (SELL, OPEN, HEDGE, SHORT),
        (SELL, CLOSE, HEDGE, LONG),
        (BUY, CLOSE, HEDGE, SHORT),
        (BUY, OPEN, ONEWAY, None),
        (SELL, OPEN, ONEWAY, None),
        (SELL, CLOSE, ONEWAY, None),
        (BUY, CLOSE, ONEWAY, None),
    ],
)
def test_an_order_works_on_its_leg(
    side: Side, action: PositionAction, mode: PositionMode, leg: PositionSide | None
) -> None:
    closes = action is CLOSE

    assert reach_of(side, action, Market.USDM, mode) == Reach(leg, closes, closes)


@pytest.mark.parametrize("action", PositionAction)
@pytest.mark.parametrize("side", Side)
def test_spot_ignores_the_action(side: Side, action: PositionAction) -> None:
    assert reach_of(side, action, Market.SPOT, HEDGE) == Reach(
        None, reduce_only=False, reduces=side is SELL
    )
