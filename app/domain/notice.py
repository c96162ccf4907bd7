"""What people are told: one thing that has happened, in a sentence, and of which kind it is."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.aggregate import Aggregate
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import ReasonCode, Side
from app.domain.identifiers import AccountName, AggregateId, EpochMs
from app.domain.money import plain
from app.domain.order import Order
from app.domain.reason import Reason


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
    if isinstance(after, Order):
        yield from _of_order(before if isinstance(before, Order) else None, after, entries)
    told = _ALWAYS if after.parent_id is not None else _OF_REQUESTS
    names = {one.name: one for one in entries if one.name in told}
    for name, entry in names.items():
        yield told[name], _said(f"{after.sentence()} {_WORDS[name]}", entry.reason)
    if EntryName.ALERT not in names:
        yield from _of_protection(before, after, names)


def _of_order(
    before: Order | None, after: Order, entries: Sequence[TimelineEntry]
) -> Iterator[tuple[NoticeKind, str]]:
    """Yield what has become of an order, and of the exit that it is a part of."""
    has_grown = after.filled_quantity > (0 if before is None else before.filled_quantity)
    is_first = before is None or not before.filled_quantity
    # Of what fills bit by bit it is told that it begins, and what it has come to.
    if has_grown and (after.is_closed or is_first):
        yield NoticeKind.FILL, _fill_of(after)
    if after.parent_id is not None and after.reduces:
        # It is tried again; meanwhile the position is there, though somebody wants it closed.
        for entry in entries:
            is_refused = entry.name in {EntryName.REJECTED, EntryName.DENIED}
            if is_refused and (entry.reason is None or entry.reason.code not in _NOTHING_LEFT):
                message = f"the exit {after.sentence()} {_WORDS[entry.name]}"
                yield NoticeKind.PROTECTION, _said(message, entry.reason)


def _of_protection(
    before: Aggregate | None, after: Aggregate, told: Collection[EntryName]
) -> Iterator[tuple[NoticeKind, str]]:
    """Yield what has become of the protection of a position where the timeline does not tell."""
    failed = before is not None and before.exit_fails
    if after.exit_fails and not failed and not told:
        message = f"the exit of {after.sentence()} does not get through"
        yield NoticeKind.PROTECTION, _said(message, after.reason)
    if failed and not after.exit_fails:
        yield NoticeKind.PROTECTION, f"no exit of {after.sentence()} fails any more"
    was_only_here = before is not None and before.is_only_here
    if after.is_only_here and not was_only_here:
        yield NoticeKind.PROTECTION, f"{after.sentence()} has no stop at its venue, only here"


def _fill_of(order: Order) -> str:
    did = "bought" if order.side is Side.BUY else "sold"
    price = "" if order.average_price is None else f" at {plain(order.average_price)}"
    rest = "" if order.is_closed else " so far"
    return f"{did} {plain(order.filled_quantity)} {order.symbol}{price}{rest}"


def _said(message: str, reason: Reason | None) -> str:
    return message if reason is None else f"{message}: {reason.message}"
