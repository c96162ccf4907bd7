"""Accounts, connectors, API clients and channels, read as a whole and kept until they change."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import redis
import structlog

from app.domain.account import Account, ApiClient, Connector
from app.domain.channel import Channel
from app.domain.enums import AccountState, Dialect, PositionMode
from app.domain.errors import NotFound, RegistryChanged, StoreUnavailable
from app.domain.frozen import refuse_if_frozen
from app.domain.identifiers import AccountId, AccountName
from app.store.core import keys
from app.store.core.codec import Value, encoder, value_from
from app.store.core.scripts import load_script, run_queued, text_of
from app.store.core.sharded import by_server, each_server
from app.store.core.transaction import OK

_log = structlog.get_logger()

#: After this long everything is read anew even if nobody said that it has changed.
LIFE_SECONDS = 2.0

#: Times that a change is made before it is refused. One of those that meet is always written.
CHANGES_MAX = 20

Changed = TypeVar("Changed")

Record = Account | Connector | ApiClient | Channel

#: What is read, in the order of `_Snapshot`.
_READ: Final = (keys.ACCOUNTS, keys.ACCOUNT_IDS, keys.CONNECTORS, keys.CLIENTS, keys.CHANNELS)

#: Where the records of each kind are.
_KEYS: Final[Mapping[type, str]] = {
    Account: keys.ACCOUNTS,
    Connector: keys.CONNECTORS,
    ApiClient: keys.CLIENTS,
    Channel: keys.CHANNELS,
}


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What was read at one moment; records are decoded when they are first asked for."""

    version: int = -1
    accounts: Mapping[str, str] = field(default_factory=dict)
    account_ids: Mapping[str, str] = field(default_factory=dict)
    connectors: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    decoded: dict[tuple[type, str], Any] = field(default_factory=dict)

    def account(self, name: str) -> Account:
        """Return an account that there is."""
        return self._record(Account, name, self.accounts[name])

    def connector(self, name: str) -> Connector:
        """Return a connector that there is."""
        return self._record(Connector, name, self.connectors[name])

    def client(self, name: str) -> ApiClient:
        """Return an API client that there is."""
        return self._record(ApiClient, name, self.clients[name])

    @property
    def readable_channels(self) -> tuple[Channel, ...]:
        """All channels by name, but for those of a newer release; the same object each time."""
        known: tuple[Channel, ...] | None = self.decoded.get((Channel, ""))
        if known is None:
            found = (self._channel(name) for name in sorted(self.channels))
            known = self.decoded[Channel, ""] = tuple(one for one in found if one is not None)
        return known

    def _channel(self, name: str) -> Channel | None:
        try:
            return self._record(Channel, name, self.channels[name])
        except (LookupError, TypeError, ValueError) as error:
            _log.warning("channel_not_read", channel=name, error=str(error))
            return None

    def _record(self, kind: type[Value], name: str, text: str) -> Value:
        found: Value | None = self.decoded.get((kind, name))
        if found is None:
            found = self.decoded[kind, name] = value_from(kind, text)
        return found


class RedisRegistry:
    """The registry. Each shard is told of its version, so that commits can check it.

    A change is written, and then told: until a shard knows of it, what others have read before goes
    on there as if it came before the change. Whoever has made it waits for all shards. If that dies
    meanwhile, the next who looks tells them, within LIFE_SECONDS.
    """

    def __init__(self, client: redis.Redis, seconds: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._seconds = seconds
        self._set_state = load_script(client, "set_state.lua")
        self._put_record = load_script(client, "put_record.lua")
        self._tell = load_script(client, "tell_version.lua")
        self._change = threading.local()
        self._lock = threading.Lock()
        self._snapshot = _Snapshot()
        self._looked_at = 0.0

    def over(self, client: redis.Redis) -> "RedisRegistry":
        """Return one that has read the same, and goes on by another client."""
        other = RedisRegistry(client, self._seconds)
        with self._lock:
            other._snapshot, other._looked_at = self._snapshot, self._looked_at
        return other

    def version(self) -> int:
        """Return the version of what this process has read."""
        return self._fresh().version

    def refresh(self) -> bool:
        """Read anew what has changed, and return whether anything had.

        Each thread reads for itself: nobody waits for an answer to somebody else.
        """
        before = self._snapshot
        version = self._version()
        found = before if version == before.version else self._read(version)
        with self._lock:
            # Another thread may have read something newer meanwhile: that stays.
            if self._snapshot is before or self._snapshot.version < found.version:
                self._snapshot = found
            self._looked_at = self._seconds()
            return self._snapshot.version != before.version

    @property
    def is_unread(self) -> bool:
        """Whether this process has never read it."""
        return self._snapshot.version < 0

    def account(self, account_id: AccountId) -> Account:
        """Return an account by its id."""
        for read in (self._fresh, self._newest):
            snapshot = read()
            name = snapshot.account_ids.get(str(account_id))
            if name is not None:
                return snapshot.account(name)
        raise NotFound(f"there is no account {account_id}")

    def account_named(self, name: AccountName) -> Account:
        """Return an account by its name."""
        for read in (self._fresh, self._newest):
            snapshot = read()
            if name in snapshot.accounts:
                return snapshot.account(name)
        raise NotFound(f"there is no account named {name}")

    def accounts(self) -> Sequence[Account]:
        """Return all accounts, by id."""
        snapshot = self._fresh()
        return sorted(map(snapshot.account, snapshot.accounts), key=lambda account: account.id)

    def connector(self, name: str) -> Connector | None:
        """Return a connector, or None if there is none with this name."""
        snapshot = self._fresh()
        return snapshot.connector(name) if name in snapshot.connectors else None

    def connectors(self) -> Sequence[Connector]:
        """Return all connectors, by name."""
        snapshot = self._fresh()
        return list(map(snapshot.connector, sorted(snapshot.connectors)))

    def client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return an API client, or None if the dialect has none with this key."""
        self._fresh()
        return self.known_client(dialect, key)

    def known_client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return an API client as far as this process knows: the store is not asked."""
        snapshot, name = self._snapshot, f"{dialect}:{key}"
        return snapshot.client(name) if name in snapshot.clients else None

    def clients(self) -> Sequence[ApiClient]:
        """Return all API clients, by dialect and key."""
        snapshot = self._fresh()
        return list(map(snapshot.client, sorted(snapshot.clients)))

    def channels(self) -> Sequence[Channel]:
        """Return all channels, by name, as far as this process knows: the store is not asked."""
        return self._snapshot.readable_channels

    def known_name(self, account_id: AccountId) -> AccountName | None:
        """Return the name of an account, as far as this process knows: the store is not asked."""
        name = self._snapshot.account_ids.get(str(account_id))
        return None if name is None else AccountName(name)

    def change(self, make: Callable[[], Changed]) -> Changed:
        """Read, check and put upon one version; what meets another change is made anew."""
        if self._changes_upon() is not None:
            return make()
        for _ in range(CHANGES_MAX - 1):
            with suppress(RegistryChanged):
                return self._upon_newest(make)
        return self._upon_newest(make)

    def put_account(self, account: Account) -> Account:
        """Create or change an account; a new one (id 0) gets its id and starts in RUN."""
        if account.id == 0:
            account = replace(account, id=self._next_account_id(account.name))
        own, before = keys.account(account.id), self._snapshot
        self._client.set(own.state, AccountState.RUN, nx=True)
        has_before = account.name in before.accounts
        limits = before.account(account.name).limits if has_before else {}
        version = self._put([account])
        if account.limits != limits:
            # From now on no claim goes by what others have read before.
            self._tell([own.limits_since], [version])
        return account

    def note_position_mode(self, account_id: AccountId, mode: PositionMode) -> None:
        """Write down how the venue of an account holds its positions from now on."""

        def note() -> None:
            account = self.account(account_id)
            if account.position_mode is not mode:
                self.put_account(replace(account, position_mode=mode))

        self.change(note)

    def put_connector(self, connector: Connector) -> None:
        """Create or change a connector."""
        self._put([connector])

    def put_client(self, client: ApiClient) -> None:
        """Create or change an API client."""
        self._put([client])

    def put_channel(self, channel: Channel) -> None:
        """Create or change a channel."""
        self._put([channel])

    def change_all(self, records: Sequence[Record]) -> None:
        """Change known records of one kind, all or nothing, in one version."""
        if records:
            self._put(records)

    def set_state(self, account: AccountId, state: AccountState) -> None:
        """Set the risk state of an account that is not frozen."""
        answer = self._set_state([keys.account(account).state], [state])
        if answer[0] != OK:
            refuse_if_frozen(AccountState.FROZEN)

    def _next_account_id(self, name: AccountName) -> AccountId:
        """Return the id that this name has, else the first that is free.

        Ids are given out without gaps and never taken back, so two who create the same name at once
        come upon the same one.
        """
        names = self._client.hgetall(keys.ACCOUNT_IDS)
        known = [number for number, taken in names.items() if taken == name]
        number = int(known[0]) if known else len(names) + 1
        while not self._client.hsetnx(keys.ACCOUNT_IDS, str(number), name):
            if self._client.hget(keys.ACCOUNT_IDS, str(number)) == name:
                break
            number += 1
        return AccountId(number)

    def _upon_newest(self, make: Callable[[], Changed]) -> Changed:
        self.refresh()
        # Taken before anything else is read: what `make` reads is of this version or newer.
        self._change.version = self._snapshot.version
        try:
            return make()
        finally:
            self._change.version = None

    def _changes_upon(self) -> int | None:
        """Return the version upon which this thread makes a change, or None if it makes none."""
        version: int | None = getattr(self._change, "version", None)
        return version

    def _put(self, records: Sequence[Record]) -> int:
        """Write records of one kind and raise the version, all or nothing; then tell all shards.

        Return the new version.
        """
        version = self._changes_upon()
        version = self.version() if version is None else version
        kind: type = type(records[0])
        words: list[str | int] = [version]
        for one in records:
            text = json.dumps(encoder(kind)(one), separators=(",", ":"))
            words += one.origin if isinstance(one, ApiClient) else one.name, text
        is_newest = self._version() == version
        if not is_newest or self._put_record([_KEYS[kind], keys.REGISTRY], words)[0] != OK:
            raise RegistryChanged(
                f"somebody else changed accounts or credentials before {words[1]}"
            )
        self._tell_shards(keys.SHARDS, version + 1)
        self.refresh()
        return version + 1

    def _version(self) -> int:
        """Return the newest version, and tell it where it is not known.

        A process of an earlier release raises it in the shards alone, and reads it there. Shards of
        a server that is away are told by whoever looks when it is back.
        """
        named = [keys.REGISTRY, *(shard.registry for shard in keys.SHARDS)]
        told: dict[str, int] = {}
        for found in each_server(by_server(self._client, named), _versions):
            told |= found
        if keys.REGISTRY not in told:
            raise StoreUnavailable("the first server of the store is away")
        version = max(told.values())
        if told[keys.REGISTRY] < version:
            self._tell([keys.REGISTRY], [version])
        behind = [shard for shard in keys.SHARDS if told.get(shard.registry, version) < version]
        if behind:
            self._tell_shards(behind, version)
        return version

    def _tell_shards(self, shards: Sequence[keys.Shard], version: int) -> None:
        def tell(_: redis.Redis, own: Sequence[str]) -> None:
            run_queued(self._client, [(self._tell, [key], [version]) for key in own])

        named = by_server(self._client, [shard.registry for shard in shards])
        each_server(named, tell, all_count=True)

    def _fresh(self) -> _Snapshot:
        if self.is_unread:
            self.refresh()
        elif self._seconds() - self._looked_at > LIFE_SECONDS:
            # One looks, the others go on with what they have: a commit checks its version anyway.
            # What they have is set by `refresh` alone, else an older one could come back.
            self._looked_at = self._seconds()
            self.refresh()
        return self._snapshot

    def _newest(self) -> _Snapshot:
        self.refresh()
        return self._snapshot

    def _read(self, version: int) -> _Snapshot:
        """Read everything. The version was read before: at worst it is older than the records."""
        pipeline = self._client.pipeline(transaction=True)
        for key in _READ:
            pipeline.hgetall(key)
        return _Snapshot(version, *pipeline.execute())


def _versions(server: redis.Redis, own: Sequence[str]) -> Mapping[str, int]:
    """Return the version that each shard of a server knows of, by its key."""
    with server.pipeline(transaction=False) as pipeline:
        for key in own:
            pipeline.get(key)
        found = pipeline.execute()
    return {key: int(text_of(one or "0")) for key, one in zip(own, found, strict=True)}
