"""Aggregates ↔ records, with their schema version."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Kind, ReasonCode
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AccountId, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.smart_trade.venue_stop import NONE_YET
from app.store.core.codec import SHORT, decoder, encoder, json_text

_CREATED, _UPDATED, _TRIGGER = (
    SHORT[name] for name in ("created_at_ms", "updated_at_ms", "trigger")
)
#: Of a trigger → of its smart order.
_SHARED = {"owner": "id", SHORT["symbol"]: SHORT["symbol"]}

#: Rises when a record can no longer be read by the release before. 2 is of what waits for its price
#: at the venue, or for the end of what does: who does not know of that would send it to the market
#: at once, or wait for its price beside the venue.
SCHEMA = 2

#: Characters in which a record has said its kind.
_HEAD = 40

#: By the kind of record; not every reversal is shown as one.
_KINDS: dict[Kind, Any] = {
    Kind.ORDER: Order,
    Kind.SIGNAL: Signal,
    Kind.REVERSAL: Reversal,
    Kind.SMART_ORDER: SmartOrder,
    Kind.SMART_TRADE: SmartTrade,
}
_KIND_OF: dict[type, Kind] = {one: kind for kind, one in _KINDS.items()}


def record_of(aggregate: Aggregate) -> str:
    """Return the aggregate as JSON text: `{"s": schema, "k": kind, ...its fields}`."""
    kind = _KIND_OF[type(aggregate)]
    body = encoder(_KINDS[kind])(aggregate)
    _lighten(body)
    return json_text({"s": _schema_of(aggregate), "k": kind, **body})


def _schema_of(aggregate: Aggregate) -> int:
    """Return the oldest schema in which a release reads this rightly."""
    match aggregate:
        case Order(condition=condition) if condition is not None:
            return 2
        case SmartOrder(at_venue=at_venue, succeeds=succeeds) if at_venue or succeeds is not None:
            return 2
        case SmartTrade(venue_stop=stop) if stop != NONE_YET:
            return 2
        case _:
            return 1


def aggregate_from(text: str) -> Aggregate:
    """Return the aggregate that `record_of` has written.

    Raises:
        UnreadableRecord: it is of a newer release, or broken.
    """
    with _readable():
        record = json.loads(text)
        schema = record.pop("s")
        if schema > SCHEMA:
            raise UnreadableRecord(f"it has schema {schema}, this release reads up to {SCHEMA}")
        kind = Kind(record.pop("k"))
        _complete(record)
        aggregate: Aggregate = decoder(_KINDS[kind])(record)
        return aggregate


def may_be_of(kinds: Collection[Kind], text: str) -> bool:
    """Tell whether a record may be of one of these kinds, without decoding it."""
    head = text[:_HEAD]
    return not any(f'"k":"{kind}"' in head for kind in Kind if kind not in kinds)


@contextmanager
def _readable() -> Iterator[None]:
    """Raise UnreadableRecord where a text does not have the shape of a record."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnreadableRecord(f"{type(error).__name__}: {error}") from error


def account_in(text: str) -> AccountId | None:
    """Return the account of a record that cannot be read otherwise, if that much can be."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    account = found.get(SHORT["account"]) if isinstance(found, dict) else None
    return AccountId(account) if isinstance(account, int) else None


def _lighten(body: dict[str, Any]) -> None:
    """Leave out what stands in the record already."""
    if body.get(_UPDATED) == body.get(_CREATED):
        body.pop(_UPDATED, None)
    trigger = body.get(_TRIGGER, {})
    for own, its in _SHARED.items():
        if own in trigger and trigger[own] == body.get(its):
            del trigger[own]


def _complete(record: dict[str, Any]) -> None:
    """Put in what was left out, and leave alone what was written in full."""
    if _CREATED in record:
        record.setdefault(_UPDATED, record[_CREATED])
    trigger = record.get(_TRIGGER)
    if trigger is not None:
        for own, its in _SHARED.items():
            trigger.setdefault(own, record.get(its))


def entry_text(entry: TimelineEntry, process: str) -> str:
    """Return a timeline entry as JSON text: name, time, the process that wrote it, the reason."""
    fields: list[object] = [entry.name, entry.at_ms, process]
    if entry.reason is not None:
        fields += [entry.reason.code, entry.reason.message]
    return json_text(fields)


def entry_from(text: str) -> tuple[TimelineEntry, str]:
    """Return the entry, and the process that wrote it.

    Raises:
        UnreadableRecord: it is of a newer release, or broken.
    """
    with _readable():
        return _entry(json.loads(text))


def entries_from(text: str) -> list[tuple[TimelineEntry, str]]:
    """Return the entries of a JSON array of such texts, each with its process.

    Raises:
        UnreadableRecord: one of them is of a newer release, or broken.
    """
    with _readable():
        return [_entry(fields) for fields in json.loads(text)]


def _entry(fields: Sequence[Any]) -> tuple[TimelineEntry, str]:
    name, at_ms, process, *why = fields
    reason = Reason(ReasonCode(why[0]), why[1]) if why else None
    return TimelineEntry(EntryName(name), EpochMs(at_ms), reason), process
