"""The error tree. A class answers whose fault it was, and whether anything may have happened.

A CommandError is the caller's, a StoreError the store's, a VenueError the venue's.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from app.domain.enums import Flaw, OrderType, ReasonCode
from app.domain.identifiers import EpochMs, Symbol
from app.domain.reason import Reason

T = TypeVar("T")


def nearest(error: Exception, table: Mapping[Any, T]) -> T:
    """Return what a table of classes says of this error's own, else of its nearest ancestor."""
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


class HookfillError(Exception):
    """Everything that this program raises on purpose."""


class CommandError(HookfillError):
    """The caller asked for something that cannot be done as asked."""


class NotAuthenticated(CommandError):
    """The credentials are missing or wrong; which of the two is not told."""


class StaleTimestamp(NotAuthenticated):
    """The request was signed outside of the window; often a clock is wrong.

    Attributes:
        server_time_ms: what the time is here, business time.
    """

    def __init__(self, message: str, server_time_ms: EpochMs) -> None:
        super().__init__(message)
        self.server_time_ms = server_time_ms


class NotPermitted(CommandError):
    """The credentials are good, but do not cover this."""


class MalformedPayload(CommandError):
    """The payload does not have the shape that its dialect asks for.

    Attributes:
        code: the machine-readable word of the dialect, for instance `invalid_json`.
        fields: field name → messages; empty when the payload as a whole is unreadable.
    """

    def __init__(
        self, code: str, message: str, fields: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.fields = dict(fields or {})


class Complaint(NamedTuple):
    """What is wrong with one term.

    Attributes:
        flaw: in our words; a dialect has its own.
        figure: the step that is missed, or the least; None where there is none.
    """

    flaw: Flaw
    figure: Decimal | None = None


class TermsRefused(CommandError):
    """What is asked for can be read, and some of its terms cannot be.

    Attributes:
        fields: name of a field of the command → all that is wrong with it. A step of several is
            `take_profit_steps[0]`, its field `take_profit_steps[0].percent`.
    """

    def __init__(self, fields: Mapping[str, Sequence[Complaint]]) -> None:
        super().__init__(f"wrong terms: {', '.join(fields)}")
        self.fields = dict(fields)


class RuleBroken(TermsRefused):
    """The market's rules do not allow the figures."""


def invalid_fields(messages: Mapping[str, Sequence[str]]) -> MalformedPayload:
    """Return the error `validation_failed` with these messages: name of a field → sentences."""
    names = ", ".join(sorted(messages))
    return MalformedPayload("validation_failed", f"invalid fields: {names}", messages)


class PayloadTooLarge(CommandError):
    """The body is over the limit of 64 KiB."""


class EncodingUnsupported(MalformedPayload):
    """The body is packed in a way that is not understood here; the sentence names it."""


class NotFound(CommandError):
    """There is no such thing, or it belongs to somebody else."""


class MarketNotTraded(NotFound):
    """There is such a venue, and no account there can trade in this market."""


class WrongState(CommandError):
    """The thing exists, but is not in a state in which this can be done."""


class RegistryChanged(CommandError):
    """Somebody else changed accounts or credentials first; nothing was written."""


class ConnectorInactive(CommandError):
    """The connector exists and the token is right, but it was switched off."""


class RateLimited(CommandError):
    """Too many requests of one caller.

    Attributes:
        retry_after_ms: when the next one may come.
    """

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms

    @property
    def retry_after_seconds(self) -> int:
        """The same in whole seconds, rounded up, as `Retry-After` tells it; at least one."""
        return max(1, -(-self.retry_after_ms // 1000))


class TooManyGuesses(RateLimited):
    """Wrong credentials, from a peer that has sent too many of them."""


class UnusableKey(CommandError):
    """An idempotency key that nobody could keep; its sentence is for the caller."""


class KeyReused(CommandError):
    """The key says that a request is a repeat, but the request is another one."""


class SignatureReused(KeyReused):
    """The same of a signature."""


class OrderDenied(CommandError):
    """Our own checks refuse an order before it is taken in.

    Attributes:
        symbol: what was to be traded.
    """

    def __init__(self, symbol: Symbol, message: str) -> None:
        super().__init__(message)
        self.symbol = symbol


class PriceMissing(OrderDenied):
    """A limit order without a price."""

    def __init__(self, symbol: Symbol) -> None:
        super().__init__(symbol, "a limit order needs a price")


class SymbolUnknown(OrderDenied):
    """The account cannot trade this.

    Attributes:
        known: what it can trade, sorted.
    """

    _why = "is not traded in this account"

    def __init__(self, symbol: Symbol, known: Sequence[Symbol]) -> None:
        super().__init__(symbol, f"{symbol} {self._why}")
        self.known = tuple(known)


class MarketHalted(SymbolUnknown):
    """The account trades this, but nobody does just now."""

    _why = "is not traded just now: its market is halted"


class TypeUnsupported(OrderDenied):
    """The venue has no orders of this type.

    Attributes:
        wanted: the type that was asked for.
        supported: those that it has, sorted.
    """

    def __init__(self, symbol: Symbol, wanted: OrderType, supported: Collection[OrderType]) -> None:
        super().__init__(symbol, f"the venue has no {wanted} orders")
        self.wanted = wanted
        self.supported = tuple(sorted(supported))


class QuantityTooSmall(OrderDenied):
    """Less than the venue trades.

    Attributes:
        quantity: as it was asked for, in base currency.
        least: in base currency.
    """

    def __init__(self, symbol: Symbol, quantity: Decimal, least: Decimal) -> None:
        super().__init__(symbol, f"quantity was {quantity:f}, the least is {least:f}")
        self.quantity = quantity
        self.least = least


class NotionalTooSmall(OrderDenied):
    """Worth less than the venue trades.

    Attributes:
        notional: quantity times price, in quote currency; not above 0 where the price is not.
        least: in quote currency.
    """

    def __init__(self, symbol: Symbol, notional: Decimal, least: Decimal) -> None:
        super().__init__(symbol, f"notional was {notional:f}, the least is {least:f}")
        self.notional = notional
        self.least = least


class LimitExceeded(OrderDenied):
    """The limits of the account deny it; the sentence has the figures.

    Attributes:
        code: which limit, or that one cannot be checked.
    """

    def __init__(self, symbol: Symbol, reason: Reason) -> None:
        super().__init__(symbol, reason.message)
        self.code = reason.code


class CallerIdInUse(CommandError):
    """The caller's own id belongs to something that may still trade, or has traded."""


class TooManyOpen(CommandError):
    """As many smart orders wait in the account as may."""


class NotWaiting(CommandError):
    """A smart order that has triggered or ended cannot be replaced."""


class NotDry(CommandError):
    """What a request would do cannot be told without doing it; nothing was done."""


class TooBusy(HookfillError):
    """Too much is asked at once of what orders and alerts need not; nothing was begun."""


class StoreError(HookfillError):
    """The store could not do what was asked of it."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, or did not answer in time: nothing was written, or who knows."""


class StoreFull(StoreError):
    """The memory of the store is nearly full: only exits are taken in. Nothing was written."""


class HistoryUnavailable(StoreUnavailable):
    """The history cannot be reached; what is live goes on without it."""


class UnsafeStore(StoreError):
    """The store runs with settings under which acknowledged orders could be lost."""


class UnreadableRecord(StoreError):
    """This release cannot read the record: a newer one has written it, or something broke it.

    It is left as it is, and it holds up nothing else.
    """


class Conflict(StoreError):
    """Somebody else committed first."""


class StaleRegistry(StoreError):
    """Accounts or credentials have changed since they were read."""


class NotVouched(StoreError):
    """The venue must be asked first whether it has orders that are not known here."""


class NewsChanged(StoreError):
    """Others have read this news meanwhile, or there is newer news: what was read may be old."""


class Repeated(StoreError):
    """A command that changes something came before: nothing is written.

    Attributes:
        made: what it made the first time.
    """

    def __init__(self, made: int) -> None:
        super().__init__(f"this has made {made} before")
        self.made = made


class ClaimsChanged(StoreError):
    """Other orders of the account were claimed since the limits let this one go."""


class LaneChanged(StoreError):
    """Others had a turn in the lane since it was looked at, or an order of it became known."""


class VenueError(HookfillError):
    """The venue did not do what was asked of it."""


class VenueRejected(VenueError):
    """The venue's definite no: the order becomes REJECTED.

    Attributes:
        code: the reason in our words.
    """

    def __init__(self, message: str, code: ReasonCode = ReasonCode.VENUE_REJECTED) -> None:
        super().__init__(message)
        self.code = code


class InsufficientFunds(VenueRejected):
    """The venue says that the account cannot pay for this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ReasonCode.INSUFFICIENT_FUNDS)


class KeyRefused(VenueRejected):
    """The venue does not let this key do this, or knows no such key."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ReasonCode.CREDENTIALS_REFUSED)


class RightMissing(KeyRefused):
    """The venue knows the key, and does not let it do this; it may do other things."""


class VenueUnavailable(VenueError):
    """The request certainly did not arrive.

    Attributes:
        code: the reason in our words.
    """

    def __init__(self, message: str, code: ReasonCode = ReasonCode.VENUE_UNAVAILABLE) -> None:
        super().__init__(message)
        self.code = code


class MarketsUnknown(VenueUnavailable):
    """No worker has read yet what the venue trades: it is soon known, and then tells."""


class VenueBusy(VenueUnavailable):
    """Nothing was sent, for the venue wants fewer requests, or has not answered for a while.

    Attributes:
        retry_after_ms: when the next one may go.
    """

    def __init__(self, message: str, retry_after_ms: int = 1_000) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class CannotAsk(VenueError):
    """The venue cannot be asked by client order id, so that a person must say what became of it."""


class OutcomeUnknown(VenueError):
    """The request may or may not have arrived: ask before it is sent again.

    The order becomes UNKNOWN.
    """
