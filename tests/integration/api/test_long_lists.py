"""A long list asks the store for each thing once."""

from dataclasses import replace

import pytest
import redis

from app.bootstrap import Wiring
from app.domain.identifiers import AccountName, AggregateId
from app.domain.smart_trade.enums import TradeStatus
from app.ports.ledger import Change
from tests.support import three_commas
from tests.support.caller import Caller
from tests.support.three_commas_trades import a_trade

pytestmark = pytest.mark.integration

TRADES = 30


def test_a_list_of_trades_asks_once_for_the_prices_of_a_pair(
    demo: Caller, wiring: Wiring, redis_server: str
) -> None:
    client = {"accounts": ["demo"], "secret": three_commas.SECRET}
    demo.call("PUT", f"/api/clients/three_commas/{three_commas.KEY}", client)
    account = wiring.registry.account_named(AccountName("demo")).id
    for number in range(TRADES):
        trade = replace(
            a_trade(status=TradeStatus.CANCELLED),
            id=AggregateId((1_000 + number) * 4096 + account),
            account=account,
        )
        wiring.ports.ledger.commit([Change(None, trade)])

    with redis.Redis.from_url(redis_server) as store:
        store.config_resetstat()
        listed = demo.client.get(
            three_commas.TRADES, headers=three_commas.headers(three_commas.TRADES)
        )
        asked = store.info("commandstats")

    assert len(listed.get_json()) == TRADES
    assert asked["cmdstat_hget"]["calls"] < 2 * TRADES
