"""What an exchange keeps: markets, accounts, orders and fills."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

SPOT, LINEAR, INVERSE = "spot", "linear", "inverse"
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


class Why(StrEnum):
    """What an exchange refuses a request for; each wire format has its own code for it."""

    FUNDS = "funds"
    SYMBOL = "symbol"
    HALTED = "halted"
    LOT = "lot"
    SIZE = "size"
    TICK = "tick"
    TOO_HIGH = "too_high"
    TOO_LOW = "too_low"
    NOTIONAL = "notional"
    DUPLICATE = "duplicate"
    NO_ORDER = "no_order"
    GONE = "gone"
    REDUCE_ONLY = "reduce_only"
    WOULD_TAKE = "would_take"
    LEG = "leg"
    MODE_IN_USE = "mode_in_use"
    MODE_IS_SET = "mode_is_set"
    KEY = "key"
    SIGNATURE = "signature"
    CLOCK = "clock"
    MALFORMED = "malformed"
    FORBIDDEN = "forbidden"
    #: A stop whose price has come already, from below or from above.
    HAS_RISEN = "has_risen"
    HAS_FALLEN = "has_fallen"
    #: More stops than may wait.
    STOPS = "stops"
    #: A stop where only orders are taken.
    ELSEWHERE = "elsewhere"
    #: A stop that is to be taken off, and is not there, is off already, or has fired.
    NO_STOP = "no_stop"
    CANCELED = "canceled"
    FIRED = "fired"


#: Code → what exchanges call it.
NAMES = {"BTC": "Bitcoin", "ETH": "Ethereum", "USDT": "TetherUS"}


class Refused(Exception):
    """The exchange's definite no."""

    def __init__(self, why: Why, message: str = "") -> None:
        super().__init__(message or why)
        self.why = why


@dataclass(frozen=True)
class Market:
    """What is traded. `kind` is SPOT, LINEAR, margined in quote, or INVERSE, margined in base.

    Its rules may change, and it is the same market. Quantities of inverse markets are contracts.

    Attributes:
        status: "" is traded; else `halted`, or `closed` for good.
    """

    base: str
    quote: str
    kind: str = SPOT
    price_step: Decimal = field(default=Decimal("0.01"), compare=False)
    quantity_step: Decimal = field(default=Decimal("0.00001"), compare=False)
    min_quantity: Decimal = field(default=Decimal("0.00001"), compare=False)
    max_quantity: Decimal = field(default=Decimal(9000), compare=False)
    max_market_quantity: Decimal = field(default=Decimal(120), compare=False)
    min_notional: Decimal = field(default=Decimal(5), compare=False)
    status: str = field(default="", compare=False)
    #: Whether a stop may rest there.
    holds_stops: bool = field(default=True, compare=False)
    #: Times the price: the most for the limit of a buy, the least for that of a sale.
    multiplier_up: Decimal = field(default=Decimal(1_000), compare=False)
    multiplier_down: Decimal = field(default=Decimal(0), compare=False)
    #: Of an inverse contract, in quote currency.
    contract_size: Decimal = field(default=Decimal(1), compare=False)
    tells_size: bool = field(default=True, compare=False)
    #: Of a future that ends, as in its name.
    delivery: str = ""

    @property
    def symbol(self) -> str:
        return f"{self.base}/{self.quote}" + (f"-{self.delivery}" if self.delivery else "")

    @property
    def margin(self) -> str:
        """The currency of margin, profit and fees."""
        return self.base if self.kind == INVERSE else self.quote

    def worth(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what a quantity is worth at a price, in the currency of its margin."""
        if self.kind == INVERSE:
            return quantity * self.contract_size / price
        return quantity * price

    def price_of(self, quantity: Decimal, worth: Decimal) -> Decimal:
        """Return the price at which a quantity is worth so much; 0 where there is none."""
        if not quantity:
            return Decimal(0)
        return quantity * self.contract_size / worth if self.kind == INVERSE else worth / quantity


@dataclass(frozen=True)
class Trade:
    """One fill."""

    id: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    at_ms: int


@dataclass(frozen=True)
class Stop:
    """What an order waits for: the last price, or the mark price, at its level or beyond."""

    level: Decimal
    rises: bool
    by_mark: bool = False


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """An order as it was asked for; `budget` is what a market buy may cost, in quote."""

    client_id: str
    market: Market
    side: str
    type: str = "LIMIT"
    time_in_force: str = "GTC"
    quantity: Decimal = Decimal(0)
    budget: Decimal | None = None
    price: Decimal | None = None
    leg: str = "BOTH"
    reduce_only: bool = False
    stop: Stop | None = None

    @property
    def way(self) -> int:
        return 1 if self.side == "BUY" else -1

    @property
    def closes_leg(self) -> bool:
        return (self.leg, self.side) in {("LONG", "SELL"), ("SHORT", "BUY")}


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as it stands.

    Attributes:
        would_take: it was post-only, and canceled for that.
        made: the id of the order that was made of a stop; 0 where there is none.
        reduces_nothing: it was canceled since the position was gone.
    """

    id: int
    ticket: Ticket
    created_ms: int
    updated_ms: int
    status: str = "NEW"
    trades: tuple[Trade, ...] = ()
    would_take: bool = False
    made: int = 0
    reduces_nothing: bool = False

    @property
    def filled(self) -> Decimal:
        return sum((one.quantity for one in self.trades), Decimal(0))

    @property
    def is_at_market(self) -> bool:
        """Whether it has come to the market, rather than being a stop whose price never came."""
        return self.ticket.stop is None or bool(self.trades)

    @property
    def cost(self) -> Decimal:
        """What it has filled is worth, in the currency of its margin."""
        worth = self.ticket.market.worth
        return sum((worth(one.quantity, one.price) for one in self.trades), Decimal(0))

    @property
    def average(self) -> Decimal:
        return self.ticket.market.price_of(self.filled, self.cost)

    @property
    def left(self) -> Decimal:
        return self.ticket.quantity - self.filled


@dataclass
class Position:
    """One leg: signed quantity and average entry price."""

    quantity: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)


@dataclass
class Account:
    """Whoever holds one API key.

    Attributes:
        total: spot balances, what open orders hold included.
        margin: futures wallet in quote currency.
        coins: futures wallet of inverse contracts, coin → what there is of it.
        hedged: whether long and short are legs apart.
        stops: orders that wait, or have waited, for their price, where they are kept apart.
    """

    key: str
    secret: str
    total: dict[str, Decimal] = field(default_factory=dict)
    margin: Decimal = Decimal(0)
    coins: dict[str, Decimal] = field(default_factory=dict)
    hedged: bool = False
    can_withdraw: bool = False
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    leverage: dict[str, int] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    stops: list[Order] = field(default_factory=list)
