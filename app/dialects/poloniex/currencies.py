"""The numbers by which Poloniex names currencies."""

import hashlib
from collections.abc import Mapping
from typing import Final

from app.domain.identifiers import Currency

#: As Poloniex numbers them.
_KNOWN: Final[Mapping[Currency, int]] = {
    Currency("BTC"): 28,
    Currency("USDT"): 214,
    Currency("ETH"): 267,
}

#: Numbers of others begin here.
_FIRST: Final = 10_000
_COUNT: Final = 1_000_000


def number_of(code: Currency) -> int:
    """Return the number of a currency: always the same, whatever else is traded."""
    known = _KNOWN.get(code)
    if known is not None:
        return known
    digest = hashlib.sha256(code.encode()).digest()
    return _FIRST + int.from_bytes(digest[:8], "big") % _COUNT
