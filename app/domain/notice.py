"""What people are told: one thing that has happened, in a sentence, and of which kind it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import ReasonCode, Side
from app.domain.identifiers import AccountName, AggregateId, EpochMs
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade


class NoticeKind(StrEnum):
    """The kinds that one can ask to hear of, and TEST, which is asked for by itself.

    REFUSAL is of what was stored and then denied, or refused by its venue; BAD_REQUEST of what was
    refused at the door. MISSED is a request that came too late, or found nothing to do. PROTECTION
    is a position that is not guarded as it should be, or an exit that does not get through.
    ACCOUNT is a key that its exchange refuses, or an account that is frozen.
    """

    FILL = "fill"
    REFUSAL = "refusal"
    MISSED = "missed"
    BAD_REQUEST = "bad_request"
    PROTECTION = "protection"
    UNKNOWN = "unknown"
    VENUE = "venue"
    ACCOUNT = "account"
    UNREADY = "unready"
    TEST = "test"


#: What there is to choose from.
CHOOSABLE = tuple(kind for kind in NoticeKind if kind is not NoticeKind.TEST)

#: What is told in quiet hours as well: it will not wait until the morning.
URGENT = frozenset(
    {
        NoticeKind.PROTECTION,
        NoticeKind.UNKNOWN,
        NoticeKind.ACCOUNT,
        NoticeKind.UNREADY,
        NoticeKind.TEST,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that has happened.

    Attributes:
        id: the same however often it is told, and of nothing else.
        at_ms: business time at which it happened.
        message: one sentence, without the name of the account.
        account: whose it is; None is everybody's.
        about: the aggregate, if it is about one.
    """

    id: str
    kind: NoticeKind
    at_ms: EpochMs
    message: str
    account: AccountName | None = None
    about: AggregateId | None = None


#: What a timeline tells that people are told of, whoever has asked for it.
_ALWAYS = {EntryName.ALERT: NoticeKind.PROTECTION}

#: The same, of what a caller has asked for by itself: of a part its whole tells.
_OF_REQUESTS = {
    **_ALWAYS,
    EntryName.DENIED: NoticeKind.REFUSAL,
    EntryName.REJECTED: NoticeKind.REFUSAL,
    EntryName.FAILED: NoticeKind.REFUSAL,
    EntryName.SKIPPED: NoticeKind.MISSED,
    EntryName.EXPIRED: NoticeKind.MISSED,
}

#: Why an exit was refused where nothing is left to close.
_NOTHING_LEFT = frozenset(
    {
        ReasonCode.NO_POSITION,
        ReasonCode.POSITION_CLOSED,
        ReasonCode.SIBLING_FILLED,
        ReasonCode.WOULD_NOT_REDUCE,
    }
)

#: What is said of each, after what it is that it befell.
_WORDS = {
    EntryName.ALERT: "needs a look",
    EntryName.DENIED: "was denied",
    EntryName.REJECTED: "was rejected",
    EntryName.FAILED: "has failed",
    EntryName.SKIPPED: "was skipped",
    EntryName.EXPIRED: "has expired",
}


def news_in(
    before: Aggregate | None, after: Aggregate, entries: Sequence[TimelineEntry]
) -> Iterator[tuple[NoticeKind, str]]:
    """Yield what of a change people are told: of which kind it is, and a sentence."""
    if isinstance(after, Order) and _is_told_fill(before, after):
        yield NoticeKind.FILL, _fill_of(after)
    told = _ALWAYS if after.parent_id is not None else _OF_REQUESTS
    names = {one.name: one for one in entries if one.name in told}
    for name, entry in names.items():
        yield told[name], _said(f"{after.sentence()} {_WORDS[name]}", entry.reason)
    if after.parent_id is None and _is_delisted(entries):
        yield NoticeKind.MISSED, f"{after.sentence()} was canceled: its pair is traded no more"
    if EntryName.ALERT not in names and not isinstance(after, Order):
        yield from _of_protection(before, after, is_told=bool(names))


def _is_told_fill(before: Aggregate | None, after: Order) -> bool:
    """Tell whether a fill is told: of what fills bit by bit that it begins, and what it came to."""
    if not after.filled_quantity:
        return False
    if not isinstance(before, Order) or not before.filled_quantity:
        return True
    has_grown = after.filled_quantity > before.filled_quantity
    return after.is_closed and (has_grown or not before.is_closed)


def _is_delisted(entries: Sequence[TimelineEntry]) -> bool:
    reasons = [one.reason for one in entries if one.name is EntryName.CANCELED]
    return any(one is not None and one.code is ReasonCode.DELISTED for one in reasons)


def _of_protection(
    before: Aggregate | None, after: SmartOrder | Request | SmartTrade, *, is_told: bool
) -> Iterator[tuple[NoticeKind, str]]:
    """Yield what has become of the protection of a position where the timeline does not tell."""
    known = before if isinstance(before, SmartOrder | Request | SmartTrade) else None
    has_missed = after.misses > 0 and (known is None or not known.misses)
    is_left = after.reason is None or after.reason.code not in _NOTHING_LEFT
    # It is tried again; meanwhile the position is there, though somebody wants it closed.
    if not is_told and is_left and (has_missed or (after.exit_fails and not _fails(known))):
        message = f"an exit of {after.sentence()} has closed nothing, and is tried again"
        yield NoticeKind.PROTECTION, _said(message, after.reason)
    if _fails(known) and not after.exit_fails:
        yield NoticeKind.PROTECTION, f"no exit of {after.sentence()} fails any more"
    if after.is_only_here and not (known is not None and known.is_only_here):
        yield NoticeKind.PROTECTION, f"{after.sentence()} has no stop at its venue, only here"


def _fails(known: SmartOrder | Request | SmartTrade | None) -> bool:
    return known is not None and known.exit_fails


def _fill_of(order: Order) -> str:
    did = "bought" if order.side is Side.BUY else "sold"
    price = "" if order.average_price is None else f" at {plain(order.average_price)}"
    rest = "" if order.is_closed else " so far"
    return f"{did} {plain(order.filled_quantity)} {order.symbol}{price}{rest}"


def _said(message: str, reason: Reason | None) -> str:
    return message if reason is None else f"{message}: {reason.message}"
