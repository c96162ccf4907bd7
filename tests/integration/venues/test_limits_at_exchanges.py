"""Limits at exchanges: each denies an entry before anything is sent, and never an exit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action, NetAction, NetCommand, PlaceOrder
from app.domain.enums import Dialect, Market, OrderType, PositionMode, ReasonCode, Side
from app.domain.identifiers import AggregateId
from app.domain.limits import LIMIT_NAMES
from app.domain.order import Order
from app.domain.request.request import RequestStatus
from app.domain.request.reversal import Reversal
from app.domain.request.signal import Signal
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.services.intake.orders import accept_order
from app.services.intake.requests import accept_reversal
from app.services.limits import begin_results
from app.services.placing.place import UNCHECKED_MAX_MS, place_order
from tests.support.builders import ORIGIN, a_command, fixed
from tests.support.exchanges.faults import Call, Fault
from tests.support.venue_rig import VenueRig, venue_rig

pytestmark = pytest.mark.integration

PLACES = [
    ("binance", Market.SPOT, PositionMode.HEDGE),
    ("binance", Market.USDM, PositionMode.HEDGE),
    ("binance", Market.USDM, PositionMode.ONEWAY),
    ("bybit", Market.USDM, PositionMode.HEDGE),
]

#: After it every exchange shows what was filled.
SHOWN_MS = 3_000


@pytest.fixture(params=PLACES, ids="-".join)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


@pytest.fixture(params=[PLACES[1], PLACES[2]], ids="-".join)
def futures(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def is_spot(rig: VenueRig) -> bool:
    return rig.account.market is Market.SPOT


def price(rig: VenueRig) -> Decimal:
    return Decimal(50_000 if is_spot(rig) else 2_000)


def value(rig: VenueRig, quantity: str = "0.04") -> Decimal:
    return Decimal(quantity) * price(rig)


def limit(rig: VenueRig, **texts: object) -> None:
    account = rig.registry.account(rig.account.id)
    limits = {name: str(text) for name, text in texts.items()}
    account = rig.registry.put_account(replace(account, limits=limits))
    begin_results(account, rig.ports)


def enter(rig: VenueRig, quantity: str = "0.04", at: Decimal | None = None) -> Signal:
    action = Action.BUY if is_spot(rig) else Action.OPEN_LONG
    rig.clock.advance(SHOWN_MS)
    return rig.run(a_command(action, size=fixed(quantity), limit_price=at))


def leave(rig: VenueRig, quantity: str = "0.02") -> Signal:
    action = Action.SELL if is_spot(rig) else Action.CLOSE_LONG
    rig.clock.advance(SHOWN_MS)
    return rig.run(a_command(action, size=fixed(quantity)))


def far(rig: VenueRig) -> Decimal:
    return price(rig) * Decimal("0.8")


def _with_a_resting_order(rig: VenueRig) -> None:
    limit(rig, max_open_orders=1)
    assert enter(rig, at=far(rig)).status is RequestStatus.EXECUTING


def _after_an_entry(**texts: object) -> Callable[[VenueRig], None]:
    def prepare(rig: VenueRig) -> None:
        limit(rig, **texts)
        assert enter(rig, "0.02").status is RequestStatus.DONE

    return prepare


def _after_a_loss(rig: VenueRig) -> None:
    limit(rig, max_daily_loss=value(rig, "0.001"))
    assert enter(rig).status is RequestStatus.DONE
    rig.exchange.set_price(rig.symbol, f"{price(rig) * Decimal('0.95')}")
    assert leave(rig, "0.04").status is RequestStatus.DONE


#: Limit → what comes before the entry that it denies.
DENYING: Mapping[str, Callable[[VenueRig], None]] = {
    "max_order_value": lambda rig: limit(rig, max_order_value=value(rig) - 1),
    "max_position_value": lambda rig: limit(rig, max_position_value=value(rig, "0.06")),
    "max_open_orders": _with_a_resting_order,
    "max_orders_per_minute": _after_an_entry(max_orders_per_minute=1),
    "max_daily_loss": _after_a_loss,
    "allowed_symbols": lambda rig: limit(rig, allowed_symbols="DOGE/USDT"),
    "cooldown_seconds": _after_an_entry(cooldown_seconds=60),
    "price_collar_percent": lambda rig: limit(rig, price_collar_percent=10),
    "trading_hours": lambda rig: limit(rig, trading_hours="mon 00:00-24:00 UTC"),
}


def test_every_limit_is_tried() -> None:
    assert set(DENYING) == set(LIMIT_NAMES)


@pytest.mark.parametrize("name", DENYING)
def test_a_limit_denies_an_entry_and_no_exit(rig: VenueRig, name: str) -> None:
    assert enter(rig).status is RequestStatus.DONE
    DENYING[name](rig)
    sent = rig.received()

    denied = enter(rig, at=far(rig) if name == "price_collar_percent" else None)

    assert denied.status is RequestStatus.DENIED
    assert denied.reason is not None
    assert denied.reason.code == name
    assert rig.received() == sent
    assert leave(rig).status is RequestStatus.DONE


def test_a_position_is_what_the_exchange_has_with_what_is_under_way(rig: VenueRig) -> None:
    limit(rig, max_position_value=value(rig, "0.1"))

    assert enter(rig, "0.04").status is RequestStatus.DONE
    assert enter(rig, "0.03", at=price(rig) * Decimal("0.99")).status is RequestStatus.EXECUTING
    denied = enter(rig, "0.04")

    assert denied.reason is not None
    assert denied.reason.code is ReasonCode.MAX_POSITION_VALUE
    assert enter(rig, "0.02").status is RequestStatus.DONE


def test_what_nobody_knows_counts_and_is_looked_up_without_being_counted_twice(
    rig: VenueRig,
) -> None:
    limit(rig, max_open_orders=1, max_orders_per_minute=1)
    rig.wire.plan.plan(Call.PLACE, Fault.TIMEOUT)

    enter(rig)
    (order,) = rig.orders()
    assert order.status is OrderStatus.UNKNOWN
    assert rig.resolved(order).status is OrderStatus.FILLED
    assert len(rig.received()) == 1


def test_both_legs_of_a_hedge_are_limited_apart() -> None:
    with venue_rig(*PLACES[1]) as rig:
        limit(rig, max_position_value=value(rig, "0.1"))
        assert enter(rig, "0.1").status is RequestStatus.DONE

        rig.clock.advance(SHOWN_MS)
        short = rig.run(a_command(Action.OPEN_SHORT, size=fixed("0.1")))
        more = enter(rig, "0.01")

        assert short.status is RequestStatus.DONE
        assert more.reason is not None
        assert more.reason.code is ReasonCode.MAX_POSITION_VALUE


def reverse(rig: VenueRig, action: NetAction, quantity: str) -> AggregateId:
    sender = Sender(
        dialect=Dialect.APISIFY,
        origin=ORIGIN,
        account=rig.registry.account(rig.account.id),
        received_at_ms=rig.clock.now_ms(),
    )
    command = NetCommand(action=action, quantity=Decimal(quantity))
    accepted = accept_reversal(command, rig.symbol, sender, rig.ports)
    rig.drain()
    return accepted.id


def test_a_reversal_closes_and_opens_nothing_beyond_a_limit(futures: VenueRig) -> None:
    assert enter(futures, "0.1").status is RequestStatus.DONE
    limit(futures, max_order_value=value(futures, "0.05"))
    futures.clock.advance(SHOWN_MS)

    turned = reverse(futures, NetAction.REVERSE_SELL, "0.1")
    futures.settle()

    found = futures.load(turned)
    assert isinstance(found, Reversal)
    assert found.status is RequestStatus.PARTIAL
    assert found.reason is not None
    assert found.reason.code is ReasonCode.MAX_ORDER_VALUE
    view = futures.ports.venues.of(futures.account).view()
    assert [one for one in view.positions.values() if one.size] == []


def sell(rig: VenueRig, quantity: str) -> Order:
    """Send a plain order as its caller does who tells no leg, and no intention."""
    sender = Sender(
        dialect=Dialect.HUMMINGBOT,
        origin=ORIGIN,
        account=rig.registry.account(rig.account.id),
        received_at_ms=rig.clock.now_ms(),
    )
    command = PlaceOrder(
        symbol=rig.symbol, side=Side.SELL, type=OrderType.MARKET, quantity=Decimal(quantity)
    )
    accepted = accept_order(command, sender, rig.ports)
    rig.drain()
    found = rig.load(accepted.id)
    assert isinstance(found, Order)
    return found


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_plain_orders_of_a_one_way_account_close_and_open_nothing(exchange: str) -> None:
    with venue_rig(exchange, Market.USDM, PositionMode.ONEWAY) as rig:
        assert enter(rig, "0.1").status is RequestStatus.DONE
        limit(rig, allowed_symbols="DOGE/USDT")
        rig.clock.advance(SHOWN_MS)

        first = sell(rig, "0.06")
        more = sell(rig, "0.06")
        unsure = sell(rig, "0.03")  # 0.04 are shown, from which the first may be missing
        rig.clock.advance(SHOWN_MS)
        place_order(unsure.id, rig.ports)
        rest = sell(rig, "0.01")

        assert (first.status, first.reduce_only) == (OrderStatus.FILLED, True)
        assert more.reason is not None
        assert more.reason.code is ReasonCode.ALLOWED_SYMBOLS
        assert unsure.status is OrderStatus.PENDING_NEW
        assert rig.order(unsure.id).status is OrderStatus.FILLED
        assert rest.status is OrderStatus.PENDING_NEW
        rig.clock.advance(UNCHECKED_MAX_MS)
        place_order(rest.id, rig.ports)
        view = rig.ports.venues.of(rig.account).view()
        assert [one for one in view.positions.values() if one.size] == []
