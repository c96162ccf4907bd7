"""The runs of the store's server, and which orders at venues are known in the present one."""

import json
from collections.abc import Collection
from dataclasses import replace

import redis

from app.domain.enums import AccountState
from app.domain.frozen import Frozen, Knowledge
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs, Symbol
from app.store.core import keys
from app.store.core.codec import encoder, value_from
from app.store.core.scripts import load_script, text_of
from app.store.core.transaction import OK

_RUN = (keys.RUNS, keys.RUN, keys.RUN_ENDS, keys.IDS, keys.CANARY)

#: As far apart as two answers must be that prove an absence: the venue may have hidden it before.
ABSENT_LIFE_MS = 10_000


class RedisRuns:
    """Tells one life of the server from another one by the name that it gives itself at each start.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._beat = load_script(client, "run.lua", "beat.lua")
        self._knowledge = load_script(client, "run.lua", "knowledge.lua")
        self._vouch = load_script(client, "run.lua", "vouch.lua")

    def beat(self, at_ms: EpochMs) -> None:
        """Note that the present run still lasts: a canary came through the queue at this time."""
        self._beat(_RUN, [at_ms])

    def canary_ms(self) -> EpochMs | None:
        """Return the server time at which one last came through, or None if none ever did."""
        found = self._client.get(keys.CANARY)
        return None if found is None else EpochMs(int(text_of(found)))

    def knowledge(self, account: AccountId, symbol: Symbol) -> Knowledge:
        """Return what the present run knows of an account's orders of a symbol."""
        answer = self._knowledge([*_RUN, keys.account(account).vouched], [symbol])
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
        """Return how far the store has counted together with the history; 0 if it never has."""
        return int(text_of(self._client.get(keys.EPOCH) or "0"))

    def raise_epoch(self) -> int:
        """Count on by one, and return how far that is."""
        return int(self._client.incr(keys.EPOCH))

    def reach_epoch(self, to: int) -> None:
        """Count on from here."""
        self._client.set(keys.EPOCH, to)

    def symbols(self, account: AccountId) -> Collection[Symbol]:
        """Return the symbols of an account that were ever vouched for."""
        found = self._client.hkeys(keys.account(account).vouched)
        return [Symbol(text_of(one)) for one in found]


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
