"""Sizes, with the figures of the Crypto Arsenal spec, section 3.1."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import Action, SignalRules, Size, SizeKind
from app.domain.enums import Market, PositionSide, ReasonCode
from app.domain.identifiers import Symbol
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position
from app.domain.sizing import Sized, sized
from tests.support.builders import (
    BTC_SPOT,
    ETH,
    ETH_USDM,
    a_view,
    fixed,
    must,
    notional,
    percent,
)

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
SPOT_VIEW = a_view({"USDT": "10000", "BTC": "0.5"})
FLAT = a_view({"USDT": "1000"})
ALL = percent("100")


def size_of(
    action: Action,
    size: Size,
    view: AccountView | None = None,
    price: str | None = None,
    **rules: object,
) -> Sized:
    futures = action.position_side is not None
    view = view or (FLAT if futures else SPOT_VIEW)
    instrument = ETH_USDM if futures else BTC_SPOT
    leverage = SignalRules(leverage=5 if futures else 1)
    asked = replace(leverage, **rules)  # type: ignore[arg-type]  # by name, in each test
    level = Decimal(price or ("2000" if futures else "50000"))
    return sized(action, size, level, view, instrument, asked)


def code_of(result: Sized) -> ReasonCode | None:
    return None if result.refusal is None else result.refusal.code


@dataclass(frozen=True)
class Example:
    """A row of the spec's table of worked examples."""

    name: str
    action: Action
    size: Size
    quantity: str
    price: str | None = None
    view: AccountView | None = None


EXAMPLES = [
    Example("E1", Action.BUY, percent("50"), "0.1"),
    Example("E2", Action.BUY, percent("100"), "0.198"),
    Example("E4", Action.BUY, fixed("0.01"), "0.01"),
    Example("E5", Action.BUY, percent("50"), "0.125", price="40000"),
    Example("E6", Action.SELL, percent("90"), "0.45"),
    Example("E7", Action.OPEN_LONG, percent("20"), "0.5"),
    Example("E8", Action.OPEN_SHORT, percent("100"), "2.475"),
    Example("E9", Action.OPEN_LONG, fixed("0.3"), "0.3"),
    Example("E10", Action.CLOSE_LONG, percent("50"), "0.25", view=a_view(positions={LONG: "0.5"})),
    Example(
        "E11", Action.CLOSE_LONG, ALL, "0.3", view=a_view(positions={LONG: "0.5"}, reserved="0.2")
    ),
    Example(
        "E12", Action.CLOSE_SHORT, fixed("9"), "2.475", view=a_view(positions={SHORT: "2.475"})
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_spec_s_examples(example: Example) -> None:
    result = size_of(example.action, example.size, example.view, example.price)

    assert result == Sized(Decimal(example.quantity))


def test_a_close_without_a_position_has_no_size() -> None:
    result = size_of(Action.CLOSE_LONG, ALL)

    assert code_of(result) is ReasonCode.NO_POSITION


def test_a_close_looks_at_its_own_leg_only() -> None:
    result = size_of(Action.CLOSE_LONG, ALL, a_view(positions={SHORT: "1"}))

    assert code_of(result) is ReasonCode.NO_POSITION


def test_a_sale_of_nothing_is_below_the_minimum() -> None:
    result = size_of(Action.SELL, ALL, a_view({"USDT": "10"}))

    assert code_of(result) is ReasonCode.BELOW_MINIMUM


def test_a_sale_is_capped_at_what_is_there() -> None:
    assert size_of(Action.SELL, fixed("7")).quantity == Decimal("0.5")


@pytest.mark.parametrize("action", [Action.BUY, Action.OPEN_LONG, Action.OPEN_SHORT])
def test_an_entry_beyond_the_funds_is_refused_and_not_shrunk(action: Action) -> None:
    result = size_of(action, fixed("3"), a_view({"USDT": "1000"}))

    assert result.quantity == 3
    assert code_of(result) is ReasonCode.INSUFFICIENT_FUNDS


def test_a_fixed_open_needs_margin_only() -> None:
    assert size_of(Action.OPEN_LONG, fixed("2.5")).refusal is None
    assert code_of(size_of(Action.OPEN_LONG, fixed("2.501"))) is ReasonCode.INSUFFICIENT_FUNDS


def test_a_notional_buys_for_that_amount() -> None:
    assert size_of(Action.BUY, notional("100")).quantity == Decimal("0.002")


def test_a_notional_open_is_levered() -> None:
    assert size_of(Action.OPEN_LONG, notional("100")).quantity == Decimal("0.25")


def test_percent_of_notional_is_not_levered() -> None:
    result = size_of(Action.OPEN_LONG, percent("200"), percent_is_notional=True)

    assert result.quantity == Decimal(1)


def test_the_reserve_is_a_cap_and_leaves_half_exactly_half() -> None:
    rules: dict[str, Any] = {"balance_reserve": Decimal("0.1")}

    assert size_of(Action.BUY, percent("50"), **rules).quantity == Decimal("0.1")
    assert size_of(Action.BUY, ALL, **rules).quantity == Decimal("0.18")


def test_a_size_below_the_least_is_refused_with_its_figure() -> None:
    result = size_of(Action.BUY, fixed("0.00005"))

    assert result.quantity == Decimal("0.00005")
    assert code_of(result) is ReasonCode.BELOW_MINIMUM


def test_an_account_without_money_buys_nothing() -> None:
    result = size_of(Action.BUY, ALL, a_view({"BTC": "1"}))

    assert result.quantity == 0
    assert code_of(result) is ReasonCode.BELOW_MINIMUM


def test_a_close_of_less_than_the_least_notional_may_run() -> None:
    result = size_of(Action.CLOSE_LONG, ALL, a_view(positions={LONG: "0.001"}))

    assert result == Sized(Decimal("0.001"))


def test_a_close_of_less_than_a_lot_may_not() -> None:
    result = size_of(Action.CLOSE_LONG, percent("10"), a_view(positions={LONG: "0.005"}))

    assert result.quantity == 0
    assert code_of(result) is ReasonCode.BELOW_MINIMUM


def test_what_may_be_taken_is_the_base_on_spot_and_the_free_position_on_futures() -> None:
    view = a_view({"BTC": "0.5"}, positions={SHORT: "2"}, reserved="0.5")

    assert view.held(BTC_SPOT.symbol, None).available == Decimal("0.5")
    assert view.held(ETH, SHORT).available == Decimal("1.5")


AMOUNTS = st.decimals(min_value="0.01", max_value="1000000", places=2)
PRICES = st.decimals(min_value="0.01", max_value="100000", places=2)


@given(
    st.sampled_from([Action.BUY, Action.OPEN_LONG, Action.OPEN_SHORT]),
    st.decimals(min_value="0.01", max_value="100", places=2),
    AMOUNTS,
    PRICES,
    st.integers(1, 125),
)
def test_a_percentage_never_takes_more_than_its_share(
    action: Action, share: Decimal, amount: Decimal, price: Decimal, leverage: int
) -> None:
    view = a_view({"USDT": str(amount)})

    result = size_of(action, Size(SizeKind.PERCENT, share), view, str(price), leverage=leverage)

    levered = 1 if action is Action.BUY else leverage
    assert result.quantity * price / levered <= amount * min(share, Decimal(99)) / 100
    assert code_of(result) in {None, ReasonCode.BELOW_MINIMUM}


@given(
    st.sampled_from([Action.SELL, Action.CLOSE_LONG, Action.CLOSE_SHORT]),
    st.sampled_from(SizeKind),
    st.decimals(min_value="0.0001", max_value="100", places=4),
    st.decimals(min_value="0", max_value="10", places=4),
)
def test_an_exit_never_takes_more_than_there_is(
    action: Action, kind: SizeKind, value: Decimal, held: Decimal
) -> None:
    leg = action.position_side
    positions = {} if leg is None else {leg: str(held)}
    view = a_view({"BTC": str(held)}, positions=positions)

    result = size_of(action, Size(kind, value), view)

    assert 0 <= result.quantity <= held


@pytest.mark.parametrize(
    ("action", "size", "told"),
    [
        (Action.BUY, fixed("0.00000001"), "0.00000001"),
        (Action.BUY, fixed("1E-8"), "0.00000001"),
        (Action.BUY, notional("0.001"), "0.00000002"),
        (Action.BUY, percent("0.0000003"), "0.0000000006"),
        (Action.SELL, fixed("0.000001"), "0.000001"),
        (Action.SELL, percent("0.0003"), "0.0000015"),
        (Action.OPEN_LONG, percent("0.00001"), "0.00000025"),
    ],
)
def test_less_than_a_lot_is_told_as_what_it_was(action: Action, size: Size, told: str) -> None:
    refusal = size_of(action, size).refusal

    assert refusal is not None
    assert refusal.message.startswith(f"quantity was {told}, the least lot is ")


def test_nothing_held_is_said_in_the_words_of_the_market() -> None:
    spot, futures = (
        size_of(Action.SELL, ALL, a_view({"USDT": "1"})),
        size_of(Action.CLOSE_LONG, ALL),
    )

    assert spot.refusal is not None
    assert futures.refusal is not None
    assert spot.refusal.message == "no BTC to sell"
    assert futures.refusal.message == "no position in ETH/USDT to close"
    assert BTC_SPOT.market is Market.SPOT


# Inverse contracts: their margin is the coin, and their quantity counts contracts

ETH_USD = Symbol("ETH/USD")
#: As at Binance, where one contract of it is 10 US dollars.
INVERSE = Instrument(
    symbol=ETH_USD,
    market=Market.COINM,
    kind="inverse",
    price_step=Decimal("0.01"),
    quantity_step=Decimal(1),
    contract_size=Decimal(10),
)
COINS = a_view({"ETH": "1", "USD": "1000000"})


def inverse_size_of(
    size: Size,
    action: Action = Action.OPEN_LONG,
    view: AccountView = COINS,
    instrument: Instrument = INVERSE,
    **rules: object,
) -> Sized:
    asked = replace(SignalRules(leverage=5), **rules)  # type: ignore[arg-type]  # by name
    return sized(action, size, Decimal(2_000), view, instrument, asked)


@pytest.mark.parametrize("action", [Action.OPEN_LONG, Action.OPEN_SHORT])
@pytest.mark.parametrize(
    ("size", "contracts", "rules"),
    [
        (fixed("7"), "7", {}),
        (fixed("7.9"), "7", {}),
        (percent("50"), "500", {}),  # half a coin, five times, at 2,000 dollars, by tens
        (ALL, "990", {}),  # 1 % is left alone
        (percent("50"), "100", {"percent_is_notional": True}),
        (notional("100"), "50", {}),  # dollars of margin, five times, by tens
    ],
)
def test_a_size_of_inverse_contracts_is_by_the_coin(
    action: Action, size: Size, contracts: str, rules: dict[str, Any]
) -> None:
    assert inverse_size_of(size, action, **rules) == Sized(Decimal(contracts))


def test_the_size_of_a_contract_decides_how_many_there_are() -> None:
    one_dollar = replace(INVERSE, contract_size=Decimal(1))

    assert inverse_size_of(percent("50"), instrument=one_dollar) == Sized(Decimal(5_000))


def test_inverse_contracts_that_the_coins_do_not_cover_are_refused() -> None:
    covered, beyond = inverse_size_of(fixed("1000")), inverse_size_of(fixed("1001"))

    assert covered == Sized(Decimal(1_000))
    assert code_of(beyond) is ReasonCode.INSUFFICIENT_FUNDS
    assert must(beyond.refusal).message == ("1001 ETH/USD at 2000 takes 1.001, available was 1")


def test_contracts_of_an_untold_size_are_closed_and_none_is_opened() -> None:
    untold = replace(INVERSE, contract_size=None)
    nine = Position(size=Decimal(9), available=Decimal(9))
    held = replace(COINS, positions={(ETH_USD, LONG): nine})

    opened = [inverse_size_of(size, instrument=untold) for size in (ALL, fixed("1"))]
    closed = inverse_size_of(ALL, Action.CLOSE_LONG, held, untold)

    for one in opened:
        assert code_of(one) is ReasonCode.UNKNOWN_INSTRUMENT
        assert "one contract of ETH/USD" in must(one.refusal).message
    assert closed == Sized(Decimal(9))
