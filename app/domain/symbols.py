"""From what people write for a symbol to exactly one that is traded, or to nothing."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.domain.enums import Market
from app.domain.errors import MarketsUnknown, NotFound
from app.domain.identifiers import Symbol, base_of, quote_of

#: Longer than any symbol; what is longer is none.
CHARACTERS_MAX = 60

#: What marks a perpetual: TradingView's `.P`, and the endings that exchanges have.
_PERPETUAL = re.compile(r"(\.P|[-_/]?PERP|[-_]SWAP)\Z")

_TEXT = re.compile(r"[A-Z0-9][A-Z0-9./:_-]*\Z")
_SEPARATOR = re.compile(r"[/_-]")

_FUTURES = frozenset({Market.USDM, Market.COINM})

#: Candidates that a refusal names.
_NAMED_MAX = 4

#: Our own spelling, and ccxt's, which tell base and quote apart. No currency begins with a date.
_OURS = re.compile(r"([A-Z0-9]+/[A-Z][A-Z0-9]*)(?::([A-Z0-9]+))?\Z")


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
        NotFound: several could be meant, or none is.
    """
    wanted = _checked(text)
    markets = frozenset(Market) if market is None else frozenset({market})
    named = (spellings or {}).get(wanted)
    if named is not None:
        found = [one for one in listed if one.symbol == named and one.market in markets]
    else:
        found = _by_rule(wanted, listed, markets)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(str(one) for one in found[:_NAMED_MAX])
        raise NotFound(f"{text} may be {names}; name the market, or set what it means")
    where = "any market" if market is None else str(market)
    near = _near(str(named or wanted), listed, markets)
    hint = f"; traded are {', '.join(map(str, near))}" if near else ""
    raise NotFound(f"{text} is not traded in {where}{hint}")


def chosen(
    text: str,
    listed: Collection[Listed],
    market: Market,
    spellings: Mapping[str, Symbol] | None = None,
) -> Symbol:
    """Return the one symbol of a market that a spelling means.

    Where nothing is known of what is traded in that market nothing is guessed: our own spelling is
    taken for what it says, and so is what people have set.

    Args:
        text: the spelling.
        listed: what is known to be traded, in whatever market.
        market: the one that matters.
        spellings: as `resolved` has them.

    Raises:
        NotFound: as `resolved`.
        MarketsUnknown: nobody knows yet what is traded there.
    """
    if any(one.market is market for one in listed):
        return resolved(text, listed, market, spellings).symbol
    wanted = _checked(text)
    return (spellings or {}).get(wanted) or _said(text, wanted, market)


def _checked(text: str) -> str:
    wanted = text.strip().upper()
    if len(wanted) > CHARACTERS_MAX or not _TEXT.match(wanted):
        raise NotFound(f"{text[:CHARACTERS_MAX]!r} is no symbol")
    return wanted


def _said(text: str, wanted: str, market: Market) -> Symbol:
    """Return the symbol of a spelling that says base and quote by itself.

    Raises:
        NotFound: it says another market.
        MarketsUnknown: it does not; what is traded would tell.
    """
    pair, settle = _without_exchange(wanted)
    if (settle or _PERPETUAL.search(pair)) and market not in _FUTURES:
        raise NotFound(f"{text} is a perpetual, and not traded in {market}")
    told = _OURS.match(wanted)
    if told is None:
        raise MarketsUnknown(f"what is traded in {market} is not known yet, nor what {text} means")
    symbol = Symbol(told[1])
    if not _settles(settle, Listed(symbol, market)):
        raise NotFound(f"{text} is not traded in {market}")
    return symbol


def _near(wanted: str, listed: Collection[Listed], markets: frozenset[Market]) -> list[Listed]:
    """Return what could have been meant, best first: the pair elsewhere, else its base."""
    bare = _PERPETUAL.sub("", _without_exchange(wanted)[0])
    same = [one for one in listed if _is_spelled(bare, one.symbol)]
    begins = [one for one in listed if bare.startswith(base_of(one.symbol))]
    longest = max((len(base_of(one.symbol)) for one in begins), default=0)
    others = [one for one in begins if len(base_of(one.symbol)) == longest]
    others.sort(key=lambda one: (one.market not in markets, one.symbol, one.market))
    return [*same, *(one for one in others if one not in same)][:_NAMED_MAX]


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
