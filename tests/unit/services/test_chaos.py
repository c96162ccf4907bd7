"""Faults, deaths, lost and doubled messages in any order: what the venue got is what we know."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.commands import Action, OnOpposite, SignalRules
from app.domain.enums import STATES_BY_HAND, AccountState, PositionSide
from app.domain.errors import HookfillError, OutcomeUnknown, VenueRejected, VenueUnavailable
from app.domain.request.signal import Signal
from app.domain.status import OPEN, OrderStatus
from app.services.keeping.archive import archive
from app.services.watching.watch import watch_prices
from tests.support.builders import PAPER, a_command, a_report, a_tick, a_view, fixed
from tests.support.fakes import Answer, ThenSilent
from tests.support.rig import Rig
from tests.support.searching import times
from tests.support.spread import SpreadClockedRedis

SILENCE = OutcomeUnknown("nobody answered")
REVERSE = SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE)
HALF = fixed("0.5")

COMMANDS = {
    "buy": a_command(size=fixed("0.1"), caller_id="a"),
    "sell": a_command(Action.SELL, size=fixed("0.1")),
    "rest": a_command(size=fixed("0.1"), limit_price=Decimal(40_000), caller_id="b"),
    "later": a_command(size=fixed("0.1"), delay_ms=2_500),
    "long": a_command(
        Action.OPEN_LONG, size=HALF, take_profit=Decimal(2_200), stop_loss=Decimal(1_900)
    ),
    "short": a_command(Action.OPEN_SHORT, size=HALF),
    "close": a_command(Action.CLOSE_LONG),
    "cancel": a_command(Action.CANCEL, caller_id="b"),
    "cancel_all": a_command(Action.CANCEL_ALL),
}
ANSWERS: dict[str, Answer] = {
    "rest": a_report(OrderStatus.NEW, filled_quantity=Decimal(0)),
    "partly": a_report(OrderStatus.CANCELED, filled_quantity=Decimal("0.05")),
    "reject": VenueRejected("no"),
    "away": VenueUnavailable("away"),
    "lost": SILENCE,
    "filled, silent": ThenSilent(a_report(filled_quantity=Decimal("0.1")), SILENCE),
    "resting, silent": ThenSilent(a_report(OrderStatus.NEW), SILENCE),
}
ACCEPT = st.tuples(st.just("accept"), st.sampled_from(sorted(COMMANDS)), st.booleans())
ANSWER = st.tuples(st.just("answer"), st.sampled_from(sorted(ANSWERS)))
WORK = st.tuples(st.just("work"), st.integers(1, 6))
DIE = st.tuples(st.just("die"), st.integers(1, 12))
STEPS: st.SearchStrategy[tuple[object, ...]] = st.one_of(
    ACCEPT,
    ANSWER,
    WORK,
    DIE,
    st.tuples(st.just("silent cancel")),
    st.tuples(st.just("lose messages")),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("wait"), st.sampled_from([100, 1_000, 4_000])),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("archive"), st.integers(1, 12)),
    st.tuples(st.just("tick"), st.sampled_from(["1800", "2000", "2300"])),
    st.tuples(st.just("state"), st.sampled_from(STATES_BY_HAND)),
)
#: Of steps at random few have an order in them, and hardly one an order that anything happens to.
SCENES = st.lists(st.tuples(ANSWER, ACCEPT, STEPS, WORK | DIE, STEPS), min_size=1, max_size=5).map(
    lambda scenes: [step for scene in scenes for step in scene]
)


class Chaos:
    """A rig to which things happen in any order.

    Args:
        live: whether the accounts are at an exchange.
        spread: whether the shards of the store are on three servers.
    """

    def __init__(self, *, live: bool = False, spread: bool = False) -> None:
        self.rig = Rig(SpreadClockedRedis() if spread else None)
        if live:
            self.rig.go_live()
        self.rig.ports = replace(
            self.rig.ports, policy=replace(self.rig.ports.policy, history_after_ms=1_000)
        )
        self.ticks = 0
        self.rig.venue.account = a_view(
            {"USDT": "100000", "BTC": "5"}, {PositionSide.LONG: "0.5", PositionSide.SHORT: "0.5"}
        )

    def happen(self, step: tuple[object, ...]) -> None:
        rig = self.rig
        match step:
            case "accept", str(name), bool(futures):
                command = COMMANDS[name]
                rules = REVERSE if name == "short" else None
                leg = command.action.position_side
                rig.accept(command, rules, futures=futures if leg is None else True)
            case "answer", str(name):
                rig.venue.place_script.append(ANSWERS[name])
            case ("silent cancel",):
                rig.venue.cancel_script.append(SILENCE)
            case "archive", int(number):
                rig.dying_after(number, lambda: archive(rig.ports))
            case "tick", str(price):
                self.tick(price)
            case "state", AccountState() as state:
                rig.state(state)
            case _:
                rig.happen(step)

    def tick(self, price: str) -> None:
        self.ticks += 1
        self.rig.feed.ticks.append(a_tick(self.ticks, last=price))
        with suppress(HookfillError):
            watch_prices(PAPER, self.rig.ports)

    def end(self) -> None:
        """Let the faults end, take off whatever is left, and wait for everything to end."""
        rig = self.rig
        rig.undisturbed()
        for script in (rig.venue.place_script, rig.venue.cancel_script, rig.venue.find_script):
            script.clear()
        rig.state(AccountState.RUN)
        rig.settle()
        while watch_prices(PAPER, rig.ports):
            rig.drain()
        for futures in (False, True):
            rig.accept(a_command(Action.CANCEL_ALL), futures=futures)
        rig.settle()
        before = list(rig.whole.newest(None))
        for _ in range(3):
            archive(rig.ports)
            rig.clock.advance(1_100)
        assert list(rig.whole.newest(None)) == before

    def assert_at_rest(self) -> None:
        """Nothing lives, nothing is owed, and nothing is listed anywhere."""
        rig = self.rig
        assert [one for one in rig.whole.newest(None) if one.is_live] == []
        left = {key.split(":")[1] for key in rig.redis.scan_iter("{s0*") if ":" in key}
        lasting = {"events", "registry", "state", "flight_changes", "turn_changes", "vouched"}
        assert left <= lasting | {"runs", "run", "run_ends", "epoch"}
        assert not rig.ports.book.symbols(PAPER)
        assert not rig.ports.book.fired(PAPER)

    def assert_venue_and_we_agree(self) -> None:
        """Each order was taken in once at most, and its end is the same on both sides."""
        venue = self.rig.venue
        assert venue.repeats == []
        known = {order.client_order_id: order for order in self.rig.orders()}
        assert venue.ledger.keys() <= known.keys()
        for client_order_id, order in known.items():
            report = venue.ledger.get(client_order_id)
            if report is None:
                assert order.filled_quantity == 0
            else:
                assert report.status not in OPEN
                assert order.filled_quantity == report.filled_quantity
                assert order.status in {report.status, OrderStatus.FILLED}

    def assert_signals_agree_with_their_orders(self) -> None:
        """A signal knows what its orders have filled, which are several only of an exit."""
        for signal in self.rig.whole.newest(None):
            if not isinstance(signal, Signal) or signal.order_id is None:
                continue
            own = [
                one
                for one in self.rig.orders()
                if one.parent_id == signal.id and one.reduces is not signal.action.is_entry
            ]
            assert len(own) == 1 or not signal.action.is_entry
            assert signal.filled_quantity == sum(one.filled_quantity for one in own)


@times(0.5)
@given(SCENES, st.booleans(), st.booleans())
def test_whatever_happens_each_order_is_taken_in_once_and_everything_ends(
    steps: list[tuple[object, ...]],
    live: bool,  # noqa: FBT001 - drawn
    spread: bool,  # noqa: FBT001 - drawn
) -> None:
    chaos = Chaos(live=live, spread=spread)
    for step in steps:
        chaos.happen(step)

    chaos.end()

    chaos.assert_at_rest()
    chaos.assert_venue_and_we_agree()
    chaos.assert_signals_agree_with_their_orders()
