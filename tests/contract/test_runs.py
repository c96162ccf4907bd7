"""The runs of the store's server, over one that really ends and starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from app.domain.enums import AccountState, Side
from app.domain.errors import NotVouched
from app.domain.frozen import Frozen, PlacedOrder
from app.domain.identifiers import ClientOrderId, EpochMs
from app.ports.ledger import Change, CommitConditions
from app.store.coordination.runs import RedisFreezer, RedisRuns
from tests.support.builders import BTC, NOW, SPOT_ID, an_order, must
from tests.support.redis_store import Store, server_ms
from tests.support.servers import running_server

pytestmark = pytest.mark.integration


def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, protocol=2)


def test_a_server_that_is_started_anew_is_another_run_whatever_it_has_loaded(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path) as server, client_of(server.url) as client:
        runs = RedisRuns(client)
        first = runs.knowledge(SPOT_ID, BTC)
        assert runs.vouch(SPOT_ID, BTC, first.run)
        Store(client).ids.fresh(SPOT_ID, 1)
        runs.beat(EpochMs(server_ms(client)))
        seen_ms = server_ms(client)
        known = runs.knowledge(SPOT_ID, BTC)
    with running_server(tmp_path) as server, client_of(server.url) as client:
        runs = RedisRuns(client)
        runs.beat(EpochMs(server_ms(client)))
        second = runs.knowledge(SPOT_ID, BTC)
        late = runs.vouch(SPOT_ID, BTC, first.run)

    assert (known.since_ms, known.run) == (None, first.run)
    assert second.run != first.run
    assert second.mark > first.mark
    assert second.since_ms is not None
    assert seen_ms - 1_000 < second.since_ms <= seen_ms + 1_000
    assert not late


def test_nothing_is_claimed_before_all_orders_are_known(real_client: redis.Redis) -> None:
    store, runs = Store(real_client), RedisRuns(real_client)
    run = runs.knowledge(SPOT_ID, BTC).run
    terms = CommitConditions(vouched=(BTC, run))

    with pytest.raises(NotVouched):
        store.ledger.commit([Change(None, an_order())], terms)
    runs.vouch(SPOT_ID, BTC, run)
    for another in ("", "another"):
        with pytest.raises(NotVouched):
            store.ledger.commit(
                [Change(None, an_order())], CommitConditions(vouched=(BTC, another))
            )
    store.ledger.commit([Change(None, an_order())], terms)

    assert store.ledger.present([an_order().id]) == {an_order().id}


def test_an_account_is_frozen_and_gets_its_state_back(real_client: redis.Redis) -> None:
    store, freezer = Store(real_client), RedisFreezer(real_client)
    order = PlacedOrder(
        client_order_id=ClientOrderId("h1"),
        venue_order_id=None,
        symbol=BTC,
        side=Side.SELL,
        quantity=an_order().quantity,
        filled_quantity=an_order().quantity,
        placed_at_ms=NOW,
    )
    frozen = Frozen(account=SPOT_ID, at_ms=NOW, why="restored", orders=(order,))
    store.registry.set_state(SPOT_ID, AccountState.REDUCE_ONLY)

    freezer.freeze(Frozen(account=SPOT_ID, at_ms=EpochMs(1), why="restored"))
    freezer.freeze(frozen)
    found = must(freezer.of(SPOT_ID))
    stale = freezer.thaw(Frozen(account=SPOT_ID, at_ms=EpochMs(1), why="restored"))
    state = freezer.thaw(frozen)

    assert (found.orders, found.before) == ((order,), AccountState.REDUCE_ONLY)
    assert (stale, state) == (None, AccountState.REDUCE_ONLY)
    assert store.ledger.state_of(SPOT_ID) is AccountState.REDUCE_ONLY
    assert freezer.of(SPOT_ID) is None
    assert freezer.accepted(SPOT_ID) == {"h1"}
