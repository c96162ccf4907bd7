"""A person says what became of an order that its venue cannot be asked about."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import fields

from app.domain.enums import ReasonCode
from app.domain.errors import NotPermitted, WrongState, invalid_fields
from app.domain.events import OutcomeStated
from app.domain.identifiers import EpochMs, VenueOrderId
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.status import OrderStatus
from app.web.fields import Number, Strict, Text, WholeNumber


class Outcome(StrEnum):
    """What a person may have seen at the venue."""

    ABSENT = "absent"
    OPEN = "open"
    CANCELED = "canceled"
    FILLED = "filled"


class OutcomeBody(Strict):
    """What became of an order: how it stands, and what of it is filled at which average.

    `placement` is the one that the person has looked at, as `GET /api/orders/<id>` shows it;
    without it the newest one is meant.
    """

    outcome = fields.Enum(Outcome, by_value=True, required=True)
    placement = WholeNumber()
    filled_quantity = Number()
    average_price = Number()
    venue_order_id = Text()


_STATUS = {
    Outcome.ABSENT: OrderStatus.CANCELED,
    Outcome.OPEN: OrderStatus.NEW,
    Outcome.CANCELED: OrderStatus.CANCELED,
    Outcome.FILLED: OrderStatus.FILLED,
}

_BY_HAND = Reason(ReasonCode.REQUESTED, "a person says that it is off")


def outcome_from(order: Order, body: dict[str, Any], at_ms: EpochMs) -> OutcomeStated:
    """Return what a person says in place of the venue, about the placement that they looked at.

    An order that never arrived ends: it is not sent again without somebody asking for it.

    Raises:
        WrongState: the order was placed again since the person looked.
        NotPermitted: the outcome of the order is known.
        MalformedPayload: the figures do not fit the outcome.
    """
    looked_at = body.get("placement", order.token)
    if looked_at != order.token:
        raise WrongState(
            f"this is about placement {looked_at}, and the order has moved on to placement "
            f"{order.token}; look again"
        )
    return OutcomeStated(at_ms=at_ms, token=order.token, report=_report(order, body))


def _report(order: Order, body: dict[str, Any]) -> OrderReport:
    if order.status is not OrderStatus.UNKNOWN:
        raise NotPermitted(f"the order is {order.status}, and only the venue can change that")
    outcome: Outcome = body["outcome"]
    filled: Decimal = body.get("filled_quantity", Decimal(0))
    if outcome is Outcome.FILLED:
        filled = body.get("filled_quantity", order.quantity)
    complaints = _complaints(order, body, outcome, filled)
    if complaints:
        raise invalid_fields(complaints)
    status = _STATUS[outcome]
    venue_id = body.get("venue_order_id")
    return OrderReport(
        status=status,
        venue_order_id=None if venue_id is None else VenueOrderId(venue_id),
        filled_quantity=filled,
        average_price=body.get("average_price") if filled else None,
        reason=_BY_HAND if status is OrderStatus.CANCELED else None,
    )


def _complaints(
    order: Order, body: dict[str, Any], outcome: Outcome, filled: Decimal
) -> dict[str, list[str]]:
    complaints: dict[str, list[str]] = {}
    if not 0 <= filled <= order.quantity or (filled and outcome is Outcome.ABSENT):
        complaints["filled_quantity"] = [f"Must fit the outcome and be at most {order.quantity:f}."]
    if filled and body.get("average_price", Decimal(0)) <= 0:
        complaints["average_price"] = ["Must be above 0 where something is filled."]
    if outcome is Outcome.OPEN and "venue_order_id" not in body:
        complaints["venue_order_id"] = ["Is needed to follow an open order."]
    return complaints
