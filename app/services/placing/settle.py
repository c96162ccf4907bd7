"""Whether everything that can happen now has happened (for paper accounts)."""

from app.domain.account import PAPER
from app.domain.aggregate import Aggregate
from app.domain.effects import EffectKind
from app.domain.enums import Mode
from app.domain.errors import NotFound, UnreadableRecord
from app.domain.exits import PAUSE_MAX_MS
from app.domain.identifiers import AccountId, AggregateId
from app.domain.moments import has_come
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services.find_anywhere import readable
from app.services.placing.lane import is_late

#: An exit that tries again within this time is waited for.
SOON_MS = 1_000


def is_settled(ports: Ports) -> bool:
    """Tell whether the stack is settled.

    The newest tick is evaluated, outboxes are empty, no timer and no kill switch is due, no order
    is PENDING_NEW or PLACING, and fills are followed. Only paper accounts count, and neither their
    orders of unknown outcome, which wait for a time to come, nor what waits for a halted account to
    run again.

    The lists are read one after the other, and work moves between them, from one that is not read
    yet to one that was read already. Every such move is a commit, so a look during which something
    was committed proves nothing.
    """
    revision = ports.ledger.revision()
    return not _is_busy(ports) and ports.ledger.revision() == revision


def _is_busy(ports: Ports) -> bool:
    now_ms = ports.clock.now_ms()
    return (
        # First, for what it cancels is seen below.
        any(_is_paper(one.account, ports) for one in ports.kill_switches.due(now_ms))
        or ports.venues.feed(PAPER).next_tick(()) is not None
        or bool(ports.book.fired(PAPER))
        or bool(ports.reports.accounts_with_news())
        or bool(ports.timers.due(now_ms, 1))
        or _is_owed(ports)
        or any(_counts(one, ports) for one in ports.live.placing())
    )


def _is_owed(ports: Ports) -> bool:
    return any(
        _counts(effect.target, ports)
        for effect in ports.outbox.owed()
        if effect.kind is not EffectKind.RESOLVE
    )


def _is_paper(account_id: AccountId, ports: Ports) -> bool:
    try:
        return ports.accounts.account(account_id).mode is Mode.PAPER
    except NotFound:
        return False


def _counts(aggregate_id: AggregateId, ports: Ports) -> bool:
    try:
        aggregate = ports.ledger.load(aggregate_id).aggregate
        account = ports.accounts.account(aggregate.account)
    except (NotFound, UnreadableRecord):
        return False
    if account.mode is not Mode.PAPER or _waits_for_lane(aggregate, ports):
        return False
    if isinstance(aggregate, SmartOrder | SmartTrade) and _pauses(aggregate, ports):
        return False
    return not (_is_exit(aggregate) and ports.ledger.state_of(account.id).holds_exits)


def _pauses(owner: SmartOrder | SmartTrade, ports: Ports) -> bool:
    """Tell whether an exit waits for a while until it tries again."""
    soon_ms = ports.clock.server_ms() + SOON_MS
    at_ms = owner.resumes_at_ms
    return at_ms is not None and not has_come(at_ms, soon_ms, PAUSE_MAX_MS)


def _is_exit(aggregate: Aggregate) -> bool:
    """Tell whether it waits while its account is halted; entries are denied, cancels go on."""
    match aggregate:
        case Order():
            return aggregate.reduces and aggregate.status is OrderStatus.PENDING_NEW
        case Request():
            return aggregate.is_queued and not aggregate.is_entry
        case SmartOrder() | SmartTrade():
            return False


def _waits_for_lane(aggregate: Aggregate, ports: Ports) -> bool:
    """Tell whether it waits in a lane behind an order of unknown outcome."""
    if isinstance(aggregate, Order) and not aggregate.is_queued:
        return aggregate.status is OrderStatus.UNKNOWN
    if isinstance(aggregate, Request) and is_late(aggregate, ports.clock.now_ms()):
        return False  # it expires without waiting any longer
    lane = (aggregate.account, aggregate.symbol)
    return any(
        isinstance(one, Order) and (one.account, one.symbol) == lane
        for one in readable(ports.live.unknown(), ports)
    )
