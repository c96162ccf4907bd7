"""A lane in which others trade all the time, past it."""

from decimal import Decimal

from app.domain.commands import Action
from app.domain.enums import Side
from app.domain.identifiers import AggregateId, OrderId, client_order_id
from app.domain.market import AccountView
from app.services.intake.accept import Accepted
from app.services.placing.place import place_order
from tests.support.builders import INSTALLATION, a_command, a_view, an_id, an_order, fixed, percent
from tests.support.clocks import nothing
from tests.support.rig import POLICY, Rig

BUY = a_command(size=fixed("0.1"))
HALF = a_command(Action.SELL, size=percent("50"))
PATIENCE_MS = POLICY.lane_patience_ms
LATENCY_MS = 2_000


def past_the_lane(rig: Rig, **odd: object) -> AggregateId:
    """Put an order that goes straight to the venue."""
    made_ms = rig.clock.now_ms()
    one = AggregateId(max([an_id(900), *(order.id for order in rig.orders())]) + 16)
    name = client_order_id(INSTALLATION, one)
    rig.put(an_order(id=OrderId(one), client_order_id=name, created_at_ms=made_ms, **odd))
    return one


def trade_whenever_asked(rig: Rig) -> None:
    """Let an order come and go past the lane whenever the venue is asked what there is."""

    def trade() -> None:
        rig.venue.before_view = nothing
        place_order(OrderId(past_the_lane(rig)), rig.ports)
        rig.clock.advance(LATENCY_MS)
        rig.venue.before_view = trade

    rig.venue.before_view = trade


def sized(rig: Rig, accepted: Accepted) -> bool:
    """Tell whether a request had its turn."""
    return rig.signal(accepted.id).order_id is not None


def wait(rig: Rig) -> None:
    rig.clock.advance(PATIENCE_MS)


def test_an_exit_gets_its_turn_though_others_trade_all_the_time(rig: Rig) -> None:
    accepted = rig.accept(HALF)
    trade_whenever_asked(rig)

    for _ in range(POLICY.lane_patience_ms // LATENCY_MS + 1):
        rig.spot_lane()

    assert sized(rig, accepted)


def test_an_exit_gets_its_turn_though_something_is_always_in_flight(rig: Rig) -> None:
    accepted = rig.accept(HALF)
    for _ in range(PATIENCE_MS // LATENCY_MS + 1):
        rig.clock.advance(LATENCY_MS)
        past_the_lane(rig)
        rig.spot_lane()

    assert sized(rig, accepted)


def test_a_close_of_exact_size_is_let_go_likewise(rig: Rig) -> None:
    one = past_the_lane(rig, side=Side.SELL, reduces=True, awaits_turn=True)
    rig.clock.advance(1)
    past_the_lane(rig)
    wait(rig)

    rig.spot_lane()

    order = rig.order(one)
    assert (order.is_queued, order.had_turn) == (False, True)


def test_an_exit_waits_at_first_for_whatever_is_in_flight(rig: Rig) -> None:
    accepted = rig.accept(HALF)
    rig.clock.advance(1)
    past_the_lane(rig)
    rig.clock.advance(PATIENCE_MS - 2)

    rig.spot_lane()

    assert not sized(rig, accepted)


def test_an_exit_waits_for_what_was_in_flight_before_it(rig: Rig) -> None:
    past_the_lane(rig)
    accepted = rig.accept(HALF)
    past_the_lane(rig)
    wait(rig)

    rig.spot_lane()

    assert not sized(rig, accepted)


def test_an_entry_waits_for_whatever_is_in_flight(rig: Rig) -> None:
    accepted = rig.accept(BUY)
    rig.clock.advance(1)
    past_the_lane(rig)
    wait(rig)

    rig.spot_lane()

    assert not sized(rig, accepted)


def test_an_exit_behind_an_entry_goes_ahead_of_what_came_after_it(rig: Rig) -> None:
    rig.accept(BUY)
    accepted = rig.accept(HALF)
    rig.clock.advance(1)
    past_the_lane(rig)
    wait(rig)

    rig.spot_lane()

    assert sized(rig, accepted)


def test_an_exit_waits_for_the_one_whose_turn_was_before(rig: Rig) -> None:
    rig.go_live()  # where what had its turn is sent later
    first, second = rig.accept(HALF), rig.accept(HALF)
    rig.clock.advance(1)
    rig.spot_lane()
    wait(rig)

    rig.spot_lane()

    assert (sized(rig, first), sized(rig, second)) == (True, False)


def test_what_the_venue_told_before_another_had_its_turn_does_not_count(rig: Rig) -> None:
    """Also after an exit has waited for long: its account is as the turn before has left it."""
    accepted = rig.accept(HALF)
    wait(rig)

    def another_turn() -> None:
        rig.venue.before_view = nothing
        place_order(OrderId(past_the_lane(rig, had_turn=True)), rig.ports)
        rig.venue.account = a_view({"BTC": "0.1"})

    rig.venue.before_view = another_turn
    views = rig.venue.view

    def old_view() -> AccountView:
        rig.venue.view = views  # type: ignore[method-assign]
        told = rig.venue.account
        views()
        return told

    rig.venue.view = old_view  # type: ignore[method-assign]

    rig.spot_lane()

    (order,) = [one for one in rig.orders() if one.parent_id == accepted.id]
    assert order.quantity == Decimal("0.05")
