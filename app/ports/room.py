"""How full the memory of the store is, and who is taken in by that."""

from dataclasses import dataclass

#: Of `maxmemory`, in percent. Above it nothing is taken in that opens or adds: what there is must
#: have room to end, and the broker its messages, long before the server refuses anything.
ENTRIES_PERCENT_MAX = 80


@dataclass(frozen=True, slots=True)
class StoreMemory:
    """What the server uses of what it may use, in bytes; without a limit `limit_bytes` is 0."""

    used_bytes: int
    limit_bytes: int

    @property
    def percent(self) -> int:
        """How full it is, rounded down; more than 100 where exits have gone beyond the limit."""
        return self.used_bytes * 100 // self.limit_bytes if self.limit_bytes else 0

    @property
    def takes_entries(self) -> bool:
        """Whether anything is taken in that opens or adds."""
        return (
            self.used_bytes * 100 <= self.limit_bytes * ENTRIES_PERCENT_MAX or not self.limit_bytes
        )
