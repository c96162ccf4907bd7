"""Accounts and orders at their venues, as the admin API shows them and OpenAPI tells of it."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from marshmallow import fields

from app.admin.key_rows import RefusedKeyRow
from app.domain.enums import Side
from app.domain.order import Order
from app.domain.reconciliation import MismatchKind
from app.domain.venue_cancel import CancelState, VenueCancel
from app.domain.venue_traits import AdapterClass
from app.web.fields import Figure, Flag, Strict, Text

_Word = partial(fields.Enum, by_value=True)
_Moment = partial(fields.Integer, metadata={"description": "UTC epoch, in milliseconds."})
_Said = partial(fields.Function, metadata={"type": "string"})
_Sentence = partial(_Said, lambda one: one.sentence())

#: What is to be said of a cancel before anything is known.
_BEFORE: Final[Mapping[CancelState, str]] = {
    CancelState.ASKED: "no worker has begun with it yet",
    CancelState.SENT: "a worker is at it",
}


class _AtVenue(Strict):
    client_order_id = Text()
    venue_order_id = Text(allow_none=True)
    symbol = Text()
    side = _Word(Side)
    quantity = Figure()
    filled_quantity = Figure()


class PlacedOrderRow(_AtVenue):
    """An order that was placed at a venue, whatever has become of it."""

    placed_at_ms = _Moment()
    is_open = Flag()
    sentence = _Sentence()


class _OpenOrderRow(_AtVenue):
    price = Figure(allow_none=True)
    sentence = _Sentence()


class _MismatchRow(Strict):
    kind = _Word(MismatchKind)
    about = Text()
    message = Text()
    fix = Text()
    order_id = fields.String(attribute="aggregate_id", allow_none=True)
    venue_order = fields.Nested(_OpenOrderRow, attribute="standing", allow_none=True)


def _command(order: Order) -> str:
    return f"hookfill resolve {order.id} [absent|open|canceled|filled] --placement {order.token}"


class _WaitingRow(Strict):
    order_id = fields.String(attribute="id")
    client_order_id = Text()
    sentence = _Sentence()
    placement = fields.Integer(attribute="token")
    unknown_since_ms = _Moment(allow_none=True)
    command = _Said(_command)


def _next_check_ms(cancel: VenueCancel) -> int | None:
    return None if cancel.is_settled else cancel.next_check_ms


class VenueCancelRow(Strict):
    """A cancel of an order that nobody here follows, and what has become of it."""

    venue_order = fields.Nested(_OpenOrderRow, attribute="order")
    state = _Word(CancelState)
    message = _Said(lambda cancel: cancel.message or _BEFORE.get(cancel.state, ""))
    is_settled = Flag()
    may_be_repeated = Flag()
    asked_at_ms = _Moment()
    next_check_at_ms = fields.Function(_next_check_ms, metadata={"type": ["integer", "null"]})


class _FailureRow(Strict):
    at_ms = _Moment()
    message = Text()


class VenueAccountRow(Strict):
    """How an account stands at its venue."""

    account = Text()
    venue = Text()
    adapter = _Word(AdapterClass, allow_none=True)
    lists_all_symbols = Flag()
    clock_offset_ms = fields.Integer(allow_none=True)
    credentials_refused = fields.Nested(RefusedKeyRow, allow_none=True)
    at_ms = _Moment(allow_none=True)
    is_stale = Flag()
    agrees = Flag(allow_none=True)
    mismatches = fields.List(fields.Nested(_MismatchRow))
    foreign_orders = fields.List(fields.Nested(_OpenOrderRow))
    failure = fields.Nested(_FailureRow, allow_none=True)
    waiting_for_person = fields.List(fields.Nested(_WaitingRow))
    cancels = fields.List(fields.Nested(VenueCancelRow))


class ComparedRow(VenueAccountRow):
    """The same, and whether it was compared just now."""

    message = Text()


PLACED_ORDER, VENUE_CANCEL = PlacedOrderRow(), VenueCancelRow()
VENUE_ACCOUNT, COMPARED = VenueAccountRow(), ComparedRow()
