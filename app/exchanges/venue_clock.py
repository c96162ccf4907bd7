"""How far the clock of an exchange is ahead of the server's, measured once a minute."""

from app.domain.identifiers import VenueName
from app.exchanges.line import Line
from app.exchanges.one_asks import OneAsks
from app.exchanges.ports import VenuePorts
from app.store.memory.venue_budget import Urgency


class VenueClock:
    """The clock of a venue's hosts, as workers have measured it together.

    Args:
        venue: whose it is, as `Account.hosts` names it.
        ports: tell the server's time, and what others have measured.
        one_asks: lets one measure for all.
    """

    def __init__(self, venue: VenueName, ports: VenuePorts, one_asks: OneAsks) -> None:
        self._venue = venue
        self._ports = ports
        self._one_asks = one_asks
        self._offset_ms = 0

    def prepare(self, line: Line) -> None:
        """Measure, if nobody has lately; a cancel does not wait for another one who measures."""
        if self._known_ms() is not None:
            return
        if line.use.urgency is Urgency.CANCEL:
            self.measure(line)
        else:
            name = f"clock:{self._venue}"
            self._one_asks.known(name, line, self._known_ms, lambda: self.measure(line)[0])

    def _known_ms(self) -> int | None:
        return self._ports.memory.clock_offset_ms(self._venue)

    def measure(self, line: Line) -> tuple[int, int]:
        """Measure, and keep that; where the venue cannot be asked for its time, it is ours.

        Returns:
            How far the venue's clock is ahead and how long the answer took, in ms.
        """
        if not line.api.has.get("fetchTime"):
            # Nothing there waits for a time stamp that fits: no exchange of which more is known
            # than ccxt knows is without such a question.
            self._keep(0)
            return 0, 0
        before = self._ports.clock.server_ms()
        told = int(line.api.fetch_time())
        after = self._ports.clock.server_ms()
        offset = told - (before + after) // 2
        self._keep(offset)
        return offset, after - before

    def _keep(self, offset_ms: int) -> None:
        self._ports.memory.keep_clock_offset(self._venue, offset_ms)
        self._offset_ms = offset_ms

    def forget(self) -> None:
        """Let the next call measure anew."""
        self._ports.memory.forget_clock_offset(self._venue)

    def venue_ms(self, server_ms: int) -> int:
        """Return the venue's time at a server time."""
        known = self._known_ms()
        if known is not None:
            self._offset_ms = known
        return server_ms + self._offset_ms

    def server_ms(self, venue_ms: int) -> int:
        """Return the server's time at a time of the venue."""
        return venue_ms - self.venue_ms(0)

    def now_ms(self) -> int:
        """Return the venue's time."""
        return self.venue_ms(self._ports.clock.server_ms())
