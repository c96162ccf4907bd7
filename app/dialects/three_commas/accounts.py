"""Accounts and what can be traded in them (3Commas docs, accounts_api.md, 2019)."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.dialects.three_commas.names import market_of, pair_of
from app.domain.account import Account
from app.domain.enums import Market
from app.domain.identifiers import ID_EPOCH_MS, EpochMs
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.web.time_texts import iso

Json = dict[str, Any]

#: Accounts do not say since when there are any; clients cannot read a null in its place.
_SINCE = iso(EpochMs(ID_EPOCH_MS))


def supports(account: Account) -> bool:
    """Tell whether smart trades can be made in an account."""
    return account.enabled and account.market is Market.SPOT


def account_entity(account: Account) -> Json:
    """Return an account as `GET /ver1/accounts` lists it, without balances."""
    names, good = market_of(account.venue), supports(account)
    return {
        "id": account.id,
        "name": account.name,
        "auto_balance_period": None,
        "auto_balance_portfolio_id": None,
        "auto_balance_currency_change_limit": None,
        "autobalance_enabled": False,
        "is_locked": not account.enabled,
        "smart_trading_supported": good,
        "smart_selling_supported": good,
        "available_for_trading": good,
        "stats_supported": False,
        "trading_supported": good,
        "market_buy_supported": good,
        "market_sell_supported": good,
        "conditional_buy_supported": good,
        "bots_allowed": False,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "last_auto_balance": None,
        "api_key": "",
        "pretty_display_type": names.display,
        "market_code": names.code,
        "address": None,
        "usd_amount": None,
        "btc_amount": None,
        "day_profit_usd": None,
        "day_profit_btc": None,
        "primary_display_currency_amount": None,
    }


def market_pairs(instruments: Iterable[Instrument]) -> list[str]:
    """Return the pairs of these instruments, by name."""
    return sorted(pair_of(one.symbol) for one in instruments)


def currency_rates(quote: Quote, rules: Instrument) -> Mapping[str, object]:
    """Return prices and steps of one pair: prices as text, steps as numbers."""
    return {
        "last": plain(quote.last),
        "bid": plain(quote.bid),
        "ask": plain(quote.ask),
        "minPrice": rules.price_step,
        "priceStep": rules.price_step,
        "minLotSize": max(rules.min_quantity, rules.quantity_step),
        "lotStep": rules.quantity_step,
        "minTotal": rules.min_notional,
    }
