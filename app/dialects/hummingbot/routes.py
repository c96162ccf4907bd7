"""The routes of the Hummingbot API that there are here (docs/hummingbot.md)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

from app.bootstrap import Wiring
from app.dialects.hummingbot import schemas
from app.dialects.hummingbot.account_routes import AccountRoutes
from app.dialects.hummingbot.callers import Callers
from app.dialects.hummingbot.order_routes import OrderRoutes
from app.web.routes import Access, Route

_ONE = "/trading/<account_name>/<connector_name>"

#: Errors are `{"detail": ...}`: a sentence, or for 422 a list of what is wrong with which field.
_REFUSED = "It cannot be done; `detail` says why."
_UNKNOWN = "There is no such account, connector or order."
_INVALID = "`detail` lists what is wrong with which field."

_READ = {
    200: "As asked.",
    401: "User or password.",
    503: "The store was not reached; send it again.",
}
_READ_ONE = {**_READ, 400: _REFUSED, 404: _UNKNOWN}
_LISTED = {**_READ, 400: _REFUSED, 422: _INVALID}
_SET = {**_LISTED, 404: _UNKNOWN}
_NOT_DONE = {status: meaning for status, meaning in _SET.items() if status != HTTPStatus.OK}


def routes(wiring: Wiring) -> Sequence[Route]:
    """Return the routes; each asks who is calling before it does anything else."""
    callers = Callers(wiring)
    orders, accounts = OrderRoutes(wiring, callers), AccountRoutes(wiring)
    place = Route(
        "POST",
        "/trading/orders",
        orders.place,
        "Take in an order. The header `Idempotency-Key` makes it safe to send again.",
        body=schemas.ORDER,
        answer=schemas.Placed(),
        answers={201: "Stored durably; the lists tell what becomes of it.", **_NOT_DONE},
    )
    served = (*_orders(orders, accounts), *_accounts(accounts))
    return [
        replace(route, access=Access.CALLER, scheme="basic")
        for route in (place, *(replace(one, view=callers.served(one.view)) for one in served))
    ]


def _orders(orders: OrderRoutes, accounts: AccountRoutes) -> Iterator[Route]:
    yield Route("POST", f"{_ONE}/orders/<order_id>/cancel", orders.cancel, answers=_READ_ONE)
    for path, view, filters in (
        ("orders/active", orders.active, schemas.ACTIVE),
        ("orders/search", orders.search, schemas.SEARCH),
        ("trades", orders.trades, schemas.TRADES),
        ("positions", accounts.positions, schemas.POSITIONS),
        ("funding-payments", accounts.funding_payments, schemas.FUNDING_PAYMENTS),
    ):
        page = schemas.Listed()
        yield Route(
            "POST",
            f"/trading/{path}",
            view,
            body=filters,
            answer=page,
            answers=_LISTED,
            is_reading=True,
        )


def _accounts(accounts: AccountRoutes) -> Sequence[Route]:
    one, mode = "/connectors/<connector_name>", f"{_ONE}/position-mode"
    leverage, state = f"{_ONE}/leverage", "/portfolio/state"
    return (
        Route("GET", mode, accounts.mode, answers=_READ_ONE),
        Route("POST", mode, accounts.set_mode, body=schemas.POSITION_MODE, answers=_SET),
        Route("POST", leverage, accounts.set_leverage, body=schemas.LEVERAGE, answers=_SET),
        Route("GET", "/accounts/", accounts.accounts, answers=_READ),
        Route("GET", "/connectors/", accounts.connectors, answers=_READ),
        Route(
            "GET",
            f"{one}/trading-rules",
            accounts.trading_rules,
            "Steps and minimums of each pair; `trading_pairs` in the query chooses some.",
            query=schemas.RULES,
            answers=_READ_ONE,
        ),
        Route("GET", f"{one}/order-types", accounts.order_types, answers=_READ_ONE),
        Route(
            "POST",
            state,
            accounts.portfolio,
            body=schemas.PORTFOLIO,
            answers=_LISTED,
            is_reading=True,
        ),
    )
