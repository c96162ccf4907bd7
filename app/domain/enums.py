"""The closed sets of words that everything else is written in."""

from enum import StrEnum
from typing import Final


class Dialect(StrEnum):
    """The wire languages, as they are named in keys, records and our own API."""

    CRYPTO_ARSENAL = "crypto_arsenal"
    APISIFY = "apisify"
    POLONIEX = "poloniex"
    THREE_COMMAS = "three_commas"
    HUMMINGBOT = "hummingbot"


class Kind(StrEnum):
    """The kinds of aggregate."""

    SIGNAL = "SIGNAL"
    ORDER = "ORDER"
    SMART_ORDER = "SMART_ORDER"
    REVERSAL = "REVERSAL"
    SMART_TRADE = "SMART_TRADE"

    @property
    def words(self) -> str:
        """Return, for instance, `smart order`."""
        return self.lower().replace("_", " ")


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def opens(self) -> "PositionSide":
        """The leg of a futures position that it opens or adds to."""
        return PositionSide.LONG if self is Side.BUY else PositionSide.SHORT

    def works_on(self, *, reduces: bool) -> "PositionSide":
        """Return the leg that an order of this side opens, or the one that it reduces."""
        return self.opens.opposite if reduces else self.opens


class PositionSide(StrEnum):
    """Which leg of a futures position an order works on."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def opposite(self) -> "PositionSide":
        """The other leg."""
        return PositionSide.SHORT if self is PositionSide.LONG else PositionSide.LONG


class Market(StrEnum):
    """What is traded: spot, or futures margined in USD coins or in the base coin."""

    SPOT = "SPOT"
    USDM = "USDM"
    COINM = "COINM"


class PositionMode(StrEnum):
    """Whether an account holds long and short apart or as one net position."""

    HEDGE = "HEDGE"
    ONEWAY = "ONEWAY"


class OrderType(StrEnum):
    """How an order is priced; LIMIT_MAKER is post only."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"


class TimeInForce(StrEnum):
    """How long the unfilled rest of an order lives."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class PriceSource(StrEnum):
    """Which price of a tick a trigger watches."""

    BID = "bid"
    ASK = "ask"
    LAST = "last"
    MARK = "mark"


class Direction(StrEnum):
    """Whether a trigger fires at or above its level (RISING) or at or below it (FALLING)."""

    RISING = "RISING"
    FALLING = "FALLING"

    @property
    def opposite(self) -> "Direction":
        """The other way."""
        return Direction.RISING if self is Direction.FALLING else Direction.FALLING


class Protection(StrEnum):
    """Who holds the stop-loss of a position.

    AUTO of a connector is what its account says; AUTO of an account is BOTH at exchanges, and HERE
    on paper. With BOTH that of the venue lies beyond ours; with EXCHANGE ours beyond that of the
    venue. Where the venue cannot hold a stop, each of them is HERE.
    """

    AUTO = "auto"
    HERE = "here"
    BOTH = "both"
    EXCHANGE = "exchange"


class SmartOrderType(StrEnum):
    """What a smart order waits for, and what it places: a market order or a limit order."""

    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"

    @property
    def is_trailing(self) -> bool:
        """Whether its level follows the price."""
        return self in {SmartOrderType.TRAILING_STOP, SmartOrderType.TRAILING_STOP_LIMIT}

    @property
    def is_limit(self) -> bool:
        """Whether the order that it places has a limit."""
        return self in {SmartOrderType.STOP_LIMIT, SmartOrderType.TRAILING_STOP_LIMIT}


class StopPrice(StrEnum):
    """Which price a stop watches: the last one, the touch that it would trade at, or the mark."""

    LAST = "last"
    TOUCH = "bidask"
    MARK = "mark"

    def source(self, side: Side) -> PriceSource:
        """Return the price of a tick that an order of this side watches."""
        match self:
            case StopPrice.LAST:
                return PriceSource.LAST
            case StopPrice.MARK:
                return PriceSource.MARK
            case StopPrice.TOUCH:
                return PriceSource.ASK if side is Side.BUY else PriceSource.BID


class StopDirection(StrEnum):
    """What tells which way the price must go: the side, where it stands now, or an operator.

    SIDE: a buy waits for the price to rise, a sale for it to fall. INFER: whoever names a stop
    above the price waits for it to rise, and the other way round. OPERATOR: as named, else as SIDE.
    """

    SIDE = "side"
    INFER = "infer"
    OPERATOR = "operator"


class AccountState(StrEnum):
    """The risk state of an account (docs/design.md)."""

    RUN = "RUN"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALT = "HALT"
    FROZEN = "FROZEN"

    @property
    def holds_exits(self) -> bool:
        """Whether exits wait until the account is in another state."""
        return self in {AccountState.HALT, AccountState.FROZEN}


#: Those that a person may set; an account is frozen by what was found, and released by `recover`.
STATES_BY_HAND: Final = (AccountState.RUN, AccountState.REDUCE_ONLY, AccountState.HALT)


class Listing(StrEnum):
    """Whether a symbol can be traded at its venue.

    ABSENT is not in the list that was read last, which may be a fault, or a pause; GONE is not
    traded for good, and that is certain.
    """

    TRADED = "TRADED"
    HALTED = "HALTED"
    ABSENT = "ABSENT"
    GONE = "GONE"


class Mode(StrEnum):
    """Whose money an account trades with."""

    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


class ReasonCode(StrEnum):
    """Why something was denied, skipped, canceled or has expired; machine readable."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NO_POSITION = "no_position"
    ALREADY_IN_POSITION = "already_in_position"
    NO_PRICE = "no_price"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    MARKET_HALTED = "market_halted"  # nobody trades it just now, which may end
    DELISTED = "delisted"
    OPPOSITE_POSITION = "opposite_position"
    TP_SL_SIDE = "tp_sl_side"
    ACCOUNT_REDUCE_ONLY = "account_reduce_only"
    ACCOUNT_HALTED = "account_halted"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_DISABLED = "account_disabled"
    STORE_FULL = "store_full"
    TOO_LATE = "too_late"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    TIME_IN_FORCE = "time_in_force"
    WOULD_TAKE = "would_take"
    WOULD_TRIGGER = "would_trigger"  # a stop, and the price is past its level already
    DUPLICATE = "duplicate"
    REQUESTED = "requested"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    SIBLING_FILLED = "sibling_filled"
    POSITION_CLOSED = "position_closed"
    VENUE_REJECTED = "venue_rejected"
    CREDENTIALS_REFUSED = "credentials_refused"
    AGAINST_RULES = "against_rules"  # the venue's rules of the market, by which we may be behind
    WOULD_NOT_REDUCE = "would_not_reduce"  # the venue has less of the position, or none
    VENUE_UNAVAILABLE = "venue_unavailable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    RESET = "reset"
    REPLACED = "replaced"
    REPLAYED = "replayed"  # a person has given the same command anew
    NOT_REPLACED = "not_replaced"
    LIMIT_NOT_FILLED = "limit_not_filled"
    LIMIT_NOT_ABOVE_ZERO = "limit_not_above_zero"
    TOO_OLD = "too_old"
    # Each is the name of the limit of the account that it is above (`app/domain/limits.py`).
    MAX_ORDER_VALUE = "max_order_value"
    MAX_POSITION_VALUE = "max_position_value"
    MAX_OPEN_ORDERS = "max_open_orders"
    MAX_ORDERS_PER_MINUTE = "max_orders_per_minute"
    MAX_DAILY_LOSS = "max_daily_loss"
    ALLOWED_SYMBOLS = "allowed_symbols"
    COOLDOWN_SECONDS = "cooldown_seconds"
    PRICE_COLLAR_PERCENT = "price_collar_percent"
    TRADING_HOURS = "trading_hours"
    LIMITS_UNCHECKED = "limits_unchecked"  # what a limit depends on cannot be known

    @classmethod
    def _missing_(cls, value: object) -> "ReasonCode | None":
        """Understand the word that older records have."""
        return cls.CREDENTIALS_REFUSED if value == "key_refused" else None


class Flaw(StrEnum):
    """What is wrong with a term that somebody asks for."""

    MISSING = "missing"
    NOT_TRADED = "not_traded"  # a symbol that the account does not trade
    CONTRADICTED = "contradicted"  # does not go together with another term
    FIXED = "fixed"  # cannot be changed any more, or never could
    REPEATED = "repeated"
    NOT_ABOVE_ZERO = "not_above_zero"
    NOT_POSITIVE = "not_positive"
    NOT_NEGATIVE = "not_negative"
    NO_PRICE = "no_price"  # a percentage that leads to no price
    NOT_WHOLE = "not_whole"  # shares that do not make 100 percent
    TOO_MANY = "too_many"
    OFF_STEP = "off_step"  # with the step
    BELOW_LEAST = "below_least"  # with the least
    ABOVE_MOST = "above_most"  # with the greatest that the market, or the money, allows
