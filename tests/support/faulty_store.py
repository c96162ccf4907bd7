"""A store that goes away, or whose registry changes, at a call that can be chosen."""

import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, connect


class Fault(StrEnum):
    """What happens at a call of the store."""

    CHANGE = "somebody changes the registry before it"
    CHANGES = "somebody changes the registry before it and before each later one"
    LOST = "it does not arrive"
    SILENT = "it arrives, and the answer is lost"
    GONE = "it arrives, and neither its answer does nor any later call"
    AWAY = "it does not arrive, and neither does any later one"


class FaultyStore(StoreClient):
    """Calls the real store, save where it is told otherwise.

    Attributes:
        calls: made since the last `arm`; several commands in one pipeline are one call.
    """

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(connection_pool=connect(url, seconds).connection_pool)
        self._change: Callable[[], object] = lambda: None
        self.disarm()

    def arm(self, fault: Fault, at: int, change: Callable[[], object]) -> None:
        """Let something happen at a later call.

        Args:
            fault: what.
            at: number of the call from now, from 1.
            change: changes the registry, as another process does.
        """
        self.calls = 0
        self._fault: Fault | None = fault
        self._at = at
        self._change = change

    def disarm(self) -> int:
        """Let everything go well again, and return how many calls were made."""
        made = getattr(self, "calls", 0)
        self.calls, self._fault, self._at = 0, None, 0
        return made

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Carry out a command, or not."""
        self._meet()
        is_silent = self._fault in {Fault.SILENT, Fault.GONE} and self.calls == self._at
        answer = super().execute_command(*args, **options)
        if is_silent:
            raise StoreUnavailable("no answer")
        return answer

    def at_once(self, commands: Sequence[bytes]) -> list[Any]:
        """Carry out the commands of a group, or not."""
        self._meet()
        is_silent = self._fault in {Fault.SILENT, Fault.GONE} and self.calls == self._at
        answers = super().at_once(commands)
        return [StoreUnavailable("no answer")] * len(commands) if is_silent else answers

    def pipeline(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py has it
        """Return a pipeline."""
        self._meet()
        return super().pipeline(*args, **options)

    def _meet(self) -> None:
        if threading.current_thread().name == "refusals":
            return  # it writes what was refused, whenever that was
        self.calls += 1
        is_it, is_since = self.calls == self._at, self.calls >= self._at
        match self._fault:
            case Fault.CHANGE if is_it:
                self._change()
            case Fault.CHANGES if is_since:
                self._change()
            case Fault.LOST if is_it:
                raise StoreUnavailable("it did not arrive")
            case Fault.GONE if is_since and not is_it:
                raise StoreUnavailable("the store is away")
            case Fault.AWAY if is_since:
                raise StoreUnavailable("the store is away")
            case _:
                return
