"""The hours of the week in which an account may enter, by the clocks of one place."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from app.domain.identifiers import EpochMs

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: What is expected, for whoever has written something else.
FORM: Final = "days from-to timezone, as in `mon-fri 08:00-22:00 Europe/Berlin`"

_TEXT = re.compile(r"(\S+) (\d\d):(\d\d)-(\d\d):(\d\d) (\S+)", re.ASCII)
#: Files that lie beside the timezones: what this machine goes by, and copies of all of them.
_NO_PLACE = re.compile(r"(posixrules|localtime)$|(posix|right)/")

_MINUTES_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class TradingHours:
    """On which days they begin, and from which to which minute of the day they last.

    Attributes:
        days: 0 is Monday.
        begin, end: minutes since midnight; an end that is not after the beginning is on the day
            after. `end` may be 24:00.
        zone: name of a timezone of the IANA's list.
    """

    days: frozenset[int]
    begin: int
    end: int
    zone: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read `mon-fri 08:00-22:00 Europe/Berlin`, `sat,sun 00:00-24:00 UTC`, `daily ...`.

        Raises:
            ValueError: it says no such thing; the sentence tells why.
        """
        match = _TEXT.fullmatch(" ".join(text.split()))
        if match is None:
            raise ValueError(f"Must be {FORM}.")
        days, *figures, zone = match.groups()
        hour, minute, to_hour, to_minute = map(int, figures)
        begin, end = hour * 60 + minute, to_hour * 60 + to_minute
        if max(minute, to_minute) > 59 or begin >= _MINUTES_A_DAY or end > _MINUTES_A_DAY:  # noqa: PLR2004
            raise ValueError("Must have hours of a day, from 00:00 to 24:00.")
        if begin == end:
            raise ValueError("Must end at another time than it begins; all day is 00:00-24:00.")
        hours = cls(_days_from(days.lower()), begin, end, zone)
        if _NO_PLACE.match(zone) is not None:
            raise ValueError(f"{zone[:64]} is not the timezone of a place.")
        try:
            hours.zone_info()
        except (ValueError, OSError, LookupError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"There is no timezone {zone[:64]} on this machine.") from error
        return hours

    def zone_info(self) -> ZoneInfo:
        """Return the timezone.

        Raises:
            ValueError, OSError, LookupError: this machine knows none of that name.
        """
        return ZoneInfo(self.zone)

    def contains(self, at_ms: EpochMs) -> bool:
        """Tell whether a moment lies within them, from the first minute to before the last."""
        local = self.local(at_ms)
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        # Over midnight: they belong to the day on which they begin.
        day_before = (day - 1) % len(_DAYS)
        return (day in self.days and minute >= self.begin) or (
            day_before in self.days and minute < self.end
        )

    def local(self, at_ms: EpochMs) -> datetime:
        """Return what the clocks of that place show."""
        utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
        return utc.astimezone(self.zone_info())

    def __str__(self) -> str:
        """Return a text that it is read from."""
        days = sorted(self.days)
        told = ",".join(_DAYS[one] for one in days)
        if len(days) == len(_DAYS):
            told = "daily"
        elif len(days) > 2 and days[-1] - days[0] == len(days) - 1:  # noqa: PLR2004 - a row of days
            told = f"{_DAYS[days[0]]}-{_DAYS[days[-1]]}"
        return f"{told} {_clock(self.begin)}-{_clock(self.end)} {self.zone}"


def day_name(at: datetime) -> str:
    """Return, for instance, `mon 08:30`."""
    return f"{_DAYS[at.weekday()]} {at:%H:%M}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _days_from(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(len(_DAYS)))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f"Must name days as {', '.join(_DAYS)} or daily; it is {FORM}.")
        at, until = _DAYS.index(first), _DAYS.index(last or first)
        days |= {one % len(_DAYS) for one in range(at, until + 1 if at <= until else until + 8)}
    return frozenset(days)
