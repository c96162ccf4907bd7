"""What one execution brings about, at the spot market and with futures.

Futures are on cross margin: profit and fees settle to the wallet, in the margin's currency. Nothing
is ever liquidated: a wallet may go below 0 by a loss, and then opens nothing more.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Currency, Symbol, base_of, quote_of
from app.domain.money import settled_in, worth
from app.paper.domain.account import Leg, PaperAccount
from app.paper.domain.order import PaperOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """The account after an execution.

    Attributes:
        fee: what the venue kept, in `fee_currency`.
        leg_size: size of the leg that it worked on, after it; None for spot.
    """

    account: PaperAccount
    fee: Decimal
    fee_currency: Currency
    leg_size: Decimal | None = None


def traded_spot(
    account: PaperAccount, order: PaperOrder, quantity: Decimal, price: Decimal, fee_rate: Decimal
) -> Trade:
    """Return the account after the exchange of base for quote, or quote for base.

    The fee is taken from what is received, as exchanges do.
    """
    base, quote = base_of(order.symbol), quote_of(order.symbol)
    if order.side is Side.BUY:
        paid, spent, got, received = quote, quantity * price, base, quantity
    else:
        paid, spent, got, received = base, quantity, quote, quantity * price
    fee = received * fee_rate
    after = account.with_balance(paid, -spent).with_balance(got, received - fee)
    return Trade(account=after, fee=fee, fee_currency=got)


def traded_futures(
    account: PaperAccount, order: PaperOrder, quantity: Decimal, price: Decimal, fee_rate: Decimal
) -> Trade:
    """Return the account after an execution: it reduces, opens, or crosses zero (one-way only)."""
    side, closing = _split(account, order, quantity)
    opening = quantity - closing
    after = account
    if closing:
        after = _reduced(after, order.symbol, side.opposite, closing, price)
    if opening:
        after = _raised(after, order.symbol, side, opening, price)
    worked_on = side if opening else side.opposite
    fee = worth(account.market, quantity, price) * fee_rate
    currency = settled_in(account.market, order.symbol)
    return Trade(
        account=after.with_balance(currency, -fee),
        fee=fee,
        fee_currency=currency,
        leg_size=after.leg(order.symbol, worked_on).size,
    )


def opening_part(account: PaperAccount, order: PaperOrder, quantity: Decimal) -> Decimal:
    """Return how much of a quantity would be new exposure now."""
    return quantity - _split(account, order, quantity)[1]


def _split(
    account: PaperAccount, order: PaperOrder, quantity: Decimal
) -> tuple[PositionSide, Decimal]:
    """Return the leg that the order would open, and how much goes off the other leg first."""
    if order.reduces is not None:
        return order.reduces.opposite, quantity
    side = order.side.opens
    if account.position_mode is PositionMode.HEDGE:
        return side, Decimal(0)
    return side, min(quantity, account.leg(order.symbol, side.opposite).size)


def _reduced(
    account: PaperAccount, symbol: Symbol, side: PositionSide, quantity: Decimal, price: Decimal
) -> PaperAccount:
    leg = account.leg(symbol, side)
    released = leg.cost if quantity == leg.size else leg.cost * quantity / leg.size
    # An inverse contract is worth fewer coins when the price rises, which is good for a long.
    profit = worth(account.market, quantity, price) - released
    if (side is PositionSide.SHORT) is not (account.market is Market.COINM):
        profit = -profit
    rest = Leg(size=leg.size - quantity, cost=leg.cost - released)
    return account.with_leg(symbol, side, rest).with_balance(
        settled_in(account.market, symbol), profit
    )


def _raised(
    account: PaperAccount, symbol: Symbol, side: PositionSide, quantity: Decimal, price: Decimal
) -> PaperAccount:
    leg = account.leg(symbol, side)
    return account.with_leg(
        symbol,
        side,
        Leg(size=leg.size + quantity, cost=leg.cost + worth(account.market, quantity, price)),
    )
