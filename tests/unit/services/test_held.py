"""Work that only one process does at a time."""

import pytest

from app.services.exclusive import exclusive
from tests.support.rig import Rig

NAME, LEASE_MS = "work", 1_000


def test_one_holds_it_and_another_does_not(rig: Rig) -> None:
    with exclusive(rig.ports.locks, NAME, LEASE_MS) as first:
        with exclusive(rig.ports.locks, NAME, LEASE_MS) as second:
            assert (first.is_ours, second.is_ours) == (True, False)
        with exclusive(rig.ports.locks, NAME, LEASE_MS) as third:
            assert not third, "who did not hold it has given nothing back"
    assert (first.was_wanted, second.was_wanted) == (True, False)


def test_it_is_given_back_whatever_happens(rig: Rig) -> None:
    with pytest.raises(ValueError, match="oh"), exclusive(rig.ports.locks, NAME, LEASE_MS):
        raise ValueError("oh")

    with exclusive(rig.ports.locks, NAME, LEASE_MS) as again:
        assert again


def test_somebody_who_holds_it_for_too_long_takes_it_from_nobody(rig: Rig) -> None:
    with exclusive(rig.ports.locks, NAME, LEASE_MS):
        rig.clock.advance(LEASE_MS + 1)
        other = rig.ports.locks.acquire(NAME, LEASE_MS)

    assert other is not None
    with exclusive(rig.ports.locks, NAME, LEASE_MS) as again:
        assert not again
