"""Accounts, connectors, their rules, and what the accounts hold."""

from decimal import Decimal
from typing import Final

from flask import request

from app.bootstrap import Wiring
from app.dialects.hummingbot import rows, schemas
from app.dialects.hummingbot.callers import Caller, Callers
from app.dialects.hummingbot.names import pair_of
from app.dialects.hummingbot.request_body import shape_of_request
from app.domain.account import Account
from app.domain.identifiers import Currency, Symbol
from app.ports.venue import Venue
from app.web.answers import Answer, good

#: Currencies that count as one US dollar each; others are valued in the first of them.
DOLLARS: Final = (Currency("USDT"), Currency("USDC"), Currency("FDUSD"), Currency("USD"))

_NOTHING = Decimal(0)


class DirectoryRoutes:
    """Tells what there is, which a client asks before it trades."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._callers = callers

    def accounts(self) -> Answer:
        """Answer with the names of the accounts."""
        return self._callers.serve(lambda caller: good(caller.directory.account_names()))

    def connectors(self) -> Answer:
        """Answer with the names of the connectors."""
        return self._callers.serve(lambda caller: good(caller.directory.connector_names()))

    def trading_rules(self, connector_name: str) -> Answer:
        """Answer with the rules of every pair, or of those that the query names."""
        wanted = request.args.getlist("trading_pairs")

        def shown(caller: Caller) -> Answer:
            conditions = self._ports.venues.trading_rules(caller.directory.any_of(connector_name))
            types = conditions.order_types()
            rules = {
                pair_of(one.symbol): rows.rule_of(one, types) for one in conditions.instruments()
            }
            chosen = {pair: rules.get(pair, _no_rule(pair)) for pair in wanted}
            return good(chosen or rules)

        return self._callers.serve(shown)

    def order_types(self, connector_name: str) -> Answer:
        """Answer with the types of orders that a connector has."""

        def shown(caller: Caller) -> Answer:
            account = caller.directory.any_of(connector_name)
            supported = self._ports.venues.trading_rules(account).order_types()
            types = [one for one in schemas.ORDER_TYPES if one in supported]
            body = {"connector": connector_name, "supported_order_types": types}
            return good(body)

        return self._callers.serve(shown)

    def portfolio(self) -> Answer:
        """Answer with account → connector → balances. They are always fresh."""

        def shown(caller: Caller) -> Answer:
            shape = shape_of_request(schemas.PORTFOLIO)
            state: dict[str, dict[str, list[rows.Row]]] = {}
            for group, connector, account in caller.directory.among(
                shape["account_names"], shape["connector_names"]
            ):
                state.setdefault(group, {})[connector] = self._balances(account)
            return good(state)

        return self._callers.serve(shown)

    def _balances(self, account: Account) -> list[rows.Row]:
        venue = self._ports.venues.of(account)
        balances = venue.view().balances
        return [
            rows.balance_row(currency, balance, _dollars(currency, venue))
            for currency, balance in sorted(balances.items())
            if balance.total
        ]


def _no_rule(pair: str) -> dict[str, object]:
    return {"error": f"Trading pair {pair[:64]} not found"}


def _dollars(currency: Currency, venue: Venue) -> Decimal:
    """Return what one unit is worth in US dollars; 0 where nobody knows."""
    if currency in DOLLARS:
        return Decimal(1)
    quote = venue.quote(Symbol(f"{currency}/{DOLLARS[0]}"))
    return _NOTHING if quote is None else quote.last
