"""What a smart trade comes to: amounts, average prices, profit (3Commas spec, 6.1)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

from app.domain.enums import Side
from app.domain.identifiers import base_of, quote_of
from app.domain.market import Quote
from app.domain.smart_trade.enums import FINISHED, TradeType
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade

_ZERO = Decimal(0)
_CENT = Decimal("0.01")

#: More than a share of two numbers from outside (40 digits, exponents up to 30) can need.
_DIGITS = 200


def entered_quantity(trade: SmartTrade) -> Decimal:
    """Return the base quantity of the position that was opened; coins that paid a fee are gone."""
    held = trade.asked_quantity if trade.type is TradeType.SMART_SALE else _ZERO
    orders = _entries(trade)
    filled = sum((one.filled_quantity for one in orders), held)
    if trade.type.entry_side is Side.SELL:
        return filled
    # A fee that was paid in the coin itself is not there to be sold. Rounded to the lot, since less
    # than a lot cannot be sold either.
    base = base_of(trade.symbol)
    fees = sum((one.fees.get(base, _ZERO) for one in orders), _ZERO)
    return trade.instrument.quantity(filled - fees) if fees else filled


def closed_quantity(trade: SmartTrade) -> Decimal:
    """Return the base quantity of the position that exits have closed."""
    return sum((one.filled_quantity for one in _exits(trade)), _ZERO)


def remaining_quantity(trade: SmartTrade) -> Decimal:
    """Return what is open of the position, in base currency; never below 0.

    Of one that has finished nothing is: what it did not close was not there.
    """
    if trade.status in FINISHED:
        return _ZERO
    return max(entered_quantity(trade) - closed_quantity(trade), _ZERO)


def average_entry_price(trade: SmartTrade) -> Decimal | None:
    """Return the average price at which the position was opened; None before it was."""
    orders = _entries(trade)
    if trade.type is not TradeType.SMART_SALE:
        return _average(orders)
    basis = trade.basis_price or _ZERO
    quantity = trade.asked_quantity + sum((one.filled_quantity for one in orders), _ZERO)
    notional = trade.asked_quantity * basis + sum((one.notional for one in orders), _ZERO)
    return notional / quantity


def average_exit_price(trade: SmartTrade) -> Decimal | None:
    """Return the average price at which it was closed; None before anything was."""
    return _average(_exits(trade))


def average_buy_price(trade: SmartTrade) -> Decimal | None:
    """Return the average price of what was bought: of a cover its exits."""
    if trade.type.entry_side is Side.BUY:
        return average_entry_price(trade)
    return average_exit_price(trade)


def average_sell_price(trade: SmartTrade) -> Decimal | None:
    """Return the average price of what was sold: of a cover its entry."""
    if trade.type.entry_side is Side.BUY:
        return average_exit_price(trade)
    return average_entry_price(trade)


def reference_price(trade: SmartTrade) -> Decimal | None:
    """Return the average entry price, or what the entry is planned at; None if neither is known."""
    planned = None if trade.entry is None else trade.entry.price
    return average_entry_price(trade) or planned


def units(trade: SmartTrade) -> Decimal:
    """Return the quantity asked for, and once it was entered what was entered."""
    return entered_quantity(trade) or trade.asked_quantity


def total(trade: SmartTrade) -> Decimal:
    """Return what was entered in quote currency, or what it would be at the planned price."""
    return units(trade) * (reference_price(trade) or _ZERO)


def profit(trade: SmartTrade, quote: Quote | None) -> Decimal:
    """Return the profit in quote currency, fees taken off: of what is closed and what is open."""
    entered, paid = _counted(trade), average_entry_price(trade)
    worth = _exit_price(trade, quote)
    if trade.type.is_simple or not entered or not paid or worth is None:
        return _ZERO
    gain = (worth - paid) * entered
    fees = sum((one.fees.get(quote_of(trade.symbol), _ZERO) for one in trade.orders), _ZERO)
    return (gain if trade.type.entry_side is Side.BUY else -gain) - fees


def profit_percentage(trade: SmartTrade, quote: Quote | None) -> Decimal:
    """Return the profit in percent of what was entered, with two decimals, half up."""
    entered, paid = _counted(trade), average_entry_price(trade)
    if not entered or not paid:
        return _ZERO
    share = profit(trade, quote) / (entered * paid) * 100
    with localcontext(prec=_DIGITS):
        return share.quantize(_CENT, ROUND_HALF_UP)


def filled_quantity(trade: SmartTrade, step: Step) -> Decimal:
    """Return what the orders of a step have filled, in base currency."""
    return sum((one.filled_quantity for one in trade.orders_of(step.id)), _ZERO)


def filled_total(trade: SmartTrade, step: Step) -> Decimal:
    """Return what the orders of a step have filled, in quote currency."""
    return sum((one.notional for one in trade.orders_of(step.id)), _ZERO)


def filled_price(trade: SmartTrade, step: Step) -> Decimal | None:
    """Return the average price of what a step has filled; None if nothing is."""
    return _average(trade.orders_of(step.id))


def _counted(trade: SmartTrade) -> Decimal:
    """Return how much of the position counts for its profit: what is closed, and what is open."""
    return closed_quantity(trade) + remaining_quantity(trade)


def _exit_price(trade: SmartTrade, quote: Quote | None) -> Decimal | None:
    """Return what the position was closed at, and for what is open the touch (spec 6.1)."""
    open_quantity, closed = remaining_quantity(trade), closed_quantity(trade)
    notional = sum((one.notional for one in _exits(trade)), _ZERO)
    if open_quantity:
        if quote is None:
            return None
        notional += open_quantity * quote.touch(trade.type.exit_side)
    quantity = closed + open_quantity
    return notional / quantity if quantity else None


def _average(orders: Sequence[StepOrder]) -> Decimal | None:
    quantity = sum((one.filled_quantity for one in orders), _ZERO)
    if not quantity:
        return None
    return sum((one.notional for one in orders), _ZERO) / quantity


def _entries(trade: SmartTrade) -> list[StepOrder]:
    return [one for one in trade.orders if one.side is trade.type.entry_side]


def _exits(trade: SmartTrade) -> list[StepOrder]:
    return [one for one in trade.orders if one.side is trade.type.exit_side]
