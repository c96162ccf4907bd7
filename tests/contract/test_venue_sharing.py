"""What workers share about venues: budgets, bans, clocks, market metadata, spellings."""

import re

import pytest
import redis

from app.domain.errors import VenueBusy
from app.domain.identifiers import AccountId, Symbol, VenueName
from app.exchanges.line import WAIT_MS_MAX
from app.store.core.clock import RedisClock
from app.store.memory import venue_keys
from app.store.memory.venue_budget import BURST_SECONDS, RedisRateBudget, Urgency
from app.store.memory.venue_memory import RedisSymbolMap, RedisVenueMemory
from tests.support.builders import a_quote, a_view, must
from tests.support.clocks import ClockedRedis, FrozenClock
from tests.support.redis_store import server_ms

BINANCE = VenueName("binance")
POOL = "binance:here"
PER_SECOND = 10.0
MOST = PER_SECOND * BURST_SECONDS

#: A fifth of the budget: it takes four seconds until as much is there again, so that a busy machine
#: may be slow over a test.
FIFTH = MOST / 5


def a_budget(client: redis.Redis) -> RedisRateBudget:
    return RedisRateBudget(client)


def a_memory(client: redis.Redis) -> RedisVenueMemory:
    return RedisVenueMemory(client, RedisClock(client))


def wait_ms(
    budget: RedisRateBudget,
    urgency: Urgency,
    cost: float = 1.0,
    patience_ms: int = 0,
    pool: str = POOL,
) -> int | None:
    """Return how long a request waits that has taken its cost, or None if there is none for it."""
    try:
        return budget.take(pool, cost, PER_SECOND, urgency, patience_ms)
    except VenueBusy:
        return None


def taken(budget: RedisRateBudget, urgency: Urgency, cost: float, patience_ms: int = 0) -> int:
    """Take as long as there is something to take; return how often it was."""
    for count in range(1_000):
        if wait_ms(budget, urgency, cost, patience_ms) is None:
            return count
    raise AssertionError("the budget has no end")


def an_empty_budget() -> tuple[FrozenClock, RedisRateBudget]:
    """A budget that others have used up just now, on a clock by hand."""
    store = ClockedRedis()
    clock = FrozenClock(store)
    budget = a_budget(store)
    assert budget.take(POOL, MOST, PER_SECOND, Urgency.CANCEL, 0) == 0
    return clock, budget


def test_all_workers_take_from_one_budget(client: redis.Redis) -> None:
    first, second = a_budget(client), a_budget(client)

    for budget in (first, second, first, second, first):
        assert wait_ms(budget, Urgency.CANCEL, FIFTH) == 0

    assert wait_ms(second, Urgency.CANCEL, FIFTH) is None


def test_a_part_is_kept_for_what_is_more_urgent(client: redis.Redis) -> None:
    budget = a_budget(client)
    tenth = MOST / 10

    counts = [taken(budget, one, tenth) for one in sorted(Urgency, reverse=True)]

    assert counts == [4, 1, 1, 2, 1, 1]


def test_it_tells_how_long_to_wait(client: redis.Redis) -> None:
    budget = a_budget(client)
    taken(budget, Urgency.CANCEL, FIFTH)

    with pytest.raises(VenueBusy) as told:
        budget.take(POOL, FIFTH, PER_SECOND, Urgency.CANCEL, 0)

    assert 0 < told.value.retry_after_ms <= FIFTH / PER_SECOND * 1_000


def test_who_waits_is_served_before_who_comes_later() -> None:
    clock, budget = an_empty_budget()

    waits = [wait_ms(budget, Urgency.CANCEL, patience_ms=500) for _ in range(7)]
    clock.advance(250)
    later = wait_ms(budget, Urgency.CANCEL, patience_ms=500)

    assert waits == [100, 200, 300, 400, 500, 600, None]
    assert later == 450


def test_a_freeze_reaches_those_who_wait_already() -> None:
    clock, budget = an_empty_budget()
    assert wait_ms(budget, Urgency.CANCEL, patience_ms=500) == 100

    budget.freeze(POOL, 60_000)
    clock.advance(100)

    assert wait_ms(budget, Urgency.CANCEL, cost=0, patience_ms=500) is None
    clock.advance(60_000)
    assert wait_ms(budget, Urgency.CANCEL, cost=0) == 0


def test_what_costs_more_finds_no_longer_queue_than_what_costs_little() -> None:
    _, budget = an_empty_budget()

    taken(budget, Urgency.CANCEL, 1.0, patience_ms=400)

    assert wait_ms(budget, Urgency.CANCEL, 5.0, patience_ms=500) is not None


def test_an_order_that_is_ready_goes_however_many_questions_are_asked() -> None:
    clock, budget = an_empty_budget()
    patience = WAIT_MS_MAX[Urgency.QUESTION]

    for _ in range(100):  # ten seconds
        clock.advance(100)
        taken(budget, Urgency.QUESTION, 0.8, patience)

    assert wait_ms(budget, Urgency.QUESTION, 0.8, patience) is None
    assert wait_ms(budget, Urgency.ORDER, 0.2, WAIT_MS_MAX[Urgency.ORDER]) is not None


def test_what_costs_more_than_there_can_be_goes_when_it_is_full(client: redis.Redis) -> None:
    budget = a_budget(client)

    assert wait_ms(budget, Urgency.ORDER, MOST * 2) == 0
    assert wait_ms(budget, Urgency.CANCEL) is None


def test_a_ban_keeps_everybody_away_and_a_shorter_one_does_not_end_it(client: redis.Redis) -> None:
    budget, other = a_budget(client), a_budget(client)

    budget.freeze(POOL, 60_000)
    other.freeze(POOL, 1_000)

    with pytest.raises(VenueBusy) as told:
        other.take(POOL, 1, PER_SECOND, Urgency.CANCEL, 0)
    assert 55_000 < told.value.retry_after_ms <= 60_000
    assert wait_ms(other, Urgency.POLL, pool="binance:there") == 0


def test_a_ban_from_before_the_clock_was_set_back_has_ended(client: redis.Redis) -> None:
    budget = a_budget(client)
    budget.freeze(POOL, 60_000)

    client.hset(venue_keys.budget(POOL), "frozen", server_ms(client) + 3_600_000)

    assert wait_ms(budget, Urgency.CANCEL) == 0
    budget.freeze(POOL, 60_000)
    assert wait_ms(budget, Urgency.CANCEL) is None


def test_ticks_are_numbered_upwards_whatever_the_clock_says(client: redis.Redis) -> None:
    memory, other = a_memory(client), a_memory(client)
    first = memory.tick_number(BINANCE)
    assert abs(first - server_ms(client)) < 60_000

    client.set(venue_keys.tick(BINANCE), first + 3_600_000)

    assert other.tick_number(BINANCE) == first + 3_600_001
    assert memory.tick_number(BINANCE) == first + 3_600_002


def test_what_an_account_had_is_forgotten_when_an_order_of_it_moves(client: redis.Redis) -> None:
    memory, one = a_memory(client), AccountId(1)
    moved = memory.moved(one)
    memory.keep_view(one, a_view(), moved)
    assert must(memory.view(one)).view == a_view()

    memory.outdate(one)
    assert memory.view(one) is None
    memory.keep_view(one, a_view(), moved)  # whoever was asked before the order moved
    assert memory.view(one) is None

    memory.keep_view(one, a_view(), memory.moved(one))
    assert must(memory.view(one)).view == a_view()


def test_what_was_measured_before_the_clock_was_set_says_nothing(client: redis.Redis) -> None:
    memory = a_memory(client)
    ahead_ms = server_ms(client) + 3_600_000
    symbol = Symbol("BTC/USDT")
    memory.keep_quotes(BINANCE, {symbol: a_quote()})
    memory.keep_clock_offset(BINANCE, 12)
    memory.keep_view(AccountId(1), a_view(), memory.moved(AccountId(1)))
    fresh = memory.clock_offset_ms(BINANCE), memory.tick(BINANCE, symbol) is not None

    client.set(venue_keys.clock_offset(BINANCE), f"12:{ahead_ms}")
    for key in (venue_keys.quote(BINANCE, symbol), venue_keys.view(AccountId(1))):
        moved = re.sub(r"\b1[0-9]{12}\b", str(ahead_ms), str(client.get(key)))
        client.set(key, moved)

    kept = must(memory.view(AccountId(1)))
    assert fresh == (12, True)
    assert memory.clock_offset_ms(BINANCE) is None
    assert memory.tick(BINANCE, symbol) is None
    assert kept.age_ms > 3_000_000


def test_a_row_of_failures_ends_with_an_answer(client: redis.Redis) -> None:
    budget = a_budget(client)

    rows = [budget.failed("binance:1", 9) for _ in range(3)]
    before = budget.failures("binance:1")
    budget.answered("binance:1")

    assert (rows, before, budget.failures("binance:1")) == ([1, 2, 3], 3, 0)


def test_what_one_worker_has_learned_the_others_know(client: redis.Redis) -> None:
    memory, other = a_memory(client), a_memory(client)
    text = '[{"symbol": "BTC/USDT", "é": 1}]' * 1_000

    memory.keep_markets(BINANCE, "SPOT", text)
    memory.keep_clock_offset(BINANCE, -1_234)

    kept = must(other.markets(BINANCE, "SPOT"))
    assert kept.text == text
    assert kept.age_ms < 60_000
    assert other.markets(BINANCE, "USDM") is None
    assert other.clock_offset_ms(BINANCE) == -1_234
    other.forget_clock_offset(BINANCE)
    assert memory.clock_offset_ms(BINANCE) is None


def test_spellings_are_set_and_taken_away(client: redis.Redis) -> None:
    spellings = RedisSymbolMap(client)

    spellings.put_spelling(BINANCE, "xbtusd", Symbol("BTC/USD"))
    spellings.put_spelling(BINANCE, "other", Symbol("ETH/USD"))
    spellings.put_spelling(BINANCE, "OTHER", None)

    assert spellings.spellings(BINANCE) == {"XBTUSD": "BTC/USD"}
