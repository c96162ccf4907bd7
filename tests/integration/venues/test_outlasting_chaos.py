"""Random prices, people, faults and deaths: the exchange holds a stop for what is there, once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import Action
from app.domain.enums import Market, PositionMode
from app.domain.exits import ExitRules
from app.domain.request.signal import RequestStatus, Signal
from app.domain.smart_order import SmartOrder
from app.services.following.guards import LOOKS_APART_MS, look_at_guards
from tests.support.builders import a_command, fixed, percent
from tests.support.exchanges.books import INVERSE, LINEAR, OPEN, Refused, Ticket
from tests.support.lives import Life, Step, mishaps, scenes
from tests.support.searching import times
from tests.support.venue_rig import VenueRig, venue_rig

BOTH = ExitRules(beyond_percent=Decimal(3))
PLACES = [
    ("binance", Market.USDM, PositionMode.HEDGE),
    ("binance", Market.USDM, PositionMode.ONEWAY),
    ("bybit", Market.USDM, PositionMode.HEDGE),
    ("bybit", Market.COINM, PositionMode.ONEWAY),
]
#: At which a bid fills no further than to what is offered.
OFFERED = ["1990", "1890", "1840"]
BID = Decimal(1_990)
#: Stops that may rest, where they are not refused.
MOST = 200
PRICES = ["2300", "2000", "1950", "1890", "1850", "1840", "1700"]

STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(["0.1", "0.4"]), st.booleans()),
    st.tuples(st.just("bid"), st.sampled_from(["0.1", "0.4"]), st.booleans()),
    st.tuples(st.just("offered"), st.sampled_from(OFFERED), st.sampled_from(["0", "0.03", "0.2"])),
    st.tuples(st.just("close"), st.sampled_from(["50", "100"])),
    st.tuples(st.just("cancel all")),
    st.tuples(st.just("price"), st.sampled_from(PRICES)),
    st.tuples(st.just("seen price"), st.sampled_from(PRICES)),
    st.tuples(st.just("by hand"), st.sampled_from(["0.05", "0.2"])),
    st.tuples(st.just("taken off")),
    st.tuples(st.just("refused"), st.booleans()),
    *mishaps(),
)
OPENED = st.tuples(st.just("open"), st.just("0.4"), st.booleans())
BIDDEN = st.one_of(
    OPENED,
    st.tuples(st.just("bid"), st.just("0.4"), st.booleans()),
)
PART = st.tuples(st.just("offered"), st.just("1990"), st.sampled_from(["0.03", "0.2"]))
#: Without a position hardly anything happens.
SCENES = scenes(BIDDEN, st.one_of(PART, STEPS), STEPS, STEPS, STEPS)

_by_hand = count(1)


class Chaos(Life):
    """What happens to positions and their guards."""

    looks_apart_ms = LOOKS_APART_MS

    def __init__(self, rig: VenueRig) -> None:
        super().__init__(rig)
        self.taken_off = False

    def happen(self, step: Step) -> None:
        """Let somebody want something, or something happen."""
        rig = self.rig
        match step:
            case "open", str(size), bool(venue_first):
                self.enter(size, None, venue_first=venue_first)
            case "bid", str(size), bool(venue_first):
                self.enter(size, BID, venue_first=venue_first)
            case "close", str(share):
                rig.accept(a_command(Action.CLOSE_LONG, size=percent(share)))
            case ("cancel all",):
                rig.accept(a_command(Action.CANCEL_ALL), futures=True)
            case _:
                self.befall(step)

    def enter(self, size: str, limit: Decimal | None, *, venue_first: bool) -> None:
        enter = a_command(
            Action.OPEN_LONG,
            size=fixed(f"{self.rig.size(size)}"),
            limit_price=limit,
            stop_loss=Decimal(1_900),
            take_profit=Decimal(2_200),
        )
        self.rig.accept(enter, exits=replace(BOTH, venue_first=venue_first))

    def befall(self, step: Step) -> None:
        """Let something happen at the exchange, or to us."""
        rig = self.rig
        match step:
            case "price", str(price):
                rig.exchange.set_price(rig.symbol, price)
            case "offered", str(price), str(size):
                asks = [[price, f"{rig.size(size)}"]]
                rig.exchange.set_book(rig.symbol, price, price, price, asks=asks)
                self.look()
            case "seen price", str(price):
                rig.exchange.set_price(rig.symbol, price)
                self.look()
            case "by hand", str(size):
                self.sell_by_hand(rig.size(size))
            case ("taken off",):
                self.take_off()
            case "refused", bool(is_refused):
                rig.exchange.stops.most = 0 if is_refused else MOST
            case _:
                self.go_wrong(step)

    def ask(self) -> None:
        super().ask()
        look_at_guards(self.rig.account.id, self.rig.ports)

    def sell_by_hand(self, quantity: Decimal) -> None:
        kind = INVERSE if self.rig.account.market is Market.COINM else LINEAR
        ticket = Ticket(
            client_id=f"by-hand-{next(_by_hand)}",
            market=self.rig.exchange.markets[self.rig.symbol, kind],
            side="SELL",
            type="MARKET",
            quantity=min(quantity, self.held()),
            leg="LONG" if self.account.hedged else "BOTH",
            reduce_only=not self.account.hedged,
        )
        with suppress(Refused):
            self.rig.exchange.place(self.account, ticket)

    def take_off(self) -> None:
        for stop in self.resting()[:1]:
            self.taken_off = True
            self.rig.exchange.stops.cancel(self.account, stop)

    def held(self) -> Decimal:
        return sum((one.quantity for one in self.account.positions.values()), Decimal(0))

    def calm_down(self) -> None:
        """Let the faults end and the price be where nothing fires, and let everything settle."""
        rig = self.rig
        rig.undisturbed()
        rig.wire.plan.clear()
        rig.exchange.depth.clear()
        rig.exchange.stops.most = MOST
        rig.exchange.set_price(rig.symbol, f"{BID}")  # so that no bid waits for ever
        assert self.settles(), "it does not settle"

    def guarding(self) -> list[Signal]:
        found = [one for one in self.rig.whole.newest(None) if isinstance(one, Signal)]
        return [one for one in found if one.is_protecting]

    def assert_held_by_the_exchange(self) -> None:
        """All that is guarded has a stop at the exchange, for as much as there is."""
        guarding, resting = self.guarding(), self.resting()
        live = {
            one.order_id
            for one in self.rig.whole.newest(None)
            if isinstance(one, SmartOrder) and one.at_venue and one.is_live
        }
        ours = [one for one in self.rig.orders() if one.id in live]
        ids = {one.client_order_id for one in ours}
        assert {one.ticket.client_id for one in resting} == ids
        if self.held() and not self.taken_off:
            for signal in guarding:
                wanted = min(signal.left, self.held())
                held = signal.held_at_venue
                assert sum(held[one] for one in held.keys() - signal.profits) == wanted
                assert sum(held[one] for one in held.keys() & signal.profits) in {0, wanted}

    def assert_sold_once(self) -> None:
        """Nothing was sent twice, and nothing was sold that was not there."""
        assert self.rig.exchange.repeats == []
        assert all(one.quantity >= 0 for one in self.account.positions.values())
        known = {order.client_order_id: order for order in self.rig.orders()}
        told = {one.ticket.client_id: one.filled for one in self.account.orders}
        for stop in self.account.stops:
            made = self.rig.exchange.stops.made_of(self.account, stop)
            told[stop.ticket.client_id] = made.filled if made else Decimal(0)
        for client_order_id, order in known.items():
            assert order.filled_quantity == told.get(client_order_id, Decimal(0))

    def end(self) -> None:
        """Let the price fall through everything, and see what is left."""
        rig = self.rig
        guarded, held = bool(self.guarding()), self.held()
        waits_here = any(one.is_only_here for one in rig.smart_orders())
        rig.exchange.set_price(rig.symbol, "1500")  # nobody here has seen it
        if guarded and held and not (self.taken_off or waits_here):
            assert self.held() < held
        for _ in range(6):
            self.look()
            rig.settle(step_ms=1_000)
        if guarded:
            assert self.guarding() == []
        assert self.resting() == []
        assert not [one for one in self.account.orders if one.status in OPEN]


@pytest.mark.parametrize("place", PLACES, ids="-".join)
@times(0.5)
@given(steps=SCENES)
def test_whatever_happens_the_exchange_holds_a_stop_for_what_there_is(
    place: tuple[str, Market, PositionMode], steps: list[Step]
) -> None:
    with venue_rig(*place) as rig:
        chaos = Chaos(rig)
        for step in steps:
            chaos.happen(step)

        chaos.calm_down()
        chaos.assert_held_by_the_exchange()
        chaos.assert_sold_once()

        chaos.end()
        chaos.assert_sold_once()
        ended = [one for one in rig.whole.newest(None) if isinstance(one, Signal)]
        assert not [one for one in ended if one.status is RequestStatus.EXECUTING]
