"""A timer is due: what waited for it goes on."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.domain.aggregate import Aggregate
from app.domain.decision import Decision
from app.domain.effects import EffectKind
from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, NotFound, StoreFull, UnreadableRecord
from app.domain.events import PlacementDenied, TimerDue
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.reason import Reason
from app.domain.request.request import Request
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.ports.ledger import CommitConditions
from app.services.advance import advance, advance_together
from app.services.apart import apart
from app.services.smart_trades.watches import end_wait

#: Timers taken from the store in the first step.
BATCH = 200

#: Of those that begin with one commit.
TOGETHER_MAX = 25


def release_due(wanted_ms: Sequence[EpochMs], ports: Ports) -> Sequence[int]:
    """Release whatever is due by the store's clock, in any shard.

    A second call finds nothing left to release. A call that comes early puts itself back.

    Args:
        wanted_ms: the business times that the wake-up was for.
        ports: as everywhere.

    Returns:
        How late each timer was, in milliseconds.
    """
    late_ms: list[int] = []
    now_ms = ports.clock.now_ms()
    seen: set[AggregateId] = set()
    # What is gone, or will not go, must not be released for ever, nor hide what is behind it.
    while due := [one for one in ports.timers.due(now_ms, BATCH + len(seen)) if one not in seen]:
        seen.update(due)
        begun = _begun_together(due, now_ms, ports)
        late_ms += [late for one in begun.values() for late in _late_ms(one, now_ms)]
        for aggregate_id in due:
            if aggregate_id not in begun:
                with apart("timers", aggregate_id):
                    late_ms += _released(aggregate_id, now_ms, ports)
    early = [one for one in wanted_ms if one > now_ms]
    if early:
        ports.publisher.wake_timers(early)
    return late_ms


def _begun_together(
    due: Sequence[AggregateId], now_ms: EpochMs, ports: Ports
) -> Mapping[AggregateId, Aggregate]:
    """Let many begin with few commits, and return them as they were.

    What is anything but plain is left, to be released for itself: whatever goes wrong with one of
    those that were to begin with it, and an entry for which the store has no room.
    """
    begun: dict[AggregateId, Aggregate] = {}
    for ids in ports.ledger.in_groups(due, TOGETHER_MAX):
        with apart("timers", ids[0]), suppress(Conflict, StoreFull):
            together = advance_together(
                ids, TimerDue(at_ms=now_ms), ports, CommitConditions(is_entry=True)
            )
            begun |= {one.id: one for one in together}
    return begun


def _released(aggregate_id: AggregateId, now_ms: EpochMs, ports: Ports) -> list[int]:
    """Release one, and return how late it was; one that cannot be must not hold up the others."""
    try:
        aggregate = ports.ledger.load(aggregate_id).aggregate
        if isinstance(aggregate, SmartTrade):
            is_over = end_wait(aggregate, now_ms, ports)
        else:
            is_over = _begun(aggregate, now_ms, ports).ignored is None
    except (NotFound, UnreadableRecord, Conflict):
        return []  # gone, not to be read, or changed by others all the time: the sweep looks again
    return _late_ms(aggregate, now_ms) if is_over else []


def _late_ms(before: Aggregate, now_ms: EpochMs) -> list[int]:
    timers = [one for one in before.owed() if one.kind is EffectKind.TIMER]
    return [now_ms - one.due_at_ms for one in timers]


def _begun(aggregate: Aggregate, now_ms: EpochMs, ports: Ports) -> Decision[Aggregate]:
    """Let it begin; an entry for which the store has no room ends instead, and says so.

    It does not wait: what waits for room would be looked at again and again just when every exit
    needs the workers, and an entry is soon too late anyway. One that may close something first
    runs: to ask a venue whether there is anything to close would hold up all other timers.
    """
    is_entry = False
    if isinstance(aggregate, Request):
        is_entry = aggregate.is_entry and aggregate.closes_first is None
    due, terms = TimerDue(at_ms=now_ms), CommitConditions(is_entry=is_entry)
    try:
        return advance(aggregate.id, due, ports, terms)
    except StoreFull as error:
        reason = Reason(ReasonCode.STORE_FULL, str(error))
        return advance(aggregate.id, PlacementDenied(at_ms=now_ms, reason=reason), ports)
