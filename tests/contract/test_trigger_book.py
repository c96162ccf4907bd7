"""The trigger book, compared with a model that looks at every trigger on every tick."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import Direction, PriceSource
from app.domain.identifiers import AggregateId, Symbol, VenueName
from app.domain.market import Quote, Tick
from app.domain.trigger import Firing, Offset, Trigger, TriggerState
from app.store.core import keys
from app.store.core.trigger_book import QUIET_MS, WORK_AT_ONCE, RedisTriggerBook
from tests.support.builders import BTC, ETH, NOW, PAPER, USDM_ID, a_quote, a_tick, a_trigger, an_id
from tests.support.naive_book import NaiveBook
from tests.support.searching import times
from tests.support.servers import fresh_client

RISING, FALLING = Direction.RISING, Direction.FALLING
OTHER = VenueName("binance")


@pytest.fixture
def book(client: redis.Redis) -> RedisTriggerBook:
    return RedisTriggerBook(client)


def trigger(owner: int = 1, level: str = "1900", direction: Direction = FALLING) -> Trigger:
    return a_trigger(owner=an_id(owner, USDM_ID), level=Decimal(level), direction=direction)


def trailing(
    owner: int = 1, trail: str = "50", direction: Direction = FALLING, **odd: object
) -> Trigger:
    """A trigger that trails by an amount, or by a percentage that ends in `%`."""
    offset = Offset(Decimal(trail.rstrip("%")), is_percent=trail.endswith("%"))
    made = a_trigger(owner=an_id(owner, USDM_ID), level=None, trail=offset, direction=direction)
    return replace(made, **odd)  # type: ignore[arg-type]  # by name


def owner(number: int) -> AggregateId:
    return an_id(number, USDM_ID)


def owners(fired: Sequence[Firing]) -> list[AggregateId]:
    return [one.owner for one in fired]


@pytest.mark.parametrize(
    ("direction", "price", "fires"),
    [
        (FALLING, "1900.01", False),
        (FALLING, "1900", True),
        (FALLING, "1500", True),
        (RISING, "1899.99", False),
        (RISING, "1900", True),
        (RISING, "2500", True),
    ],
)
def test_a_trigger_fires_at_its_level_and_beyond(
    book: RedisTriggerBook, direction: Direction, price: str, *, fires: bool
) -> None:
    book.arm(trigger(direction=direction))

    fired = book.fire(PAPER, a_tick(last=price))

    assert owners(fired) == ([owner(1)] if fires else [])


def test_a_level_between_two_ticks_does_not_fire_early(book: RedisTriggerBook) -> None:
    book.arm(trigger(1, "1900.0055", RISING))
    book.arm(trigger(2, "1900.0045", FALLING))

    early = book.fire(PAPER, a_tick(1, last="1900.005"))
    high = book.fire(PAPER, a_tick(2, last="1900.01"))

    assert early == []
    assert owners(high) == [owner(1)]


def test_a_trigger_fires_once(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    (fired,) = book.fire(PAPER, a_tick(1, last="1800"))
    book.done(PAPER, [fired])

    assert owners(book.fire(PAPER, a_tick(2, last="1700"))) == []


def test_what_has_fired_stays_listed_until_its_owner_knows(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    book.fire(PAPER, a_tick(7, last="1800"))

    again = book.fire(PAPER, a_tick(8, last="1700"))
    (listed,) = book.fired(PAPER)
    book.done(PAPER, [replace(listed, tick=8)])
    left = book.fired(PAPER)
    book.done(PAPER, [listed])

    assert listed == Firing(owner=owner(1), symbol=ETH, tick=7, prices={"": Decimal(1_800)})
    assert again == []
    assert left == [listed], "what fired at another tick is another firing"
    assert book.fired(PAPER) == []


def test_arming_twice_is_arming_once(book: RedisTriggerBook) -> None:
    book.arm(trigger(level="1900"))
    book.arm(trigger(level="1850"))

    assert owners(book.fire(PAPER, a_tick(1, last="1880"))) == []
    assert owners(book.fire(PAPER, a_tick(2, last="1850"))) == [owner(1)]


def test_a_disarmed_trigger_does_not_fire(book: RedisTriggerBook) -> None:
    book.arm(trigger())
    book.disarm(trigger())
    book.disarm(trigger())

    assert owners(book.fire(PAPER, a_tick(last="1800"))) == []


def test_a_tick_that_is_not_newer_fires_nothing(book: RedisTriggerBook) -> None:
    book.arm(trigger(1, "1900"))
    book.fire(PAPER, a_tick(5, last="2000"))
    book.arm(trigger(2, "1950"))

    older = [book.fire(PAPER, a_tick(number, last="1800")) for number in (4, 5)]

    assert older == [[], []]
    assert owners(book.fire(PAPER, a_tick(6, last="1800"))) == [owner(1), owner(2)]


def test_a_trigger_armed_after_a_tick_has_begun_waits_for_the_next_one(
    book: RedisTriggerBook,
) -> None:
    book.begin(PAPER, a_tick(5))
    book.arm(trigger())  # opens its book

    again = book.fire(PAPER, a_tick(5, last="1800"))

    assert again == []
    assert owners(book.fire(PAPER, a_tick(6, last="1800"))) == [owner(1)]


def test_what_one_tick_fires_comes_in_order_of_owners(book: RedisTriggerBook) -> None:
    for number, level in ((3, "1950"), (1, "1900"), (2, "1990")):
        book.arm(trigger(number, level))
    book.arm(trigger(0, "1700", RISING))

    fired = book.fire(PAPER, a_tick(last="1800"))

    assert owners(fired) == [owner(number) for number in (0, 1, 2, 3)]


def test_each_source_has_its_own_price(book: RedisTriggerBook) -> None:
    for number, source in enumerate(PriceSource):
        book.arm(replace(trigger(number, "1950"), source=source))
    quote = Quote(bid=Decimal(1_940), ask=Decimal(1_960), last=Decimal(1_950), mark=Decimal(1_970))
    quotes = {ETH: quote}

    fired = book.fire(PAPER, Tick(number=1, at_ms=NOW, quotes=quotes))

    by_source = dict(zip(PriceSource, map(owner, range(4)), strict=True))
    assert owners(fired) == [by_source[PriceSource.BID], by_source[PriceSource.LAST]]


def test_a_tick_moves_the_symbols_that_it_names(book: RedisTriggerBook) -> None:
    book.arm(trigger())

    assert owners(book.fire(PAPER, a_tick(1, BTC, "1"))) == []
    assert owners(book.fire(OTHER, a_tick(1, ETH, "1"))) == []
    assert owners(book.fire(PAPER, a_tick(1, ETH, "1"))) == [owner(1)]


def test_symbols_are_those_with_something_armed(book: RedisTriggerBook) -> None:
    assert list(book.symbols(PAPER)) == []

    book.arm(trigger())
    armed = set(book.symbols(PAPER))
    book.disarm(trigger())

    assert armed == {ETH}
    assert set(book.symbols(PAPER)) == set()


def test_a_gap_that_fires_more_than_one_call_takes_fires_all(book: RedisTriggerBook) -> None:
    count = WORK_AT_ONCE + 5
    book.arm_all([(trigger(number, "1900"), None) for number in range(count)])

    assert len(book.fire(PAPER, a_tick(last="1000"))) == count


def test_a_book_keeps_its_unit_when_the_tick_of_the_symbol_changes(book: RedisTriggerBook) -> None:
    book.arm(replace(trigger(1, "1900.5"), price_step=Decimal("0.01")))
    book.arm(replace(trigger(2, "1900.5"), price_step=Decimal("0.5")))

    assert owners(book.fire(PAPER, a_tick(1, last="1900.51"))) == []
    assert owners(book.fire(PAPER, a_tick(2, last="1900.5"))) == [owner(1), owner(2)]


# Trailing triggers: Poloniex spec 3.7, examples T1 to T6


def activated(at: str, direction: Direction) -> dict[str, object]:
    return {"activation": Decimal(at), "activates": direction}


@pytest.mark.parametrize(
    ("trail", "direction", "odd", "created_at", "quiet", "fires_at"),
    [
        pytest.param(
            "500", FALLING, {}, "60000", ["60400", "60100", "61000", "60600"], "60500", id="T1"
        ),
        pytest.param(
            "2%",
            FALLING,
            activated("62000", RISING),
            "60000",
            ["58000", "61999", "62000", "63000", "61740.01"],
            "61740",
            id="T2",
        ),
        pytest.param("1.5%", RISING, {}, "2000", ["1900", "1928.49"], "1928.50", id="T3"),
        pytest.param("500", FALLING, {}, "61000", [], "60450", id="T4"),
        pytest.param("1%", RISING, {}, "1950", ["1900"], "1920", id="T5"),
        pytest.param(
            "50",
            RISING,
            activated("1900", FALLING),
            "2000",
            ["2100", "1900", "1880", "1929"],
            "1930",
            id="T6",
        ),
    ],
)
def test_it_trails(  # noqa: PLR0913, PLR0917 - a table
    book: RedisTriggerBook,
    trail: str,
    direction: Direction,
    odd: dict[str, object],
    created_at: str,
    quiet: list[str],
    fires_at: str,
) -> None:
    book.fire(PAPER, a_tick(1, last=created_at))
    book.arm(trailing(1, trail, direction, **odd), a_tick(1, last=created_at))

    numbered = enumerate([*quiet, fires_at], 2)
    fired = [book.fire(PAPER, a_tick(number, last=price)) for number, price in numbered]

    *nothing, [firing] = fired
    assert nothing == [[]] * len(quiet)
    assert (firing.owner, firing.tick) == (owner(1), len(quiet) + 2)
    assert firing.prices == {"": Decimal(fires_at)}
    best = max if direction is FALLING else min
    prices = [created_at, *quiet]
    if "activation" in odd:  # it counts from there
        prices = prices[prices.index(str(odd["activation"])) :]
    assert firing.extremes[""] == best(map(Decimal, prices))


def test_a_trailing_one_that_saw_no_price_trails_from_the_first(book: RedisTriggerBook) -> None:
    one = trailing(1, "50")
    book.arm(one)
    before = book.standing(one)
    book.fire(PAPER, a_tick(1, last="2000"))

    assert before == TriggerState()
    assert book.standing(one) == TriggerState(extreme=Decimal(2_000), level=Decimal(1_950))
    assert owners(book.fire(PAPER, a_tick(2, last="1950"))) == [owner(1)]
    assert book.standing(one) is None


def test_the_level_of_a_percentage_is_not_rounded(book: RedisTriggerBook) -> None:
    one = trailing(1, "0.3333333333%")
    book.arm(one, a_tick(0, last="1999.99"))

    standing = book.standing(one)
    above = book.fire(PAPER, a_tick(1, last="1993.33"))
    below = book.fire(PAPER, a_tick(2, last="1993.32"))

    assert standing is not None
    assert standing.level == Decimal("1999.99") * (1 - Decimal("0.3333333333") / 100)
    assert above == []
    assert owners(below) == [owner(1)]


def test_one_that_looks_now_fires_at_once_where_its_level_is_crossed(
    book: RedisTriggerBook,
) -> None:
    fires = book.arm(trigger(1, "1900"), a_tick(3, last="1900"))
    waits = book.arm(trigger(2, "1900"), a_tick(3, last="1900.01"))

    assert (fires, waits) == (True, False)
    assert book.fired(PAPER) == [
        Firing(owner=owner(1), symbol=ETH, tick=3, prices={"": Decimal(1_900)})
    ]


def test_ticks_older_than_the_one_it_looked_at_do_not_count(book: RedisTriggerBook) -> None:
    """Two ticks are on their way when it is armed, and it has seen the newer one."""
    one = trailing(3, "100")
    book.arm(trigger(1, "1900"), a_tick(2, last="2000"))
    book.arm(trigger(2, "2100", RISING), a_tick(2, last="2000"))
    book.arm(one, a_tick(2, last="2000"))

    old = book.fire(PAPER, a_tick(1, last="1000"))
    seen = book.fire(PAPER, a_tick(2, last="2000"))
    standing = book.standing(one)
    new = book.fire(PAPER, a_tick(3, last="1900"))

    assert (old, seen) == ([], [])
    assert standing == TriggerState(extreme=Decimal(2_000), level=Decimal(1_900))
    assert owners(new) == [owner(1), owner(3)]


def test_an_activation_that_holds_already_makes_it_active_at_once(book: RedisTriggerBook) -> None:
    one = trailing(1, "50", FALLING, activation=Decimal(1_900), activates=RISING)
    book.arm(one, a_tick(1, last="2000"))

    assert book.standing(one) == TriggerState(extreme=Decimal(2_000), level=Decimal(1_950))


def test_a_trailing_one_that_is_armed_twice_trails_on(book: RedisTriggerBook) -> None:
    one = trailing(1, "50")
    book.arm(one, a_tick(1, last="2000"))
    book.fire(PAPER, a_tick(2, last="2100"))
    book.arm(one, a_tick(2, last="2060"))

    assert owners(book.fire(PAPER, a_tick(3, last="2050"))) == [owner(1)]


@pytest.mark.parametrize(
    "one",
    [
        trailing(1, "50"),
        trailing(1, "1%", RISING),
        trailing(1, "50", FALLING, activation=Decimal(2_500), activates=RISING),
        trigger(1, "1900"),
    ],
)
@pytest.mark.parametrize("seen", [None, a_tick(1, last="2000"), a_tick(9, last="2000")])
def test_whatever_it_waits_for_it_can_be_disarmed(
    client: redis.Redis, one: Trigger, seen: Tick | None
) -> None:
    book = RedisTriggerBook(client)
    book.fire(PAPER, a_tick(1, last="2000"))
    book.arm(one, seen)
    book.disarm(one)

    left = client.keys(f"{keys.book(PAPER, ETH)}*")

    assert left == [f"{keys.book(PAPER, ETH)}:meta"]
    assert book.standing(one) is None
    assert list(book.symbols(PAPER)) == []


def test_triggers_of_one_owner_that_fire_at_one_tick_are_one_firing(book: RedisTriggerBook) -> None:
    book.arm(replace(trigger(1, "1900"), slot="stop"))
    book.arm(replace(trigger(1, "1950"), slot="target", source=PriceSource.BID))

    fired = book.fire(PAPER, a_tick(1, last="1800"))

    prices = {"stop": Decimal(1_800), "target": Decimal(1_800)}
    assert fired == [Firing(owner=owner(1), symbol=ETH, tick=1, prices=prices)]
    book.done(PAPER, [fired[0]])
    assert book.fired(PAPER) == []


def test_a_gap_that_fires_many_trailing_ones_fires_all(book: RedisTriggerBook) -> None:
    count = WORK_AT_ONCE + 5
    seen = a_tick(1, last="2000")
    book.arm_all([(trailing(number, f"{number + 1}"), seen) for number in range(count)])

    assert len(book.fire(PAPER, a_tick(2, last="0.01"))) == count


def test_a_symbol_that_has_been_quiet_for_long_is_forgotten(client: redis.Redis) -> None:
    book = RedisTriggerBook(client)
    book.arm(trigger())
    book.disarm(trigger())
    soon = list(book.symbols(PAPER)), client.zcard(keys.books(PAPER))
    client.zincrby(keys.books(PAPER), -QUIET_MS - 1, ETH)

    later = list(book.symbols(PAPER))

    assert soon == ([], 1)
    assert later == []
    assert client.keys(f"{keys.book(PAPER, ETH)}*") == []
    assert client.zcard(keys.books(PAPER)) == 0


def test_a_symbol_with_something_armed_is_not_forgotten(client: redis.Redis) -> None:
    book = RedisTriggerBook(client)
    book.arm(trigger())
    client.zincrby(keys.books(PAPER), -QUIET_MS - 1, ETH)

    assert list(book.symbols(PAPER)) == [ETH]
    assert client.zcard(keys.books(PAPER)) == 1


def test_a_server_that_was_started_anew_is_told_the_scripts_again(client: redis.Redis) -> None:
    book = RedisTriggerBook(client)
    book.arm(trigger())
    client.script_flush()

    assert owners(book.fire(PAPER, a_tick(1, last="1800"))) == [owner(1)]


# Random markets, against a look at every trigger


#: Arm a trigger, having looked at the newest price, or not. One that is armed stays armed.
Arm = tuple[Trigger, bool]


@dataclass(frozen=True)
class Step:
    """Something else that happens: a price, the evaluation of the oldest one, a disarming ..."""

    word: str
    name: int = 0
    prices: tuple[tuple[Symbol, Decimal, Decimal], ...] = ()


PRICES = st.integers(8_000, 12_000).map(lambda steps: Decimal(steps) / 100)
NEAR = st.integers(9_950, 10_050).map(lambda steps: Decimal(steps) / 100)
ANY_PRICE = st.one_of(PRICES, NEAR)
SYMBOLS = st.sampled_from([ETH, ETH, BTC])
OFFSETS = st.one_of(
    st.integers(1, 800).map(lambda steps: Offset(Decimal(steps) / 100)),
    st.integers(1, 80).map(lambda tenths: Offset(Decimal(tenths) / 10, is_percent=True)),
    st.integers(1, 10**11).map(lambda parts: Offset(Decimal(parts).scaleb(-10), is_percent=True)),
)
WAITS = st.one_of(
    st.fixed_dictionaries({"level": ANY_PRICE}),
    st.fixed_dictionaries({"level": st.none(), "trail": OFFSETS}),
    st.fixed_dictionaries({"level": st.none(), "trail": OFFSETS}),
    st.fixed_dictionaries(
        {
            "level": st.none(),
            "trail": OFFSETS,
            "activation": ANY_PRICE,
            "activates": st.sampled_from(Direction),
        }
    ),
)


def _armed(
    name: int, symbol: Symbol, direction: Direction, waits: dict[str, object], *, looks: bool
) -> Arm:
    source = PriceSource.BID if name % 4 == 0 else PriceSource.LAST
    made = a_trigger(owner=owner(name), symbol=symbol, direction=direction, source=source, **waits)
    return made, looks


NAMES = st.integers(1, 14)
ARMS = st.builds(_armed, NAMES, SYMBOLS, st.sampled_from(Direction), WAITS, looks=st.booleans())
TICKS = st.builds(
    Step,
    st.just("price"),
    prices=st.lists(
        st.tuples(SYMBOLS, ANY_PRICE, ANY_PRICE),
        min_size=1,
        max_size=2,
        unique_by=lambda one: one[0],
    ).map(tuple),
)
OTHERS = st.builds(
    Step, st.sampled_from(["evaluate", "evaluate", "evaluate", "disarm", "done", "again"]), NAMES
)
STEPS = st.lists(st.one_of(ARMS, ARMS, TICKS, TICKS, OTHERS, OTHERS), max_size=60)


class Market:
    """The book and the model, going through the same."""

    def __init__(self, client: redis.Redis, work_at_once: int) -> None:
        self.book = RedisTriggerBook(client, work_at_once)
        self.naive = NaiveBook()
        self.ticks: list[Tick] = []
        self.evaluated = 0
        self.seen: dict[Symbol, Quote] = {}

    def go(self, step: Arm | Step) -> None:
        """Let one thing happen to both, and compare what they answer."""
        if not isinstance(step, Step):
            self._arm(*step)
            return
        one = owner(step.name)
        match step.word:
            case "price":
                self._price(step)
            case "evaluate" if self.evaluated < len(self.ticks):
                tick = self.ticks[self.evaluated]
                self.evaluated += 1
                self.book.begin(PAPER, tick)
                assert self.book.fire(PAPER, tick) == self.naive.fire(tick)
            case "again" if 0 < step.name <= self.evaluated:
                assert self.book.fire(PAPER, self.ticks[self.evaluated - step.name]) == []
            case "disarm" if one in self.naive.held:
                self.book.disarm(self.naive.held.pop(one).trigger)
            case "done" if one in self.naive.fired:
                self.book.done(PAPER, [self.naive.fired.pop(one)])

    def _arm(self, one: Trigger, looks: bool) -> None:  # noqa: FBT001 - drawn
        if one.owner in self.naive.fired:
            return
        seen = None
        if looks and one.symbol in self.seen:
            quotes = {one.symbol: self.seen[one.symbol]}
            seen = Tick(number=len(self.ticks), at_ms=NOW, quotes=quotes)
        held = self.naive.held.get(one.owner)
        if held is None:
            assert self.book.arm(one, seen) is self.naive.arm(one, seen)
        elif held.trigger.level is None:
            assert not self.book.arm(held.trigger, seen), "it trails on"

    def _price(self, step: Step) -> None:
        quotes = {
            symbol: a_quote(str(min(bid, last)), None, str(last))
            for symbol, bid, last in step.prices
        }
        self.seen |= quotes
        self.ticks.append(Tick(number=len(self.ticks) + 1, at_ms=NOW, quotes=quotes))

    def compare(self) -> None:
        """Compare what both hold: fired, armed, and where each trigger stands."""
        fired = sorted(self.naive.fired.values(), key=lambda one: (one.tick, one.owner))
        assert self.book.fired(PAPER) == fired
        armed = {held.trigger.symbol for held in self.naive.held.values()}
        assert set(self.book.symbols(PAPER)) == armed
        for held in self.naive.held.values():
            assert self.book.standing(held.trigger) == held.standing


WORK = st.sampled_from([1, 2, 3, WORK_AT_ONCE])


@times(6)
@given(STEPS, WORK)
def test_the_book_fires_what_a_look_at_every_trigger_would(
    steps: list[Arm | Step], work_at_once: int
) -> None:
    market = Market(fresh_client(), work_at_once)
    for step in steps:
        market.go(step)
        market.compare()
