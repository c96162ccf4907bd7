"""From an accepted signal to the exchange's own ledger, through every fault of its answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.account import Account
from app.domain.commands import Action, SignalCommand
from app.domain.enums import Market
from app.domain.errors import VenueUnavailable
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Stage
from app.domain.status import OrderStatus
from app.exchanges.clients import Clients
from app.services.placing.cancel import request_cancel
from app.services.placing.place import place_order
from app.services.placing.resolve import LOOK_UP_LEASE_MS, resolve_order
from tests.support.builders import BTC, REQUESTED, a_command, fixed, must
from tests.support.exchanges.faults import Call, Fault
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

VENUES = [
    ("binance", Market.SPOT),
    ("binance", Market.USDM),
    ("binance", Market.COINM),
    ("binance_testnet", Market.SPOT),
    ("binance_testnet", Market.USDM),
    ("binance_testnet", Market.COINM),
    ("bybit", Market.SPOT),
    ("bybit", Market.USDM),
    ("bybit", Market.COINM),
    ("bybit_testnet", Market.SPOT),
    ("bybit_testnet", Market.USDM),
    ("bybit_testnet", Market.COINM),
    ("poloniex", Market.SPOT),
]

FUTURES = [
    ("binance", Market.USDM),
    ("binance", Market.COINM),
    ("bybit", Market.USDM),
    ("bybit", Market.COINM),
]

#: Faults after which the order is there, and nobody knows.
LOST_ANSWERS = [
    Fault.ACCEPT_THEN_TIMEOUT,
    Fault.ACCEPT_THEN_CUT,
    Fault.ACCEPT_THEN_ERROR,
    Fault.ACCEPT_THEN_GARBAGE,
    Fault.ACCEPT_THEN_EMPTY,
]
#: Faults after which it is not, and nobody knows.
LOST_REQUESTS = [Fault.TIMEOUT, Fault.CUT, Fault.ERROR, Fault.GARBAGE]


@pytest.fixture(params=VENUES, ids=lambda one: f"{one[0]}-{one[1]}")
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


@pytest.fixture(params=["binance", "bybit", "poloniex"])
def spot(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.SPOT) as running:
        yield running


@pytest.fixture(params=FUTURES, ids="-".join)
def futures(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def entry(rig: VenueRig, **more: object) -> SignalCommand:
    spot = rig.account.market is Market.SPOT
    size = fixed(f"{rig.size('0.1')}")
    return a_command(Action.BUY if spot else Action.OPEN_LONG, size=size, **more)


def sent(rig: VenueRig, **more: object) -> Order:
    """Accept an entry, and return its order after all that follows at once."""
    rig.run(entry(rig, **more))
    return rig.orders()[-1]


def low(rig: VenueRig) -> Decimal:
    return Decimal(40_000 if rig.account.market is Market.SPOT else 1_600)


def test_a_signal_becomes_one_order_at_the_exchange(rig: VenueRig) -> None:
    order = sent(rig)

    assert order.status is OrderStatus.FILLED
    assert rig.received() == [order.client_order_id]
    assert order.fees
    assert rig.signal(order.request_id).status is RequestStatus.DONE  # type: ignore[arg-type]


def test_a_resting_order_is_followed_to_its_fill(rig: VenueRig) -> None:
    order = sent(rig, limit_price=low(rig))
    rig.poll()
    assert rig.order().status is OrderStatus.NEW

    rig.exchange.set_price(order.symbol, f"{low(rig)}")
    rig.poll()

    followed = rig.order()
    assert (followed.status, followed.id) == (OrderStatus.FILLED, order.id)
    assert followed.fills


def test_a_resting_order_is_canceled(rig: VenueRig) -> None:
    order = sent(rig, limit_price=low(rig))

    request_cancel(order.id, REQUESTED, rig.ports)
    rig.settle()

    assert rig.order().status is OrderStatus.CANCELED
    assert rig.exchange.accounts[KEY].orders[0].status == "CANCELED"


def test_a_stop_loss_closes_the_position(futures: VenueRig) -> None:
    accepted = futures.run(entry(futures, take_profit=Decimal(2_200), stop_loss=Decimal(1_900)))
    futures.poll()
    assert futures.signal(accepted.id).stage is Stage.PROTECTED

    futures.exchange.set_price(futures.symbol, "1899")
    futures.poll()
    futures.settle()

    opened, closed = futures.orders()
    assert closed.reduce_only
    assert (opened.status, closed.status) == (OrderStatus.FILLED, OrderStatus.FILLED)
    assert closed.position_after == 0
    assert futures.signal(accepted.id).status is RequestStatus.DONE
    assert not futures.ports.book.symbols(futures.account.feed)


@pytest.mark.parametrize("fault", LOST_ANSWERS)
def test_an_order_whose_answer_was_lost_is_found(spot: VenueRig, fault: Fault) -> None:
    spot.wire.plan.plan(Call.PLACE, fault)

    order = sent(spot)
    assert order.status is OrderStatus.UNKNOWN

    assert spot.resolved(order).status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]


@pytest.mark.parametrize("fault", LOST_REQUESTS)
def test_an_order_that_never_arrived_is_sent_again_after_the_proof(
    spot: VenueRig, fault: Fault
) -> None:
    spot.wire.plan.plan(Call.PLACE, fault)
    begun = spot.clock.server_ms()

    order = sent(spot)
    resolved = spot.resolved(order)

    assert resolved.status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]
    events = spot.events(order.id)
    assert events.index("unknown") < events.index("absent") < events.index("filled")
    assert spot.clock.server_ms() - begun >= 45_000


def test_an_order_that_arrives_late_and_is_hidden_is_not_sent_twice(spot: VenueRig) -> None:
    spot.wire.plan.look_up_lag_ms = 20_000
    spot.wire.plan.plan(Call.PLACE, Fault.ACCEPT_LATER)

    order = sent(spot)
    resolved = spot.resolved(order)

    assert resolved.status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]
    assert spot.exchange.repeats == []


def test_no_such_order_is_no_proof_before_it_is_told_twice(spot: VenueRig) -> None:
    spot.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    order = sent(spot)
    asked = 2 if spot.account.venue == "bybit" else 1
    spot.wire.plan.plan(Call.FIND, *[Fault.NOT_FOUND] * 4 * asked)

    assert spot.resolved(order).status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]


class LateLookUps:
    """The venues of a worker that stands still when its look-up is answered.

    Args:
        clients: who ask.
        meanwhile: what others do until it goes on.
    """

    def __init__(self, clients: Clients, meanwhile: Callable[[], None]) -> None:
        self.trading_rules = clients.trading_rules
        self.feed = clients.feed
        self.listed = clients.listed
        self.of: Any = self._late  # a venue of which `find` alone is asked
        self._clients = clients
        self._meanwhile = meanwhile

    def _late(self, account: Account) -> LateLookUps:
        self._account = account
        return self

    def find(self, order: Order) -> OrderReport | None:
        report = self._clients.of(self._account).find(order)
        self._meanwhile()
        return report


def test_a_proof_that_comes_after_a_newer_placement_sends_nothing_again(spot: VenueRig) -> None:
    spot.wire.plan.plan(Call.PLACE, Fault.CUT)
    order = sent(spot)
    while (order := spot.order()).absent_since_ms is None:
        spot.clock.advance(max(order.next_action_at_ms - spot.clock.server_ms(), 1))
        resolve_order(order.id, spot.ports)
    spot.clock.advance(order.next_action_at_ms - spot.clock.server_ms())
    spot.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)

    def prove_and_place() -> None:
        spot.clock.advance(LOOK_UP_LEASE_MS)
        resolve_order(order.id, spot.ports)
        place_order(order.id, spot.ports)

    venues = LateLookUps(spot.clients, prove_and_place)
    resolve_order(order.id, replace(spot.ports, venues=venues))

    assert (spot.order().status, spot.order().token) == (OrderStatus.UNKNOWN, 2)
    assert spot.resolved(order).status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]


def test_a_ban_holds_orders_back_and_counts_as_no_attempt(spot: VenueRig) -> None:
    spot.wire.plan.retry_after_seconds = 20
    spot.wire.plan.plan(Call.PLACE, Fault.BAN)

    order = sent(spot, limit_price=low(spot))
    spot.settle(rounds=4)
    waiting = spot.order()

    assert waiting.status is OrderStatus.PENDING_NEW
    assert waiting.attempts <= 2
    assert waiting.reason is None
    if spot.account.venue != "bybit":  # its bans last ten minutes, and entries do not wait so long
        assert spot.resolved(order).status is OrderStatus.NEW


def test_partial_fills_add_up_and_repeated_news_changes_nothing(spot: VenueRig) -> None:
    spot.exchange.fill_share = Decimal("0.3")
    sent(spot, limit_price=Decimal(60_000))
    first = spot.order()

    spot.poll()
    spot.poll()
    unchanged = spot.order()
    spot.exchange.fill_more(spot.exchange.accounts[KEY])
    spot.poll()

    assert (first.status, first.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.03"))
    assert unchanged.filled_quantity == first.filled_quantity
    filled = spot.order()
    assert (filled.status, filled.filled_quantity) == (OrderStatus.FILLED, Decimal("0.1"))
    assert len({one.trade_id for one in filled.fills}) == len(filled.fills) == 2


def test_older_news_after_newer_takes_nothing_back(spot: VenueRig) -> None:
    order = sent(spot, limit_price=low(spot))
    spot.exchange.set_price(BTC, "40000")
    spot.poll()
    filled = spot.order()

    asked = 2 if spot.account.venue == "bybit" else 1
    spot.wire.plan.plan(Call.FIND, *[Fault.STALE] * asked)

    assert must(spot.ports.venues.of(spot.account).find(order)).status is OrderStatus.NEW
    spot.poll()
    assert spot.order() == filled


def test_a_process_that_slept_after_its_claim_places_nothing(spot: VenueRig) -> None:
    """It wakes up after its lease, when others may have placed the order already."""
    spot.run(entry(spot))
    first = spot.orders()[-1]
    asleep = replace(first, lease_until_ms=first.lease_until_ms)
    spot.clock.advance(60_000)

    with pytest.raises(VenueUnavailable, match=r"too (late|slow)"):
        spot.clients.of(spot.account).place(
            replace(asleep, client_order_id=type(first.client_order_id)("hasleep"))
        )

    assert spot.received() == [first.client_order_id]


def test_a_claim_that_was_cut_short_is_asked_about(spot: VenueRig) -> None:
    """The worker died with the order at the exchange: the lease runs out, the order is found."""
    accepted = spot.accept(entry(spot))
    spot.gateway.dialect.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    spot.drain()
    order = spot.orders()[-1]

    place_order(order.id, spot.ports)

    assert spot.resolved(order).status is OrderStatus.FILLED
    assert spot.received() == [order.client_order_id]
    assert accepted.id == order.request_id


@pytest.mark.parametrize("venue", ["binance", "bybit", "poloniex"])
@pytest.mark.parametrize("seed", range(3))
def test_many_orders_with_lost_answers_are_one_each(venue: str, seed: int) -> None:
    """A short run of what `python -m benchmarks.lost_answers` does 10,000 times."""
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    with venue_rig(venue, Market.SPOT) as rig:
        for _ in range(8):
            rig.wire.plan.look_up_lag_ms = chance.choice([0, 0, 1_000, 5_000])
            quick = [one for one in LOST_ANSWERS if one is not Fault.ACCEPT_THEN_TIMEOUT]
            rig.wire.plan.plan(Call.PLACE, chance.choice(quick))
            rig.wire.plan.plan(Call.FIND, chance.choice([Fault.OK, Fault.ERROR, Fault.CUT]))
            rig.run(a_command(Action.BUY, size=fixed("0.001"), limit_price=Decimal(40_000)))
            resolved = rig.resolved(rig.orders()[-1])
            assert resolved.status is OrderStatus.NEW
        ids = [order.client_order_id for order in rig.orders()]
        assert sorted(rig.received()) == sorted(ids)
        assert rig.exchange.repeats == []


# An exchange that hides an order for longer than it may

EVERYWHERE = frozenset({"order", "openOrders", "allOrders", "myTrades"})


@pytest.fixture(params=[Market.SPOT, Market.USDM, Market.COINM], ids=str)
def binance(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig("binance", request.param) as running:
        yield running


def test_an_open_order_that_is_hidden_everywhere_is_not_taken_twice(binance: VenueRig) -> None:
    """It is sent again after the proof, and refused: its id is that of an open order."""
    binance.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    binance.wire.plan.hides = EVERYWHERE

    sent(binance, limit_price=low(binance))
    binance.settle(rounds=30)
    hidden = binance.orders()[-1]
    binance.wire.plan.clear()
    binance.settle(rounds=30)

    assert hidden.status is OrderStatus.UNKNOWN
    assert binance.exchange.repeats
    assert len(binance.received()) == 1
    assert binance.orders()[-1].status is OrderStatus.NEW


def test_a_filled_order_that_is_hidden_everywhere_is_what_remains(binance: VenueRig) -> None:
    """The one way to trade twice (docs/venues.md, "What is promised")."""
    binance.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    binance.wire.plan.hides = EVERYWHERE

    sent(binance)
    binance.settle(rounds=60)

    first, second = binance.exchange.accounts[KEY].orders
    policy = binance.ports.policy
    assert first.ticket.client_id == second.ticket.client_id
    apart_ms = second.created_ms - first.created_ms
    assert apart_ms >= policy.venue_grace_ms + policy.venue_absence_ms
