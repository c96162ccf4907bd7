"""Requests that were refused at the door are told to whoever wants to hear of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.identifiers import EpochMs
from app.domain.notice import Notice, NoticeKind
from app.ports.notices import Channels, Notices
from app.services.telling.address import addressed_to
from app.services.telling.alarms import NOBODY

#: Refusals by which nobody has got an order wrong: of strangers, and of whoever sends too much.
_NOT_TOLD = frozenset({401, 403, 404, 405, 429})


def tell_refused(rows: Sequence[Mapping[str, Any]], notices: Notices, channels: Channels) -> None:
    """Have people told of refused requests.

    Args:
        rows: what is kept of each: `dialect`, `status`, `reason`, `at_ms`, `times`.
        notices: where they wait.
        channels: whom there is to tell.

    Raises:
        StoreUnavailable: they are not told.
    """
    known = channels.channels()
    if known:
        told = [_refused(row) for row in rows if _is_told(int(row["status"]))]
        notices.put(NOBODY, [one for notice in told for one in addressed_to(known, notice)])


def _is_told(status: int) -> bool:
    return status < 500 and status not in _NOT_TOLD  # noqa: PLR2004 - the classes of HTTP


def _refused(row: Mapping[str, Any]) -> Notice:
    times = f", {row['times']} times" if row["times"] > 1 else ""
    message = f"a {row['dialect']} request was refused{times}: {row['reason']}"
    return Notice(
        id=f"refused-{row['dialect']}-{row['at_ms']}-{row['status']}",
        kind=NoticeKind.BAD_REQUEST,
        at_ms=EpochMs(int(row["at_ms"])),
        message=message,
    )
