"""From what people write for a symbol to exactly one that is traded, or to nothing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.identifiers import Symbol, base_of, quote_of
from app.domain.words import Market

#: Longer than any symbol; what is longer is none.
CHARACTERS_MAX = 60

#: What marks a perpetual: TradingView's `.P`, and the endings that exchanges have.
_PERPETUAL = re.compile(r"(\.P|[-_/]?PERP|[-_]SWAP)\Z")

_TEXT = re.compile(r"[A-Z0-9][A-Z0-9./:_-]*\Z")
_SEPARATOR = re.compile(r"[/_-]")

_FUTURES = frozenset({Market.USDM, Market.COINM})

#: Candidates that a refusal names.
_NAMED_MAX = 4


class AmbiguousSymbol(NotFound):
    """Several are traded that could be meant; none is taken."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A symbol that is traded in a market."""

    symbol: Symbol
    market: Market

    def __str__(self) -> str:
        """Write, for instance, `BTC/USDT in USDM`."""
        return f"{self.symbol} in {self.market}"


def resolved(
    text: str,
    listed: Collection[Listed],
    market: Market | None = None,
    spellings: Mapping[str, Symbol] | None = None,
) -> Listed:
    """Return the one symbol that a spelling means.

    `BINANCE:BTCUSDT.P`, `BTCUSDT`, `BTC-USDT`, `BTC_USDT`, `BTC/USDT:USDT` and `BTCUSDTPERP` are
    understood, in any case.

    Args:
        text: the spelling.
        listed: all that is traded.
        market: the one that matters; None takes whichever trades it, if only one does.
        spellings: what people have set, in upper case → symbol; they come before our own rules.

    Raises:
        AmbiguousSymbol: several could be meant.
        NotFound: none is.
    """
    wanted = text.strip().upper()
    if len(wanted) > CHARACTERS_MAX or not _TEXT.match(wanted):
        raise NotFound(f"{text[:CHARACTERS_MAX]!r} is no symbol")
    markets = frozenset(Market) if market is None else frozenset({market})
    named = (spellings or {}).get(wanted)
    if named is not None:
        found = [one for one in listed if one.symbol == named and one.market in markets]
    else:
        found = _by_rule(wanted, listed, markets)
    return _only(text, found, markets)


def _by_rule(wanted: str, listed: Collection[Listed], markets: frozenset[Market]) -> list[Listed]:
    pair, settle = _without_exchange(wanted)
    bare = _PERPETUAL.sub("", pair)
    if bare != pair or settle:
        markets &= _FUTURES
    return [
        one
        for one in listed
        if one.market in markets and _is_spelled(bare, one.symbol) and _settles(settle, one)
    ]


def _without_exchange(wanted: str) -> tuple[str, str]:
    """Split off an exchange before, or a settle currency behind the colon: pair, settle or ''."""
    first, colon, second = wanted.partition(":")
    if not colon:
        return wanted, ""
    # `BTC/USDT:USDT` is ccxt's; else what stands before the colon is TradingView's exchange.
    if "/" in first:
        return first, second
    return second, ""


def _is_spelled(bare: str, symbol: Symbol) -> bool:
    parts = _SEPARATOR.split(bare)
    if len(parts) == 1:
        return bare == symbol.replace("/", "")
    return parts == [base_of(symbol), quote_of(symbol)]


def _settles(settle: str, one: Listed) -> bool:
    if not settle:
        return True
    return settle == (quote_of(one.symbol) if one.market is Market.USDM else base_of(one.symbol))


def _only(text: str, found: list[Listed], markets: frozenset[Market]) -> Listed:
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str(one) for one in found[:_NAMED_MAX])
        raise AmbiguousSymbol(f"{text} may be {names}; name the market, or set what it means")
    where = next(iter(markets)) if len(markets) == 1 else "any market"
    raise NotFound(f"{text} is not traded in {where}")
