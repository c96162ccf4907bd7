"""What a venue shows everybody of one market: prices, the book, trades, candles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from app.domain.enums import Side
from app.domain.identifiers import EpochMs, Symbol
from app.domain.market import Quote


class LookKind(StrEnum):
    """What can be looked at."""

    TICKERS = "tickers"  # of all symbols at once, or of one
    BOOK = "book"
    TRADES = "trades"
    CANDLES = "candles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing to look at; equal looks are answered alike.

    Attributes:
        symbol: of which; None is all, of tickers.
        interval: how long each candle is, in ccxt's words: `1m`, `1M`.
        since_ms: when the first candle begins.
        until_ms: candles that begin later are not wanted; None is up to now.
        most: how many candles.
    """

    kind: LookKind
    symbol: Symbol | None = None
    interval: str = ""
    since_ms: EpochMs | None = None
    until_ms: EpochMs | None = None
    most: int = 0

    @property
    def name(self) -> str:
        """What distinguishes it from all others."""
        words = (self.kind, self.symbol, self.interval, self.since_ms, self.until_ms, self.most)
        return ":".join(str(one or "") for one in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The prices of a symbol now, and what was traded in the last 24 hours.

    Attributes:
        bid_quantity: what there is at the bid; None where that is not told.
        ask_quantity: likewise at the ask.
        open: the last price of 24 hours ago.
        quantity: what was traded, in base currency; 0 where that is not told.
        amount: the same in quote currency.
        count: of the trades.
    """

    quote: Quote
    bid_quantity: Decimal | None = None
    ask_quantity: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """A trade as everybody may see it.

    Attributes:
        taker_side: which side came second and so made the trade happen.
    """

    id: str
    at_ms: EpochMs
    price: Decimal
    quantity: Decimal
    taker_side: Side

    @property
    def amount(self) -> Decimal:
        """What was paid, in quote currency."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """What the prices were in one span of time, and how much base currency was traded."""

    begin_ms: EpochMs
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was seen when somebody looked; of one look one of these says something.

    Attributes:
        is_told: whether the venue shows such a thing at all.
        tickers: symbol → its prices and its day.
        book: prices and depth.
        trades: oldest first.
        candles: oldest first.
    """

    is_told: bool = True
    tickers: Mapping[Symbol, Ticker] = field(default_factory=dict)
    book: Quote | None = None
    trades: tuple[PublicTrade, ...] = ()
    candles: tuple[Candle, ...] = ()
