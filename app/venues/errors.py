"""The exchange library's errors in our words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import ccxt

from app.domain.errors import (
    InsufficientFunds,
    OutcomeUnknown,
    VenueError,
    VenueRejected,
    VenueUnavailable,
)

#: For calls that change something; the most particular class of an error counts.
_CHANGING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.InsufficientFunds: InsufficientFunds,
    ccxt.OnMaintenance: VenueUnavailable,  # refused before it was looked at
    ccxt.RateLimitExceeded: VenueUnavailable,
    ccxt.OperationFailed: OutcomeUnknown,  # timeouts, network: it may have arrived
    ccxt.DuplicateOrderId: OutcomeUnknown,  # ours from before, perhaps: ask
    ccxt.InvalidOrder: VenueRejected,
    ccxt.BadRequest: VenueRejected,
    ccxt.AuthenticationError: VenueRejected,
    ccxt.BaseError: OutcomeUnknown,  # bare ExchangeError too: an unmapped code
}

#: For calls that only read: a failed one has changed nothing.
_READING: Mapping[type[Exception], type[VenueError]] = {
    ccxt.OperationFailed: VenueUnavailable,
    ccxt.BaseError: VenueRejected,
}


@contextmanager
def translated() -> Iterator[None]:
    """Translate the errors of a call that changes something."""
    try:
        yield
    except ccxt.BaseError as error:
        raise _ours_for(error, _CHANGING)(_sentence(error)) from error


@contextmanager
def translated_reading() -> Iterator[None]:
    """Translate the errors of a call that only reads."""
    try:
        yield
    except ccxt.BaseError as error:
        raise _ours_for(error, _READING)(_sentence(error)) from error


def _ours_for(
    error: Exception, table: Mapping[type[Exception], type[VenueError]]
) -> type[VenueError]:
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
