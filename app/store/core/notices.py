"""What people are to be told: written with what has happened, kept until it is told."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import redis

from app.domain.channel import Delivery
from app.domain.identifiers import AccountId, EpochMs
from app.domain.notice import Notice, NoticeKind
from app.ports.notices import Addressed, Mailbox, Progress
from app.store.core import keys
from app.store.core.codec import decoder, encoder, json_text
from app.store.core.scripts import Call, load_script, run_queued, text_of
from app.store.core.sharded import by_server, each_server
from app.store.core.transaction import OK, Condition, Write, transact


def notice_writes(shard: keys.Shard, addressed: Sequence[Addressed]) -> list[Write]:
    """Return the writes by which channels come to be told of these."""
    writes: list[Write] = []
    for channel, notice in addressed:
        mailbox = f"{notice.kind}:{channel}"
        text = json_text(encoder(Notice)(notice))
        writes.append(("ZADD", shard.notices + mailbox, notice.at_ms, text))
        writes.append(("SADD", shard.told_to, mailbox))
    return writes


class RedisNotices:
    """The notices of all shards, and how it goes with telling of them.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._commit = load_script(client, "run.lua", "commit.lua")
        self._told = load_script(client, "notices_told.lua")

    def put(self, account: AccountId, addressed: Sequence[Addressed]) -> None:
        """Have these told which come with no change to an aggregate; the same again is once."""
        if addressed:
            transact(self._commit, [], notice_writes(keys.shard_of(account), addressed))

    def mailboxes(self) -> Collection[Mailbox]:
        """Return the mailboxes in which anything waits; a server that is away is left out."""
        found: set[Mailbox] = set()
        named = by_server(self._client, [shard.told_to for shard in keys.SHARDS])
        for members in each_server(named, _members):
            found |= {mailbox for member in members if (mailbox := _mailbox(member)) is not None}
        return found

    def waiting(self, mailbox: Mailbox, limit: int) -> Sequence[Notice]:
        """Return the oldest of a mailbox, up to `limit`."""
        named = [shard.notices + _text(mailbox) for shard in keys.SHARDS]
        ask = partial(_oldest, limit=limit)
        found = [one for own in each_server(by_server(self._client, named), ask) for one in own]
        return sorted(found, key=lambda one: (one.at_ms, one.id))[:limit]

    def count(self, mailboxes: Collection[Mailbox]) -> Mapping[Mailbox, int]:
        """Return how many wait in these mailboxes; a server that is away is left out."""
        counts = {}
        for mailbox in mailboxes:
            named = [shard.notices + _text(mailbox) for shard in keys.SHARDS]
            counts[mailbox] = sum(each_server(by_server(self._client, named), _count))
        return counts

    def remove(self, mailbox: Mailbox, notices: Sequence[Notice]) -> None:
        """Take these off: they are told, or will not be."""
        texts = [json_text(encoder(Notice)(one)) for one in notices]
        told_to = {shard.notices + _text(mailbox): shard.told_to for shard in keys.SHARDS}

        def take_off(_: redis.Redis, own: Sequence[str]) -> None:
            calls: list[Call] = [
                (self._told, [key, told_to[key]], [_text(mailbox), *texts]) for key in own
            ]
            run_queued(self._client, calls)

        # What is on a server that is away was not read, either.
        each_server(by_server(self._client, told_to), take_off)

    def progress(self, mailbox: Mailbox) -> Progress:
        """Return how far the messages of a mailbox are."""
        found = self._client.hget(keys.DELIVERIES, _text(mailbox))
        return Progress() if found is None else _read(Progress, found)

    def note(self, mailbox: Mailbox, progress: Progress) -> None:
        """Write that down."""
        text = json_text(encoder(Progress)(progress))
        self._client.hset(keys.DELIVERIES, _text(mailbox), text)

    def delivery(self, channel: str) -> Delivery:
        """Return how it goes with the messages of a channel."""
        mailboxes = [Mailbox(kind, channel) for kind in NoticeKind]
        found = self._client.hmget(keys.DELIVERIES, [_text(one) for one in mailboxes])
        each: list[Progress] = [_read(Progress, text) for text in found if text is not None]
        failed = max((one for one in each if one.error), key=_failed_ms, default=Progress())
        waiting = [one for one in self.mailboxes() if one.channel == channel]
        return Delivery(
            waiting=sum(self.count(waiting).values()),
            dropped=sum(one.dropped for one in each),
            sent=sum(one.sent for one in each),
            last_sent_ms=max((one.last_sent_ms for one in each if one.last_sent_ms), default=None),
            error=failed.error,
            error_ms=failed.error_ms,
        )

    def alarms(self) -> Mapping[str, EpochMs]:
        """Return what ails, and was told → since when, server time."""
        found: dict[str, EpochMs] = {}
        named = by_server(self._client, [shard.alarms for shard in keys.SHARDS])
        for alarms in each_server(named, _alarms):
            found |= alarms
        return found

    def begin_alarm(
        self, account: AccountId, name: str, since_ms: EpochMs, addressed: Sequence[Addressed]
    ) -> bool:
        """Write down that something ails and have it told; return whether it was news."""
        shard = keys.shard_of(account)
        unused: Condition = ("unused", shard.alarms, name)
        noted: Write = ("HSET", shard.alarms, name, since_ms)
        answer = transact(self._commit, [unused], [noted, *notice_writes(shard, addressed)])
        return bool(answer[0] == OK)

    def end_alarm(self, account: AccountId, name: str, addressed: Sequence[Addressed]) -> None:
        """Write down that it is over, and have that told, in one step."""
        shard = keys.shard_of(account)
        over: Write = ("HDEL", shard.alarms, name)
        transact(self._commit, [], [over, *notice_writes(shard, addressed)])


def _count(server: redis.Redis, own: Sequence[str]) -> int:
    with server.pipeline(transaction=False) as pipeline:
        for key in own:
            pipeline.zcard(key)
        return sum(pipeline.execute())


def _failed_ms(progress: Progress) -> int:
    return progress.error_ms or 0


def _text(mailbox: Mailbox) -> str:
    return f"{mailbox.kind}:{mailbox.channel}"


def _mailbox(text: str) -> Mailbox | None:
    """Return the mailbox of a member; of a kind that only a newer release knows there is none."""
    kind, _, channel = text.partition(":")
    return Mailbox(NoticeKind(kind), channel) if kind in set(NoticeKind) else None


def _read(kind: Any, text: object) -> Any:  # noqa: ANN401 - as the codec has it
    return decoder(kind)(json.loads(text_of(text)))


def _members(server: redis.Redis, own: Sequence[str]) -> list[str]:
    with server.pipeline(transaction=False) as pipeline:
        for key in own:
            pipeline.smembers(key)
        return [text_of(one) for members in pipeline.execute() for one in members]


def _alarms(server: redis.Redis, own: Sequence[str]) -> dict[str, EpochMs]:
    with server.pipeline(transaction=False) as pipeline:
        for key in own:
            pipeline.hgetall(key)
        found = pipeline.execute()
    return {text_of(name): EpochMs(int(ms)) for alarms in found for name, ms in alarms.items()}


def _oldest(server: redis.Redis, own: Sequence[str], limit: int) -> list[Notice]:
    with server.pipeline(transaction=False) as pipeline:
        for key in own:
            pipeline.zrange(key, 0, limit - 1)
        found = pipeline.execute()
    return [_read(Notice, text) for texts in found for text in texts]
