"""What ails a server is told once for each reason, and once when it is over."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app.outages import APART_SECONDS, QUIET_SECONDS, Outage


class Place:
    """An outage, and a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.outage = Outage("server", lambda: self.now)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def told() -> Iterator[list[Any]]:
    structlog.reset_defaults()
    with capture_logs() as lines:
        yield lines


def test_each_reason_is_told_once(place: Place) -> None:
    assert [place.outage.is_news(one) for one in "aabab"] == [True, False, True, False, False]


def test_the_end_is_told_with_how_much_and_how_long(place: Place, told: list[Any]) -> None:
    for _ in range(3):
        place.outage.is_news("a")
        place.now += 2
    place.now += QUIET_SECONDS

    place.outage.got_through()
    place.outage.got_through()

    (line,) = told
    assert line["event"] == "outage_over"
    assert (line["of"], line["failures"], line["seconds"]) == ("server", 3, 4)
    assert place.outage.is_news("a")


def test_what_fails_half_the_time_is_one_outage(place: Place, told: list[Any]) -> None:
    news = []
    for _ in range(20):
        news.append(place.outage.is_news("a"))
        place.now += QUIET_SECONDS / 2
        place.outage.got_through()

    assert news.count(True) == 1
    assert told == []


def test_what_fails_again_much_later_is_another_outage(place: Place, told: list[Any]) -> None:
    place.outage.is_news("a")
    place.now += APART_SECONDS

    assert place.outage.is_news("a")
    assert [line["event"] for line in told] == ["outage_over"]


def test_nothing_is_told_where_nothing_has_failed(place: Place, told: list[Any]) -> None:
    place.outage.got_through()

    assert told == []
