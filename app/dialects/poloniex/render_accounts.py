"""Accounts, balances and fees as Poloniex writes them (its documentation, "Accounts")."""

from collections.abc import Mapping
from decimal import Decimal

from app.dialects.poloniex.notation import SPOT, number_of, shown
from app.domain.identifiers import AccountId, Currency
from app.domain.market import Balance
from app.domain.money import plain

Json = dict[str, object]


def account(account_id: AccountId) -> Json:
    """Return the one account that a key opens."""
    return {"accountId": str(account_id), "accountType": SPOT, "accountState": "NORMAL"}


def balances(account_id: AccountId, held: Mapping[Currency, Balance]) -> Json:
    """Return what an account has of each currency."""
    return {
        "accountId": str(account_id),
        "accountType": SPOT,
        "balances": [_balance(code, held[code]) for code in sorted(held)],
    }


def _balance(code: Currency, balance: Balance) -> Json:
    return {
        "currencyId": str(number_of(code)),
        "currency": code,
        "available": shown(balance.available),
        "hold": shown(max(Decimal(0), balance.total - balance.available)),
    }


def fees(maker: Decimal, taker: Decimal, volume: Decimal) -> Json:
    """Return the shares that the venue keeps, and what was traded in 30 days in quote currency."""
    return {
        "trxDiscount": False,
        "makerRate": plain(maker),
        "takerRate": plain(taker),
        "volume30D": shown(volume),
    }
