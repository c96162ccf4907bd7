"""What must be done again and again, and whether it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.domain.errors import VenueError
from app.domain.moments import age_ms
from app.ports import Ports

#: Rounds that are made in every installation; the first two also for each exchange that is waited
#: for, as `prices:<feed>` and `orders:<account>`.
PRICES, ORDERS, SWEEP = "prices", "orders", "sweep"

#: When somebody was last to look at the guarded positions of an account, as `guards:<account>`.
GUARDS = "guards"


def queue_round(queue: str) -> str:
    """Return what the round of canaries through a queue is called."""
    return f"queue:{queue}"


@contextmanager
def noted(name: str, ports: Ports) -> Iterator[None]:
    """Note that a round was made, if its work ends well, or not for the fault of a venue alone."""
    try:
        yield
    except VenueError:
        ports.rounds.done(name, ports.clock.server_ms())
        raise
    ports.rounds.done(name, ports.clock.server_ms())


def late_rounds(
    limits_ms: Mapping[str, int], at_exchanges_ms: int, ports: Ports
) -> Mapping[str, int | None]:
    """Return what was not done in time → for how many ms; None if it never was.

    Args:
        limits_ms: what must be done in every installation → how long ago it may have been.
        at_exchanges_ms: how long ago a round for one exchange may have been, if it is waited for.
        ports: of this process.

    Raises:
        StoreUnavailable: it cannot be told.
    """
    now_ms = ports.clock.server_ms()
    ages = {name: age_ms(at_ms, now_ms) for name, at_ms in ports.rounds.last_ms().items()}
    at_exchanges = [one for one in ages if one.startswith((f"{PRICES}:", f"{ORDERS}:"))]
    limits = {**dict.fromkeys(at_exchanges, at_exchanges_ms), **limits_ms}
    return {
        name: ages.get(name)
        for name, limit_ms in limits.items()
        if name not in ages or ages[name] > limit_ms
    }
