"""A long lane costs a wake-up no more than a short one while nobody in it may go ahead."""

from dataclasses import replace

from app.domain.errors import OutcomeUnknown, VenueUnavailable
from app.domain.identifiers import AggregateId
from app.ports.ledger import Stored
from app.services.placing.lane import work_lane
from app.store.core.ledger import RedisLedger
from tests.support.builders import BTC, SPOT_ID, a_command, fixed
from tests.support.rig import POLICY, Rig

BUY = a_command(size=fixed("0.1"))


class CountingLedger(RedisLedger):
    """A ledger that knows how often it was read."""

    loads = 0

    def load(self, aggregate_id: AggregateId) -> Stored:
        self.loads += 1
        return super().load(aggregate_id)


def test_those_who_wait_for_an_order_on_its_way_are_not_read_each_time(rig: Rig) -> None:
    rig.venue.place_script.append(OutcomeUnknown("nobody answered"))
    rig.venue.find_script.append(VenueUnavailable("away"))
    rig.run(BUY)
    for _ in range(20):
        rig.accept(BUY)
    ledger = CountingLedger(rig.redis, rig.clock, lambda: "rig", POLICY.republish_after_ms)

    work_lane(SPOT_ID, BTC, replace(rig.ports, ledger=ledger))

    assert ledger.loads == 2
