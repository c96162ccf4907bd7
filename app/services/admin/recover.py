"""A frozen account is given free by a person who has seen why it is frozen."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from app.domain.account import Account
from app.domain.aggregate import Aggregate
from app.domain.enums import AccountState, ReasonCode
from app.domain.errors import NotFound, WrongState
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.reason import Reason
from app.ports import Ports
from app.services.apart import apart
from app.services.find_anywhere import readable
from app.services.keeping.resume import wake_account
from app.services.placing.cancel import request_cancel

_ENDED = Reason(ReasonCode.REQUESTED, "ended before the account was released")


def waiting(account: Account, ports: Ports) -> Sequence[Aggregate]:
    """Return what is live in an account, oldest first: it goes on once the account is released."""
    return list(readable(sorted(ports.live.of_account(account.id)), ports))


def release(account: Account, seen_at_ms: EpochMs, ports: Ports) -> AccountState:
    """Give a frozen account the state that it had, and return it.

    The orders at its venue that nobody here knows count as seen from now on. Twice: the second is
    told that the account is not frozen.

    Args:
        account: whose it is.
        seen_at_ms: which list the person has seen, by its `at_ms`.
        ports: as everywhere.

    Raises:
        WrongState: it is not frozen, or another list has come in the place of this one.
    """
    _check_seen(account, seen_at_ms, ports)
    frozen = ports.freezer.of(account.id)
    state = None if frozen is None else ports.freezer.thaw(frozen)
    if state is None:
        raise WrongState(f"{account.name} has changed meanwhile; look again")
    wake_account(account.id, ports)
    return state


def end_waiting(account: Account, seen_at_ms: EpochMs, ports: Ports) -> int:
    """Ask all that is live in a frozen account to end, and return how much of it was.

    What it has brought forth is asked as well: until a worker has passed the cancel on, it would
    still be sent. What is open at the venue is taken off there once the account is released.

    Raises:
        WrongState: as in `release`; or something could not be asked to end, and would go on after
            a release. All else was asked.
    """
    _check_seen(account, seen_at_ms, ports)
    live = set(ports.live.of_account(account.id))
    parts: list[AggregateId] = []
    left: list[AggregateId] = []
    ended = 0
    for one in sorted(live):
        with apart("cancels", one) as outcome:
            if _is_part(one, live, ports):
                parts.append(one)
            else:
                ended += request_cancel(one, _ENDED, ports)
        if outcome.failed:
            left.append(one)
    for one in parts:  # after that of which they are, which would put others in their places
        with apart("cancels", one) as outcome:
            request_cancel(one, _ENDED, ports)
        if outcome.failed:
            left.append(one)
    if left:
        raise WrongState(f"{len(left)} could not be asked to end, the first of them {left[0]}")
    return ended


def _is_part(one: AggregateId, live: Collection[AggregateId], ports: Ports) -> bool:
    """Tell whether it belongs to something that is live; what has left the store does not."""
    with suppress(NotFound):
        return ports.ledger.load(one).aggregate.parent_id in live
    return False


def _check_seen(account: Account, seen_at_ms: EpochMs, ports: Ports) -> None:
    frozen = ports.freezer.of(account.id)
    if frozen is None:
        raise WrongState(f"{account.name} is not frozen")
    if frozen.at_ms != seen_at_ms:
        raise WrongState(f"the list of {account.name} has changed since then; look again")
