"""A worker is asked, and whoever asks waits for what becomes of it, but not long."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import AccountId, EpochMs
from app.domain.worker_request import Adjustment, Question, WorkerRequest
from app.ports import Ports

T = TypeVar("T")

#: The longer somebody has waited, the less it matters to them when they hear of it.
_LOOKS_A_WAIT = 20


def leave_request(
    kind: EffectKind,
    account: AccountId,
    within_ms: int,
    ports: Ports,
    what: Adjustment | Question | None = None,
) -> WorkerRequest:
    """Store what a worker shall do for an account, and begin with within this time or never."""
    (fresh,) = ports.ids.fresh(account, 1)
    now_ms = ports.clock.server_ms()
    request = WorkerRequest(
        id=fresh.id,
        kind=kind,
        account=account,
        asked_ms=now_ms,
        until_ms=EpochMs(now_ms + within_ms),
        adjustment=what if isinstance(what, Adjustment) else None,
        question=what if isinstance(what, Question) else None,
    )
    ports.worker_requests.put(request)
    return request


def ask(
    work: Sequence[Effect], look: Callable[[], T | None], wait_ms: int, ports: Ports
) -> T | None:
    """Have workers do something, and wait for what comes of it.

    They are told once more each second, so the work must be harmless if it is begun twice.

    Args:
        work: what they are told to look at.
        look: returns what came of it, or None as long as nothing has.
        wait_ms: how long that may take.
        ports: as everywhere.

    Returns:
        What came of it, or None if nothing has in time; it may still come.
    """
    ports.publisher.publish(work)
    since_ms = ports.clock.steady_ms()
    tell_at_ms = ports.policy.ask_again_ms
    while (found := look()) is None:
        waited_ms = ports.clock.steady_ms() - since_ms
        if waited_ms >= wait_ms:
            return None
        if waited_ms >= tell_at_ms:
            ports.publisher.publish(work)
            tell_at_ms += ports.policy.ask_again_ms
        ports.clock.sleep(min(_pause_ms(waited_ms, ports), wait_ms - waited_ms))
    return found


def wait_for(look: Callable[[], bool], wait_ms: int, ports: Ports) -> bool:
    """Wait until something is so; return whether it was within the time."""
    return ask((), lambda: look() or None, wait_ms, ports) is not None


def _pause_ms(waited_ms: int, ports: Ports) -> int:
    policy = ports.policy
    return min(max(waited_ms // _LOOKS_A_WAIT, policy.look_ms), policy.look_max_ms)
