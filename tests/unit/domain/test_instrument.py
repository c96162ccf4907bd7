"""Steps and limits of an instrument, and the one place where anything is rounded."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.enums import ReasonCode, Side
from app.domain.reason import Reason
from tests.support.builders import BTC_SPOT, must

NUMBERS = st.decimals(
    min_value=0, max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=12
)
STEPS = st.sampled_from([Decimal(text) for text in ("0.00000001", "0.001", "0.5", "1", "25")])
#: As many digits as a number from outside may have.
LONG = Decimal("0." + "9" * 40)


@given(NUMBERS, STEPS)
@example(LONG, Decimal("0.1"))
@example(Decimal("1234567890." + "9" * 30), Decimal("0.00000001"))
def test_a_quantity_is_never_rounded_up_and_stays_within_a_step(
    wanted: Decimal, step: Decimal
) -> None:
    quantity = replace(BTC_SPOT, quantity_step=step).quantity(wanted)

    assert quantity <= wanted < quantity + step
    assert quantity % step == 0


@given(NUMBERS, STEPS)
@example(LONG, Decimal("0.1"))
def test_a_limit_is_rounded_in_the_favor_of_the_caller(wanted: Decimal, step: Decimal) -> None:
    instrument = replace(BTC_SPOT, price_step=step)

    assert instrument.price(wanted, Side.BUY) <= wanted <= instrument.price(wanted, Side.SELL)
    assert instrument.price(wanted, Side.BUY) % step == 0
    assert instrument.price(wanted, Side.SELL) % step == 0


@given(NUMBERS, STEPS)
def test_what_is_on_the_step_stays_there(wanted: Decimal, step: Decimal) -> None:
    instrument = replace(BTC_SPOT, quantity_step=step, price_step=step)
    quantity = instrument.quantity(wanted)

    assert instrument.quantity(quantity) == quantity
    assert instrument.price(quantity, Side.BUY) == quantity == instrument.price(quantity, Side.SELL)


@pytest.mark.parametrize("step", ["price_step", "quantity_step", "quote_step"])
def test_an_instrument_without_a_step_cannot_exist(step: str) -> None:
    with pytest.raises(ValueError, match="steps of BTC/USDT"):
        replace(BTC_SPOT, **{step: Decimal(0)})  # type: ignore[arg-type]  # one name or another


def refused(quantity: str, price: str = "50000", **odd: Decimal) -> Reason | None:
    instrument = replace(BTC_SPOT, **odd)  # type: ignore[arg-type]  # steps and limits only
    return instrument.refusal(Decimal(quantity), Decimal(price))


@pytest.mark.parametrize(
    ("quantity", "price", "odd", "code"),
    [
        ("0.00001", "500000", {}, None),
        ("0", "50000", {}, ReasonCode.BELOW_MINIMUM),
        ("0.00009", "50000", {}, ReasonCode.BELOW_MINIMUM),
        ("0.01", "50000", {"min_quantity": Decimal("0.02")}, ReasonCode.BELOW_MINIMUM),
        ("2", "50000", {"max_quantity": Decimal(1)}, ReasonCode.ABOVE_MAXIMUM),
        ("1", "50000", {"max_quantity": Decimal(1)}, None),
    ],
)
def test_what_is_too_small_or_too_large_is_refused(
    quantity: str, price: str, odd: dict[str, Decimal], code: ReasonCode | None
) -> None:
    reason = refused(quantity, price, **odd)

    assert (None if reason is None else reason.code) == code


def test_a_refusal_names_the_figures() -> None:

    assert must(refused("0.00009")).message == "notional was 4.50000, the least notional is 5"


@pytest.mark.parametrize(
    ("side", "allowed", "refused"),
    [(Side.BUY, ("105", "1"), "105.01"), (Side.SELL, ("95", "1000"), "94.99")],
)
def test_a_limit_may_be_so_much_worse_than_the_price(
    side: Side, allowed: tuple[str, ...], refused: str
) -> None:
    banded = replace(BTC_SPOT, multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"))

    assert [banded.beyond_band(Decimal(one), side, Decimal(100)) for one in allowed] == [None, None]
    assert must(banded.beyond_band(Decimal(refused), side, Decimal(100))).message.startswith(
        f"price was {refused}"
    )
    assert BTC_SPOT.beyond_band(Decimal(refused), side, Decimal(100)) is None


def test_a_market_order_may_have_a_bound_of_its_own() -> None:
    rules = replace(BTC_SPOT, max_quantity=Decimal(9), max_market_quantity=Decimal(2))

    assert (rules.max_quantity, rules.at_market().max_quantity) == (Decimal(9), Decimal(2))
    assert replace(rules, max_market_quantity=None).at_market().max_quantity == 9
    assert BTC_SPOT.at_market() == BTC_SPOT
