"""A web process that does not know an exchange's prices has a worker ask, and waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from app.domain.commands import PlaceOrder, PlaceSmartOrder, SmartOrderRules
from app.domain.enums import (
    Dialect,
    Flaw,
    Market,
    OrderType,
    Side,
    SmartOrderType,
    StopDirection,
)
from app.domain.errors import InsufficientFunds, RuleBroken, TermsRefused, VenueUnavailable
from app.domain.identifiers import Currency
from app.domain.order import Order
from app.domain.sender import Sender
from app.domain.smart_trade.enums import TradeStatus, TradeType
from app.domain.smart_trade.spec import NewTrade, TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.exchanges.remembered import RememberedVenues
from app.ports import Ports
from app.services.intake.orders import accept_exact_order, accept_order
from app.services.intake.smart_orders import accept_smart_order
from app.services.intake.trades import open_trade
from app.services.learn import (
    PRICES_MAX,
    known_quote,
    known_rules,
    known_view,
    learn_prices,
    views_of,
)
from app.services.smart_trades.acting import add_funds, find_trade, force_process, update_trade
from tests.support.builders import BTC, ETH, a_live_account
from tests.support.exchanges.faults import Call, Fault
from tests.support.trade_rig import a_sale, a_trade, entry, stop
from tests.support.venue_rig import VenueRig, venue_rig
from tests.support.venue_world import KEY, venue_ports

pytestmark = pytest.mark.integration

SPOTS = ["binance", "bybit", "poloniex"]


@dataclass
class House:
    """A web process and a worker over one store, with an account at a simulated exchange.

    Attributes:
        rig: the worker.
        web: the ports of the web process; while it waits, the worker works.
    """

    rig: VenueRig
    web: Ports

    def sender(self) -> Sender:
        return Sender(
            dialect=Dialect.THREE_COMMAS,
            origin="three_commas:1",
            account=self.rig.account,
            received_at_ms=self.rig.clock.now_ms(),
        )

    def open(self, command: NewTrade) -> SmartTrade:
        trade = open_trade(replace(command, symbol=BTC), self.sender(), self.web)
        self.rig.drain()
        return find_trade(trade.id, self.web)

    def price(self, last: str) -> None:
        self.rig.exchange.set_price(BTC, last)
        self.rig.clock.advance(2_000)
        self.rig.poll()


@contextmanager
def house(venue: str, *, works: bool = True) -> Iterator[House]:
    with venue_rig(venue, Market.SPOT) as rig:
        memory = venue_ports(rig.redis, rig.clock, {})
        web = replace(rig.ports, venues=RememberedVenues(memory))
        if works:
            rig.clock.while_asleep = rig.drain
        yield House(rig, web)


@pytest.mark.parametrize("venue", SPOTS)
def test_prices_rules_and_balances_are_asked_for(venue: str) -> None:
    with house(venue) as at:
        account = at.rig.account

        assert known_quote(BTC, account, at.web).last == 50_000
        assert known_view(account, at.web).available(Currency("USDT")) == 10_000
        assert BTC in {one.symbol for one in known_rules(account, at.web)}


def test_rules_alone_are_asked_for() -> None:
    with house("binance") as at:
        assert BTC in {one.symbol for one in known_rules(at.rig.account, at.web)}


def test_what_is_known_is_not_asked_for_again() -> None:
    with house("binance") as at:
        known_quote(BTC, at.rig.account, at.web)
        asked = len(at.rig.gateway.log)

        known_quote(BTC, at.rig.account, at.web)

        assert len(at.rig.gateway.log) == asked


def test_without_a_worker_nothing_is_guessed_and_nothing_stored() -> None:
    waits = a_trade(TradeType.CLASSIC, "0.1", entry=entry("conditional", "51000"))
    with house("binance", works=False) as at:
        with pytest.raises(VenueUnavailable):
            open_trade(replace(waits, symbol=BTC), at.sender(), at.web)

        assert list(at.rig.reader.newest(None)) == []


def test_an_exchange_that_does_not_answer_is_said_to_be_away() -> None:
    with house("binance") as at:
        at.rig.wire.plan.plan(Call.OTHER, *[Fault.ERROR] * 20)

        with pytest.raises(VenueUnavailable):
            known_quote(BTC, at.rig.account, at.web)


def test_whoever_asks_for_many_accounts_waits_once() -> None:
    with house("binance", works=False) as at:
        others = [replace(a_live_account(f"real-{one}"), group=f"{one}") for one in range(5)]
        accounts = [at.rig.registry.put_account(one) for one in others]
        begun_ms = at.rig.clock.steady_ms()

        with pytest.raises(VenueUnavailable):
            views_of(accounts, at.web)

        assert at.rig.clock.steady_ms() - begun_ms <= at.web.policy.learn_wait_ms
        assert len({one.target for one in at.rig.publisher.published}) == len(accounts)


@pytest.mark.parametrize("venue", SPOTS)
@pytest.mark.parametrize(
    ("trigger", "away", "reached"),
    [("51000", "50500", "51100"), ("49000", "49500", "48900")],
)
def test_an_entry_waits_for_its_price(venue: str, trigger: str, away: str, reached: str) -> None:
    waits = a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", trigger))
    with house(venue) as at:
        trade = at.open(waits)
        at.price(away)
        assert at.rig.received() == []

        at.price(reached)

        assert len(at.rig.received()) == 1
        assert find_trade(trade.id, at.web).status is not TradeStatus.FAILED


def test_an_entry_that_is_moved_waits_for_its_new_price() -> None:
    waits = a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", "51000"))
    with house("binance") as at:
        trade = at.open(waits)
        at.rig.clock.advance(60_000)  # what was known of prices is forgotten
        changes = TradeUpdate(
            take_profit_enabled=False, stop_loss_enabled=False, entry_price=Decimal(48_000)
        )

        update_trade(trade.id, changes, at.web)
        at.price("49000")
        assert at.rig.received() == []

        at.price("47900")
        assert len(at.rig.received()) == 1


def test_a_market_order_of_hummingbot_is_taken_in() -> None:
    with house("bybit") as at:
        command = PlaceOrder(symbol=BTC, side=Side.BUY, quantity=Decimal("0.01"))

        accepted = accept_order(command, replace(at.sender(), dialect=Dialect.HUMMINGBOT), at.web)
        at.rig.drain()

        order = at.rig.load(accepted.id)
        assert isinstance(order, Order)
        assert order.filled_quantity == Decimal("0.01")


def complaint(error: RuleBroken) -> tuple[Flaw, Decimal | None]:
    (one,) = error.fields["quantity"]
    return one.flaw, one.figure


@pytest.mark.parametrize("venue", SPOTS)
def test_an_entry_that_is_too_small_or_too_dear_is_refused_in_the_answer(venue: str) -> None:
    with house(venue) as at:
        for kind, quantity, method in (
            (TradeType.CLASSIC, "0.3", entry()),
            (TradeType.CLASSIC, "0.3", entry("limit", "49000")),
            (TradeType.SELL_BUY_BACK, "0.3", entry()),
        ):
            with pytest.raises(RuleBroken) as refused:
                at.open(a_trade(kind, quantity, entry=method))
            flaw, most = complaint(refused.value)
            assert (flaw, most is not None and most < Decimal("0.3")) == (Flaw.ABOVE_MOST, True)
        with pytest.raises(RuleBroken) as refused:
            at.open(a_trade(TradeType.CLASSIC, "0.00001", entry=entry()))
        assert complaint(refused.value)[0] is Flaw.BELOW_LEAST
        assert at.rig.received() == []


def test_funds_that_there_is_no_money_for_are_refused_in_the_answer() -> None:
    with house("binance") as at:
        trade = at.open(a_trade(TradeType.CLASSIC, "0.1", entry=entry(), **stop("45000")))

        with pytest.raises(RuleBroken) as refused:
            add_funds(trade.id, Decimal("0.5"), None, at.web)

        assert complaint(refused.value)[0] is Flaw.ABOVE_MOST
        assert find_trade(trade.id, at.web).steps == trade.steps


def test_a_smart_sell_of_coins_that_are_not_there_yet_says_so() -> None:
    with house("binance") as at:
        at.rig.exchange.accounts[KEY].total["BTC"] = Decimal("0.04")

        trade = at.open(a_sale("0.1", **stop("45000"), note="mine"))

        assert trade.note == "mine; 0.04 BTC is there so far"


def test_a_trade_is_looked_at_at_once_when_somebody_asks() -> None:
    resting = a_trade(TradeType.CLASSIC, "0.01", entry=entry("limit", "49000"), **stop("45000"))
    with house("binance") as at:
        trade = at.open(resting)
        assert find_trade(trade.id, at.web).status is TradeStatus.BUY_ORDER_PLACED
        at.rig.exchange.set_price(BTC, "48900")

        force_process(trade.id, at.web)
        at.rig.drain()

        assert find_trade(trade.id, at.web).status is TradeStatus.BOUGHT


def test_one_list_asks_for_so_many_prices_at_most() -> None:
    with house("binance") as at:
        known_rules(at.rig.account, at.web)
        asked = len(at.rig.gateway.log)
        wanted = [(at.rig.account, one) for one in (BTC, ETH, BTC)] * PRICES_MAX

        learn_prices(wanted, at.web)

        venue = at.web.venues.of(at.rig.account)
        assert {one: venue.quote(one) is not None for one in (BTC, ETH)} == {BTC: True, ETH: True}
        assert 0 < len(at.rig.gateway.log) - asked < PRICES_MAX


# What was known is old


@pytest.mark.parametrize("venue", SPOTS)
def test_no_order_is_refused_by_what_an_account_had_a_minute_ago(venue: str) -> None:
    with house(venue) as at:
        command = PlaceOrder(
            symbol=BTC,
            side=Side.BUY,
            quantity=Decimal("0.01"),
            price=Decimal(49_000),
            type=OrderType.LIMIT,
        )
        sender = replace(at.sender(), dialect=Dialect.POLONIEX)
        there = at.rig.exchange.accounts[KEY].total
        there["USDT"] = Decimal(10)
        with pytest.raises(InsufficientFunds):
            accept_exact_order(command, sender, at.web)

        there["USDT"] = Decimal(10_000)
        at.rig.clock.advance(60_000)

        assert accept_exact_order(command, sender, at.web).price == 49_000


@pytest.mark.parametrize(("trigger", "now"), [("51000", "51100"), ("49000", "48900")])
def test_from_which_side_a_price_comes_is_told_by_that_of_now(trigger: str, now: str) -> None:
    waits = a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", trigger))
    with house("binance") as at:
        known_quote(BTC, at.rig.account, at.web)
        at.rig.exchange.set_price(BTC, now)
        at.rig.clock.advance(6_000)

        at.open(waits)
        at.price(now)

        assert at.rig.received() == []


@pytest.mark.parametrize("trigger", ["51000", "49000"])
def test_from_which_side_it_comes_to_a_smart_order_likewise(trigger: str) -> None:
    now = "51100" if trigger == "51000" else "48900"
    command = PlaceSmartOrder(
        symbol=BTC,
        side=Side.BUY,
        quantity=Decimal("0.01"),
        type=SmartOrderType.STOP,
        stop=Decimal(trigger),
    )
    rules = SmartOrderRules(direction=StopDirection.INFER)
    with house("binance") as at:
        known_quote(BTC, at.rig.account, at.web)
        at.rig.exchange.set_price(BTC, now)
        at.rig.clock.advance(6_000)

        accept_smart_order(command, rules, replace(at.sender(), dialect=Dialect.POLONIEX), at.web)
        at.rig.drain()
        at.price(now)

        assert at.rig.received() == []


def test_an_entry_that_is_over_is_refused_to_move_without_a_price() -> None:
    with house("binance") as at:
        trade = at.open(a_trade(TradeType.CLASSIC, "0.01", entry=entry(), **stop("45000")))
        at.rig.clock.advance(60_000)
        at.rig.clock.while_asleep = lambda: None  # no worker
        changes = TradeUpdate(
            take_profit_enabled=False, stop_loss_enabled=True, entry_price=Decimal(50_000)
        )

        with pytest.raises(TermsRefused):
            update_trade(trade.id, changes, at.web)


def test_an_entry_that_trails_needs_no_price_to_be_taken_in() -> None:
    trails = a_trade(TradeType.CLASSIC, "0.01", entry=entry("conditional", "49000", trailing="1"))
    with house("binance") as at:
        known_rules(at.rig.account, at.web)
        at.rig.clock.while_asleep = lambda: None  # no worker

        trade = open_trade(replace(trails, symbol=BTC), at.sender(), at.web)

        assert trade.status is TradeStatus.CONDITIONAL_ORDER_WAITING_PRICE


def test_what_an_account_has_is_asked_for_anew_once_its_order_has_moved() -> None:
    with house("binance") as at:
        coins = Currency("BTC")
        assert known_view(at.rig.account, at.web).available(coins) == 0

        at.open(a_trade(TradeType.SIMPLE_BUY, "0.1", entry=entry()))
        at.rig.poll()

        assert at.rig.received()
        assert known_view(at.rig.account, at.web).available(coins) > 0
