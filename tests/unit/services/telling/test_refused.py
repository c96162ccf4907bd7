"""Requests that were refused at the door are told, but for those of strangers."""

from typing import Any

import pytest

from app.domain.channel import Channel
from app.domain.notice import NoticeKind
from app.ports.notices import Mailbox
from app.services.telling.refused import tell_refused
from tests.support.rig import Rig

BAD = Mailbox(NoticeKind.BAD_REQUEST, "phone")


def a_row(at_ms: int, status: int = 400, **odd: object) -> dict[str, Any]:
    row = {
        "dialect": "crypto_arsenal",
        "status": status,
        "reason": "percent: Not a number.",
        "peer": "1.2.3.4",
        "at_ms": at_ms,
        "times": 1,
    }
    return row | odd


def told(rig: Rig, *rows: dict[str, Any]) -> list[str]:
    rig.registry.put_channel(Channel(name="phone", sealed="-", service="tgram"))
    tell_refused(rows, rig.notices, rig.registry)
    return [one.message for one in rig.notices.waiting(BAD, 10)]


def test_each_is_told_with_what_was_wrong(rig: Rig) -> None:
    assert told(rig, a_row(5_000, times=3), a_row(4_000, 422)) == [
        "a crypto_arsenal request was refused: percent: Not a number.",
        "a crypto_arsenal request was refused, 3 times: percent: Not a number.",
    ]


@pytest.mark.parametrize("status", [401, 403, 404, 405, 429, 500, 503])
def test_strangers_and_our_own_trouble_are_no_bad_request(rig: Rig, status: int) -> None:
    assert told(rig, a_row(5_000, status)) == []


def test_without_channels_nothing_is_written(rig: Rig) -> None:
    tell_refused([a_row(5_000)], rig.notices, rig.registry)

    assert rig.notices.mailboxes() == set()
