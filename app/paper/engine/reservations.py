"""What resting orders hold back, and whether an account can bear what an order does to it."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_UP, Decimal
from typing import TypeVar

from app.domain.enums import Market, ReasonCode, Side
from app.domain.money import plain, worth
from app.domain.reason import Reason
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.paper.engine.executions import opening_part

_NOTHING = Decimal(0)

Key = TypeVar("Key")

#: In any currency. Smaller than every currency's least unit, greater than what dividing by a
#: leverage or a quantity rounds away.
_NEGLIGIBLE = Decimal("1e-12")

#: Digits before the point from which on a figure is left as it is: no account has as much.
_DIGITS_MAX = 15


def held(account: PaperAccount, order: PaperOrder) -> tuple[PaperAccount, PaperOrder]:
    """Hold back what the unfilled rest of an order needs, at its own price."""
    hold = _hold_of(account, order)
    # A stop reserves no position, as at any exchange: closes do not have to go around it.
    reserves = order.reduces and order.condition is None
    reserve = order.remaining_quantity if reserves else _NOTHING
    return _moved(account, order, hold, reserve), replace(order, hold=hold, reserve=reserve)


def released(account: PaperAccount, order: PaperOrder) -> tuple[PaperAccount, PaperOrder]:
    """Give back everything that the order holds."""
    after = _moved(account, order, -order.hold, -order.reserve)
    return after, replace(order, hold=_NOTHING, reserve=_NOTHING)


def shortfall(before: PaperAccount, after: PaperAccount, order: PaperOrder) -> Reason | None:
    """Return why the account cannot bear the change, or None if it can.

    An account that was short before (a loss, money taken out) may do what costs nothing more.
    """
    currency = order.pays_in
    free, free_before = after.free(currency), before.free(currency)
    overspent = free < -_NEGLIGIBLE and free < free_before - _NEGLIGIBLE
    if not overspent and (order.market is not Market.SPOT or after.total(currency) >= 0):
        return None
    return Reason(
        ReasonCode.INSUFFICIENT_FUNDS,
        f"{order.side} {plain(order.quantity)} {order.symbol} lacks "
        f"{plain(-free)} {currency}, available was {plain(max(_NOTHING, free_before))}",
    )


def _hold_of(account: PaperAccount, order: PaperOrder) -> Decimal:
    remaining = order.remaining_quantity
    if order.condition is not None:  # a stop sells coins, or it reduces a position
        return remaining if order.market is Market.SPOT else _NOTHING
    if order.price is None or order.reduces:
        return _NOTHING
    if order.market is Market.SPOT:
        return remaining * order.price if order.side is Side.BUY else remaining
    notional = worth(order.market, opening_part(account, order, remaining), order.price)
    hold = notional / account.leverage_of(order.symbol) + notional * account.fees.maker
    if hold.adjusted() > _DIGITS_MAX:
        return hold
    # Cut off where a sum of holds is still exact: what is given back leaves nothing behind.
    return hold.quantize(_NEGLIGIBLE, ROUND_UP)


def _moved(
    account: PaperAccount, order: PaperOrder, hold: Decimal, reserve: Decimal
) -> PaperAccount:
    if hold:
        account = replace(account, held=_changed(account.held, order.pays_in, hold))
    if reserve and order.reduces:
        leg = order.symbol, order.reduces
        account = replace(account, reserved=_changed(account.reserved, leg, reserve))
    return account


def _changed(amounts: Mapping[Key, Decimal], key: Key, change: Decimal) -> dict[Key, Decimal]:
    """Return the amounts with one raised or lowered; none of 0 is kept."""
    total = amounts.get(key, _NOTHING) + change
    others = {other: amount for other, amount in amounts.items() if other != key}
    return {**others, key: total} if total else others
