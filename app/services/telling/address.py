"""Which channels hear of what."""

from collections.abc import Sequence

import structlog

from app.domain.errors import NotFound
from app.domain.identifiers import AccountName
from app.domain.notice import Notice, news_in
from app.ports.ledger import Change
from app.ports.notices import Addressed, Channels
from app.ports.registry import Accounts
from app.services.apart import MISTAKES

_log = structlog.get_logger()


def addressed_to(
    channels: Channels, notice: Notice, affects: Sequence[AccountName] = ()
) -> Sequence[Addressed]:
    """Return the notice, for each channel that is to hear of it.

    Args:
        channels: all of them.
        notice: what is told.
        affects: whom it concerns, where it is nobody's.
    """
    return [
        (one.name, notice)
        for one in channels.channels()
        if any(one.wants(notice.kind, account) for account in (notice.account, *affects))
    ]


class Newsroom:
    """Finds what people are to be told of a change, for whoever commits it.

    Without channels it costs nothing. A mistake in it never stands in the way of a commit.
    """

    def __init__(self, channels: Channels, accounts: Accounts) -> None:
        self._channels = channels
        self._accounts = accounts

    def of(self, change: Change, version: int) -> Sequence[Addressed]:
        """Return what is told to whom of a change that leads to this version of its aggregate.

        Raises:
            StoreUnavailable: nobody knows whose account it is; the commit would fail likewise.
        """
        if not self._channels.channels():
            return ()
        try:
            return self._of(change, version)
        except (NotFound, *MISTAKES):
            _log.exception("notice_left", aggregate=str(change.after.id))
            return ()

    def _of(self, change: Change, version: int) -> Sequence[Addressed]:
        before = None if change.before is None else change.before.aggregate
        found = list(news_in(before, change.after, change.entries))
        if not found:
            return ()
        after = change.after
        account = self._accounts.account(after.account).name
        notices = [
            Notice(
                id=f"{after.id}-{version}-{kind}",
                kind=kind,
                at_ms=after.updated_at_ms,
                message=message,
                account=account,
                about=after.id,
            )
            for kind, message in found
        ]
        return [one for notice in notices for one in addressed_to(self._channels, notice)]
