"""The paper venue's ledger: all or nothing, and one after the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest
import redis

from app.domain.effects import AT_ONCE
from app.domain.enums import PositionSide, Side
from app.domain.errors import (
    Conflict,
    InsufficientFunds,
    OutcomeUnknown,
    StoreError,
    StoreUnavailable,
    VenueUnavailable,
)
from app.domain.identifiers import AccountId, Currency, EpochMs
from app.domain.status import OrderStatus
from app.paper.domain.account import PaperAccount
from app.paper.domain.ledger import PaperChange
from app.paper.feed import PaperFeed
from app.paper.paper_venue import PaperVenue
from app.paper.store import keys as paper_keys
from app.paper.store.ledger import RedisPaperLedger
from app.paper.store.records import SCHEMA
from app.store.core.connection import connect
from tests.support.builders import ETH, SPOT, USDM, must
from tests.support.hooked_ledger import HookedLedger
from tests.support.paper_desk import PaperDesk
from tests.support.paper_world import USDT, PaperWorld

POOR = PaperAccount(balances={USDT: Decimal(1)})

#: More than one processor runs at once, less than a connection pool holds.
THREADS = 8


def test_what_was_committed_is_loaded(world: PaperWorld) -> None:
    world.price("2000", ETH)
    world.usdm.place(world.order(Side.BUY, "0.5", leg=PositionSide.LONG))
    resting = world.order(Side.SELL, "0.2", "2200", leg=PositionSide.LONG)
    world.usdm.place(resting)

    snapshot = world.ledger.load(USDM.id, [resting.client_order_id])

    assert snapshot.account is not None
    assert snapshot.account.leg(ETH, PositionSide.LONG).size == Decimal("0.5")
    assert snapshot.account.reserved == {(ETH, PositionSide.LONG): Decimal("0.2")}
    assert snapshot.orders[resting.client_order_id].reserve == Decimal("0.2")


def test_a_commit_on_an_old_version_writes_nothing(world: PaperWorld) -> None:
    world.spot.place(world.order(Side.BUY, "0.1"))
    snapshot = world.ledger.load(SPOT.id)
    world.spot.place(world.order(Side.BUY, "0.01"))

    with pytest.raises(Conflict):
        world.ledger.commit(SPOT.id, snapshot.version, PaperChange(account=POOR))

    assert world.available() == Decimal(4_500)


def test_a_reset_on_an_old_version_forgets_nothing(world: PaperWorld) -> None:
    snapshot = world.ledger.load(SPOT.id)
    world.spot.place(world.order(Side.BUY, "0.1"))

    with pytest.raises(Conflict):
        world.ledger.reset(SPOT.id, snapshot.version, POOR)

    assert len(world.ledger.rows(SPOT.id)) == 1


def test_a_reset_empties_the_ledger_and_versions_go_on(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    world.spot.place(order)
    world.spot.place(order)
    before = world.ledger.load(SPOT.id).version

    world.ledger.reset(SPOT.id, before, POOR)

    assert world.ledger.rows(SPOT.id) == []
    assert world.ledger.load(SPOT.id).version == before + 1


def test_an_order_that_met_a_reset_is_placed_on_the_new_account(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    world.spot.place(order)
    world.desk.set_account(SPOT, {"balances": {"USDT": "20000"}, "reset": True})

    world.spot.place(order)

    assert world.available() == Decimal(15_000)


@pytest.mark.integration
def test_placements_at_once_are_each_counted_once(real_client: redis.Redis) -> None:
    world = PaperWorld(real_client).opened()
    orders = [world.order(Side.BUY, "0.001") for _ in range(80)]

    with ThreadPoolExecutor(THREADS) as pool:
        reports = list(pool.map(world.spot.place, orders))

    assert {report.status for report in reports} == {OrderStatus.FILLED}
    assert world.available() == Decimal(6_000)
    assert world.available(Currency("BTC")) == Decimal("0.58")
    assert len(world.ledger.rows(SPOT.id)) == 80


@pytest.mark.integration
def test_the_last_money_is_spent_once(real_client: redis.Redis) -> None:
    world = PaperWorld(real_client).opened()
    orders = [world.order(Side.BUY, "0.1", "40000") for _ in range(16)]

    def is_placed(index: int) -> bool:
        try:
            world.spot.place(orders[index])
        except InsufficientFunds:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        placed = list(pool.map(is_placed, range(16)))

    assert sum(placed) == 2
    assert world.available() == Decimal(2_000)
    assert world.resting() == 2


@pytest.mark.integration
def test_one_order_sent_by_many_at_once_is_placed_once(real_client: redis.Redis) -> None:
    world = PaperWorld(real_client).opened()
    order = world.order(Side.BUY, "0.1", "40000")

    with ThreadPoolExecutor(THREADS) as pool:
        reports = list(pool.map(lambda _: world.spot.place(order), range(16)))

    outcomes = sorted(row.outcome for row in world.ledger.rows(SPOT.id))
    assert outcomes == ["DUPLICATE"] * 15 + ["NEW"]
    assert len({report.venue_order_id for report in reports}) == 1
    assert world.available() == Decimal(6_000)
    assert world.resting() == 1


@pytest.mark.integration
def test_ticks_that_race_placements_leave_nothing_behind_the_market(
    real_client: redis.Redis,
) -> None:
    """Every order that a tick has reached is filled, whichever of the two came first."""
    world = PaperWorld(real_client).opened()
    world.desk.set_account(SPOT, {"balances": {"USDT": "1000000"}})
    orders = [world.order(Side.BUY, "0.001", "49999") for _ in range(60)]

    with ThreadPoolExecutor(THREADS) as pool:
        placements = [pool.submit(world.spot.place, order) for order in orders]
        for price in ("50000", "49999", "50001") * 5:
            world.price(price)
        for placement in placements:
            placement.result()
    world.price("49999")

    assert {row.outcome for row in world.ledger.rows(SPOT.id)} == {"FILLED"}
    assert world.available(Currency("BTC")) == Decimal("0.56")
    assert world.resting() == 0


@pytest.mark.integration
def test_two_matchers_at_once_fill_once(real_client: redis.Redis) -> None:
    world = PaperWorld(real_client).opened()
    for _ in range(30):
        world.spot.place(world.order(Side.BUY, "0.001", "40000"))
    world.set_price("40000")
    tick = must(world.feed.next_tick([]))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(world.feed.match, [tick] * 4))

    assert world.available(Currency("BTC")) == Decimal("0.53")
    assert world.available() == Decimal(8_800)


@pytest.mark.parametrize("call", ["place", "cancel", "find", "view"])
def test_a_store_that_is_away_is_a_venue_that_is_away(call: str) -> None:
    nowhere = connect("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    world = PaperWorld(nowhere)
    order = world.order(Side.BUY, "0.1")
    arguments = [] if call == "view" else [order]

    with pytest.raises(VenueUnavailable):
        getattr(world.spot, call)(*arguments)


class LosingLedger(RedisPaperLedger):
    """Somebody else always commits first."""

    def commit(
        self,
        account_id: AccountId,
        version: int,
        change: PaperChange,
        until_ms: EpochMs = AT_ONCE,
    ) -> None:
        del version, change, until_ms
        raise Conflict(f"account {account_id} has changed")


def hooked(world: PaperWorld, **hook: Callable[[], object]) -> PaperVenue:
    """The venue of an account, with something that happens around its first commit."""
    return PaperVenue(SPOT, replace(world.ports, ledger=HookedLedger(world.client, **hook)))


GO_SILENT = Mock(side_effect=StoreUnavailable("no answer"))


def test_a_tick_between_entry_and_commit_makes_the_placement_start_again(world: PaperWorld) -> None:
    """Otherwise the order would rest, and the tick that reaches it would be over."""
    order = world.order(Side.BUY, "0.1", "40000")
    venue = hooked(world, before=lambda: world.price("39000"))

    report = venue.place(order)

    assert report.status is OrderStatus.FILLED
    assert report.average_price == Decimal(39_000)
    assert world.resting() == 0


def test_a_commit_whose_answer_is_lost_has_an_unknown_outcome(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    venue = hooked(world, after=GO_SILENT)

    with pytest.raises(OutcomeUnknown):
        venue.place(order)

    world.price("40000")
    assert world.row(order).status is OrderStatus.FILLED


def test_a_cancel_whose_answer_is_lost_has_an_unknown_outcome(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    venue = hooked(world, after=GO_SILENT)

    with pytest.raises(OutcomeUnknown):
        venue.cancel(order)

    assert world.spot.cancel(order).status is OrderStatus.CANCELED


def test_somebody_who_always_loses_gives_up_without_a_trace(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    venue = PaperVenue(SPOT, replace(world.ports, ledger=LosingLedger(world.client)))

    with pytest.raises(VenueUnavailable):
        venue.place(order)

    assert world.spot.find(order) is None
    assert world.resting() == 0


def test_a_setting_that_lost_a_race_is_set_again(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.01")
    ledger = HookedLedger(world.client, before=lambda: world.spot.place(order))
    desk = PaperDesk(replace(world.ports, ledger=ledger))

    desk.set_account(SPOT, {"balances": {"USDT": "7"}})

    assert world.available() == Decimal(7)


def test_a_setting_that_always_loses_gives_up(world: PaperWorld) -> None:
    desk = PaperDesk(replace(world.ports, ledger=LosingLedger(world.client)))

    with pytest.raises(Conflict):
        desk.set_account(SPOT, {"balances": {"USDT": "7"}})

    assert world.available() == Decimal(10_000)


def test_a_tick_that_always_loses_waits_for_the_next_attempt(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    world.set_price("40000")
    feed = PaperFeed(replace(world.ports, ledger=LosingLedger(world.client)))
    tick = must(feed.next_tick([]))

    with pytest.raises(Conflict):
        feed.match(tick)

    world.evaluate()
    assert world.row(order).status is OrderStatus.FILLED


def test_a_record_of_a_newer_release_is_left_alone(world: PaperWorld) -> None:
    newer = f'{{"s":{SCHEMA + 1}}}'
    world.client.hset(paper_keys.account(SPOT.id), "body", newer)

    with pytest.raises(StoreError):
        world.ledger.load(SPOT.id)

    assert world.client.hget(paper_keys.account(SPOT.id), "body") == newer


def test_a_fill_between_load_and_cancel_is_not_canceled_away(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    venue = hooked(world, before=lambda: world.price("40000"))

    report = venue.cancel(order)

    assert report.status is OrderStatus.FILLED
