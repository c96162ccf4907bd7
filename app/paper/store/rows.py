"""Rows of the paper venue's ledger on their way out of the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import redis

from app.domain.identifiers import AccountId, ClientOrderId
from app.paper.domain.order import PaperOrder
from app.paper.store import SCRIPTS
from app.paper.store import keys as paper_keys
from app.paper.store.records import value_from
from app.ports.history import PaperRow
from app.store.core.scripts import load_script

#: An account, and an order of it by its client order id.
Named = tuple[AccountId, ClientOrderId]


class RedisPaperRows:
    """Finds rows that change no more, and forgets those that the history has.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._let_go = load_script(client, SCRIPTS / "paper_let_go.lua")

    def some(self, accounts: Collection[AccountId], limit: int) -> Sequence[Named]:
        """Return some orders of these accounts, taken at random; see `PaperRows`."""
        with self._client.pipeline(transaction=False) as pipeline:
            for one in accounts:
                pipeline.hlen(paper_keys.orders(one))
            sizes = dict(zip(accounts, pipeline.execute(), strict=True))
        # At least one of each that has any, so that none waits for ever.
        total = max(sum(sizes.values()), limit)
        shares = {one: -(-limit * size // total) for one, size in sizes.items() if size}
        with self._client.pipeline(transaction=False) as pipeline:
            for one, share in shares.items():
                pipeline.hrandfield(paper_keys.orders(one), share)
            found = zip(shares, pipeline.execute(), strict=True)
        return [(account, ClientOrderId(one)) for account, ids in found for one in ids or ()]

    def ended(self, orders: Sequence[Named]) -> Sequence[PaperRow]:
        """Return those of these that have ended."""
        of_account: dict[AccountId, list[ClientOrderId]] = defaultdict(list)
        for account, one in orders:
            of_account[account].append(one)
        with self._client.pipeline(transaction=False) as pipeline:
            for account, ids in of_account.items():
                pipeline.hmget(paper_keys.orders(account), ids)
            found = zip(of_account, pipeline.execute(), strict=True)
        return [row for account, records in found for row in _closed(account, records)]

    def repeats(self, accounts: Collection[AccountId], limit: int) -> Sequence[PaperRow]:
        """Return the oldest refused repeats of each of these accounts, so many at most."""
        with self._client.pipeline(transaction=False) as pipeline:
            for one in accounts:
                pipeline.lrange(paper_keys.repeats(one), 0, limit - 1)
            found = zip(accounts, pipeline.execute(), strict=True)
        return [row for account, records in found for row in _closed(account, records)]

    def leave(self, rows: Sequence[PaperRow]) -> int:
        """Forget these, save those that have changed or are news; return how many have left."""
        of_account: dict[AccountId, list[PaperRow]] = defaultdict(list)
        for row in rows:
            of_account[row.account].append(row)
        return sum(self._leave(account, those) for account, those in of_account.items())

    def _leave(self, account: AccountId, rows: Sequence[PaperRow]) -> int:
        last = max(row.number for row in rows)
        what = [text for row in rows for text in (row.client_order_id, row.body)]
        keys = (paper_keys.account, paper_keys.orders, paper_keys.repeats, paper_keys.news)
        answer = self._let_go([key(account) for key in keys], [last, *what])
        return int(answer[1])


def _closed(account: AccountId, records: Iterable[str | None]) -> Iterator[PaperRow]:
    for record in records:
        if record is None:
            continue
        order = value_from(PaperOrder, record)
        if not order.is_open:
            yield PaperRow(
                number=order.number,
                account=account,
                client_order_id=order.client_order_id,
                body=record,
            )
