"""Which orders a `DELETE` without ids reaches."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.dialects.poloniex.errors import Code
from app.dialects.poloniex.parse_amounts import InstrumentOf, instrument_for
from app.dialects.poloniex.payload import Payload
from app.domain.identifiers import Symbol


@dataclass(frozen=True, slots=True)
class Reach:
    """What is to be canceled; None is everything.

    Attributes:
        types: in the wire's words.
    """

    symbols: frozenset[Symbol] | None
    types: frozenset[str] | None


def reach_from(body: Payload, types: Mapping[str, str], instrument_of: InstrumentOf) -> Reach:
    """Return what a body names. The SDK writes `symbol` and `accountType`, ccxt `symbols`.

    Raises:
        Problem: a symbol is not traded, an account is not SPOT, or a type is none.
    """
    symbols = body.symbols("symbol", "symbols")
    for symbol in sorted(symbols or ()):
        instrument_for(symbol, instrument_of)
    body.check_account_type("accountType", "accountTypes")
    words = body.words("orderTypes", types, Code.INVALID_TYPE)
    return Reach(symbols, None if words is None else frozenset(words))
