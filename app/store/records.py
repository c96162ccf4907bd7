"""Aggregates ↔ records, with their schema version."""

import json
from collections.abc import Mapping
from typing import Any

from app.domain.aggregate import Aggregate
from app.domain.decision import Entry, EntryName
from app.domain.errors import NewerRecord
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.reversal import Reversal
from app.domain.signal import Signal
from app.domain.smart_order import SmartOrder
from app.domain.words import Kind, ReasonCode
from app.store.codec import decoder, encoder

#: Rises when a record can no longer be read by the release before.
SCHEMA = 1

#: By the kind of record; not every reversal is shown as one.
_KINDS: dict[Kind, Any] = {
    Kind.ORDER: Order,
    Kind.SIGNAL: Signal,
    Kind.REVERSAL: Reversal,
    Kind.SMART_ORDER: SmartOrder,
}
_KIND_OF: dict[type, Kind] = {one: kind for kind, one in _KINDS.items()}


def record_of(aggregate: Aggregate) -> str:
    """Return the aggregate as JSON text: `{"s": schema, "k": kind, ...its fields}`."""
    kind = _KIND_OF[type(aggregate)]
    body = encoder(_KINDS[kind])(aggregate)
    return json.dumps({"s": SCHEMA, "k": kind, **body}, separators=(",", ":"))


def aggregate_from(text: str) -> Aggregate:
    """Return the aggregate that `record_of` has written.

    Raises:
        NewerRecord: the record is of a newer release; it is left alone.
    """
    record = json.loads(text)
    schema = record.pop("s")
    if schema > SCHEMA:
        raise NewerRecord(f"the record has schema {schema}, this release reads up to {SCHEMA}")
    aggregate: Aggregate = decoder(_KINDS[Kind(record.pop("k"))])(record)
    return aggregate


def entry_text(entry: Entry, process: str) -> str:
    """Return a timeline entry as JSON text, with the process that wrote it."""
    fields: dict[str, object] = {"e": entry.name, "t": entry.at_ms, "p": process}
    if entry.reason is not None:
        fields["r"] = [entry.reason.code, entry.reason.message]
    return json.dumps(fields, separators=(",", ":"))


def entry_from(text: str) -> tuple[Entry, str]:
    """Return the entry, and the process that wrote it."""
    return _entry(json.loads(text))


def entries_from(text: str) -> list[tuple[Entry, str]]:
    """Return the entries of a JSON array of such texts, each with its process."""
    return [_entry(fields) for fields in json.loads(text)]


def _entry(fields: Mapping[str, Any]) -> tuple[Entry, str]:
    reason = None
    if "r" in fields:
        code, message = fields["r"]
        reason = Reason(ReasonCode(code), message)
    return Entry(EntryName(fields["e"]), EpochMs(fields["t"]), reason), fields["p"]
