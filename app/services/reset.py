"""Everything live of a paper account ends, in whatever state it is."""

from collections.abc import Callable
from contextlib import suppress

from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, NotFound, UnreadableRecord
from app.domain.events import CancelRequested, OrderReported
from app.domain.identifiers import AccountId, AggregateId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services.advance import advance
from app.services.ask import wait_for
from app.services.perform import perform

#: Times that all of it is gone through. What ends may bring forth something (the protection of an
#: entry that had filled in part), which ends in the next round; three generations are the most.
ROUNDS_MAX = 20

_RESET = Reason(ReasonCode.RESET, "the account was reset")


def cancel_everything(account_id: AccountId, ports: Ports) -> None:
    """End every live aggregate of a paper account whose ledger is about to be emptied.

    The venue is not asked: it forgets its orders anyway, so they count as canceled even if nobody
    can vouch for them. Twice, or stopped halfway and begun again, is harmless.

    Raises:
        Conflict: new things came in faster than the old ones ended.
    """
    for _ in range(ROUNDS_MAX):
        # What is under way must not arrive in the emptied ledger.
        wait_for(lambda: not _awaits_answers(account_id, ports), ports.policy.reset_wait_ms, ports)
        live = sorted(ports.live.of_account(account_id))
        if not live:
            return
        for one in live:
            _attempt(_end, one, ports)
        for one in live:
            _attempt(perform, one, ports)
    raise Conflict(f"account {account_id} still has something live after {ROUNDS_MAX} rounds")


def _awaits_answers(account_id: AccountId, ports: Ports) -> bool:
    placing = set(ports.live.placing()) & set(ports.live.of_account(account_id))
    return any(_is_placing(one, ports) for one in placing)


def _is_placing(aggregate_id: AggregateId, ports: Ports) -> bool:
    try:
        order = ports.ledger.load(aggregate_id).aggregate
    except UnreadableRecord:
        return False  # to be read or not, nobody here waits for its answer
    return isinstance(order, Order) and order.status is OrderStatus.PLACING


def _end(aggregate_id: AggregateId, ports: Ports) -> None:
    at_ms, found = ports.clock.now_ms(), ports.ledger.load(aggregate_id).aggregate
    if isinstance(found, Order):
        report = OrderReport(status=OrderStatus.CANCELED, reason=_RESET)
        # One that is claimed just now is not ended by this, but waited for in the next round.
        advance(aggregate_id, OrderReported(at_ms=at_ms, report=report, token=found.token), ports)
    else:
        advance(aggregate_id, CancelRequested(at_ms=at_ms, reason=_RESET), ports)


def _attempt(
    step: Callable[[AggregateId, Ports], None], aggregate_id: AggregateId, ports: Ports
) -> None:
    """Take one step; what workers got at first is looked at again in the next round."""
    with suppress(NotFound, Conflict, UnreadableRecord):
        step(aggregate_id, ports)
