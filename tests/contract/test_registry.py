"""The registry: accounts, connectors and clients, and the version that commits are checked by."""

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import redis

from app.domain.account import Account, ApiClient, Connector
from app.domain.enums import AccountState, Dialect, Market, PositionMode
from app.domain.errors import NotFound, RegistryChanged
from app.domain.identifiers import AccountId, AccountName
from app.store.core import keys
from app.store.core.ledger import RedisLedger
from app.store.core.registry import CHANGES_MAX, LIFE_SECONDS, RedisRegistry
from tests.support.builders import BTC, must
from tests.support.clocks import FrozenClock

NEW = Account(id=AccountId(0), name=AccountName("one"), group="demo")
CONNECTOR = Connector(name="c1", token_hash="abc", account=AccountName("one"), symbol=BTC)  # noqa: S106 - a hash
CLIENT = ApiClient(dialect=Dialect.POLONIEX, key="k1", secret="sealed")  # noqa: S106 - sealed


class Seconds:
    """A monotonic clock by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry(client: redis.Redis) -> RedisRegistry:
    return RedisRegistry(client)


def named(name: str) -> Account:
    return replace(NEW, name=AccountName(name))


def test_an_empty_registry_knows_nobody(registry: RedisRegistry) -> None:
    assert registry.accounts() == []
    assert registry.connector("c1") is None
    assert registry.client(Dialect.POLONIEX, "k1") is None
    with pytest.raises(NotFound, match="no account 1"):
        registry.account(AccountId(1))
    with pytest.raises(NotFound, match="no account named one"):
        registry.account_named(AccountName("one"))


def test_new_accounts_get_small_ids_in_turn(registry: RedisRegistry) -> None:
    made = [registry.put_account(named(name)) for name in ("one", "two", "three")]

    assert [account.id for account in made] == [1, 2, 3]
    assert list(registry.accounts()) == made


def test_a_new_account_costs_as_much_however_many_there_are(client: redis.Redis) -> None:
    registry = RedisRegistry(client)
    execute: Callable[..., object] = client.execute_command
    sent: list[object] = []

    def noting(*command: object, **options: object) -> object:
        sent.append(command[0])
        return execute(*command, **options)

    client.execute_command = noting  # type: ignore[method-assign]
    costs: list[int] = []
    for number in range(20):
        sent.clear()
        registry.put_account(named(f"a{number}"))
        costs.append(len(sent))

    assert 0 < costs[-1] <= costs[0]


def test_an_id_that_was_given_out_for_nothing_is_taken_up_by_its_name(client: redis.Redis) -> None:
    """Whoever made an account stopped before it was written."""
    registry = RedisRegistry(client)
    registry.put_account(named("one"))
    client.hset(keys.ACCOUNT_IDS, "2", "two")

    made = [registry.put_account(named(name)).id for name in ("three", "two", "four")]

    assert made == [3, 2, 4]


def test_an_account_is_found_by_id_and_by_name(registry: RedisRegistry) -> None:
    made = registry.put_account(replace(NEW, market=Market.USDM, position_mode=PositionMode.ONEWAY))

    assert registry.account(made.id) == made
    assert registry.account_named(made.name) == made


def test_an_account_that_is_made_again_keeps_its_id(registry: RedisRegistry) -> None:
    registry.put_account(named("one"))
    registry.put_account(named("two"))

    again = registry.put_account(replace(named("one"), group="other"))

    assert again.id == 1
    assert registry.account(AccountId(1)).group == "other"


def test_a_new_account_runs_and_a_changed_one_stays_as_it_was(
    client: redis.Redis, registry: RedisRegistry
) -> None:
    ledger = RedisLedger(client, FrozenClock(), lambda: "test", 1_000)
    made = registry.put_account(NEW)
    first = ledger.state_of(made.id)
    registry.set_state(made.id, AccountState.HALT)

    registry.put_account(replace(made, group="other"))

    assert first is AccountState.RUN
    assert ledger.state_of(made.id) is AccountState.HALT


def test_connectors_and_clients_are_read_as_they_were_written(registry: RedisRegistry) -> None:
    registry.put_connector(replace(CONNECTOR, settings={"leverage": 5}))
    registry.put_client(replace(CLIENT, accounts=(AccountName("one"),), permissions=("trade",)))

    assert registry.connectors() == [replace(CONNECTOR, settings={"leverage": 5})]
    assert registry.connector("c1") == registry.connectors()[0]
    assert registry.clients() == [registry.client(Dialect.POLONIEX, "k1")]
    assert registry.client(Dialect.HUMMINGBOT, "k1") is None


def test_every_change_raises_the_version_in_every_shard(
    client: redis.Redis, registry: RedisRegistry
) -> None:
    before = registry.version()
    registry.put_account(NEW)
    registry.put_connector(CONNECTOR)
    registry.put_client(CLIENT)

    versions = {client.get(shard.registry) for shard in keys.SHARDS}
    assert before == 0
    assert registry.version() == 3
    assert versions == {"3"}


def test_a_state_is_no_change_of_the_registry(registry: RedisRegistry) -> None:
    made = registry.put_account(NEW)
    before = registry.version()

    registry.set_state(made.id, AccountState.HALT)

    assert registry.version() == before


def test_another_process_sees_a_change_within_seconds(client: redis.Redis) -> None:
    seconds = Seconds()
    reader, writer = RedisRegistry(client, seconds), RedisRegistry(client)
    assert reader.connector("c1") is None
    writer.put_connector(CONNECTOR)

    still = reader.connector("c1")
    seconds.now += LIFE_SECONDS + 0.1

    assert still is None
    assert reader.connector("c1") == CONNECTOR


def test_another_process_sees_a_change_at_once_when_it_asks(client: redis.Redis) -> None:
    reader, writer = RedisRegistry(client, Seconds()), RedisRegistry(client)
    assert reader.version() == 0
    writer.put_connector(CONNECTOR)

    assert reader.refresh()
    assert not reader.refresh()
    assert reader.connector("c1") == CONNECTOR


def test_an_account_that_is_new_is_looked_for_at_once(client: redis.Redis) -> None:
    reader, writer = RedisRegistry(client, Seconds()), RedisRegistry(client)
    assert reader.accounts() == []
    made = writer.put_account(NEW)

    assert reader.account(made.id) == made
    assert reader.account_named(made.name) == made


def test_an_account_that_is_known_costs_no_question(
    client: redis.Redis, registry: RedisRegistry
) -> None:
    made = registry.put_account(NEW)
    client.flushall()

    assert registry.account(made.id) == made


def test_numbers_in_settings_survive(registry: RedisRegistry) -> None:
    settings = {"balance_reserve": str(Decimal("0.02")), "leverage": 3}

    registry.put_connector(replace(CONNECTOR, settings=settings))

    assert must(registry.connector("c1")).settings == settings


@pytest.mark.integration
def test_two_who_make_the_same_account_at_once_share_its_id(real_client: redis.Redis) -> None:
    start = threading.Barrier(6)
    made: list[Account] = []

    def make(name: str) -> None:
        registry = RedisRegistry(real_client)
        start.wait()
        made.append(registry.change(lambda: registry.put_account(named(name))))

    makers = [threading.Thread(target=make, args=(name,)) for name in ["one", "two"] * 3]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()

    ids = {account.name: account.id for account in made}
    assert sorted(ids.values()) == [1, 2]
    assert all(account.id == ids[account.name] for account in made)


def test_the_mode_of_an_account_is_written_down_once(registry: RedisRegistry) -> None:
    account = registry.put_account(NEW)
    before = registry.version()

    registry.note_position_mode(account.id, PositionMode.ONEWAY)
    changed = registry.version()
    registry.note_position_mode(account.id, PositionMode.ONEWAY)

    assert registry.account(account.id) == replace(account, position_mode=PositionMode.ONEWAY)
    assert changed > before
    assert registry.version() == changed


def test_what_is_known_costs_no_question(registry: RedisRegistry, client: redis.Redis) -> None:
    fresh = RedisRegistry(client)
    registry.put_client(CLIENT)

    assert fresh.is_unread
    assert fresh.known_client(CLIENT.dialect, CLIENT.key) is None
    fresh.refresh()
    assert not fresh.is_unread
    assert fresh.known_client(CLIENT.dialect, CLIENT.key) == CLIENT


def test_what_was_read_meanwhile_by_another_thread_is_not_undone(
    client: redis.Redis, registry: RedisRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RedisRegistry(client)
    writer.put_account(NEW)
    read = registry._read  # noqa: SLF001 - the longer of the two questions

    def overtaken(version: int) -> object:
        found = read(version)
        monkeypatch.undo()
        writer.put_connector(CONNECTOR)
        registry.refresh()  # as another thread: nobody waits for anybody here
        return found

    monkeypatch.setattr(registry, "_read", overtaken)

    assert registry.refresh()
    assert registry.version() == writer.version()
    assert registry.connector("c1") == CONNECTOR


def test_a_change_that_meets_another_one_is_made_anew_on_what_that_has_left(
    client: redis.Redis,
) -> None:
    ours, theirs = RedisRegistry(client), RedisRegistry(client)
    ours.put_connector(CONNECTOR)
    others = [replace(CONNECTOR, enabled=False), None]

    def rename() -> Connector:
        known = must(ours.connector("c1"))
        other = others.pop(0)
        if other is not None:
            theirs.put_connector(other)
        changed = replace(known, account=AccountName("two"))
        ours.put_connector(changed)
        return changed

    changed = ours.change(rename)

    assert changed == replace(CONNECTOR, account=AccountName("two"), enabled=False)
    assert theirs.refresh()
    assert theirs.connector("c1") == changed


def test_what_was_read_of_another_record_must_still_be_so(client: redis.Redis) -> None:
    """Two at once would have the same place in a group, for instance."""
    ours, theirs = RedisRegistry(client), RedisRegistry(client)
    seen: list[int] = []

    def make() -> None:
        seen.append(len(ours.accounts()))
        if len(seen) == 1:
            theirs.put_account(named("theirs"))
        ours.put_account(named("ours"))

    ours.change(make)

    assert seen == [0, 1]


def test_a_change_that_meets_others_again_and_again_writes_nothing(client: redis.Redis) -> None:
    ours, theirs = RedisRegistry(client), RedisRegistry(client)
    made: list[int] = []

    def make() -> None:
        made.append(theirs.version())
        theirs.put_client(CLIENT)
        ours.put_connector(CONNECTOR)

    with pytest.raises(RegistryChanged):
        ours.change(make)

    assert len(made) == CHANGES_MAX
    assert ours.connector("c1") is None
    assert ours.clients() == [CLIENT]


def test_what_another_process_has_changed_is_not_written_over_outside_of_a_change(
    client: redis.Redis,
) -> None:
    ours, theirs = RedisRegistry(client, Seconds()), RedisRegistry(client)
    ours.put_connector(CONNECTOR)
    off = replace(CONNECTOR, enabled=False)
    theirs.refresh()
    theirs.put_connector(off)

    with pytest.raises(RegistryChanged):
        ours.put_connector(CONNECTOR)

    assert theirs.connector("c1") == off


def test_a_mode_that_is_noted_meanwhile_leaves_an_account_switched_off(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = RedisRegistry(client), RedisRegistry(client)
    account = ours.put_account(NEW)
    theirs.refresh()
    off = replace(account, enabled=False)
    put: Any = ours.put_account

    def meeting(changed: Account) -> None:
        monkeypatch.setattr(ours, "put_account", put)
        theirs.put_account(off)
        put(changed)

    monkeypatch.setattr(ours, "put_account", meeting)
    ours.note_position_mode(account.id, PositionMode.ONEWAY)

    assert ours.account(account.id) == replace(off, position_mode=PositionMode.ONEWAY)
