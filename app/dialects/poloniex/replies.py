"""Answers as a whole: a status and a JSON body."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from app.dialects.poloniex.errors import Code, Problem, status_of
from app.domain.errors import (
    CallerIdInUse,
    CommandError,
    HookfillError,
    InsufficientFunds,
    MalformedPayload,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotWaiting,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    StoreError,
    SymbolUnknown,
    TooManyOpen,
    VenueRejected,
    VenueUnavailable,
    nearest,
)


class Answer(NamedTuple):
    """An answer: HTTP status, body to be written as JSON, further headers."""

    status: int
    body: object
    headers: Mapping[str, str] = {}


#: The class itself, else its nearest ancestor.
_CODES: Mapping[type[HookfillError], Code] = {
    CommandError: Code.INVALID_PARAMETER,
    MalformedPayload: Code.INVALID_PARAMETER,
    NotAuthenticated: Code.UNAUTHORIZED,
    NotPermitted: Code.FORBIDDEN,
    NotFound: Code.ORDER_NOT_FOUND,
    PayloadTooLarge: Code.TOO_LARGE,
    RateLimited: Code.TOO_MANY_REQUESTS,
    CallerIdInUse: Code.CLIENT_ORDER_ID_EXISTS,
    TooManyOpen: Code.TOO_MANY_ORDERS,
    NotWaiting: Code.NOT_CANCELED,
    SymbolUnknown: Code.INVALID_SYMBOL,
    InsufficientFunds: Code.INSUFFICIENT_BALANCE,
    StoreError: Code.UNAVAILABLE,
    VenueUnavailable: Code.UNAVAILABLE,
    VenueRejected: Code.ORDER_NOT_PLACED,
    OutcomeUnknown: Code.ORDER_NOT_PLACED,
    HookfillError: Code.UNAVAILABLE,
}

#: The SDK and ccxt leave it to their callers to come again.
_RETRY_AFTER_SECONDS = 1


def good(body: object) -> Answer:
    """Return an answer to what was done; the SDK takes nothing but a 200 for that."""
    return Answer(HTTPStatus.OK, body)


def refused(problem: Problem) -> Answer:
    """Return the answer to what was refused."""
    return Answer(status_of(problem.code), {"code": int(problem.code), "message": problem.text})


def problem_of(error: HookfillError) -> Problem:
    """Return an error of ours in the dialect's words."""
    if isinstance(error, Problem):
        return error
    return Problem(nearest(error, _CODES))


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    answer = refused(problem_of(error))
    if isinstance(error, RateLimited):
        return answer._replace(headers={"Retry-After": str(error.retry_after_seconds)})
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return answer._replace(headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
    return answer


def internal() -> Answer:
    """Return the answer to a mistake of ours."""
    return refused(Problem(Code.INTERNAL))
