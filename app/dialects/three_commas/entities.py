"""Trades and their steps as 3Commas shows them (SmartTrades Api, "SmartTradeEntity")."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Final

from app.dialects.three_commas.names import (
    currency_id,
    display_name,
    market_of,
    pair_of,
    type_name,
)
from app.domain.account import Account
from app.domain.enums import OrderType, PriceSource, Side
from app.domain.identifiers import AggregateId, Currency, EpochMs, base_of, quote_of
from app.domain.market import Quote
from app.domain.money import places_of, plain
from app.domain.smart_trade import profit as figures
from app.domain.smart_trade.enums import (
    FINISHED,
    StepKind,
    StepStatus,
    TakeProfitType,
    TradeStatus,
)
from app.domain.smart_trade.spec import TIMEOUT_SECONDS, TRAILING_PERCENT, StopLoss, TakeProfit
from app.domain.smart_trade.step import Step, StepOrder
from app.domain.smart_trade.trade import SmartTrade
from app.services.smart_trades.trailing import TrailingPrice
from app.web.time_texts import iso

Json = dict[str, Any]

#: Parameter → the price that is shown under its name; None where there is none.
_Prices = Mapping[str, str | None]

#: Of prices at least; a market's step may be finer, and what comes of a division.
_DECIMALS: Final = 8

#: More than a number from outside has (40 digits), or a product of two.
_DIGITS: Final = 200

_ENTRIES: Final = (StepKind.ENTRY, StepKind.FUNDS)


def with_trails(trade: SmartTrade, trails: Mapping[AggregateId, TrailingPrice]) -> SmartTrade:
    """Return the trade with the levels that its trailing steps have reached since it was stored."""
    steps = (
        step
        if (trail := trails.get(step.id)) is None
        else replace(
            step,
            # A trailing stop-loss shows its level as its price.
            price=trail.level if step.kind is StepKind.STOP_LOSS else step.price,
            extreme=trail.extreme,
            extreme_at_ms=trail.at_ms or step.extreme_at_ms or step.updated_at_ms,
        )
        for step in trade.steps
    )
    return replace(trade, steps=tuple(steps))


def trade_entity(
    trade: SmartTrade,
    account: Account,
    quote: Quote | None,
    usd_rate: Decimal | None,
    name_of: Callable[[Currency], str],
) -> Json:
    """Return a trade with its steps; every key is there, whatever the type of trade.

    Args:
        trade: which one.
        account: in which it trades.
        quote: newest prices of its symbol; None while none are known.
        usd_rate: what one unit of its quote currency is worth in US dollars; None if nobody knows.
        name_of: tells what its venue calls a currency.
    """
    steps = [(step.kind, step_entity(trade, step)) for step in trade.steps]
    prices = {name: price_text(trade, price) for name, price in shown_prices(trade).items()}
    return {
        **_identity(trade, account, name_of),
        **_flags(trade),
        "created_at": iso(trade.created_at_ms),
        "updated_at": iso(trade.updated_at_ms),
        "closed_at": _moment(trade.closed_at_ms),
        "status": trade.status,
        **_entry(trade, prices),
        **_take_profit(trade, prices),
        **_stop_loss(trade, prices),
        "average_buy_price": prices["average_buy_price"],
        "average_sell_price": price_text(trade, figures.average_sell_price(trade)),
        "profit_percentage": plain(figures.profit_percentage(trade, quote)),
        "current_price": "0" if quote is None else price_text(trade, quote.last),
        "usd_profit": (
            None if usd_rate is None else price_text(trade, figures.profit(trade, quote) * usd_rate)
        ),
        "error_message": (
            trade.reason.message
            if trade.status is TradeStatus.FAILED and trade.reason is not None
            else None
        ),
        "note": _note(trade),
        "panic_sell_market_order_id": trade.panic_order_id,
        "smart_trade_steps": [one for _, one in steps],
        "take_profit_steps": [one for kind, one in steps if kind is StepKind.TAKE_PROFIT],
        "stop_loss_steps": [one for kind, one in steps if kind is StepKind.STOP_LOSS],
        "buy_steps": [one for kind, one in steps if kind in _ENTRIES],
    }


def step_entity(trade: SmartTrade, step: Step) -> Json:
    """Return one step of a trade; every key is there, whatever the kind of step."""
    # A stop that rests at the venue is no order of the document until its price has come.
    orders = [one for one in trade.orders_of(step.id) if one.level is None or one.filled_quantity]
    last = orders[-1] if orders else None
    extreme, extreme_at = price_text(trade, step.extreme), _moment(step.extreme_at_ms)
    return {
        "id": step.id,
        "editable": step.status is StepStatus.IDLE and trade.is_editable,
        "position": step.position,
        "order_id": None if last is None else last.id,
        "smart_trade_id": trade.id,
        "is_panic_sell": step.is_panic,
        "created_at": iso(step.created_at_ms),
        "updated_at": iso(step.updated_at_ms),
        "trailing_last_pirce_updated_at": extreme_at,
        "trailing_last_price_updated_at": extreme_at,
        "type": f"SmartTradeStep::{_step_type(trade, step)}",
        "price": price_text(trade, step.price),
        "average_result_price": price_text(trade, figures.filled_price(trade, step)),
        "deviation_condition": _figure(step.trailing_percent),
        "price_method": step.source,
        "trailing_last_pirce": extreme,
        "trailing_last_price": extreme,
        "sell_method": _method_name(step.order_type),
        "sell_order_price": price_text(trade, step.order_price),
        "percent": _figure(step.percent),
        "pair": pair_of(trade.symbol),
        "initial_amount": _figure(step.quantity),
        "initial_total": price_text(trade, _planned_total(trade, step)),
        "actual_amount": plain(figures.filled_quantity(trade, step)),
        "actual_total": price_text(trade, figures.filled_total(trade, step)),
        "status": step.status,
        "market_order_id": None if last is None else last.venue_order_id,
        "market_class": market_of(trade.venue).market,
        "price_percentage": _figure(step.price_percentage),
    }


def order_entity(trade: SmartTrade, step: Step, order: StepOrder) -> Json:
    """Return the order of a step, as `add_funds` answers; the page does not show its shape."""
    return {
        "id": order.id,
        "market_order_id": order.venue_order_id,
        "smart_trade_id": trade.id,
        "step_id": step.id,
        "side": order.side.lower(),
        "type": _method_name(order.type),
        "price": price_text(trade, order.price),
        "quantity": plain(order.quantity),
        "status": step.status,
    }


def price_text(trade: SmartTrade, value: Decimal | None) -> str | None:
    """Return a price or a total in plain digits: as many decimals as the market's step, 8 at least.

    So a price that was read and is sent back is the same, however fine the market is.
    """
    if value is None:
        return None
    places = max(_DECIMALS, places_of(trade.instrument.price_step))
    with localcontext(prec=_DIGITS):
        return plain(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def shown_prices(trade: SmartTrade) -> Mapping[str, Decimal | None]:
    """Return parameter → the price that is shown under its name, with all its digits; or None."""
    classic, stop = _classic(trade), _stop(trade)
    if trade.entry is None:
        price = trade.basis_price
    else:  # what was asked for, and of a market order what was paid
        price = trade.entry.price or figures.average_entry_price(trade)
    return {
        "buy_price": price,
        "average_buy_price": figures.average_buy_price(trade),
        "take_profit_price_condition": None if classic is None else classic.price,
        "take_profit_sell_order_price": (trade.take_profit or TakeProfit()).order_price,
        "stop_loss_price_condition": None if stop is None else stop.price,
        "stop_loss_sell_order_price": (trade.stop_loss or StopLoss()).order_price,
    }


def _identity(trade: SmartTrade, account: Account, name_of: Callable[[Currency], str]) -> Json:
    """Return what it is; `from` is what the pair is quoted in, `to` what is traded."""
    quote, base = quote_of(trade.symbol), base_of(trade.symbol)
    paid, traded = name_of(quote), name_of(base)
    return {
        "id": trade.id,
        "type": type_name(trade.type),
        "account_id": trade.account,
        "account_market": market_of(trade.venue).market,
        "account_name": account.name,
        "from_currency_id": currency_id(quote),
        "from_currency_code": quote,
        "from_currency_name": paid,
        "from_currency_display_name": display_name(paid, quote),
        "to_currency_id": currency_id(base),
        "to_currency_code": base,
        "to_currency_name": traded,
        "to_currency_display_name": display_name(traded, base),
    }


def _note(trade: SmartTrade) -> str | None:
    """Return the caller's note; of a trade that has closed less than it had to, that as well."""
    if trade.status not in FINISHED or trade.reason is None:
        return trade.note
    return "; ".join(filter(None, (trade.note, trade.reason.message)))


def _flags(trade: SmartTrade) -> Json:
    profit, loss = trade.take_profit, trade.stop_loss
    return {
        "take_profit_enabled": profit is not None,
        "stop_loss_enabled": loss is not None,
        "trailing_take_profit": profit is not None and profit.trailing_percent is not None,
        "trailing_stop_loss": loss is not None and loss.is_trailing,
        "trailing_buy_enabled": (
            trade.entry is not None and trade.entry.trailing_percent is not None
        ),
        "stop_loss_timeout_enabled": loss is not None and loss.timeout_seconds is not None,
        "panic_sellable": trade.is_panic_sellable,
        "editable": trade.is_editable,
        "cancellable": trade.is_cancellable,
        "finished": trade.is_final,
    }


def _entry(trade: SmartTrade, prices: _Prices) -> Json:
    entry = trade.entry
    trailing = None if entry is None else entry.trailing_percent
    return {
        "buy_method": None if entry is None else entry.method,
        "buy_price": prices["buy_price"] or "0",
        "units_to_buy": plain(figures.units(trade)),
        "total": price_text(trade, figures.total(trade)),
        "trailing_buy_step": plain(TRAILING_PERCENT if trailing is None else trailing),
    }


def _take_profit(trade: SmartTrade, prices: _Prices) -> Json:
    profit = trade.take_profit or TakeProfit()
    steps = trade.steps_of(StepKind.TAKE_PROFIT)
    classic, trailing = _classic(trade), _trailing(steps)
    return {
        "take_profit_type": profit.type,
        "take_profit_price_condition": prices["take_profit_price_condition"],
        "take_profit_price_method": PriceSource.BID if classic is None else classic.source,
        "take_profit_price_order": _placed_limit(trade, steps),
        "take_profit_sell_method": _method_name(profit.order_type),
        "take_profit_sell_order_price": prices["take_profit_sell_order_price"],
        "trailing_take_profit_step": _figure(profit.trailing_percent),
        **_best(trade, "trailing_take_profit", trailing),
    }


def _stop_loss(trade: SmartTrade, prices: _Prices) -> Json:
    loss = trade.stop_loss or StopLoss()
    steps = trade.steps_of(StepKind.STOP_LOSS)
    step, trailing = _stop(trade), _trailing(steps)
    return {
        "stop_loss_type": TakeProfitType.CLASSIC,
        "stop_loss_price_condition": prices["stop_loss_price_condition"],
        "stop_loss_price_method": PriceSource.BID if step is None else step.source,
        "stop_loss_price_order": _placed_limit(trade, steps),
        "stop_loss_sell_method": _method_name(loss.order_type),
        "stop_loss_sell_order_price": prices["stop_loss_sell_order_price"],
        "stop_loss_timeout_seconds": (
            TIMEOUT_SECONDS if loss.timeout_seconds is None else loss.timeout_seconds
        ),
        "trailing_stop_loss_condition_percentage": (
            None if trailing is None else trailing.trailing_percent
        ),
        **_best(trade, "trailing_stop_loss", trailing),
    }


def _classic(trade: SmartTrade) -> Step | None:
    """Return the newest step of a classic take-profit."""
    steps = trade.steps_of(StepKind.TAKE_PROFIT)
    profit = trade.take_profit
    is_classic = profit is not None and profit.type is TakeProfitType.CLASSIC
    return steps[-1] if steps and is_classic else None


def _stop(trade: SmartTrade) -> Step | None:
    """Return the newest step of the stop-loss, unless that was switched off."""
    steps = trade.steps_of(StepKind.STOP_LOSS)
    return steps[-1] if steps and trade.stop_loss is not None else None


def _trailing(steps: Sequence[Step]) -> Step | None:
    """Return the newest of these steps that trails, if one does."""
    return next((step for step in reversed(steps) if step.is_trailing), None)


def _best(trade: SmartTrade, name: str, trailing: Step | None) -> Json:
    """Return the best price since a step trails, and when it was."""
    return {
        f"{name}_last_price": None if trailing is None else price_text(trade, trailing.extreme),
        f"{name}_last_price_updated_at": (
            None if trailing is None else _moment(trailing.extreme_at_ms)
        ),
    }


def _placed_limit(trade: SmartTrade, steps: Sequence[Step]) -> str | None:
    """Return the price of the newest limit order that these steps have placed."""
    ids = {step.id for step in steps}
    placed = [one for one in trade.orders if one.step_id in ids and one.price is not None]
    return price_text(trade, placed[-1].price) if placed else None


def _step_type(trade: SmartTrade, step: Step) -> str:
    """Return `TrailingStopLossBuyStep`; the page lists no name for entries."""
    if step.kind in _ENTRIES:
        return "BuyStep"
    trailing = "Trailing" if step.is_trailing else ""
    kind = "TakeProfit" if step.kind is StepKind.TAKE_PROFIT else "StopLoss"
    bought = "Buy" if trade.type.entry_side is Side.SELL else ""
    return f"{trailing}{kind}{bought}Step"


def _planned_total(trade: SmartTrade, step: Step) -> Decimal | None:
    """Return what a step comes to in quote currency at the price that it waits for."""
    price = step.order_price or step.price
    if price is None and step.kind in _ENTRIES:
        price = figures.reference_price(trade)
    return None if price is None or step.quantity is None else price * step.quantity


def _method_name(kind: OrderType) -> str:
    return "market" if kind is OrderType.MARKET else "limit"


def _moment(at_ms: EpochMs | None) -> str | None:
    return None if at_ms is None else iso(at_ms)


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
