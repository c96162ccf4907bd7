"""Two who ask and one who places, in every order: one order is never filled twice.

The venue is as Binance documents it: client order ids are unique among open orders only, so an
order that was sent again is filled again.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.enums import Mode
from app.domain.errors import OutcomeUnknown
from app.domain.identifiers import OrderId
from app.domain.order import Order
from app.domain.status import OrderStatus
from app.services.placing.place import place_order
from app.services.placing.resolve import resolve_order
from tests.support.builders import SPOT, SPOT_ID, a_report, an_order
from tests.support.clocks import nothing
from tests.support.fakes import Answer, ThenSilent
from tests.support.interleaving import Worker, every_schedule, pause, run_all
from tests.support.rig import POLICY, Rig

SILENCE = OutcomeUnknown("nobody answered")

#: Longer than any lease and grace period: whoever stood still has lost what it held.
LATER_MS = POLICY.venue_place_lease_ms + POLICY.venue_grace_ms

FILLED_AND_LOST = "never arrived, then filled without an answer"

#: What becomes of the placements, in turn; those that come after are filled, and say so.
FATES: dict[str, list[Answer]] = {
    "never arrived": [SILENCE],
    FILLED_AND_LOST: [
        SILENCE,
        ThenSilent(a_report(), SILENCE),
    ],
    "filled without an answer": [ThenSilent(a_report(), SILENCE)],
    "never arrived, twice": [SILENCE, SILENCE],
}

#: Each goes on for some steps while the others stand still: few faults need more.
BURSTS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=4, max_size=12).map(
    lambda bursts: [who for who, steps in bursts for _ in range(steps)]
)


class Trial:
    """One order after the other, over one rig, each placed once with its answer lost.

    Args:
        mode: of the account; where money is real, absence counts only if it is told twice.
    """

    def __init__(self, mode: Mode) -> None:
        self.rig = Rig()
        self.rig.registry.put_account(replace(SPOT, mode=mode))
        self.rig.venue.forgets_closed = True

    def begin(self, fate: str) -> Order:
        """Place a new order as its fate wants it, and let time pass."""
        (fresh,) = self.rig.ports.ids.fresh(SPOT_ID, 1)
        order = an_order(id=OrderId(fresh.id), client_order_id=fresh.client_order_id)
        self.rig.venue.taken.clear()
        self.rig.venue.place_script.clear()
        self.rig.venue.place_script += FATES[fate]
        self.rig.put(order)
        place_order(order.id, self.rig.ports)
        return order

    def resolve(self, order: Order) -> None:
        """Ask, when whoever asked before has lost its lease."""
        self.rig.clock.advance(LATER_MS)
        resolve_order(order.id, self.rig.ports)

    def place(self, order: Order) -> None:
        """Send it, if it is to be sent."""
        place_order(order.id, self.rig.ports)

    def end(self, order: Order) -> Order:
        """Let everybody go on, as the sweep does, until the order has ended."""
        for _ in range(20):
            found = self.rig.ports.ledger.load(order.id).aggregate
            assert isinstance(found, Order)
            if found.is_closed:
                return found
            self.resolve(order)
            self.place(order)
        raise AssertionError("the order does not end")

    def check(self, order: Order) -> None:
        """It was filled once, and that is known."""
        ended = self.end(order)
        filled = [one.filled_quantity for one in self.rig.venue.taken]
        assert filled == [order.quantity]
        assert (ended.status, ended.filled_quantity) == (OrderStatus.FILLED, order.quantity)


@pytest.mark.parametrize("fate", FATES)
def test_one_order_is_filled_once_in_whatever_order_two_ask_and_one_places(fate: str) -> None:
    trial = Trial(Mode.PAPER)
    trial.rig.venue.after_call = pause

    def run(schedule: Sequence[int]) -> list[tuple[int, int]]:
        order = trial.begin(fate)
        workers = [
            Worker([lambda: trial.resolve(order)]),
            Worker([lambda: trial.resolve(order)]),
            Worker([lambda: trial.place(order), lambda: trial.place(order)]),
        ]
        taken = run_all(workers, schedule)
        trial.check(order)
        return taken

    schedules = list(every_schedule(run))

    assert len(schedules) > 50
    assert len(schedules) == len({tuple(one) for one in schedules})


@given(
    st.sampled_from([Mode.PAPER, Mode.LIVE]),
    st.sampled_from(sorted(FATES)),
    BURSTS,
)
@example(Mode.LIVE, FILLED_AND_LOST, [0] * 6 + [1] * 4 + [2] * 4)
def test_one_order_is_filled_once_whoever_stands_still_after_whatever(
    mode: Mode, fate: str, schedule: list[int]
) -> None:
    trial = Trial(mode)
    order = trial.begin(fate)
    trial.rig.redis.after_write = pause
    trial.rig.venue.after_call = pause
    asks, places = [lambda: trial.resolve(order)] * 4, [lambda: trial.place(order)] * 3

    run_all([Worker(asks), Worker(asks), Worker(places)], schedule)
    trial.rig.redis.after_write = nothing

    trial.check(order)


def test_what_was_filled_adds_up_where_ids_are_forgotten() -> None:
    """The venue of these tests fills what comes again: else they would prove nothing."""
    trial = Trial(Mode.PAPER)
    order = trial.begin("filled without an answer")

    trial.rig.venue.place(order)

    assert sum((one.filled_quantity for one in trial.rig.venue.taken), Decimal(0)) == 1
