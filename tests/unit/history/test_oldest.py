"""Lists that begin with the oldest: each page is that of all rows, sorted, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text, update

from app.domain.enums import Dialect, Kind
from app.domain.identifiers import AccountId, AggregateId, EpochMs, OrderId
from app.domain.search import Moment, Search
from app.domain.smart_trade.enums import FINAL, FINISHED, TradeStatus, TradeType
from app.domain.smart_trade.trade import SmartTrade
from app.history import queries
from app.history.database import Database
from app.history.reader import WholeReader
from app.history.sql_history import SqlHistory
from app.history.tables import AGGREGATES
from app.ports.ledger import Change
from app.services.keeping.archive import archive
from tests.support.builders import BTC, ETH, NOW, SPOT_ID, USDM_ID, an_id, an_order
from tests.support.clocks import nothing
from tests.support.rig import Rig, StepHistory
from tests.support.three_commas_trades import a_trade

if TYPE_CHECKING:
    from app.domain.aggregate import Aggregate

AFTER_MS = 1_000
THIRD_ID = AccountId(3)
STATES = sorted({*FINAL, TradeStatus.BOUGHT, TradeStatus.FAILED})
TYPES = [TradeType.CLASSIC, TradeType.SIMPLE_BUY]
MOVES = ["archive", "wait", "end", "change", "new"]


class HookedHistory(StepHistory):
    """Tells of the moment between what the store is asked and what the history is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.before_oldest: Callable[[], object] = nothing

    def oldest(self, *live: Any, **page: Any) -> Sequence[Aggregate]:  # noqa: ANN401
        self.before_oldest()
        return super().oldest(*live, **page)

    def age(self, ids: Sequence[AggregateId]) -> None:
        """Let these be as an older release has written them."""
        with self._database.writing() as connection:
            row = AGGREGATES.c.id.in_(ids)
            connection.execute(update(AGGREGATES).where(row).values(type=None, closed_at_ms=None))


class World:
    """Trades that are live, have ended, are archived and leave."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.history = HookedHistory()
        self.rig.whole = WholeReader(self.rig.reader, self.history)
        policy = replace(self.rig.ports.policy, history_after_ms=AFTER_MS)
        self.rig.ports = replace(self.rig.ports, policy=policy, history=self.history)
        self.rows: dict[AggregateId, SmartTrade] = {}

    def put(self, trade: SmartTrade) -> None:
        self.rows[trade.id] = trade
        self.rig.put(trade)

    def move(self, what: str) -> None:
        """Let something happen."""
        match what:
            case "archive":
                archive(self.rig.ports)
            case "wait":
                self.rig.clock.advance(AFTER_MS + 1)
            case "end":
                self._become(is_live=True, status=TradeStatus.FAILED, closed_at_ms=NOW + 7)
            case "change":
                self._become(is_live=False, note="late")
            case _:
                self.put(a_row(100 + len(self.rows), {"account": SPOT_ID}))

    def moves(self, several: Sequence[str]) -> None:
        for one in several:
            self.move(one)

    def _become(self, *, is_live: bool, **odd: Any) -> None:  # noqa: ANN401
        """Let the oldest that is in the store and live, or is not, change."""
        there = self.rig.reader.load(sorted(self.rows))
        for one in there.values():
            if isinstance(one, SmartTrade) and one.is_live is is_live:
                after = replace(one, updated_at_ms=EpochMs(one.updated_at_ms + 3), **odd)
                self.rig.ports.ledger.commit([Change(self.rig.ports.ledger.load(one.id), after)])
                self.rows[one.id] = after
                return

    def page(self, search: Search, moment: Moment, offset: int, limit: int) -> list[AggregateId]:
        found = self.rig.whole.oldest(search, moment, offset=offset, limit=limit)
        assert all(self.rows[one.id] == one for one in found)
        return [one.id for one in found]

    def naive(self, search: Search, moment: Moment) -> list[AggregateId]:
        """Return the whole list as it was made in memory: all rows, sorted."""

        def place(trade: SmartTrade) -> tuple[bool, int, int]:
            at_ms = getattr(trade, f"{moment}_ms")
            return at_ms is None, at_ms or 0, trade.id

        return [one.id for one in sorted(self.rows.values(), key=place) if search.match(one)]


def a_row(number: int, facts: Mapping[str, Any]) -> SmartTrade:
    account = facts["account"]
    usual = {"dialect": Dialect.THREE_COMMAS, "watches": (), "steps": (), "orders": ()}
    return replace(a_trade(), **{**usual, **facts}, id=an_id(number, account))


def moments() -> st.SearchStrategy[EpochMs]:
    return st.integers(NOW, NOW + 4).map(EpochMs)


@st.composite
def rows(draw: st.DrawFn) -> list[SmartTrade]:
    facts = st.fixed_dictionaries(
        {
            "account": st.sampled_from([SPOT_ID, USDM_ID, THIRD_ID]),
            "status": st.sampled_from(STATES),
            "type": st.sampled_from(TYPES),
            "symbol": st.sampled_from([BTC, ETH]),
            "dialect": st.sampled_from([Dialect.THREE_COMMAS] * 3 + [Dialect.POLONIEX]),
            "created_at_ms": moments(),
            "updated_at_ms": moments(),
            "closed_at_ms": moments() | st.none(),
        }
    )
    made = draw(st.lists(facts, max_size=14))
    return [a_row(number, one) for number, one in enumerate(made, start=1)]


def some(*values: object) -> st.SearchStrategy[Any]:
    return st.none() | st.frozensets(st.sampled_from(values))


SEARCHES = st.builds(
    Search,
    kinds=st.just(frozenset({Kind.SMART_TRADE})),
    dialects=st.just(frozenset({Dialect.THREE_COMMAS})),
    accounts=st.sampled_from([{SPOT_ID}, {SPOT_ID, USDM_ID}, {USDM_ID, THIRD_ID}, set()]).map(
        frozenset
    ),
    states=st.sampled_from([None, FINISHED, frozenset(TradeStatus) - FINAL]) | some(*STATES),
    symbols=some(BTC, ETH),
    types=some(*TYPES),
)
ALL = Search(kinds=frozenset({Kind.SMART_TRADE}), accounts=frozenset({SPOT_ID, USDM_ID, THIRD_ID}))


def a_world(trades: Sequence[SmartTrade], moves: Sequence[str], aged: Sequence[bool]) -> World:
    """Return a world in which these have come in one after the other, while things moved."""
    world = World()
    for number, one in enumerate(trades):
        world.put(one)
        if number < len(moves):
            world.move(moves[number])
    old = [one.id for one, is_old in zip(trades, aged, strict=False) if is_old]
    world.history.age(old)
    return world


@given(
    rows(),
    st.lists(st.sampled_from(MOVES), max_size=14),
    st.lists(st.booleans(), max_size=14),
    SEARCHES,
    st.sampled_from(Moment),
)
def test_every_page_is_that_of_all_rows_sorted(
    trades: list[SmartTrade],
    moves: list[str],
    aged: list[bool],
    search: Search,
    moment: Moment,
) -> None:
    world = a_world(trades, moves, aged)
    whole = world.naive(search, moment)

    for offset in (0, 1, 2, 5, len(whole), 2**53):
        for limit in (1, 3, 1000):
            page = world.page(search, moment, offset, limit)
            assert page == whole[offset : offset + limit], (offset, limit)


@given(
    rows(),
    st.lists(st.sampled_from(MOVES), max_size=14),
    st.lists(st.sampled_from(["archive", "wait"]), min_size=1, max_size=4),
    st.sampled_from(Moment),
    st.integers(0, 6),
)
def test_what_moves_between_store_and_history_is_told_once(
    trades: list[SmartTrade], moves: list[str], meanwhile: list[str], moment: Moment, offset: int
) -> None:
    world = a_world(trades, moves, [])
    whole = world.naive(ALL, moment)
    world.history.before_oldest = partial(world.moves, meanwhile)

    assert world.page(ALL, moment, offset, 4) == whole[offset : offset + 4]


@given(
    rows(),
    st.lists(st.sampled_from(MOVES), max_size=14),
    st.lists(st.sampled_from(MOVES), min_size=1, max_size=4),
    st.sampled_from(Moment),
)
def test_what_changes_meanwhile_is_told_once_and_the_rest_is_not_missing(
    trades: list[SmartTrade], moves: list[str], meanwhile: list[str], moment: Moment
) -> None:
    world = a_world(trades, moves, [])
    before = dict(world.rows)
    world.history.before_oldest = partial(world.moves, meanwhile)

    found = world.rig.whole.oldest(ALL, moment, offset=0, limit=1000)

    ids = [one.id for one in found]
    assert len(set(ids)) == len(ids)
    assert {one for one in before if before[one] == world.rows[one]} <= set(ids)


def test_what_an_older_release_has_left_is_completed_in_steps() -> None:
    world = World()
    for number in range(1, 6):
        world.put(a_row(number, {"account": SPOT_ID, "status": TradeStatus.FAILED}))
    archive(world.rig.ports)
    world.history.age([an_id(number) for number in (1, 2, 3, 4)])
    world.history.spoil(an_id(2))

    steps = [world.history.complete(2) for _ in range(3)]

    assert steps == [True, True, False]
    with world.history._database.reading() as connection:  # noqa: SLF001
        left = connection.execute(queries.untyped(ALL)).scalars().all()
    assert left == [an_id(2)]


def test_the_archive_completes_what_an_older_release_has_left() -> None:
    world = World()
    world.put(a_row(1, {"account": SPOT_ID, "status": TradeStatus.FAILED}))
    archive(world.rig.ports)
    world.history.age([an_id(1)])

    archive(world.rig.ports)

    with world.history._database.reading() as connection:  # noqa: SLF001
        assert connection.execute(queries.untyped(ALL)).all() == []


def test_a_list_of_what_lives_asks_no_history() -> None:
    world = World()
    world.put(a_row(1, {"account": SPOT_ID, "status": TradeStatus.BOUGHT}))
    world.history.before_oldest = lambda: pytest.fail("the history was asked")
    search = replace(ALL, states=frozenset(TradeStatus) - FINAL)

    assert world.page(search, Moment.CREATED_AT, 0, 10) == [an_id(1)]


def test_orders_are_paged_by_creation_as_well() -> None:
    world = World()
    orders = [
        an_order(id=OrderId(an_id(number)), created_at_ms=EpochMs(NOW - number))
        for number in range(1, 5)
    ]
    for one in orders:
        world.rig.put(one)
    search = Search(kinds=frozenset({Kind.ORDER}), accounts=frozenset({SPOT_ID}), above=an_id(1))

    found = world.rig.whole.oldest(search, Moment.CREATED_AT, offset=1, limit=2)

    assert list(found) == [orders[2], orders[1]]


@pytest.mark.parametrize(
    ("moment", "index"),
    [
        (Moment.CREATED_AT, "hookfill_trades_by_created"),
        (Moment.UPDATED_AT, "hookfill_by_update"),
        (Moment.CLOSED_AT, "hookfill_trades_by_closed"),
    ],
)
@pytest.mark.parametrize("accounts", [{SPOT_ID}, {SPOT_ID, USDM_ID}])
def test_a_page_goes_along_an_index_and_sorts_nothing(
    moment: Moment, index: str, accounts: set[AccountId]
) -> None:
    database = Database("sqlite://")
    search = replace(
        ALL,
        accounts=frozenset(accounts),
        dialects=frozenset({Dialect.THREE_COMMAS}),
        types=frozenset({TradeType.CLASSIC}),
        states=FINISHED,
    )
    statement = queries.oldest(search, moment, 500, 10)
    SqlHistory(database).identity()

    with database.reading() as connection:
        spelled = statement.compile(connection, compile_kwargs={"literal_binds": True})
        steps = [row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {spelled}"))]

    assert sum(f"USING COVERING INDEX {index}" in one for one in steps) == len(accounts), steps
    assert not [one for one in steps if "TEMP B-TREE" in one], steps
