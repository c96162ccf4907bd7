"""Answers, and what they list in rows (Hummingbot spec, sections 2.2 and 3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from itertools import islice
from typing import Any, TypeVar

from app.dialects.hummingbot.names import Names, pair_of, word_of
from app.domain.enums import OrderType, PositionMode, PositionSide, ReasonCode
from app.domain.identifiers import ClientOrderId, Currency, EpochMs, Symbol, quote_of
from app.domain.instrument import Instrument
from app.domain.market import Balance, Position, Quote
from app.domain.order import Order
from app.domain.report import Fill
from app.web.answers import Answer, good
from app.web.cursors import cursor_of
from app.web.time_texts import iso

Row = dict[str, object]

Listed = TypeVar("Listed")


def placed(shape: Mapping[str, Any], order_id: ClientOrderId) -> Answer:
    """Return the answer to an order that was taken in: an echo, not what the venue will see."""
    price = shape["price"]
    body = {
        "order_id": order_id,
        "account_name": shape["account_name"],
        "connector_name": shape["connector_name"],
        "trading_pair": shape["trading_pair"],
        "trade_type": shape["trade_type"],
        "amount": f"{shape['amount']:f}",
        "order_type": shape["order_type"],
        "price": None if price is None else f"{price:f}",
        "status": "submitted",
    }
    return good(body, HTTPStatus.CREATED)


def page(
    found: Iterable[Listed],
    limit: int,
    total: int,
    *,
    row: Callable[[Listed], Row],
    place: Callable[[Listed], Sequence[object]],
) -> Answer:
    """Return one page of a list.

    Args:
        found: what is left to show; no more is taken of it than tells whether there are others.
        limit: rows at most.
        total: how many there are on all pages.
        row: makes a row of one.
        place: what the list is sorted by.
    """
    shown = list(islice(found, limit + 1))
    more = len(shown) > limit
    pagination = {
        "limit": limit,
        "has_more": more,
        "next_cursor": cursor_of(place(shown[limit - 1])) if more else None,
        "total_count": total,
    }
    return good({"data": [row(one) for one in shown[:limit]], "pagination": pagination})


def order_row(order: Order, names: Names) -> Row:
    """Return one row of the active and the found orders."""
    fee_paid, fee_currency = _fee(order)
    return {
        "order_id": order.client_order_id,
        **_named(names),
        "trading_pair": pair_of(order.symbol),
        "trade_type": order.side,
        "order_type": order.type,
        "amount": order.quantity,
        "price": order.price,
        "status": word_of(order),
        "filled_amount": order.filled_quantity,
        "average_fill_price": order.average_price,
        "fee_paid": fee_paid,
        "fee_currency": fee_currency,
        "created_at": _time(order.created_at_ms),
        "updated_at": _time(order.updated_at_ms),
        "exchange_order_id": order.venue_order_id,
        "error_message": _error(order),
    }


def _named(names: Names) -> Row:
    account_name, connector_name = names
    return {"account_name": account_name, "connector_name": connector_name}


def _fee(order: Order) -> tuple[Decimal | None, Currency | None]:
    """Return the fee in the currency of the first fill: a row has room for one."""
    if not order.fills:
        return None, None
    currency = order.fills[0].fee_currency
    return order.fees.get(currency, Decimal(0)), currency


def _error(order: Order) -> str | None:
    """Return why an order ended otherwise than its sender wanted."""
    if order.reason is None or not order.is_closed or order.reason.code is ReasonCode.REQUESTED:
        return None
    return order.reason.message


def trade_row(order: Order, fill: Fill, names: Names) -> Row:
    """Return one row of the fills."""
    return {
        "trade_id": fill.trade_id,
        "order_id": order.client_order_id,
        **_named(names),
        "trading_pair": pair_of(order.symbol),
        "trade_type": order.side,
        "amount": fill.quantity,
        "price": fill.price,
        "fee_paid": fill.fee,
        "fee_currency": fill.fee_currency,
        "timestamp": _time(fill.at_ms),
    }


def position_row(
    symbol: Symbol,
    side: PositionSide,
    position: Position,
    mode: PositionMode,
    names: Names,
) -> Row:
    """Return one row of the positions, without what depends on prices and settings.

    In one-way mode the side is BOTH, and the amount of a short is negative (spec, A12).
    """
    hedged = mode is PositionMode.HEDGE
    is_short = side is PositionSide.SHORT
    return {
        **_named(names),
        "trading_pair": pair_of(symbol),
        "side": side if hedged else "BOTH",
        "amount": -position.size if is_short and not hedged else position.size,
        "entry_price": position.entry_price,
    }


def profit_of(side: PositionSide, position: Position, quote: Quote | None) -> Decimal | None:
    """Return what closing a position at the last price would bring; None without a price."""
    if quote is None:
        return None
    profit = (quote.last - position.entry_price) * position.size
    return -profit if side is PositionSide.SHORT else profit


def balance_row(currency: Currency, balance: Balance, price: Decimal) -> Row:
    """Return one balance, with its value in US dollars; 0 where no price is known."""
    return {
        "token": currency,
        "units": balance.total,
        "price": price,
        "value": balance.total * price,
        "available_units": balance.available,
    }


def rule_of(instrument: Instrument, order_types: Iterable[OrderType]) -> Row:
    """Return the trading rule of one pair, with the keys of the reference."""
    types = set(order_types)
    quote = quote_of(instrument.symbol)
    return {
        "min_order_size": instrument.least_quantity,
        "max_order_size": instrument.max_quantity,
        "min_price_increment": instrument.price_step,
        "min_base_amount_increment": instrument.quantity_step,
        "min_quote_amount_increment": instrument.quote_step,
        "min_notional_size": instrument.min_notional,
        "min_order_value": instrument.min_notional,
        "max_price_significant_digits": None,
        "supports_limit_orders": OrderType.LIMIT in types,
        "supports_market_orders": OrderType.MARKET in types,
        "buy_order_collateral_token": quote,
        "sell_order_collateral_token": quote,
    }


def _time(at_ms: EpochMs) -> str:
    """Return a time with its offset, as the reference writes it."""
    return f"{iso(at_ms)[:-1]}+00:00"
