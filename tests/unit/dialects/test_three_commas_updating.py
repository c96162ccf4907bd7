"""Updates, and what else is done with a trade: what is named changes, what is not stays."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from app.dialects.three_commas.errors import InvalidParameters
from app.dialects.three_commas.parameters import STEPS
from app.dialects.three_commas.parse import funds_from, step_in, update_from
from app.dialects.three_commas.schemas import ResponseType
from app.domain.enums import OrderType, PriceSource
from app.domain.smart_trade.enums import (
    EntryMethod,
    StepStatus,
    TakeProfitType,
    TradeStatus,
    TradeType,
)
from app.domain.smart_trade.spec import EntryRule, PlannedStep, PriceCondition, StopLoss, TakeProfit
from app.domain.smart_trade.spec import TradeUpdate as Update
from app.domain.smart_trade.trade import SmartTrade
from tests.support.three_commas_trades import ENTRY, PROFIT, STOP, a_trade

BOTH = {"take_profit_enabled": True, "stop_loss_enabled": True}
OFF = {"take_profit_enabled": False, "stop_loss_enabled": False}
BOUGHT = a_trade()
BARE = a_trade(take_profit=None, stop_loss=None, steps=(ENTRY,))
TRAILED = a_trade(
    type=TradeType.CONDITIONAL_BUY,
    status=TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE,
    entry=EntryRule(
        method=EntryMethod.CONDITIONAL, price=Decimal(100), trailing_percent=Decimal(5)
    ),
    steps=(
        replace(ENTRY, status=StepStatus.IDLE),
        replace(PROFIT, price=None, price_percentage=Decimal(5)),
        replace(STOP, price=None, price_percentage=Decimal(-3)),
    ),
    orders=(),
)
STEPPED = a_trade(take_profit=TakeProfit(type=TakeProfitType.STEP_SELL))

MISSING, INVALID = "is missing", "is invalid"


def wrong(parameters: Mapping[str, object], trade: SmartTrade) -> Mapping[str, object]:
    with pytest.raises(InvalidParameters) as refused:
        update_from(parameters, trade)
    return refused.value.fields


def test_what_is_not_named_stays() -> None:
    assert update_from(BOTH, BOUGHT) == Update(take_profit_enabled=True, stop_loss_enabled=True)
    assert update_from(OFF, BOUGHT) == Update(take_profit_enabled=False, stop_loss_enabled=False)


def test_everything_can_be_named() -> None:
    parameters = {
        **BOTH,
        "take_profit_price_condition": 120,
        "take_profit_price_method": "last",
        "take_profit_sell_method": "limit",
        "take_profit_sell_order_price": "121",
        "stop_loss_price_condition": 90,
        "stop_loss_price_method": "ask",
        "trailing_stop_loss": True,
        "stop_loss_timeout_enabled": True,
        "stop_loss_timeout_seconds": 60,
        "note": "changed",
    }

    assert update_from(parameters, BOUGHT) == Update(
        take_profit_enabled=True,
        take_profit_price=Decimal(120),
        take_profit_source=PriceSource.LAST,
        take_profit_order_type=OrderType.LIMIT,
        take_profit_order_price=Decimal(121),
        stop_loss_enabled=True,
        stop_loss_price=Decimal(90),
        stop_loss_source=PriceSource.ASK,
        stop_loss_is_trailing=True,
        stop_loss_timeout_enabled=True,
        stop_loss_timeout_seconds=60,
        note="changed",
    )


def test_an_entry_that_waits_can_be_named() -> None:
    parameters = {
        **OFF,
        "buy_price": 99,
        "trailing_buy_enabled": False,
        "conditional_limit_price": 98,
        "average_buy_price": 97,
    }

    update = update_from(parameters, TRAILED)

    assert (update.entry_price, update.entry_limit_price) == (Decimal(99), Decimal(98))
    assert (update.entry_is_trailing, update.basis_price) == (False, Decimal(97))


@pytest.mark.parametrize(
    ("odd", "fields"),
    [
        ({}, {"take_profit_enabled": [MISSING], "stop_loss_enabled": [MISSING]}),
        (
            {**BOTH, "take_profit_price_condition": 0},
            {"take_profit_price_condition": ["must be greater than 0"]},
        ),
        ({**BOTH, "take_profit_type": "x"}, {"take_profit_type": ["is not included in the list"]}),
        ({**BOTH, "take_profit_sell_method": "limit"}, {"take_profit_sell_order_price": [MISSING]}),
        ({**BOTH, "trailing_take_profit": True}, {"trailing_take_profit_step": [MISSING]}),
        (
            {
                **BOTH,
                "trailing_take_profit": True,
                "trailing_take_profit_step": 2,
                "take_profit_sell_method": "limit",
                "take_profit_sell_order_price": 106,
            },
            {"trailing_take_profit": [INVALID]},
        ),
        ({**BOTH, "take_profit_type": "step_sell"}, {STEPS: [MISSING]}),
        ({**BOTH, "stop_loss_sell_method": "limit"}, {"stop_loss_sell_order_price": [MISSING]}),
        (
            {
                **BOTH,
                "stop_loss_sell_method": "limit",
                "stop_loss_sell_order_price": 94,
                "trailing_stop_loss": True,
            },
            {"trailing_stop_loss": [INVALID]},
        ),
        (
            {**BOTH, "stop_loss_timeout_enabled": True, "stop_loss_timeout_seconds": 0},
            {"stop_loss_timeout_seconds": ["must be greater than 0"]},
        ),
        (
            {**OFF, "trailing_buy_enabled": True, "conditional_limit_price": 5},
            {"conditional_limit_price": [INVALID]},
        ),
        ({**OFF, "buy_price": "x"}, {"buy_price": [INVALID]}),
    ],
)
def test_what_can_be_wrong(odd: Mapping[str, object], fields: Mapping[str, object]) -> None:
    assert wrong(odd, BOUGHT) == fields


def test_an_exit_that_is_switched_on_must_say_when_it_begins() -> None:
    assert wrong(BOTH, BARE) == {
        "take_profit_type": [MISSING],
        "stop_loss_price_condition": [MISSING],
    }
    assert wrong({**BOTH, "take_profit_type": "classic"}, BARE) == {
        "take_profit_price_condition": [MISSING],
        "stop_loss_price_condition": [MISSING],
    }


def test_what_the_trade_has_needs_no_naming() -> None:
    limits = a_trade(
        take_profit=TakeProfit(order_type=OrderType.LIMIT, order_price=Decimal(106)),
        stop_loss=StopLoss(order_type=OrderType.LIMIT, order_price=Decimal(94)),
    )

    update = update_from({**BOTH, "take_profit_price_condition": 107}, limits)

    assert update.take_profit_price == Decimal(107)
    assert update.take_profit_order_price is None


def test_before_a_trailing_entry_percentages_count() -> None:
    parameters = {**BOTH, "take_profit_percentage_condition": -1}

    assert wrong(parameters, TRAILED) == {"take_profit_percentage_condition": ["must be positive"]}
    update = update_from({**BOTH, "stop_loss_percentage_condition": -4}, TRAILED)
    assert update.stop_loss_percentage == Decimal(-4)


def test_an_entry_that_begins_to_trail_needs_percentages() -> None:
    waits = replace(
        TRAILED,
        entry=EntryRule(method=EntryMethod.CONDITIONAL, price=Decimal(100)),
        steps=(ENTRY, PROFIT, STOP),
    )

    assert wrong({**BOTH, "trailing_buy_enabled": True}, waits) == {
        "take_profit_percentage_condition": [MISSING],
        "stop_loss_percentage_condition": [MISSING],
    }


# Steps


def test_steps_that_are_not_named_stay() -> None:
    assert update_from(BOTH, STEPPED).take_profit_steps is None


def test_steps_are_known_by_their_numbers() -> None:
    rows = [
        {"percent": 50, "price": 105, "position": 1},
        {"percent": "50", "price": "110", "position": "4"},
    ]

    steps = update_from({**BOTH, STEPS: rows}, STEPPED).take_profit_steps

    assert steps == (
        PlannedStep(percent=Decimal(50), condition=PriceCondition(price=Decimal(105)), position=1),
        PlannedStep(percent=Decimal(50), condition=PriceCondition(price=Decimal(110)), position=4),
    )


@pytest.mark.parametrize(
    ("rows", "field", "message"),
    [
        ([{"percent": 100, "price": 1}], f"{STEPS}[0][position]", MISSING),
        (
            [{"percent": 100, "price": 1, "position": 0}],
            f"{STEPS}[0][position]",
            "must be greater than 0",
        ),
        (
            [{"percent": 50, "price": 1, "position": 1}] * 2,
            f"{STEPS}[1][position]",
            "must be unique",
        ),
        (
            [{"percent": 20, "price": 1, "position": 1}] * 5,
            STEPS,
            "is too long (maximum is 4 steps)",
        ),
        ("x", STEPS, INVALID),
    ],
)
def test_what_can_be_wrong_with_steps(rows: object, field: str, message: str) -> None:
    assert wrong({**BOTH, STEPS: rows}, STEPPED) == {field: [message]}


# What else is done with a trade


@pytest.mark.parametrize(
    ("parameters", "funds"),
    [
        ({"quantity": 1, "is_market": True}, (1, None, ResponseType.EMPTY)),
        ({"quantity": "1", "is_market": "1", "rate": "x"}, (1, None, ResponseType.EMPTY)),
        (
            {"quantity": 1, "is_market": False, "rate": 90, "response_type": "step"},
            (1, 90, ResponseType.STEP),
        ),
    ],
)
def test_funds(
    parameters: Mapping[str, object], funds: tuple[Decimal, Decimal | None, ResponseType]
) -> None:
    assert funds_from(parameters) == funds


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({}, {"quantity": [MISSING], "is_market": [MISSING]}),
        ({"quantity": 0, "is_market": True}, {"quantity": ["must be greater than 0"]}),
        ({"quantity": 1, "is_market": False}, {"rate": [MISSING]}),
        ({"quantity": 1, "is_market": "no"}, {"is_market": [INVALID]}),
        (
            {"quantity": 1, "is_market": True, "response_type": "all"},
            {"response_type": ["is not included in the list"]},
        ),
    ],
)
def test_what_can_be_wrong_with_funds(
    parameters: Mapping[str, object], fields: Mapping[str, object]
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        funds_from(parameters)

    assert refused.value.fields == fields


@pytest.mark.parametrize("step_id", [13, "13"])
def test_a_step_is_a_number_or_text(step_id: object) -> None:
    assert step_in({"step_id": step_id}) == 13


@pytest.mark.parametrize(("step_id", "message"), [(None, MISSING), ("x", INVALID), ([], INVALID)])
def test_a_step_must_be_named(step_id: object, message: str) -> None:
    parameters = {} if step_id is None else {"step_id": step_id}

    with pytest.raises(InvalidParameters) as refused:
        step_in(parameters)

    assert refused.value.fields == {"step_id": [message]}
