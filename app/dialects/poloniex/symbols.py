"""`BTC_USDT` on the wire, `BTC/USDT` here."""

import re

from app.domain.identifiers import Symbol

_PAIR = re.compile(r"([A-Z0-9]{1,20})_([A-Z0-9]{1,20})", re.ASCII)


def symbol_from(text: str) -> Symbol | None:
    """Return our symbol for a pair in any case, or None for what is no pair."""
    match = _PAIR.fullmatch(text.strip().upper()) if text.isascii() else None
    return None if match is None else Symbol(f"{match[1]}/{match[2]}")


def pair_of(symbol: Symbol) -> str:
    """Return `BTC_USDT` for `BTC/USDT`."""
    return symbol.replace("/", "_")
