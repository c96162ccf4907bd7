"""What an account has gained or lost today by what its orders have traded, fees included.

Known are the fills of orders of ours, and what each leg has cost on average. So money that comes in
or goes out is no result; neither is what an open position would bring now.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Currency, EpochMs, Symbol, base_of, quote_of
from app.domain.market import AccountView
from app.domain.money import worth

_DAY_MS: Final = 86_400_000
_NOTHING: Final = Decimal(0)

#: Results of days that are further away from the day of a trade are forgotten.
DAYS_KEPT: Final = 3


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
        reduces: its order could open nothing.
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
    reduces: bool = False


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
    """The results of the last days, and what must be known to go on with them.

    Attributes:
        realised: (day, quote currency) → gain, or loss below 0; see `day_of`.
        holdings: (symbol, leg) → what is held; of one net position, and of coins, LONG.
        seen: which trades are in it: those up to this one.
    """

    realised: Mapping[tuple[int, Currency], Decimal] = field(default_factory=dict)
    holdings: Mapping[tuple[Symbol, PositionSide], Holding] = field(default_factory=dict)
    seen: str = "0"

    def loss(self, currency: Currency, now_ms: EpochMs) -> Decimal:
        """Return what was lost today of a quote currency; below 0 is a gain."""
        return -self.realised.get((day_of(now_ms), currency), _NOTHING)


def day_of(at_ms: EpochMs) -> int:
    """Return the days since 1970-01-01 UTC."""
    return at_ms // _DAY_MS


def begun(view: AccountView, market: Market, seen: str) -> Results:
    """Return results that begin now, with the positions that are there at their entry prices.

    What the coins of a spot account have cost is not known: sales of them bring neither gain nor
    loss.
    """
    return Results(holdings=_shown(view, market), seen=seen)


def held_against(
    results: Results, view: AccountView, market: Market, moving: Collection[Symbol]
) -> Results:
    """Return the results with what is there: a difference that nobody here has traded is no result.

    Of coins there may be more than was bought here; of which there are less, those have cost less.

    Args:
        results: so far.
        view: of the account, at a moment at which nothing else of it traded.
        market: of the account.
        moving: symbols of which something may trade just now; they stay as they are.
    """
    if market is Market.SPOT:
        there = {key: _left(held, view, key[0]) for key, held in results.holdings.items()}
    else:
        there = dict(_shown(view, market))
        for key, held in results.holdings.items():
            if key in there and there[key].size == held.size:
                there[key] = held
    kept = {key: held for key, held in results.holdings.items() if key[0] in moving}
    shown = {key: held for key, held in there.items() if key[0] not in moving and held.size}
    return replace(results, holdings={**kept, **shown})


def _left(held: Holding, view: AccountView, symbol: Symbol) -> Holding:
    return _cut(held, max(held.size - view.held(symbol, None).size, _NOTHING))


def _shown(view: AccountView, market: Market) -> Mapping[tuple[Symbol, PositionSide], Holding]:
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
    return holdings


def after(results: Results, traded: Traded, seen: str, unit: Decimal | None = None) -> Results:
    """Return the results with one more trade, on the day on which it was traded.

    A clock that is ahead for a moment has results of its own day, and changes none of others.

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
    only_closes = not is_more if not is_net else traded.reduces
    if only_closes:
        opening = _NOTHING  # more than is known to be held: what that has cost nobody knows
    gain = _gain(held, closing, traded) * (1 if unit is None else unit)
    now = _held(held, closing, opening, change, traded)
    if traded.market is Market.SPOT:
        # A fee in coins is taken from them. It counts as a loss by itself, so they cost less then.
        fee = traded.fees.get(base_of(traded.symbol), _NOTHING)
        now = _cut(now, min(fee, now.size))
    holdings = {**results.holdings, (traded.symbol, leg): now}
    if not now.size:
        del holdings[traded.symbol, leg]
    day = day_of(traded.at_ms)
    own = (day, quote_of(traded.symbol))
    total = results.realised.get(own, _NOTHING) + gain * _sign(leg) - _fee(traded)
    realised = {**results.realised, own: total}
    near = sorted({one for one, _ in realised}, key=lambda one: abs(one - day))[:DAYS_KEPT]
    realised = {key: gained for key, gained in realised.items() if key[0] in near}
    return replace(results, realised=realised, holdings=holdings, seen=seen)


def _sign(leg: PositionSide) -> int:
    return -1 if leg is PositionSide.SHORT else 1


def _held(
    held: Holding, closing: Decimal, opening: Decimal, change: Decimal, traded: Traded
) -> Holding:
    """Return what is held when a part of it is closed, and more is opened on one side."""
    left = _cut(held, closing)
    if not opening:
        return left
    sign = 1 if change > 0 else -1
    cost = traded.value * opening / traded.quantity
    return Holding(size=left.size + sign * opening, cost=left.cost + sign * cost)


def _cut(held: Holding, by: Decimal) -> Holding:
    """Return what is held without a part of it, which has cost its share."""
    if not by:
        return held
    size = abs(held.size) - by
    # Not by a quotient, which leaves a trace of what was closed whole.
    sized = size if held.size > 0 else -size
    return Holding(size=sized, cost=held.cost * size / abs(held.size))


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
