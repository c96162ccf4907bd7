"""Republishes what the outbox and the timers still hold: a message was lost, or never sent."""

from collections.abc import Sequence

from app.domain.effects import Effect, EffectKind
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, Symbol
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.ports import Ports
from app.services.apart import apart

#: Effects sent again in one sweep; more are left to the next one.
BATCH = 500


def sweep(ports: Ports) -> None:
    """Wake the workers for everything that is owed and not under way, and for timers that are near.

    Two sweeps at once send a message twice, which is harmless.
    """
    ports.publisher.publish(_one_for_each_lane(ports.outbox.overdue(BATCH), ports))
    now_ms = ports.clock.now_ms()
    ports.publisher.wake_timers(ports.timers.soon(now_ms, ports.policy.timer_horizon_ms))


def _one_for_each_lane(effects: Sequence[Effect], ports: Ports) -> list[Effect]:
    """Leave out all but one of those who wait in the same lane.

    Whoever is woken works the lane from its head. To wake a thousand who wait behind it would keep
    the workers from the one order that they all wait for.
    """
    seen: set[tuple[AccountId, Symbol]] = set()
    woken = []
    for effect in effects:
        lane = None
        with apart("outbox", effect.target):
            lane = _lane_of(effect, ports)
        if lane is None or lane not in seen:
            woken.append(effect)
        if lane is not None:
            seen.add(lane)
    return woken


def _lane_of(effect: Effect, ports: Ports) -> tuple[AccountId, Symbol] | None:
    if effect.kind is not EffectKind.ADVANCE:
        return None
    try:
        aggregate = ports.ledger.load(effect.target).aggregate
    except NotFound:
        return None
    if isinstance(aggregate, SmartOrder | SmartTrade) or not aggregate.is_queued:
        return None
    return aggregate.account, aggregate.symbol
