"""The one place that reads records of aggregates, and names those that it cannot read."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import redis
import structlog

from app.domain.aggregate import Aggregate
from app.domain.enums import Kind
from app.domain.errors import StoreUnavailable, UnreadableRecord
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.quarantined import Quarantined
from app.store.core import keys
from app.store.core.records import account_in, aggregate_from, may_be_of
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK
from app.unhurried import unhurried

#: Of what is told about the reason.
WHY_MAX = 300

_log = structlog.get_logger()


class RedisQuarantine:
    """Reads the records of aggregates, and notes which of them cannot be read."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._note = load_script(client, "quarantine.lua")

    def read(self, aggregate_id: AggregateId, body: str) -> Aggregate:
        """Return the aggregate of a record.

        Raises:
            UnreadableRecord: it is of a newer release, or broken; it is in quarantine now.
        """
        try:
            return aggregate_from(body)
        except UnreadableRecord as error:
            self._put(aggregate_id, body, str(error)[:WHY_MAX])
            raise UnreadableRecord(f"record {aggregate_id} cannot be read: {error}") from error

    def load(
        self, ids: Collection[AggregateId], kinds: Collection[Kind] | None = None
    ) -> Mapping[AggregateId, Aggregate]:
        """Return these, in the same order, save those that are not here or cannot be read.

        Args:
            ids: which ones.
            kinds: others are left out, and cost no decoding; None is all.
        """
        with self._client.pipeline(transaction=False) as pipeline:
            for one in ids:
                pipeline.hget(keys.AggregateKeys(one).record, "body")
            bodies = zip(ids, pipeline.execute(), strict=True)
            return self.readable(
                (one, body)
                for one, body in bodies
                if kinds is None or body is None or may_be_of(kinds, body)
            )

    def readable(
        self, bodies: Iterable[tuple[AggregateId, str | None]]
    ) -> Mapping[AggregateId, Aggregate]:
        """Return the aggregates of those records that there are and that can be read."""
        found = {}
        for aggregate_id, body in unhurried(bodies):
            if body is None:
                continue
            try:
                found[aggregate_id] = self.read(aggregate_id, body)
            except UnreadableRecord:
                continue  # it is in quarantine, where people see it
        return found

    def all(self) -> Sequence[Quarantined]:
        """Return what cannot be read, longest first."""
        found = self._client.hgetall(keys.QUARANTINE)
        records = [_quarantined(text_of(one), text_of(text)) for one, text in found.items()]
        return sorted(records, key=lambda one: (one.since_ms, one.id))

    def count(self) -> int:
        """Return how many records cannot be read."""
        return int(self._client.hlen(keys.QUARANTINE))

    def find(self, aggregate_id: AggregateId) -> Quarantined | None:
        """Return what is known of one record, or None if it is not in quarantine."""
        text = self._client.hget(keys.QUARANTINE, str(aggregate_id))
        return None if text is None else _quarantined(str(aggregate_id), text_of(text))

    def release(self, aggregate_id: AggregateId) -> None:
        """Forget one that can be read again, or is gone."""
        self._client.hdel(keys.QUARANTINE, str(aggregate_id))
        _log.info("record_readable", aggregate=str(aggregate_id))

    def _put(self, aggregate_id: AggregateId, body: str, why: str) -> None:
        account = account_in(body)
        try:
            arguments = [aggregate_id, account or "", why]
            is_new = self._note([keys.QUARANTINE], arguments)[0] == OK
        except StoreUnavailable as error:  # full, for instance: whoever reads it next notes it
            _log.warning("quarantine_not_noted", aggregate=str(aggregate_id), error=str(error))
            return
        if is_new:
            _log.error("record_unreadable", aggregate=str(aggregate_id), account=account, why=why)


def _quarantined(aggregate_id: str, text: str) -> Quarantined:
    since_ms, account, why = text.split("|", 2)
    return Quarantined(
        id=AggregateId(int(aggregate_id)),
        account=AccountId(int(account)) if account else None,
        since_ms=EpochMs(int(since_ms)),
        why=why,
    )
