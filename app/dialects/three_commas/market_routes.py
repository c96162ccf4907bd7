"""What a client asks before it trades: the time, its accounts, their pairs and prices.

As the 3Commas docs have it (accounts_api.md, 2019).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.three_commas.callers import ACCOUNTS, Caller, Callers, supports
from app.dialects.three_commas.errors import MISSING, NOT_LISTED, invalid_parameters
from app.dialects.three_commas.names import market_of, pair_of, symbol_of
from app.domain.account import PAPER, Account
from app.domain.errors import MarketHalted
from app.domain.identifiers import ID_EPOCH_MS, EpochMs, Symbol
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.money import plain
from app.services.intake.orders import rules_of
from app.services.learn import known_quote, known_rules
from app.web.answers import Answer, good
from app.web.strangers import Strangers
from app.web.time_texts import iso

Json = dict[str, Any]

_DISPLAY: Final = "pretty_display_type"

#: Accounts do not say since when there are any; clients cannot read a null in its place.
_SINCE = iso(EpochMs(ID_EPOCH_MS))


class MarketRoutes:
    """Answers what is not about trades, as far as a client of trades needs it."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._registry = wiring.registry
        self._callers = callers
        self._strangers = Strangers(wiring)

    # Open to everybody

    def ping(self) -> Answer:
        """Answer that somebody is here."""
        return good({"pong": "pong"})

    def time(self) -> Answer:
        """Answer with the time in seconds."""
        return good({"server_time": self._ports.clock.now_ms() // 1000})

    def currency_rates(self) -> Answer:
        """Answer with prices and steps of one pair."""
        account = self._any_account(_parameter(_DISPLAY))
        symbol = symbol_of(_parameter("pair"))
        if symbol is not None:
            self._spend_if_asked(symbol, account)
        rules = None
        if symbol is not None:
            with suppress(MarketHalted):  # to 3Commas that is not listed either
                rules = rules_of(symbol, account, self._ports)
        if symbol is None or rules is None:
            raise invalid_parameters({"pair": [NOT_LISTED]})
        return good(currency_rates(known_quote(symbol, account, self._ports), rules))

    def _spend_if_asked(self, symbol: Symbol, account: Account) -> None:
        """Count what has an exchange asked by somebody whom nobody knows.

        Raises:
            RateLimited: such people have had it asked often enough.
        """
        venue = self._ports.venues.of(account)
        is_known = venue.instrument(symbol) is not None and venue.quote(symbol) is not None
        if account.venue != PAPER and not is_known:
            self._strangers.spend_question()

    # For those who sign

    def validate(self) -> Answer:
        """Answer that key and signature are good."""
        return self._serve(None, lambda _: {})

    def accounts(self) -> Answer:
        """Answer with the accounts of the key."""
        return self._serve(
            ACCOUNTS,
            lambda caller: [account_entity(one) for one in caller.accounts.values()],
        )

    def market_pairs(self) -> Answer:
        """Answer with what can be traded at one exchange, or in all accounts of the key."""

        def listed(caller: Caller) -> list[str]:
            wanted = request.args.get(_DISPLAY)
            there = {
                one.hosts: one
                for one in caller.accounts.values()
                if supports(one) and wanted in {None, "", market_of(one.venue).display}
            }
            traded = (known_rules(one, self._ports) for one in there.values())
            return sorted({pair_of(one.symbol) for rules in traded for one in rules})

        return self._serve(ACCOUNTS, listed)

    def _serve(self, permission: str | None, content: Callable[[Caller], object]) -> Answer:
        return self._callers.serve(permission, lambda caller: good(content(caller)))

    def _any_account(self, display: str) -> Account:
        """Return an account at this exchange: prices are the same in all of them.

        Raises:
            InvalidParameters: there is none.
        """
        for one in self._registry.accounts():
            if market_of(one.venue).display == display and supports(one):
                return one
        raise invalid_parameters({_DISPLAY: [NOT_LISTED]})


def _parameter(name: str) -> str:
    value = request.args.get(name, "")
    if not value:
        raise invalid_parameters({name: [MISSING]})
    return value


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


def currency_rates(quote: Quote, rules: Instrument) -> Json:
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
