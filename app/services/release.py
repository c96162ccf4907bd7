"""A timer is due: what waited for it goes on."""

from collections.abc import Sequence
from contextlib import suppress

from app.domain.errors import NotFound
from app.domain.events import TimerDue
from app.domain.identifiers import EpochMs
from app.ports import Ports
from app.services.advance import advance

#: Timers taken from the store in one step.
BATCH = 200


def release_due(wanted_ms: Sequence[EpochMs], ports: Ports) -> None:
    """Release whatever is due by the store's clock, in any shard.

    A second call finds nothing left to release. A call that comes early puts itself back.

    Args:
        wanted_ms: the business times that the wake-up was for.
        ports: as everywhere.
    """
    now_ms = ports.clock.now_ms()
    while due := ports.timers.due(now_ms, BATCH):
        for aggregate_id in due:
            with suppress(NotFound):
                advance(aggregate_id, TimerDue(at_ms=now_ms), ports)
    early = [one for one in wanted_ms if one > now_ms]
    if early:
        ports.publisher.wake_timers(early)
