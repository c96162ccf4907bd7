"""Spot: two balances change. The fee is taken from what is received, as exchanges do."""

from decimal import Decimal

from app.domain.enums import Side
from app.domain.identifiers import base_of, quote_of
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.trade import Trade


def traded(
    account: PaperAccount, order: PaperOrder, quantity: Decimal, price: Decimal, fee_rate: Decimal
) -> Trade:
    """Return the account after the exchange of base for quote, or quote for base."""
    base, quote = base_of(order.symbol), quote_of(order.symbol)
    if order.side is Side.BUY:
        paid, spent, got, received = quote, quantity * price, base, quantity
    else:
        paid, spent, got, received = base, quantity, quote, quantity * price
    fee = received * fee_rate
    after = account.with_balance(paid, -spent).with_balance(got, received - fee)
    return Trade(account=after, fee=fee, fee_currency=got)
