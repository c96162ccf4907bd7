"""An order of unknown outcome is asked about, until there is a definite answer."""

from app.domain.errors import VenueError
from app.domain.events import OrderReported, ProvenAbsent, StillUnknown
from app.domain.identifiers import OrderId
from app.domain.order import Order, OrderEvent
from app.domain.reason import Reason
from app.domain.status import OrderStatus
from app.domain.words import ReasonCode
from app.ports import Ports
from app.services.advance import advance
from app.services.place import outcome_lost, retry_at


def resolve_order(order_id: OrderId, ports: Ports) -> None:
    """Ask the venue what became of the order.

    A placement whose lease ran out becomes UNKNOWN first. What the venue finds is adopted. "No such
    order" proves something only after the grace period: before that the order may be hidden still.

    Raises:
        NotFound: there is no such order.
    """
    order = ports.ledger.load(order_id).aggregate
    if not isinstance(order, Order):
        return
    if order.status is OrderStatus.PLACING and order.lease_until_ms <= ports.clock.server_ms():
        reason = Reason(ReasonCode.OUTCOME_UNKNOWN, "no answer was recorded within the lease")
        advance(order_id, outcome_lost(order, reason, ports), ports)
        return
    if order.status is not OrderStatus.UNKNOWN or order.needs_person:
        return
    if order.next_action_at_ms <= ports.clock.server_ms():
        advance(order_id, _finding(order, ports), ports)


def _finding(order: Order, ports: Ports) -> OrderEvent:
    venue = ports.venues.of(ports.accounts.account(order.account))
    asked_ms = ports.clock.server_ms()
    try:
        report = venue.find(order)
    except VenueError:
        return _ask_again(order, ports)
    at_ms = ports.clock.now_ms()
    if report is not None:
        return OrderReported(at_ms=at_ms, report=report)
    since_ms = order.unknown_since_ms or order.lease_until_ms
    if asked_ms - since_ms >= ports.policy.unknown_grace_ms:
        return ProvenAbsent(at_ms=at_ms)
    return _ask_again(order, ports)


def _ask_again(order: Order, ports: Ports) -> StillUnknown:
    """Double the pause with each question: it is as long as the order has been unknown so far."""
    since_ms = order.unknown_since_ms or order.lease_until_ms
    waited_ms = max(ports.clock.server_ms() - since_ms, 1)
    doublings = max(waited_ms // ports.policy.unknown_retry_ms, 1).bit_length()
    return StillUnknown(
        at_ms=ports.clock.now_ms(),
        next_check_at_ms=retry_at(ports, ports.policy.unknown_retry_ms, doublings),
    )
