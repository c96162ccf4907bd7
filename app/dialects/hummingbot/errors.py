"""What can be wrong, and how that is answered (Hummingbot spec, sections 2.3 and 2.4)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from app.dialects.hummingbot.names import ORDER_TYPES, pair_of
from app.domain.errors import (
    CommandError,
    EncodingUnsupported,
    HistoryUnavailable,
    HookfillError,
    KeyReused,
    LimitExceeded,
    MalformedPayload,
    MarketHalted,
    NotAuthenticated,
    NotFound,
    NotionalTooSmall,
    OutcomeUnknown,
    PayloadTooLarge,
    PriceMissing,
    QuantityTooSmall,
    RateLimited,
    StoreError,
    StoreFull,
    SymbolUnknown,
    TooBusy,
    TypeUnsupported,
    UnusableKey,
    VenueRejected,
    VenueUnavailable,
    nearest,
)
from app.domain.money import plain
from app.web.answers import Answer, retry_after

#: Pairs that an answer names to somebody who asked for another.
PAIRS_SHOWN: Final = 10

#: Where a problem lies: `("body", "amount")`.
Location = tuple[str | int, ...]

BODY: Location = ("body",)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: the word of the reference, for instance `missing`.
        message: its sentence.
        context: figures of the rule that was broken, where it has some.
        given: the value that was wrong.
    """

    kind: str
    message: str
    context: Mapping[str, object] | None = None
    location: Location = BODY
    given: object = None

    def as_json(self) -> dict[str, object]:
        """Return the problem as one entry of `detail`."""
        shape = {
            "type": self.kind,
            "loc": list(self.location),
            "msg": self.message,
            "input": self.given,
        }
        return shape if self.context is None else {**shape, "ctx": self.context}


#: Of a body, or of one of its fields.
MISSING: Final = Problem("missing", "Field required")


class InvalidBody(MalformedPayload):
    """The body does not have the shape that the route asks for.

    Attributes:
        problems: at least one, in the order of the fields.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        names = [".".join(map(str, problem.location)) for problem in problems]
        fields = {name: [one.message] for name, one in zip(names, problems, strict=True)}
        super().__init__("validation_failed", f"invalid: {', '.join(names)}", fields)
        self.problems = tuple(problems)


def located(name: str, found: Any, body: Mapping[str, Any]) -> Problem:  # noqa: ANN401
    """Return what marshmallow has found about a field, with its place and what was given there."""
    location, given = (*BODY, name), body.get(name, body)
    if isinstance(found, Mapping):
        # By index. Only the first is told, or an answer could be many times as long as its body.
        index, found = next(iter(found.items()))
        location, given = (*location, index), given[index]
    problem: Problem = found[0]
    return replace(problem, location=location, given=given)


class Impossible(CommandError):
    """What is asked for makes no sense with this connector; its sentence is for the caller."""


def error_for(error: HookfillError) -> Answer:
    """Return the answer to a request that ended in this error."""
    status, said = nearest(error, _ANSWERS)
    detail = said if isinstance(said, str) else said(error)
    headers = {"WWW-Authenticate": "Basic"} if status == HTTPStatus.UNAUTHORIZED else {}
    if isinstance(error, RateLimited | TooBusy):
        headers = retry_after(error, status, 1)
    return Answer(status, {"detail": detail}, headers)


def http_error(status: int) -> Answer:
    """Return the answer to what no route takes: `Not Found`, `Method Not Allowed`."""
    return Answer(status, {"detail": HTTPStatus(status).phrase})


def internal() -> Answer:
    """Return the answer to a mistake of ours, which tells nobody how we are made."""
    return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"detail": "Unexpected error, see the log"})


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


def _denied(error: LimitExceeded) -> str:
    return f"Order denied by {error.code}: {error}"


#: The class itself, else its nearest ancestor → status, and what `detail` says, or what finds that.
_ANSWERS: Final[Mapping[type[HookfillError], tuple[HTTPStatus, str | Callable[[Any], object]]]] = {
    CommandError: (HTTPStatus.BAD_REQUEST, str),
    NotAuthenticated: (HTTPStatus.UNAUTHORIZED, str),
    NotFound: (HTTPStatus.NOT_FOUND, str),
    RateLimited: (HTTPStatus.TOO_MANY_REQUESTS, str),
    PayloadTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str),
    EncodingUnsupported: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str),
    InvalidBody: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        lambda error: [problem.as_json() for problem in error.problems],
    ),
    UnusableKey: (HTTPStatus.UNPROCESSABLE_ENTITY, str),
    KeyReused: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Idempotency-Key was used for another request",
    ),
    PriceMissing: (
        HTTPStatus.BAD_REQUEST,
        "Price is required for LIMIT and LIMIT_MAKER orders",
    ),
    MarketHalted: (HTTPStatus.BAD_REQUEST, str),
    SymbolUnknown: (HTTPStatus.BAD_REQUEST, _unknown_pair),
    TypeUnsupported: (HTTPStatus.BAD_REQUEST, _unsupported),
    QuantityTooSmall: (HTTPStatus.BAD_REQUEST, _small_quantity),
    NotionalTooSmall: (HTTPStatus.BAD_REQUEST, _small_notional),
    LimitExceeded: (HTTPStatus.BAD_REQUEST, _denied),
    VenueRejected: (HTTPStatus.BAD_REQUEST, str),
    VenueUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, str),
    # Only settings are waited for, and to set them twice is to set them once.
    OutcomeUnknown: (HTTPStatus.SERVICE_UNAVAILABLE, str),
    StoreError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Queue unavailable: send it again, best with an Idempotency-Key",
    ),
    StoreFull: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Store full: only orders that close or sell are taken in; send it again later",
    ),
    HistoryUnavailable: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "What has finished cannot be read; try again in a moment",
    ),
    HookfillError: (HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable, try again"),
}
