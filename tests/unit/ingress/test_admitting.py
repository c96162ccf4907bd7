"""A request whose sender was looked up in an old copy of the registry is looked at once more."""

from collections.abc import Callable

import pytest

from app.domain.errors import MalformedPayload, NotFound, StaleRegistry
from app.ingress.admitting import READINGS_MAX, with_current_registry
from app.store.registry import RedisRegistry
from tests.builders import SPOT
from tests.fakes import ClockedRedis


@pytest.fixture
def redis() -> ClockedRedis:
    return ClockedRedis()


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


def test_what_an_old_copy_refuses_is_looked_at_once_more(registry: RedisRegistry) -> None:
    assert with_current_registry(registry, finding(registry, lambda: None)) == "2 attempts"


def test_another_thread_may_have_read_it_anew_meanwhile(registry: RedisRegistry) -> None:
    assert with_current_registry(registry, finding(registry, registry.refresh)) == "2 attempts"


def test_what_a_new_copy_refuses_is_refused(registry: RedisRegistry) -> None:
    registry.refresh()
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise MalformedPayload("validation_failed", "no")

    with pytest.raises(MalformedPayload):
        with_current_registry(registry, attempt)
    assert len(attempts) == 1


def test_a_registry_that_changes_all_the_time_is_given_up(registry: RedisRegistry) -> None:
    attempts = []

    def attempt() -> None:
        attempts.append(1)
        raise StaleRegistry("changed again")

    with pytest.raises(StaleRegistry):
        with_current_registry(registry, attempt)
    assert len(attempts) == READINGS_MAX + 1
