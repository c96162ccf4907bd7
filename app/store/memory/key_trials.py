"""What each account's keys have come to at its exchange, for all workers."""

from dataclasses import dataclass
from enum import StrEnum

import redis

from app.domain.identifiers import AccountId, EpochMs
from app.store.core.scripts import load_script, text_of
from app.store.memory import venue_keys

#: Before keys are tried again that were refused; doubles with each try that is refused, too.
PAUSE_MS = 30_000
PAUSE_MS_MAX = 900_000

#: Keys that were good a day ago are tried by one at first, as new ones are.
_LIFE_MS = 86_400_000

#: Of an exchange's words.
_WHY_MAX = 300


class Scope(StrEnum):
    """What keys are asked for: they may be good for one and not for the other."""

    READS = "reads"
    TRADES = "trades"


class Word(StrEnum):
    """What a try has come to."""

    GOOD = "good"
    REFUSED = "refused"
    AGAIN = "again"  # refused by who tried after a pause
    UNTOLD = "untold"


class State(StrEnum):
    """What is known of keys: of those that are known to be good, `ok`."""

    OK = "ok"
    TRY = "try"
    TRYING = "trying"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Trial:
    """What one may do with keys now.

    Attributes:
        state: `ok` and `try` let a request go.
        wait_ms: how long nobody else tries.
        why: the exchange's words, of keys that are refused.
        is_again: it is a try after a pause.
    """

    state: State
    wait_ms: int = 0
    why: str = ""
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class RefusedKeys:
    """Keys that an exchange refuses.

    Attributes:
        scope: what they are refused for; who may not read may not trade.
        since_ms: server time of the first refusal.
        again_at_ms: server time after which they are tried again.
        message: the exchange's words.
    """

    scope: Scope
    since_ms: EpochMs
    again_at_ms: EpochMs
    message: str


class RedisKeyTrials:
    """Whose keys are good, whose are refused, and who may try those of which that is not known.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._try = load_script(client, "key_try.lua")
        self._told = load_script(client, "key_told.lua")

    def begin(self, account: AccountId, keys: str, scope: Scope, for_ms: int) -> Trial:
        """Ask whether a request may go; of keys that are not known, one goes at a time.

        Args:
            account: whose keys.
            keys: a name that differs with the keys.
            scope: what the request does.
            for_ms: how long nobody else tries unless `end` is called.
        """
        answer = self._try([venue_keys.key(account)], [keys, scope, for_ms, _LIFE_MS])
        state = State(text_of(answer[0]))
        if state is State.TRY:
            return Trial(state, is_again=bool(int(answer[1])))
        if state is State.OK:
            return Trial(state)
        why = text_of(answer[2]) if state is State.REFUSED else ""
        return Trial(state, int(answer[1]), why)

    def end(self, account: AccountId, keys: str, scope: Scope, word: Word, why: str = "") -> None:
        """Say what a request has come to; of other keys than are known by now it means nothing."""
        told = [keys, scope.value, word.value, PAUSE_MS, PAUSE_MS_MAX, why[:_WHY_MAX], _LIFE_MS]
        self._told([venue_keys.key(account)], told)

    def forget(self, account: AccountId) -> None:
        """Let the keys of an account be tried at once: a person wants that."""
        self._client.delete(venue_keys.key(account))

    def refused(self, account: AccountId, keys: str) -> RefusedKeys | None:
        """Return what an exchange refuses these keys for, or None if nobody knows of that."""
        found = self._client.hgetall(venue_keys.key(account))
        known = {text_of(name): text_of(value) for name, value in found.items()}
        if known.get("keys") != keys:
            return None
        for scope in Scope:
            if known.get(scope) == State.REFUSED:
                return RefusedKeys(
                    scope=scope,
                    since_ms=EpochMs(int(known[f"{scope}_since"])),
                    again_at_ms=EpochMs(int(known[f"{scope}_until"])),
                    message=known[f"{scope}_why"],
                )
        return None
