"""A record that cannot be read stops nobody else's stop, over a real server and the paper venue."""

from dataclasses import replace

import pytest

from app.domain.identifiers import AccountId
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.ports.ledger import Change
from app.store.core import keys
from app.store.core.connection import connect
from tests.support.builders import a_stop, an_id
from tests.support.caller import Caller, Worker

pytestmark = pytest.mark.integration


def test_the_stop_of_another_account_fires_although_a_record_is_bad(
    demo: Caller, worker: Worker
) -> None:
    ports = worker.wiring.ports
    demo.call("PUT", "/api/accounts/other", {"venue": "paper", "market": "SPOT", "mode": "paper"})
    other = next(one.id for one in ports.accounts.accounts() if one.name == "other")
    bad, good = an_id(1, AccountId(1)), an_id(2, other)
    for owner, account in ((bad, AccountId(1)), (good, other)):
        stop = a_stop(id=owner, account=account)
        stop = replace(stop, trigger=replace(stop.trigger, owner=owner, looks_now=False))
        ports.ledger.commit([Change(None, stop)])
    worker.work()
    client = connect(worker.wiring.settings.redis_url, 1)
    client.hset(keys.AggregateKeys(bad).record, "body", '{"s": 99}')

    demo.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "60001"}}})
    worker.step(3)

    fired = ports.ledger.load(good).aggregate
    assert isinstance(fired, SmartOrder)
    assert fired.status is not SmartOrderStatus.PENDING_NEW
    assert fired.order_id is not None
    assert [one.id for one in ports.quarantine.all()] == [bad]
