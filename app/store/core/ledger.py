"""The aggregates, their timelines and the outbox; the truth."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

import redis
import structlog

from app import metrics
from app.domain.aggregate import Aggregate, is_news
from app.domain.decision import EntryName, TimelineEntry
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState
from app.domain.errors import (
    Conflict,
    LaneChanged,
    NewsChanged,
    NotFound,
    NotPermitted,
    NotVouched,
    RateLimited,
    StaleRegistry,
    StoreUnavailable,
    TooManyOpen,
)
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.ports.clock import Clock
from app.ports.ledger import NO_TERMS, Admission, Change, CommitConditions, Stored
from app.store.core import keys
from app.store.core.indexes import effect_text, write_difference, write_place
from app.store.core.quarantine import RedisQuarantine
from app.store.core.records import entry_text, record_of
from app.store.core.scripts import Answer, load_script, text_of, translated
from app.store.core.transaction import OK, Transaction

#: Entries kept in the stream of a shard; the timelines themselves keep everything.
EVENTS_KEPT = 10_000

_log = structlog.get_logger()

#: A dedupe key is kept this much longer than its window, which ends at a time written inside it.
DEDUPE_TIDY_MS = 3_600_000


class RedisLedger:
    """Keeps aggregates in Redis; each commit is one script call on one shard.

    Args:
        client: decodes answers to text.
        clock: tells server time and business time.
        process: names this process in timelines.
        republish_after_ms: how long an effect may be owed before its message is sent again.
    """

    def __init__(
        self,
        client: redis.Redis,
        clock: Clock,
        process: Callable[[], str],
        republish_after_ms: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._process = process
        self._republish_after_ms = republish_after_ms
        self._quarantine = RedisQuarantine(client)
        self._commit = load_script(client, "run.lua", "commit.lua")
        self._sent = threading.local()

    def load(self, aggregate_id: AggregateId) -> Stored:
        """Return the aggregate as it is now."""
        with translated():
            version, body = self._client.hmget(keys.aggregate(aggregate_id), "version", "body")
        if version is None or body is None:
            raise NotFound(f"there is no aggregate {aggregate_id}")
        return Stored(self._quarantine.read(aggregate_id, text_of(body)), int(version))

    def present(self, ids: Collection[AggregateId]) -> Collection[AggregateId]:
        """Return which of these are here, readable or not."""
        wanted = list(ids)
        with translated(), self._client.pipeline(transaction=False) as pipeline:
            for one in wanted:
                pipeline.exists(keys.aggregate(one))
            found = pipeline.execute()
        return {one for one, is_here in zip(wanted, found, strict=True) if is_here}

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        """Write all the changes or none, and return the effects that came to be owed."""
        transaction = Transaction()
        account = changes[0].after.account
        if terms.permits is not None:
            words = " ".join(sorted(terms.permits))
            transaction.require("permits", keys.state(account), words)
        if terms.vouched is not None:
            symbol, run = terms.vouched
            transaction.require("vouched", keys.vouched(account), f"{run} {symbol}")
        if terms.lane is not None:
            counter = keys.flight_changes(terms.lane.account, terms.lane.symbol)
            transaction.require("lane", counter, terms.lane.changes)
        if terms.turns is not None:
            counter = keys.turn_changes(terms.turns.account, terms.turns.symbol)
            transaction.require("lane", counter, terms.turns.turns)
        effects = self._write(changes, terms.tell, transaction)
        answer = self._run(transaction)
        if answer[0] != OK:
            raise _refusal(answer)
        _tell(changes)
        return effects

    def admit(self, changes: Sequence[Change], admission: Admission) -> AggregateId | None:
        """Write a new request and what changes with it, or return the id of the one it repeats."""
        transaction = Transaction()
        new, others = changes[0].after, changes[1:]
        freed = [one.before.aggregate for one in others if one.before is not None]
        _require_admission(new, freed, admission, self._clock.now_ms(), transaction)
        # Last comes who takes over what others leave in the same commit.
        self._write([*others, changes[0]], (), transaction)
        answer = self._run(transaction)
        if answer[0] == "repeated":
            repeated = AggregateId(int(answer[1]))
            self._note_duplicate(repeated)
            return repeated
        if answer[0] != OK:
            raise _refusal(answer)
        _tell(changes)
        return None

    def writes(self) -> int:
        """Return how many commits this thread has sent that were not refused."""
        sent: int = getattr(self._sent, "count", 0)
        return sent

    def news(self, aggregate_id: AggregateId) -> Mapping[AggregateId, int]:
        """Return what changed for this aggregate and was not read yet: child → version."""
        with translated():
            inbox = self._client.hgetall(keys.inbox(aggregate_id))
        return {
            AggregateId(int(child)): int(version)
            for child, version in sorted(inbox.items(), key=lambda item: int(item[0]))
        }

    def repeated(self, account: AccountId, dedupe_key: str, now_ms: EpochMs) -> AggregateId | None:
        """Return what was admitted under a dedupe key that still counts, or None."""
        with translated():
            found = self._client.get(keys.dedupe(account, dedupe_key))
        if found is None:
            return None
        aggregate_id, _, until_ms = text_of(found).partition(":")
        return AggregateId(int(aggregate_id)) if int(until_ms) > now_ms else None

    def state_of(self, account: AccountId) -> AccountState:
        """Return the risk state of an account; HALT if it is missing or unreadable."""
        with translated():
            state = self._client.get(keys.state(account))
        return AccountState(state) if state in set(AccountState) else AccountState.HALT

    def revision(self) -> Sequence[str]:
        """Return a mark of the newest change of each shard; equal marks mean no commit between."""
        with translated(), self._client.pipeline(transaction=False) as pipeline:
            for shard in range(keys.SHARDS):
                pipeline.xrevrange(keys.events(shard), count=1)
            newest = pipeline.execute()
        return [text_of(found[0][0]) if found else "" for found in newest]

    def _run(self, transaction: Transaction) -> Answer:
        """Send a commit, and count it unless it is refused: without an answer it is in doubt."""
        before = self.writes()
        self._sent.count = before + 1
        answer = transaction.run(self._commit)
        if answer[0] != OK:
            self._sent.count = before
        return answer

    def _write(
        self, changes: Sequence[Change], tell: Sequence[AggregateId], transaction: Transaction
    ) -> list[Effect]:
        server_ms = self._clock.server_ms()
        again_at_ms = EpochMs(server_ms + self._republish_after_ms)
        effects: list[Effect] = []
        changing = {change.after.id for change in changes}
        for change in changes:
            before = None if change.before is None else change.before.aggregate
            version = 0 if change.before is None else change.before.version
            after = change.after
            transaction.require("version", keys.aggregate(after.id), version)
            own, body = keys.aggregate(after.id), record_of(after)
            transaction.write("HSET", own, "version", version + 1, "body", body)
            if before is None and after.parent_id is not None:
                transaction.write("HSET", own, "parent", after.parent_id)
                transaction.write("SADD", keys.children(after.parent_id), after.id)
            write_place(before, after, server_ms, transaction)
            effects += write_difference(before, after, again_at_ms, transaction)
            self._write_timeline(after.id, change.entries, transaction)
            _write_read(after.id, change.read, transaction)
            concerned = _concerned(before, after, tell, changing)
            effects += _write_news(after.id, version + 1, concerned, again_at_ms, transaction)
        return effects

    def _write_timeline(
        self, aggregate_id: AggregateId, entries: Sequence[TimelineEntry], transaction: Transaction
    ) -> None:
        if not entries:
            return
        texts = [entry_text(entry, self._process()) for entry in entries]
        transaction.write("RPUSH", keys.timeline(aggregate_id), *texts)
        stream = keys.events(keys.shard_of_id(aggregate_id))
        joined = f"[{','.join(texts)}]"
        transaction.write(
            "XADD", stream, "MAXLEN", "~", EVENTS_KEPT, "*", "id", aggregate_id, "entries", joined
        )

    def _note_duplicate(self, aggregate_id: AggregateId) -> None:
        transaction = Transaction()
        entry = TimelineEntry(EntryName.DUPLICATE, self._clock.now_ms())
        transaction.require("present", keys.aggregate(aggregate_id), "")
        self._write_timeline(aggregate_id, [entry], transaction)
        # The history may have it already, without this entry.
        shard = keys.shard_of_id(aggregate_id)
        finished = transaction.key(keys.finished(shard))
        transaction.write("NOTED", keys.kept(shard), aggregate_id, finished)
        try:
            noted = transaction.run(self._commit)[0] == OK
        except StoreUnavailable:
            noted = False  # whose repeat it is is known all the same
        if not noted:
            _log.warning("duplicate_not_noted", aggregate=str(aggregate_id))


def _tell(changes: Sequence[Change]) -> None:
    """Log and count what has happened; `request` is the one id from the request to the fill."""
    for change in changes:
        after = change.after
        for entry in change.entries:
            metrics.CHANGES.labels(kind=after.kind, event=entry.name).inc()
        if change.entries:
            _log.info(
                "changed",
                kind=after.kind,
                request=str(after.request_id or after.id),
                aggregate=str(after.id),
                events=" ".join(entry.name for entry in change.entries),
                reason=next((one.reason.code for one in change.entries if one.reason), None),
            )


def _require_admission(
    request: Aggregate,
    freed: Sequence[Aggregate],
    admission: Admission,
    now_ms: EpochMs,
    transaction: Transaction,
) -> None:
    account = request.account
    shard = keys.registry(keys.shard_of_account(account))
    if admission.give_up_at_ms:
        transaction.require("give_up", shard, admission.give_up_at_ms)
    if admission.registry_version is not None:
        transaction.require("equal", shard, admission.registry_version)
    if admission.dedupe_key is not None:
        key = keys.dedupe(account, admission.dedupe_key)
        transaction.require("fresh", key, now_ms)
        kept_ms = max(admission.dedupe_until_ms - now_ms, 0) + DEDUPE_TIDY_MS
        value = f"{request.id}:{admission.dedupe_until_ms}"
        transaction.write("SET", key, value, "PX", kept_ms)
        # What a repeat is told of must not have left by then.
        transaction.write("HSET", keys.aggregate(request.id), "until", admission.dedupe_until_ms)
    _require_caller_id(request, freed, admission.caller_id_scope, transaction)
    if admission.waiting_max is not None:
        room = admission.waiting_max + len(freed)
        transaction.require("room", keys.waiting(account), room)
    if admission.rate_key is not None and admission.rate_per_minute:
        transaction.require(
            "rate", keys.rate(account, admission.rate_key), admission.rate_per_minute
        )


def _require_caller_id(
    request: Aggregate, freed: Sequence[Aggregate], scope: str | None, transaction: Transaction
) -> None:
    caller_id = _held_caller_id(request)
    left = [_held_caller_id(one) for one in freed if one.origin == request.origin]
    if scope is None or caller_id is None or caller_id in left:
        return
    named = keys.smart_callers if isinstance(request, SmartOrder) else keys.callers
    transaction.require("unused", named(request.account, scope), caller_id)


def _held_caller_id(request: Aggregate) -> str | None:
    """Return the caller id that the request would take; a cancel names that of another."""
    if isinstance(request, Request | SmartOrder) and request.holds_caller_id:
        return request.caller_id
    if isinstance(request, Order) and request.caller_id_scope is not None:
        return request.caller_id
    return None


def _concerned(
    before: Aggregate | None,
    after: Aggregate,
    tell: Sequence[AggregateId],
    changing: Collection[AggregateId],
) -> list[AggregateId]:
    """Return who has to hear of a change, save those who are part of the same commit."""
    told = [*tell] if isinstance(after, Order) else []
    if after.parent_id is not None and is_news(before, after):
        told.append(after.parent_id)
    if isinstance(after, Order) and after.replaced_by is not None and _ends(before, after):
        told.append(after.replaced_by)
    return [one for one in dict.fromkeys(told) if one not in changing]


def _ends(before: Aggregate | None, after: Aggregate) -> bool:
    return not after.is_live and (before is None or before.is_live)


def _write_news(
    child: AggregateId,
    version: int,
    concerned: Sequence[AggregateId],
    again_at_ms: EpochMs,
    transaction: Transaction,
) -> list[Effect]:
    effects = []
    for one in concerned:
        effect = Effect(kind=EffectKind.NEWS, target=one)
        outbox = transaction.key(keys.outbox(keys.shard_of_id(one)))
        member = effect_text(effect)
        transaction.write("NEWS", keys.inbox(one), child, version, outbox, member, again_at_ms)
        effects.append(effect)
    return effects


def _write_read(
    reader: AggregateId, read: Mapping[AggregateId, int], transaction: Transaction
) -> None:
    if not read:
        return
    outbox = transaction.key(keys.outbox(keys.shard_of_id(reader)))
    member = effect_text(Effect(kind=EffectKind.NEWS, target=reader))
    for child, version in read.items():
        transaction.require("unread", keys.inbox(reader), f"{child} {version}")
        transaction.write("READ", keys.inbox(reader), child, outbox, member)


def _refusal(answer: Answer) -> Exception:  # noqa: C901, PLR0911 - a table
    word, found = answer[0], answer[1]
    match word:
        case "version":
            return Conflict(f"somebody else has committed version {found}")
        case "permits":
            return NotPermitted(f"the account is in {found}")
        case "vouched":
            return NotVouched(f"it is not known yet what the venue has of ours in {found}")
        case "lane":
            return LaneChanged(f"what is in flight in the lane has changed, {found} times by now")
        case "unread":
            return NewsChanged(f"the newest unread news is of version {found}")
        case "room":
            return TooManyOpen(f"{found} smart orders wait already")
        case "equal":
            return StaleRegistry(f"accounts or credentials have changed to version {found}")
        case "rate":
            return RateLimited(f"the next request may come in {found} ms", int(found))
        case _:
            return StoreUnavailable(f"the store refused by {word}: {found}")
