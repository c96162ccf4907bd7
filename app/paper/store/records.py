"""The paper venue's values ↔ records, with their schema version."""

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.enums import Market, PositionMode, PositionSide
from app.domain.errors import StoreError
from app.domain.identifiers import Currency, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote, Tick
from app.paper.domain.account import Fees, Leg, PaperAccount
from app.paper.domain.order import PaperOrder
from app.store.core.codec import decoder, encoder

#: Rises when a record can no longer be read by the release before.
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountRecord:
    """A PaperAccount whose legs are listed, since the keys of a JSON object are plain text."""

    market: Market
    position_mode: PositionMode
    balances: Mapping[Currency, Decimal]
    held: Mapping[Currency, Decimal]
    legs: tuple[tuple[Symbol, PositionSide, Leg], ...]
    reserved: tuple[tuple[Symbol, PositionSide, Decimal], ...]
    leverage: Mapping[Symbol, int]
    fees: Fees


@dataclass(frozen=True, slots=True, kw_only=True)
class _TickRecord:
    """A tick without its number, which the script gives it."""

    at_ms: EpochMs
    quotes: Mapping[Symbol, Quote]


def account_text(account: PaperAccount) -> str:
    """Return an account as JSON text."""
    return _text(
        _AccountRecord,
        _AccountRecord(
            market=account.market,
            position_mode=account.position_mode,
            balances=account.balances,
            held=account.held,
            legs=tuple((symbol, side, leg) for (symbol, side), leg in account.legs.items()),
            reserved=tuple(
                (symbol, side, size) for (symbol, side), size in account.reserved.items()
            ),
            leverage=account.leverage,
            fees=account.fees,
        ),
    )


def account_from(text: str) -> PaperAccount:
    """Return the account that `account_text` has written."""
    record: _AccountRecord = _value(_AccountRecord, text)
    return PaperAccount(
        market=record.market,
        position_mode=record.position_mode,
        balances=record.balances,
        held=record.held,
        legs={(symbol, side): leg for symbol, side, leg in record.legs},
        reserved={(symbol, side): size for symbol, side, size in record.reserved},
        leverage=record.leverage,
        fees=record.fees,
    )


def order_text(order: PaperOrder) -> str:
    """Return an order as JSON text."""
    return _text(PaperOrder, order)


def order_from(text: str) -> PaperOrder:
    """Return the order that `order_text` has written."""
    order: PaperOrder = _value(PaperOrder, text)
    return order


def quote_text(quote: Quote | None) -> str:
    """Return a quote as JSON text; `null` says that no price is known."""
    return "null" if quote is None else _text(Quote, quote)


def quote_from(text: str) -> Quote | None:
    """Return the quote that `quote_text` has written."""
    quote: Quote | None = None if text == "null" else _value(Quote, text)
    return quote


def instrument_text(instrument: Instrument) -> str:
    """Return an instrument as JSON text."""
    return _text(Instrument, instrument)


def instrument_from(text: str) -> Instrument:
    """Return the instrument that `instrument_text` has written."""
    instrument: Instrument = _value(Instrument, text)
    return instrument


def tick_text(quotes: Mapping[Symbol, Quote], at_ms: EpochMs) -> str:
    """Return a tick as JSON text; its number goes before it."""
    return _text(_TickRecord, _TickRecord(at_ms=at_ms, quotes=quotes))


def tick_from(member: str) -> Tick:
    """Return the tick of `<number> <text>`."""
    number, text = member.split(" ", 1)
    record: _TickRecord = _value(_TickRecord, text)
    return Tick(number=int(number), at_ms=record.at_ms, quotes=record.quotes)


def _text(kind: Hashable, value: object) -> str:
    return json.dumps({"s": SCHEMA, **encoder(kind)(value)}, separators=(",", ":"))


def _value(kind: Hashable, text: str) -> Any:  # noqa: ANN401 - each caller names the type
    record = json.loads(text)
    schema = record.pop("s")
    if schema > SCHEMA:
        raise StoreError(f"the record has schema {schema}, this release reads up to {SCHEMA}")
    return decoder(kind)(record)
