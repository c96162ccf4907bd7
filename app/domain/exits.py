"""An exit goes on until the position is flat: how large it is, what it has filled, its next try.

An exit that has fired is one or more orders, each under a client order id of its own, the next one
only when it is certain that the one before has ended. docs/protection.md says who goes on for how
long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, TypeGuard

from app.domain.enums import Direction, Market, Protection, ReasonCode, Side
from app.domain.identifiers import Currency, OrderId
from app.domain.instrument import Instrument
from app.domain.market import AccountView, Position
from app.domain.money import price_of, worth
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.status import OrderStatus

#: After an order that has not filled whole; doubles with each in a row that fills nothing.
_PAUSE_MS = 250
PAUSE_MAX_MS = 60_000
_MISSES_OF_GROWING_PAUSES = 9

#: A venue may show a position later than the fill that made it: so long before it is asked again.
SHOWN_LATE_MS = 2_000

#: Whose exit ends for one of these sends nothing any more.
_OVER = frozenset({ReasonCode.TOO_LATE, ReasonCode.ACCOUNT_DISABLED})

#: Orders in a row that fill nothing before a person is told: some seconds.
MISSES_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRules:
    """The settings of a connector or client that shape how its exits go on.

    Attributes:
        patience_ms: for how long one that a message has asked for goes on when it does not get
            through.
        limit_ms: for how long one at a limit may take to fill; then the rest goes at the market.
            0 is for ever.
        stop_aborts: whether the timeout of a stop-loss is over as soon as the price comes back,
            rather than looked at once at its end (3Commas spec, 10, decision 22).
        profits_rest: whether a take-profit at a limit rests on the book from the entry on, rather
            than being placed once its price has come (3Commas spec, 10, decision 11).
        beyond_percent: how far beyond a stop-loss another one lies, in percent of its price: one of
            them is here, and one at the venue, for the time when nobody here can act; None: there
            is none.
        venue_first: whether it is ours that lies beyond.
    """

    patience_ms: int = 60_000
    limit_ms: int = 0
    stop_aborts: bool = False
    profits_rest: bool = False
    beyond_percent: Decimal | None = None
    venue_first: bool = False

    @property
    def misses_max(self) -> int:
        """More orders than can fill nothing in that time, in a row and with their pauses.

        Where the clock was set back, nothing else says how long it has been.
        """
        return _MISSES_OF_GROWING_PAUSES + self.patience_ms // PAUSE_MAX_MS

    def held_by(self, protection: Protection, beyond_percent: Decimal) -> "ExitRules":
        """Return the same with who holds stop-losses, and how far apart two of one lie."""
        if protection is Protection.HERE:
            return self
        first = protection is Protection.EXCHANGE
        return replace(self, beyond_percent=beyond_percent, venue_first=first)

    def beyond(self, price: Decimal, direction: Direction) -> Decimal | None:
        """Return the price of the other one of two, off the steps; None if there is none.

        Args:
            price: at which the first of them acts.
            direction: which way the price must go to reach it.
        """
        if self.beyond_percent is None:
            return None
        away = price * self.beyond_percent / 100
        return price - away if direction is Direction.FALLING else price + away

    def not_filled(self) -> Reason:
        """Return why a limit is taken off."""
        return Reason(
            ReasonCode.LIMIT_NOT_FILLED, f"it did not fill within {self.limit_ms // 1000} seconds"
        )


#: Of who has set nothing.
USUAL: Final = ExitRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What one order has filled, or several together.

    Attributes:
        quantity: base currency; of inverse contracts, contracts.
        average_price: None while nothing is filled.
    """

    quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    fees: Mapping[Currency, Decimal] = field(default_factory=dict)


#: Order → what it has filled: of those that have filled anything. News of an order replaces what
#: was known of it, so it may come twice, late, and in any order.
FilledBy = Mapping[OrderId, Filled]


def heard(known: FilledBy, order: Order) -> FilledBy:
    """Return what is filled when an order is as told."""
    if not order.filled_quantity:
        return known
    filled = Filled(
        quantity=order.filled_quantity,
        average_price=order.average_price,
        fees=dict(order.fees),
    )
    return {**known, order.id: filled}


def total(known: FilledBy, market: Market) -> Filled:
    """Return what all of them have filled together, at the price that it was worth on average."""
    if len(known) == 1:
        return next(iter(known.values()))
    quantity = sum((one.quantity for one in known.values()), Decimal(0))
    values = (
        worth(market, one.quantity, one.average_price)
        for one in known.values()
        if one.average_price
    )
    fees: dict[Currency, Decimal] = {}
    for one in known.values():
        for currency, fee in one.fees.items():
            fees[currency] = fees.get(currency, Decimal(0)) + fee
    average = price_of(market, quantity, sum(values, Decimal(0)))
    return Filled(quantity=quantity, average_price=average if quantity else None, fees=fees)


def may_go_on(order: Order) -> bool:
    """Tell whether an exit whose order has ended may send another one for what is left.

    A cancel was wanted, and so was a limit that somebody takes off at the venue, that what is late
    is dropped, and that an account is switched off; a limit that was refused, and a market order
    that has not filled whole, were not.
    """
    is_over = order.reason is not None and order.reason.code in _OVER
    if order.cancel_requested or is_over or not order.is_closed:
        return False
    refused = order.status in {OrderStatus.REJECTED, OrderStatus.DENIED}
    return refused or order.price is None or order.status is OrderStatus.FILLED


def misses_after(misses: int, order: Order) -> int:
    """Return how many orders in a row have filled nothing, after this one."""
    return 0 if order.filled_quantity else misses + 1


def is_failing(misses: int, reason: Reason | None) -> bool:
    """Tell whether an exit does not get through, so that a person is to hear of it.

    Args:
        misses: how many orders in a row have filled nothing.
        reason: why the last one has not; there are some that no next one will pass.
    """
    return misses >= MISSES_TOLD or cannot_pass(reason)


def pause_ms(misses: int, order: Order) -> int:
    """Return how long to wait after this order; 0 if it has filled whole."""
    if order.status is OrderStatus.FILLED:
        return 0
    pause = growing_pause_ms(misses)
    return max(pause, SHOWN_LATE_MS) if finds_nothing(order) else pause


def growing_pause_ms(misses: int) -> int:
    """Return how long to wait after so many tries in a row that came to nothing."""
    return min(_PAUSE_MS << min(max(misses - 1, 0), 16), PAUSE_MAX_MS)


def finds_nothing(order: Order) -> bool:
    """Tell whether an order has ended since there was nothing left to close."""
    return order.reason is not None and order.reason.code is ReasonCode.NO_POSITION


def was_taken_off(order: Order) -> bool:
    """Tell whether somebody has taken an order off that rested at its venue.

    A venue also does, with the position, which the next try finds out, or since its price came and
    there was nothing in the book.
    """
    is_wanted = order.reason is None or order.reason.code is ReasonCode.REQUESTED
    return order.status is OrderStatus.CANCELED and is_wanted


def cannot_pass(reason: Reason | None) -> TypeGuard[Reason]:
    """Tell whether an order was refused for what does not pass by itself: account, key, or pair."""
    return reason is not None and not reason.may_pass


def _held(order: Order, account: AccountView) -> Position:
    """Return what an exit may take from: the coins of a spot account, else a leg.

    What buys coins back that were sold takes from nothing that is held, and may be whole.
    """
    if order.market is not Market.SPOT:
        return account.held(order.symbol, order.reduced_leg)
    if order.side is Side.BUY:
        return Position(size=order.quantity, available=order.quantity)
    return account.held(order.symbol, None)


def fitted(
    order: Order, account: AccountView, instrument: Instrument, price: Decimal | None
) -> Order | Reason:
    """Return the order for no more than is there now and one order may take, or why it is nothing.

    Args:
        order: an exit that is about to be sent.
        account: what its venue has of the account at this moment.
        instrument: lot and greatest order.
        price: what it would trade at, for the least notional of spot sales; None where it is not
            known.
    """
    held = _held(order, account)
    instrument = instrument.at_market() if order.price is None else instrument
    if held.size < instrument.quantity_step:
        if order.parent_id is None:
            return order  # nobody would look again: the venue itself says no
        return Reason(ReasonCode.NO_POSITION, _left(order, held.size))
    # One that is to rest for a position is for what there is when its price comes: a position that
    # is shown late would make it small for good. Coins must be there, as they are held for it.
    waits = order.condition is not None and order.market is not Market.SPOT
    available = order.quantity if waits else held.available
    whole = instrument.quantity(min(order.quantity, available))
    quantity, too_large = instrument.one_order(whole), instrument.above_maximum(whole)
    if too_large is not None and order.parent_id is None:
        return too_large  # nobody would send the rest: its caller is told how much one may be
    rules = instrument if order.market is Market.SPOT else instrument.reducing()
    asked = min(order.quantity, available)
    refusal = rules.refusal(quantity, price or order.price or Decimal(0), asked)
    if refusal is None or (price is None and quantity >= instrument.least_quantity):
        return replace(order, quantity=quantity)
    if available < min(order.quantity, held.size):
        return promised(held)
    return Reason(ReasonCode.NO_POSITION, f"{_left(order, held.size)}: {refusal.message}")


def promised(held: Position) -> Reason:
    """Return why an exit waits for orders that rest: they may end, so this is not its end."""
    return Reason(
        ReasonCode.INSUFFICIENT_FUNDS,
        f"{held.size:f} is held, of which {held.available:f} is not promised to other orders",
    )


def _left(order: Order, size: Decimal) -> str:
    if not size:
        return f"nothing of {order.symbol} is left to close"
    return f"{size:f} of {order.symbol} is left, less than can be traded"
