"""Trades as 3Commas shows them (SmartTrades Api, "SmartTradeEntity")."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from app.dialects.three_commas.names import (
    currency_display,
    currency_id,
    currency_name,
    market_of,
)
from app.dialects.three_commas.steps import method_name, moment, price_text, step_entity
from app.domain.account import Account
from app.domain.enums import OrderType, PriceSource
from app.domain.identifiers import base_of, quote_of
from app.domain.market import Quote
from app.domain.money import plain
from app.domain.smart_trade import profit as figures
from app.domain.smart_trade.enums import StepKind, TakeProfitType, TradeStatus, TradeType
from app.domain.smart_trade.spec import TIMEOUT_SECONDS, TRAILING_PERCENT
from app.domain.smart_trade.step import Step
from app.domain.smart_trade.trade import SmartTrade
from app.web.time_texts import iso

Json = dict[str, Any]

_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeContext:
    """What a trade is shown with besides itself.

    Attributes:
        account: in which it trades.
        quote: newest prices of its symbol; None while none are known.
        usd_rate: what one unit of its quote currency is worth in US dollars; None if nobody knows.
    """

    account: Account
    quote: Quote | None = None
    usd_rate: Decimal | None = None


def type_name(kind: TradeType) -> str:
    """Return `SmartTrade::Classic`."""
    return f"SmartTrade::{kind}"


def trade_entity(trade: SmartTrade, around: TradeContext) -> Json:
    """Return a trade with its steps; every key is there, whatever the type of trade."""
    entities = {step.id: step_entity(trade, step) for step in trade.steps}
    steps = [entities[step.id] for step in trade.steps]
    return {
        **_identity(trade, around.account),
        **_flags(trade),
        **_times(trade),
        "status": trade.status,
        **_entry(trade),
        **_take_profit(trade),
        **_stop_loss(trade),
        **_result(trade, around),
        "error_message": _error(trade),
        "note": trade.note,
        "panic_sell_market_order_id": trade.panic_order_id,
        "smart_trade_steps": steps,
        "take_profit_steps": _entities(trade, entities, StepKind.TAKE_PROFIT),
        "stop_loss_steps": _entities(trade, entities, StepKind.STOP_LOSS),
        "buy_steps": _entities(trade, entities, StepKind.ENTRY, StepKind.FUNDS),
    }


def _identity(trade: SmartTrade, account: Account) -> Json:
    """Return what it is; `from` is what the pair is quoted in, `to` what is traded."""
    quote, base = quote_of(trade.symbol), base_of(trade.symbol)
    return {
        "id": trade.id,
        "type": type_name(trade.type),
        "account_id": trade.account,
        "account_market": market_of(trade.venue).market,
        "account_name": account.name,
        "from_currency_id": currency_id(quote),
        "from_currency_code": quote,
        "from_currency_name": currency_name(quote),
        "from_currency_display_name": currency_display(quote),
        "to_currency_id": currency_id(base),
        "to_currency_code": base,
        "to_currency_name": currency_name(base),
        "to_currency_display_name": currency_display(base),
    }


def _flags(trade: SmartTrade) -> Json:
    profit, loss = trade.take_profit, trade.stop_loss
    return {
        "take_profit_enabled": profit is not None,
        "stop_loss_enabled": loss is not None,
        "trailing_take_profit": profit is not None and profit.trailing_percent is not None,
        "trailing_stop_loss": loss is not None and loss.is_trailing,
        "trailing_buy_enabled": _entry_trails(trade),
        "stop_loss_timeout_enabled": loss is not None and loss.timeout_seconds is not None,
        "panic_sellable": trade.is_panic_sellable,
        "editable": trade.is_editable,
        "cancellable": trade.is_cancellable,
        "finished": trade.is_final,
    }


def _times(trade: SmartTrade) -> Json:
    return {
        "created_at": iso(trade.created_at_ms),
        "updated_at": iso(trade.updated_at_ms),
        "closed_at": moment(trade.closed_at_ms),
    }


def _entry(trade: SmartTrade) -> Json:
    entry = trade.entry
    trailing = None if entry is None else entry.trailing_percent
    return {
        "buy_method": None if entry is None else entry.method,
        "buy_price": price_text(_buy_price(trade)),
        "units_to_buy": plain(figures.units(trade)),
        "total": price_text(figures.total(trade)),
        "trailing_buy_step": plain(TRAILING_PERCENT if trailing is None else trailing),
    }


def _take_profit(trade: SmartTrade) -> Json:
    profit, step = trade.take_profit, _newest(trade, StepKind.TAKE_PROFIT)
    is_classic = profit is not None and profit.type is TakeProfitType.CLASSIC
    classic = step if is_classic else None
    trailing = _trailing_memory(trade, StepKind.TAKE_PROFIT)
    return {
        "take_profit_type": TakeProfitType.CLASSIC if profit is None else profit.type,
        "take_profit_price_condition": None if classic is None else price_text(classic.price),
        "take_profit_price_method": PriceSource.BID if classic is None else classic.source,
        "take_profit_price_order": _placed_limit(trade, StepKind.TAKE_PROFIT),
        "take_profit_sell_method": method_name(_MARKET if profit is None else profit.order_type),
        "take_profit_sell_order_price": None if profit is None else price_text(profit.order_price),
        "trailing_take_profit_step": (
            None
            if profit is None or profit.trailing_percent is None
            else plain(profit.trailing_percent)
        ),
        "trailing_take_profit_last_price": None
        if trailing is None
        else price_text(trailing.extreme),
        "trailing_take_profit_last_price_updated_at": (
            None if trailing is None else moment(trailing.extreme_at_ms)
        ),
    }


def _stop_loss(trade: SmartTrade) -> Json:
    loss = trade.stop_loss
    step = None if loss is None else _newest(trade, StepKind.STOP_LOSS)
    trailing = _trailing_memory(trade, StepKind.STOP_LOSS)
    timeout = None if loss is None else loss.timeout_seconds
    return {
        "stop_loss_type": TakeProfitType.CLASSIC,
        "stop_loss_price_condition": None if step is None else price_text(step.price),
        "stop_loss_price_method": PriceSource.BID if step is None else step.source,
        "stop_loss_price_order": _placed_limit(trade, StepKind.STOP_LOSS),
        "stop_loss_sell_method": method_name(_MARKET if loss is None else loss.order_type),
        "stop_loss_sell_order_price": None if loss is None else price_text(loss.order_price),
        "stop_loss_timeout_seconds": TIMEOUT_SECONDS if timeout is None else timeout,
        "trailing_stop_loss_condition_percentage": (
            None if trailing is None else trailing.trailing_percent
        ),
        "trailing_stop_loss_last_price": None if trailing is None else price_text(trailing.extreme),
        "trailing_stop_loss_last_price_updated_at": (
            None if trailing is None else moment(trailing.extreme_at_ms)
        ),
    }


def _result(trade: SmartTrade, around: TradeContext) -> Json:
    profit = figures.profit(trade, around.quote)
    rate = around.usd_rate
    return {
        "average_buy_price": price_text(figures.average_buy_price(trade)),
        "average_sell_price": price_text(figures.average_sell_price(trade)),
        "profit_percentage": plain(figures.profit_percentage(trade, around.quote)),
        "current_price": "0" if around.quote is None else price_text(around.quote.last),
        "usd_profit": None if rate is None else price_text(profit * rate),
    }


_MARKET = OrderType.MARKET


def _buy_price(trade: SmartTrade) -> Decimal:
    """Return the price that was asked for; of a market order what was paid, 0 before."""
    if trade.entry is None:
        return trade.basis_price or _NOTHING
    return trade.entry.price or figures.average_entry_price(trade) or _NOTHING


def _entry_trails(trade: SmartTrade) -> bool:
    return trade.entry is not None and trade.entry.trailing_percent is not None


def _newest(trade: SmartTrade, kind: StepKind) -> Step | None:
    steps = trade.steps_of(kind)
    return steps[-1] if steps else None


def _trailing_memory(trade: SmartTrade, kind: StepKind) -> Step | None:
    """Return the step of this kind that trails, if one does."""
    steps = [step for step in trade.steps_of(kind) if step.is_trailing]
    return steps[-1] if steps else None


def _placed_limit(trade: SmartTrade, kind: StepKind) -> str | None:
    """Return the price of the newest limit order that steps of this kind have placed."""
    ids = {step.id for step in trade.steps_of(kind)}
    placed = [one for one in trade.orders if one.step_id in ids and one.price is not None]
    return price_text(placed[-1].price) if placed else None


def _error(trade: SmartTrade) -> str | None:
    if trade.status is not TradeStatus.FAILED or trade.reason is None:
        return None
    return trade.reason.message


def _entities(trade: SmartTrade, entities: dict[Any, Json], *kinds: StepKind) -> list[Json]:
    return [entities[step.id] for step in trade.steps_of(*kinds)]
