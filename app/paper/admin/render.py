"""What the paper venue shows a person, as JSON-ready dictionaries (docs/api.md)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.domain.enums import PositionSide
from app.domain.identifiers import Currency, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.domain.report import Fill
from app.paper.domain.account import PaperAccount
from app.paper.domain.order import PaperOrder
from app.unhurried import unhurried

Json = dict[str, object]


def account_json(account: PaperAccount, rows: Sequence[PaperOrder]) -> Json:
    """Return an account with its ledger and its fills; numbers of value are text."""
    symbols = sorted({symbol for symbol, _ in account.legs})
    fills = [(order, fill) for order in rows for fill in order.fills]
    return {
        "market": account.market.value,
        "position_mode": account.position_mode.value,
        "balances": {one: _balance(account, one) for one in sorted(account.balances)},
        "positions": {symbol: _position(account, symbol) for symbol in symbols},
        "leverage": dict(sorted(account.leverage.items())),
        "fees": {"maker": plain(account.fees.maker), "taker": plain(account.fees.taker)},
        "ledger": [_row(order) for order in unhurried(rows)],
        "fills": [_fill(*one) for one in unhurried(sorted(fills, key=lambda one: one[1].at_ms))],
    }


def quote_json(quote: Quote | None) -> Json | None:
    """Return prices as text, or None where none are known."""
    if quote is None:
        return None
    return {
        "bid": plain(quote.bid),
        "ask": plain(quote.ask),
        "last": plain(quote.last),
        "bids": [[plain(price), plain(quantity)] for price, quantity in quote.bids],
        "asks": [[plain(price), plain(quantity)] for price, quantity in quote.asks],
    }


def instrument_json(instrument: Instrument) -> Json:
    """Return the rules of a symbol."""
    return {
        "symbol": instrument.symbol,
        "market": instrument.market.value,
        "kind": instrument.kind,
        "price_step": plain(instrument.price_step),
        "quantity_step": plain(instrument.quantity_step),
        "quote_step": plain(instrument.quote_step),
        "min_quantity": plain(instrument.min_quantity),
        "max_quantity": _plain_or_none(instrument.max_quantity),
        "max_market_quantity": _plain_or_none(instrument.max_market_quantity),
        "min_notional": plain(instrument.min_notional),
        "multiplier_up": _plain_or_none(instrument.multiplier_up),
        "multiplier_down": _plain_or_none(instrument.multiplier_down),
    }


def _balance(account: PaperAccount, currency: Currency) -> Mapping[str, str]:
    return {
        "total": plain(account.total(currency)),
        "available": plain(max(Decimal(0), account.free(currency))),
        "hold": plain(account.hold(currency)),
    }


def _position(account: PaperAccount, symbol: Symbol) -> Mapping[str, str]:
    view = account.view()
    long = view.position(symbol, PositionSide.LONG)
    short = view.position(symbol, PositionSide.SHORT)
    return {
        "long": plain(long.size),
        "short": plain(short.size),
        "entry_price": plain((long if long.size else short).entry_price),
        "long_entry_price": plain(long.entry_price),
        "short_entry_price": plain(short.entry_price),
        "long_available": plain(long.available),
        "short_available": plain(short.available),
    }


def _row(order: PaperOrder) -> Json:
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "position_side": None if order.position_side is None else order.position_side.value,
        "type": order.type.value,
        "time_in_force": order.time_in_force.value,
        "quantity": plain(order.quantity),
        "price": _plain_or_none(order.price),
        "condition": None if order.condition is None else order.condition.sentence(),
        "filled_quantity": plain(order.filled_quantity),
        "average_price": _plain_or_none(order.average_price),
        "outcome": order.outcome,
        "reason": None if order.reason is None else order.reason.message,
        "reduce_only": order.reduce_only,
        "received_at_ms": order.received_at_ms,
        "updated_at_ms": order.updated_at_ms,
    }


def _fill(order: PaperOrder, fill: Fill) -> Json:
    return {
        "trade_id": fill.trade_id,
        "client_order_id": order.client_order_id,
        "quantity": plain(fill.quantity),
        "price": plain(fill.price),
        "fee": plain(fill.fee),
        "fee_currency": fill.fee_currency,
        "at_ms": fill.at_ms,
    }


def _plain_or_none(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
