"""A request is taken in whole or part by part, and what has written is never run again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.errors import (
    Conflict,
    HistoryUnavailable,
    HookfillError,
    MalformedPayload,
    NotFound,
    StaleRegistry,
    StoreUnavailable,
)
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.ports.ledger import Change, Stored
from app.store.core.ledger import RedisLedger
from app.store.core.registry import RedisRegistry
from app.web.registry_refresh import READINGS_MAX, Failed, part_by_part, with_current_registry
from tests.support.builders import SPOT, an_id, an_order
from tests.support.clocks import ClockedRedis, FrozenClock


@pytest.fixture
def redis() -> ClockedRedis:
    return ClockedRedis()


@pytest.fixture
def ledger(redis: ClockedRedis) -> RedisLedger:
    return RedisLedger(redis, FrozenClock(redis), lambda: "test", 1_000)


@pytest.fixture
def registry(redis: ClockedRedis) -> RedisRegistry:
    """A copy that is old: an account was made by another process."""
    registry = RedisRegistry(redis)
    registry.refresh()
    RedisRegistry(redis).put_account(SPOT)
    return registry


def finding(registry: RedisRegistry, first: Callable[[], object]) -> Callable[[], str]:
    """Return an attempt that sees only what the copy holds; `first` happens in the first one."""
    attempts = []

    def attempt() -> str:
        known = [one.name for one in registry.accounts()]
        attempts.append(known)
        if len(attempts) == 1:
            first()
        if SPOT.name not in known:
            raise NotFound("there is no such account")
        return f"{len(attempts)} attempts"

    return attempt


def write(ledger: RedisLedger, number: int = 1) -> Order:
    """Store an order."""
    order = an_order(id=AggregateId(an_id(number)))
    ledger.commit([Change(None, order)])
    return order


# Whole


def test_what_an_old_copy_refuses_is_looked_at_once_more(
    registry: RedisRegistry, ledger: RedisLedger
) -> None:
    taken = with_current_registry(registry, ledger, finding(registry, lambda: None))

    assert taken == "2 attempts"


def test_another_thread_may_have_read_it_anew_meanwhile(
    registry: RedisRegistry, ledger: RedisLedger
) -> None:
    taken = with_current_registry(registry, ledger, finding(registry, registry.refresh))

    assert taken == "2 attempts"


def test_what_a_new_copy_refuses_is_refused(registry: RedisRegistry, ledger: RedisLedger) -> None:
    registry.refresh()
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise MalformedPayload("validation_failed", "no")

    with pytest.raises(MalformedPayload):
        with_current_registry(registry, ledger, attempt)
    assert len(attempts) == 1


def test_a_registry_that_changes_all_the_time_is_given_up(
    registry: RedisRegistry, ledger: RedisLedger
) -> None:
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise StaleRegistry("changed again")

    with pytest.raises(StaleRegistry):
        with_current_registry(registry, ledger, attempt)
    assert len(attempts) == READINGS_MAX + 1


@pytest.mark.parametrize("error", [StaleRegistry("changed"), NotFound("there is no such account")])
def test_what_has_written_is_not_run_again(
    registry: RedisRegistry, ledger: RedisLedger, error: HookfillError
) -> None:
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        write(ledger, len(attempts))
        raise error

    with pytest.raises(type(error)):
        with_current_registry(registry, ledger, attempt)
    assert len(attempts) == 1


# Commits are counted


def test_what_was_refused_has_written_nothing(ledger: RedisLedger) -> None:
    order = write(ledger)
    before = ledger.writes()
    stale = Change(Stored(order, version=7), replace(order, status=OrderStatus.PLACING))

    with pytest.raises(Conflict):
        ledger.commit([stale])
    assert ledger.writes() == before == 1


def test_what_was_not_answered_may_have_written(ledger: RedisLedger, redis: ClockedRedis) -> None:
    redis.after_write = Mock(side_effect=StoreUnavailable("no answer"))

    with pytest.raises(StoreUnavailable):
        write(ledger)
    assert ledger.writes() == 1


# Part by part

Act = Callable[[], object]


def fails(error: HookfillError, *acts: Act) -> Act:
    """Return an act that does something first, each time another thing, and then fails."""
    left = list(acts)

    def act() -> object:
        if left:
            return left.pop(0)()
        raise error

    return act


def carried_out(acts: Sequence[Act], ledger: RedisLedger) -> list[object]:
    """Return what came of each: the result, or how it failed."""
    return [
        (type(one.error), one.in_doubt) if isinstance(one, Failed) else one
        for one in part_by_part(acts, ledger, lambda act: act())
    ]


def test_the_failure_of_a_part_is_its_own(ledger: RedisLedger) -> None:
    acts = [lambda: "first", fails(NotFound("no")), fails(StaleRegistry("no")), lambda: "last"]

    assert carried_out(acts, ledger) == ["first", (NotFound, False), (StaleRegistry, False), "last"]


def test_a_part_that_the_store_said_nothing_of_is_asked_for_once_more(ledger: RedisLedger) -> None:
    blink = Mock(side_effect=StoreUnavailable("no answer"))

    assert carried_out([fails(NotFound("never"), blink, lambda: "done")], ledger) == ["done"]


def test_what_remains_is_not_begun_when_the_store_is_away(ledger: RedisLedger) -> None:
    begun = []

    def cut() -> object:
        write(ledger)
        raise StoreUnavailable("no answer")

    outcomes = carried_out(
        [lambda: "first", fails(StoreUnavailable("away"), cut), lambda: begun.append(1)], ledger
    )

    assert outcomes == ["first", (StoreUnavailable, True), (StoreUnavailable, False)]
    assert begun == []


def test_a_history_that_is_away_holds_up_no_other_part(ledger: RedisLedger) -> None:
    acts = [fails(HistoryUnavailable("away")), lambda: "last"]

    assert carried_out(acts, ledger) == [(HistoryUnavailable, False), "last"]


def test_the_whole_fails_if_nothing_was_written_at_all(ledger: RedisLedger) -> None:
    with pytest.raises(StoreUnavailable):
        carried_out([fails(StoreUnavailable("away")), lambda: "never begun"], ledger)


def test_the_whole_does_not_fail_if_something_may_be_written(ledger: RedisLedger) -> None:
    def cut() -> object:
        write(ledger)
        raise StoreUnavailable("no answer")

    assert carried_out([fails(StoreUnavailable("away"), cut)], ledger) == [(StoreUnavailable, True)]


def test_a_refusal_is_told_even_if_all_else_fails(ledger: RedisLedger) -> None:
    acts = [fails(NotFound("no")), fails(StoreUnavailable("away"))]

    assert carried_out(acts, ledger) == [(NotFound, False), (StoreUnavailable, False)]


def test_no_parts_are_no_failure(ledger: RedisLedger) -> None:
    assert carried_out([], ledger) == []
