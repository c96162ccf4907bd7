"""The key of an account at its exchange: one that is refused is not knocked with."""

import hashlib
import time
from contextlib import suppress

from app.domain.account import Account
from app.domain.errors import KeyRefused, StoreError, VenueBusy
from app.domain.moments import has_come
from app.exchanges.ports import VenuePorts
from app.store.memory.key_trials import (
    PAUSE_MS_MAX,
    RedisKeyTrials,
    RefusedKeys,
    Scope,
    State,
    Trial,
    Word,
)

#: Between two looks whether it is known by now what the one who tries was told.
LOOK_MS = 50


def name_of(account: Account) -> str:
    """Return a name that differs with the account's keys, and with where they are used."""
    words = f"{account.hosts} {account.market} {account.credentials}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class KeyHeld(KeyRefused):
    """The venue has refused the key before: nothing was sent, and it is not tried again yet."""


class AccountKeys:
    """What is known of all accounts' keys, for people.

    Args:
        trials: what workers have been told.
    """

    def __init__(self, trials: RedisKeyTrials) -> None:
        self._trials = trials

    def refused(self, account: Account) -> RefusedKeys | None:
        """Return what an account's key is refused for, or None if nobody knows of that."""
        return self._trials.refused(account.id, name_of(account))

    def try_again(self, account: Account) -> None:
        """Let an account's key be tried by the next request, however lately it was refused."""
        self._trials.forget(account.id)


class AccountKey:
    """What all workers know of one account's key; this object is for one thread at a time.

    A key of which nothing is known is tried by one request, and the others wait for what that one
    is told. Once it was refused, each pause is followed by one request.

    Args:
        account: whose it is.
        ports: tell what others have been told.
    """

    def __init__(self, account: Account, ports: VenuePorts) -> None:
        self._account = account
        self._name = name_of(account)
        self._ports = ports
        self._admitted: tuple[Scope, Trial] | None = None

    def look(self, *, changes: bool) -> None:
        """Refuse what would be refused on its way, before anything is asked or taken for it.

        Raises:
            KeyHeld: as `admit`.
        """
        found = self._ports.trials.refused(self._account.id, self._name)
        if found is None or (found.scope is Scope.TRADES and not changes):
            return
        now_ms = self._ports.clock.server_ms()
        if not has_come(found.again_at_ms, now_ms, PAUSE_MS_MAX):
            raise self._held(found.again_at_ms - now_ms, found.message)

    def admit(self, *, changes: bool, ends_at: float) -> None:
        """Let a request pass that carries the key.

        Args:
            changes: it is no question.
            ends_at: the moment of the monotonic clock until which it waits for who tries it.

        Raises:
            KeyHeld: the key is refused, and it is not time to try it again.
            VenueBusy: somebody else tries it, and has no answer yet.
        """
        scope = Scope.TRADES if changes else Scope.READS
        for_ms, trials = self._ports.timeout_ms + LOOK_MS, self._ports.trials
        while True:
            found = trials.begin(self._account.id, self._name, scope, for_ms)
            if found.state is not State.TRYING:
                break
            if time.monotonic() >= ends_at:
                raise VenueBusy(f"the key of {self._account.name} is being tried")
            self._ports.clock.sleep(LOOK_MS)
        if found.state is State.REFUSED:
            raise self._held(found.wait_ms, found.why)
        self._admitted = scope, found

    def accepted(self) -> None:
        """Note that the venue took the key, if a request with it has left and has its answer."""
        self._end(Word.GOOD)

    def refused(self, why: str) -> None:
        """Note that the venue refused it."""
        self._end(Word.REFUSED, why)

    def given_up(self) -> None:
        """Note that nobody knows, if a request has left and nothing was noted."""
        self._end(Word.UNTOLD)

    def _held(self, for_ms: int, why: str) -> KeyHeld:
        return KeyHeld(
            f"{self._account.venue} refuses the key of {self._account.name}, which is tried again "
            f"in {-(-for_ms // 1000)} s: {why}"
        )

    def _end(self, word: Word, why: str = "") -> None:
        admitted, self._admitted = self._admitted, None
        if admitted is None:
            return
        scope, trial = admitted
        if word is Word.REFUSED:
            word = Word.AGAIN if trial.is_again else word
        elif trial.state is State.OK:
            return  # it is known to be good
        # A store that cannot be reached must not make an answer unknown.
        with suppress(StoreError):
            self._ports.trials.end(self._account.id, self._name, scope, word, why)
