"""A number that store and history count together, so that one of them alone is not put back unseen.

The store counts first. So a history that is ahead of its store tells that the store was restored
from an earlier copy, and one that is far behind that the history was.
"""

from app.domain.account import PAPER
from app.domain.frozen import Frozen
from app.ports import Ports
from app.services.exclusive import exclusive

#: Between two counts. What was restored to an earlier moment within it is told by the venues alone.
COUNT_MS = 10_000

#: Longer than it takes to freeze all accounts.
LEASE_MS = 30_000

WHY = "the store is older than the history: it was restored from an earlier copy"


def count_on(ports: Ports) -> None:
    """Count on by one, first in the store, then in the history; once in a while, whoever asks.

    Stopped between the two, the history is one behind, which means nothing.

    Raises:
        HistoryUnavailable: the history did not count.
    """
    # Not given back: nobody counts again before its time.
    if ports.locks.acquire("epoch", COUNT_MS) is None or not is_store_whole(ports):
        return
    ports.history.raise_epoch(ports.runs.raise_epoch())


def is_store_whole(ports: Ports) -> bool:
    """Tell whether the store is as far as its history; if not, freeze all accounts but paper's.

    Twice, or at once, freezes once: then the store counts on from where the history is.

    Returns:
        False also while another worker is at it.

    Raises:
        HistoryUnavailable: the history could not be asked.
    """
    there = ports.history.epoch()
    if ports.runs.epoch() >= there:
        return True
    with exclusive(ports.locks, "epoch_behind", LEASE_MS) as is_ours:
        if is_ours and ports.runs.epoch() < there:
            for account in ports.accounts.accounts():
                if account.venue != PAPER and ports.freezer.of(account.id) is None:
                    now_ms = ports.clock.server_ms()
                    ports.freezer.freeze(Frozen(account=account.id, at_ms=now_ms, why=WHY))
            ports.runs.reach_epoch(there)
    return False


def is_history_behind(ports: Ports) -> bool:
    """Tell whether the history is another one than that with which the store has counted.

    Raises:
        HistoryUnavailable: the history could not be asked.
    """
    return ports.history.epoch() < ports.runs.epoch() - 1
