"""Store and history as one: no gaps and no doubles, whatever moves while one reads."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus
from app.domain.search import EVERYTHING, LIVE_STATES, FillPlace, Place, Search, place_of
from app.domain.status import OrderStatus
from app.history import reader, sql_history
from app.ports.ledger import Change
from app.services.keeping.archive import archive
from tests.support.builders import NOW, SPOT_ID, USDM_ID, a_fill, a_signal, an_id, an_order_in
from tests.support.rig import Rig
from tests.support.searching import times

if TYPE_CHECKING:
    from app.domain.aggregate import Aggregate
    from app.domain.identifiers import AccountId, AggregateId

AFTER_MS = 1_000
ORDERS = 9

MOVES = st.sampled_from(["archive", "wait", "fill", "new", "nothing"])


class World:
    """A rig with orders in it, which end, are archived and leave."""

    def __init__(self) -> None:
        self.rig = Rig()
        policy = replace(self.rig.ports.policy, history_after_ms=AFTER_MS)
        self.rig.ports = replace(self.rig.ports, policy=policy)
        self.count = 0
        for _ in range(ORDERS):
            self.new()

    def new(self) -> None:
        """Make an order: each third one lives, and some are of one millisecond."""
        self.count += 1
        number, account = self.count, SPOT_ID if self.count % 2 else USDM_ID
        status = OrderStatus.NEW if number % 3 == 0 else OrderStatus.FILLED
        fills = (a_fill(at_ms=EpochMs(NOW + number // 2)),) if status is OrderStatus.FILLED else ()
        order = an_order_in(
            status,
            id=an_id(number, account),
            account=account,
            fills=fills,
            created_at_ms=EpochMs(NOW + number // 2),
        )
        self.rig.put(order)

    def move(self, what: str) -> None:
        """Let something happen."""
        match what:
            case "archive":
                archive(self.rig.ports)
            case "wait":
                self.rig.clock.advance(AFTER_MS + 1)
            case "fill":
                self.fill()
            case "new":
                self.new()
            case _:
                pass

    def fill(self) -> None:
        """Let the oldest order that lives end."""
        for one in sorted(self.rig.reader.newest(None), key=place_of):
            if one.is_live:
                ended = an_order_in(
                    OrderStatus.FILLED,
                    id=one.id,
                    account=one.account,
                    created_at_ms=one.created_at_ms,
                    fills=(a_fill(at_ms=EpochMs(NOW + 100)),),
                )
                stored = self.rig.ports.ledger.load(one.id)
                self.rig.ports.ledger.commit([Change(stored, ended)])
                return


@times(1.2)
@given(st.lists(MOVES, max_size=12), st.integers(1, 4))
def test_pages_show_everything_once_while_it_moves(moves: list[str], size: int) -> None:
    with patch.object(reader, "STRETCH", 3), patch.object(sql_history, "PAGE", 2):
        world = World()
        expected = {one.id for one in world.rig.whole.newest(None)}
        rest = iter(moves)
        found: list[AggregateId] = []
        place: Place | None = None
        while page := list(islice(world.rig.whole.newest(place), size)):
            found += [one.id for one in page]
            place = place_of(page[-1])
            world.move(next(rest, "nothing"))

    assert len(set(found)) == len(found)
    assert set(found) == expected


@times(1.2)
@given(st.lists(MOVES, max_size=12))
def test_one_reading_shows_everything_once_while_it_moves(moves: list[str]) -> None:
    with patch.object(reader, "STRETCH", 3), patch.object(sql_history, "PAGE", 2):
        world = World()
        expected = {one.id for one in world.rig.whole.newest(None)}
        rest = iter(moves)
        found = []
        for one in world.rig.whole.newest(None):
            found.append(one.id)
            world.move(next(rest, "nothing"))

    assert len(set(found)) == len(found)
    assert set(found) == expected


@times(1.2)
@given(st.lists(MOVES, max_size=12), st.integers(1, 4))
def test_fills_are_told_once_while_they_move(moves: list[str], size: int) -> None:
    with patch.object(reader, "STRETCH", 3), patch.object(sql_history, "PAGE", 2):
        world = World()
        expected = {where for where, _, _ in world.rig.whole.fills(None)}
        rest = iter(moves)
        found: list[FillPlace] = []
        place: FillPlace | None = None
        while page := list(islice(world.rig.whole.fills(place), size)):
            found += [where for where, _, _ in page]
            place = page[-1][0]
            world.move(next(rest, "nothing"))

    assert len(set(found)) == len(found)
    assert expected == set(found)


@given(
    st.lists(MOVES, max_size=8),
    st.none() | st.integers(NOW, NOW + 5),
    st.none() | st.integers(NOW, NOW + 5),
    st.sampled_from([None, SPOT_ID, USDM_ID]),
    st.sampled_from([None, OrderStatus.NEW, OrderStatus.FILLED]),
)
def test_what_is_searched_for_is_found_on_both_sides(
    moves: list[str],
    since: int | None,
    until: int | None,
    account: AccountId | None,
    state: str | None,
) -> None:
    search = Search(
        accounts=None if account is None else frozenset({account}),
        states=None if state is None else frozenset({state}),
        since_ms=None if since is None else EpochMs(since),
        until_ms=None if until is None else EpochMs(until),
    )
    with patch.object(reader, "STRETCH", 3), patch.object(sql_history, "PAGE", 2):
        world = World()
        for move in moves:
            world.move(move)
        whole = world.rig.whole
        everything = list(whole.newest(None))
        expected = [one for one in everything if search.match(one)]

        assert list(whole.newest(None, search)) == expected
        assert whole.count(search) == len(expected)
        assert whole.count(EVERYTHING) == len(everything) == world.count
        assert whole.count_fills(search) == len(list(whole.fills(None, search)))


def test_no_word_of_something_live_is_one_of_something_finished() -> None:
    all_states: list[Aggregate] = [
        *(an_order_in(status) for status in OrderStatus),
        *(a_signal(status=state) for state in RequestStatus),
    ]

    assert {one.status for one in all_states if one.is_live} <= LIVE_STATES
    assert not {one.status for one in all_states if not one.is_live} & LIVE_STATES
