"""The trigger book, compared with a model that looks at every trigger on every tick."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import fakeredis
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.identifiers import AggregateId, Symbol, VenueName
from app.domain.market import Quote, Tick
from app.domain.trigger import Trigger
from app.domain.words import Direction, PriceSource
from app.store.trigger_book import FIRED_AT_ONCE, RedisTriggerBook
from tests.builders import BTC, ETH, NOW, PAPER, USDM_ID, a_quote, a_tick, a_trigger, an_id

RISING, FALLING = Direction.RISING, Direction.FALLING
OTHER = VenueName("binance")


@pytest.fixture
def book(client: redis.Redis) -> RedisTriggerBook:
    return RedisTriggerBook(client)


def trigger(owner: int = 1, level: str = "1900", direction: Direction = FALLING) -> Trigger:
    return a_trigger(owner=an_id(owner, USDM_ID), level=Decimal(level), direction=direction)


def owner(number: int) -> AggregateId:
    return an_id(number, USDM_ID)


@pytest.mark.parametrize(
    ("direction", "price", "fires"),
    [
        (FALLING, "1900.01", False),
        (FALLING, "1900", True),
        (FALLING, "1500", True),
        (RISING, "1899.99", False),
        (RISING, "1900", True),
        (RISING, "2500", True),
    ],
)
def test_a_trigger_fires_at_its_level_and_beyond(
    book: RedisTriggerBook, direction: Direction, price: str, *, fires: bool
) -> None:
    book.arm(trigger(direction=direction))

    fired = book.fire(PAPER, a_tick(last=price))

    assert fired == ([owner(1)] if fires else [])


def test_a_level_between_two_ticks_does_not_fire_early(book: RedisTriggerBook) -> None:
    book.arm(trigger(1, "1900.0055", RISING))
    book.arm(trigger(2, "1900.0045", FALLING))

    early = book.fire(PAPER, a_tick(1, last="1900.005"))
    high = book.fire(PAPER, a_tick(2, last="1900.01"))

    assert early == []
    assert high == [owner(1)]


def test_a_trigger_fires_once(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    book.fire(PAPER, a_tick(1, last="1800"))
    book.done(PAPER, owner(1))

    assert book.fire(PAPER, a_tick(2, last="1700")) == []


def test_what_has_fired_stays_listed_until_its_owner_knows(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    book.fire(PAPER, a_tick(7, last="1800"))

    listed = book.fired(PAPER)
    again = book.fire(PAPER, a_tick(8, last="1700"))
    book.done(PAPER, owner(1))

    assert listed == {owner(1): 7}
    assert again == [owner(1)]
    assert book.fired(PAPER) == {}


def test_arming_twice_is_arming_once(book: RedisTriggerBook) -> None:
    book.arm(trigger(level="1900"))
    book.arm(trigger(level="1850"))

    assert book.fire(PAPER, a_tick(1, last="1880")) == []
    assert book.fire(PAPER, a_tick(2, last="1850")) == [owner(1)]


def test_a_disarmed_trigger_does_not_fire(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    book.disarm(trigger())
    book.disarm(trigger())

    assert book.fire(PAPER, a_tick(last="1800")) == []


def test_a_tick_that_is_not_newer_fires_nothing(book: RedisTriggerBook) -> None:
    book.arm(trigger(1, "1900"))
    book.fire(PAPER, a_tick(5, last="2000"))
    book.arm(trigger(2, "1950"))

    older = [book.fire(PAPER, a_tick(number, last="1800")) for number in (4, 5)]

    assert older == [[], []]
    assert book.fire(PAPER, a_tick(6, last="1800")) == [owner(1), owner(2)]


def test_a_trigger_armed_after_a_tick_has_begun_waits_for_the_next_one(
    book: RedisTriggerBook,
) -> None:
    book.fire(PAPER, a_tick(5, last="1800"))
    book.arm(trigger())  # opens its book

    again = book.fire(PAPER, a_tick(5, last="1800"))

    assert again == []
    assert book.fire(PAPER, a_tick(6, last="1800")) == [owner(1)]


def test_what_one_tick_fires_comes_in_order_of_owners(book: RedisTriggerBook) -> None:
    for number, level in ((3, "1950"), (1, "1900"), (2, "1990")):
        book.arm(trigger(number, level))
    book.arm(trigger(0, "1700", RISING))

    fired = book.fire(PAPER, a_tick(last="1800"))

    assert fired == [owner(number) for number in (0, 1, 2, 3)]


def test_each_source_has_its_own_price(book: RedisTriggerBook) -> None:
    for number, source in enumerate(PriceSource):
        book.arm(replace(trigger(number, "1950"), source=source))
    quotes = {ETH: Quote(bid=Decimal(1_940), ask=Decimal(1_960), last=Decimal(1_950))}

    fired = book.fire(PAPER, Tick(number=1, at_ms=NOW, quotes=quotes))

    by_source = dict(zip(PriceSource, map(owner, range(3)), strict=True))
    assert fired == [by_source[PriceSource.BID], by_source[PriceSource.LAST]]


def test_a_tick_moves_the_symbols_that_it_names(book: RedisTriggerBook) -> None:
    book.arm(trigger())

    assert book.fire(PAPER, a_tick(1, BTC, "1")) == []
    assert book.fire(OTHER, a_tick(1, ETH, "1")) == []
    assert book.fire(PAPER, a_tick(1, ETH, "1")) == [owner(1)]


def test_symbols_are_those_with_something_armed(book: RedisTriggerBook) -> None:
    assert list(book.symbols(PAPER)) == []

    book.arm(trigger())
    armed = set(book.symbols(PAPER))
    book.disarm(trigger())

    assert armed == {ETH}
    assert set(book.symbols(PAPER)) == set()


def test_a_gap_that_fires_more_than_one_call_takes_fires_all(book: RedisTriggerBook) -> None:
    count = FIRED_AT_ONCE + 5
    for number in range(count):
        book.arm(trigger(number, "1900"))

    assert len(book.fire(PAPER, a_tick(last="1000"))) == count


def test_a_book_keeps_its_unit_when_the_tick_of_the_symbol_changes(
    book: RedisTriggerBook,
) -> None:
    book.arm(replace(trigger(1, "1900.5"), price_step=Decimal("0.01")))
    book.arm(replace(trigger(2, "1900.5"), price_step=Decimal("0.5")))

    assert book.fire(PAPER, a_tick(1, last="1900.51")) == []
    assert book.fire(PAPER, a_tick(2, last="1900.5")) == [owner(1), owner(2)]


@dataclass
class Naive:
    """Every trigger, looked at on every tick."""

    armed: dict[AggregateId, Trigger] = field(default_factory=dict)
    fired: dict[AggregateId, int] = field(default_factory=dict)

    def fire(self, tick: Tick) -> list[AggregateId]:
        for one, held in list(self.armed.items()):
            quote = tick.quotes.get(held.symbol)
            if quote is None:
                continue
            price = quote.of(held.source)
            rises = held.direction is RISING
            if (price >= held.level) if rises else (price <= held.level):
                del self.armed[one]
                self.fired[one] = tick.number
        return sorted(self.fired)


LEVELS = st.integers(9_950, 10_050).map(lambda steps: Decimal(steps) / 100)
SYMBOLS = st.sampled_from([BTC, ETH])
STEPS = st.one_of(
    st.tuples(
        st.just("arm"),
        st.integers(1, 12),
        SYMBOLS,
        LEVELS,
        st.sampled_from(Direction),
        st.sampled_from([PriceSource.BID, PriceSource.LAST]),
    ),
    st.tuples(st.just("disarm"), st.integers(1, 12)),
    st.tuples(st.just("done"), st.integers(1, 12)),
    st.tuples(st.just("tick"), st.dictionaries(SYMBOLS, st.tuples(LEVELS, LEVELS), min_size=1)),
    st.tuples(st.just("tick again"), st.integers(1, 3)),
)


def compare(client: redis.Redis, steps: list[tuple[Any, ...]]) -> None:  # noqa: C901 - a table
    """Let the book and the model go through the same, and compare them after each step."""
    book, naive = RedisTriggerBook(client), Naive()
    ticks: list[Tick] = []
    for step in steps:
        match step:
            case "arm", int(name), symbol, level, direction, source:
                one = owner(name)
                if one in naive.armed or one in naive.fired:
                    continue  # an owner has one trigger, and arms it once
                held = replace(
                    a_trigger(owner=one, symbol=symbol, level=level),
                    direction=direction,
                    source=source,
                )
                book.arm(held)
                naive.armed[one] = held
            case "disarm", int(name):
                armed = naive.armed.pop(owner(name), None)
                if armed is not None:
                    book.disarm(armed)
            case "done", int(name):
                naive.fired.pop(owner(name), None)
                book.done(PAPER, owner(name))
            case "tick", dict(prices):
                ticks.append(Tick(number=len(ticks) + 1, at_ms=NOW, quotes=_quotes(prices)))
                assert book.fire(PAPER, ticks[-1]) == naive.fire(ticks[-1])
            case "tick again", int(back) if back <= len(ticks):
                assert book.fire(PAPER, ticks[-back]) == sorted(naive.fired)
        assert book.fired(PAPER) == naive.fired
        assert set(book.symbols(PAPER)) == {held.symbol for held in naive.armed.values()}


def _quotes(prices: dict[Symbol, tuple[Decimal, Decimal]]) -> dict[Symbol, Quote]:
    return {
        symbol: a_quote(str(min(pair)), str(max(pair)), str(pair[0]))
        for symbol, pair in prices.items()
    }


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_the_book_fires_what_a_look_at_every_trigger_would(
    steps: list[tuple[object, ...]],
) -> None:
    with fakeredis.FakeRedis(server=fakeredis.FakeServer(), decode_responses=True) as client:
        compare(client, steps)


@pytest.mark.integration
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_a_real_server_fires_the_same(
    real_client: redis.Redis, steps: list[tuple[object, ...]]
) -> None:
    real_client.flushall()
    compare(real_client, steps)
