"""An order of unknown outcome is asked about, until there is a definite answer."""

from contextlib import suppress
from dataclasses import replace

from app.domain.effects import AT_ONCE
from app.domain.enums import ReasonCode
from app.domain.errors import CannotAsk, VenueError
from app.domain.events import FillsAwaited, LookUpClaimed, OrderReported, ProvenAbsent, StillUnknown
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services.advance import advance
from app.services.placing.place import ask_again_at, outcome_lost

#: How long one who asks keeps others from asking, at most. It saves questions, no more: an answer
#: names the placement that it speaks of, so two who ask at once do no harm.
LOOK_UP_LEASE_MS = 10_000


def resolve_order(order_id: AggregateId, ports: Ports) -> None:
    """Ask the venue what became of the order.

    A placement whose lease ran out becomes UNKNOWN first. What the venue finds is adopted. "No such
    order" proves something only after the grace period, and at a real venue only if it is said
    twice: before that the order may be hidden still, or even on its way.

    Twice, or at once in two workers: one asks. Stopped meanwhile: somebody asks again when the
    lease has run out. An answer that comes late speaks of the placement it was asked about alone.

    Raises:
        NotFound: there is no such order.
    """
    order = ports.ledger.load(order_id).aggregate
    if not isinstance(order, Order):
        return
    if order.status is OrderStatus.PLACING and _has_lost_lease(order, ports):
        reason = Reason(ReasonCode.OUTCOME_UNKNOWN, "no answer was recorded within the lease")
        lost = replace(outcome_lost(order, reason, ports), lease_until_ms=order.lease_until_ms)
        advance(order_id, lost, ports)
        return
    if order.is_to_be_looked_at:
        _look_for_fills(order, ports)
        return
    if order.status is not OrderStatus.UNKNOWN or order.needs_person:
        return
    claimed = _claim(order, ports)
    if claimed is not None:
        advance(order_id, _finding(claimed, ports), ports)


def _claim(order: Order, ports: Ports) -> Order | None:
    """Return the order as it is to be asked about, or None if it is not time, or others ask."""
    lease_ms = min(ports.policy.lease_ms(ports.accounts.account(order.account)), LOOK_UP_LEASE_MS)
    server_ms = ports.clock.server_ms()
    event = LookUpClaimed(
        at_ms=ports.clock.now_ms(),
        token=order.token,
        server_ms=server_ms,
        within_ms=_pause_max_ms(order, ports),
        until_ms=EpochMs(server_ms + lease_ms),
    )
    decision = advance(order.id, event, ports)
    claimed = decision.aggregate
    return claimed if decision.ignored is None and isinstance(claimed, Order) else None


def _has_lost_lease(order: Order, ports: Ports) -> bool:
    lease_ms = ports.policy.lease_ms(ports.accounts.account(order.account))
    return has_come(order.lease_until_ms, ports.clock.server_ms(), lease_ms)


def _pause_max_ms(order: Order, ports: Ports) -> int:
    apart_ms = ports.policy.absence_ms(ports.accounts.account(order.account))
    return max(ports.policy.retry_max_ms, apart_ms, LOOK_UP_LEASE_MS)


def _look_for_fills(order: Order, ports: Ports) -> None:
    """Ask for fills, or fees, that the venue had not listed when it reported the order.

    Trades are listed apart from orders, and later (Binance names matching engine, memory and
    database). The pause doubles with each look, and the number of looks is bounded. Twice, or at
    once in two workers: fills count once by their trade id, and a look counts once by its number.
    Stopped between fills and count: the same look is taken again.
    """
    within_ms = ports.policy.unknown_retry_ms << order.looks
    if not has_come(order.next_action_at_ms, ports.clock.server_ms(), within_ms):
        return
    if order.looks:
        account = ports.accounts.account(order.account)
        with suppress(VenueError):
            report = ports.venues.of(account).find(order)
            if report is not None:
                advance(order.id, OrderReported(at_ms=ports.clock.now_ms(), report=report), ports)
    next_ms = ports.clock.server_ms() + (ports.policy.unknown_retry_ms << order.looks)
    event = FillsAwaited(
        at_ms=ports.clock.now_ms(), look=order.looks, next_look_at_ms=EpochMs(next_ms)
    )
    advance(order.id, event, ports)


def _finding(order: Order, ports: Ports) -> OrderReported | StillUnknown | ProvenAbsent:
    account = ports.accounts.account(order.account)
    asked_ms = ports.clock.server_ms()
    since_ms = order.absent_since_ms or asked_ms
    absent_ms = ports.clock.lasted_ms(since_ms)
    # What counts is when the question went, and that no step of the clock came before the answer.
    before_ms = ports.policy.proof_in_ms(account, order, ports.clock)
    try:
        report = ports.venues.of(account).find(order)
    except CannotAsk:
        at_ms = ports.clock.now_ms()
        return StillUnknown(
            at_ms=at_ms, token=order.token, next_check_at_ms=AT_ONCE, needs_person=True
        )
    except VenueError:
        return replace(_ask_again(order, ports), absent_since_ms=order.absent_since_ms)
    at_ms = ports.clock.now_ms()
    if report is not None:
        return OrderReported(at_ms=at_ms, report=report, token=order.token)
    proof_in_ms = max(before_ms, ports.policy.proof_in_ms(account, order, ports.clock))
    if proof_in_ms:
        again = _ask_again(order, ports)
        next_ms = EpochMs(asked_ms + proof_in_ms)
        return replace(again, next_check_at_ms=min(again.next_check_at_ms, next_ms))
    left_ms = ports.policy.absence_ms(account) - absent_ms
    if left_ms <= 0:
        return ProvenAbsent(at_ms=at_ms, token=order.token)
    return StillUnknown(
        at_ms=at_ms,
        token=order.token,
        next_check_at_ms=EpochMs(asked_ms + left_ms),
        absent_since_ms=since_ms,
    )


def _ask_again(order: Order, ports: Ports) -> StillUnknown:
    next_ms = ask_again_at(ports, order.unknown_since_ms or order.lease_until_ms)
    return StillUnknown(at_ms=ports.clock.now_ms(), token=order.token, next_check_at_ms=next_ms)
