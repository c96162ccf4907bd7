"""The limits of an account, as people write them."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.enums import ReasonCode
from app.domain.identifiers import EpochMs, Symbol
from app.domain.limits import LIMIT_NAMES, Limits, WrongLimits, limits_from, texts_of
from app.domain.reason import BY_LIMITS
from app.domain.trading_hours import TradingHours

ALL = {
    "max_order_value": "1000",
    "max_position_value": "5000.5",
    "max_open_orders": "10",
    "max_orders_per_minute": "30",
    "max_daily_loss": "250",
    "allowed_symbols": "BTC/USDT,ETH/USDT",
    "cooldown_seconds": "60",
    "price_collar_percent": "2.5",
    "trading_hours": "mon-fri 08:00-22:00 Europe/Berlin",
}


def test_all_of_them_are_read_and_told_as_they_were_written() -> None:
    assert tuple(ALL) == LIMIT_NAMES
    assert texts_of(limits_from(ALL)) == ALL
    assert limits_from(ALL).max_position_value == Decimal("5000.5")
    assert limits_from({}) == Limits()


def test_each_limit_is_the_code_that_it_denies_with() -> None:
    assert {*LIMIT_NAMES, "limits_unchecked"} == {str(one) for one in BY_LIMITS}
    assert set(LIMIT_NAMES) < set(ReasonCode)


def test_the_page_tells_of_each() -> None:
    page = (Path(__file__).parents[3] / "docs" / "limits.md").read_text()

    assert [one for one in LIMIT_NAMES if f"| `{one}` |" not in page] == []
    assert "`limits_unchecked`" in page


def test_symbols_are_named_once_however_they_are_parted() -> None:
    limits = limits_from({"allowed_symbols": " BTC/USDT ETH/USDT, BTC/USDT"})

    assert limits.allowed_symbols == (Symbol("BTC/USDT"), Symbol("ETH/USDT"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("max_order_value", "0", "above 0"),
        ("max_order_value", "-1", "above 0"),
        ("max_order_value", "1e3", "plain digits"),
        ("max_order_value", "1_000", "plain digits"),
        ("max_order_value", "\uff11", "plain digits"),
        ("max_order_value", "9" * 41, "plain digits"),
        ("max_order_value", "", "plain digits"),
        ("max_position_value", "NaN", "plain digits"),
        ("max_daily_loss", "Infinity", "plain digits"),
        ("max_open_orders", "0", "from 1"),
        ("max_open_orders", "1.5", "whole number"),
        ("max_open_orders", "\u00b2", "whole number"),
        ("max_orders_per_minute", "9" * 5000, "whole number"),
        ("cooldown_seconds", "604801", "to 604800"),
        ("price_collar_percent", "100.1", "at most 100"),
        ("allowed_symbols", "", "1 to 500"),
        ("allowed_symbols", "BTCUSDT", "`BTCUSDT`"),
        ("allowed_symbols", "btc/usdt", "`btc/usdt`"),
        ("trading_hours", "always", "days from-to timezone"),
        ("trading_hours", "someday 08:00-22:00 UTC", "name days"),
        ("trading_hours", "mon- 08:00-22:00 UTC", "name days"),
        ("trading_hours", "mon 08:60-22:00 UTC", "hours of a day"),
        ("trading_hours", "mon 24:00-22:00 UTC", "hours of a day"),
        ("trading_hours", "mon 08:00-24:01 UTC", "hours of a day"),
        ("trading_hours", "mon 08:00-08:00 UTC", "another time"),
        ("trading_hours", "mon 08:00-22:00 Europe/Atlantis", "no timezone Europe/Atlantis"),
        ("trading_hours", "mon 08:00-22:00 ../../etc/passwd", "no timezone"),
        ("trading_hours", "mon 08:00-22:00 /etc", "no timezone"),
        ("trading_hours", "mon 08:00-22:00 posixrules", "posixrules is not the timezone of"),
        ("trading_hours", "mon 08:00-22:00 right/UTC", "right/UTC is not the timezone of"),
        ("trading_hours", f"mon 08:00-22:00 {'a' * 5_000}", f"no timezone {'a' * 64} on"),
        ("max_orders", "5", "There is no such limit; there are max_order_value,"),
    ],
)
def test_what_is_no_limit_is_refused_by_its_name(name: str, text: str, said: str) -> None:
    with pytest.raises(WrongLimits) as caught:
        limits_from({"max_order_value": "1000", name: text})

    assert list(caught.value.messages) == [name]
    assert said in caught.value.messages[name]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(WrongLimits) as caught:
        limits_from({"max_open_orders": "none", "cooldown_seconds": "none"})

    assert set(caught.value.messages) == {"max_open_orders", "cooldown_seconds"}


# Hours. 2024-11-19 07:06:40 UTC is a Tuesday, 08:06:40 in Berlin.

TUESDAY = 1_732_000_000_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "hours_later", "is_open"),
    [
        ("tue 07:00-08:00 UTC", 0, True),
        ("tue 07:07-08:00 UTC", 0, False),
        ("tue 06:00-07:06 UTC", 0, False),
        ("tue 06:00-07:07 UTC", 0, True),
        ("tue 08:00-09:00 Europe/Berlin", 0, True),
        ("tue 07:00-08:00 Europe/Berlin", 0, False),
        ("tue 02:00-03:00 America/New_York", 0, True),
        ("wed 00:00-24:00 UTC", 0, False),
        ("wed 00:00-24:00 UTC", 24, True),
        ("daily 00:00-24:00 UTC", 24 * 5, True),
        ("sat-mon 00:00-24:00 UTC", 24 * 4, True),
        ("sat-mon 00:00-24:00 UTC", 24 * 6, True),
        ("sat-mon 00:00-24:00 UTC", 0, False),
        ("mon,tue 00:00-24:00 UTC", 0, True),
        # Over midnight they belong to the day on which they begin.
        ("mon 22:00-08:00 UTC", 0, True),
        ("tue 22:00-08:00 UTC", 0, False),
        ("tue 22:00-08:00 UTC", 16, True),
        ("tue 22:00-08:00 UTC", 24, True),
        ("tue 22:00-08:00 UTC", 25, False),
        ("sun 22:00-08:00 UTC", 24 * 6, True),
    ],
)
def test_hours(text: str, hours_later: int, *, is_open: bool) -> None:
    at_ms = EpochMs(TUESDAY + hours_later * HOUR)

    assert TradingHours.from_text(text).contains(at_ms) is is_open


def test_hours_go_by_the_clocks_of_their_place_in_summer_and_winter() -> None:
    hours = TradingHours.from_text("daily 08:00-09:00 Europe/Berlin")
    summer = EpochMs(1_719_814_000_000)  # 2024-07-01 06:06:40 UTC

    assert hours.contains(summer)
    assert hours.contains(EpochMs(TUESDAY))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("MON-FRI   08:00-22:00 UTC", "mon-fri 08:00-22:00 UTC"),
        ("mon-sun 00:00-24:00 UTC", "daily 00:00-24:00 UTC"),
        ("fri-mon 08:00-22:00 UTC", "mon,fri,sat,sun 08:00-22:00 UTC"),
        ("tue,mon 08:00-22:00 UTC", "mon,tue 08:00-22:00 UTC"),
    ],
)
def test_hours_are_told_in_one_form_that_is_read_again(text: str, told: str) -> None:
    hours = TradingHours.from_text(text)

    assert str(hours) == told
    assert TradingHours.from_text(told) == hours
