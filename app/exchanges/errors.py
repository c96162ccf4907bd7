"""The exchange library's errors in our words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import ccxt

from app.domain.errors import (
    InsufficientFunds,
    KeyRefused,
    NotFound,
    OutcomeUnknown,
    VenueError,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.exchanges.transport import never_connected

#: For calls that change something; the most particular class of an error counts.
_CHANGING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.InsufficientFunds: InsufficientFunds,
    ccxt.OnMaintenance: VenueUnavailable,  # refused before it was looked at
    ccxt.RateLimitExceeded: VenueUnavailable,
    ccxt.InvalidNonce: VenueUnavailable,  # the time stamp was refused, and all else with it
    ccxt.OperationFailed: OutcomeUnknown,  # timeouts, network: it may have arrived
    ccxt.DuplicateOrderId: OutcomeUnknown,  # ours from before, perhaps: ask
    ccxt.InvalidOrder: VenueRejected,
    ccxt.BadRequest: VenueRejected,
    ccxt.AuthenticationError: KeyRefused,
    ccxt.OperationRejected: VenueRejected,
    ccxt.ArgumentsRequired: VenueRejected,
    ccxt.NotSupported: VenueRejected,
    ccxt.BaseError: OutcomeUnknown,  # bare ExchangeError too: an unmapped code
}

#: For calls that only read: a failed one has changed nothing.
_READING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.OperationFailed: VenueUnavailable,
    ccxt.AuthenticationError: KeyRefused,
    ccxt.BaseError: VenueRejected,
}

#: What the library stumbles over when an answer is not what the exchange's documents say.
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

#: Characters of an exchange's answer that a message repeats.
_SHOWN_MAX = 300

_QUERY = re.compile(r"\?\S+")

#: HTTP statuses of requests that were counted, and not looked at.
_UNREAD = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT})


@contextmanager
def translated(
    status: Callable[[], int | None] = lambda: None,
    duplicates: Sequence[str] = (),
    refusals: Sequence[str] = (),
) -> Iterator[None]:
    """Translate the errors of a call that changes something.

    Args:
        status: tells the HTTP status of the answer, or None if there was none.
        duplicates: words that say that the client order id has come before.
        refusals: words that say no for certain.

    Raises:
        VenueRejected, VenueUnavailable: nothing has happened.
        OutcomeUnknown: in every other case.
    """
    try:
        yield
    except ccxt.BaseError as error:
        kind = _kind_of(error, status(), duplicates, refusals)
        raise kind(_sentence(error)) from error
    except _STUMBLES as error:
        raise OutcomeUnknown(f"the answer made no sense: {_sentence(error)}") from error


@contextmanager
def translated_reading() -> Iterator[None]:
    """Translate the errors of a call that only reads.

    Raises:
        NotFound: there is no such order.
        VenueRejected: the question was refused.
        VenueUnavailable: in every other case.
    """
    try:
        yield
    except ccxt.OrderNotFound as error:
        raise NotFound(_sentence(error)) from error
    except ccxt.BaseError as error:
        raise nearest(error, _READING)(_sentence(error)) from error
    except _STUMBLES as error:
        raise VenueUnavailable(f"the answer made no sense: {_sentence(error)}") from error


def _kind_of(
    error: ccxt.BaseError,
    status: int | None,
    duplicates: Sequence[str],
    refusals: Sequence[str],
) -> type[VenueError]:
    text = str(error)
    if never_connected(error):
        return VenueUnavailable
    if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown  # whatever the body says
    if status in _UNREAD:
        return VenueUnavailable
    if any(word in text for word in duplicates):
        return OutcomeUnknown
    if any(word in text for word in refusals):
        return VenueRejected
    return nearest(error, _CHANGING)


def _sentence(error: Exception) -> str:
    # Queries carry signatures and accounts, and nothing that helps a reader.
    text = _QUERY.sub("?...", str(error))
    return f"{type(error).__name__}: {text[:_SHOWN_MAX]}"
