"""How much room is left, in the memory of the store and on the disk of the data folder."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from app.bootstrap import Wiring
from app.ports.room import ENTRIES_PERCENT_MAX, StoreMemory

#: Of the store's `maxmemory`, in percent: from here on somebody should look, before entries are
#: refused.
WARNED_PERCENT = 70

#: The store writes its file anew beside the old one, which takes as much as its memory holds; logs
#: and history take the rest.
DISK_FREE_BYTES_MIN = 1 << 30

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Shortage:
    """What runs short.

    Attributes:
        of: `memory` or `disk`.
        message: for people, strangers among them.
        refuses: entries are refused on its account.
    """

    of: str
    message: str
    refuses: bool = False

    @property
    def sentence(self) -> str:
        """The message with a capital and a full stop."""
        return f"{self.message[0].upper()}{self.message[1:]}."


class Room:
    """Looks how much there is."""

    def __init__(self, wiring: Wiring) -> None:
        self._memory = wiring.store_memory
        self._folder = wiring.settings.data_dir

    def memory(self) -> StoreMemory:
        """Return how full the store's memory is.

        Raises:
            StoreUnavailable: it does not say.
        """
        return self._memory.read()

    def disk_free_bytes(self) -> int | None:
        """Return what is free on the disk of the data folder; None if it does not say."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None

    def shortages(self) -> Iterator[Shortage]:
        """Yield what runs short, if anything does.

        Raises:
            StoreUnavailable: the store does not say how full it is.
        """
        memory, free = self.memory(), self.disk_free_bytes()
        if not memory.takes_entries:
            message = (
                f"entries are refused, exits go on: the store's memory is {memory.percent} % full"
            )
            yield Shortage("memory", message, refuses=True)
        elif memory.percent >= WARNED_PERCENT:
            message = f"the store's memory is {memory.percent} % full"
            yield Shortage(
                "memory", f"{message}; above {ENTRIES_PERCENT_MAX} % entries are refused"
            )
        if free is not None and free < DISK_FREE_BYTES_MIN:
            message = f"the disk of the data folder has {free // _MEGABYTE} MB left"
            yield Shortage("disk", f"{message}; a store without any stops")
