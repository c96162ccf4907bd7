"""Kill switches: what they reach, and that they reach it once."""

from dataclasses import replace
from typing import Any

from app.domain.enums import Dialect
from app.domain.identifiers import EpochMs
from app.domain.kill_switch import KillSwitch
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.services.admin.kill_switches import fire_kill_switches
from tests.support.builders import NOW, SPOT_ID, a_smart_order, an_id, an_order_in
from tests.support.rig import Rig, deaths

ORIGIN = "poloniex:1"
SWITCH = KillSwitch(
    account=SPOT_ID, origin=ORIGIN, set_at_ms=NOW, cancel_at_ms=EpochMs(NOW + 60_000)
)
OURS: dict[str, Any] = {"dialect": Dialect.POLONIEX, "origin": ORIGIN, "parent_id": None}


def armed() -> Rig:
    """Return a rig with a resting order, a waiting stop, others' order, and a kill switch."""
    rig = Rig()
    rig.put(replace(an_order_in(OrderStatus.PENDING_NEW, id=an_id(1)), **OURS))
    rig.put(replace(a_smart_order(id=an_id(2)), account=SPOT_ID, **OURS))
    rig.put(replace(an_order_in(OrderStatus.PENDING_NEW, id=an_id(3)), origin="another"))
    rig.ports.kill_switches.put(SWITCH)
    return rig


def stand(rig: Rig) -> tuple[OrderStatus, SmartOrderStatus, OrderStatus]:
    first, third = rig.orders()
    stop = rig.smart_order()
    return first.status, stop.status, third.status


WAITING = (OrderStatus.PENDING_NEW, SmartOrderStatus.PENDING_NEW, OrderStatus.PENDING_NEW)
KILLED = (OrderStatus.CANCELED, SmartOrderStatus.CANCELED, OrderStatus.PENDING_NEW)


def test_before_its_time_nothing_happens() -> None:
    rig = armed()

    fire_kill_switches(rig.ports)

    assert stand(rig) == WAITING
    assert rig.ports.kill_switches.of(SPOT_ID) == SWITCH


def test_then_all_that_came_in_through_it_is_canceled() -> None:
    rig = armed()
    rig.clock.advance(60_000)

    fire_kill_switches(rig.ports)

    assert stand(rig) == KILLED
    assert rig.ports.kill_switches.of(SPOT_ID) is None


def test_what_comes_later_is_spared() -> None:
    rig = armed()
    rig.clock.advance(70_000)
    later = EpochMs(NOW + 60_001)
    rig.put(replace(an_order_in(OrderStatus.PENDING_NEW, id=an_id(4)), created_at_ms=later, **OURS))

    fire_kill_switches(rig.ports)

    assert [one.status for one in rig.orders()][-1] is OrderStatus.PENDING_NEW


def test_one_that_is_set_anew_is_not_forgotten() -> None:
    rig = armed()
    again = replace(SWITCH, cancel_at_ms=EpochMs(NOW + 120_000))
    rig.ports.kill_switches.put(again)

    rig.ports.kill_switches.done(SWITCH)

    assert rig.ports.kill_switches.of(SPOT_ID) == again


def test_it_may_be_switched_off() -> None:
    rig = armed()
    rig.ports.kill_switches.remove(SPOT_ID)
    rig.ports.kill_switches.remove(SPOT_ID)
    rig.clock.advance(60_000)

    fire_kill_switches(rig.ports)

    assert stand(rig) == WAITING


def test_stopped_halfway_it_goes_on() -> None:
    def fire(rig: Rig) -> None:
        fire_kill_switches(rig.ports)

    def late() -> Rig:
        rig = armed()
        rig.clock.advance(60_000)
        return rig

    for rig in deaths(late, fire):
        fire_kill_switches(rig.ports)
        assert stand(rig) == KILLED
        assert rig.ports.kill_switches.of(SPOT_ID) is None
