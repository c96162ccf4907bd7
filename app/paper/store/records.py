"""The paper venue's values ↔ records, with their schema version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from app.domain.errors import StoreError
from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote, Tick
from app.store.core.codec import decoder, encoder

#: Rises when a record can no longer be read by the release before.
SCHEMA = 1

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class _TickRecord:
    """A tick without its number, which the script gives it."""

    at_ms: EpochMs
    quotes: Mapping[Symbol, Quote]


def text_of(value: object) -> str:
    """Return a value as JSON text; what has its default is left out."""
    kind: Any = type(value)
    return json.dumps({"s": SCHEMA, **encoder(kind)(value)}, separators=(",", ":"))


def value_from(kind: type[Value], text: str) -> Value:
    """Return the value of this kind that `text_of` has written.

    Raises:
        StoreError: a newer release has written it.
    """
    record = json.loads(text)
    schema = record.pop("s")
    if schema > SCHEMA:
        raise StoreError(f"the record has schema {schema}, this release reads up to {SCHEMA}")
    key: Any = kind  # the codec takes any annotation
    value: Value = decoder(key)(record)
    return value


def quote_text(quote: Quote | None) -> str:
    """Return a quote as JSON text; `null` says that no price is known."""
    return "null" if quote is None else text_of(quote)


def quote_from(text: str) -> Quote | None:
    """Return the quote that `quote_text` has written."""
    return None if text == "null" else value_from(Quote, text)


def tick_text(quotes: Mapping[Symbol, Quote], at_ms: EpochMs) -> str:
    """Return a tick as JSON text; its number goes before it."""
    return text_of(_TickRecord(at_ms=at_ms, quotes=quotes))


def tick_from(member: str) -> Tick:
    """Return the tick of `<number> <text>`."""
    number, text = member.split(" ", 1)
    record = value_from(_TickRecord, text)
    return Tick(number=int(number), at_ms=record.at_ms, quotes=record.quotes)
