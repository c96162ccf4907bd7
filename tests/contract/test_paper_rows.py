"""What leaves the paper venue's ledger for the history is answered as if it were still there."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import PositionSide, Side
from app.domain.errors import HistoryUnavailable, HookfillError, VenueUnavailable
from app.domain.identifiers import ClientOrderId, EpochMs
from app.domain.order import Order
from app.domain.reconciliation import VenueOrder
from app.history.sql_history import SqlHistory
from app.paper.store import keys as paper_keys
from app.ports.history import PaperRow
from tests.support import searching
from tests.support.builders import BTC, ETH, SPOT, USDM, must
from tests.support.clocks import ClockedRedis, FrozenClock
from tests.support.paper_world import PaperWorld
from tests.support.rig import Away

BUY, SELL, LONG = Side.BUY, Side.SELL, PositionSide.LONG


def bought(world: PaperWorld, quantity: str = "0.01") -> Order:
    """An order that was filled at once."""
    order = world.order(BUY, quantity)
    world.spot.place(order)
    return order


def history_away(world: PaperWorld) -> PaperWorld:
    """The same world, with a history that does not answer."""
    return PaperWorld(world.client, world.clock, SqlHistory(Away("sqlite://")))


class TestWhatHasLeft:
    def test_it_is_told_of_as_before(self, world: PaperWorld) -> None:
        order = world.order(BUY, "0.05", "49000")
        world.spot.place(order)
        world.spot.cancel(order)
        bought(world)
        world.spot.place(order)
        before = world.desk.account(SPOT), world.spot.find(order), world.spot.reports([order])

        assert world.let_go() == 3

        assert world.in_store() == []
        after = world.desk.account(SPOT), world.spot.find(order), world.spot.reports([order])
        assert after == before
        assert must(after[1]).status == "CANCELED"

    def test_a_repeat_of_it_is_refused_and_answered_with_the_first(self, world: PaperWorld) -> None:
        order = bought(world)
        first, available = world.spot.find(order), world.available()
        world.let_go()

        second = world.spot.place(order)

        assert second == first
        assert world.available() == available
        assert [row.outcome for row in world.ports.rows(SPOT.id)] == ["FILLED", "DUPLICATE"]

    def test_a_repeat_that_has_left_is_not_taken_for_the_order(self, world: PaperWorld) -> None:
        order = bought(world)
        world.spot.place(order)
        world.let_go()

        assert must(world.spot.find(order)).status == "FILLED"
        assert world.spot.place(order).filled_quantity == Decimal("0.01")

    def test_a_repeat_that_has_left_says_nothing_of_its_order(self, world: PaperWorld) -> None:
        earlier, order = world.order(BUY, "0.01"), bought(world)
        world.spot.place(order)
        repeats = world.leaving.repeats([SPOT.id], 9)
        world.history.keep_paper_rows(repeats)

        assert world.leaving.leave(repeats) == 1

        away = history_away(world)
        assert away.spot.find(earlier) is None
        assert must(away.spot.find(order)).status == "FILLED"
        assert [row.outcome for row in world.ports.rows(SPOT.id)] == ["FILLED", "DUPLICATE"]

    def test_a_cancel_of_it_tells_how_it_ended(self, world: PaperWorld) -> None:
        order = bought(world)
        world.let_go()

        assert world.spot.cancel(order).status == "FILLED"

    def test_a_person_who_knows_its_id_finds_it(self, world: PaperWorld) -> None:
        order = bought(world)
        world.let_go()
        named = VenueOrder(
            client_order_id=order.client_order_id,
            venue_order_id=None,
            symbol=BTC,
            side=BUY,
            quantity=Decimal("0.01"),
            filled_quantity=Decimal(0),
            price=None,
        )

        assert must(world.spot.find_standing(named)).status == "FILLED"

    def test_it_is_among_what_was_placed(self, world: PaperWorld) -> None:
        order = bought(world)
        world.let_go()
        bought(world)

        placed = world.spot.placed(BTC, EpochMs(0)).orders

        assert [one.client_order_id for one in placed] == [order.client_order_id, *world.in_store()]

    def test_an_older_one_that_leaves_later_is_found_too(self, world: PaperWorld) -> None:
        resting = world.order(BUY, "0.01", "40000")
        world.spot.place(resting)
        bought(world)
        world.let_go()
        world.spot.cancel(resting)

        assert world.let_go() == 1

        assert must(world.spot.find(resting)).status == "CANCELED"
        assert len(world.ports.rows(SPOT.id)) == 2

    def test_others_are_not_found_there(self, world: PaperWorld) -> None:
        never, order = world.order(BUY, "0.01"), bought(world)
        world.price("2000", ETH)
        world.usdm.place(world.order(BUY, "0.01", leg=LONG))
        assert world.let_go() == 2

        assert world.spot.find(never) is None
        assert world.usdm.find(order) is None
        assert len(world.ports.rows(USDM.id)) == 1


class TestWhatStays:
    def test_an_order_that_rests(self, world: PaperWorld) -> None:
        order = world.order(BUY, "0.01", "40000")
        world.spot.place(order)

        assert world.let_go() == 0

        assert [one.client_order_id for one in world.spot.standing([BTC])] == world.in_store()

    def test_a_fill_that_nobody_has_read(self, world: PaperWorld) -> None:
        order = world.order(BUY, "0.01", "40000")
        world.spot.place(order)
        world.price("40000")

        assert world.let_go() == 0

        news = world.reports.unread(SPOT)
        assert list(news) == [order.client_order_id]
        world.reports.mark_read(SPOT, news)
        assert world.reports.accounts_with_news() == []
        assert world.let_go() == 1

    def test_an_order_of_the_same_id_after_a_reset(self, world: PaperWorld) -> None:
        order = bought(world)
        rows = world.leaving.ended([(SPOT.id, order.client_order_id)])
        world.desk.set_account(SPOT, {"balances": {"USDT": "10000"}, "reset": True})
        world.spot.place(order)

        assert world.leaving.leave(rows) == 0

        assert world.in_store() == [order.client_order_id]

    def test_twice_is_once(self, world: PaperWorld) -> None:
        order = bought(world)
        world.spot.place(order)
        rows = world.leaving.ended([(SPOT.id, order.client_order_id)])
        rows = [*rows, *world.leaving.repeats([SPOT.id], 5)]
        world.history.keep_paper_rows(rows)
        world.history.keep_paper_rows(rows)

        assert (world.leaving.leave(rows), world.leaving.leave(rows)) == (2, 0)

        assert len(world.ports.rows(SPOT.id)) == 2


class TestAReset:
    def test_it_forgets_what_has_left_too(self, world: PaperWorld) -> None:
        order = bought(world)
        world.let_go()

        world.desk.set_account(SPOT, {"balances": {"USDT": "10000"}, "reset": True})

        assert world.ports.rows(SPOT.id) == []
        assert history_away(world).spot.find(order) is None
        bought(world)
        world.let_go()
        assert world.spot.find(order) is None
        world.spot.place(order)
        assert world.available() == Decimal(9_000)


class TestWithoutTheHistory:
    def test_what_may_have_left_is_not_said_to_be_absent(self, world: PaperWorld) -> None:
        order = bought(world)
        world.let_go()
        available, away = world.available(), history_away(world)

        for ask in (away.spot.find, away.spot.place, away.spot.cancel):
            with pytest.raises(VenueUnavailable, match="away"):
                ask(order)
        with pytest.raises(HistoryUnavailable):
            away.desk.account(SPOT)

        assert world.available() == available
        assert world.in_store() == []

    def test_what_cannot_have_left_is_traded_as_ever(self, world: PaperWorld) -> None:
        bought(world)
        world.let_go()
        away, new = history_away(world), world.order(BUY, "0.01")

        assert away.spot.find(new) is None
        assert away.spot.place(new).status == "FILLED"
        assert away.spot.place(new).status == "FILLED"
        assert away.spot.cancel(new).status == "FILLED"
        assert world.in_store() == [new.client_order_id] * 2

    def test_where_nothing_has_left_it_is_not_asked(self, world: PaperWorld) -> None:
        bought(world)
        away = history_away(world)

        assert away.desk.account(SPOT) == world.desk.account(SPOT)
        away.desk.set_account(SPOT, {"reset": True})
        assert away.desk.account(SPOT)["ledger"] == []


def test_who_reads_very_many_rows_lets_others_go_on(
    world: PaperWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lets_go in (True, False):
        for _ in range(3):
            bought(world)
        if lets_go:
            world.let_go()
    given: list[float] = []
    monkeypatch.setattr("app.unhurried.PIECE_SECONDS", 0)
    monkeypatch.setattr("time.sleep", given.append)

    world.desk.account(SPOT)

    # What is in the store is read, then all of it, and each row and its fill are written.
    assert len(given) >= 3 + 6 + 6 + 6


def test_what_a_newer_history_tells_of_never_was(world: PaperWorld) -> None:
    """The store was put back, the history was not: its balances know nothing of those rows."""
    bought(world)
    world.let_go()
    lost = world.order(BUY, "0.01")
    body = '{"s":1,"number":99}'
    row = PaperRow(number=99, account=SPOT.id, client_order_id=lost.client_order_id, body=body)
    world.history.keep_paper_rows([row])
    older = world.order(BUY, "0.01")
    world.spot.place(older)
    world.let_go()

    assert world.spot.find(lost) is None
    assert len(world.ports.rows(SPOT.id)) == 2


@pytest.mark.parametrize("names", [("hB", "ha"), ("h1", "hZ"), ("h", "h0"), ("hz", "hzz")])
@pytest.mark.parametrize("turn", [1, -1])
def test_the_greatest_that_has_left_is_noted_byte_by_byte(
    world: PaperWorld, names: tuple[str, str], turn: int
) -> None:
    for name in names[::turn]:
        order = replace(world.order(BUY, "0.01"), client_order_id=ClientOrderId(name))
        world.spot.place(order)
        world.let_go()

    left = must(world.ledger.load(SPOT.id).departed)

    assert left.newest == max(names)
    assert left.numbers.stop == 3


class TestTaking:
    def test_all_of_few_are_taken(self, world: PaperWorld) -> None:
        spot = [bought(world).client_order_id for _ in range(5)]

        assert sorted(world.leaving.some([SPOT.id, USDM.id], 5)) == [(SPOT.id, one) for one in spot]

    def test_some_of_many_are_taken_from_each(self, world: PaperWorld) -> None:
        world.price("2000", ETH)
        for _ in range(12):
            bought(world, "0.001")
        for _ in range(2):
            world.usdm.place(world.order(BUY, "0.01", leg=LONG))

        taken = world.leaving.some([SPOT.id, USDM.id], 4)

        assert len(set(taken)) == 5
        assert sorted(account for account, _ in taken) == [SPOT.id] * 4 + [USDM.id]

    def test_of_accounts_that_never_traded_there_are_none(self, world: PaperWorld) -> None:
        assert world.leaving.some([SPOT.id], 5) == []
        assert world.leaving.some([], 5) == []
        assert world.leaving.ended([]) == []
        assert world.leaving.leave([]) == 0


def test_however_many_were_filled_the_store_keeps_none(real_client: redis.Redis) -> None:
    world = PaperWorld(real_client).opened()

    def size() -> int:
        return sum(real_client.memory_usage(key) or 0 for key in real_client.scan_iter("*"))

    bought(world, "0.0001")
    world.let_go()
    before = size()
    for _ in range(300):
        bought(world, "0.0001")
    holdings = world.spot.view()

    assert world.let_go() == 300

    assert size() <= before + 100
    assert world.spot.view() == holdings
    assert not real_client.exists(paper_keys.orders(SPOT.id), paper_keys.repeats(SPOT.id))
    assert len(world.ports.rows(SPOT.id)) == 301


Act = Callable[[PaperWorld, Order], object]
ACTS: dict[str, Act] = {
    "place": lambda world, order: world.spot.place(order),
    "cancel": lambda world, order: world.spot.cancel(order),
    "find": lambda world, order: world.spot.find(order),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.sampled_from(Side), st.sampled_from(["", "49000", "51000"])),
        st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 20)),
        st.tuples(st.just("price"), st.sampled_from(["48000", "50000", "52000"])),
        st.tuples(st.sampled_from(["read", "let go", "let go", "reset"])),
    ),
    max_size=25,
)


class Twin:
    """A world to which things happen, and what it answers."""

    def __init__(self, *, lets_go: bool) -> None:
        client = ClockedRedis()
        self.world = PaperWorld(client, FrozenClock(client)).opened()
        self.orders: list[Order] = []
        self.went = 0
        self._lets_go = lets_go

    def happen(self, step: tuple[object, ...]) -> object:
        match step:
            case "new", Side() as side, str(price):
                self.orders.append(self.world.order(side, "0.01", price or None))
                return self._act("place", self.orders[-1])
            case str(act), int(which) if self.orders:
                return self._act(act, self.orders[which % len(self.orders)])
            case "price", str(price):
                self.world.price(price)
            case ("read",):
                self.world.reports.mark_read(SPOT, self.world.reports.unread(SPOT))
            case ("let go",) if self._lets_go:
                self.went += self.world.let_go()
            case ("reset",):
                self.world.desk.set_account(SPOT, {"balances": {"USDT": "9000"}, "reset": True})
            case _:
                pass
        return None

    def _act(self, act: str, order: Order) -> object:
        try:
            return ACTS[act](self.world, order)
        except HookfillError as error:
            return type(error), str(error)

    def told(self) -> object:
        world = self.world
        found = [world.spot.find(order) for order in self.orders]
        return world.desk.account(SPOT), world.spot.view(), world.spot.standing([BTC]), found


@searching.times(0.2)
@given(STEPS)
def test_whenever_rows_leave_nobody_can_tell(steps: list[tuple[object, ...]]) -> None:
    """Every answer, the ledger and the balances are those of a venue that keeps all it has."""
    leaving, keeping = Twin(lets_go=True), Twin(lets_go=False)

    for step in steps:
        assert leaving.happen(step) == keeping.happen(step)
    leaving.happen(("let go",))

    assert leaving.told() == keeping.told()
    open_orders = [one for one in leaving.world.ledger.rows(SPOT.id) if one.is_open]
    unread = leaving.world.reports.unread(SPOT)
    assert len(leaving.world.in_store()) <= len(open_orders) + len(unread)
