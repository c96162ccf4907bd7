"""The paper venue's accounts and orders; each commit is one script call on one shard."""

from collections.abc import Collection, Sequence

import redis

from app.domain.effects import AT_ONCE
from app.domain.errors import Conflict, VenueUnavailable
from app.domain.identifiers import AccountId, ClientOrderId, EpochMs
from app.paper.domain.account import PaperAccount
from app.paper.domain.ledger import Departed, PaperChange, PaperSnapshot
from app.paper.domain.order import PaperOrder
from app.paper.store import keys as paper_keys
from app.paper.store.records import text_of, value_from
from app.store.core.keys import shard_of
from app.store.core.scripts import load_script
from app.store.core.transaction import OK, Condition, Write, transact
from app.unhurried import unhurried

#: What the hash of an account holds.
_FIELDS = ("version", "body", "left", "left_number", "since")


class RedisPaperLedger:
    """Accounts, and the orders that they sent until these leave for the history; the venue's truth.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._commit = load_script(client, "commit.lua")

    def load(self, account_id: AccountId, orders: Collection[ClientOrderId] = ()) -> PaperSnapshot:
        """Return the account and these of its orders, read at one moment."""
        wanted = list(orders)
        with self._client.pipeline(transaction=bool(wanted)) as pipeline:
            pipeline.hmget(paper_keys.account(account_id), _FIELDS)
            if wanted:
                pipeline.hmget(paper_keys.orders(account_id), wanted)
            answers = pipeline.execute()
        version, body, *departed = answers[0]
        records = answers[1] if wanted else []
        return PaperSnapshot(
            version=int(version or 0),
            account=value_from(PaperAccount, body) if body else None,
            orders={
                client_order_id: value_from(PaperOrder, record)
                for client_order_id, record in zip(wanted, records, strict=True)
                if record is not None
            },
            departed=_departed(*departed),
        )

    def commit(
        self,
        account_id: AccountId,
        version: int,
        change: PaperChange,
        until_ms: EpochMs = AT_ONCE,
    ) -> None:
        """Write all of the change or none.

        Args:
            account_id: whose it is.
            version: of the account on which the change is based.
            change: what is written.
            until_ms: server time after which nothing is; 0 asks nothing.

        Raises:
            Conflict: the account has another version by now.
            VenueUnavailable: it is too late.
        """
        writes = _begun(account_id, version, change.account)
        orders = paper_keys.orders(account_id)
        for order in change.orders:
            writes.append(("HSET", orders, order.client_order_id, text_of(order)))
        for repeat in change.repeats:
            writes.append(("RPUSH", paper_keys.repeats(account_id), text_of(repeat)))
        for client_order_id in sorted(change.news):
            news = paper_keys.news(account_id)
            writes.append(("HSET", news, client_order_id, version + 1))
        if change.news:
            accounts = paper_keys.accounts_with_news(shard_of(account_id))
            writes.append(("SADD", accounts, account_id))
        self._run(account_id, version, writes, until_ms)

    def reset(self, account_id: AccountId, version: int, account: PaperAccount) -> None:
        """Replace the account and forget its orders, repeats and news, all or nothing.

        Raises:
            Conflict: the account has another version by now.
        """
        # Read after the version: what arrived before that has no greater number, what is placed
        # after the reset has.
        since = int(self._client.get(paper_keys.SEQUENCE) or 0)
        own = paper_keys.account(account_id)
        writes = _begun(account_id, version, account)
        writes += [("HDEL", own, "left", "left_number"), ("HSET", own, "since", since)]
        for key in (paper_keys.orders, paper_keys.repeats, paper_keys.news):
            writes.append(("DEL", key(account_id)))
        accounts = paper_keys.accounts_with_news(shard_of(account_id))
        writes.append(("SREM", accounts, account_id))
        self._run(account_id, version, writes)

    def rows(self, account_id: AccountId) -> Sequence[PaperOrder]:
        """Return every order that is in the store, repeats included, by arrival."""
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hvals(paper_keys.orders(account_id))
            pipeline.lrange(paper_keys.repeats(account_id), 0, -1)
            orders, repeats = pipeline.execute()
        rows = [value_from(PaperOrder, record) for record in unhurried((*orders, *repeats))]
        return sorted(rows, key=lambda row: row.number)

    def _run(
        self,
        account_id: AccountId,
        version: int,
        writes: Sequence[Write],
        until_ms: EpochMs = AT_ONCE,
    ) -> None:
        key = paper_keys.account(account_id)
        conditions: list[Condition] = [("version", key, version)]
        if until_ms:
            conditions.append(("give_up", key, until_ms))
        answer = transact(self._commit, conditions, writes)
        if answer[0] == "give_up":
            raise VenueUnavailable("the order came after the end of its claim")
        if answer[0] != OK:
            raise Conflict(f"paper account {account_id} has version {answer[1]} by now")


def _departed(newest: str | None, last: str | None, since: str | None) -> Departed | None:
    if newest is None or last is None:
        return None
    return Departed(newest=ClientOrderId(newest), numbers=range(int(since or 0) + 1, int(last) + 1))


def _begun(account_id: AccountId, version: int, account: PaperAccount | None) -> list[Write]:
    key = paper_keys.account(account_id)
    writes: list[Write] = [("HSET", key, "version", version + 1)]
    if account is not None:
        writes.append(("HSET", key, "body", text_of(account)))
    return writes
