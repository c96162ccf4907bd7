"""Channels: what each is to hear of, and when."""

from datetime import UTC, datetime

import pytest

from app.domain.channel import Channel, Message, QuietHours
from app.domain.identifiers import AccountName, AggregateId, EpochMs
from app.domain.notice import Notice, NoticeKind

FILL, PROTECTION = NoticeKind.FILL, NoticeKind.PROTECTION
MINE, YOURS = AccountName("mine"), AccountName("yours")


def a_channel(**changed: object) -> Channel:
    return Channel(name="phone", sealed="-", service="tgram", **changed)  # type: ignore[arg-type]


def a_notice(number: int = 1) -> Notice:
    at_ms = EpochMs(int(datetime(2026, 5, 1, 9, 8, number, tzinfo=UTC).timestamp() * 1000))
    return Notice(
        id=f"n{number}",
        kind=FILL,
        at_ms=at_ms,
        message=f"bought {number} BTC/USDT",
        account=MINE,
        about=AggregateId(number),
    )


def at(time: str) -> EpochMs:
    hour, minute = map(int, time.split(":"))
    return EpochMs(int(datetime(2026, 7, 1, hour, minute, tzinfo=UTC).timestamp() * 1000))


def test_it_hears_of_everything_unless_it_is_said_otherwise() -> None:
    every = a_channel()
    some = a_channel(kinds=(PROTECTION,), accounts=(MINE,))

    assert every.wants(FILL, MINE)
    assert every.wants(NoticeKind.UNREADY, None)
    assert some.wants(PROTECTION, MINE)
    assert not some.wants(FILL, MINE)
    assert not some.wants(PROTECTION, YOURS)
    assert not some.wants(PROTECTION, None)
    assert not a_channel(enabled=False).wants(FILL, MINE)


@pytest.mark.parametrize(
    ("begin", "end", "timezone", "time", "is_quiet"),
    [
        ("22:00", "07:00", "UTC", "21:59", False),
        ("22:00", "07:00", "UTC", "22:00", True),
        ("22:00", "07:00", "UTC", "00:00", True),
        ("22:00", "07:00", "UTC", "06:59", True),
        ("22:00", "07:00", "UTC", "07:00", False),
        ("09:00", "17:00", "UTC", "08:59", False),
        ("09:00", "17:00", "UTC", "12:00", True),
        ("09:00", "17:00", "UTC", "17:00", False),
        ("22:00", "07:00", "Europe/Berlin", "20:00", True),  # 22:00 there, in summer
        ("22:00", "07:00", "Europe/Berlin", "05:00", False),
        ("08:00", "08:00", "UTC", "08:00", False),  # no time at all
    ],
)
def test_quiet_hours(begin: str, end: str, timezone: str, time: str, *, is_quiet: bool) -> None:
    hours = QuietHours(begin=begin, end=end, timezone=timezone)

    assert a_channel(quiet_hours=hours).keeps_quiet(FILL, at(time)) is is_quiet


def test_what_cannot_wait_is_told_in_quiet_hours_unless_that_is_said() -> None:
    usual = QuietHours(begin="22:00", end="07:00")
    all_quiet = QuietHours(begin="22:00", end="07:00", kinds=(FILL, PROTECTION))

    assert not a_channel(quiet_hours=usual).keeps_quiet(PROTECTION, at("23:00"))
    assert a_channel(quiet_hours=all_quiet).keeps_quiet(PROTECTION, at("23:00"))
    assert not a_channel().keeps_quiet(FILL, at("23:00"))


def test_a_message_says_what_when_of_whom_and_that_it_is_repeated() -> None:
    one = Message(kind=FILL, notices=(a_notice(1),))
    many = Message(kind=FILL, notices=(a_notice(1), a_notice(2)), left_out=5, is_repeated=True)

    assert one.title == "Hookfill: fill"
    assert one.text == "05-01 09:08:01Z mine: bought 1 BTC/USDT (1)"
    assert many.title == "Hookfill: fill (7)"
    assert many.text.splitlines() == [
        "05-01 09:08:01Z mine: bought 1 BTC/USDT (1)",
        "05-01 09:08:02Z mine: bought 2 BTC/USDT (2)",
        "... and 5 more.",
        "Repeated: this may have arrived before.",
    ]
