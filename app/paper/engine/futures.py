"""Futures with cross margin: profit and fees settle to the wallet, in the margin's currency.

Nothing is ever liquidated: a wallet may go below 0 by a loss, and then opens nothing more.
"""

from decimal import Decimal

from app.domain.enums import Market, PositionMode, PositionSide, Side
from app.domain.identifiers import Symbol
from app.paper.domain.account import Leg, PaperAccount
from app.paper.domain.contracts import settled_in, worth
from app.paper.domain.order import PaperOrder
from app.paper.engine.trade import Trade


def traded(
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


def opened_by(side: Side) -> PositionSide:
    """Return the leg that an order on this side opens."""
    return PositionSide.LONG if side is Side.BUY else PositionSide.SHORT


def opening_part(account: PaperAccount, order: PaperOrder, quantity: Decimal) -> Decimal:
    """Return how much of a quantity would be new exposure now."""
    return quantity - _split(account, order, quantity)[1]


def _split(
    account: PaperAccount, order: PaperOrder, quantity: Decimal
) -> tuple[PositionSide, Decimal]:
    """Return the leg that the order would open, and how much goes off the other leg first."""
    if order.reduces is not None:
        return order.reduces.opposite, quantity
    side = opened_by(order.side)
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
