"""What can be wrong, and how that is answered (Poloniex documentation, "Error Codes").

The codes and texts are documented without HTTP statuses. Here a refusal is a 400, and what is not
there a 404.
"""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Self

from app.domain.enums import ReasonCode
from app.domain.errors import (
    CallerIdInUse,
    CommandError,
    EncodingUnsupported,
    HistoryUnavailable,
    HookfillError,
    InsufficientFunds,
    KeyReused,
    LimitExceeded,
    MalformedPayload,
    MarketHalted,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotWaiting,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    StoreError,
    StoreFull,
    SymbolUnknown,
    TooManyOpen,
    UnusableKey,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.web.answers import Answer, retry_after
from app.web.registry_refresh import Failed


class Code(IntEnum):
    """The codes in use. Those below 600 are HTTP statuses, for what has no code of its own.

    Attributes:
        text: as it is documented.
    """

    text: str

    def __new__(cls, number: int, text: str) -> Self:
        """Return the code with this number."""
        code = int.__new__(cls, number)
        code._value_, code.text = number, text
        return code

    BAD_REQUEST = 400, "Bad Request"
    UNAUTHORIZED = 401, "Unauthorized"
    FORBIDDEN = 403, "Permission denied"
    NOT_FOUND = 404, "Not Found"
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed"
    REQUEST_TIMEOUT = 408, "recvWindow exceeded"
    TOO_LARGE = 413, "Request body too large"
    UNSUPPORTED = 415, "Unsupported Media Type"
    TOO_MANY_REQUESTS = 429, "Too many requests"
    INTERNAL = 500, "Internal System Error"
    UNAVAILABLE = 503, "Service Unavailable"
    INVALID_PARAMETER = 601, "Invalid Parameter"
    MISSING_PARAMETER = 602, "Missing Required Parameters"
    SYMBOL_FROZEN = 10041, "Symbol frozen for trading"
    ORDER_NOT_FOUND = 21301, "Order not found"
    ORDER_CANCELED = 21305, "Order is canceled"
    PRICE_NOT_POSITIVE = 21309, "Order price must be greater than 0"
    PRICE_ABOVE_MAX = 21310, "Order price cannot be greater than max price"
    PRICE_BELOW_MIN = 21311, "Order price cannot be lower than min price"
    TOO_MANY_ORDERS = 21314, "Max limit of open orders (2000) exceeded"
    CLIENT_ORDER_ID_TOO_LONG = 21315, "clientOrderId too long"
    AMOUNT_NOT_POSITIVE = 21317, "Amount must be greater than 0"
    INVALID_SIDE = 21319, "Invalid order side"
    INVALID_TYPE = 21320, "Invalid order type"
    INVALID_TIME_IN_FORCE = 21321, "Invalid timeInForce value"
    AMOUNT_BELOW_MIN = 21322, "Amount is less than minAmount trade limit"
    QUANTITY_NOT_POSITIVE = 21328, "Order quantity must be greater than 0"
    QUANTITY_BELOW_MIN = 21330, "Quantity is less than minQuantity trade limit"
    PRICE_SCALE = 21335, "Invalid priceScale for this symbol"
    QUANTITY_SCALE = 21336, "Invalid quantityScale for this symbol"
    AMOUNT_SCALE = 21337, "Invalid amountScale for this symbol"
    LIMIT_NOT_POSITIVE = 21345, "Value of limit param value must be greater than 0"
    STOP_PRICE_NOT_POSITIVE = 21347, "Stop price must be greater than 0"
    INTERVAL_TOO_LONG = 21355, "history interval limit exceeded"
    SIZE_ABOVE_MAX = 21360, "Order size exceeds the limit"
    INSUFFICIENT_BALANCE = 21709, "Insufficient balance"
    INVALID_VALUE = 25001, "Invalid parameter"
    ORDER_NOT_PLACED = 25003, "Unable to place order"
    CLIENT_ORDER_ID_EXISTS = 25004, "Client orderId already exists"
    SMART_ORDER_NOT_PLACED = 25005, "Unable to place smart order"
    INVALID_ORDER_ID = 25007, "Invalid orderid"
    ORDER_ID_REQUIRED = 25008, "orderId/clientOrderId required"
    NOT_CANCELED = 25009, "Failed to cancel order"
    SMART_ORDERS_NOT_FOUND = 25014, "Failed to cancel as smartorders were not found"
    INVALID_ACCOUNT_TYPE = 25018, "Invalid accountType"
    INVALID_SYMBOL = 25019, "Invalid symbol"
    NO_KILL_SWITCH = 25020, "No active kill switch"

    @property
    def status(self) -> int:
        """The HTTP status: the code itself, of those that are none of the documented ones."""
        if self < Code.INVALID_PARAMETER:
            return int(self)
        is_absent = self in {Code.ORDER_NOT_FOUND, Code.SMART_ORDERS_NOT_FOUND}
        return HTTPStatus.NOT_FOUND if is_absent else HTTPStatus.BAD_REQUEST


class Problem(CommandError):
    """A request that is answered with one of the codes.

    Attributes:
        code: decides the HTTP status as well.
        text: what the caller is told.
    """

    def __init__(self, code: Code, detail: str = "", *, text: str = "") -> None:
        """Take the documented text, with a detail behind it, or another text altogether."""
        documented = text or code.text
        self.code = code
        self.text = f"{documented}: {detail}" if detail else documented
        super().__init__(self.text)


class Unauthorized(Problem, NotAuthenticated):
    """A key or a signature that is wrong."""


#: The class itself, else its nearest ancestor.
_CODES: Mapping[type[HookfillError], Code] = {
    CommandError: Code.INVALID_PARAMETER,
    NotAuthenticated: Code.UNAUTHORIZED,
    NotPermitted: Code.FORBIDDEN,
    NotFound: Code.ORDER_NOT_FOUND,
    PayloadTooLarge: Code.TOO_LARGE,
    EncodingUnsupported: Code.UNSUPPORTED,
    RateLimited: Code.TOO_MANY_REQUESTS,
    CallerIdInUse: Code.CLIENT_ORDER_ID_EXISTS,
    TooManyOpen: Code.TOO_MANY_ORDERS,
    NotWaiting: Code.NOT_CANCELED,
    MarketHalted: Code.SYMBOL_FROZEN,
    SymbolUnknown: Code.INVALID_SYMBOL,
    LimitExceeded: Code.ORDER_NOT_PLACED,
    InsufficientFunds: Code.INSUFFICIENT_BALANCE,
    StoreError: Code.UNAVAILABLE,
    VenueUnavailable: Code.UNAVAILABLE,
    VenueRejected: Code.ORDER_NOT_PLACED,
    OutcomeUnknown: Code.ORDER_NOT_PLACED,
    HookfillError: Code.UNAVAILABLE,
}

#: Of the limits of an account that the documentation has a code for.
_LIMIT_CODES: Mapping[ReasonCode, Code] = {
    ReasonCode.MAX_ORDER_VALUE: Code.SIZE_ABOVE_MAX,
    ReasonCode.MAX_POSITION_VALUE: Code.SIZE_ABOVE_MAX,
}

#: The SDK and ccxt leave it to their callers to come again.
_RETRY_AFTER_SECONDS = 1


def refused(problem: Problem) -> Answer:
    """Return the answer to what was refused."""
    return Answer(problem.code.status, {"code": int(problem.code), "message": problem.text})


def problem_of(error: HookfillError) -> Problem:
    """Return an error of ours in the dialect's words."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreFull):
        return Problem(Code.UNAVAILABLE, "store full, only SELL orders are taken in")
    if isinstance(error, HistoryUnavailable):
        return Problem(Code.UNAVAILABLE, "what has finished cannot be read")
    if isinstance(error, LimitExceeded):
        return Problem(
            _LIMIT_CODES.get(error.code, Code.ORDER_NOT_PLACED), f"{error.code}: {error}"
        )
    is_told = isinstance(error, MalformedPayload | KeyReused | UnusableKey)
    return Problem(nearest(error, _CODES), str(error) if is_told else "")


def problem_of_part(failed: Failed) -> Problem:
    """Return why one part of a request came to nothing, or that nobody knows whether it did."""
    if failed.in_doubt:
        return Problem(Code.UNAVAILABLE, "it is not known whether this was done")
    return problem_of(failed.error)


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    answer = refused(problem_of(error))
    return answer._replace(headers=retry_after(error, answer.status, _RETRY_AFTER_SECONDS))


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return refused(Problem(Code.INTERNAL))
