"""Ticks of the paper venue, and resting orders that meet them."""

from decimal import Decimal

from app.domain.enums import PositionSide, Side
from app.domain.identifiers import EpochMs, Symbol
from app.domain.status import OrderStatus
from app.paper.domain.ledger import BookEntry
from app.paper.prices.walk import WalkSource
from tests.support.builders import BTC, ETH, SPOT, USDM, a_quote, must
from tests.support.paper_world import PaperWorld

LONG = PositionSide.LONG


def test_ticks_come_one_by_one_in_order_and_none_is_merged(world: PaperWorld) -> None:
    numbers = [world.set_price(price) for price in ("1", "2", "2", "3")]

    ticks = world.evaluate()

    assert [tick.number for tick in ticks] == numbers
    assert numbers == sorted(set(numbers))
    assert [tick.quotes[BTC].last for tick in ticks] == [1, 2, 2, 3]


def test_a_tick_stays_until_it_is_done(world: PaperWorld) -> None:
    world.set_price("1")
    tick = must(world.feed.next_tick([]))

    assert world.feed.next_tick([]) == tick
    world.feed.done(tick)
    world.feed.done(tick)

    assert world.feed.next_tick([]) is None


def test_one_setting_is_one_tick_however_many_symbols_it_has(world: PaperWorld) -> None:
    world.desk.set_prices({"prices": {"BTC/USDT": {"last": "1"}, "ETH/USDT": {"last": "2"}}})

    (tick,) = world.evaluate()

    assert set(tick.quotes) == {BTC, ETH}


def test_a_symbol_without_a_price_is_not_in_its_tick(world: PaperWorld) -> None:
    world.desk.set_prices({"prices": {"BTC/USDT": None}})

    (tick,) = world.evaluate()

    assert tick.quotes == {}


def test_a_tick_has_the_business_time_at_which_it_was_set(world: PaperWorld) -> None:
    world.clock.advance(77)
    world.set_price("1")

    assert [tick.at_ms for tick in world.evaluate()] == [world.clock.now_ms()]


def test_the_source_is_looked_at_only_for_what_somebody_waits_for(world: PaperWorld) -> None:
    world.source.quotes = {ETH: a_quote("2000")}

    assert world.feed.next_tick([]) is None
    assert world.feed.next_tick([BTC]) is None

    assert must(world.feed.next_tick([BTC, ETH])).quotes == {ETH: a_quote("2000")}


def test_an_unchanged_price_of_the_source_is_no_tick(world: PaperWorld) -> None:
    world.source.quotes = {ETH: a_quote("2000")}
    world.feed.done(must(world.feed.next_tick([ETH])))

    assert world.feed.next_tick([ETH]) is None
    world.source.quotes = {ETH: a_quote("2001")}

    assert world.feed.next_tick([ETH]) is not None


def test_a_set_price_stops_the_source_until_prices_are_cleared(world: PaperWorld) -> None:
    world.source.quotes = {BTC: a_quote("60000")}

    assert world.feed.next_tick([BTC]) is None
    world.desk.clear_prices()

    assert must(world.feed.next_tick([BTC])).quotes == {BTC: a_quote("60000")}


def test_the_same_walk_price_after_a_set_one_is_a_tick_again(world: PaperWorld) -> None:
    world.source.quotes = {ETH: a_quote("2000")}
    world.feed.done(must(world.feed.next_tick([ETH])))
    world.price("5", ETH)

    world.desk.clear_prices()

    assert world.feed.next_tick([ETH]) is not None


def test_a_look_at_the_source_that_a_set_price_overtook_is_dropped(world: PaperWorld) -> None:
    seen = world.ports.prices.observed()
    world.price("5")

    world.ports.prices.observe({BTC: a_quote("60000")}, seen.tick, EpochMs(1))

    assert world.feed.next_tick([]) is None


def test_a_later_tick_fills_a_resting_order(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.125", "40000")
    world.spot.place(order)

    world.price("45000")
    assert world.row(order).status is OrderStatus.NEW
    world.price("39000")

    row = world.row(order)
    assert row.status is OrderStatus.FILLED
    assert row.average_price == Decimal(40_000)
    assert world.available() == Decimal(5_000)
    assert world.resting() == 0


def test_prices_beyond_the_reach_of_doubles_still_decide_exactly(world: PaperWorld) -> None:
    world.desk.set_instruments(
        {
            "instruments": [
                {
                    "symbol": "BTC/USDT",
                    "market": "SPOT",
                    "price_step": "0.000000000000001",
                    "quantity_step": "0.0001",
                }
            ]
        }
    )
    order = world.order(Side.BUY, "0.1", "40000.000000000000001")
    world.spot.place(order)

    world.price("40000.000000000000002")
    assert world.row(order).status is OrderStatus.NEW
    world.price("40000.000000000000001")

    assert world.row(order).status is OrderStatus.FILLED


def test_an_order_does_not_meet_ticks_from_before_its_arrival(world: PaperWorld) -> None:
    world.set_price("39000")
    world.set_price("50000")
    order = world.order(Side.BUY, "0.125", "40000")
    world.spot.place(order)

    world.evaluate()

    assert world.row(order).status is OrderStatus.NEW
    world.price("39000")
    assert world.row(order).status is OrderStatus.FILLED


def test_matching_a_tick_twice_fills_nothing_twice(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    world.desk.set_prices({"prices": {"BTC/USDT": {"bid": "39000", "asks": [["39000", "0.03"]]}}})
    tick = must(world.feed.next_tick([]))

    world.feed.match(tick)
    world.feed.match(tick)

    assert world.row(order).filled_quantity == Decimal("0.03")
    assert world.resting() == 1


def test_the_best_price_comes_first_then_the_earliest(world: PaperWorld) -> None:
    orders = [
        world.order(Side.SELL, "0.1", price) for price in ("61000", "60000", "60000", "59000")
    ]
    for order in orders:
        world.spot.place(order)

    (found,) = [one for one in world.ports.book.crossed({BTC: a_quote("60500")}) if one]

    assert [entry.client_order_id for entry in found] == [
        orders[3].client_order_id,
        orders[1].client_order_id,
        orders[2].client_order_id,
    ]


def test_buys_come_highest_first(world: PaperWorld) -> None:
    orders = [world.order(Side.BUY, "0.01", price) for price in ("40000", "42000", "41000")]
    for order in orders:
        world.spot.place(order)

    (found,) = [one for one in world.ports.book.crossed({BTC: a_quote("40500")}) if one]

    assert [entry.client_order_id for entry in found] == [
        orders[1].client_order_id,
        orders[2].client_order_id,
    ]


def test_the_feed_knows_what_resting_orders_wait_for(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.01", "40000")

    world.spot.place(order)
    assert set(world.feed.symbols()) == {BTC}
    world.spot.cancel(order)

    assert set(world.feed.symbols()) == set()


def test_one_tick_moves_the_orders_of_all_accounts_and_markets(world: PaperWorld) -> None:
    world.price("2000", ETH)
    spot = world.order(Side.BUY, "0.01", "40000")
    usdm = world.order(Side.BUY, "0.5", "1900", leg=LONG)
    world.spot.place(spot)
    world.usdm.place(usdm)

    world.desk.set_prices({"prices": {"BTC/USDT": {"last": "40000"}, "ETH/USDT": {"last": "1900"}}})
    world.evaluate()

    assert world.row(spot).status is OrderStatus.FILLED
    assert world.row(usdm).status is OrderStatus.FILLED
    assert world.reports.accounts_with_news() == [SPOT.id, USDM.id]


def test_more_orders_than_fit_into_one_commit_all_fill(world: PaperWorld) -> None:
    world.desk.set_account(SPOT, {"balances": {"USDT": "1000000"}})
    orders = [world.order(Side.BUY, "0.001", "40000") for _ in range(205)]
    for order in orders:
        world.spot.place(order)

    world.price("40000")

    assert {row.outcome for row in world.ledger.rows(SPOT.id)} == {"FILLED"}
    assert world.resting() == 0


def test_an_entry_whose_order_is_closed_is_taken_out(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.01", "40000")
    world.spot.place(order)
    row = world.row(order)
    world.spot.cancel(order)
    world.ports.book.arrive(SPOT.id, row)

    world.price("39000")

    assert world.resting() == 0


def test_an_entry_of_a_placement_that_died_is_taken_out(world: PaperWorld) -> None:
    """The process was killed after it entered the book and before it committed."""
    order = world.order(Side.BUY, "0.01", "40000")
    world.spot.place(order)
    row = world.row(order)
    world.desk.set_account(SPOT, {"reset": True})
    world.ports.book.arrive(SPOT.id, row)

    world.price("39000")

    assert world.resting() == 0
    assert world.spot.find(order) is None


def test_leaving_the_book_twice_is_no_error(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.01", "40000")
    world.spot.place(order)
    entry = BookEntry.of(SPOT.id, world.row(order))

    world.ports.book.leave([entry])
    world.ports.book.leave([entry])

    assert world.resting() == 0


def test_the_walk_has_prices_for_what_is_traded(world: PaperWorld) -> None:
    walk = WalkSource("demo")
    doge = Symbol("DOGE/USDT")

    rules = world.ports.instruments.rules(ETH)
    quote = must(walk.quote(ETH, rules, EpochMs(1_700_000_000_000)))

    assert Decimal(1_600) <= quote.bid < quote.ask <= Decimal(2_400)
    assert walk.quote(doge, world.ports.instruments.rules(doge), EpochMs(0)) is None
