"""What workers share about venues: budgets, bans, clocks, market metadata, spellings."""

import re

import redis

from app.domain.identifiers import AccountId, Symbol, VenueName
from app.store.core.clock import RedisClock
from app.store.memory import venue_keys
from app.store.memory.venue_budget import BURST_SECONDS, RedisRateBudget, Urgency
from app.store.memory.venue_memory import RedisSymbolMap, RedisVenueMemory
from tests.support.builders import a_quote, a_view, must
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


def taken(budget: RedisRateBudget, urgency: Urgency, cost: float) -> int:
    """Take as long as there is something to take; return how often it was."""
    for count in range(1_000):
        if budget.take(POOL, cost, PER_SECOND, urgency):
            return count
    raise AssertionError("the budget has no end")


def test_all_workers_take_from_one_budget(client: redis.Redis) -> None:
    first, second = a_budget(client), a_budget(client)

    for budget in (first, second, first, second, first):
        assert budget.take(POOL, FIFTH, PER_SECOND, Urgency.CANCEL) == 0

    assert second.take(POOL, FIFTH, PER_SECOND, Urgency.CANCEL) > 0


def test_a_part_is_kept_for_cancels_and_look_ups(client: redis.Redis) -> None:
    budget = a_budget(client)

    polls = taken(budget, Urgency.POLL, FIFTH)
    orders = taken(budget, Urgency.ORDER, FIFTH)
    cancels = taken(budget, Urgency.CANCEL, FIFTH)

    assert (polls, orders, cancels) == (2, 2, 1)


def test_it_tells_how_long_to_wait(client: redis.Redis) -> None:
    budget = a_budget(client)
    taken(budget, Urgency.CANCEL, FIFTH)

    wait_ms = budget.take(POOL, FIFTH, PER_SECOND, Urgency.CANCEL)

    assert 0 < wait_ms <= FIFTH / PER_SECOND * 1_000


def test_what_costs_more_than_there_can_be_goes_when_it_is_full(client: redis.Redis) -> None:
    budget = a_budget(client)

    assert budget.take(POOL, MOST * 2, PER_SECOND, Urgency.ORDER) == 0
    assert budget.take(POOL, 1, PER_SECOND, Urgency.CANCEL) > 0


def test_a_ban_keeps_everybody_away_and_a_shorter_one_does_not_end_it(client: redis.Redis) -> None:
    budget, other = a_budget(client), a_budget(client)

    budget.freeze(POOL, 60_000)
    other.freeze(POOL, 1_000)

    assert 55_000 < other.take(POOL, 1, PER_SECOND, Urgency.CANCEL) <= 60_000
    assert other.take("binance:there", 1, PER_SECOND, Urgency.POLL) == 0


def test_a_ban_from_before_the_clock_was_set_back_has_ended(client: redis.Redis) -> None:
    budget = a_budget(client)
    budget.freeze(POOL, 60_000)

    client.hset(venue_keys.budget(POOL), "frozen", server_ms(client) + 3_600_000)

    assert budget.take(POOL, 1, PER_SECOND, Urgency.CANCEL) == 0
    budget.freeze(POOL, 60_000)
    assert budget.take(POOL, 1, PER_SECOND, Urgency.CANCEL) > 0


def test_ticks_are_numbered_upwards_whatever_the_clock_says(client: redis.Redis) -> None:
    memory, other = a_memory(client), a_memory(client)
    first = memory.tick_number(BINANCE)
    assert abs(first - server_ms(client)) < 60_000

    client.set(venue_keys.tick(BINANCE), first + 3_600_000)

    assert other.tick_number(BINANCE) == first + 3_600_001
    assert memory.tick_number(BINANCE) == first + 3_600_002


def test_what_was_measured_before_the_clock_was_set_says_nothing(client: redis.Redis) -> None:
    memory = a_memory(client)
    ahead_ms = server_ms(client) + 3_600_000
    symbol = Symbol("BTC/USDT")
    memory.keep_quotes(BINANCE, {symbol: a_quote()})
    memory.keep_clock_offset(BINANCE, 12)
    memory.keep_view(AccountId(1), a_view())
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
