"""What belongs to the one account that a key opens: balances, fees, trades, the kill switch."""

from dataclasses import replace
from decimal import Decimal
from itertools import islice

from app.bootstrap import Wiring
from app.dialects.poloniex import render_orders as render
from app.dialects.poloniex import schemas
from app.dialects.poloniex.callers import Caller, Callers
from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.fields import Reading, object_from
from app.dialects.poloniex.notation import SPOT, number_of, shown
from app.dialects.poloniex.order_routes import LOOKED_AT_MAX
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.queries import (
    SPAN_MAX_MS,
    filter_from,
    page_of,
    query_of_request,
    start_of,
)
from app.dialects.poloniex.render_orders import Json
from app.domain.account import PAPER
from app.domain.enums import Kind
from app.domain.identifiers import AggregateId, Currency, EpochMs
from app.domain.kill_switch import KillSwitch
from app.domain.market import Balance
from app.domain.money import plain
from app.domain.search import Search
from app.services.learn import known_view


class AccountRoutes:
    """Tells of the one account that a key opens, and keeps its kill switch."""

    def __init__(self, wiring: Wiring, callers: Callers, orders: PlainOrders) -> None:
        self._ports = wiring.ports
        self._paper = wiring.paper
        self._reader = wiring.reader
        self._callers = callers
        self._orders = orders

    def all(self) -> list[Json]:
        """Return the account."""
        account_id = str(self._callers.reader().account.id)
        return [{"accountId": account_id, "accountType": SPOT, "accountState": "NORMAL"}]

    def balances(self, account_id: str | None = None) -> list[Json]:
        """Return what the account has; it is the only one."""
        caller = self._callers.reader()
        query_of_request(schemas.ACCOUNT).check("account_type")
        if account_id not in {None, str(caller.account.id)}:
            raise Problem(Code.INVALID_VALUE, "account id")
        held = known_view(caller.account, self._ports).balances
        return [
            {
                "accountId": str(caller.account.id),
                "accountType": SPOT,
                "balances": [_balance(code, held[code]) for code in sorted(held)],
            }
        ]

    def fees(self) -> Json:
        """Return the fees of the account, and what it has traded in 30 days."""
        caller = self._callers.reader()
        if caller.account.venue != PAPER:
            raise Problem(Code.INVALID_PARAMETER, "the venue of this account tells no fees")
        fees = self._paper.fees(caller.account)
        search = Search(
            accounts=frozenset({caller.account.id}),
            since_ms=EpochMs(caller.received_at_ms - SPAN_MAX_MS),
        )
        fills = islice(self._reader.fills(None, search), LOOKED_AT_MAX)
        volume = sum((fill.price * fill.quantity for _, _, fill in fills), Decimal(0))
        return {
            "trxDiscount": False,
            "makerRate": plain(fees.maker),
            "takerRate": plain(fees.taker),
            "volume30D": shown(volume),
        }

    def trades(self) -> list[Json]:
        """Return what the account has traded, newest first."""
        caller = self._callers.reader()
        query = query_of_request(schemas.TRADE_LIST)
        wanted = filter_from(query, self._orders.instruments(caller), caller.received_at_ms)
        search = replace(
            wanted.search,
            kinds=frozenset({Kind.ORDER}),
            accounts=frozenset({caller.account.id}),
            since_ms=wanted.since_ms,
        )
        start = start_of(query)
        if start is not None:
            order = start // render.EXECUTIONS  # whose execution the start is
            if query["newer"]:
                search = replace(search, above=AggregateId(order - 1))
            else:
                search = replace(search, below=AggregateId(order + 1))
        found = islice(self._reader.fills(None, search), LOOKED_AT_MAX)
        traded = (
            (AggregateId(int(render.trade_id_of(order.id, number))), (order, number, fill))
            for (_, _, number), order, fill in found
        )
        return [render.trade_row(*one) for one in page_of(traded, query)]

    def trades_of(self, order_id: str) -> list[Json]:
        """Return the executions of one order, newest first."""
        order = self._orders.known(self._callers.reader(), order_id, Code.ORDER_NOT_FOUND)
        rows = [render.trade_row(order, *numbered) for numbered in enumerate(order.fills)]
        return rows[::-1]

    def set_kill_switch(self) -> Json:
        """Set it, in the place of an older one, or switch it off."""
        return self._callers.serve_once(self._kill_switch_set)

    def kill_switch(self) -> Json:
        """Return when it cancels."""
        caller = self._callers.reader()
        return self._kill_switch(caller)

    def _kill_switch_set(self, caller: Caller) -> Json:
        seconds = Reading(schemas.KILL_SWITCH, object_from(caller.body))["timeout"]
        if seconds == schemas.OFF:
            shown = self._kill_switch(caller)
            self._ports.kill_switches.remove(caller.account.id)
            return shown
        now_ms = caller.received_at_ms
        switch = KillSwitch(
            account=caller.account.id,
            origin=caller.origin,
            set_at_ms=now_ms,
            cancel_at_ms=EpochMs(now_ms + seconds * 1000),
        )
        self._ports.kill_switches.put(switch)
        return _status(switch)

    def _kill_switch(self, caller: Caller) -> Json:
        switch = self._ports.kill_switches.of(caller.account.id)
        if switch is None or switch.cancel_at_ms <= caller.received_at_ms:
            raise Problem(Code.NO_KILL_SWITCH)
        return _status(switch)


def _balance(code: Currency, balance: Balance) -> Json:
    return {
        "currencyId": str(number_of(code)),
        "currency": code,
        "available": shown(balance.available),
        "hold": shown(max(Decimal(0), balance.total - balance.available)),
    }


def _status(switch: KillSwitch) -> Json:
    return {"startTime": switch.set_at_ms, "cancellationTime": switch.cancel_at_ms}
