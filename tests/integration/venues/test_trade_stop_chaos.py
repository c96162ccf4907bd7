"""Random lives of trades whose stop rests at Binance's spot market: its coins are sold once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import Dialect, Market
from app.domain.errors import CommandError, HookfillError
from app.domain.exits import ExitRules
from app.domain.sender import Sender
from app.domain.smart_trade.enums import GUARDED, StepKind, TradeType
from app.domain.smart_trade.positions import open_quantity
from app.domain.smart_trade.profit import closed_quantity, entered_quantity
from app.domain.smart_trade.spec import TradeUpdate
from app.domain.smart_trade.trade import SmartTrade
from app.services.intake.trades import open_trade
from app.services.smart_trades.acting import (
    add_funds,
    cancel_step,
    cancel_trade,
    panic_sell,
    panic_sell_step,
    update_trade,
)
from tests.support.builders import BTC
from tests.support.exchanges.books import OPEN, Refused, Ticket
from tests.support.exchanges.faults import Call
from tests.support.lives import Life, Step, mishaps, scenes
from tests.support.searching import times
from tests.support.trade_rig import a_trade, entry, steps, stop
from tests.support.venue_rig import VenueRig, venue_rig

BOTH = ExitRules(beyond_percent=Decimal(3))
PRICES = ["61000", "55000", "50000", "46000", "44900", "43600", "40000"]
IN_STEPS = steps(("50", "55000"), ("50", "60000"))
STOPS = {
    "plain": stop("45000"),
    "last": stop("45000", source="last"),
    "trailing": stop("45000", trailing=True),
    "patient": stop("45000", timeout=5),
}

STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(sorted(STOPS)), st.booleans()),
    st.tuples(st.just("act"), st.sampled_from(["cancel", "panic", "funds", "move", "drop"])),
    st.tuples(st.just("act on step"), st.booleans(), st.integers(0, 3)),
    st.tuples(st.just("price"), st.sampled_from(PRICES)),
    st.tuples(st.just("seen price"), st.sampled_from(PRICES)),
    st.tuples(st.just("by hand"), st.sampled_from(["0.01", "0.05"])),
    st.tuples(st.just("taken off")),
    *mishaps(Call.VIEW),
)
OPENED = st.tuples(st.just("open"), st.sampled_from(sorted(STOPS)), st.booleans())
#: Without a position hardly anything happens.
SCENES = scenes(OPENED, st.just(("look",)), STEPS, STEPS, STEPS, STEPS, STEPS)

_by_hand = count(1)


class Chaos(Life):
    """What happens to trades and their stops."""

    looks_apart_ms = 2_500

    def __init__(self, rig: VenueRig) -> None:
        super().__init__(rig)
        self.is_disturbed = False

    def happen(self, step: Step) -> None:
        """Let somebody want something, or something happen."""
        match step:
            case "open", str(name), bool(venue_first):
                self.open(name, replace(BOTH, venue_first=venue_first))
            case "act", str(word):
                self.act(word)
            case "act on step", bool(panics), int(number):
                self.act_on_step(panics, number)
            case _:
                self.befall(step)

    def befall(self, step: Step) -> None:
        """Let something happen at the exchange, or to us."""
        rig = self.rig
        match step:
            case "price", str(price):
                rig.exchange.set_price(BTC, price)
            case "seen price", str(price):
                rig.exchange.set_price(BTC, price)
                self.look()
            case "by hand", str(size):
                self.sell_by_hand(Decimal(size))
            case ("taken off",):
                for one in self.resting()[:1]:
                    rig.exchange.cancel(self.account, one)
            case _:
                self.go_wrong(step)

    def open(self, name: str, rules: ExitRules) -> None:
        exits = {**IN_STEPS, **STOPS[name]}
        sender = Sender(
            dialect=Dialect.THREE_COMMAS,
            origin="three_commas:1",
            account=self.rig.account,
            received_at_ms=self.rig.clock.now_ms(),
            exits=rules,
        )
        command = a_trade(TradeType.CLASSIC, "0.05", entry=entry(), **exits)
        with suppress(HookfillError):
            open_trade(replace(command, symbol=BTC), sender, self.rig.ports)

    def act(self, word: str) -> None:
        ports = self.rig.ports
        for trade in self.trades()[-1:]:
            with suppress(HookfillError):
                match word:
                    case "cancel":
                        cancel_trade(trade.id, ports)
                    case "panic":
                        panic_sell(trade.id, ports)
                    case "funds":
                        add_funds(trade.id, Decimal("0.02"), None, ports)
                    case _:
                        is_on, level = word == "move", Decimal(42_000)
                        update = TradeUpdate(
                            take_profit_enabled=True,
                            stop_loss_enabled=is_on,
                            stop_loss_price=level if is_on else None,
                        )
                        update_trade(trade.id, update, ports)

    def act_on_step(self, panics: object, number: int) -> None:
        act = panic_sell_step if panics else cancel_step
        for trade in self.trades()[-1:]:
            step = trade.steps[number % len(trade.steps)]
            with suppress(CommandError):
                act(trade.id, step.id, self.rig.ports)

    def sell_by_hand(self, quantity: Decimal) -> None:
        markets = {one.symbol: one for one in self.rig.exchange.of_kind("spot")}
        ticket = Ticket(
            client_id=f"by-hand-{next(_by_hand)}",
            market=markets[BTC],
            side="SELL",
            type="MARKET",
            quantity=quantity,
        )
        with suppress(Refused):
            self.rig.exchange.place(self.account, ticket)
            self.is_disturbed = True

    def trades(self) -> list[SmartTrade]:
        found = [one for one in self.rig.whole.newest(None) if isinstance(one, SmartTrade)]
        return sorted(found, key=lambda one: one.id)

    def held(self) -> Decimal:
        return self.account.total.get("BTC", Decimal(0))

    def calm_down(self) -> None:
        """Let the faults end and the price be where nothing fires, and let everything settle."""
        rig = self.rig
        rig.undisturbed()
        rig.wire.plan.clear()
        rig.exchange.depth.clear()
        rig.exchange.set_price(BTC, "50000")
        # For coins that a person has sold a stop is asked for again and again.
        assert self.settles() or self.is_disturbed, "it does not settle"

    def assert_held_by_the_exchange(self) -> None:
        """Every position that is to have a stop there has one, and nothing else waits there."""
        wanted = {
            one.resting_stop.client_order_id
            for one in self.trades()
            if one.resting_stop is not None
        }
        assert {one.ticket.client_id for one in self.resting()} == wanted
        for trade in self.trades():
            if trade.status not in GUARDED or self.is_disturbed or trade.venue_stop.stays_off:
                continue
            has_stop = any(not one.is_final for one in trade.steps_of(StepKind.STOP_LOSS))
            rests = trade.resting_stop is not None and trade.resting_stop.rests
            assert rests is (has_stop and trade.stop_loss is not None), trade
            if trade.resting_stop is not None:
                assert trade.resting_stop.quantity == open_quantity(trade)

    def assert_sold_once(self) -> None:
        """Nothing was sent twice, and nothing was sold that was not there."""
        assert self.rig.exchange.repeats == []
        assert self.held() >= 0
        told = {one.ticket.client_id: one.filled for one in self.account.orders}
        for order in self.rig.orders():
            assert order.filled_quantity == told.get(order.client_order_id, Decimal(0))
        for trade in self.trades():
            assert closed_quantity(trade) <= entered_quantity(trade)

    def end(self) -> None:
        """Let the price fall through everything, and see what is left."""
        rig = self.rig
        guarded = [one for one in self.trades() if one.resting_stop is not None]
        held = self.held()
        rig.exchange.set_price(BTC, "30000")  # nobody here has seen it
        if guarded:
            assert self.held() < held
        for _ in range(8):
            self.look()
            rig.settle(step_ms=1_000)
        assert self.resting() == []
        assert not [one for one in self.account.orders if one.status in OPEN]
        for trade in guarded:
            now = next(one for one in self.trades() if one.id == trade.id)
            assert now.status.value == "stop_loss_finished"
        assert not [one for one in self.trades() if one.is_only_here]


@times(0.2)
@given(lives=SCENES)
def test_whatever_happens_the_coins_are_guarded_and_sold_once(
    lives: list[tuple[object, ...]],
) -> None:
    with venue_rig("binance", Market.SPOT) as rig:
        chaos = Chaos(rig)
        for step in lives:
            chaos.happen(step)

        chaos.calm_down()
        chaos.assert_held_by_the_exchange()
        chaos.assert_sold_once()

        chaos.end()
        chaos.assert_sold_once()
