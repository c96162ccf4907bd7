"""The runs of the store's servers, and which orders at venues are known in the present ones."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

import redis

from app.domain.enums import AccountState
from app.domain.frozen import Frozen, Knowledge
from app.domain.identifiers import (
    ID_EPOCH_MS,
    IDS_PER_MS,
    AccountId,
    AggregateId,
    ClientOrderId,
    EpochMs,
    Symbol,
)
from app.store.core import keys
from app.store.core.codec import encoder, value_from
from app.store.core.ids import BLOCK
from app.store.core.scripts import Answer, LoadedScript, load_script, text_of
from app.store.core.sharded import each_server, server_of, servers_of
from app.store.core.transaction import OK

#: As far apart as two answers must be that prove an absence: the venue may have hidden it before.
ABSENT_LIFE_MS = 10_000


_RUN = (keys.RUNS, keys.RUN, keys.RUN_ENDS)


class RedisRuns:
    """Tells one life of a server from another one by the name that it gives itself at each start.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._servers = {one: _ScriptsOfRuns(one) for one in servers_of(client)}
        self._vouch = load_script(client, "run.lua", "vouch.lua")
        self._draw_block = load_script(client, "ids.lua")

    def beat(self, at_ms: EpochMs) -> None:
        """Note that the present runs still last: a canary came through the queue at this time."""
        each_server(self._servers, lambda _, scripts: self._noted(scripts.beat, _RUN))
        self._client.set(keys.CANARY, at_ms)

    def canary_ms(self) -> EpochMs | None:
        """Return the server time at which one last came through, or None if none ever did."""
        found = self._canary()
        return None if found is None else EpochMs(int(text_of(found)))

    def knowledge(self, account: AccountId, symbol: Symbol) -> Knowledge:
        """Return what the present run knows of an account's orders of a symbol."""
        vouched = keys.account(account).vouched
        script = self._servers[server_of(self._client, vouched)].knowledge
        answer = self._noted(script, [*_RUN, vouched], symbol)
        _, run, mark, begun, since, end = map(text_of, answer)
        return Knowledge(
            run=run,
            mark=AggregateId(int(mark)),
            begun_ms=EpochMs(int(begun)),
            since_ms=None if since == "" else EpochMs(int(since.partition(".")[0])),
            end=AggregateId(int(end)),
        )

    def vouch(self, account: AccountId, symbol: Symbol, run: str) -> bool:
        """Note that all orders of a symbol are known in a run; False if it is over."""
        return bool(self._vouch([keys.account(account).vouched], [symbol, run, ""])[0] == OK)

    def vouch_until(self, account: AccountId, symbol: Symbol, run: str, until_ms: EpochMs) -> bool:
        """Note that those are known that were placed before a server time."""
        return bool(self._vouch([keys.account(account).vouched], [symbol, run, until_ms])[0] == OK)

    def keep_absent(self, order_id: AggregateId, run: str) -> None:
        """Note for a few seconds that a venue has no such order, as it said in a run."""
        self._client.set(f"{keys.ABSENT}{order_id}", run, px=ABSENT_LIFE_MS)

    def is_absent(self, order_id: AggregateId, run: str) -> bool:
        """Tell whether the venue has said so just now, in the same run."""
        return text_of(self._client.get(f"{keys.ABSENT}{order_id}") or "") == run

    def epoch(self) -> int:
        """Return how far the store has counted together with the history; 0 if it never has.

        Of several servers the one counts that is behind: it may have lost what the history has.
        """
        return min(int(text_of(one.get(keys.EPOCH) or "0")) for one in self._servers)

    def raise_epoch(self) -> int:
        """Count on by one, and return how far that is."""
        return min([int(one.incr(keys.EPOCH)) for one in self._servers])

    def reach_epoch(self, to: int) -> None:
        """Count on from here."""
        for one in self._servers:
            one.set(keys.EPOCH, to)

    def symbols(self, account: AccountId) -> Collection[Symbol]:
        """Return the symbols of an account that were ever vouched for."""
        found = self._client.hkeys(keys.account(account).vouched)
        return [Symbol(text_of(one)) for one in found]

    def _noted(self, script: LoadedScript, own: Sequence[str], *words: str) -> Answer:
        """Run a script that notes the run of a server, which may be new there.

        The last id is asked for when the run has begun, so it is not before those that were handed
        out in the one before. Should there be a newer run by then, that is noted.
        """
        told = ["", "", ""]
        while True:
            answer = script(own, [*told, *words])
            if answer[0] == OK:
                return answer
            told = [text_of(answer[1]), str(self._last_id()), text_of(self._canary() or "")]

    def _last_id(self) -> int:
        """Return the last id of a block that is drawn for nobody: above all that were handed out.

        What the store has counted may be an older copy than what it has of accounts; a block does
        not begin before this moment.
        """
        answer = self._draw_block([keys.IDS], [BLOCK, ID_EPOCH_MS, IDS_PER_MS])
        return int(answer[0]) + BLOCK - 1

    def _canary(self) -> object:
        return self._client.get(keys.CANARY)


class _ScriptsOfRuns:
    """What is asked of one server."""

    def __init__(self, server: redis.Redis) -> None:
        self.beat = load_script(server, "run.lua", "beat.lua")
        self.knowledge = load_script(server, "run.lua", "knowledge.lua")


class RedisFreezer:
    """Why accounts are frozen.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._freeze = load_script(client, "freeze.lua")
        self._thaw = load_script(client, "thaw.lua")

    def freeze(self, frozen: Frozen) -> None:
        """Let nothing be sent for an account. One that is frozen already has another reason now."""
        own = keys.account(frozen.account)
        self._freeze([own.state, own.frozen], [_text_of(frozen)])

    def of(self, account: AccountId) -> Frozen | None:
        """Return why an account is frozen, or None if it is not."""
        before, record = self._client.hmget(keys.account(account).frozen, "before", "record")
        if record is None:
            return None
        frozen = value_from(Frozen, text_of(record))
        return replace(frozen, before=AccountState(text_of(before)))

    def thaw(self, frozen: Frozen) -> AccountState | None:
        """Give an account its state back, and return it; None if it is not frozen for this."""
        own = keys.account(frozen.account)
        ids = [one.client_order_id for one in frozen.orders]
        answer = self._thaw([own.state, own.frozen, own.accepted], [_text_of(frozen), *ids])
        return AccountState(text_of(answer[1])) if answer[0] == OK else None

    def accepted(self, account: AccountId) -> Collection[ClientOrderId]:
        """Return the orders that somebody has seen when the account was given free."""
        found = self._client.smembers(keys.account(account).accepted)
        return {ClientOrderId(text_of(one)) for one in found}


def _text_of(frozen: Frozen) -> str:
    """Return the record; the state before is beside it, and the same whatever else is found."""
    record = encoder(Frozen)(replace(frozen, before=AccountState.HALT))
    return json.dumps(record, separators=(",", ":"), sort_keys=True)
