"""All use cases over the paper venue, with signals of the connector that the accounts share."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

from app.paper.paper_venues import PaperVenues
from app.services.keeping.archive import archive
from app.venues import KnownVenues
from tests.support.builders import SPOT, a_command, fixed
from tests.support.paper_world import PaperWorld
from tests.support.rig import Rig

#: How long what has finished stays in the store.
AFTER_MS = 2_000


class PaperRig(Rig):
    """A rig whose venue is the paper venue."""

    def __init__(self) -> None:
        super().__init__()
        self.world = PaperWorld(self.redis, self.clock, self.history).opened()
        self.ports = replace(
            self.ports,
            venues=KnownVenues({}, partial(PaperVenues, self.world.ports)),
            reports=self.world.reports,
            policy=replace(self.ports.policy, history_after_ms=AFTER_MS),
        )

    def buy(self, *prices: str | None) -> None:
        """Take in a signal for each price, and follow it as far as it goes; None is the market."""
        for price in prices:
            limit = None if price is None else Decimal(price)
            self.run(a_command(size=fixed("0.01"), limit_price=limit))
            self.clock.advance(3)

    def rest(self) -> None:
        """Let pass the time after which what has finished leaves, and a bit."""
        archive(self.ports)
        self.clock.advance(AFTER_MS + 1)

    def told(self) -> object:
        """Return all that the venue tells of the account."""
        return self.world.desk.account(SPOT)
