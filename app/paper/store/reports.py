"""What the paper venue tells unasked: changes that no answer has carried."""

from collections.abc import Collection, Mapping, Sequence

import redis

from app.domain.account import Account
from app.domain.identifiers import AccountId, ClientOrderId
from app.domain.report import OrderReport
from app.paper.domain.order import PaperOrder
from app.paper.store import SCRIPTS
from app.paper.store import keys as paper_keys
from app.paper.store.records import value_from
from app.store.core.keys import SHARDS, shard_of
from app.store.core.scripts import load_script


class RedisPaperReports:
    """Reads the news that commits of the paper ledger have left.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._forget = load_script(client, SCRIPTS / "paper_forget_news.lua")

    def unread(self, account: Account) -> Mapping[ClientOrderId, OrderReport]:
        """Return the newest report of each order that has news."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hkeys(paper_keys.news(account.id))
            (ids,) = pipeline.execute()
        reports = self._reports(account.id, [ClientOrderId(one) for one in ids])
        return {one: report for one, (_, report) in reports.items()}

    def mark_read(self, account: Account, reports: Mapping[ClientOrderId, OrderReport]) -> None:
        """Forget these, unless there is newer news of the same order."""
        now = self._reports(account.id, list(reports))
        arguments: list[str | int] = [account.id]
        for one, (version, report) in now.items():
            if report == reports[one]:
                arguments += [one, version]
        keys = [
            paper_keys.news(account.id),
            paper_keys.accounts_with_news(shard_of(account.id)),
        ]
        if len(arguments) > 1:
            self._forget(keys, arguments)

    def accounts_with_news(self) -> Collection[AccountId]:
        """Return the accounts that have anything unread."""
        with self._client.pipeline(transaction=False) as pipeline:
            for shard in SHARDS:
                pipeline.smembers(paper_keys.accounts_with_news(shard))
            shards = pipeline.execute()
        return sorted(AccountId(int(one)) for accounts in shards for one in accounts)

    def _reports(
        self, account_id: AccountId, ids: Sequence[ClientOrderId]
    ) -> dict[ClientOrderId, tuple[str, OrderReport]]:
        """Return version of the news → report, both read at one moment."""
        if not ids:
            return {}
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hmget(paper_keys.news(account_id), list(ids))
            pipeline.hmget(paper_keys.orders(account_id), list(ids))
            versions, records = pipeline.execute()
        return {
            one: (version, value_from(PaperOrder, record).report())
            for one, version, record in zip(ids, versions, records, strict=True)
            if version is not None and record is not None
        }
