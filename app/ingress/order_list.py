"""The list of everything that came in: filters, pages and their cursors."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.dialects.fields import Text, ValueField, WholeNumber, between
from app.domain.aggregate import Aggregate
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.order import Order
from app.domain.signal import SignalState
from app.domain.smart_order import SmartOrderState
from app.domain.status import OrderStatus
from app.domain.words import Dialect, Kind
from app.ingress.reading import Strict, refused

#: Rows on one page.
LIMIT_MAX = 500
LIMIT_DEFAULT = 100

#: Aggregates that one request looks at. A filter that finds less than a page among them answers
#: what it found, with a cursor to go on from.
LOOKED_AT_MAX = 20_000

#: Digits of an id, and of a time in milliseconds: both stay below 2**53.
DIGITS_MAX = 16

Place = tuple[EpochMs, AggregateId]

_CURSOR = re.compile(rf"(\d{{1,{DIGITS_MAX}}})\.(\d{{1,{DIGITS_MAX}}})", re.ASCII)

_STATES = frozenset({*OrderStatus, *SignalState, *SmartOrderState})


def id_from(text: str) -> AggregateId | None:
    """Return the id that a text spells, or None if it spells none."""
    if len(text) <= DIGITS_MAX and text.isascii() and text.isdigit():
        return AggregateId(int(text))
    return None


class _Id(ValueField[AggregateId]):
    def read(self, value: object) -> AggregateId:
        found = id_from(str(value))
        if found is None:
            raise ValidationError("Not an id.")
        return found


class _Cursor(ValueField[Place]):
    def read(self, value: object) -> Place:
        text = str(value)
        try:
            padded = text + "=" * (-len(text) % 4)
            match = _CURSOR.fullmatch(base64.b64decode(padded, b"-_", validate=True).decode())
        except (binascii.Error, UnicodeError, ValueError):
            match = None
        if match is None:
            raise ValidationError("Not a cursor that was given out here.")
        return EpochMs(int(match[1])), AggregateId(int(match[2]))


class ListQuery(Strict):
    """What can be asked of the list."""

    kind = fields.Enum(Kind, by_value=True)
    account = Text()
    dialect = fields.Enum(Dialect, by_value=True)
    state = Text(validate=validate.OneOf(sorted(_STATES)))
    parent = _Id()
    caller_id = Text()
    limit = WholeNumber(validate=between(1, LIMIT_MAX), load_default=LIMIT_DEFAULT)
    cursor = _Cursor(load_default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a row must have; None asks nothing."""

    kind: Kind | None = None
    account: AccountId | None = None
    dialect: Dialect | None = None
    state: str | None = None
    parent: AggregateId | None = None
    caller_id: str | None = None

    def match(self, one: Aggregate) -> bool:
        """Tell whether an aggregate has all of it."""
        return (
            self.kind in {None, one.kind}
            and self.account in {None, one.account}
            and self.dialect in {None, one.dialect}
            and self.state in {None, state_of(one)}
            and self.parent in {None, one.parent_id}
            and self.caller_id in {None, one.caller_id}
        )


def state_of(aggregate: Aggregate) -> str:
    """Return where the aggregate stands, in the words of its kind."""
    return aggregate.status if isinstance(aggregate, Order) else aggregate.state


def place_of(aggregate: Aggregate) -> Place:
    """Return the place in the list: by creation time, then id."""
    return aggregate.created_at_ms, aggregate.id


def page_of(
    candidates: Iterable[Aggregate], filters: Filters, limit: int
) -> tuple[Sequence[Aggregate], Place | None]:
    """Return the next rows, and the place after which to go on; None at the end.

    Args:
        candidates: newest first; no more than LOOKED_AT_MAX of them are looked at.
        filters: which of them are wanted.
        limit: rows at most.
    """
    found: list[Aggregate] = []
    for count, candidate in enumerate(candidates, start=1):
        if filters.match(candidate):
            if len(found) == limit:
                return found, place_of(found[-1])
            found.append(candidate)
        if count == LOOKED_AT_MAX:
            return found, place_of(candidate)
    return found, None


def cursor_of(place: Place | None) -> str | None:
    """Return a place as text that means nothing to anybody else."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode().rstrip("=")


def filters_from(query: dict[str, Any], account: AccountId | None) -> Filters:
    """Return the filters of a query that was read by `ListQuery`.

    Args:
        query: what the schema has made of it.
        account: the account that it names.
    """
    names = ("kind", "dialect", "state", "parent", "caller_id")
    return Filters(account=account, **{name: query.get(name) for name in names})


def no_account(name: str) -> Exception:
    """Return the error of a filter by an account that does not exist."""
    return refused("account", f"There is no account named {name[:64]!a}.")
