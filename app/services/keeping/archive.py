"""What has finished goes into the history, and leaves the store when it has been there for long."""

from collections.abc import Callable
from functools import partial

import structlog

from app.domain.account import PAPER
from app.domain.identifiers import EpochMs
from app.ports import Ports
from app.ports.history import Mark

#: Aggregates in one step, or rows of the paper venue.
BATCH = 200

#: How long one call goes on while there is more, so that it does not keep others waiting.
PATIENCE_MS = 500

#: A record of a newer release is looked at again after this long: the update may be through then.
UNREADABLE_MS = 60_000

#: Of nothing that is in the store: versions begin at 1.
NO_MARK: Mark = (0, 0)

_log = structlog.get_logger()


def archive(ports: Ports) -> None:
    """Copy into the history what has finished, then let go what it has had for long enough.

    That is the sooner the less room the store has; see `StoreMemory.stay_ms`.

    Nothing is lost or doubled if this runs twice, at once, or stops halfway. The history is written
    first, and keeps the newest form that it was ever given; only what it has as it is in the store
    is taken off the list, and only that leaves, in one step with the check.

    Raises:
        HistoryUnavailable: the rest stays in the store until it is back.
    """
    until_ms = ports.clock.steady_ms() + PATIENCE_MS
    _meet(ports.history.identity(), ports)
    _go_on(_keep, until_ms, ports)
    _go_on(lambda _: ports.history.complete(BATCH), until_ms, ports)
    if ports.policy.history_after_ms:
        stay_ms = ports.archive_queue.memory().stay_ms(ports.policy.history_after_ms)
        _go_on(partial(_let_go, stay_ms), until_ms, ports)
        _go_on(_let_rows_go, until_ms, ports)


def _meet(identity: str, ports: Ports) -> None:
    """Give another history than the one before all that is still there to be given."""
    before = ports.archive_queue.history()
    if before == identity:
        return
    if before is not None:
        _log.warning("history_is_another", identity=identity, before=before)
    now_ms = ports.clock.server_ms()
    while ids := ports.archive_queue.leaving(now_ms, BATCH):
        ports.archive_queue.keep_again(ids)
    ports.archive_queue.enqueue()
    ports.archive_queue.set_history(identity)


def _go_on(step: Callable[[Ports], bool], until_ms: int, ports: Ports) -> None:
    while step(ports) and ports.clock.steady_ms() < until_ms:
        pass


def _keep(ports: Ports) -> bool:
    """Keep one batch. Return whether there may be another."""
    ids = ports.archive_queue.finished(BATCH)
    records = ports.archive_queue.load(ids)
    ports.history.keep(records)
    marks = {one.aggregate.id: one.mark for one in records}
    unread = [one for one in ids if one not in marks]
    # What has left meanwhile is taken off the list; under this mark nothing else is.
    ports.archive_queue.kept({**marks, **dict.fromkeys(unread, NO_MARK)})
    if unread:
        # Live again, which its commit has said by now, or not to be read by this release.
        until_ms = EpochMs(ports.clock.server_ms() + UNREADABLE_MS)
        ports.archive_queue.postpone(unread, until_ms)
    return len(ids) == BATCH


def _let_go(stay_ms: int, ports: Ports) -> bool:
    """Let one batch leave. Return whether there may be another."""
    kept_before_ms = EpochMs(ports.clock.server_ms() - stay_ms)
    marks = ports.archive_queue.leaving(kept_before_ms, BATCH)
    known = ports.history.marks(marks)
    lost = {one for one, mark in marks.items() if known.get(one) != mark}
    if lost:
        _log.warning("history_keeps_again", count=len(lost))
        ports.archive_queue.keep_again(lost)
    ports.archive_queue.leave({one: mark for one, mark in marks.items() if one not in lost})
    return len(marks) == BATCH


def _let_rows_go(ports: Ports) -> bool:
    """Let rows of the paper venue follow their orders. Return whether there may be many more.

    They are taken at random, so nobody has to note which were looked at, and old ones go, too. A
    row leaves after its order of ours: who may still ask about that finds it in the store.
    """
    accounts = [one.id for one in ports.accounts.accounts() if one.venue == PAPER]
    owners = {
        named: ports.ids.order_of(named[1]) for named in ports.paper_rows.some(accounts, BATCH)
    }
    here = ports.ledger.present([one for one in owners.values() if one is not None])
    rows = [
        *ports.paper_rows.ended([named for named, owner in owners.items() if owner not in here]),
        *ports.paper_rows.repeats(accounts, BATCH),
    ]
    ports.history.keep_paper_rows(rows)
    # With fewer a quarter at most of all that is there could leave, which may wait for a second.
    return ports.paper_rows.leave(rows) * 4 >= BATCH
