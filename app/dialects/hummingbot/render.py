"""Answers (Hummingbot spec, sections 2.2, 2.3 and 3)."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from app.dialects.hummingbot.errors import InvalidBody, UnusableKey
from app.dialects.hummingbot.names import pair_of
from app.dialects.hummingbot.schemas import ORDER_TYPES
from app.domain.errors import (
    CommandError,
    HookfillError,
    KeyReused,
    NotAuthenticated,
    NotFound,
    NotionalTooSmall,
    OutcomeUnknown,
    PayloadTooLarge,
    PriceMissing,
    QuantityTooSmall,
    StoreError,
    SymbolUnknown,
    TypeUnsupported,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.domain.identifiers import ClientOrderId
from app.domain.money import plain
from app.web.answers import Answer, good

#: Pairs that an answer names to somebody who asked for another.
PAIRS_SHOWN: Final = 10


def placed(shape: Mapping[str, Any], order_id: ClientOrderId) -> Answer:
    """Return the answer to an order that was taken in: an echo, not what the venue will see."""
    price = shape["price"]
    body = {
        "order_id": order_id,
        "account_name": shape["account_name"],
        "connector_name": shape["connector_name"],
        "trading_pair": shape["trading_pair"],
        "trade_type": shape["trade_type"],
        "amount": f"{shape['amount']:f}",
        "order_type": shape["order_type"],
        "price": None if price is None else f"{price:f}",
        "status": "submitted",
    }
    return good(body, HTTPStatus.CREATED)


def page(rows: Sequence[object], limit: int, total: int, next_cursor: str | None) -> Answer:
    """Return one page of a list; without a cursor it is the last."""
    pagination = {
        "limit": limit,
        "has_more": next_cursor is not None,
        "next_cursor": next_cursor,
        "total_count": total,
    }
    return good({"data": rows, "pagination": pagination})


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    status, detail = nearest(error, _ANSWERS)
    headers = {"WWW-Authenticate": "Basic"} if status == HTTPStatus.UNAUTHORIZED else {}
    return Answer(status, {"detail": detail(error)}, headers)


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes: `Not Found`, `Method Not Allowed`."""
    return Answer(status, {"detail": HTTPStatus(status).phrase})


def internal() -> Answer:
    """Return the answer to a mistake of ours, which tells nobody how we are made."""
    return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"detail": "Unexpected error, see the log"})


def _said(error: HookfillError) -> str:
    return str(error)


def _problems(error: InvalidBody) -> list[object]:
    return [problem.as_json() for problem in error.problems]


def _unknown_pair(error: SymbolUnknown) -> str:
    shown = ", ".join(pair_of(one) for one in error.known[:PAIRS_SHOWN])
    more = len(error.known) - PAIRS_SHOWN
    rest = f" (and {more} more)" if more > 0 else ""
    return (
        f"Trading pair '{pair_of(error.symbol)[:64]}' not supported on this connector. "
        f"Available pairs: {shown}{rest}"
    )


def _unsupported(error: TypeUnsupported) -> str:
    supported = ", ".join(one for one in ORDER_TYPES if one in error.supported)
    return f"Order type '{error.wanted}' not supported. Supported types: {supported}"


def _small_quantity(error: QuantityTooSmall) -> str:
    return (
        f"Order amount {plain(error.quantity)} below minimum order size {plain(error.least)} "
        f"for {pair_of(error.symbol)}"
    )


def _small_notional(error: NotionalTooSmall) -> str:
    return (
        f"Order notional {plain(error.notional)} below minimum {plain(error.least)} "
        f"for {pair_of(error.symbol)}"
    )


def _fixed(detail: str) -> Callable[[HookfillError], str]:
    return lambda _: detail


#: The class itself, else its nearest ancestor → status, and what `detail` says.
_ANSWERS: Final[Mapping[type[HookfillError], tuple[HTTPStatus, Callable[[Any], object]]]] = {
    CommandError: (HTTPStatus.BAD_REQUEST, _said),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, _said),
    NotFound: (HTTPStatus.NOT_FOUND, _said),
    PayloadTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _said),
    InvalidBody: (HTTPStatus.UNPROCESSABLE_ENTITY, _problems),
    UnusableKey: (HTTPStatus.UNPROCESSABLE_ENTITY, _said),
    KeyReused: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _fixed("Idempotency-Key was used for another request"),
    ),
    PriceMissing: (
        HTTPStatus.BAD_REQUEST,
        _fixed("Price is required for LIMIT and LIMIT_MAKER orders"),
    ),
    SymbolUnknown: (HTTPStatus.BAD_REQUEST, _unknown_pair),
    TypeUnsupported: (HTTPStatus.BAD_REQUEST, _unsupported),
    QuantityTooSmall: (HTTPStatus.BAD_REQUEST, _small_quantity),
    NotionalTooSmall: (HTTPStatus.BAD_REQUEST, _small_notional),
    VenueRejected: (HTTPStatus.BAD_REQUEST, _said),
    VenueUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, _said),
    # Only settings are waited for, and to set them twice is to set them once.
    OutcomeUnknown: (HTTPStatus.SERVICE_UNAVAILABLE, _said),
    StoreError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _fixed("Queue unavailable: send it again, best with an Idempotency-Key"),
    ),
    HookfillError: (HTTPStatus.SERVICE_UNAVAILABLE, _fixed("Unavailable, try again")),
}
