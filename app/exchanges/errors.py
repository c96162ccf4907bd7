"""The exchange library's errors in our words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType

import ccxt

from app.domain.enums import ReasonCode
from app.domain.errors import (
    InsufficientFunds,
    KeyRefused,
    NotFound,
    OutcomeUnknown,
    RightMissing,
    VenueError,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.exchanges.transport import never_connected

#: For calls that change something; the most particular class of an error counts.
_CHANGING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.OnMaintenance: VenueUnavailable,  # refused before it was looked at
    ccxt.RateLimitExceeded: VenueUnavailable,
    ccxt.InvalidNonce: VenueUnavailable,  # the time stamp was refused, and all else with it
    ccxt.OperationFailed: OutcomeUnknown,  # timeouts, network: it may have arrived
    ccxt.DuplicateOrderId: OutcomeUnknown,  # ours from before, perhaps: ask
    ccxt.InsufficientFunds: VenueRejected,
    ccxt.InvalidOrder: VenueRejected,
    ccxt.BadRequest: VenueRejected,
    ccxt.AuthenticationError: VenueRejected,
    ccxt.OperationRejected: VenueRejected,
    ccxt.ArgumentsRequired: VenueRejected,
    ccxt.NotSupported: VenueRejected,
    ccxt.BaseError: OutcomeUnknown,  # bare ExchangeError too: an unmapped code
}

#: For calls that only read: a failed one has changed nothing.
_READING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.OperationFailed: VenueUnavailable,
    ccxt.BaseError: VenueRejected,
}

#: Why a definite no was said, where the exchange's own code does not tell (`refusals.py`).
_REASONS: Mapping[type[Exception], ReasonCode] = {
    ccxt.InsufficientFunds: ReasonCode.INSUFFICIENT_FUNDS,
    ccxt.AuthenticationError: ReasonCode.CREDENTIALS_REFUSED,
    ccxt.BadSymbol: ReasonCode.UNKNOWN_INSTRUMENT,
    ccxt.OrderImmediatelyFillable: ReasonCode.WOULD_TAKE,
    ccxt.BaseError: ReasonCode.VENUE_REJECTED,
}

#: What the library stumbles over when an answer is not what the exchange's documents say.
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

#: Characters of an exchange's answer that a message repeats.
_SHOWN_MAX = 300

_QUERY = re.compile(r"\?\S+")

#: An exchange's own code in the answer that an error repeats.
_CODE = re.compile(r'"(?:code|retCode)"\s*:\s*"?(-?\d+)')

#: HTTP statuses of requests that were counted, and not looked at.
_UNREAD = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT})


@contextmanager
def translated(
    status: Callable[[], int | None] = lambda: None,
    duplicates: Sequence[str] = (),
    refusals: Mapping[str, ReasonCode] = MappingProxyType({}),
) -> Iterator[None]:
    """Translate the errors of a call that changes something.

    Args:
        status: tells the HTTP status of the answer, or None if there was none.
        duplicates: words that say that the client order id has come before.
        refusals: the exchange's codes that say no for certain → why.

    Raises:
        VenueRejected, VenueUnavailable: nothing has happened.
        OutcomeUnknown: in every other case.
    """
    try:
        yield
    except ccxt.BaseError as error:
        raise _translation(error, status(), duplicates, refusals) from error
    except _STUMBLES as error:
        raise OutcomeUnknown(f"the answer made no sense: {_sentence(error)}") from error


@contextmanager
def translated_reading(
    status: Callable[[], int | None] = lambda: None,
    refusals: Mapping[str, ReasonCode] = MappingProxyType({}),
) -> Iterator[None]:
    """Translate the errors of a call that only reads.

    Args:
        status: as above.
        refusals: as above.

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
        told = _told_reason(str(error), status(), refusals) if _was_looked_at(status()) else None
        kind = nearest(error, _READING)
        if told is not None or kind is VenueRejected:
            raise _refusal(error, told) from error
        raise kind(_sentence(error)) from error
    except _STUMBLES as error:
        raise VenueUnavailable(f"the answer made no sense: {_sentence(error)}") from error


def _translation(
    error: ccxt.BaseError,
    status: int | None,
    duplicates: Sequence[str],
    refusals: Mapping[str, ReasonCode],
) -> VenueError:
    told = _told_reason(str(error), status, refusals)
    kind = _kind_of(error, status, duplicates, is_refusal=told is not None)
    if kind is VenueRejected:
        return _refusal(error, told)
    return kind(_sentence(error))


def _refusal(error: ccxt.BaseError, told: ReasonCode | None) -> VenueRejected:
    reason = told or nearest(error, _REASONS)
    if reason is ReasonCode.INSUFFICIENT_FUNDS:
        return InsufficientFunds(_sentence(error))
    if told is None and isinstance(error, ccxt.PermissionDenied):
        return RightMissing(_sentence(error))
    if reason is ReasonCode.CREDENTIALS_REFUSED:
        return KeyRefused(_sentence(error))
    return VenueRejected(_sentence(error), reason)


def _told_reason(
    text: str, status: int | None, refusals: Mapping[str, ReasonCode]
) -> ReasonCode | None:
    """Return why the exchange says no for certain, or None if that is left to the library."""
    if status == HTTPStatus.UNAUTHORIZED:
        return ReasonCode.CREDENTIALS_REFUSED
    found = _CODE.search(text)
    return refusals.get(found.group(1)) if found else None


def _was_looked_at(status: int | None) -> bool:
    """Tell whether the exchange has looked at a request, by the HTTP status of its answer."""
    if status is None:
        return True
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _UNREAD


def _kind_of(
    error: ccxt.BaseError, status: int | None, duplicates: Sequence[str], *, is_refusal: bool
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
    return VenueRejected if is_refusal else nearest(error, _CHANGING)


def _sentence(error: Exception) -> str:
    # Queries carry signatures and accounts, and nothing that helps a reader.
    text = _QUERY.sub("?...", str(error))
    return f"{type(error).__name__}: {text[:_SHOWN_MAX]}"
