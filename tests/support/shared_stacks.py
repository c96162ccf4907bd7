"""Whole stacks that many tests share."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.support.stack import Stack, running_stack


class SharedStacks:
    """Stacks by name, of which one runs: an idle one takes an eighth of a small machine.

    Tests of the same one should follow each other.
    """

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder = make_folder
        self._name: str | None = None
        self._running = ExitStack()

    def of(self, name: str, environment: Mapping[str, str]) -> Stack:
        """Return a stack as others have left it; start it if another one runs, or none."""
        if self._name != name:
            self.stop()
            folder = self._make_folder(name)
            self._stack = self._running.enter_context(running_stack(folder, environment))
            self._name = name
        return self._stack

    def stop(self) -> None:
        """Stop what runs."""
        self._name = None
        self._running.close()
