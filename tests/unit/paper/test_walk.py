"""The simulated walk."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import EpochMs
from app.domain.market import Quote
from app.paper.prices.walk import STEP_MS, walk
from tests.support.builders import BTC, ETH

TICK = Decimal("0.01")
times = st.integers(0, 4_102_444_800_000).map(EpochMs)


def btc(at_ms: int, seed: str = "demo") -> Quote:
    return walk(seed, BTC, Decimal(60_000), TICK, EpochMs(at_ms))


@given(times)
def test_the_walk_stays_within_a_fifth_of_its_base(at_ms: EpochMs) -> None:
    quote = btc(at_ms)

    assert Decimal(48_000) <= quote.bid < quote.ask <= Decimal(72_000)
    assert quote.last in {quote.bid, quote.ask}


@given(times)
def test_its_prices_are_multiples_of_the_step(at_ms: EpochMs) -> None:
    quote = walk("demo", BTC, Decimal(60_000), Decimal("0.25"), at_ms)

    assert quote.bid % Decimal("0.25") == quote.ask % Decimal("0.25") == 0


def test_a_time_has_the_same_price_in_every_process() -> None:
    quote = btc(1_700_000_000_000)

    assert (quote.bid, quote.ask) == (Decimal("62967.50"), Decimal("62973.80"))


def test_a_price_stands_still_for_a_step() -> None:
    start = 1_700_000_000_000

    assert btc(start) == btc(start + STEP_MS - 1)
    assert btc(start) != btc(start + STEP_MS)


@given(times)
def test_one_step_moves_the_price_by_little(at_ms: EpochMs) -> None:
    change = abs(btc(at_ms).bid - btc(at_ms + STEP_MS).bid)

    assert change < Decimal(200)


def test_seeds_and_symbols_walk_their_own_ways() -> None:
    start = EpochMs(1_700_000_000_000)

    assert btc(start) != btc(start, "other")
    assert walk("demo", ETH, Decimal(60_000), TICK, start) != btc(start)


def test_a_coarse_step_never_leads_to_a_price_of_nothing() -> None:
    quote = walk("demo", BTC, Decimal(1), Decimal(100), EpochMs(0))

    assert (quote.bid, quote.ask) == (Decimal(100), Decimal(200))
