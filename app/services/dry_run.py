"""What would follow a request, done as workers would do it, over ports that change nothing.

`Follower` does it. `foreseen` says what came of it, for whoever has asked.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.account import PAPER, Account
from app.domain.aggregate import Aggregate
from app.domain.effects import Effect, EffectKind
from app.domain.enums import ReasonCode
from app.domain.errors import NotDry, NotFound, VenueError, VenueRejected, VenueUnavailable
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.reason import Reason
from app.domain.request.request import Request, RequestStatus
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.ports import Ports
from app.ports.ledger import Change
from app.services.learn import known_quote, known_rules, known_view
from app.services.perform import carry_out
from app.services.placing.place import as_it_would_be_sent

#: Pieces of work that one request may bring: of more than that nobody waits for the end.
STEPS_MAX = 500

#: At an exchange these end a dry run: what comes of them, only the exchange can tell.
_OF_THE_VENUE = frozenset({EffectKind.PLACE, EffectKind.CANCEL, EffectKind.RESOLVE})


class Outcome(StrEnum):
    """What a request would come to now."""

    SEND = "would_send"
    REJECT = "would_reject"
    WAIT = "would_wait"
    CHANGE = "would_change"
    SKIP = "would_skip"
    DENY = "would_deny"
    DUPLICATE = "duplicate"
    NOTHING = "nothing"


class Follower:
    """Does what is owed, one after the other, as far as that goes now.

    Args:
        waiting: what is to be done; what comes of it is added there.

    Attributes:
        problems: id → what kept something from being done.
    """

    def __init__(self, waiting: deque[Effect]) -> None:
        self._waiting = waiting
        self._ports: Ports | None = None
        self._is_at_work = False
        self._steps = 0
        self.problems: dict[AggregateId, Reason] = {}

    def begin(self, ports: Ports) -> None:
        """Work with these ports from now on."""
        self._ports = ports

    def go_on(self) -> bool:
        """Do all that waits; return whether there was anything.

        Raises:
            StoreError: the store, or the history, could not be read.
            NotDry: something cannot be told without doing it.
        """
        ports = self._ports
        if ports is None or self._is_at_work or not self._waiting:
            return False
        self._is_at_work = True
        try:
            while self._waiting:
                self._steps += 1
                if self._steps > STEPS_MAX:
                    raise NotDry(f"more than {STEPS_MAX} things would follow")
                self._do(self._waiting.popleft(), ports)
        finally:
            self._is_at_work = False
        return True

    def _do(self, effect: Effect, ports: Ports) -> None:
        if effect.kind is EffectKind.TIMER or effect.due_at_ms > ports.clock.server_ms():
            return
        with suppress(NotFound):
            account = _account_of(effect, ports)
            if account.venue != PAPER:
                if effect.kind in _OF_THE_VENUE:
                    return
                _learn(effect, account, ports)
            try:
                carry_out(effect.kind, effect.target, ports)
            except VenueError as error:
                self.problems[effect.target] = _reason_from(error)


def _reason_from(error: VenueError) -> Reason:
    code = ReasonCode.VENUE_UNAVAILABLE
    if isinstance(error, VenueRejected | VenueUnavailable):
        code = error.code
    return Reason(code, str(error))


def _account_of(effect: Effect, ports: Ports) -> Account:
    if effect.account is not None:
        return ports.accounts.account(effect.account)
    return ports.accounts.account(ports.ledger.load(effect.target).aggregate.account)


def _learn(effect: Effect, account: Account, ports: Ports) -> None:
    """Have a worker tell what a turn depends on, where nobody has lately."""
    if effect.kind is not EffectKind.ADVANCE:
        return
    symbol = ports.ledger.load(effect.target).aggregate.symbol
    with suppress(VenueError):  # whoever needs it says so
        known_rules(account, ports)
        known_quote(symbol, account, ports)
        known_view(account, ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would come of one thing that a request makes.

    Attributes:
        aggregate: as it would be.
        reason: why it would come to no more.
        waits_for: what it would wait for, in words.
        until_ms: the business time that it would wait for, if that is what it waits for.
        orders: those that would be sent now, or be refused when they are; oldest first.
        later: what would wait for a price to send more.
    """

    aggregate: Aggregate
    outcome: Outcome
    reason: Reason | None = None
    waits_for: str | None = None
    until_ms: EpochMs | None = None
    orders: tuple[Order, ...] = ()
    later: tuple[SmartOrder | SmartTrade, ...] = ()


@dataclass(frozen=True, slots=True)
class Altered:
    """What is there already, and would be changed."""

    before: Aggregate
    after: Aggregate


def foreseen(
    changes: Sequence[Change], problems: Mapping[AggregateId, Reason], ports: Ports
) -> tuple[Sequence[Foreseen], Sequence[Altered]]:
    """Return what the changes of a dry run come to: what is new, and what is altered.

    Args:
        changes: all that was committed in it, in order.
        problems: id → what kept something from being done.
        ports: of the dry run.
    """
    firsts: dict[AggregateId, Change] = {}
    for change in changes:
        firsts.setdefault(change.after.id, change)
    finals = {one: ports.ledger.load(one).aggregate for one in firsts}
    new = {one: finals[one] for one, first in firsts.items() if first.before is None}
    altered = [
        Altered(first.before.aggregate, finals[one])
        for one, first in firsts.items()
        if first.before is not None
    ]
    tops = [one for one in new.values() if one.parent_id not in new]
    return [_foreseen(top, _family(top, new), problems, ports) for top in tops], altered


def _family(top: Aggregate, new: Mapping[AggregateId, Aggregate]) -> Sequence[Aggregate]:
    """Return an aggregate and all that it has brought forth."""
    found = [top]
    for one in found:
        found += [child for child in new.values() if child.parent_id == one.id]
    return found


def _foreseen(
    top: Aggregate,
    family: Sequence[Aggregate],
    problems: Mapping[AggregateId, Reason],
    ports: Ports,
) -> Foreseen:
    made = sorted((one for one in family if isinstance(one, Order)), key=lambda one: one.id)
    looked_at = [_looked_at(one, ports) for one in made]
    orders = tuple(order for order, outcome in looked_at if outcome in _ORDERED)
    outcomes = [outcome for _, outcome in looked_at]
    outcome = _outcome_of(top, outcomes)
    met = [problems[one.id] for one in family if one.id in problems]
    reason = _reason_of([top, *(order for order, _ in looked_at)])
    if outcome is Outcome.WAIT and reason is None and met:
        reason = met[0]
    waits_for, until_ms = (
        _wait_of(top, looked_at, ports) if outcome is Outcome.WAIT else (None, None)
    )
    return Foreseen(
        aggregate=top,
        outcome=outcome,
        reason=reason if outcome is not Outcome.SEND or _is_partial(top) else None,
        waits_for=waits_for,
        until_ms=until_ms,
        orders=orders,
        later=tuple(_later(family)),
    )


_ORDERED = frozenset({Outcome.SEND, Outcome.REJECT, Outcome.DENY})


def _looked_at(order: Order, ports: Ports) -> tuple[Order, Outcome]:
    """Return an order of a dry run as it would be, and what it would come to."""
    if order.status is OrderStatus.REJECTED:
        return order, Outcome.REJECT
    if order.token:
        return order, Outcome.SEND
    if order.status in {OrderStatus.DENIED, OrderStatus.EXPIRED}:
        return order, Outcome.DENY
    if order.status is not OrderStatus.PENDING_NEW:
        return order, Outcome.NOTHING
    account = ports.accounts.account(order.account)
    if order.is_queued or order.is_held or account.venue == PAPER:
        return order, Outcome.WAIT
    return _at_exchange(order, account, ports)


def _at_exchange(order: Order, account: Account, ports: Ports) -> tuple[Order, Outcome]:
    """Return an order as an exchange would get it, and what it would come to as far as we know."""
    try:
        sent = as_it_would_be_sent(order, account, ports)
    except VenueError as error:
        return replace(order, reason=_reason_from(error)), Outcome.WAIT
    if isinstance(sent, Order):
        return sent, Outcome.SEND
    waits = order.reduces and sent.code is ReasonCode.ACCOUNT_HALTED
    return replace(order, reason=sent), Outcome.WAIT if waits else Outcome.DENY


def _outcome_of(top: Aggregate, of_orders: Sequence[Outcome]) -> Outcome:
    if Outcome.SEND in of_orders:
        return Outcome.SEND
    if isinstance(top, Order):
        return of_orders[0]
    word = _WORDS.get(top.status.upper())
    if word is not None:
        return word
    for one in (Outcome.REJECT, Outcome.DENY):
        if one in of_orders:
            return one
    if isinstance(top, Request) and top.is_cancel:
        return Outcome.CHANGE if top.status is RequestStatus.DONE else Outcome.WAIT
    return Outcome.WAIT if top.is_live else Outcome.NOTHING


#: State, in capitals → what it is called here.
_WORDS: Mapping[str, Outcome] = {
    "SKIPPED": Outcome.SKIP,
    "DENIED": Outcome.DENY,
    "EXPIRED": Outcome.DENY,
    "REJECTED": Outcome.REJECT,
    "FAILED": Outcome.REJECT,
    "CANCELED": Outcome.SKIP,
    "CANCELLED": Outcome.SKIP,
}


def _is_partial(top: Aggregate) -> bool:
    return isinstance(top, Request) and top.status is RequestStatus.PARTIAL


def _reason_of(family: Sequence[Aggregate]) -> Reason | None:
    return next((one.reason for one in family if one.reason is not None), None)


def _wait_of(
    top: Aggregate, looked_at: Sequence[tuple[Order, Outcome]], ports: Ports
) -> tuple[str, EpochMs | None]:
    """Return what something waits for, in words, and the business time of that if it has one."""
    if isinstance(top, Request) and top.status is RequestStatus.SCHEDULED:
        return "its time", top.due_at_ms
    held = [one.succeeds.order_id for one, _ in looked_at if one.is_held and one.succeeds]
    if isinstance(top, SmartOrder) and not looked_at:
        said = top.trigger.sentence()
    elif isinstance(top, SmartTrade) and not looked_at:
        said = "its price"
    elif held:
        said = f"the end of order {held[0]}"
    elif ports.ledger.state_of(top.account).holds_exits:
        said = "its account, which is halted"
    else:
        lane = ports.lanes.look(top.account, top.symbol)
        before = {*lane.waiting, *lane.in_flight} - {top.id}
        said = f"its turn, behind {len(before)} others" if before else "its venue"
    return said, None


def _later(family: Sequence[Aggregate]) -> Iterator[SmartOrder | SmartTrade]:
    for one in family:
        if isinstance(one, SmartOrder) and one.is_pending:
            yield one
        if isinstance(one, SmartTrade) and one.is_live:
            yield one
