"""What an account has gained or lost today by what its orders have traded, fees included.

Known are the fills of orders of ours, and what each leg has cost on average. So money that comes in
or goes out is no result; neither is what an open position would bring now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Currency, EpochMs, Symbol, base_of, quote_of
from app.domain.market import AccountView
from app.domain.money import worth

_DAY_MS: Final = 86_400_000
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """What an order has filled more than was known before.

    Attributes:
        leg: the leg of a hedge account; None for coins and for one net position.
        quantity: 0 where only a fee has become known.
        value: what the quantity is worth, in the currency that it settles in.
        price: of the quantity on average, else of the order.
        fees: currency → how much of it.
        at_ms: business time.
    """

    symbol: Symbol
    market: Market
    side: Side
    quantity: Decimal
    value: Decimal
    price: Decimal
    fees: Mapping[Currency, Decimal]
    at_ms: EpochMs
    leg: PositionSide | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is held of a leg, as far as it is known, and what that has cost.

    Attributes:
        size: below 0 is a short of one net position.
        cost: in the currency that it settles in, with the sign of the size.
    """

    size: Decimal = _NOTHING
    cost: Decimal = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The result of one day, and what must be known to go on with it.

    Attributes:
        day: days since 1970-01-01 UTC.
        realised: quote currency → gain, or loss below 0.
        holdings: (symbol, leg) → what is held; of one net position, and of coins, LONG.
        seen: which trades are in it: those up to this one.
    """

    day: int
    realised: Mapping[Currency, Decimal] = field(default_factory=dict)
    holdings: Mapping[tuple[Symbol, PositionSide], Holding] = field(default_factory=dict)
    seen: str = "0"

    def loss(self, currency: Currency, now_ms: EpochMs) -> Decimal:
        """Return what was lost today of a quote currency; below 0 is a gain."""
        return -self.realised.get(currency, _NOTHING) if self.day == day_of(now_ms) else _NOTHING


def day_of(at_ms: EpochMs) -> int:
    """Return the days since 1970-01-01 UTC."""
    return at_ms // _DAY_MS


def begun(view: AccountView, market: Market, at_ms: EpochMs, seen: str) -> Results:
    """Return results that begin now, with the positions that are there at their entry prices.

    What the coins of a spot account have cost is not known: sales of them bring neither gain nor
    loss.
    """
    holdings: dict[tuple[Symbol, PositionSide], Holding] = {}
    is_net = view.position_mode is PositionMode.ONEWAY
    for (symbol, side), position in view.positions.items():
        if not position.size or not position.entry_price:
            continue
        cost = worth(market, position.size, position.entry_price)
        held = Holding(size=position.size, cost=cost)
        if is_net and side is PositionSide.SHORT:
            held = Holding(size=-position.size, cost=-cost)
        holdings[symbol, PositionSide.LONG if is_net else side] = held
    return Results(day=day_of(at_ms), holdings=holdings, seen=seen)


def after(results: Results, traded: Traded, seen: str, unit: Decimal | None = None) -> Results:
    """Return the results with one more trade; what was traded on another day moves costs alone.

    Args:
        results: so far.
        traded: what was traded.
        seen: the mark of that.
        unit: what one inverse contract is in quote currency; None of everything else.
    """
    leg = traded.leg or PositionSide.LONG
    held = results.holdings.get((traded.symbol, leg), Holding())
    is_more = traded.side.opens is leg
    change = traded.quantity if is_more else -traded.quantity
    is_net = traded.leg is None and traded.market is not Market.SPOT
    closing = min(abs(change), abs(held.size)) if held.size * change < 0 else _NOTHING
    opening = abs(change) - closing
    if not is_more and not is_net:
        opening = _NOTHING  # more than is known to be held: what that has cost nobody knows
    gain = _gain(held, closing, traded) * (1 if unit is None else unit)
    holdings = {
        **results.holdings,
        (traded.symbol, leg): _held(held, closing, opening, change, traded),
    }
    if not holdings[traded.symbol, leg].size:
        del holdings[traded.symbol, leg]
    told = replace(results, holdings=holdings, seen=seen)
    day = day_of(traded.at_ms)
    if day < results.day:
        return told
    currency = quote_of(traded.symbol)
    before = results.realised if day == results.day else {}
    total = before.get(currency, _NOTHING) + gain * _sign(leg) - _fee(traded)
    return replace(told, day=day, realised={**before, currency: total})


def _sign(leg: PositionSide) -> int:
    return -1 if leg is PositionSide.SHORT else 1


def _held(
    held: Holding, closing: Decimal, opening: Decimal, change: Decimal, traded: Traded
) -> Holding:
    """Return what is held when a part of it is closed, and more is opened on one side."""
    left = held
    if closing:
        share = (abs(held.size) - closing) / abs(held.size)
        left = Holding(size=held.size * share, cost=held.cost * share)
    if not opening:
        return left
    sign = 1 if change > 0 else -1
    cost = traded.value * opening / traded.quantity
    return Holding(size=left.size + sign * opening, cost=left.cost + sign * cost)


def _gain(held: Holding, closing: Decimal, traded: Traded) -> Decimal:
    """Return what closing brings in quote currency, as if the leg was long, per unit."""
    if not closing:
        return _NOTHING
    # Divided last, so that what closes all brings back just what it has cost.
    paid, got = held.cost * closing / held.size, traded.value * closing / traded.quantity
    sign = 1 if held.size > 0 else -1
    if traded.market is Market.COINM:  # values are in coins: less of them is a higher price
        return (paid - got) * sign * traded.price
    return (got - paid) * sign


def _fee(traded: Traded) -> Decimal:
    """Return the fees in quote currency; those in a third currency have no price here."""
    quote, base = quote_of(traded.symbol), base_of(traded.symbol)
    in_base = traded.fees.get(base, _NOTHING) * traded.price
    return traded.fees.get(quote, _NOTHING) + in_base
