"""A pair that is gone ends what waits for it, and one that is only halted ends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from threading import Thread

import pytest

from app.domain.commands import Action, PlaceSmartOrder, SmartOrderRules
from app.domain.enums import Dialect, Listing, Market, ReasonCode, Side, SmartOrderType
from app.domain.errors import VenueUnavailable
from app.domain.identifiers import AggregateId, Symbol
from app.domain.request.signal import RequestStatus, Signal
from app.domain.sender import Sender
from app.domain.smart_order import SmartOrder, SmartOrderStatus
from app.domain.smart_trade.enums import TradeStatus, TradeType
from app.domain.smart_trade.spec import NewTrade
from app.domain.smart_trade.trade import SmartTrade
from app.domain.status import OrderStatus
from app.exchanges.ccxt_venue import CcxtVenue
from app.exchanges.market_tables import ABSENT_MS, SHORT_MS, MarketTables
from app.exchanges.parse import Json
from app.services.following.reconcile import reconcile
from app.services.intake.smart_orders import accept_smart_order
from app.services.intake.trades import open_trade
from app.services.keeping.sweep import sweep
from app.services.smart_trades.acting import find_trade
from app.services.watching.release import release_due
from app.store.memory import venue_keys
from tests.support.builders import BTC, ETH, a_command, fixed, must
from tests.support.exchanges import books
from tests.support.exchanges.faults import Call, Fault
from tests.support.trade_rig import a_sale, a_trade, entry, stop
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY

pytestmark = pytest.mark.integration

SPOTS = ["binance", "bybit", "poloniex"]
MINUTE_MS = 60_000
DAY_S = Decimal(80_000)


@pytest.fixture(params=SPOTS)
def rig(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.SPOT) as running:
        yield running


@pytest.fixture
def one() -> Iterator[VenueRig]:
    """A rig at one exchange, for what does not depend on which."""
    with venue_rig("poloniex", Market.SPOT) as running:
        yield running


@pytest.fixture(params=["binance", "bybit"])
def futures(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    with venue_rig(request.param, Market.USDM) as running:
        yield running


def venue_of(rig: VenueRig) -> CcxtVenue:
    return rig.clients.of(rig.account)


def reload(rig: VenueRig) -> None:
    """Let the exchange tell its markets now, rather than within the hour."""
    venue_of(rig).exchange.reload_markets()


def delist(rig: VenueRig, symbol: Symbol = BTC) -> None:
    """Let a symbol be gone from the exchange's list."""
    rig.exchange.delist(symbol)
    reload(rig)


def wait(rig: VenueRig, minutes: int = 1) -> None:
    """Let minutes pass, with what workers do in each."""
    for _ in range(minutes):
        rig.clock.advance(MINUTE_MS)
        reconcile(rig.account.id, rig.ports)
        release_due([], rig.ports)
        sweep(rig.ports)
        rig.drain()


#: Until it is certain that a pair is gone.
CERTAIN = ABSENT_MS // MINUTE_MS + 3


def delayed(rig: VenueRig, action: Action = Action.BUY) -> Signal:
    """A signal that is due in most of a day."""
    signal = rig.run(a_command(action, size=fixed("0.01"), delay_ms=int(DAY_S) * 1000))
    wait(rig)
    return signal


def sender(rig: VenueRig, dialect: Dialect) -> Sender:
    return Sender(
        dialect=dialect,
        origin=f"{dialect}:1",
        account=rig.account,
        received_at_ms=rig.clock.now_ms(),
    )


def waiting_order(rig: VenueRig, side: Side = Side.BUY, price: str = "60000") -> SmartOrder:
    """A smart order of Poloniex that waits for a price far away."""
    command = PlaceSmartOrder(
        symbol=BTC,
        side=side,
        quantity=Decimal("0.01"),
        type=SmartOrderType.STOP,
        stop=Decimal(price),
    )
    venue_of(rig).instrument(BTC)
    made = accept_smart_order(command, SmartOrderRules(), sender(rig, Dialect.POLONIEX), rig.ports)
    rig.drain()
    return rig.smart_order(made.id)


def opened(rig: VenueRig, command: NewTrade) -> SmartTrade:
    rig.clock.while_asleep = rig.drain  # a worker is there
    made = open_trade(replace(command, symbol=BTC), sender(rig, Dialect.THREE_COMMAS), rig.ports)
    rig.drain()
    return find_trade(made.id, rig.ports)


def code_of(rig: VenueRig, signal: Signal) -> ReasonCode | None:
    reason = rig.signal(signal.id).reason
    return None if reason is None else reason.code


# Gone


def test_a_delayed_signal_is_canceled_when_its_pair_is_gone(rig: VenueRig) -> None:
    signal = delayed(rig)
    delist(rig)

    wait(rig, CERTAIN)

    assert rig.states(signal.id) == [RequestStatus.CANCELED]
    assert code_of(rig, signal) is ReasonCode.DELISTED
    assert rig.received() == []


def test_it_is_noticed_by_itself(one: VenueRig) -> None:
    signal = delayed(one)
    one.exchange.delist(BTC)
    wait(one, 58)
    assert one.states(signal.id) == [RequestStatus.SCHEDULED]
    one.redis.delete(venue_keys.markets(one.account.venue, one.account.market))  # it is that old

    wait(one, 5 + CERTAIN)

    assert one.states(signal.id) == [RequestStatus.CANCELED]


def test_one_list_proves_nothing(rig: VenueRig) -> None:
    signal = delayed(rig)
    delist(rig)

    wait(rig, ABSENT_MS // MINUTE_MS - 1)

    assert rig.states(signal.id) == [RequestStatus.SCHEDULED]
    assert venue_of(rig).listing(BTC) is Listing.ABSENT


def test_a_clock_that_is_set_ahead_makes_no_absence_longer(one: VenueRig) -> None:
    signal = delayed(one)
    delist(one)
    wait(one)

    one.clock.step(ABSENT_MS)
    reload(one)
    wait(one)

    assert one.states(signal.id) == [RequestStatus.SCHEDULED]
    wait(one, CERTAIN)
    assert one.states(signal.id) == [RequestStatus.CANCELED]


def test_an_exchange_that_cannot_be_asked_proves_nothing(one: VenueRig) -> None:
    signal = delayed(one)
    delist(one)
    wait(one, 2)
    one.wire.plan.plan(Call.OTHER, *[Fault.ERROR] * 500)
    one.wire.plan.plan(Call.LIST, *[Fault.ERROR] * 500)

    for _ in range(CERTAIN):
        one.clock.advance(MINUTE_MS)
        with pytest.raises(Exception):  # noqa: B017, PT011 - away, or held back
            reconcile(one.account.id, one.ports)

    assert one.states(signal.id) == [RequestStatus.SCHEDULED]


def test_an_empty_list_is_none(rig: VenueRig) -> None:
    signal = delayed(rig)
    rig.exchange.markets.clear()

    for _ in range(2 * SHORT_MS // ABSENT_MS):
        with pytest.raises(VenueUnavailable, match="lists 0 symbols in SPOT, and had 2"):
            reload(rig)
        wait(rig, ABSENT_MS // MINUTE_MS)

    assert rig.states(signal.id) == [RequestStatus.SCHEDULED]
    assert venue_of(rig).instrument(BTC) is not None


def test_a_list_that_comes_back_short_is_no_list_for_an_hour(one: VenueRig) -> None:
    for number in range(20):
        market = books.Market(f"C{number}", "USDT")
        one.exchange.markets[market.symbol, market.kind] = market
    signal = delayed(one)
    whole = dict(one.exchange.markets)
    one.exchange.markets = {key: each for key, each in whole.items() if key[0] == ETH}

    for _ in range(SHORT_MS // ABSENT_MS - 1):
        with pytest.raises(VenueUnavailable, match="lists 1 symbols in SPOT, and had 22"):
            reload(one)
        wait(one, ABSENT_MS // MINUTE_MS)
    assert venue_of(one).listing(BTC) is Listing.TRADED
    one.exchange.markets = whole
    wait(one, CERTAIN)

    assert one.states(signal.id) == [RequestStatus.SCHEDULED]
    assert venue_of(one).listing(BTC) is Listing.TRADED


def test_what_is_as_short_for_hours_is_believed_in_the_end(one: VenueRig) -> None:
    for number in range(20):
        market = books.Market(f"C{number}", "USDT")
        one.exchange.markets[market.symbol, market.kind] = market
    signal = delayed(one)
    one.exchange.markets = {k: v for k, v in one.exchange.markets.items() if k[0] == ETH}

    for _ in range(4):
        with suppress(VenueUnavailable):
            reload(one)
        wait(one, SHORT_MS // MINUTE_MS // 2)

    assert one.states(signal.id) == [RequestStatus.CANCELED]


def test_a_pair_that_is_listed_again_was_not_gone(one: VenueRig) -> None:
    signal, market = delayed(one), one.exchange.markets[BTC, books.SPOT]
    delist(one)
    wait(one, ABSENT_MS // MINUTE_MS - 2)
    one.exchange.markets[BTC, books.SPOT] = market
    wait(one, CERTAIN)
    assert one.states(signal.id) == [RequestStatus.SCHEDULED]

    # What was seen then proves nothing of another time.
    delist(one)
    wait(one, 2)

    assert one.states(signal.id) == [RequestStatus.SCHEDULED]


def test_a_list_in_between_that_has_it_counts_if_nobody_looks(one: VenueRig) -> None:
    signal, market = delayed(one), one.exchange.markets[BTC, books.SPOT]
    delist(one)
    wait(one)
    one.exchange.markets[BTC, books.SPOT] = market
    reload(one)
    one.clock.advance(ABSENT_MS)
    delist(one)

    wait(one)

    assert one.states(signal.id) == [RequestStatus.SCHEDULED]


def test_a_newer_list_than_that_of_a_thread_may_have_it(
    one: VenueRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    delayed(one)
    market, exchange = one.exchange.markets[BTC, books.SPOT], venue_of(one).exchange
    delist(one)
    assert venue_of(one).listing(BTC) is Listing.ABSENT
    one.clock.advance(ABSENT_MS)
    one.exchange.markets[BTC, books.SPOT] = market
    found = exchange.market

    def and_then_another_asks(api: Json, symbol: Symbol) -> Json | None:
        row = found(api, symbol)
        with monkeypatch.context() as patch:
            patch.setattr(exchange, "market", found)
            other = Thread(target=exchange.reload_markets)
            other.start()
            other.join()
        return row

    monkeypatch.setattr(exchange, "market", and_then_another_asks)

    assert venue_of(one).listing(BTC) is Listing.ABSENT


def test_an_old_list_proves_nothing_while_another_worker_has_a_newer_one(
    one: VenueRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    delayed(one)
    memory = one.clients._ports.memory  # noqa: SLF001 - as another worker has it
    whose = one.account.hosts, one.account.market
    whole = must(memory.markets(*whose)).text
    delist(one)
    assert venue_of(one).listing(BTC) is Listing.ABSENT
    one.clock.advance(ABSENT_MS)
    reload(one)
    memory.keep_markets(*whose, whole)
    monkeypatch.setattr(MarketTables, "renew", lambda *_: None)  # it has just failed here

    assert venue_of(one).listing(BTC) is Listing.ABSENT


@pytest.mark.parametrize("is_kept", [True, False])
def test_who_starts_with_a_short_list_trades_what_is_known_and_ends_nothing(
    one: VenueRig, *, is_kept: bool
) -> None:
    for number in range(20):
        market = books.Market(f"C{number}", "USDT")
        one.exchange.markets[market.symbol, market.kind] = market
    signal = delayed(one)
    one.exchange.markets = {k: v for k, v in one.exchange.markets.items() if k[0] == ETH}
    if not is_kept:
        one.redis.delete(venue_keys.markets(one.account.hosts, one.account.market))
    one.clock.advance(2 * SHORT_MS)
    started = type(one.clients)(one.clients._ports)  # noqa: SLF001 - of another process
    ports = replace(one.ports, venues=started)

    assert started.of(one.account).instrument(ETH) is not None
    assert (started.of(one.account).instrument(BTC) is not None) is is_kept
    for _ in range(SHORT_MS // MINUTE_MS - 5):
        one.clock.advance(MINUTE_MS)
        reconcile(one.account.id, ports)
    assert one.states(signal.id) == [RequestStatus.SCHEDULED]


def test_short_lists_that_are_hours_apart_are_no_row(one: VenueRig) -> None:
    for number in range(20):
        market = books.Market(f"C{number}", "USDT")
        one.exchange.markets[market.symbol, market.kind] = market
    delayed(one)
    one.exchange.markets = {k: v for k, v in one.exchange.markets.items() if k[0] == ETH}
    for _ in range(2):
        with pytest.raises(VenueUnavailable, match="lists 1 symbols"):
            reload(one)
        one.clock.advance(3 * SHORT_MS)  # it is away


def test_what_nobody_has_looked_at_in_between_is_no_row(one: VenueRig) -> None:
    venue_of(one).instrument(BTC)
    delist(one)
    assert venue_of(one).listing(BTC) is Listing.ABSENT
    one.clock.advance(48 * 60 * MINUTE_MS)  # it is listed, and nobody looks

    reload(one)

    assert venue_of(one).listing(BTC) is Listing.ABSENT


def test_a_smart_order_expires_with_its_pair(rig: VenueRig) -> None:
    smart = waiting_order(rig)
    delist(rig)

    wait(rig, CERTAIN)

    after = rig.smart_order(smart.id)
    assert after.status is SmartOrderStatus.EXPIRED
    assert must(after.reason).code is ReasonCode.DELISTED
    assert list(rig.ports.book.symbols(rig.account.feed)) == []
    assert "alert" not in rig.events(smart.id)


def test_a_stop_on_coins_says_so_loudly(one: VenueRig) -> None:
    smart = waiting_order(one, Side.SELL, "40000")
    delist(one)

    wait(one, CERTAIN)

    assert one.smart_order(smart.id).status is SmartOrderStatus.EXPIRED
    assert one.events(smart.id).count("alert") == 1


def test_a_trade_that_waits_fails_with_its_pair_and_says_so(rig: VenueRig) -> None:
    trade = opened(rig, a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", "60000")))
    delist(rig)

    wait(rig, CERTAIN)

    after = find_trade(trade.id, rig.ports)
    assert after.status is TradeStatus.FAILED
    assert "any more" in must(after.reason).message
    assert rig.events(trade.id).count("alert") == 1
    assert list(rig.ports.book.symbols(rig.account.feed)) == []


def test_a_trade_that_has_bought_fails_loudly_and_sends_nothing(one: VenueRig) -> None:
    one.exchange.accounts[KEY].total["BTC"] = Decimal(1)
    trade = opened(one, a_sale("0.01", **stop("45000")))
    delist(one)

    wait(one, CERTAIN)

    after = find_trade(trade.id, one.ports)
    assert after.status is TradeStatus.FAILED
    assert one.events(trade.id).count("alert") == 1
    assert one.received() == []


def test_an_order_of_unknown_outcome_is_asked_for_all_the_same(rig: VenueRig) -> None:
    rig.wire.plan.plan(Call.PLACE, Fault.ACCEPT_THEN_CUT)
    signal = rig.run(a_command(Action.BUY, size=fixed("0.01")))
    order, market = rig.order(), rig.exchange.markets[BTC, books.SPOT]
    rig.wire.plan.plan(Call.FIND, *[Fault.ERROR] * 10)
    rig.wire.plan.plan(Call.LIST, *[Fault.ERROR] * 3)
    assert order.status is OrderStatus.UNKNOWN
    delist(rig)
    for _ in range(CERTAIN):
        with suppress(VenueUnavailable):
            wait(rig)
    assert rig.order(order.id).status in {OrderStatus.UNKNOWN, OrderStatus.FILLED}
    assert len(rig.received()) == 1

    rig.exchange.markets[BTC, books.SPOT] = market
    rig.wire.plan.clear()
    wait(rig, CERTAIN)

    assert len(rig.received()) == 1
    assert rig.order(order.id).status is OrderStatus.FILLED
    assert rig.states(signal.id) == [RequestStatus.DONE]


def test_a_guard_stays_and_says_once_that_its_pair_is_gone(futures: VenueRig) -> None:
    command = a_command(Action.OPEN_LONG, size=fixed("0.2"), stop_loss=Decimal(1_900))
    signal = futures.run(command)
    futures.poll()
    (guard,) = futures.smart_orders()
    other = books.Market("FAR", "USDT", books.LINEAR)
    futures.exchange.markets[other.symbol, other.kind] = other
    market = futures.exchange.markets[ETH, books.LINEAR]
    delist(futures, ETH)
    wait(futures, CERTAIN)

    kept = futures.smart_order(guard.id)
    assert (kept.status, kept.exit_fails) == (SmartOrderStatus.PENDING_NEW, True)
    assert futures.events(guard.id).count("alert") == 1
    assert futures.signal(signal.id).is_live
    assert list(futures.ports.live.failing_exits()) == [guard.id]

    futures.exchange.markets[ETH, books.LINEAR] = market
    wait(futures, 2 * CERTAIN)

    assert not futures.smart_order(guard.id).exit_fails


@pytest.mark.parametrize("venue", ["binance", "bybit"])
def test_an_exchange_may_say_that_a_contract_is_over(venue: str) -> None:
    with venue_rig(venue, Market.USDM) as rig:
        signal = rig.run(a_command(Action.OPEN_LONG, size=fixed("0.1"), delay_ms=int(DAY_S) * 1000))
        rig.exchange.set_status(ETH, "closed")
        reload(rig)

        wait(rig)

        assert rig.states(signal.id) == [RequestStatus.CANCELED]


def test_told_twice_it_ends_once(one: VenueRig) -> None:
    signal = delayed(one, Action.SELL)
    delist(one)

    wait(one, 2 * CERTAIN)

    assert one.events(signal.id).count("canceled") == 1
    assert one.events(signal.id).count("alert") == 1  # what it was to sell is there still


def test_a_cancel_that_is_delayed_is_none_of_what_ends(one: VenueRig) -> None:
    cancel = one.run(a_command(Action.CANCEL_ALL, delay_ms=int(DAY_S) * 1000))
    delayed(one)
    delist(one)

    wait(one, CERTAIN)

    assert one.states(cancel.id) == [RequestStatus.SCHEDULED]


# Halted


def halt(rig: VenueRig, symbol: Symbol = BTC, status: str = "halted") -> None:
    rig.exchange.set_status(symbol, status)
    reload(rig)


def test_an_entry_waits_while_its_market_is_halted_and_says_so(rig: VenueRig) -> None:
    halt(rig)
    signal = rig.run(a_command(Action.BUY, size=fixed("0.01")))
    assert rig.states(signal.id) == [RequestStatus.EXECUTING]
    assert code_of(rig, signal) is ReasonCode.MARKET_HALTED

    rig.exchange.set_status(BTC)
    rig.settle(rounds=6, step_ms=5_000)

    assert rig.states(signal.id) == [RequestStatus.DONE]
    assert code_of(rig, signal) is None
    assert len(rig.received()) == 1


def test_an_entry_does_not_wait_for_longer_than_it_may_be_late(rig: VenueRig) -> None:
    halt(rig)
    sent = a_command(Action.BUY, size=fixed("0.01"))
    signal = rig.run(sent)

    rig.settle(rounds=15, step_ms=5_000)

    assert rig.states(signal.id) == [RequestStatus.EXPIRED]
    assert code_of(rig, signal) is ReasonCode.TOO_LATE
    assert rig.received() == []


def test_an_exit_waits_for_as_long_as_it_takes(rig: VenueRig) -> None:
    rig.run(a_command(Action.BUY, size=fixed("0.02")))
    rig.poll()
    halt(rig)
    signal = rig.run(a_command(Action.SELL, size=fixed("0.01")))
    wait(rig, 90)
    assert rig.states(signal.id) == [RequestStatus.EXECUTING]
    assert code_of(rig, signal) is ReasonCode.MARKET_HALTED
    assert rig.events(signal.id).count("deferred") == 1

    rig.exchange.set_status(BTC)
    wait(rig, 3)

    assert rig.states(signal.id) == [RequestStatus.DONE]
    assert len(rig.received()) == 2


def test_what_is_armed_is_kept_and_what_comes_is_armed(rig: VenueRig) -> None:
    before = waiting_order(rig)
    trade = opened(rig, a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", "60000")))
    halt(rig)
    wait(rig, 3 * CERTAIN)

    assert rig.smart_order(before.id).status is SmartOrderStatus.PENDING_NEW
    assert not find_trade(trade.id, rig.ports).is_final

    rig.exchange.set_status(BTC)
    wait(rig, 2)
    rig.exchange.set_price(BTC, "60100")
    rig.poll()
    assert rig.smart_order(before.id).status is SmartOrderStatus.TRIGGERED


def test_a_smart_order_is_armed_in_a_market_that_is_halted(one: VenueRig) -> None:
    smart = waiting_order(one)
    one.put(replace(smart, id=AggregateId(smart.id + 4096), armed=False))
    halt(one)

    wait(one, 2)

    assert [each.status for each in one.smart_orders()] == [SmartOrderStatus.PENDING_NEW] * 2
    assert all(each.armed for each in one.smart_orders())


def test_a_guard_goes_on_through_a_halt_and_says_so(futures: VenueRig) -> None:
    command = a_command(Action.OPEN_LONG, size=fixed("0.2"), stop_loss=Decimal(1_900))
    futures.run(command)
    futures.poll()
    (guard,) = futures.smart_orders()
    halt(futures, ETH)
    futures.exchange.set_price(ETH, "1890")
    futures.poll()
    futures.settle(rounds=20, step_ms=2_000)

    going = futures.smart_order(guard.id)
    assert going.is_live
    assert must(going.reason).code is ReasonCode.MARKET_HALTED
    assert going.exit_fails
    assert "alert" in futures.events(guard.id)

    futures.exchange.set_status(ETH)
    futures.settle(rounds=60, step_ms=2_000)

    assert futures.smart_order(guard.id).is_filled
