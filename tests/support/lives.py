"""What random lives of stops at an exchange have in common: what goes wrong, how all is calm."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from app.domain.errors import HookfillError
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waiting
from tests.support.venue_world import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.exchanges.books import Order
    from tests.support.venue_rig import VenueRig

#: Something that happens: a word, and what it is about.
Step = tuple[object, ...]

#: What one look has shown, the next one acts on.
LOOKS_QUIET = 2

_ROUNDS_MAX = 40


def mishaps(*more: Call) -> Sequence[st.SearchStrategy[Step]]:
    """Return what the exchange and our processes do to a life.

    Args:
        more: kinds of request of which answers are lost, beside those about orders.
    """
    return (
        st.tuples(st.just("thin"), st.sampled_from(["0", "0.03"])),
        st.tuples(
            st.just("fault"),
            st.sampled_from([Call.PLACE, Call.CANCEL, Call.FIND, Call.LIST, *more]),
            st.sampled_from(
                [Fault.CUT, Fault.ERROR, Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR]
            ),
        ),
        st.tuples(st.just("look")),
        st.tuples(st.just("work"), st.integers(1, 6)),
        st.tuples(st.just("die"), st.integers(1, 12)),
        st.tuples(st.just("lose messages")),
        st.tuples(st.just("again"), st.integers(0, 50)),
        st.tuples(st.just("wait"), st.sampled_from([100, 1_000, 20_000])),
        st.tuples(st.just("sweep")),
    )


def scenes(*steps: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Return one to three scenes in a row, of these steps each."""
    several = st.lists(st.tuples(*steps), min_size=1, max_size=3)
    return several.map(lambda found: [step for scene in found for step in scene])


class Life:
    """A rig at an exchange, to which things happen in any order.

    Attributes:
        looks_apart_ms: how much time goes by before each look.
    """

    looks_apart_ms = 2_000

    def __init__(self, rig: VenueRig) -> None:
        self.rig = rig
        self.account = rig.exchange.accounts[KEY]

    def go_wrong(self, step: Step) -> None:
        """Let the book be thin, an answer be lost, or a process do or die."""
        match step:
            case "thin", str(size):
                self.rig.exchange.depth.append(self.rig.size(size))
            case "fault", Call() as call, Fault() as fault:
                self.rig.wire.plan.plan(call, fault)
            case ("look",):
                self.look()
            case _:
                self.rig.happen(step)

    def look(self) -> bool:
        """Do what beat starts, as far as it comes; return whether the exchange has told all."""
        self.rig.clock.advance(self.looks_apart_ms)
        with suppress(HookfillError):
            self.ask()
            return True
        return False

    def ask(self) -> None:
        """Ask the exchange what beat has asked."""
        self.rig.poll()

    def resting(self) -> list[Order]:
        """Return what waits for its price at the exchange."""
        return waiting(self.account)

    def settles(self) -> bool:
        """Let time pass until nothing more happens, and tell whether that comes."""
        quiet = 0
        for _ in range(_ROUNDS_MAX):
            before = self.rig.ports.ledger.revision()
            has_looked = self.look()
            self.rig.settle(rounds=4, step_ms=30_000)
            is_still = self.rig.ports.ledger.revision() == before
            is_quiet = is_still and not self.rig.ports.live.placing()
            quiet = quiet + 1 if has_looked and is_quiet else 0
            if quiet == LOOKS_QUIET:
                return True
        return False
