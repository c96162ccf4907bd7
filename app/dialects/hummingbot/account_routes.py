"""Accounts and connectors, what they hold, and how derivatives are held."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.hummingbot import render, schemas
from app.dialects.hummingbot.callers import Caller
from app.dialects.hummingbot.errors import Impossible
from app.dialects.hummingbot.names import ORDER_TYPES, Names, is_perpetual, pair_of, symbol_of
from app.dialects.hummingbot.parse import shape_of_request
from app.dialects.hummingbot.render import Row
from app.domain.account import Account
from app.domain.enums import PositionMode
from app.domain.identifiers import Currency, Symbol
from app.domain.market import AccountView
from app.ports.venue import Venue
from app.services.admin.adjust import set_leverage, set_position_mode
from app.services.learn import known_rules, known_view, learn_prices, views_of
from app.web.answers import Answer, good
from app.web.cursors import parts_of

#: Currencies that count as one US dollar each; others are valued in the first of them.
DOLLARS: Final = (Currency("USDT"), Currency("USDC"), Currency("FDUSD"), Currency("USD"))

_NOTHING = Decimal(0)


class AccountRoutes:
    """Tells what a client asks before it trades, and sets leverage and position mode."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports

    def accounts(self, caller: Caller) -> Answer:
        """Answer with the names of the accounts."""
        return good(caller.directory.account_names())

    def connectors(self, caller: Caller) -> Answer:
        """Answer with the names of the connectors."""
        return good(caller.directory.connector_names())

    def trading_rules(self, caller: Caller, connector_name: str) -> Answer:
        """Answer with the rules of every pair, or of those that the query names."""
        wanted = request.args.getlist("trading_pairs")
        account = caller.directory.any_of(connector_name)
        types = self._ports.venues.trading_rules(account).order_types()
        rules = {
            pair_of(one.symbol): render.rule_of(one, types)
            for one in known_rules(account, self._ports)
        }
        chosen = {
            pair: rules.get(pair, {"error": f"Trading pair {pair[:64]} not found"})
            for pair in wanted
        }
        return good(chosen or rules)

    def order_types(self, caller: Caller, connector_name: str) -> Answer:
        """Answer with the types of orders that a connector has."""
        account = caller.directory.any_of(connector_name)
        supported = self._ports.venues.trading_rules(account).order_types()
        types = [one for one in ORDER_TYPES if one in supported]
        return good({"connector": connector_name, "supported_order_types": types})

    def portfolio(self, caller: Caller) -> Answer:
        """Answer with account → connector → balances. They are always fresh."""
        shape = shape_of_request(schemas.PORTFOLIO)
        wanted = list(caller.directory.among(shape["account_names"], shape["connector_names"]))
        accounts = [account for _, _, account in wanted]
        balances = [
            [(one, balance) for one, balance in sorted(view.balances.items()) if balance.total]
            for view in views_of(accounts, self._ports)
        ]
        pairs = [
            (account, _in_dollars(currency))
            for account, held in zip(accounts, balances, strict=True)
            for currency, _ in held
            if currency not in DOLLARS
        ]
        learn_prices(pairs, self._ports)
        state: dict[str, dict[str, list[Row]]] = {}
        for (group, connector, account), held in zip(wanted, balances, strict=True):
            venue = self._ports.venues.of(account)
            state.setdefault(group, {})[connector] = [
                render.balance_row(currency, balance, _dollars(currency, venue))
                for currency, balance in held
            ]
        return good(state)

    def positions(self, caller: Caller) -> Answer:
        """Answer with the positions of derivatives that are not zero, by names, pair and side."""
        shape = shape_of_request(schemas.POSITIONS)
        wanted = [
            ((group, connector), account)
            for group, connector, account in caller.directory.among(
                shape["account_names"], shape["connector_names"]
            )
            if is_perpetual(connector)
        ]
        accounts = [account for _, account in wanted]
        views = views_of(accounts, self._ports)
        legs = [
            (account, symbol)
            for account, view in zip(accounts, views, strict=True)
            for (symbol, _), position in view.positions.items()
            if position.size
        ]
        learn_prices(legs, self._ports)
        held = [
            row
            for (names, account), view in zip(wanted, views, strict=True)
            for row in self._positions_of(account, view, names)
        ]
        held.sort(key=_position_key)
        seen = parts_of(shape["cursor"] or "")
        rest = [one for one in held if _position_key(one) > seen]
        return render.page(rest, shape["limit"], len(held), row=dict, place=_position_key)

    def _positions_of(self, account: Account, view: AccountView, names: Names) -> Iterator[Row]:
        venue = self._ports.venues.of(account)
        conditions = self._ports.venues.trading_rules(account)
        for (symbol, side), position in view.positions.items():
            if position.size:
                yield {
                    **render.position_row(symbol, side, position, view.position_mode, names),
                    "unrealized_pnl": render.profit_of(side, position, venue.quote(symbol)),
                    "leverage": conditions.leverage_of(symbol),
                }

    def funding_payments(self, _: Caller) -> Answer:
        """Answer with nothing: no venue here pays or takes funding."""
        limit = shape_of_request(schemas.FUNDING_PAYMENTS)["limit"]
        return render.page([], limit, 0, row=dict, place=_position_key)

    def mode(self, caller: Caller, account_name: str, connector_name: str) -> Answer:
        """Answer with the position mode that the venue has."""
        account = _derivatives(caller, account_name, connector_name)
        view = known_view(account, self._ports)
        names = {"connector": connector_name, "account": account_name}
        return good({"position_mode": view.position_mode, **names})

    def set_mode(self, caller: Caller, account_name: str, connector_name: str) -> Answer:
        """Set the position mode, at the venue and in the account's record."""
        shape = shape_of_request(schemas.POSITION_MODE)
        account = _derivatives(caller, account_name, connector_name)
        mode = _mode(shape["position_mode"])
        set_position_mode(account, mode, self._ports)
        return _success(f"Position mode set to {mode} on {connector_name}")

    def set_leverage(self, caller: Caller, account_name: str, connector_name: str) -> Answer:
        """Set the leverage of one pair."""
        shape = shape_of_request(schemas.LEVERAGE)
        account = _derivatives(caller, account_name, connector_name)
        pair, leverage = shape["trading_pair"], shape["leverage"]
        set_leverage(account, symbol_of(pair), leverage, self._ports)
        return _success(f"Leverage for {pair} set to {leverage} on {connector_name}")


def _dollars(currency: Currency, venue: Venue) -> Decimal:
    """Return what one unit is worth in US dollars; 0 where nobody knows."""
    if currency in DOLLARS:
        return Decimal(1)
    quote = venue.quote(_in_dollars(currency))
    return _NOTHING if quote is None else quote.last


def _in_dollars(currency: Currency) -> Symbol:
    return Symbol(f"{currency}/{DOLLARS[0]}")


def _position_key(row: Row) -> list[str]:
    return [str(row[key]) for key in ("account_name", "connector_name", "trading_pair", "side")]


def _derivatives(caller: Caller, account_name: str, connector_name: str) -> Account:
    """Return the account behind two names.

    Raises:
        NotFound: there is none.
        Impossible: it trades no derivatives.
    """
    account = caller.directory.account(account_name, connector_name)
    if not is_perpetual(connector_name):
        raise Impossible(f"Connector '{connector_name}' is not a perpetual connector")
    return account


def _mode(word: str) -> PositionMode:
    try:
        return PositionMode(word.upper())
    except ValueError as error:
        raise Impossible(
            f"Invalid position mode '{word[:32]}'. Must be 'HEDGE' or 'ONEWAY'"
        ) from error


def _success(message: str) -> Answer:
    return good({"status": "success", "message": message})
