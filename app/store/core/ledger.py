"""The aggregates, their timelines and the outbox; the truth."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import redis
import structlog

from app import metrics
from app.domain.aggregate import Aggregate, is_news
from app.domain.decision import EntryName, TimelineEntry
from app.domain.effects import Effect, EffectKind
from app.domain.enums import AccountState, Kind
from app.domain.errors import (
    ClaimsChanged,
    Conflict,
    LaneChanged,
    NewsChanged,
    NotFound,
    NotPermitted,
    NotVouched,
    RateLimited,
    Repeated,
    StaleRegistry,
    StoreFull,
    StoreUnavailable,
    TooManyOpen,
)
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.order import Order
from app.domain.request.request import Request
from app.domain.smart_order import SmartOrder
from app.ports.clock import Clock
from app.ports.ledger import NO_TERMS, Admission, Admitted, Change, CommitConditions, Stored
from app.ports.notices import Addressed
from app.ports.room import ENTRIES_PERCENT_MAX
from app.store.core import keys
from app.store.core.day_results import traded_writes
from app.store.core.indexes import effect_text, list_anew
from app.store.core.notices import notice_writes
from app.store.core.quarantine import RedisQuarantine
from app.store.core.records import entry_text, record_of
from app.store.core.scripts import Answer, LoadedScript, Script, load_script, text_of
from app.store.core.tape import trade_writes
from app.store.core.transaction import OK, Condition, Key, Write, transact

#: Entries kept in the stream of a shard; how many a timeline keeps, commit.lua says.
EVENTS_KEPT = 10_000

#: Repeats of one request that its timeline tells of.
REPEATS_TOLD_MAX = 10

#: What a record consists of, as far as an aggregate is made of it.
_FIELDS = ("version", "body")

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
        sent: by what the script of a commit is called.
        news_of: what people are told, and by which channels, of a change that leads to a version.
    """

    def __init__(
        self,
        client: redis.Redis,
        clock: Clock,
        process: Callable[[], str],
        republish_after_ms: int,
        sent: Callable[[LoadedScript], Script] = lambda script: script,
        news_of: Callable[[Change, int], Sequence[Addressed]] = lambda _change, _version: (),
    ) -> None:
        self._client = client
        self._clock = clock
        self._process = process
        self._republish_after_ms = republish_after_ms
        self._quarantine = RedisQuarantine(client)
        self._commit = sent(load_script(client, "run.lua", "commit.lua"))
        self._sent = threading.local()
        self._news_of = news_of

    def load(self, aggregate_id: AggregateId) -> Stored:
        """Return the aggregate as it is now."""
        record = self._client.hmget(keys.AggregateKeys(aggregate_id).record, _FIELDS)
        stored = self._stored(aggregate_id, record)
        if stored is None:
            raise NotFound(f"there is no aggregate {aggregate_id}")
        return stored

    def load_all(self, ids: Collection[AggregateId]) -> Sequence[Stored]:
        """Return these as they are now, save those that are not here or cannot be read."""
        with self._client.pipeline(transaction=False) as pipeline:
            for one in ids:
                pipeline.hmget(keys.AggregateKeys(one).record, _FIELDS)
            found = list(zip(ids, pipeline.execute(), strict=True))
        aggregates = self._quarantine.readable((one, body) for one, (_, body) in found)
        versions = {one: version for one, (version, _) in found}
        return [Stored(each, int(versions[one])) for one, each in aggregates.items()]

    def in_groups(self, ids: Collection[AggregateId], most: int) -> Iterable[Sequence[AggregateId]]:
        """Return these, some at a time that one commit can change, in the order they have there."""
        shards = keys.by_shard(ids).values()
        return [own[at : at + most] for own in shards for at in range(0, len(own), most)]

    def present(self, ids: Collection[AggregateId]) -> Collection[AggregateId]:
        """Return which of these are here, readable or not."""
        wanted = list(ids)
        with self._client.pipeline(transaction=False) as pipeline:
            for one in wanted:
                pipeline.exists(keys.AggregateKeys(one).record)
            found = pipeline.execute()
        return {one for one, is_here in zip(wanted, found, strict=True) if is_here}

    def commit(
        self, changes: Sequence[Change], terms: CommitConditions = NO_TERMS
    ) -> Sequence[Effect]:
        """Write all the changes or none, and return the effects that came to be owed."""
        own = keys.account(changes[0].after.account)
        conditions: list[Condition] = []
        if terms.permits is not None:
            conditions.append(("permits", own.state, " ".join(sorted(terms.permits))))
        if terms.vouched is not None:
            symbol, run = terms.vouched
            conditions.append(("vouched", own.vouched, f"{run} {symbol}"))
        if terms.lane is not None:
            counter = keys.account(terms.lane.account).flight_changes + terms.lane.symbol
            conditions.append(("lane", counter, terms.lane.changes))
        if terms.turns is not None:
            counter = keys.account(terms.turns.account).turn_changes + terms.turns.symbol
            conditions.append(("lane", counter, terms.turns.turns))
        writes: list[Write] = []
        if terms.once is not None:
            once, now_ms = terms.once, self._clock.now_ms()
            _bind(own, once.dedupe_keys, once.made, now_ms, conditions, writes)
        conditions += _room(own, is_entry=terms.is_entry)
        _count_claim(own, terms, self._clock.now_ms(), conditions, writes)
        effects = self._gather(changes, terms.tell, conditions, writes)
        answer = self._run(conditions, writes)
        if answer[0] != OK:
            raise _refusal(answer)
        self.tell(changes)
        return effects

    def admit(self, changes: Sequence[Change], admission: Admission) -> Admitted:
        """Write a new request and what changes with it, unless it repeats one."""
        new, others = changes[0].after, changes[1:]
        freed = [one.before.aggregate for one in others if one.before is not None]
        conditions, writes = _admitting(new, freed, admission, self._clock.now_ms())
        # Last comes who takes over what others leave in the same commit.
        self._gather([*others, changes[0]], (), conditions, writes)
        answer = self._run(conditions, writes)
        if answer[0] == "repeated":
            repeated = AggregateId(int(answer[1]))
            self._note_duplicate(repeated, _rate(new, admission))
            return Admitted(repeats=repeated)
        if answer[0] != OK:
            raise _refusal(answer)
        self.tell(changes)
        return Admitted(is_behind=str(new.id) in answer[1:])

    def tell(self, changes: Sequence[Change]) -> None:
        """Log and count what was committed."""
        _log_changes(changes)

    def writes(self) -> int:
        """Return how many commits this thread has sent that were not refused."""
        sent: int = getattr(self._sent, "count", 0)
        return sent

    def with_news(
        self, aggregate_id: AggregateId
    ) -> tuple[Stored | None, Mapping[AggregateId, int]]:
        """Return the aggregate, and what changed for it and was not read yet: child → version."""
        own = keys.AggregateKeys(aggregate_id)
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(own.inbox)
            pipeline.hmget(own.record, _FIELDS)
            inbox, record = pipeline.execute()
        news = {
            AggregateId(int(child)): int(version)
            for child, version in sorted(inbox.items(), key=lambda item: int(item[0]))
        }
        return self._stored(aggregate_id, record), news

    def repeated(self, account: AccountId, dedupe_key: str, now_ms: EpochMs) -> AggregateId | None:
        """Return what was admitted under a dedupe key that still counts, or None."""
        found = self._client.get(keys.account(account).dedupe + dedupe_key)
        if found is None:
            return None
        aggregate_id, _, until_ms = text_of(found).partition(":")
        return AggregateId(int(aggregate_id)) if int(until_ms) > now_ms else None

    def state_of(self, account: AccountId) -> AccountState:
        """Return the risk state of an account; HALT if it is missing or unreadable."""
        state = self._client.get(keys.account(account).state)
        return AccountState(state) if state in set(AccountState) else AccountState.HALT

    def revision(self) -> Sequence[str]:
        """Return a mark of the newest change of each shard; equal marks mean no commit between."""
        with self._client.pipeline(transaction=False) as pipeline:
            for shard in keys.SHARDS:
                pipeline.xrevrange(shard.events, count=1)
            newest = pipeline.execute()
        return [text_of(found[0][0]) if found else "" for found in newest]

    def _stored(self, aggregate_id: AggregateId, record: Sequence[Any]) -> Stored | None:
        """Return what a record says, if there is one."""
        version, body = record
        if version is None or body is None:
            return None
        return Stored(self._quarantine.read(aggregate_id, text_of(body)), int(version))

    def _run(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Answer:
        """Send a commit, and count it unless it is refused: without an answer it is in doubt."""
        before = self.writes()
        self._sent.count = before + 1
        answer = transact(self._commit, conditions, writes)
        if answer[0] != OK:
            self._sent.count = before
        return answer

    def _gather(
        self,
        changes: Sequence[Change],
        tell: Sequence[AggregateId],
        conditions: list[Condition],
        writes: list[Write],
    ) -> list[Effect]:
        """Add what the changes ask of the store, and return the effects that come to be owed."""
        server_ms = self._clock.server_ms()
        again_at_ms = EpochMs(server_ms + self._republish_after_ms)
        effects: list[Effect] = []
        changing = {change.after.id for change in changes}
        for change in changes:
            before = None if change.before is None else change.before.aggregate
            version = 0 if change.before is None else change.before.version
            after = change.after
            own = keys.AggregateKeys(after.id)
            conditions.append(("version", own.record, version))
            writes.append(("HSET", own.record, "version", version + 1, "body", record_of(after)))
            if before is None and after.parent_id is not None:
                writes.append(("HSET", own.record, "parent", after.parent_id))
                children = keys.AggregateKeys(after.parent_id).children
                writes.append(("SADD", children, after.id))
            listed, owed = list_anew(before, after, server_ms, again_at_ms)
            writes += listed
            effects += owed
            writes += trade_writes(before, after)
            writes += traded_writes(before, after)
            writes += self._told(after.id, change.entries)
            writes += notice_writes(keys.shard_of(after.id), self._news_of(change, version + 1))
            # What was read leaves the inbox, and with the last of it the look that was owed.
            for child, read in change.read.items():
                conditions.append(("unread", own.inbox, f"{child} {read}"))
            outbox = Key(keys.shard_of(after.id).outbox)
            heard = () if change.heard is None else (change.heard,)
            news = effect_text(_news_of(after.id, after))
            writes += [("READ", own.inbox, child, outbox, news) for child in (*change.read, *heard)]
            # Who has to hear of it finds the version in the inbox, and owes a look.
            for one in _concerned(before, after, tell, changing):
                look, owes = _news_of(one, after), keys.shard_of(one).outbox
                writes.append(("HSET", keys.AggregateKeys(one).inbox, after.id, version + 1))
                writes.append(("ZADD", owes, again_at_ms, effect_text(look)))
                effects.append(look)
        return effects

    def _told(self, aggregate_id: AggregateId, entries: Sequence[TimelineEntry]) -> list[Write]:
        """Return the writes of what has happened."""
        if not entries:
            return []
        texts = [entry_text(entry, self._process()) for entry in entries]
        joined = f"[{','.join(texts)}]"
        stream = keys.shard_of(aggregate_id).events
        newest = ("XADD", stream, "MAXLEN", "~", EVENTS_KEPT, "*")
        return [
            ("TELL", keys.AggregateKeys(aggregate_id).timeline, *texts),
            (*newest, "id", aggregate_id, "entries", joined),
        ]

    def _note_duplicate(self, aggregate_id: AggregateId, rate: Sequence[Condition]) -> None:
        """Count a repeat against the rate, and tell the first few of them.

        Whoever repeats without end fills neither a timeline nor the log.
        """
        entry = TimelineEntry(EntryName.DUPLICATE, self._clock.now_ms())
        # The history may have it already, without this entry.
        shard, record = keys.shard_of(aggregate_id), keys.AggregateKeys(aggregate_id).record
        noted: Write = ("NOTED", shard.kept, aggregate_id, Key(shard.finished))
        conditions = [*rate, ("present", record, ""), ("repeats", record, REPEATS_TOLD_MAX)]
        writes = [*self._told(aggregate_id, [entry]), noted]
        try:
            answer = transact(self._commit, conditions, writes)[0]
        except StoreUnavailable:
            answer = "away"  # whose repeat it is is known all the same
        if answer not in {OK, "rate", "repeats"}:
            _log.warning("duplicate_not_noted", aggregate=str(aggregate_id))


def _log_changes(changes: Sequence[Change]) -> None:
    """Log and count what has happened; `request` is the one id from the request to the fill."""
    for change in changes:
        after = change.after
        for entry in change.entries:
            _counter(after.kind, entry.name)()
            if entry.name is EntryName.DENIED and entry.reason and isinstance(after, Order):
                metrics.DENIED_ORDERS.labels(code=entry.reason.code).inc()
        if change.entries:
            _log.info(
                "changed",
                kind=after.kind,
                request=str(after.request_id or after.id),
                aggregate=str(after.id),
                events=" ".join(entry.name for entry in change.entries),
                reason=next((one.reason.code for one in change.entries if one.reason), None),
            )


@cache
def _counter(kind: Kind, event: EntryName) -> Callable[[], None]:
    return metrics.CHANGES.labels(kind=kind, event=event).inc


def _admitting(
    request: Aggregate, freed: Sequence[Aggregate], admission: Admission, now_ms: EpochMs
) -> tuple[list[Condition], list[Write]]:
    """Return the conditions of an admission, and what it writes beside the request."""
    own, registry = keys.account(request.account), keys.shard_of(request.account).registry
    conditions: list[Condition] = []
    writes: list[Write] = []
    if admission.give_up_at_ms:
        conditions.append(("give_up", registry, admission.give_up_at_ms))
    if admission.registry_version is not None:
        conditions.append(("registry", registry, admission.registry_version))
    _bind(own, admission.dedupe_keys, request.id, now_ms, conditions, writes)
    if admission.dedupe_keys:
        # What a repeat is told of must not have left by then.
        last_ms = max(admission.dedupe_keys.values())
        writes.append(("HSET", keys.AggregateKeys(request.id).record, "until", last_ms))
    caller_id, scope = _held_caller_id(request), admission.caller_id_scope
    left = [_held_caller_id(one) for one in freed if one.origin == request.origin]
    if scope is not None and caller_id is not None and caller_id not in left:
        holders = own.smart_callers if isinstance(request, SmartOrder) else own.callers
        conditions.append(("unused", holders + scope, caller_id))
    if admission.waiting_max is not None:
        conditions.append(("room", own.waiting, admission.waiting_max + len(freed)))
    # A repeat was found to be one by now, and is told so however full the store is.
    conditions += _room(own, is_entry=admission.is_entry)
    return conditions + _rate(request, admission), writes


def _room(own: keys.AccountKeys, *, is_entry: bool) -> list[Condition]:
    """Return the condition that keeps room for whoever ends or guards what has begun."""
    return [("memory", own.state, ENTRIES_PERCENT_MAX)] if is_entry else []


def _rate(request: Aggregate, admission: Admission) -> list[Condition]:
    """Return the condition that counts the request, if anything limits how many there may be."""
    if admission.rate_key is None or not admission.rate_per_minute:
        return []
    counter = keys.account(request.account).rate + admission.rate_key
    return [("rate", counter, admission.rate_per_minute)]


def _bind(
    own: keys.AccountKeys,
    dedupe_keys: Mapping[str, EpochMs],
    made: AggregateId,
    now_ms: EpochMs,
    conditions: list[Condition],
    writes: list[Write],
) -> None:
    """Ask that the keys are fresh, and bind them to what is made."""
    for dedupe_key, until_ms in dedupe_keys.items():
        key = own.dedupe + dedupe_key
        conditions.append(("fresh", key, now_ms))
        kept_ms = max(until_ms - now_ms, 0) + DEDUPE_TIDY_MS
        writes.append(("SET", key, f"{made}:{until_ms}", "PX", kept_ms))


def _count_claim(
    own: keys.AccountKeys,
    terms: CommitConditions,
    now_ms: EpochMs,
    conditions: list[Condition],
    writes: list[Write],
) -> None:
    """Ask that limits are as they were and no other order was claimed since; count this one."""
    if terms.limits_of is not None:
        conditions.append(("registry", own.limits_since, terms.limits_of))
    claim = terms.claim
    if claim is None:
        return
    conditions.append(("claims", own.claims, claim.seen))
    writes.append(("INCR", own.claims))
    if claim.entry is not None:
        # Sent again it is counted once, by its newest claim.
        writes.append(("ZADD", own.sent, now_ms, f"{claim.entry.id} {claim.entry.symbol}"))
        writes.append(("ZREMRANGEBYSCORE", own.sent, "-inf", now_ms - claim.looks_back_ms))
        writes.append(("PEXPIRE", own.sent, 2 * claim.looks_back_ms))


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
    told = [*tell] if isinstance(after, Order) and before is not None else []
    if after.parent_id is not None and is_news(before, after):
        told.append(after.parent_id)
    successor = after.replaced_by if isinstance(after, Order | SmartOrder) else None
    if successor is not None and _ends(before, after):
        told.append(successor)
    return [one for one in dict.fromkeys(told) if one not in changing]


def _ends(before: Aggregate | None, after: Aggregate) -> bool:
    return not after.is_live and (before is None or before.is_live)


def _news_of(reader: AggregateId, changed: Aggregate) -> Effect:
    """Return the look that is owed by who has to hear of a change; both are of one account."""
    return Effect(kind=EffectKind.NEWS, target=reader, account=changed.account)


def _refusal(answer: Answer) -> Exception:  # noqa: C901, PLR0911 - a table
    word, found = answer[0], answer[1]
    match word:
        case "version":
            return Conflict(f"somebody else has committed version {found}")
        case "permits":
            return NotPermitted(f"the account is in {found}")
        case "vouched":
            return NotVouched(f"it is not known yet what the venue has of ours in {found}")
        case "repeated":
            return Repeated(int(found))
        case "claims":
            return ClaimsChanged(f"{found} orders of the account were claimed by now")
        case "lane":
            return LaneChanged(f"what is in flight in the lane has changed, {found} times by now")
        case "unread":
            return NewsChanged(f"the newest unread news is of version {found}")
        case "room":
            return TooManyOpen(f"{found} smart orders wait already")
        case "registry":
            return StaleRegistry(f"accounts or credentials have changed to version {found}")
        case "memory":
            return StoreFull(
                f"the memory of the store is {found} % full, "
                f"and above {ENTRIES_PERCENT_MAX} % it takes in nothing that opens or adds"
            )
        case "rate":
            return RateLimited(f"the next request may come in {found} ms", int(found))
        case _:
            return StoreUnavailable(f"the store refused by {word}: {found}")
