"""Prices of a real exchange, without the exchange."""

from collections.abc import Mapping
from decimal import Decimal

import ccxt
import pytest

from app.domain.errors import (
    InsufficientFunds,
    KeyRefused,
    OutcomeUnknown,
    RightMissing,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.identifiers import EpochMs, Symbol
from app.exchanges.errors import translated, translated_reading
from app.paper.prices.live import FRESH_MS, LiveSource
from tests.support.builders import BTC, must


class ScriptedTickers:
    """Answers with one ticker, and counts the questions."""

    def __init__(self, answer: Mapping[str, str | None] | VenueError) -> None:
        self.answer = answer
        self.questions = 0

    def ticker(self, symbol: Symbol) -> Mapping[str, str | None]:
        assert symbol == BTC
        self.questions += 1
        if isinstance(self.answer, VenueError):
            raise self.answer
        return self.answer


def test_a_ticker_becomes_a_quote() -> None:
    source = LiveSource(ScriptedTickers({"bid": "1.5", "ask": "1.6", "last": "1.55"}).ticker)

    quote = must(source.quote(BTC, {}, EpochMs(0)))

    assert (quote.bid, quote.ask, quote.last) == (Decimal("1.5"), Decimal("1.6"), Decimal("1.55"))


def test_a_ticker_without_a_touch_has_its_last_price_on_both_sides() -> None:
    source = LiveSource(ScriptedTickers({"bid": None, "ask": None, "last": "7"}).ticker)

    quote = must(source.quote(BTC, {}, EpochMs(0)))

    assert quote.bid == quote.ask == Decimal(7)


def test_a_fresh_ticker_is_not_asked_for_again() -> None:
    tickers = ScriptedTickers({"last": "7"})
    source = LiveSource(tickers.ticker)

    for at_ms in (0, FRESH_MS - 1, FRESH_MS):
        source.quote(BTC, {}, EpochMs(at_ms))

    assert tickers.questions == 2


def test_a_symbol_that_the_exchange_does_not_know_has_no_price() -> None:
    source = LiveSource(ScriptedTickers(VenueRejected("no such symbol")).ticker)

    assert source.quote(BTC, {}, EpochMs(0)) is None


@pytest.mark.parametrize("answer", [{"last": None}, VenueUnavailable("away")])
def test_an_exchange_without_an_answer_is_unavailable(
    answer: Mapping[str, str | None] | VenueError,
) -> None:
    source = LiveSource(ScriptedTickers(answer).ticker)

    with pytest.raises(VenueUnavailable):
        source.quote(BTC, {}, EpochMs(0))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (ccxt.InsufficientFunds, InsufficientFunds),
        (ccxt.RateLimitExceeded, VenueUnavailable),
        (ccxt.OnMaintenance, VenueUnavailable),
        (ccxt.RequestTimeout, OutcomeUnknown),
        (ccxt.ExchangeNotAvailable, OutcomeUnknown),
        (ccxt.DuplicateOrderId, OutcomeUnknown),
        (ccxt.InvalidOrder, VenueRejected),
        (ccxt.PermissionDenied, RightMissing),
        (ccxt.AuthenticationError, KeyRefused),
        (ccxt.ExchangeError, OutcomeUnknown),
    ],
)
def test_errors_of_changing_calls_say_whether_it_arrived(
    theirs: type[Exception], ours: type[VenueError]
) -> None:
    with pytest.raises(VenueError) as caught, translated():
        raise theirs("said so")

    assert type(caught.value) is ours
    assert isinstance(caught.value.__cause__, theirs)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (ccxt.RequestTimeout, VenueUnavailable),
        (ccxt.RateLimitExceeded, VenueUnavailable),
        (ccxt.BadSymbol, VenueRejected),
        (ccxt.AuthenticationError, KeyRefused),
    ],
)
def test_a_failed_question_has_changed_nothing(
    theirs: type[Exception], ours: type[VenueError]
) -> None:
    with pytest.raises(VenueError) as caught, translated_reading():
        raise theirs("said so")

    assert type(caught.value) is ours
