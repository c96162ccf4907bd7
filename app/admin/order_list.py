"""The list of everything that came in: filters, pages and their cursors."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from app.domain.aggregate import Aggregate
from app.domain.enums import Dialect, Kind
from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs, id_from
from app.domain.request.signal import RequestStatus
from app.domain.search import Place, Search, place_of
from app.domain.smart_order import SmartOrderStatus
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import OrderStatus
from app.ports import Ports
from app.web import cursors
from app.web.fields import Strict, Text, ValueField, WholeNumber, between

#: Rows on one page.
LIMIT_MAX = 500
LIMIT_DEFAULT = 100

#: In the year 10889.
TIME_MAX_MS = 2**48 - 1

One = TypeVar("One")

#: The two numbers of a place.
_BETWEEN = "."

_STATES = frozenset({*OrderStatus, *RequestStatus, *SmartOrderStatus, *TradeStatus})


class _Id(ValueField[AggregateId]):
    def read(self, value: object) -> AggregateId:
        found = id_from(str(value))
        if found is None:
            raise ValidationError("Not an id.")
        return found


class _Cursor(ValueField[Place]):
    def read(self, value: object) -> Place:
        match cursors.numbers_of(str(value), _BETWEEN):
            case [at_ms, number]:
                return EpochMs(at_ms), AggregateId(number)
            case _:
                raise ValidationError("Not a cursor that was given out here.")


class ListQuery(Strict):
    """What can be asked of the list."""

    kind = fields.Enum(Kind, by_value=True)
    account = Text()
    dialect = fields.Enum(Dialect, by_value=True)
    state = Text(validate=validate.OneOf(sorted(_STATES)))
    parent = _Id(metadata={"type": "integer"})
    caller_id = Text()
    symbol = Text()
    since_ms = WholeNumber(validate=between(0, TIME_MAX_MS))
    until_ms = WholeNumber(validate=between(0, TIME_MAX_MS))
    limit = WholeNumber(validate=between(1, LIMIT_MAX), load_default=LIMIT_DEFAULT)
    cursor = _Cursor(load_default=None, metadata={"type": "string"})


def order_id_of(reference: str, ports: Ports) -> AggregateId:
    """Return the id of what a path names by its id or by its client order id.

    Raises:
        NotFound: there is nothing of this name.
    """
    found = id_from(reference)
    if found is None:
        found = ports.ids.order_of(ClientOrderId(reference))
    if found is None:
        raise NotFound(f"there is no order {reference[:64]!a}")
    return found


def page_of(newest: Iterator[Aggregate], limit: int) -> tuple[Sequence[Aggregate], Place | None]:
    """Return up to `limit` rows, newest first, and the place after which to go on, if any."""
    found = list(islice(newest, limit + 1))
    if len(found) <= limit:
        return found, None
    return found[:limit], place_of(found[limit - 1])


def cursor_of(place: Place | None) -> str | None:
    """Return a place as text that means nothing to anybody else."""
    return None if place is None else cursors.cursor_of(place, _BETWEEN)


def search_from(query: dict[str, Any], account: AccountId | None) -> Search:
    """Return the search of a query that `ListQuery` has read, and of the account that it names."""
    return Search(
        kinds=_only(query.get("kind")),
        accounts=_only(account),
        dialects=_only(query.get("dialect")),
        states=_only(query.get("state")),
        symbols=_only(query.get("symbol")),
        parent=query.get("parent"),
        caller_id=query.get("caller_id"),
        since_ms=query.get("since_ms"),
        until_ms=query.get("until_ms"),
    )


def _only(value: One | None) -> frozenset[One] | None:
    return None if value is None else frozenset({value})
