"""When a moment that was written down has come, whatever was done to the clock since."""

import pytest

from app.domain.moments import CLOCKS_APART_MS, has_come

NOW, LEASE = 1_000_000, 5_000


@pytest.mark.parametrize(
    ("at_ms", "come"),
    [
        (NOW - 1, True),
        (NOW, True),
        (NOW + 1, False),
        (NOW + LEASE, False),
        (NOW + LEASE + 1, False),  # by a process whose clock is a little ahead
        (NOW + LEASE + CLOCKS_APART_MS, False),
        (NOW + LEASE + CLOCKS_APART_MS + 1, True),  # the clock was set back
    ],
)
def test_a_lease_ends_in_its_time_and_not_before(at_ms: int, come: bool) -> None:  # noqa: FBT001
    assert has_come(at_ms, NOW, LEASE) is come
