"""What a caller may ask of a smart order, and what an amendment makes of it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import PlaceSmartOrder
from app.domain.enums import (
    Direction,
    PriceSource,
    Side,
    SmartOrderType,
    StopDirection,
    StopPrice,
    TimeInForce,
)
from app.domain.trigger import Offset
from tests.support.builders import BTC

RISING, FALLING = Direction.RISING, Direction.FALLING
STOP = PlaceSmartOrder(
    symbol=BTC,
    side=Side.BUY,
    type=SmartOrderType.STOP,
    time_in_force=TimeInForce.FOK,
    quantity=Decimal("0.01"),
    stop=Decimal(20_000),
    caller_id="old",
)
STOP_LIMIT = replace(STOP, type=SmartOrderType.STOP_LIMIT, price=Decimal(20_100))


def test_an_empty_amendment_makes_the_same_again_under_no_name() -> None:
    assert STOP_LIMIT.amended({}) == replace(STOP_LIMIT, caller_id=None)


def test_what_is_amended_is_laid_over_what_was() -> None:
    change = {
        "price": Decimal(19_000),
        "quantity": Decimal(1),
        "stop": Decimal(19_500),
        "caller_id": "new",
    }

    new = STOP_LIMIT.amended(change)

    assert new == replace(
        STOP_LIMIT,
        price=Decimal(19_000),
        quantity=Decimal(1),
        stop=Decimal(19_500),
        caller_id="new",
    )


@pytest.mark.parametrize(
    ("old", "change", "kind", "price"),
    [
        (STOP, {"price": Decimal(1)}, SmartOrderType.STOP_LIMIT, "1"),
        (STOP, {"type": SmartOrderType.STOP, "price": Decimal(1)}, SmartOrderType.STOP, "1"),
        (STOP, {"type": SmartOrderType.STOP_LIMIT}, SmartOrderType.STOP_LIMIT, None),
        (STOP_LIMIT, {"type": SmartOrderType.STOP}, SmartOrderType.STOP, None),
        (STOP_LIMIT, {}, SmartOrderType.STOP_LIMIT, "20100"),
        (
            replace(STOP, type=SmartOrderType.TRAILING_STOP, trail=Offset(Decimal(5))),
            {"price": Decimal(1)},
            SmartOrderType.TRAILING_STOP,
            "1",
        ),
    ],
)
def test_no_bound_on_the_price_is_dropped_or_kept_silently(
    old: PlaceSmartOrder, change: dict[str, object], kind: SmartOrderType, price: str | None
) -> None:
    new = old.amended(change)

    assert (new.type, new.price) == (kind, None if price is None else Decimal(price))


SIDE, INFER, OPERATOR = StopDirection.SIDE, StopDirection.INFER, StopDirection.OPERATOR


@pytest.mark.parametrize(
    ("side", "mode", "operator", "price", "expected"),
    [
        (Side.BUY, SIDE, None, "30000", RISING),
        (Side.SELL, SIDE, RISING, "10000", FALLING),
        (Side.BUY, INFER, None, "30000", FALLING),
        (Side.SELL, INFER, None, "10000", RISING),
        (Side.SELL, INFER, None, "20000", FALLING),
        (Side.BUY, INFER, None, None, RISING),
        (Side.BUY, OPERATOR, FALLING, "10000", FALLING),
        (Side.BUY, OPERATOR, None, "30000", RISING),
    ],
)
def test_which_way_the_price_must_go(
    side: Side,
    mode: StopDirection,
    operator: Direction | None,
    price: str | None,
    expected: Direction,
) -> None:
    command = replace(STOP, side=side, operator=operator)

    found = command.stop_direction(mode, None if price is None else Decimal(price))

    assert found is expected


@pytest.mark.parametrize(
    ("side", "operator", "expected"),
    [
        (Side.SELL, None, RISING),
        (Side.BUY, None, FALLING),
        (Side.SELL, FALLING, FALLING),
        (Side.BUY, RISING, RISING),
    ],
)
def test_which_way_the_price_must_go_before_it_trails(
    side: Side, operator: Direction | None, expected: Direction
) -> None:
    command = replace(STOP, side=side, operator=operator)

    assert command.activation_direction() is expected
    assert replace(command, stop=None).activation_direction() is None


@pytest.mark.parametrize(
    ("word", "buys", "sells"),
    [
        (StopPrice.LAST, PriceSource.LAST, PriceSource.LAST),
        (StopPrice.MARK, PriceSource.MARK, PriceSource.MARK),
        (StopPrice.TOUCH, PriceSource.ASK, PriceSource.BID),
    ],
)
def test_which_price_is_watched(word: StopPrice, buys: PriceSource, sells: PriceSource) -> None:
    assert (word.source(Side.BUY), word.source(Side.SELL)) == (buys, sells)


@pytest.mark.parametrize(("value", "is_percent"), [("-1", False), ("100", True), ("NaN", False)])
def test_what_is_no_distance_is_refused(value: str, *, is_percent: bool) -> None:
    with pytest.raises(ValueError, match="an offset was"):
        Offset(Decimal(value), is_percent=is_percent)


def test_a_distance_is_shown_as_it_was_given() -> None:
    assert [str(Offset(Decimal(500))), str(Offset(Decimal("1.50"), is_percent=True))] == [
        "500",
        "1.50%",
    ]
