"""Which channels hear of what."""

from collections.abc import Sequence

import structlog

from app.domain.channel import Channel
from app.domain.identifiers import AccountName
from app.domain.notice import Notice, news_in
from app.ports.ledger import Change
from app.ports.notices import Addressed, Channels
from app.services.apart import MISTAKES

_log = structlog.get_logger()


def addressed_to(
    channels: Sequence[Channel], notice: Notice, affects: Sequence[AccountName] = ()
) -> Sequence[Addressed]:
    """Return the notice, for each channel that is to hear of it.

    Args:
        channels: all of them.
        notice: what is told.
        affects: whom it concerns, where it is nobody's.
    """
    return [
        (one.name, notice)
        for one in channels
        if any(one.wants(notice.kind, account) for account in (notice.account, *affects))
    ]


class Newsroom:
    """Finds what people are to be told of a change, for whoever commits it.

    Nothing is asked for that, and without channels it costs nothing. A mistake in it never stands
    in the way of a commit.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._known: Sequence[Channel] = ()
        self._by_account: dict[AccountName | None, Sequence[Channel]] = {}

    def of(self, change: Change, version: int) -> Sequence[Addressed]:
        """Return what is told to whom of a change that leads to this version of its aggregate."""
        try:
            channels = self._channels.channels()
            return self._of(change, version, channels) if channels else ()
        except MISTAKES:
            _log.exception("notice_left", aggregate=str(change.after.id))
            return ()

    def _of(self, change: Change, version: int, channels: Sequence[Channel]) -> Sequence[Addressed]:
        before = None if change.before is None else change.before.aggregate
        after = change.after
        account = self._channels.known_name(after.account)
        told = [
            Notice(
                id=f"{after.id}-{version}-{kind}" + (f"-{number}" if number else ""),
                kind=kind,
                at_ms=after.updated_at_ms,
                message=message,
                account=account,
                about=after.id,
            )
            for number, (kind, message) in enumerate(news_in(before, after, change.entries))
        ]
        if not told:
            return ()
        concerned = self._concerned(account, channels)
        return [one for notice in told for one in addressed_to(concerned, notice)]

    def _concerned(
        self, account: AccountName | None, channels: Sequence[Channel]
    ) -> Sequence[Channel]:
        """Return the channels that may hear of an account: of thousands it is one or two."""
        if self._known is not channels:
            self._known, self._by_account = channels, {}
        found = self._by_account.get(account)
        if found is None:
            found = [one for one in channels if not one.accounts or account in one.accounts]
            self._by_account[account] = found
        return found
