"""Exits at simulated exchanges: they go on until the position is flat, and refuse to be stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.commands import Action, PlaceOrder, PositionAction
from app.domain.enums import (
    Dialect,
    Market,
    OrderType,
    PositionMode,
    ReasonCode,
    Side,
)
from app.domain.errors import VenueUnavailable
from app.domain.order import Order
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.exchanges.known_markets import LOOK_SECONDS, KnownMarkets
from app.services.intake.orders import accept_order
from tests.support.builders import BTC, ETH, ORIGIN, a_command, fixed, must, percent
from tests.support.exchanges.books import INVERSE, LINEAR, Why
from tests.support.exchanges.books import SPOT as SPOT_KIND
from tests.support.exchanges.faults import Call
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

FLAT = Decimal(0)
HEDGE, ONEWAY = PositionMode.HEDGE, PositionMode.ONEWAY
FUTURES = [
    ("binance", Market.USDM, HEDGE),
    ("binance", Market.USDM, ONEWAY),
    ("bybit", Market.USDM, HEDGE),
    ("binance", Market.COINM, HEDGE),
    ("binance", Market.COINM, ONEWAY),
    ("bybit", Market.COINM, ONEWAY),
]
SPOTS = [(name, Market.SPOT, HEDGE) for name in ("binance", "bybit", "poloniex")]


KINDS = {Market.SPOT: SPOT_KIND, Market.USDM: LINEAR, Market.COINM: INVERSE}


def label(one: tuple[str, Market, PositionMode]) -> str:
    return "-".join(one)


@pytest.fixture(params=[*FUTURES, *SPOTS], ids=label)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


@pytest.fixture(params=FUTURES, ids=label)
def futures(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(*request.param) as running:
        yield running


def is_spot(rig: VenueRig) -> bool:
    return rig.account.market is Market.SPOT


def open_guarded(rig: VenueRig, size: str = "0.2", **more: object) -> Signal:
    """Open a position of 0.1 BTC or 0.4 ETH or so, with a stop 5 % below."""
    action, low = (Action.BUY, "47500") if is_spot(rig) else (Action.OPEN_LONG, "1900")
    signal = rig.run(
        a_command(action, size=fixed(f"{rig.size(size)}"), stop_loss=Decimal(low), **more)
    )
    rig.poll()
    return signal


def fall(rig: VenueRig) -> None:
    """Let the price fall below the stop, and let time pass."""
    rig.exchange.set_price(rig.symbol, "47400" if is_spot(rig) else "1890")
    rig.poll()
    rig.settle(step_ms=500)


def close(rig: VenueRig, share: str = "100") -> Signal:
    action = Action.SELL if is_spot(rig) else Action.CLOSE_LONG
    signal = rig.run(a_command(action, size=percent(share)))
    rig.settle(step_ms=500)
    return rig.signal(signal.id)


def held(rig: VenueRig) -> Decimal:
    """Return what there is, as the exchange has it; less than a lot is nothing."""
    account = rig.exchange.accounts[KEY]
    if is_spot(rig):
        have = account.total.get("BTC", Decimal(0))
        step = rig.exchange.markets[BTC, SPOT_KIND].quantity_step
        return have // step * step
    return sum((abs(one.quantity) for one in account.positions.values()), Decimal(0))


def sold(rig: VenueRig) -> list[Decimal]:
    """Return the quantities of the sales that the exchange has taken in."""
    orders = rig.exchange.accounts[KEY].orders
    return [one.ticket.quantity for one in orders if one.ticket.side == "SELL"]


def new_rules(rig: VenueRig, **rules: str) -> None:
    """Let the exchange change the rules of quantities, and tell nobody."""
    key = rig.symbol, KINDS[rig.account.market]
    changed = {name: rig.size(text) for name, text in rules.items()}
    rig.exchange.markets[key] = replace(rig.exchange.markets[key], **changed)  # type: ignore[arg-type]
    rig.clock.advance(11_000)  # those that are known are not young any more


def rules_asked(rig: VenueRig) -> int:
    words = ("exchangeInfo", "instruments-info", "/markets")
    return sum(1 for _, path in rig.gateway.log if path.endswith(words))


def test_a_stop_closes_what_a_close_has_left(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    assert close(rig, "50").status is RequestStatus.DONE
    half = held(rig)

    fall(rig)

    assert sold(rig)[-1] == half
    assert (held(rig), len(rig.exchange.refused)) == (FLAT, 0)
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_thin_book_is_sold_into_in_parts(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.exchange.depth.extend(rig.size(one) for one in ("0.05", "0", "0.02"))

    fall(rig)

    assert held(rig) == 0
    assert len(sold(rig)) == 4
    assert rig.exchange.refused == []
    (smart,) = (one for one in rig.smart_orders() if one.filled_quantity)
    trades = [one for order in rig.orders() for one in order.fills if order.side is Side.SELL]
    assert sum(one.quantity for one in trades) == smart.filled_quantity
    assert smart.average_price == Decimal(47_400 if is_spot(rig) else 1_890)
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_close_into_a_thin_book_counts_all_its_parts(rig: VenueRig) -> None:
    open_guarded(rig)
    whole = held(rig)
    rig.exchange.depth.extend([rig.size("0.05"), rig.size("0.02")])

    done = close(rig)

    assert (held(rig), done.status) == (FLAT, RequestStatus.DONE)
    assert done.filled_quantity == whole
    parts = [one.ticket.quantity for one in rig.exchange.accounts[KEY].orders[1:]]
    assert parts == [whole, whole - rig.size("0.05"), whole - rig.size("0.07")]


def test_a_lot_that_was_made_larger_holds_no_stop_up(rig: VenueRig) -> None:
    signal = open_guarded(rig, "0.115")
    asked = rules_asked(rig)
    new_rules(rig, quantity_step="0.01", min_quantity="0.01")

    fall(rig)

    assert sold(rig) == [rig.size("0.11")]
    assert held(rig) < rig.size("0.01")
    assert len(rig.exchange.refused) == 1
    assert rules_asked(rig) - asked == asked
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_after_an_entry_that_old_rules_made_the_next_one_is_right(rig: VenueRig) -> None:
    action, quantity = Action.BUY if is_spot(rig) else Action.OPEN_LONG, rig.size("0.035")
    enter = a_command(action, size=fixed(f"{quantity}"))
    rig.run(enter)
    new_rules(rig, quantity_step="0.01", min_quantity="0.01")
    if rig.account.venue == "poloniex":
        pytest.skip("a market buy names what it costs there, which has no lot")

    first, second = rig.run(enter), rig.run(enter)

    refused, taken = rig.orders()[-2:]
    assert (refused.status, must(refused.reason).code) == (
        OrderStatus.REJECTED,
        ReasonCode.AGAINST_RULES,
    )
    assert (taken.status, taken.quantity) == (OrderStatus.FILLED, rig.size("0.03"))
    assert rig.states(first.id, second.id) == [RequestStatus.REJECTED, RequestStatus.DONE]


def test_however_many_are_refused_the_rules_are_asked_for_once(futures: VenueRig) -> None:
    open_guarded(futures, "0.115")
    asked = rules_asked(futures)
    futures.exchange.says_no.extend([Why.LOT] * 4)
    futures.clock.advance(11_000)

    fall(futures)

    assert len(futures.exchange.refused) == 4
    assert rules_asked(futures) - asked == asked
    assert held(futures) == 0


def test_above_the_greatest_market_order_it_is_several(rig: VenueRig) -> None:
    limit = Decimal(50_000 if is_spot(rig) else 2_000)
    signal = open_guarded(rig, limit_price=limit)
    new_rules(rig, max_market_quantity="0.08")
    rig.clients.exchange(rig.account).reload_markets()

    fall(rig)

    assert sold(rig)[0] == rig.size("0.08")
    assert len(sold(rig)) == 3
    assert (held(rig), len(rig.exchange.refused)) == (FLAT, 0)
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_greatest_order_that_nobody_knew_of_is_learned(rig: VenueRig) -> None:
    open_guarded(rig)
    new_rules(rig, max_market_quantity="0.08")

    done = close(rig)

    assert (held(rig), done.status) == (FLAT, RequestStatus.DONE)
    assert rig.exchange.refused == [Why.SIZE]


def test_a_limit_entry_may_be_larger_than_the_greatest_market_order(futures: VenueRig) -> None:
    holder, quantity = futures.exchange.accounts[KEY], futures.size("150")
    holder.margin = holder.coins["ETH"] = Decimal(100_000)
    futures.run(a_command(Action.OPEN_LONG, size=fixed(f"{quantity}"), limit_price=Decimal(2_001)))

    done = close(futures)

    assert sold(futures) == [futures.size("120"), futures.size("30")]
    assert (held(futures), done.status) == (FLAT, RequestStatus.DONE)
    assert futures.exchange.refused == []


@pytest.mark.parametrize("why", [Why.FUNDS, Why.REDUCE_ONLY, Why.NOTIONAL])
def test_refusals_for_a_while_are_outlasted(rig: VenueRig, why: Why) -> None:
    if is_spot(rig) and why is Why.REDUCE_ONLY:
        pytest.skip("spot has no positions")
    signal = open_guarded(rig)
    rig.exchange.says_no.extend([why] * 3)

    fall(rig)

    expected = {
        Why.FUNDS: ReasonCode.INSUFFICIENT_FUNDS,
        Why.REDUCE_ONLY: ReasonCode.WOULD_NOT_REDUCE,
        Why.NOTIONAL: ReasonCode.AGAINST_RULES,
    }
    told = [one.reason.code for one in rig.orders() if one.reason is not None]
    assert told[:3] == [expected[why]] * 3
    assert set(told[3:]) <= {ReasonCode.NO_POSITION}  # what a fee has taken is not there
    assert held(rig) == 0
    assert rig.signal(signal.id).status is RequestStatus.DONE


def test_a_stop_whose_key_is_refused_goes_out_when_it_is_tried_again(rig: VenueRig) -> None:
    signal = open_guarded(rig)
    rig.exchange.says_no.append(Why.KEY)
    sent = rig.gateway.counted(Call.PLACE)

    fall(rig)
    is_held = held(rig) > 0
    for _ in range(4):
        rig.clock.advance(30_000)
        rig.settle(step_ms=1_000)

    told = {one.reason.code for one in rig.orders() if one.reason is not None}
    assert told - {ReasonCode.NO_POSITION} == {ReasonCode.CREDENTIALS_REFUSED}
    assert is_held
    assert held(rig) == 0
    assert rig.signal(signal.id).status is RequestStatus.DONE
    assert rig.gateway.counted(Call.PLACE) - sent <= 3  # in legs of its own, two guards


def test_a_venue_that_refuses_the_key_tells_so(rig: VenueRig) -> None:
    rig.exchange.accounts["other"] = rig.exchange.accounts.pop(KEY)

    with pytest.raises(VenueUnavailable) as refused:
        rig.clients.of(rig.account).view()

    assert refused.value.code is ReasonCode.CREDENTIALS_REFUSED


def test_a_close_for_more_than_there_is_is_made_as_small(futures: VenueRig) -> None:
    there = futures.size("0.2")
    futures.run(a_command(Action.OPEN_LONG, size=fixed(f"{there}")))

    order = close_by_order(futures, "0.5")

    assert (order.status, order.quantity) == (OrderStatus.FILLED, there)
    assert (sold(futures), held(futures)) == ([there], FLAT)
    assert futures.exchange.refused == []


def close_by_order(rig: VenueRig, quantity: str) -> Order:
    """Take in an order as Hummingbot sends it, and return it as it ends."""
    command = PlaceOrder(
        symbol=rig.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=rig.size(quantity),
        action=PositionAction.CLOSE,
    )
    sender = Sender(
        dialect=Dialect.HUMMINGBOT,
        origin=ORIGIN,
        account=rig.account,
        received_at_ms=rig.clock.now_ms(),
    )
    accepted = accept_order(command, sender, rig.ports)
    rig.settle(step_ms=500)
    return rig.order(accepted.id)


def test_two_workers_learn_of_new_rules_by_one_question(futures: VenueRig) -> None:
    open_guarded(futures, "0.115")
    other = type(futures.clients)(futures.clients._ports)  # noqa: SLF001 - of another process
    known = must(other.of(futures.account).instrument(futures.symbol))
    asked = rules_asked(futures)
    new_rules(futures, quantity_step="0.01", min_quantity="0.01")

    fall(futures)
    after = rules_asked(futures)
    learned = must(other.of(futures.account).instrument(futures.symbol))
    other.close()

    steps = futures.size("0.001"), futures.size("0.01")
    assert (known.quantity_step, learned.quantity_step) == steps
    assert after - asked == asked
    assert rules_asked(futures) == after
    assert futures.gateway.counted(Call.PLACE) == 3


def test_a_doubt_of_older_rules_leaves_that_of_newer_ones(futures: VenueRig) -> None:
    behind = type(futures.clients)(futures.clients._ports)  # noqa: SLF001 - of another process
    must(behind.of(futures.account).instrument(futures.symbol))
    futures.clients.exchange(futures.account).reload_markets()
    new_rules(futures, quantity_step="0.01", min_quantity="0.01")
    futures.clients.of(futures.account).doubt_rules()

    behind.of(futures.account).doubt_rules()
    learned = must(behind.of(futures.account).instrument(futures.symbol))
    behind.close()

    assert learned.quantity_step == futures.size("0.01")


def test_a_web_process_learns_of_new_rules_within_moments() -> None:
    with venue_rig("binance", Market.USDM) as rig:
        web, hosts = KnownMarkets(rig.clients._ports.memory), rig.account.hosts  # noqa: SLF001
        rig.clients.exchange(rig.account).reload_markets()
        before = must(web.instrument(hosts, Market.USDM, ETH))
        new_rules(rig, quantity_step="0.01", min_quantity="0.01")
        rig.clients.exchange(rig.account).reload_markets()
        time.sleep(LOOK_SECONDS)

        after = must(web.instrument(hosts, Market.USDM, ETH))

    assert (before.quantity_step, after.quantity_step) == (Decimal("0.001"), Decimal("0.01"))
