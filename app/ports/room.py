"""How full the memory of the store is, and who is taken in by that."""

from dataclasses import dataclass

#: Of `maxmemory`, in percent. Above it nothing is taken in that opens or adds: what there is must
#: have room to end, and the broker its messages, long before the server refuses anything.
ENTRIES_PERCENT_MAX = 80

#: Of it, too. Up to the first, what has finished stays for as long as is set; from the second on it
#: leaves a second after the history got it. In between the sooner the fuller the store is.
ROOMY_PERCENT, TIGHT_PERCENT = 25, 40

#: What comes back for late news must be there until it has been told.
STAY_MS_MIN = 1_000


@dataclass(frozen=True, slots=True)
class StoreMemory:
    """What the server uses of what it may use, in bytes; without a limit `limit_bytes` is 0."""

    used_bytes: int
    limit_bytes: int

    @property
    def percent(self) -> int:
        """How full it is, rounded down; more than 100 where exits have gone beyond the limit."""
        return self.used_bytes * 100 // self.limit_bytes if self.limit_bytes else 0

    def stay_ms(self, longest_ms: int) -> int:
        """Return for how long what has finished may stay, in milliseconds.

        Args:
            longest_ms: while there is room.
        """
        spare = TIGHT_PERCENT - min(max(self.percent, ROOMY_PERCENT), TIGHT_PERCENT)
        stay_ms = longest_ms * spare // (TIGHT_PERCENT - ROOMY_PERCENT)
        return max(stay_ms, min(STAY_MS_MIN, longest_ms))

    @property
    def takes_entries(self) -> bool:
        """Whether anything is taken in that opens or adds."""
        return (
            self.used_bytes * 100 <= self.limit_bytes * ENTRIES_PERCENT_MAX or not self.limit_bytes
        )
