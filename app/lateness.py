"""Whether what must be done again and again is done in time."""

from collections.abc import Mapping

from app.dispatch.routes import QueueName
from app.ports import Ports
from app.services.keeping.rounds import ORDERS, PRICES, SWEEP, late_rounds, queue_round
from app.settings import Settings

#: A canary is sent through each queue every 2 s; one that is older than this did not come through.
#: What is done at least as often may be as old; what is done less often, so many times.
CANARY_AGE_MAX_MS = 10_000
_ROUNDS_MAX = 5

#: A slow exchange may take several answers' time for one round; then its worker is ended.
EXCHANGE_AGE_MAX_MS = 60_000


def late_of(settings: Settings, ports: Ports) -> Mapping[str, int | None]:
    """Return which round is late → when the last was made, in ms before now; None if never.

    Raises:
        StoreError: it cannot be told.
    """
    polls_ms = max(CANARY_AGE_MAX_MS, _ROUNDS_MAX * settings.poll_interval_ms)
    limits_ms = {
        **{queue_round(one): CANARY_AGE_MAX_MS for one in QueueName},
        PRICES: polls_ms,
        ORDERS: polls_ms,
        SWEEP: max(CANARY_AGE_MAX_MS, _ROUNDS_MAX * settings.sweep_interval_ms),
    }
    at_exchanges_ms = max(
        EXCHANGE_AGE_MAX_MS,
        settings.worker_stuck_seconds * 1000,
        _ROUNDS_MAX * settings.venue_poll_ms,
    )
    return late_rounds(limits_ms, at_exchanges_ms, ports)


def lateness(age_ms: int | None) -> str:
    """Return in a sentence when a round was made last."""
    return "It never was." if age_ms is None else f"It was {age_ms} ms ago."
