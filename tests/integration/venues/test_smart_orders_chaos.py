"""Random prices, people, faults and deaths: what rests at Poloniex sells once, and all is told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import PlaceSmartOrder, SmartOrderRules
from app.domain.enums import Dialect, Market, PriceSource, ReasonCode, Side, SmartOrderType
from app.domain.errors import HookfillError
from app.domain.reason import Reason
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.services.intake.replace import replace_smart_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.placing.cancel import cancel_smart_order
from tests.support.builders import BTC
from tests.support.exchanges.books import OPEN, Why
from tests.support.lives import Life, Step, mishaps, scenes
from tests.support.searching import times
from tests.support.venue_rig import VenueRig, venue_rig

S = SmartOrderStatus
COINS = Decimal("0.2")
RULES = SmartOrderRules(rest_by=frozenset({PriceSource.LAST}))
ASKED = Reason(ReasonCode.REQUESTED, "canceled by request")
LEVELS = st.sampled_from(["47500", "46000", "49900"])
KINDS = st.sampled_from([SmartOrderType.STOP, SmartOrderType.STOP, SmartOrderType.STOP_LIMIT])
WHICH = st.integers(0, 5)

CREATED = st.tuples(st.just("create"), LEVELS, st.sampled_from(["0.05", "0.1"]), KINDS)
STEPS: st.SearchStrategy[Step] = st.one_of(
    CREATED,
    st.tuples(st.just("cancel"), WHICH),
    st.tuples(st.just("replace"), WHICH, LEVELS, KINDS),
    st.tuples(st.just("price"), st.sampled_from(["52000", "50000", "49000", "47000", "45000"])),
    st.tuples(st.just("coins"), st.sampled_from(["0", "0.05", "0.2"])),
    st.tuples(st.just("taken off")),
    st.tuples(st.just("refuse"), st.sampled_from([Why.STOPS, Why.TICK, Why.FUNDS])),
    *mishaps(),
)
#: Without a smart order hardly anything happens.
SCENES = scenes(CREATED, STEPS, STEPS, STEPS, STEPS)


class Chaos(Life):
    """What happens to smart orders and the coins that they are to sell."""

    def __init__(self, rig: VenueRig) -> None:
        super().__init__(rig)
        self.account.total["BTC"] = COINS
        rig.clients.of(rig.account).instrument(BTC)

    def happen(self, step: Step) -> None:
        """Let somebody want something, or something happen."""
        rig = self.rig
        match step:
            case "create", str(level), str(size), SmartOrderType() as kind:
                accept_smart_order(a_stop(level, size, kind), RULES, self.sender(), rig.ports)
            case "cancel", int(number):
                for one in self.chosen(number):
                    cancel_smart_order(one.id, ASKED, rig.ports)
            case "replace", int(number), str(level), SmartOrderType() as kind:
                for one in self.chosen(number):
                    command = a_stop(level, f"{one.quantity}", kind)
                    with suppress(HookfillError):
                        replace_smart_order(one.id, command, RULES, self.sender(), rig.ports)
            case _:
                self.befall(step)

    def befall(self, step: Step) -> None:
        """Let something happen at the exchange, or to us."""
        rig = self.rig
        match step:
            case "price", str(price):
                rig.exchange.set_price(BTC, price)
            case "coins", str(total):
                self.account.total["BTC"] = Decimal(total) + rig.exchange.held(self.account, "BTC")
            case ("taken off",):
                for stop in self.resting()[:1]:
                    rig.exchange.stops.cancel(self.account, stop)
            case "refuse", Why() as why:
                rig.exchange.says_no.append(why)
            case _:
                self.go_wrong(step)

    def chosen(self, number: int) -> list[SmartOrder]:
        there = self.rig.smart_orders()
        return there[number % len(there) :][:1] if there else []

    def sender(self) -> Sender:
        return Sender(
            dialect=Dialect.POLONIEX,
            origin="poloniex:1",
            account=self.rig.account,
            received_at_ms=self.rig.clock.now_ms(),
        )

    def calm_down(self, price: str) -> None:
        """Let the faults end, and let everything settle at this price."""
        rig = self.rig
        rig.undisturbed()
        rig.wire.calm()
        self.account.total["BTC"] = COINS * 10
        rig.exchange.set_price(BTC, price)
        assert self.settles(), "it does not settle"

    def assert_told(self) -> None:
        """The exchange holds what is said to rest, and has sold what is said to be sold, once."""
        assert self.rig.exchange.repeats == []
        orders = {one.id: one for one in self.rig.orders()}
        smart = self.rig.smart_orders()
        resting = {one.ticket.client_id for one in self.resting()}
        assert resting == {orders[one.order_id].client_order_id for one in smart if one.rests}  # type: ignore[index]
        told = {one.ticket.client_id: one.filled for one in self.account.orders}
        for order in orders.values():
            assert order.filled_quantity == told.get(order.client_order_id, Decimal(0))
        for one in smart:
            own = [order for order in orders.values() if order.parent_id == one.id]
            sold = [order for order in own if order.filled_quantity]
            assert len(sold) <= 1
            assert one.filled_quantity == sum(order.filled_quantity for order in sold)
            assert not sold or one.status is S.TRIGGERED
            successor = next((new for new in smart if new.id == one.replaced_by), None)
            assert not (sold and successor and successor.filled_quantity)


def a_stop(level: str, size: str, kind: SmartOrderType) -> PlaceSmartOrder:
    stop = PlaceSmartOrder(
        symbol=BTC, side=Side.SELL, type=kind, quantity=Decimal(size), stop=Decimal(level)
    )
    is_limit = kind is SmartOrderType.STOP_LIMIT
    return replace(stop, price=Decimal(30_000) if is_limit else None)


@times(0.2)
@given(steps=SCENES)
def test_whatever_happens_all_is_told_and_sold_once(steps: list[Step]) -> None:
    with venue_rig("poloniex", Market.SPOT) as rig:
        chaos = Chaos(rig)
        for step in steps:
            chaos.happen(step)

        chaos.calm_down("60000")
        chaos.assert_told()

        chaos.calm_down("40000")  # through everything
        chaos.assert_told()
        assert chaos.resting() == []
        assert not [one for one in rig.smart_orders() if one.is_live]
        assert not [one for one in chaos.account.orders if one.status in OPEN]
