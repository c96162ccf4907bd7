"""Create calls: what each becomes, and the message of everything that can be wrong with one."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.three_commas.errors import InvalidParameters
from app.dialects.three_commas.parameters import STEPS, UNCLEAR
from app.dialects.three_commas.parse import account_in, trade_from
from app.dialects.three_commas.schemas import Call
from app.domain.enums import OrderType, PriceSource
from app.domain.identifiers import Symbol
from app.domain.smart_trade.enums import EntryMethod, TakeProfitType, TradeType
from app.domain.smart_trade.spec import (
    EntryRule,
    NewTrade,
    PlannedStep,
    PriceCondition,
    StopLoss,
    TakeProfit,
)
from tests.support.builders import must

ETH = Symbol("ETH/USDT")
SIMPLE = {"account_id": 1, "pair": "USDT_ETH", "units_to_buy": 2, "buy_price": 99}
NO_EXITS = {"take_profit_enabled": False, "stop_loss_enabled": False}
SMART = {**SIMPLE, **NO_EXITS}
HELD = {"account_id": 1, "pair": "USDT_ETH", "units_to_buy": 10, "average_buy_price": 100}
SALE = {**HELD, **NO_EXITS}
CLASSIC = {
    "take_profit_enabled": True,
    "take_profit_type": "classic",
    "take_profit_price_condition": 105,
}
STOP = {"stop_loss_enabled": True, "stop_loss_price_condition": 95}
STEP_SELL = {
    "take_profit_enabled": True,
    "take_profit_type": "step_sell",
    STEPS: [{"percent": 50, "price": 105}, {"percent": 50, "price": 110}],
}
TRAILED = {"buy_method": "conditional", "trailing_buy_enabled": True}

MISSING, INVALID = "is missing", "is invalid"
NOT_LISTED, NOT_ABOVE_ZERO = "is not included in the list", "must be greater than 0"
POSITIVE, NEGATIVE = "must be positive", "must be negative"


def is_traded(symbol: Symbol) -> bool:
    return symbol == ETH


def made(call: Call, parameters: Mapping[str, object]) -> NewTrade:
    return trade_from(call, parameters, is_traded)


def wrong(call: Call, parameters: Mapping[str, object]) -> dict[str, list[str]]:
    with pytest.raises(InvalidParameters) as refused:
        made(call, parameters)
    return {name: list(messages) for name, messages in refused.value.fields.items()}


# The entry


@pytest.mark.parametrize(
    ("call", "method", "kind"),
    [
        (Call.SIMPLE_BUY, "limit", TradeType.SIMPLE_BUY),
        (Call.SIMPLE_BUY, "market", TradeType.SIMPLE_BUY),
        (Call.SIMPLE_BUY, "conditional", TradeType.CONDITIONAL_SIMPLE_BUY),
        (Call.SIMPLE_SELL, "limit", TradeType.SIMPLE_SELL),
        (Call.SIMPLE_SELL, "conditional", TradeType.CONDITIONAL_SIMPLE_SELL),
        (Call.SMART_TRADE, "market", TradeType.CLASSIC),
        (Call.SMART_TRADE, "conditional", TradeType.CONDITIONAL_BUY),
        (Call.SMART_COVER, "limit", TradeType.SELL_BUY_BACK),
        (Call.SMART_COVER, "conditional", TradeType.CONDITIONAL_SELL),
    ],
)
def test_the_type_follows_from_call_and_method(call: Call, method: str, kind: TradeType) -> None:
    trade = made(call, {**SMART, "buy_method": method})

    entry = EntryRule(method=EntryMethod(method), price=Decimal(99))
    assert trade == NewTrade(type=kind, symbol=ETH, quantity=Decimal(2), entry=entry)


def test_coins_that_are_held_have_a_basis_and_no_entry() -> None:
    trade = made(Call.SMART_SELL, {**SALE, "buy_method": "nonsense", "buy_price": "likewise"})

    assert trade == NewTrade(
        type=TradeType.SMART_SALE, symbol=ETH, quantity=Decimal(10), basis_price=Decimal(100)
    )


def test_the_method_is_limit_unless_said() -> None:
    trade = made(Call.SIMPLE_BUY, SIMPLE)

    assert trade.entry == EntryRule(method=EntryMethod.LIMIT, price=Decimal(99))


@pytest.mark.parametrize(("price", "kept"), [("99", Decimal(99)), ("", None), (0, None)])
def test_a_market_order_needs_no_price(price: object, kept: Decimal | None) -> None:
    given_price = {} if price == "" else {"buy_price": price}
    parameters = {"account_id": 1, "pair": "USDT_ETH", "units_to_buy": 2, **given_price}

    trade = made(Call.SIMPLE_BUY, {**parameters, "buy_method": "market"})

    assert trade.entry == EntryRule(method=EntryMethod.MARKET, price=kept)


@pytest.mark.parametrize("method", ["limit", "market"])
def test_a_conditional_limit_is_ignored_beside_other_methods(method: str) -> None:
    parameters = {**SIMPLE, "buy_method": method, "conditional_limit_price": "nonsense"}

    assert must(made(Call.SIMPLE_BUY, parameters).entry).limit_price is None


def test_a_conditional_entry_may_place_a_limit() -> None:
    parameters = {**SIMPLE, "buy_method": "conditional", "conditional_limit_price": "94.5"}

    entry = made(Call.SIMPLE_BUY, parameters).entry

    assert entry == EntryRule(
        method=EntryMethod.CONDITIONAL, price=Decimal(99), limit_price=Decimal("94.5")
    )


@pytest.mark.parametrize(("step", "percent"), [({}, 5), ({"trailing_buy_step": "2.5"}, "2.5")])
def test_a_trailing_entry_has_a_step(step: Mapping[str, object], percent: str) -> None:
    entry = must(made(Call.SMART_COVER, {**SMART, **TRAILED, **step}).entry)

    assert entry.trailing_percent == Decimal(percent)


def test_numbers_may_be_text_and_flags_words_of_a_form() -> None:
    parameters = {name: str(value) for name, value in {**SMART, **TRAILED}.items()}

    assert made(Call.SMART_TRADE, parameters) == made(Call.SMART_TRADE, {**SMART, **TRAILED})


@pytest.mark.parametrize(
    ("odd", "field", "message"),
    [
        ({"account_id": None}, "account_id", MISSING),
        ({"account_id": "one"}, "account_id", INVALID),
        ({"account_id": 1.5}, "account_id", INVALID),
        ({"account_id": True}, "account_id", INVALID),
        ({"pair": None}, "pair", MISSING),
        ({"pair": 5}, "pair", INVALID),
        ({"pair": "USDT_XYZ"}, "pair", NOT_LISTED),
        ({"pair": "ETH_USDT"}, "pair", NOT_LISTED),
        ({"pair": "usdt_eth"}, "pair", NOT_LISTED),
        ({"pair": "USDTETH"}, "pair", NOT_LISTED),
        ({"units_to_buy": None}, "units_to_buy", MISSING),
        ({"units_to_buy": 0}, "units_to_buy", NOT_ABOVE_ZERO),
        ({"units_to_buy": "-1"}, "units_to_buy", NOT_ABOVE_ZERO),
        ({"units_to_buy": "two"}, "units_to_buy", INVALID),
        ({"units_to_buy": "NaN"}, "units_to_buy", INVALID),
        ({"units_to_buy": "Infinity"}, "units_to_buy", INVALID),
        ({"units_to_buy": "1_000"}, "units_to_buy", INVALID),
        ({"units_to_buy": [2]}, "units_to_buy", INVALID),
        ({"units_to_buy": UNCLEAR}, "units_to_buy", INVALID),
        ({"buy_price": None}, "buy_price", MISSING),
        ({"buy_price": 0}, "buy_price", NOT_ABOVE_ZERO),
        ({"buy_price": "x", "buy_method": "market"}, "buy_price", INVALID),
        ({"buy_method": "stop"}, "buy_method", NOT_LISTED),
        ({"buy_method": 5}, "buy_method", INVALID),
        (
            {"buy_method": "conditional", "conditional_limit_price": 0},
            "conditional_limit_price",
            NOT_ABOVE_ZERO,
        ),
        ({**TRAILED, "conditional_limit_price": 98}, "conditional_limit_price", INVALID),
        ({"trailing_buy_enabled": True}, "trailing_buy_enabled", INVALID),
        ({"trailing_buy_enabled": True, "buy_method": "market"}, "trailing_buy_enabled", INVALID),
        ({"trailing_buy_enabled": "yes"}, "trailing_buy_enabled", INVALID),
        ({"trailing_buy_enabled": 1}, "trailing_buy_enabled", INVALID),
        ({**TRAILED, "trailing_buy_step": 0}, "trailing_buy_step", NOT_ABOVE_ZERO),
        ({**TRAILED, "trailing_buy_step": 100}, "trailing_buy_step", INVALID),
        ({"note": 5}, "note", INVALID),
        ({"note": "x" * 1001}, "note", "is too long (maximum is 1000 characters)"),
        ({"take_profit_enabled": None}, "take_profit_enabled", MISSING),
        ({"stop_loss_enabled": None}, "stop_loss_enabled", MISSING),
        ({"take_profit_enabled": "maybe"}, "take_profit_enabled", INVALID),
    ],
)
def test_what_can_be_wrong_with_an_entry(
    odd: Mapping[str, object], field: str, message: str
) -> None:
    parameters = {**SMART, **odd}
    given_ones = {name: value for name, value in parameters.items() if value is not None}

    assert wrong(Call.SMART_TRADE, given_ones) == {field: [message]}


def test_the_basis_of_held_coins_is_mandatory() -> None:
    parameters = {name: value for name, value in SALE.items() if name != "average_buy_price"}

    assert wrong(Call.SMART_SELL, parameters) == {"average_buy_price": [MISSING]}


def test_everything_is_told_at_once() -> None:
    assert wrong(Call.SMART_TRADE, {}) == {
        name: [MISSING]
        for name in (
            "account_id",
            "pair",
            "units_to_buy",
            "buy_price",
            "take_profit_enabled",
            "stop_loss_enabled",
        )
    }


def test_a_pair_is_not_judged_by_an_account_that_is_not_ones_own() -> None:
    trade = trade_from(Call.SIMPLE_BUY, {**SIMPLE, "pair": "USDT_XYZ"}, None)

    assert trade.symbol == "XYZ/USDT"


# The exits


def test_a_classic_trade_with_all_its_exits() -> None:
    parameters = {
        **SMART,
        **CLASSIC,
        **STOP,
        "take_profit_price_method": "ask",
        "take_profit_sell_method": "limit",
        "take_profit_sell_order_price": "106",
        "stop_loss_price_method": "last",
        "stop_loss_sell_method": "limit",
        "stop_loss_sell_order_price": "94",
        "stop_loss_timeout_enabled": True,
        "stop_loss_timeout_seconds": "60",
        "note": "a pair",
    }

    trade = made(Call.SMART_TRADE, parameters)

    assert trade.take_profit == TakeProfit(order_type=OrderType.LIMIT, order_price=Decimal(106))
    condition = PriceCondition(price=Decimal(105), source=PriceSource.ASK)
    assert trade.take_profit_steps == (PlannedStep(percent=Decimal(100), condition=condition),)
    assert trade.stop_loss == StopLoss(
        order_type=OrderType.LIMIT, order_price=Decimal(94), timeout_seconds=60
    )
    assert trade.stop_loss_condition == PriceCondition(price=Decimal(95), source=PriceSource.LAST)
    assert trade.note == "a pair"


def test_exits_have_defaults() -> None:
    trade = made(Call.SMART_SELL, {**HELD, **CLASSIC, **STOP, "stop_loss_timeout_enabled": "1"})

    assert trade.take_profit == TakeProfit()
    assert trade.take_profit_steps[0].condition == PriceCondition(price=Decimal(105))
    assert trade.stop_loss == StopLoss(timeout_seconds=300)
    assert trade.stop_loss_condition == PriceCondition(price=Decimal(95))


def test_a_percentage_without_a_trailing_entry_is_kept_but_not_judged() -> None:
    parameters = {**SALE, **CLASSIC, "take_profit_percentage_condition": -5}

    (step,) = made(Call.SMART_SELL, parameters).take_profit_steps

    assert step.condition == PriceCondition(price=Decimal(105), percentage=Decimal(-5))


def test_after_a_trailing_entry_percentages_count_and_prices_do_not() -> None:
    parameters = {
        **SMART,
        **TRAILED,
        **CLASSIC,
        **STOP,
        "take_profit_percentage_condition": 5,
        "stop_loss_percentage_condition": "-3",
    }

    trade = made(Call.SMART_TRADE, parameters)

    assert trade.take_profit_steps[0].condition == PriceCondition(percentage=Decimal(5))
    assert trade.stop_loss_condition == PriceCondition(percentage=Decimal(-3))


def test_steps_have_prices_percentages_or_both() -> None:
    rows = [
        {"percent": "50", "price": "105", "position": 0},
        {"percent": 30, "price_percentage": 8, "price_method": "last"},
        {"percent": 20, "price": 110, "price_percentage": -1},
    ]

    steps = made(Call.SMART_SELL, {**SALE, **STEP_SELL, STEPS: rows}).take_profit_steps

    assert [step.condition for step in steps] == [
        PriceCondition(price=Decimal(105)),
        PriceCondition(percentage=Decimal(8), source=PriceSource.LAST),
        PriceCondition(price=Decimal(110), percentage=Decimal(-1)),
    ]
    assert [step.percent for step in steps] == [50, 30, 20]
    assert {step.position for step in steps} == {None}


def test_trailing_exits() -> None:
    parameters = {
        **HELD,
        **STEP_SELL,
        **STOP,
        "trailing_take_profit": True,
        "trailing_take_profit_step": 2,
        "trailing_stop_loss": True,
    }

    trade = made(Call.SMART_SELL, parameters)

    assert trade.take_profit == TakeProfit(
        type=TakeProfitType.STEP_SELL, trailing_percent=Decimal(2)
    )
    assert trade.stop_loss == StopLoss(is_trailing=True)


@pytest.mark.parametrize("share", ["33.33", "33.3333"])
def test_a_sum_may_miss_a_hundredth(share: str) -> None:
    rows = [{"percent": share, "price": 105}] * 3

    assert len(made(Call.SMART_SELL, {**SALE, **STEP_SELL, STEPS: rows}).take_profit_steps) == 3


def test_what_is_switched_off_is_not_looked_at() -> None:
    nonsense = {
        **SMART,
        "take_profit_type": "nonsense",
        STEPS: "nonsense",
        "stop_loss_price_condition": "nonsense",
        "stop_loss_timeout_seconds": -1,
    }

    assert made(Call.SMART_TRADE, nonsense) == made(Call.SMART_TRADE, SMART)


def test_what_does_not_apply_is_not_looked_at() -> None:
    unused = {
        "take_profit_sell_order_price": "nonsense",
        "trailing_take_profit_step": "nonsense",
        "stop_loss_sell_order_price": "nonsense",
        "stop_loss_timeout_seconds": "nonsense",
        STEPS: "nonsense",
    }

    plain = {**HELD, **CLASSIC, **STOP}
    assert made(Call.SMART_SELL, {**plain, **unused}) == made(Call.SMART_SELL, plain)


STEP = {"percent": 100, "price": 105}


@pytest.mark.parametrize(
    ("odd", "field", "message"),
    [
        ({"take_profit_type": None}, "take_profit_type", MISSING),
        ({"take_profit_type": "simple"}, "take_profit_type", NOT_LISTED),
        ({"take_profit_price_condition": None}, "take_profit_price_condition", MISSING),
        ({"take_profit_price_condition": 0}, "take_profit_price_condition", NOT_ABOVE_ZERO),
        ({"take_profit_price_method": "mid"}, "take_profit_price_method", NOT_LISTED),
        ({"take_profit_percentage_condition": "x"}, "take_profit_percentage_condition", INVALID),
        ({"take_profit_sell_method": "stop"}, "take_profit_sell_method", NOT_LISTED),
        ({"take_profit_sell_method": "limit"}, "take_profit_sell_order_price", MISSING),
        (
            {"take_profit_sell_method": "limit", "take_profit_sell_order_price": 0},
            "take_profit_sell_order_price",
            NOT_ABOVE_ZERO,
        ),
        (
            {
                "take_profit_sell_method": "limit",
                "take_profit_sell_order_price": 106,
                "trailing_take_profit": True,
            },
            "trailing_take_profit",
            INVALID,
        ),
        ({"trailing_take_profit": True}, "trailing_take_profit_step", MISSING),
        (
            {"trailing_take_profit": True, "trailing_take_profit_step": 0},
            "trailing_take_profit_step",
            NOT_ABOVE_ZERO,
        ),
        (
            {"trailing_take_profit": True, "trailing_take_profit_step": 100},
            "trailing_take_profit_step",
            INVALID,
        ),
        ({"stop_loss_price_condition": None}, "stop_loss_price_condition", MISSING),
        ({"stop_loss_price_method": "mid"}, "stop_loss_price_method", NOT_LISTED),
        ({"stop_loss_sell_method": "limit"}, "stop_loss_sell_order_price", MISSING),
        (
            {
                "stop_loss_sell_method": "limit",
                "stop_loss_sell_order_price": 94,
                "trailing_stop_loss": True,
            },
            "trailing_stop_loss",
            INVALID,
        ),
        ({"trailing_stop_loss": "x"}, "trailing_stop_loss", INVALID),
        (
            {"stop_loss_timeout_enabled": True, "stop_loss_timeout_seconds": 0},
            "stop_loss_timeout_seconds",
            NOT_ABOVE_ZERO,
        ),
        (
            {"stop_loss_timeout_enabled": True, "stop_loss_timeout_seconds": 86_401},
            "stop_loss_timeout_seconds",
            INVALID,
        ),
        (
            {"stop_loss_timeout_enabled": True, "stop_loss_timeout_seconds": "1.5"},
            "stop_loss_timeout_seconds",
            INVALID,
        ),
        ({**STEP_SELL, STEPS: None}, STEPS, MISSING),
        ({**STEP_SELL, STEPS: []}, STEPS, MISSING),
        ({**STEP_SELL, STEPS: "nonsense"}, STEPS, INVALID),
        ({**STEP_SELL, STEPS: UNCLEAR}, STEPS, INVALID),
        ({**STEP_SELL, STEPS: STEP}, STEPS, INVALID),
        (
            {**STEP_SELL, STEPS: [{"percent": 20, "price": 105}] * 5},
            STEPS,
            "is too long (maximum is 4 steps)",
        ),
        (
            {**STEP_SELL, STEPS: [{**STEP, "percent": 50}, {**STEP, "percent": 40}]},
            STEPS,
            "sum of percents must be equal to 100",
        ),
        ({**STEP_SELL, STEPS: [{**STEP, "percent": 50}, "x"]}, f"{STEPS}[1]", INVALID),
        ({**STEP_SELL, STEPS: [{"price": 105}]}, f"{STEPS}[0][percent]", MISSING),
        ({**STEP_SELL, STEPS: [{**STEP, "percent": 0}]}, f"{STEPS}[0][percent]", NOT_ABOVE_ZERO),
        ({**STEP_SELL, STEPS: [{**STEP, "percent": 101}]}, f"{STEPS}[0][percent]", INVALID),
        ({**STEP_SELL, STEPS: [{"percent": 100}]}, f"{STEPS}[0][price]", MISSING),
        ({**STEP_SELL, STEPS: [{**STEP, "price": -1}]}, f"{STEPS}[0][price]", NOT_ABOVE_ZERO),
        (
            {**STEP_SELL, STEPS: [{"percent": 100, "price_percentage": -5}]},
            f"{STEPS}[0][price_percentage]",
            POSITIVE,
        ),
        (
            {**STEP_SELL, STEPS: [{**STEP, "price_method": "mid"}]},
            f"{STEPS}[0][price_method]",
            NOT_LISTED,
        ),
    ],
)
def test_what_can_be_wrong_with_exits(odd: Mapping[str, object], field: str, message: str) -> None:
    parameters = {**HELD, **CLASSIC, **STOP, **odd}
    given_ones = {name: value for name, value in parameters.items() if value is not None}

    assert wrong(Call.SMART_SELL, given_ones) == {field: [message]}


@pytest.mark.parametrize(
    ("call", "profit", "loss", "messages"),
    [
        (Call.SMART_TRADE, -5, -3, [POSITIVE]),
        (Call.SMART_TRADE, 0, -3, [POSITIVE]),
        (Call.SMART_TRADE, 5, 3, [NEGATIVE]),
        (Call.SMART_TRADE, 5, 0, [NEGATIVE]),
        (Call.SMART_TRADE, 5, -100, [INVALID]),
        (Call.SMART_COVER, -100, 3, [INVALID]),
        (Call.SMART_TRADE, -5, 3, [POSITIVE, NEGATIVE]),
        (Call.SMART_TRADE, None, None, [MISSING, MISSING]),
        (Call.SMART_COVER, 5, 3, [NEGATIVE]),
        (Call.SMART_COVER, -5, -3, [POSITIVE]),
        (Call.SMART_COVER, 0, 0, [NEGATIVE, POSITIVE]),
    ],
)
def test_percentages_have_a_side(
    call: Call, profit: object, loss: object, messages: list[str]
) -> None:
    parameters: dict[str, Any] = {**SMART, **TRAILED, **CLASSIC, **STOP}
    if profit is not None:
        parameters["take_profit_percentage_condition"] = profit
    if loss is not None:
        parameters["stop_loss_percentage_condition"] = loss

    found = wrong(call, parameters)

    assert set(found) <= {"take_profit_percentage_condition", "stop_loss_percentage_condition"}
    assert [message for field in found.values() for message in field] == messages


@pytest.mark.parametrize(
    ("call", "odd", "fields"),
    [
        pytest.param(
            Call.SMART_SELL,
            {**STEP_SELL, STEPS: [{"percent": 50, "price": 105}, {"percent": 60}]},
            {f"{STEPS}[1][price]": [MISSING], STEPS: ["sum of percents must be equal to 100"]},
            id="a step without a price has a share all the same",
        ),
        pytest.param(
            Call.SMART_SELL,
            {**STEP_SELL, STEPS: [{"percent": 50, "price": 105}, {"percent": 0, "price": 110}]},
            {f"{STEPS}[1][percent]": [NOT_ABOVE_ZERO]},
            id="without a share the sum says nothing",
        ),
        pytest.param(
            Call.SMART_SELL,
            {
                "stop_loss_price_condition": None,
                "stop_loss_percentage_condition": 5,
                "take_profit_price_condition": None,
                "take_profit_percentage_condition": -5,
            },
            {"take_profit_price_condition": [MISSING], "stop_loss_price_condition": [MISSING]},
            id="a percentage that is for display stands on no side",
        ),
        pytest.param(
            Call.SMART_TRADE,
            {**TRAILED, "buy_price": 99, "buy_method": "x"},
            {
                "buy_method": [NOT_LISTED],
                "take_profit_percentage_condition": [MISSING],
                "stop_loss_percentage_condition": [MISSING],
            },
            id="what trails needs percentages, however it enters",
        ),
        pytest.param(
            Call.SMART_SELL,
            {"take_profit_type": "x", "trailing_take_profit": True},
            {"take_profit_type": [NOT_LISTED], "trailing_take_profit_step": [MISSING]},
            id="what trails needs a step, of whatever type it is",
        ),
    ],
)
def test_what_can_be_wrong_at_once(
    call: Call, odd: Mapping[str, object], fields: Mapping[str, list[str]]
) -> None:
    parameters = {**HELD, **CLASSIC, **STOP, **odd}
    given_ones = {name: value for name, value in parameters.items() if value is not None}

    assert wrong(call, given_ones) == fields


def test_steps_after_a_trailing_entry_need_percentages() -> None:
    rows = [{"percent": 50, "price": 105}, {"percent": 50, "price_percentage": 5}]

    found = wrong(Call.SMART_COVER, {**SMART, **TRAILED, **STEP_SELL, STEPS: rows})

    assert found == {
        f"{STEPS}[0][price_percentage]": [MISSING],
        f"{STEPS}[1][price_percentage]": [NEGATIVE],
    }


# Whatever comes


@pytest.mark.parametrize(("value", "account"), [(1, 1), ("7", 7), ("x", None), (None, None)])
def test_the_account_is_found_before_anything_else(value: object, account: int | None) -> None:
    assert account_in({"account_id": value, "pair": 5}) == account


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


@given(
    st.sampled_from(Call),
    st.dictionaries(
        st.sampled_from([*SMART, *CLASSIC, *STOP, *STEP_SELL, *TRAILED, "note"]), JSON_VALUES
    ),
)
def test_nothing_else_is_ever_raised(call: Call, odd: Mapping[str, object]) -> None:
    with suppress(InvalidParameters):
        assert made(call, {**HELD, **SMART, **odd}).quantity > 0
