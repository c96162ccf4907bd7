"""The command behind what came in once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.aggregate import Aggregate
from app.domain.commands import Action, PlaceOrder, SignalCommand
from app.domain.enums import Direction, OrderType, SmartOrderType, StopDirection
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.replay import (
    SmartOrderReplay,
    as_given,
    command_of,
    in_proportion,
    market_then,
    names_prices,
    why_not,
)
from app.domain.trigger import Offset
from tests.support.builders import NOW, a_signal, a_smart_order, an_order

HALF = in_proportion(Decimal(50_000), Decimal(25_000), Decimal("0.01"))


@pytest.mark.parametrize(
    ("price", "now", "scaled"),
    [("51000", "25000", "25500"), ("49999.99", "50000", "49999.99"), ("1", "33333", "0.67")],
)
def test_prices_keep_their_distance_in_percent(price: str, now: str, scaled: str) -> None:
    reprice = in_proportion(Decimal(50_000), Decimal(now), Decimal("0.01"))

    assert reprice(Decimal(price)) == Decimal(scaled)
    assert reprice(None) is None


def test_a_signal_keeps_its_delay_and_loses_its_caller_id() -> None:
    signal = a_signal(
        Action.BUY,
        due_at_ms=EpochMs(NOW + 10_000),
        created_at_ms=NOW,
        caller_id="mine",
        limit_price=Decimal(51_000),
        take_profit=Decimal(60_000),
        stop_loss=Decimal(40_000),
    )

    command = command_of(signal, HALF)

    assert isinstance(command, SignalCommand)
    assert (command.delay_ms, command.caller_id, command.size) == (10_000, None, signal.size)
    prices = (command.limit_price, command.take_profit, command.stop_loss)
    assert prices == (Decimal(25_500), Decimal(30_000), Decimal(20_000))


def test_an_order_is_placed_as_it_was() -> None:
    order = an_order(type=OrderType.LIMIT, price=Decimal(40_000), caller_id=None)

    command = command_of(order, as_given)

    assert isinstance(command, PlaceOrder)
    assert (command.price, command.quantity) == (order.price, order.quantity)


def test_a_smart_order_waits_for_the_same_way() -> None:
    waiting = a_smart_order()

    replay = command_of(waiting, HALF)

    assert isinstance(replay, SmartOrderReplay)
    assert replay.rules.direction is StopDirection.OPERATOR
    assert replay.command.operator is waiting.trigger.direction
    assert replay.rules.stop_price.source(waiting.side) is waiting.trigger.source
    assert waiting.trigger.level is not None
    assert replay.command.stop == waiting.trigger.level / 2


@pytest.mark.parametrize(
    ("trail", "moved"),
    [
        (Offset(Decimal(500)), Offset(Decimal(250))),
        (Offset(Decimal(5), is_percent=True), Offset(Decimal(5), is_percent=True)),
    ],
)
def test_a_distance_in_percent_stays(trail: Offset, moved: Offset) -> None:
    waiting = a_smart_order()
    trigger = replace(
        waiting.trigger, level=None, trail=trail, direction=Direction.FALLING, looks_now=True
    )
    trailing = replace(waiting, trigger=trigger, type=SmartOrderType.TRAILING_STOP)

    replay = command_of(trailing, HALF)

    assert isinstance(replay, SmartOrderReplay)
    assert replay.command.trail == moved


def test_the_market_then_is_what_was_paid() -> None:
    assert market_then(an_order(average_price=Decimal(50_000))) == 50_000
    assert market_then(an_order()) is None


@pytest.mark.parametrize(("one", "named"), [(a_signal(Action.BUY), False), (a_smart_order(), True)])
def test_a_command_names_prices_or_none(one: Aggregate, named: bool) -> None:  # noqa: FBT001
    assert names_prices(one) is named


def test_what_is_part_of_something_else_is_not_replayed() -> None:
    child = an_order(parent_id=AggregateId(7))

    assert why_not(child) == "it was brought forth by 7: replay that"
    assert why_not(a_signal(Action.CANCEL_ALL)) is not None
    assert why_not(a_signal(Action.BUY)) is None
