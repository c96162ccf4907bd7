"""Web process and worker over a store whose shards are on three servers."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
import redis

from app import bootstrap
from app.bootstrap import Wiring
from app.domain.enums import Dialect
from app.settings import Settings
from app.store.core.connection import connect
from tests.support.caller import Caller, Worker
from tests.support.each_dialect import open_for_all, request_of
from tests.support.spread import SpreadClient

pytestmark = pytest.mark.integration

#: Accounts beside those of each dialect, which are on two of the servers.
OTHERS = ("third", "fourth", "fifth")

#: Of the same server; each is a server to whoever asks, but for the time and its run.
DATABASES = (0, 13, 14)


@pytest.fixture(autouse=True)
def spread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpreadClient]:
    """What whoever is wired gets in place of its one client."""
    urls = [settings.redis_url.replace("db=0", f"db={number}") for number in DATABASES]
    assert len(set(urls)) == len(urls)

    def connected(url: str, seconds: float) -> redis.Redis:
        if url != settings.redis_url:
            return connect(url, seconds)
        return SpreadClient([connect(one, seconds) for one in urls])

    monkeypatch.setattr(bootstrap, "connect", connected)
    with SpreadClient([connect(one, 20.0) for one in urls]) as client:
        client.flushall()
        yield client


@pytest.fixture
def caller(demo: Caller) -> Caller:
    """Who may call in each dialect, and has accounts on each server."""
    open_for_all(demo)
    for name in OTHERS:
        demo.call("PUT", f"/paper/accounts/{name}", {"balances": {"USDT": "10000"}})
        connector = {"account": name, "symbol": "BTC/USDT", "token": "demo-token"}
        demo.call("PUT", f"/api/connectors/{name}", connector)
    return demo


@pytest.mark.parametrize("dialect", Dialect)
def test_each_dialect_is_filled_over_several_servers(
    caller: Caller, worker: Worker, dialect: Dialect
) -> None:
    sent = request_of(dialect, 1)
    assert sent.to(caller.client).status_code < 300
    worker.work()
    caller.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "9000"}}})
    worker.work()

    filled = caller.rows(kind="ORDER", state="FILLED")

    assert filled
    assert {Decimal(one["filled_quantity"]) for one in filled} == {Decimal("0.001")}


def test_what_is_on_all_servers_is_listed_together_and_leaves(
    caller: Caller, worker: Worker, spread: SpreadClient, wiring: Wiring
) -> None:
    for name in ("demo", *OTHERS):
        alert = {"connectorName": name, "connectorToken": "demo-token", "action": "buy"}
        answer = caller.client.post("/trading-signal/webhook", json={**alert, "fixed": "0.001"})
        assert answer.status_code == 200, answer.text
    worker.work()

    def stored() -> list[int]:
        return [len(list(one.scan_iter("*:aggregate:*"))) for one in spread.servers]

    placed, traded = stored(), wiring.tape.after({})[1]
    rows = caller.rows(kind="ORDER", state="FILLED")
    worker.archive()
    left = stored()

    assert placed == [2, 4, 2]
    assert len({row["account"] for row in rows}) == len(rows) == len(traded) == 4
    assert left == [1, 2, 1]  # requests stay while another one may be the same
    assert caller.rows(kind="ORDER", state="FILLED") == rows
