"""Stops of smart trades that rest at Binance's spot market: their coins are locked there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.enums import AccountState, Dialect, Market
from app.domain.exits import ExitRules
from app.domain.identifiers import AggregateId
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_trade.enums import StepKind, TradeStatus, TradeType
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.services.following.follow import poll_stops
from app.services.intake.trades import open_trade
from app.services.keeping.sweep import sweep
from app.services.smart_trades.acting import (
    add_funds,
    cancel_trade,
    find_trade,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from app.services.watching.watch import watch_prices
from tests.support.builders import BTC, must
from tests.support.exchanges.books import Order as Listed
from tests.support.exchanges.books import Ticket, Why
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.stops import waiting
from tests.support.trade_rig import a_trade, entry, steps, stop
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

BOTH = ExitRules(beyond_percent=Decimal(3))
FIRST = replace(BOTH, venue_first=True)
BOUGHT = Decimal("0.0999")  # of 0.1, less a fee in the coin


@pytest.fixture(params=["binance", "poloniex"])
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.SPOT) as running:
        yield running


def open_guarded(rig: VenueRig, rules: ExitRules = BOTH, source: str = "bid") -> AggregateId:
    """Buy 0.1 at 50,000 with a stop at 45,000, so that the exchange holds one at 43,650."""
    exits = {**steps(("50", "55000"), ("50", "60000")), **stop("45000", source=source)}
    command = replace(a_trade(TradeType.CLASSIC, "0.1", entry=entry(), **exits), symbol=BTC)
    sender = Sender(
        dialect=Dialect.THREE_COMMAS,
        origin="three_commas:1",
        account=rig.account,
        received_at_ms=rig.clock.now_ms(),
        exits=rules,
    )
    trade_id = open_trade(command, sender, rig.ports).id
    rig.drain()
    rig.poll()
    return trade_id


def trade_of(rig: VenueRig, trade_id: AggregateId) -> SmartTrade:
    return find_trade(trade_id, rig.ports)


def resting(rig: VenueRig) -> list[Listed]:
    return waiting(rig.exchange.accounts[KEY])


def sizes(rig: VenueRig) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and level of what waits at the exchange."""
    return [(one.ticket.quantity, must(one.ticket.stop).level) for one in resting(rig)]


def held(rig: VenueRig) -> Decimal:
    return rig.exchange.accounts[KEY].total.get("BTC", Decimal(0))


def sales(rig: VenueRig) -> list[Decimal]:
    found = [one for one in rig.exchange.accounts[KEY].orders if one.ticket.side == "SELL"]
    return [one.filled for one in found if one.filled]


def stop_orders(rig: VenueRig) -> list[Order]:
    return [one for one in rig.orders() if one.condition is not None]


def goes_to(rig: VenueRig, price: str) -> None:
    """Let the price go there, and let time pass."""
    rig.exchange.set_price(BTC, price)
    pass_time(rig)


def pass_time(rig: VenueRig) -> None:
    for _ in range(4):
        rig.clock.advance(3_000)
        rig.poll()
        rig.settle(rounds=20, step_ms=500)


def is_over(rig: VenueRig, trade_id: AggregateId, status: TradeStatus) -> bool:
    """Tell whether all is sold, once, and nothing is left."""
    live = [one for one in rig.orders() if one.is_live]
    ended = trade_of(rig, trade_id).status is status
    refused = [one for one in rig.exchange.refused if one is Why.FUNDS]
    return ended and not (held(rig) or resting(rig) or live or rig.exchange.repeats or refused)


def test_it_rests_for_what_was_bought(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    assert sizes(rig) == [(BOUGHT, Decimal(43_650))]
    (order,) = stop_orders(rig)
    (listed,) = resting(rig)
    assert (order.status, order.client_order_id) == (OrderStatus.NEW, listed.ticket.client_id)
    is_locked = rig.exchange.stops.binds_coins
    assert rig.exchange.free(rig.exchange.accounts[KEY], "BTC") == (0 if is_locked else BOUGHT)
    trade = trade_of(rig, trade_id)
    assert (trade.status, trade.is_only_here) == (TradeStatus.BOUGHT, False)


def test_a_profit_goes_first_and_it_comes_back_for_the_rest(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    goes_to(rig, "55000")

    assert sales(rig) == [Decimal("0.04995")]
    assert sizes(rig) == [(Decimal("0.04995"), Decimal(43_650))]
    goes_to(rig, "60000")
    assert is_over(rig, trade_id, TradeStatus.TAKE_PROFIT_FINISHED)


def test_ours_fires_and_takes_it_off(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    goes_to(rig, "44900")

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert sales(rig) == [BOUGHT]
    assert "alert" not in rig.events(trade_id)


@pytest.mark.parametrize("is_seen_first", [False, True])
@pytest.mark.parametrize("price", ["43000", "56000"])
def test_it_fires_while_nobody_is_here(rig: VenueRig, price: str, *, is_seen_first: bool) -> None:
    trade_id = open_guarded(rig)
    placed = rig.gateway.counted(Call.PLACE)
    rig.publisher.waiting.clear()
    rig.exchange.set_price(BTC, "43600")  # every process of ours is dead
    flat = held(rig) == 0
    rig.exchange.set_price(BTC, price)
    rig.clock.advance(600_000)

    if is_seen_first:
        watch_prices(rig.account.feed, rig.ports)
        rig.drain()
    pass_time(rig)

    assert flat
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert rig.gateway.counted(Call.PLACE) == placed  # nothing more is sent
    (order,) = stop_orders(rig)
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, BOUGHT)
    assert must(order.average_price) == Decimal(43_600)
    assert sum(one.quantity for one in order.fills) == BOUGHT
    assert "triggered" in rig.events(trade_id)


@pytest.mark.parametrize("is_seen_first", [False, True])
def test_it_fires_in_part_and_the_rest_goes_at_the_market(
    rig: VenueRig, *, is_seen_first: bool
) -> None:
    trade_id = open_guarded(rig)
    rig.exchange.depth.append(Decimal("0.03"))
    rig.exchange.set_price(BTC, "43600")
    assert held(rig) == BOUGHT - Decimal("0.03")

    if is_seen_first:
        watch_prices(rig.account.feed, rig.ports)
        rig.drain()
    pass_time(rig)

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert sales(rig) == [Decimal("0.03"), BOUGHT - Decimal("0.03")]


def test_a_wick_that_found_an_empty_book_leaves_one_again(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    rig.exchange.depth.append(Decimal(0))
    rig.exchange.set_price(BTC, "43600")
    rig.exchange.set_price(BTC, "50000")
    assert sizes(rig) == []

    pass_time(rig)

    assert sizes(rig) == [(BOUGHT, Decimal(43_650))]
    assert trade_of(rig, trade_id).status is TradeStatus.BOUGHT
    assert trade_of(rig, trade_id).venue_stop.taken_off == 0


def test_that_of_the_exchange_goes_first_where_it_is_to(rig: VenueRig) -> None:
    trade_id = open_guarded(rig, FIRST, "last")
    assert sizes(rig) == [(BOUGHT, Decimal(45_000))]

    goes_to(rig, "44900")

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert len(stop_orders(rig)) == len(rig.orders()) - 1 == 1


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR, Fault.CUT])
@pytest.mark.parametrize("price", ["55000", "44900", "43000"])
def test_an_answer_to_it_is_lost(rig: VenueRig, fault: Fault, price: str) -> None:
    rig.wire.plan.plan(Call.PLACE, Fault.OK, fault)
    trade_id = open_guarded(rig)

    goes_to(rig, price)
    for _ in range(6):
        rig.clock.advance(20_000)
        pass_time(rig)

    if price == "55000":
        assert sizes(rig) == [(Decimal("0.04995"), Decimal(43_650))]
        goes_to(rig, "43000")
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


@pytest.mark.parametrize("fault", [Fault.ACCEPT_THEN_CUT, Fault.ACCEPT_THEN_ERROR, Fault.CUT])
@pytest.mark.parametrize("price", ["55000", "44900"])
def test_an_answer_to_its_cancel_is_lost(rig: VenueRig, fault: Fault, price: str) -> None:
    trade_id = open_guarded(rig)
    rig.wire.plan.plan(Call.CANCEL, fault, fault)

    goes_to(rig, price)
    pass_time(rig)

    if price == "55000":
        assert sizes(rig) == [(Decimal("0.04995"), Decimal(43_650))]
        goes_to(rig, "43000")
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


def test_it_fires_while_its_cancel_does_not_get_through(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    rig.wire.plan.plan(Call.CANCEL, *[Fault.CUT] * 3)
    rig.exchange.set_price(BTC, "55000")
    rig.poll()
    assert len(resting(rig)) == 1

    rig.exchange.set_price(BTC, "43000")
    pass_time(rig)

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert sales(rig) == [BOUGHT]


def test_who_takes_it_off_by_hand_is_answered_once(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    for alerts in (1, 2):
        (listed,) = resting(rig)
        rig.exchange.cancel(rig.exchange.accounts[KEY], listed)
        pass_time(rig)
        assert rig.events(trade_id).count("alert") == alerts

    assert resting(rig) == []
    assert trade_of(rig, trade_id).is_only_here
    assert list(rig.ports.live.only_here()) == [trade_id]
    goes_to(rig, "44900")
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert list(rig.ports.live.only_here()) == []


@pytest.mark.parametrize("why", [Why.STOPS, Why.HAS_FALLEN, Why.ELSEWHERE])
def test_one_that_is_refused_is_asked_for_again_and_ours_is_there(rig: VenueRig, why: Why) -> None:
    rig.exchange.says_no.extend([None, *[why] * 6])
    trade_id = open_guarded(rig)
    rig.settle(rounds=12, step_ms=1_000)

    refused = [one for one in stop_orders(rig) if one.status is OrderStatus.REJECTED]
    assert len(refused) == 6
    assert rig.events(trade_id).count("alert") == 1
    rig.clock.advance(60_000)
    pass_time(rig)
    assert sizes(rig) == [(BOUGHT, Decimal(43_650))]
    goes_to(rig, "44900")
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


def test_its_level_is_moved(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    update = TradeUpdate(
        take_profit_enabled=True, stop_loss_enabled=True, stop_loss_price=Decimal(40_000)
    )
    update_trade(trade_id, update, rig.ports)
    pass_time(rig)

    assert sizes(rig) == [(BOUGHT, Decimal(38_800))]
    goes_to(rig, "43000")
    assert trade_of(rig, trade_id).status is TradeStatus.BOUGHT
    goes_to(rig, "38000")
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


def test_added_funds_are_covered(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    add_funds(trade_id, Decimal("0.05"), None, rig.ports)
    pass_time(rig)

    assert sizes(rig) == [(BOUGHT + Decimal("0.04995"), Decimal(43_650))]
    rig.exchange.set_price(BTC, "43000")
    pass_time(rig)
    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


def test_a_panic_sells_all_once(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    panic_sell(trade_id, rig.ports)
    pass_time(rig)

    assert is_over(rig, trade_id, TradeStatus.PANIC_SELL_FINISHED)
    assert sales(rig) == [BOUGHT]


def test_a_panic_of_a_step_leaves_one_for_the_rest(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    step, _ = trade_of(rig, trade_id).steps_of(StepKind.TAKE_PROFIT)

    panic_sell_step(trade_id, step.id, rig.ports)
    pass_time(rig)

    assert sizes(rig) == [(Decimal("0.04995"), Decimal(43_650))]


def test_a_cancel_leaves_the_coins_alone(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)

    cancel_trade(trade_id, rig.ports)
    pass_time(rig)

    assert (held(rig), resting(rig)) == (BOUGHT, [])
    trade = trade_of(rig, trade_id)
    assert (trade.status, trade.is_live) == (TradeStatus.CANCELLED, False)


def test_in_a_halted_account_it_makes_way_and_the_sale_waits(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    rig.state(AccountState.HALT)

    goes_to(rig, "44900")
    assert sales(rig) == []
    rig.state(AccountState.RUN)
    sweep(rig.ports)
    pass_time(rig)

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)


def test_it_is_as_large_as_what_a_fee_that_nobody_told_of_has_left(rig: VenueRig) -> None:
    rig.wire.plan.trades_lag_ms = 3_600_000
    trade_id = open_guarded(rig)

    assert sizes(rig) == [(BOUGHT, Decimal(43_650))]
    for _ in range(3):
        pass_time(rig)
        assert sizes(rig) == [(BOUGHT, Decimal(43_650))]
    assert len(stop_orders(rig)) == 2  # what is shown late is looked for once more
    rig.exchange.set_price(BTC, "43000")
    pass_time(rig)
    assert held(rig) == 0
    assert trade_of(rig, trade_id).status is TradeStatus.STOP_LOSS_FINISHED


def test_coins_that_a_person_has_sold_leave_one_for_no_more_than_there_is(rig: VenueRig) -> None:
    trade_id = open_guarded(rig)
    account = rig.exchange.accounts[KEY]
    (listed,) = resting(rig)
    rig.exchange.cancel(account, listed)
    market = listed.ticket.market
    sale = Ticket(
        client_id="by-hand", market=market, side="SELL", type="MARKET", quantity=Decimal("0.05")
    )
    rig.exchange.place(account, sale)
    pass_time(rig)

    assert sizes(rig) == [(BOUGHT - Decimal("0.05"), Decimal(43_650))]
    goes_to(rig, "44900")
    assert (held(rig), sizes(rig)) == (Decimal(0), [])
    assert trade_of(rig, trade_id).status is TradeStatus.STOP_LOSS_FINISHED


def test_a_process_that_starts_finds_what_became_of_it(rig: VenueRig) -> None:
    """It was being placed when all of ours died, and its price came before they were back."""
    rig.wire.plan.plan(Call.PLACE, Fault.OK, Fault.ACCEPT_THEN_CUT)
    trade_id = open_guarded(rig)
    rig.publisher.waiting.clear()
    rig.exchange.set_price(BTC, "43000")
    rig.exchange.set_price(BTC, "50000")
    rig.clock.advance(600_000)

    poll_stops(rig.account.id, rig.ports)
    for _ in range(4):
        pass_time(rig)

    assert is_over(rig, trade_id, TradeStatus.STOP_LOSS_FINISHED)
    assert sales(rig) == [BOUGHT]
