"""What is known of prices, balances and positions at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.domain.enums import PositionMode, PositionSide, PriceSource, Side
from app.domain.identifiers import AccountId, Currency, EpochMs, OrderId, Symbol, base_of
from app.domain.moments import age_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One observation of a symbol's prices, in quote currency per base.

    Attributes:
        bids: (price, quantity), best first; empty means unlimited at `bid`.
        asks: likewise at `ask`.
        mark: the venue's mark price; None where it has none, and then the last price stands in.
    """

    bid: Decimal
    ask: Decimal
    last: Decimal
    bids: tuple[tuple[Decimal, Decimal], ...] = ()
    asks: tuple[tuple[Decimal, Decimal], ...] = ()
    mark: Decimal | None = None

    def touch(self, side: Side) -> Decimal:
        """Return what a taker on this side pays: the ask for a buy, the bid for a sell."""
        return self.ask if side is Side.BUY else self.bid

    def of(self, source: PriceSource) -> Decimal:
        """Return the price that a trigger with this source compares."""
        match source:
            case PriceSource.BID:
                return self.bid
            case PriceSource.ASK:
                return self.ask
            case PriceSource.LAST:
                return self.last
            case PriceSource.MARK:
                return self.last if self.mark is None else self.mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Quotes that were seen together. `number` rises with each tick of a venue.

    Attributes:
        seen_at_ms: server time at which the venue had the prices of a symbol, or a little earlier;
            prices that are not named, such as those that a person has set, do not age.
    """

    number: int
    at_ms: EpochMs
    quotes: Mapping[Symbol, Quote]
    seen_at_ms: Mapping[Symbol, EpochMs] = field(default_factory=dict)

    def seen_within(self, within_ms: int, now_ms: int) -> "Tick":
        """Return the tick without prices that were seen longer ago than that, server time."""
        quotes = {
            symbol: quote
            for symbol, quote in self.quotes.items()
            if age_ms(self.seen_at_ms.get(symbol, now_ms), now_ms) <= within_ms
        }
        return self if len(quotes) == len(self.quotes) else replace(self, quotes=quotes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One fill of an order, as far as the market is concerned.

    Attributes:
        number: counts the fills of the order from 0.
        taker_side: which side came second and so made it happen.
    """

    account: AccountId
    symbol: Symbol
    order_id: OrderId
    number: int
    at_ms: EpochMs
    price: Decimal
    quantity: Decimal
    taker_side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How much of a currency an account has, and how much of that is not held by open orders."""

    total: Decimal = Decimal(0)
    available: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One leg of a futures position.

    Attributes:
        size: in base currency, never negative.
        available: what resting closes have not reserved; never above `size`.
        entry_price: average, weighted by quantity; 0 when flat.
    """

    size: Decimal = Decimal(0)
    available: Decimal = Decimal(0)
    entry_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as its venue sees it at one moment.

    Attributes:
        balances: currency → balance; a currency that is not listed is 0.
        positions: (symbol, side) → position; a leg that is not listed is flat.
    """

    position_mode: PositionMode = PositionMode.HEDGE
    balances: Mapping[Currency, Balance] = field(default_factory=dict)
    positions: Mapping[tuple[Symbol, PositionSide], Position] = field(default_factory=dict)

    def available(self, currency: Currency) -> Decimal:
        """Return what may be spent of a currency."""
        return self.balances.get(currency, Balance()).available

    def position(self, symbol: Symbol, side: PositionSide) -> Position:
        """Return one leg, flat if there is none."""
        return self.positions.get((symbol, side), Position())

    def held(self, symbol: Symbol, side: PositionSide | None) -> Position:
        """Return what an exit takes from: a leg, or without one the coins of a spot account."""
        if side is not None:
            return self.position(symbol, side)
        coins = self.balances.get(base_of(symbol), Balance())
        return Position(size=coins.total, available=coins.available)
