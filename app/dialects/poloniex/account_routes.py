"""Accounts, balances and fees."""

from decimal import Decimal
from itertools import islice

from app.bootstrap import Wiring
from app.dialects.poloniex import render_accounts as writing
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.finding import LOOKED_AT_MAX
from app.dialects.poloniex.queries import SPAN_MAX_MS, query_of_request
from app.domain.account import PAPER
from app.domain.identifiers import EpochMs
from app.domain.search import Search

Json = dict[str, object]


class Accounts:
    """Tells of the one account that a key opens."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._paper = wiring.paper
        self._reader = wiring.reader
        self._callers = callers

    def all(self) -> list[Json]:
        """Return the account."""
        return [writing.account(self._callers.reader().account.id)]

    def balances(self) -> list[Json]:
        """Return what the account has."""
        caller = self._callers.reader()
        query_of_request(schemas.ACCOUNT).check("account_type")
        return [self._balances(caller)]

    def balances_of(self, account_id: str) -> list[Json]:
        """Return what the account has; it is the only one."""
        caller = self._callers.reader()
        query_of_request(schemas.ACCOUNT).check("account_type")
        if account_id != str(caller.account.id):
            raise Problem(Code.INVALID_VALUE, "account id")
        return [self._balances(caller)]

    def fees(self) -> Json:
        """Return the fees of the account, and what it has traded in 30 days."""
        caller = self._callers.reader()
        maker, taker = self._fees(caller)
        search = Search(
            accounts=frozenset({caller.account.id}),
            since_ms=EpochMs(caller.received_at_ms - SPAN_MAX_MS),
        )
        fills = islice(self._reader.fills(None, search), LOOKED_AT_MAX)
        volume = sum((fill.price * fill.quantity for _, _, fill in fills), Decimal(0))
        return writing.fees(maker, taker, volume)

    def _balances(self, caller: Caller) -> Json:
        view = self._ports.venues.of(caller.account).view()
        return writing.balances(caller.account.id, view.balances)

    def _fees(self, caller: Caller) -> tuple[Decimal, Decimal]:
        if caller.account.venue != PAPER:
            raise Problem(Code.INVALID_PARAMETER, "the venue of this account tells no fees")
        fees = self._paper.fees(caller.account)
        return fees.maker, fees.taker
