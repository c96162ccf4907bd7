"""Which error gets which answer."""

from collections.abc import Mapping

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
from app.web.answers import Answer, retry_after
from app.web.registry_refresh import Failed

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


def refused(problem: Problem) -> Answer:
    """Return the answer to what was refused."""
    return Answer(status_of(problem.code), {"code": int(problem.code), "message": problem.text})


def problem_of(error: HookfillError) -> Problem:
    """Return an error of ours in the dialect's words."""
    return error if isinstance(error, Problem) else Problem(nearest(error, _CODES))


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
