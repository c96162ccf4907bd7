"""Faults that a test has planned for the paper venue."""

import redis

from app.domain.identifiers import AccountId
from app.paper.domain.fault import Fault, FaultPlan, FaultWord, FaultyCall
from app.paper.store import keys as paper_keys


class RedisPaperFaults:
    """Faults to come: a list of words for each call; a word is taken by one caller only.

    Args:
        client: decodes answers to text.
        may_come: False where nobody can plan any, so that calls need not ask.
    """

    def __init__(self, client: redis.Redis, *, may_come: bool = True) -> None:
        self._client = client
        self._may_come = may_come

    def next(self, account_id: AccountId, call: FaultyCall) -> Fault:
        """Take the next word of the call's list."""
        if not self._may_come:
            return Fault(FaultWord.OK)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.lpop(paper_keys.faults(account_id, call))
            pipeline.get(paper_keys.fault_delay(account_id))
            word, delay_ms = pipeline.execute()
        return Fault(FaultWord(word or FaultWord.OK), int(delay_ms or 0))

    def put(self, account_id: AccountId, plan: FaultPlan) -> None:
        """Replace what is planned for an account."""
        with self._client.pipeline(transaction=True) as pipeline:
            for call in FaultyCall:
                key = paper_keys.faults(account_id, call)
                pipeline.delete(key)
                if plan.words(call):
                    pipeline.rpush(key, *plan.words(call))
            pipeline.set(paper_keys.fault_delay(account_id), plan.delay_ms)
            pipeline.execute()
