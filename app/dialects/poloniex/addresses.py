"""Which orders a path or a body names."""

from dataclasses import dataclass

from marshmallow import Schema

from app.dialects.poloniex import schemas
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Content, Reading
from app.dialects.poloniex.notation import is_caller_id
from app.dialects.poloniex.parse_orders import InstrumentOf, instrument_for
from app.dialects.poloniex.queries import Filter, either
from app.domain.identifiers import AggregateId, id_from

#: Of one request that names its orders.
IDS_MAX = 200

_CALLER_ID_MARK = "cid:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One order: by id, or by client order id if there is none with the id.

    Attributes:
        given: as it was written, without the mark of a client order id.
    """

    given: str
    id: AggregateId | None = None
    caller_id: str | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Return what was given, as order id and client order id; one of them is empty."""
        is_caller_id = self.id is None and self.caller_id is not None
        return ("", self.given) if is_caller_id else (self.given, "")


def address_from(text: str) -> Address:
    """Return what the last part of a path names: digits, `cid:<x>`, or a bare client order id.

    Raises:
        Problem: it can be neither.
    """
    if text.lower().startswith(_CALLER_ID_MARK):
        return named(text[len(_CALLER_ID_MARK) :])
    order_id = id_from(text)
    return named(text) if order_id is None else Address(given=text, id=order_id, caller_id=text)


def named(text: str) -> Address:
    """Return the address of a client order id.

    Raises:
        Problem: it is none.
    """
    if not is_caller_id(text):
        raise Problem(Code.INVALID_ORDER_ID)
    return Address(given=text, caller_id=text)


def addresses_from(content: Content) -> list[Address]:
    """Return what `orderIds` and `clientOrderIds` name, in this order; one text is a list of one.

    Raises:
        Problem: none is named, too many are, or one can be no id.
    """
    body = Reading(schemas.NAMED, content)
    ids, caller_ids = body["order_ids"] or [], body["caller_ids"] or []
    if not ids and not caller_ids:
        raise Problem(Code.ORDER_ID_REQUIRED)
    if len(ids) + len(caller_ids) > IDS_MAX:
        raise Problem(Code.INVALID_VALUE, f"more than {IDS_MAX} ids")
    marked = [one.removeprefix(_CALLER_ID_MARK) for one in caller_ids]
    return [
        *(Address(given=one, id=id_from(one)) for one in ids),
        *(Address(given=one, caller_id=one) for one in marked),
    ]


def reach_from(schema: Schema, content: Content, instrument_of: InstrumentOf) -> Filter:
    """Return what a `DELETE` without ids is to cancel; nothing named is everything.

    Raises:
        Problem: a symbol is not traded, an account is not SPOT, or a type is none.
    """
    body = Reading(schema, content)
    symbols = either(body["symbol"], body["symbols"])
    for symbol in sorted(symbols or ()):
        instrument_for(symbol, instrument_of)
    body.check("account_type", "account_types")
    return Filter(symbols=symbols, types=body["order_types"])
