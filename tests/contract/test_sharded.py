"""A store whose shards are on three servers: each thing is in one place, and one may be away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis

from app.domain.account import Account, Connector
from app.domain.decision import EntryName, TimelineEntry
from app.domain.errors import NotVouched, RegistryChanged, StaleRegistry, StoreUnavailable
from app.domain.identifiers import AccountId, AggregateId, EpochMs
from app.domain.request.signal import RequestStatus
from app.ports.ledger import Admission, Change, CommitConditions
from app.store.coordination.runs import RedisRuns
from app.store.core import keys
from app.store.core.codec import encoder
from app.store.core.connection import StoreClient
from app.store.core.group_commit import shared
from app.store.core.ledger import RedisLedger
from app.store.core.memory import RedisMemory
from app.store.core.registry import LIFE_SECONDS, RedisRegistry
from app.store.core.scripts import load_script
from app.store.core.sharded import ShardedClient, keys_of
from tests.support.builders import BTC, NOW, SPOT, a_signal, an_id, an_order
from tests.support.clocks import FrozenClock
from tests.support.redis_store import Store, server_ms
from tests.support.rig import Died, Rig
from tests.support.servers import fill, make_room, running_server
from tests.support.spread import SpreadClient, SpreadClockedRedis, spread_over

#: An account on each of the three servers, the first one first.
ACCOUNTS = [AccountId(3), AccountId(1), AccountId(2)]


CONNECTOR = Connector(name="c1", token_hash="abc", account=SPOT.name, symbol=BTC)  # noqa: S106 - a hash
NEW = replace(SPOT, id=AccountId(0))


@pytest.fixture
def store(spread_client: ShardedClient) -> Store:
    return Store(spread_client)


def order_of(account: AccountId) -> Change:
    order = an_order(id=an_id(1, account), account=account)
    return Change(None, order, (TimelineEntry(EntryName.RECEIVED, NOW),))


def test_each_account_is_on_one_server(store: Store, spread_client: ShardedClient) -> None:
    for account in ACCOUNTS:
        store.ledger.commit([order_of(account)])

    found = [
        sorted(key.rpartition(":")[2] for key in server.scan_iter("*:aggregate:*"))
        for server in spread_client.servers
    ]
    assert found == [[str(an_id(1, account))] for account in ACCOUNTS]
    assert store.ledger.present([an_id(1, one) for one in ACCOUNTS]) == {
        an_id(1, one) for one in ACCOUNTS
    }


def test_nothing_is_done_at_once_that_is_in_two_places(spread_client: ShardedClient) -> None:
    with pytest.raises(ValueError, match="several tags"):
        spread_client.delete("{s00}:a", "{s01}:a")
    with pytest.raises(ValueError, match="several tags"):
        spread_client.eval("return {}", 2, "{s00}:a", "{s03}:a")  # on the same server
    with spread_client.pipeline(transaction=True) as pipeline:
        pipeline.set("{s00}:a", 1)
        pipeline.set("{s01}:a", 1)
        with pytest.raises(ValueError, match="one transaction"):
            pipeline.execute()

    assert spread_client.exists("{s00}:a") == spread_client.exists("{s01}:a") == 0


def test_answers_of_several_servers_come_in_order_and_an_error_is_in_its_place(
    spread_client: ShardedClient,
) -> None:
    spread_client.set("{s01}:a", "text")
    with spread_client.pipeline(transaction=False) as pipeline:
        for shard in (2, 1, 0):
            pipeline.incr(f"{{s{shard:02}}}:a")
        pipeline.incr("{s02}:a")

        answers = pipeline.execute(raise_on_error=False)

        assert pipeline.command_stack == []
        pipeline.incr("{s01}:a")
        with pytest.raises(redis.ResponseError):
            pipeline.execute()
    assert [answers[0], answers[2], answers[3]] == [1, 1, 2]
    assert isinstance(answers[1], redis.ResponseError)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("EVALSHA", "sha", 2, "a", "b", "word"), ("a", "b")),
        (("EVAL", "text", "0", "word"), ()),
        (("XREAD", b"COUNT", "1", b"STREAMS", "a", "b", "0", "0"), ("a", "b")),
        (("MGET", "a", "b"), ("a", "b")),
        (("HSET", "a", "field", "{s01}"), ("a",)),
        (("INFO", "memory"), ()),
        (("TIME",), ()),
    ],
)
def test_the_keys_of_a_command_are_known(command: tuple[str], named: tuple[str]) -> None:
    assert tuple(keys_of(command)) == named


@pytest.fixture
def with_one_away(
    redis_server: str, further_servers: list[str], tmp_path: Path
) -> Iterator[tuple[Store, Callable[[], None]]]:
    """A store of three servers, and what ends the one of the second of the accounts."""
    with (
        running_server(tmp_path) as last,
        spread_over([redis_server, last.url, further_servers[0]]) as client,
    ):
        client.flushall()

        def end() -> None:
            last.process.kill()
            last.process.wait()

        yield Store(client), end


WithOneAway = tuple[Store, Callable[[], None]]


def test_while_one_server_is_away_the_accounts_of_others_go_on(with_one_away: WithOneAway) -> None:
    store, end = with_one_away
    store.registry.put_account(NEW)
    end()

    for account in (ACCOUNTS[0], ACCOUNTS[2]):
        store.ledger.commit([order_of(account)])
    with pytest.raises(StoreUnavailable):
        store.ledger.commit([order_of(ACCOUNTS[1])])
    with pytest.raises(StoreUnavailable):  # nobody takes a part for the whole
        store.outbox.owed()

    assert store.ledger.load(an_id(1, ACCOUNTS[2])).version == 1


def test_what_is_due_on_the_others_is_done_while_one_server_is_away(
    with_one_away: WithOneAway,
) -> None:
    store, end = with_one_away
    for account in ACCOUNTS:
        delayed = a_signal(status=RequestStatus.SCHEDULED, due_at_ms=NOW)
        store.put(replace(delayed, id=an_id(1, account), account=account))
        store.put(a_signal(id=an_id(2, account), account=account))
    end()
    others = [ACCOUNTS[0], ACCOUNTS[2]]

    due = store.timers.due(NOW, 10)
    owed = {one.target for one in store.outbox.overdue(10)}
    RedisRuns(store.client).beat(NOW)

    assert set(due) == {an_id(1, one) for one in others}
    assert owed == {an_id(2, one) for one in others}
    assert RedisRuns(store.client).canary_ms() == NOW


def test_whoever_begins_while_one_server_is_away_knows_all_accounts(
    with_one_away: WithOneAway,
) -> None:
    store, end = with_one_away
    made = store.registry.put_account(NEW)
    before = store.registry.version()
    end()

    begun = RedisRegistry(store.client)

    assert begun.account(made.id) == made
    with pytest.raises(StoreUnavailable):  # it may be told there or not
        begun.put_connector(CONNECTOR)
    with pytest.raises(StaleRegistry):
        stale_admission(store, ACCOUNTS[2], before)


def test_what_happens_on_each_server_is_heard(store: Store) -> None:
    heard = store.reader.events()
    assert next(heard) is None
    for account in ACCOUNTS:
        store.ledger.commit([order_of(account)])

    told = list(islice((one for one in heard if one), len(ACCOUNTS)))
    heard.close()

    assert {one.id for one in told} == {an_id(1, one) for one in ACCOUNTS}


# Runs of servers


@pytest.mark.integration
def test_where_one_server_is_started_anew_only_its_accounts_are_asked_about(
    redis_server: str, further_servers: list[str], tmp_path: Path
) -> None:
    urls = [redis_server, further_servers[0]]
    with running_server(tmp_path) as last, spread_over([*urls, last.url]) as client:
        client.flushall()
        runs = RedisRuns(client)
        before = {one: runs.knowledge(one, BTC) for one in ACCOUNTS}
        for account, known in before.items():
            assert runs.vouch(account, BTC, known.run)
        (lost,) = Store(client).ids.fresh(ACCOUNTS[2], 1)
        runs.beat(EpochMs(server_ms(client)))
    with running_server(tmp_path) as last, spread_over([*urls, last.url]) as client:
        runs, store = RedisRuns(client), Store(client)
        after = {one: runs.knowledge(one, BTC) for one in ACCOUNTS}
        terms = [CommitConditions(vouched=(BTC, before[one].run)) for one in ACCOUNTS]

        assert [after[one].since_ms is None for one in ACCOUNTS] == [True, True, False]
        assert after[ACCOUNTS[2]].run != before[ACCOUNTS[2]].run
        # What was handed out before it began is not taken for new, though another server counts.
        assert after[ACCOUNTS[2]].mark >= lost.id
        for account, one in zip(ACCOUNTS[:2], terms, strict=False):
            store.ledger.commit([order_of(account)], one)
        with pytest.raises(NotVouched):
            store.ledger.commit([order_of(ACCOUNTS[2])], terms[2])


def test_a_server_that_is_started_anew_while_its_run_is_noted_has_the_newer_one() -> None:
    rig = Rig(SpreadClockedRedis())
    rig.redis.begin_run("a")
    runs = RedisRuns(rig.redis)
    last_id, drawn = runs._last_id, list[AggregateId]()  # noqa: SLF001 - a step of it

    def started_anew_meanwhile() -> int:
        last = last_id()
        if not drawn:
            drawn.extend(one.id for one in rig.ports.ids.latest(ACCOUNTS[1], 1))
            rig.redis.begin_run("b")
        return last

    runs._last_id = started_anew_meanwhile  # type: ignore[method-assign]  # noqa: SLF001
    known = runs.knowledge(ACCOUNTS[1], BTC)
    (after,) = rig.ports.ids.latest(ACCOUNTS[1], 1)

    assert known.run == "b"
    assert drawn[0] <= known.mark < after.id


def test_what_a_shard_has_is_before_its_run_though_ids_are_counted_by_an_older_copy() -> None:
    rig = Rig(SpreadClockedRedis())
    copied = rig.redis.get(keys.IDS)
    rig.clock.advance(60_000)
    (made,) = rig.ports.ids.latest(ACCOUNTS[1], 1)
    rig.redis.set(keys.IDS, copied or 0)
    rig.redis.begin_run("b")

    assert RedisRuns(rig.redis).knowledge(ACCOUNTS[1], BTC).mark >= made.id


def test_a_store_that_knew_no_runs_was_last_seen_by_its_last_canary() -> None:
    store = SpreadClockedRedis()
    rig = Rig(store)
    store.set(keys.CANARY, NOW)
    rig.clock.advance(60_000)

    RedisRuns(store).beat(rig.clock.server_ms())

    assert [one.zscore(keys.RUNS, "first") for one in store.servers] == [NOW] * 3


def test_the_server_that_is_behind_the_history_is_the_one_that_counts(
    spread_client: ShardedClient,
) -> None:
    runs = RedisRuns(spread_client)
    assert [runs.epoch(), runs.raise_epoch(), runs.raise_epoch()] == [0, 1, 2]
    assert [one.get(keys.EPOCH) for one in spread_client.servers] == ["2"] * 3

    spread_client.servers[1].set(keys.EPOCH, 1)  # a copy from before

    assert runs.epoch() == 1
    runs.reach_epoch(5)
    assert [one.get(keys.EPOCH) for one in spread_client.servers] == ["5"] * 3


# Accounts and credentials


def stale_admission(store: Store, account: AccountId, version: int) -> None:
    store.ledger.admit(
        [Change(None, a_signal(id=an_id(9, account), account=account))],
        Admission(registry_version=version),
    )


def test_a_change_counts_on_all_servers_when_it_is_made(store: Store) -> None:
    before = store.registry.version()
    store.registry.put_account(NEW)

    for account in ACCOUNTS:
        with pytest.raises(StaleRegistry):
            stale_admission(store, account, before)


def test_whoever_dies_over_a_change_leaves_it_made_or_not_and_nothing_shut() -> None:
    told: set[str] = set()
    for number in range(1, 40):
        rig = Rig(SpreadClockedRedis())
        seconds = Mock(return_value=0.0)
        other = RedisRegistry(rig.redis, seconds)
        known = other.account(AccountId(1))
        rig.die_after(number)
        try:
            rig.registry.put_account(replace(known, enabled=False))
        except Died:
            pass
        else:
            break
        finally:
            rig.undisturbed()
        seconds.return_value = LIFE_SECONDS + 0.1

        found = other.account(AccountId(1))
        order = Change(None, a_signal(id=an_id(9, AccountId(1)), account=AccountId(1)))
        rig.ports.ledger.admit([order], Admission(registry_version=other.version()))

        assert replace(found, enabled=True) == known
        told.add(str(found.enabled))
        again = RedisRegistry(rig.redis)
        again.put_account(replace(found, enabled=True))
        assert RedisRegistry(rig.redis).account(AccountId(1)).enabled
    else:
        raise AssertionError("it never ends")
    assert told == {"True", "False"}


def test_who_tells_of_a_change_too_late_takes_no_later_one_back(store: Store) -> None:
    made = store.registry.put_account(NEW)
    store.registry.put_account(replace(made, enabled=False))
    newest = store.registry.version()

    for shard in keys.SHARDS:
        load_script(store.client, "tell_version.lua")([shard.registry], [newest - 1])

    assert {store.client.get(shard.registry) for shard in keys.SHARDS} == {str(newest)}


def test_shards_that_were_not_told_are_told_by_whoever_looks_next(store: Store) -> None:
    store.registry.put_account(NEW)
    before = store.registry.version()
    store.client.set(keys.REGISTRY, before + 1)  # by one who died then

    RedisRegistry(store.client).refresh()

    for account in ACCOUNTS:
        with pytest.raises(StaleRegistry):
            stale_admission(store, account, before)


#: What a release did that raised the version in the shards alone.
PUT_BEFORE = """
for number = 2, #KEYS do redis.call('INCR', KEYS[number]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])"""


def change_as_before(client: redis.Redis, account: Account) -> None:
    """Change an account as an earlier release does, which still runs."""
    versions = [shard.registry for shard in keys.SHARDS]
    text = json.dumps(encoder(Account)(account))
    client.eval(PUT_BEFORE, 17, keys.ACCOUNTS, *versions, account.name, text)


def test_what_an_earlier_release_changes_is_seen_within_seconds(real_client: redis.Redis) -> None:
    seconds = Mock(return_value=0.0)
    registry = RedisRegistry(real_client, seconds)
    made = registry.put_account(NEW)
    change_as_before(real_client, replace(made, enabled=False))
    seconds.return_value = LIFE_SECONDS + 0.1

    assert not registry.account(made.id).enabled
    stale_admission(Store(real_client), ACCOUNTS[1], registry.version())


def test_a_change_upon_one_of_an_earlier_release_counts_for_both(real_client: redis.Redis) -> None:
    registry = RedisRegistry(real_client)
    made = registry.put_account(NEW)
    change_as_before(real_client, replace(made, enabled=False))
    before = int(real_client.get(keys.SHARDS[0].registry) or 0)

    with pytest.raises(RegistryChanged):
        registry.put_account(replace(made, name=made.name))
    registry.change(lambda: registry.put_account(replace(registry.account(made.id), enabled=True)))

    assert {real_client.get(shard.registry) for shard in keys.SHARDS} == {str(before + 1)}
    assert registry.version() == before + 1


def test_a_store_of_an_earlier_release_keeps_its_version(client: redis.Redis) -> None:
    made = RedisRegistry(client).put_account(NEW)
    client.delete(keys.REGISTRY)
    for shard in keys.SHARDS:
        client.set(shard.registry, 7)

    anew = RedisRegistry(client)

    assert anew.version() == 7
    assert anew.put_account(replace(made, enabled=False)).enabled is False
    assert anew.version() == 8
    assert {client.get(shard.registry) for shard in keys.SHARDS} == {"8"}


def test_nothing_is_changed_upon_what_was_emptied_since(real_client: redis.Redis) -> None:
    registry = RedisRegistry(real_client)
    made = registry.put_account(NEW)
    real_client.flushall()

    with pytest.raises(RegistryChanged):
        registry.put_account(replace(made, enabled=False))


# The rest


def test_commits_that_share_writes_go_to_their_servers(
    spread_client: ShardedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[StoreClient] = []
    at_once = StoreClient.at_once

    def noted(client: StoreClient, commands: Sequence[bytes]) -> list[Any]:
        asked.append(client)
        return at_once(client, commands)

    monkeypatch.setattr(StoreClient, "at_once", noted)
    sent = partial(shared, spread_client, 20.0)
    ledger = RedisLedger(spread_client, FrozenClock(), lambda: "web", 3_000, sent)
    for account in ACCOUNTS:
        ledger.commit([order_of(account)])

    assert asked == spread_client.servers
    assert [ledger.load(an_id(1, one)).version for one in ACCOUNTS] == [1, 1, 1]


@pytest.mark.integration
def test_the_fullest_server_tells_how_full_the_store_is(
    spread_client: SpreadClient, further_servers: list[str]
) -> None:
    memory = RedisMemory(spread_client)
    before = memory.read().percent
    with redis.Redis.from_url(further_servers[1]) as last:
        fill(last)
        try:
            full = memory.read().percent
        finally:
            make_room(last)
            last.config_set("maxmemory", 256 * 2**20)

    assert before < 50
    assert full >= 99
