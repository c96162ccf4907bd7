"""What an account may trade at the paper venue, and how."""

import pytest

from app.domain.account import Account
from app.domain.enums import OrderType, PositionMode, PositionSide, Side
from app.domain.errors import VenueRejected
from app.paper.paper_venues import PaperTradingRules
from tests.support.builders import BTC, ETH, SPOT, USDM
from tests.support.paper_world import PaperWorld


def conditions(world: PaperWorld, account: Account = USDM) -> PaperTradingRules:
    return PaperTradingRules(account, world.ports)


def test_an_account_trades_what_its_market_has(world: PaperWorld) -> None:
    for account in (SPOT, USDM):
        found = conditions(world, account).instruments()

        assert [one.symbol for one in found] == [BTC, ETH]
        assert {one.market for one in found} == {account.market}


def test_the_venue_has_every_type(world: PaperWorld) -> None:
    assert set(conditions(world).order_types()) == set(OrderType)


def test_leverage_is_one_until_it_is_set(world: PaperWorld) -> None:
    venue = conditions(world)
    before = venue.leverage_of(BTC)

    venue.set_leverage(BTC, 10)
    venue.set_leverage(BTC, 10)

    assert (before, venue.leverage_of(BTC), venue.leverage_of(ETH)) == (1, 10, 5)


def test_the_position_mode_can_be_changed(world: PaperWorld) -> None:
    conditions(world).set_position_mode(PositionMode.ONEWAY)

    assert world.usdm.view().position_mode is PositionMode.ONEWAY


def test_what_the_desk_refuses_the_venue_refuses(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "1000", leg=PositionSide.LONG)
    world.usdm.place(order)

    with pytest.raises(VenueRejected):
        conditions(world).set_position_mode(PositionMode.ONEWAY)
    with pytest.raises(VenueRejected):
        conditions(world).set_leverage(ETH, 0)
    assert conditions(world).leverage_of(ETH) == 5
