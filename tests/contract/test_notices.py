"""Notices: each waits for its channel, in order, until that was told."""

from dataclasses import replace

import pytest
import redis

from app.domain.channel import Delivery
from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, StoreUnavailable
from app.domain.identifiers import AccountId, AccountName, AggregateId, EpochMs
from app.domain.notice import Notice, NoticeKind
from app.domain.reason import Reason
from app.ports.ledger import Change
from app.ports.notices import Addressed, Mailbox, Progress
from app.store.core import keys
from app.store.core.ledger import RedisLedger
from app.store.core.notices import RedisNotices
from app.store.core.sharded import ShardedClient
from tests.support.builders import a_signal, an_id
from tests.support.clocks import FrozenClock

PHONE = Mailbox(NoticeKind.FILL, "phone")
ACCOUNTS = [AccountId(number) for number in (1, 5, 16, 18)]


def a_notice(number: int, kind: NoticeKind = NoticeKind.FILL) -> Notice:
    return Notice(
        id=f"n{number}",
        kind=kind,
        at_ms=EpochMs(number),
        message=f"bought {number}: “quoted”",
        account=AccountName("mine"),
        about=AggregateId(number),
    )


@pytest.fixture
def notices(client: redis.Redis) -> RedisNotices:
    return RedisNotices(client)


def test_they_wait_in_the_order_in_which_they_have_happened(notices: RedisNotices) -> None:
    for account, number in zip(ACCOUNTS, (4, 2, 3, 1), strict=True):
        notices.put(account, [("phone", a_notice(number))])
    notices.put(ACCOUNTS[0], [("phone", a_notice(4))])

    assert set(notices.mailboxes()) == {PHONE}
    assert notices.waiting(PHONE, 10) == [a_notice(number) for number in (1, 2, 3, 4)]
    assert notices.waiting(PHONE, 2) == [a_notice(1), a_notice(2)]
    assert notices.count([PHONE]) == {PHONE: 4}


def test_each_channel_and_kind_is_a_line_of_its_own(notices: RedisNotices) -> None:
    mailboxes = [
        Mailbox(kind, channel)
        for kind in (NoticeKind.FILL, NoticeKind.UNREADY)
        for channel in ("phone", "mail:of-mine")
    ]
    for mailbox in mailboxes:
        notices.put(AccountId(0), [(mailbox.channel, a_notice(1, mailbox.kind))])
    notices.remove(mailboxes[1], [a_notice(1)])

    assert set(notices.mailboxes()) == {mailboxes[0], mailboxes[2], mailboxes[3]}
    assert notices.waiting(mailboxes[1], 10) == []


def test_what_is_told_leaves_and_the_rest_stays(notices: RedisNotices) -> None:
    for account in ACCOUNTS:
        notices.put(account, [("phone", a_notice(account))])
    notices.remove(PHONE, [a_notice(1), a_notice(16)])
    notices.remove(PHONE, [a_notice(1), a_notice(99)])

    assert [one.about for one in notices.waiting(PHONE, 10)] == [5, 18]
    notices.remove(PHONE, notices.waiting(PHONE, 10))
    assert not notices.mailboxes()


def test_a_kind_that_only_a_newer_release_knows_is_left_to_it(
    notices: RedisNotices, client: redis.Redis
) -> None:
    notices.put(AccountId(1), [("phone", a_notice(1))])
    client.sadd(keys.SHARDS[3].told_to, "weather:phone")

    assert set(notices.mailboxes()) == {PHONE}


def test_how_far_a_line_is_and_how_it_goes_are_written_down(notices: RedisNotices) -> None:
    fresh = notices.progress(PHONE), notices.delivery("phone")
    progress = Progress(begun=("n1", "n2"), next_ms=EpochMs(7), failures=3)
    other = Progress(sent=4, dropped=1, last_sent_ms=EpochMs(5), error="no", error_ms=EpochMs(6))
    notices.note(PHONE, progress)
    notices.note(Mailbox(NoticeKind.UNREADY, "phone"), other)
    notices.note(Mailbox(NoticeKind.VENUE, "phone"), replace(other, last_sent_ms=EpochMs(9)))
    notices.note(Mailbox(NoticeKind.VENUE, "other"), other)
    notices.put(AccountId(1), [("phone", a_notice(1)), ("other", a_notice(1))])

    assert fresh == (Progress(), Delivery())
    assert notices.progress(PHONE) == progress
    assert notices.delivery("phone") == Delivery(
        waiting=1, sent=8, dropped=2, last_sent_ms=EpochMs(9), error="no", error_ms=EpochMs(6)
    )


def test_an_alarm_is_told_once_when_it_begins_and_once_when_it_is_over(
    notices: RedisNotices,
) -> None:
    began = [("phone", a_notice(1, NoticeKind.UNKNOWN))]
    over = [("phone", a_notice(2, NoticeKind.UNKNOWN))]
    news = [notices.begin_alarm(AccountId(5), "unknown:1", EpochMs(9), began) for _ in range(2)]
    known = notices.alarms()
    notices.end_alarm(AccountId(5), "unknown:1", over)

    assert news == [True, False]
    assert known == {"unknown:1": 9}
    assert notices.alarms() == {}
    mailbox = Mailbox(NoticeKind.UNKNOWN, "phone")
    assert notices.waiting(mailbox, 10) == [a_notice(1, mailbox.kind), a_notice(2, mailbox.kind)]


def test_a_commit_writes_what_is_to_be_told_or_nothing(
    client: redis.Redis, notices: RedisNotices
) -> None:
    def news_of(change: Change, version: int) -> list[Addressed]:
        told = a_notice(version)
        return [("phone", told)] if change.after.reason is not None else []

    ledger = RedisLedger(client, FrozenClock(), lambda: "t", 1_000, news_of=news_of)
    signal = a_signal(id=an_id(3))
    ledger.commit([Change(None, signal)])
    stored = ledger.load(signal.id)
    denied = replace(signal, reason=Reason(ReasonCode.NO_PRICE, "none"))
    ledger.commit([Change(stored, denied)])
    with pytest.raises(Conflict):
        ledger.commit([Change(stored, denied)])

    assert notices.waiting(PHONE, 10) == [a_notice(2)]


def test_with_one_of_several_servers_away_the_rest_is_told(
    spread_client: ShardedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = RedisNotices(spread_client)
    accounts = [AccountId(number) for number in range(16)]
    for account in accounts:
        notices.put(account, [("phone", a_notice(account))])
    away = spread_client.servers[-1]
    here = [one for one in accounts if spread_client.of(keys.shard_of(one).told_to) is not away]

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(away, "execute_command", fail)
    monkeypatch.setattr(away, "pipeline", fail)
    found = notices.waiting(PHONE, 100)
    count = notices.count([PHONE])
    notices.remove(PHONE, found)

    assert 0 < len(here) < 16
    assert [int(one.about or 0) for one in found] == list(map(int, here))
    assert count == {PHONE: len(here)}
    assert notices.waiting(PHONE, 100) == []
