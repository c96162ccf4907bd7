"""Error codes, with their texts and HTTP statuses (Poloniex documentation, "Error Codes").

The codes and texts are documented without HTTP statuses. Here a refusal is a 400, and what is not
there a 404.
"""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Final

from app.domain.errors import CommandError


class Code(IntEnum):
    """The codes in use. Those below 600 are HTTP statuses, for what has no code of its own."""

    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    REQUEST_TIMEOUT = 408
    TOO_LARGE = 413
    TOO_MANY_REQUESTS = 429
    INTERNAL = 500
    UNAVAILABLE = 503
    INVALID_PARAMETER = 601
    MISSING_PARAMETER = 602
    SYMBOL_FROZEN = 10041
    ORDER_NOT_FOUND = 21301
    ORDER_CANCELED = 21305
    PRICE_NOT_POSITIVE = 21309
    PRICE_ABOVE_MAX = 21310
    PRICE_BELOW_MIN = 21311
    TOO_MANY_ORDERS = 21314
    CLIENT_ORDER_ID_TOO_LONG = 21315
    AMOUNT_NOT_POSITIVE = 21317
    INVALID_SIDE = 21319
    INVALID_TYPE = 21320
    INVALID_TIME_IN_FORCE = 21321
    AMOUNT_BELOW_MIN = 21322
    QUANTITY_NOT_POSITIVE = 21328
    QUANTITY_BELOW_MIN = 21330
    PRICE_SCALE = 21335
    QUANTITY_SCALE = 21336
    AMOUNT_SCALE = 21337
    LIMIT_NOT_POSITIVE = 21345
    STOP_PRICE_NOT_POSITIVE = 21347
    INTERVAL_TOO_LONG = 21355
    SIZE_ABOVE_MAX = 21360
    INSUFFICIENT_BALANCE = 21709
    INVALID_VALUE = 25001
    ORDER_NOT_PLACED = 25003
    CLIENT_ORDER_ID_EXISTS = 25004
    SMART_ORDER_NOT_PLACED = 25005
    INVALID_ORDER_ID = 25007
    ORDER_ID_REQUIRED = 25008
    NOT_CANCELED = 25009
    SMART_ORDERS_NOT_FOUND = 25014
    INVALID_ACCOUNT_TYPE = 25018
    INVALID_SYMBOL = 25019
    NO_KILL_SWITCH = 25020


TEXTS: Final[Mapping[Code, str]] = {
    Code.BAD_REQUEST: "Bad Request",
    Code.UNAUTHORIZED: "Unauthorized",
    Code.FORBIDDEN: "Permission denied",
    Code.NOT_FOUND: "Not Found",
    Code.METHOD_NOT_ALLOWED: "Method Not Allowed",
    Code.REQUEST_TIMEOUT: "recvWindow exceeded",
    Code.TOO_LARGE: "Request body too large",
    Code.TOO_MANY_REQUESTS: "Too many requests",
    Code.INTERNAL: "Internal System Error",
    Code.UNAVAILABLE: "Service Unavailable",
    Code.INVALID_PARAMETER: "Invalid Parameter",
    Code.MISSING_PARAMETER: "Missing Required Parameters",
    Code.SYMBOL_FROZEN: "Symbol frozen for trading",
    Code.ORDER_NOT_FOUND: "Order not found",
    Code.ORDER_CANCELED: "Order is canceled",
    Code.PRICE_NOT_POSITIVE: "Order price must be greater than 0",
    Code.PRICE_ABOVE_MAX: "Order price cannot be greater than max price",
    Code.PRICE_BELOW_MIN: "Order price cannot be lower than min price",
    Code.TOO_MANY_ORDERS: "Max limit of open orders (2000) exceeded",
    Code.CLIENT_ORDER_ID_TOO_LONG: "clientOrderId too long",
    Code.AMOUNT_NOT_POSITIVE: "Amount must be greater than 0",
    Code.INVALID_SIDE: "Invalid order side",
    Code.INVALID_TYPE: "Invalid order type",
    Code.INVALID_TIME_IN_FORCE: "Invalid timeInForce value",
    Code.AMOUNT_BELOW_MIN: "Amount is less than minAmount trade limit",
    Code.QUANTITY_NOT_POSITIVE: "Order quantity must be greater than 0",
    Code.QUANTITY_BELOW_MIN: "Quantity is less than minQuantity trade limit",
    Code.PRICE_SCALE: "Invalid priceScale for this symbol",
    Code.QUANTITY_SCALE: "Invalid quantityScale for this symbol",
    Code.AMOUNT_SCALE: "Invalid amountScale for this symbol",
    Code.LIMIT_NOT_POSITIVE: "Value of limit param value must be greater than 0",
    Code.STOP_PRICE_NOT_POSITIVE: "Stop price must be greater than 0",
    Code.INTERVAL_TOO_LONG: "history interval limit exceeded",
    Code.SIZE_ABOVE_MAX: "Order size exceeds the limit",
    Code.INSUFFICIENT_BALANCE: "Insufficient balance",
    Code.INVALID_VALUE: "Invalid parameter",
    Code.ORDER_NOT_PLACED: "Unable to place order",
    Code.CLIENT_ORDER_ID_EXISTS: "Client orderId already exists",
    Code.SMART_ORDER_NOT_PLACED: "Unable to place smart order",
    Code.INVALID_ORDER_ID: "Invalid orderid",
    Code.ORDER_ID_REQUIRED: "orderId/clientOrderId required",
    Code.NOT_CANCELED: "Failed to cancel order",
    Code.SMART_ORDERS_NOT_FOUND: "Failed to cancel as smartorders were not found",
    Code.INVALID_ACCOUNT_TYPE: "Invalid accountType",
    Code.INVALID_SYMBOL: "Invalid symbol",
    Code.NO_KILL_SWITCH: "No active kill switch",
}

_ABSENT = frozenset({Code.ORDER_NOT_FOUND, Code.SMART_ORDERS_NOT_FOUND})

#: Codes from here on are the documented ones, the rest are HTTP statuses.
_FIRST_DOCUMENTED = 600


def status_of(code: Code) -> int:
    """Return the HTTP status of a code."""
    if code < _FIRST_DOCUMENTED:
        return int(code)
    return HTTPStatus.NOT_FOUND if code in _ABSENT else HTTPStatus.BAD_REQUEST


class Problem(CommandError):
    """A request that is answered with one of the codes.

    Attributes:
        code: decides the HTTP status as well.
        text: what the caller is told.
    """

    def __init__(self, code: Code, detail: str = "", *, text: str = "") -> None:
        """Take the documented text, with a detail behind it, or another text altogether."""
        documented = text or TEXTS[code]
        self.code = code
        self.text = f"{documented}: {detail}" if detail else documented
        super().__init__(self.text)


def missing(name: str) -> Problem:
    """Return the refusal of a request that lacks a field."""
    return Problem(Code.MISSING_PARAMETER, name)
