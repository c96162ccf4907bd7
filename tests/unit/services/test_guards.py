"""Guards belong to the position that they were made for, and are looked after from the start."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.account import Account
from app.domain.commands import Action, NetAction, NetCommand
from app.domain.enums import Dialect, Mode, PositionSide, ReasonCode
from app.domain.errors import VenueUnavailable
from app.domain.events import OrderReported
from app.domain.exits import SHOWN_LATE_MS
from app.domain.identifiers import AccountId, VenueName
from app.domain.market import AccountView
from app.domain.reason import Reason
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus, Signal, Stage
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.ports.policy import Policy
from app.services.advance import advance
from app.services.following.follow import follow_news
from app.services.following.guards import (
    LOOK_LEASE_MS,
    LOOKS_APART_MS,
    SHARE,
    hand_out_guards,
    in_a_round,
    look_at_guards,
    round_ms,
)
from app.services.intake.requests import accept_reversal
from app.services.placing.cancel import request_cancel
from app.services.watching.watch import watch_prices
from app.venues import traits_of
from tests.support.builders import (
    ETH,
    PAPER,
    REQUESTED,
    USDM,
    USDM_ID,
    a_command,
    a_live_account,
    a_tick,
    a_view,
    fixed,
)
from tests.support.paper_rig import PaperRig
from tests.support.rig import Rig, deaths, encounters

LONG = PositionSide.LONG
REAL = Policy()
USDM_FEED = VenueName("binance")
FLAT = a_view({"USDT": "100000"})
HOLDING = a_view({"USDT": "100000"}, {LONG: "0.4"})
OPEN = a_command(
    Action.OPEN_LONG, size=fixed("0.4"), take_profit=Decimal(2_200), stop_loss=Decimal(1_900)
)


def sold(rig: Rig) -> list[Decimal]:
    return [order.filled_quantity for order in rig.orders() if order.reduce_only]


# A price that was passed before the guard was there


@pytest.mark.parametrize("last", ["1850", "1900", "2200", "2250"])
def test_a_level_that_is_passed_when_its_guard_is_armed_fires_at_once(rig: Rig, last: str) -> None:
    rig.feed.seen[ETH] = a_tick(last=last)
    rig.venue.account = HOLDING

    signal = rig.run(OPEN)
    rig.drain()

    assert sold(rig) == [Decimal("0.4")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


@pytest.mark.parametrize("last", ["1901", "2199", None])
def test_a_level_that_is_not_passed_or_not_known_waits(rig: Rig, last: str | None) -> None:
    if last is not None:
        rig.feed.seen[ETH] = a_tick(last=last)
    rig.venue.account = HOLDING

    signal = rig.run(OPEN)

    assert sold(rig) == []
    assert rig.signal(signal.id).stage is Stage.PROTECTED


def test_an_entry_that_fills_past_its_stop_is_out_again_on_paper() -> None:
    rig = PaperRig()
    rig.world.price("2000", ETH)
    signal = rig.run(replace(OPEN, limit_price=Decimal(1_950)))

    rig.world.set_price("1850", ETH)
    rig.watch_and_work()

    assert sold(rig) == [Decimal("0.4")]
    assert rig.signal(signal.id).status is RequestStatus.DONE


@pytest.mark.parametrize("end", [OrderStatus.CANCELED, OrderStatus.EXPIRED])
def test_what_an_entry_has_filled_is_guarded_however_its_rest_ends(
    rig: Rig, end: OrderStatus
) -> None:
    a_part = OrderReport(
        status=OrderStatus.PARTIALLY_FILLED,
        filled_quantity=Decimal("0.1"),
        average_price=Decimal(1_950),
    )
    rig.venue.place_script.append(a_part)
    signal = rig.run(replace(OPEN, limit_price=Decimal(1_950)))
    assert rig.smart_orders() == []

    entry = rig.order()
    reason = Reason(ReasonCode.TIME_IN_FORCE, "its time was over")
    rig.venue.account = HOLDING
    ended = replace(a_part, status=end, reason=reason)
    rig.reports.news[USDM_ID] = {entry.client_order_id: ended}
    follow_news(rig.ports)
    rig.drain()

    assert rig.signal(signal.id).stage is Stage.PROTECTED
    assert [one.quantity for one in rig.smart_orders()] == [Decimal("0.1")] * 2


# A position that somebody closes


def a_real_rig() -> Rig:
    """A rig whose futures account is at an exchange, with a long of 0.4 that is guarded."""
    rig = Rig()
    rig.registry.put_account(replace(USDM, venue=VenueName("binance"), mode=Mode.LIVE))
    rig.venue.account = HOLDING
    rig.run(OPEN)
    rig.drain()
    assert [one.armed for one in rig.smart_orders()] == [True, True]
    return rig


def look(rig: Rig, shown: AccountView = FLAT, after_ms: int = LOOKS_APART_MS) -> None:
    rig.clock.advance(after_ms)
    rig.venue.account = shown
    look_at_guards(USDM_ID, rig.ports)
    rig.drain()


def guarded(rig: Rig) -> list[bool]:
    return [one.is_protecting for one in signals(rig)]


def signals(rig: Rig) -> list[Signal]:
    return sorted(
        (one for one in rig.whole.newest(None) if isinstance(one, Signal)), key=lambda one: one.id
    )


def test_two_looks_end_all_guards_of_a_position_that_is_gone() -> None:
    rig = a_real_rig()
    rig.run(OPEN)

    look(rig)
    assert guarded(rig) == [True, True]
    look(rig)

    for one in signals(rig):
        assert one.status is RequestStatus.DONE
        assert one.reason is not None
        assert one.reason.code is ReasonCode.POSITION_CLOSED
    assert not rig.ports.book.symbols(USDM_FEED)
    assert rig.ports.live.with_guards([USDM_ID]) == set()
    assert rig.ports.outbox.owed() == []


def test_guards_of_another_leg_stay() -> None:
    rig = a_real_rig()
    both = a_view({"USDT": "100000"}, {LONG: "0.4", PositionSide.SHORT: "0.4"})
    rig.venue.account = both
    short = replace(
        OPEN, action=Action.OPEN_SHORT, take_profit=Decimal(1_900), stop_loss=Decimal(2_200)
    )
    rig.run(short)

    for _ in range(2):
        look(rig, a_view({"USDT": "100000"}, {PositionSide.SHORT: "0.4"}))

    assert guarded(rig) == [False, True]


def test_a_look_that_shows_it_begins_anew() -> None:
    rig = a_real_rig()

    for shown in (FLAT, HOLDING, FLAT):
        look(rig, shown)
        assert guarded(rig) == [True]

    look(rig)
    assert guarded(rig) == [False]


def test_two_looks_that_are_not_apart_are_one() -> None:
    rig = a_real_rig()

    look(rig)
    look(rig, after_ms=SHOWN_LATE_MS - 1)
    assert guarded(rig) == [True]

    look(rig, after_ms=1)
    assert guarded(rig) == [False]


def test_what_a_venue_shows_late_is_guarded_from_the_start() -> None:
    rig = Rig()
    rig.registry.put_account(replace(USDM, venue=VenueName("binance"), mode=Mode.LIVE))
    rig.venue.account = FLAT
    rig.venue.answer = lambda _: OrderReport(
        status=OrderStatus.FILLED,
        filled_quantity=Decimal("0.4"),
        average_price=Decimal(2_000),
        position_after=Decimal(0),
    )

    rig.run(OPEN)
    look(rig, after_ms=1)
    look(rig, HOLDING)

    assert [one.armed for one in rig.smart_orders()] == [True, True]


def test_an_entry_that_is_shown_late_takes_no_guards_of_others() -> None:
    rig = a_real_rig()
    rig.venue.answer = lambda order: OrderReport(
        status=OrderStatus.FILLED,
        filled_quantity=order.quantity,
        average_price=Decimal(2_000),
        position_after=Decimal(0),
    )

    rig.run(OPEN)

    assert guarded(rig) == [True, True]


def test_a_venue_that_cannot_tell_proves_nothing() -> None:
    rig = a_real_rig()
    look(rig)
    rig.venue.view_script.append(VenueUnavailable("away"))

    with pytest.raises(VenueUnavailable):
        look(rig)

    assert guarded(rig) == [True]


def test_an_answer_that_took_too_long_proves_nothing() -> None:
    rig = a_real_rig()
    look(rig)
    rig.venue.before_view = lambda: rig.clock.advance(LOOK_LEASE_MS)

    look(rig)

    assert guarded(rig) == [True]


def seen_once() -> Rig:
    rig = a_real_rig()
    look(rig)
    rig.clock.advance(LOOKS_APART_MS)
    return rig


def look_now(rig: Rig) -> None:
    look_at_guards(USDM_ID, rig.ports)


def test_whoever_dies_over_a_look_leaves_it_to_the_next() -> None:
    for rig in deaths(seen_once, look_now):
        rig.clock.advance(LOOK_LEASE_MS + 1)
        look_now(rig)
        rig.settle()

        assert guarded(rig) == [False]
        assert not rig.ports.book.symbols(USDM_FEED)


def test_two_who_look_at_once_are_one_look() -> None:
    for rig in encounters(a_real_rig_that_is_flat, look_now, look_now):
        assert guarded(rig) == [True]
        assert signals(rig)[0].gone_since_ms == rig.clock.server_ms()


def a_real_rig_that_is_flat() -> Rig:
    rig = a_real_rig()
    rig.venue.account = FLAT
    return rig


def test_a_fill_that_meets_a_look_is_not_judged_by_it() -> None:
    rig = a_real_rig()
    look(rig)
    rig.venue.account = FLAT
    rig.clock.advance(LOOKS_APART_MS)

    def meanwhile() -> None:
        rig.venue.before_view = lambda: None
        rig.venue.account = HOLDING
        rig.run(OPEN)
        rig.venue.account = FLAT

    rig.venue.before_view = meanwhile
    look_now(rig)

    assert signals(rig)[1].gone_since_ms is None


# What the entry has filled is told late


def a_late_one(at: Rig | None = None) -> Rig:
    """An entry that was told to have ended at 0.3 of 0.4, and is guarded for that."""
    rig = at or Rig()
    rig.venue.account = a_view({"USDT": "100000"}, {LONG: "0.3"})
    rig.venue.answer = lambda _: told_of("0.3", OrderStatus.CANCELED)
    rig.run(OPEN)
    rig.venue.answer = lambda order: told_of(str(order.quantity), OrderStatus.FILLED)
    assert [one.quantity for one in rig.smart_orders()] == [Decimal("0.3")] * 2
    return rig


def told_of(quantity: str, status: OrderStatus) -> OrderReport:
    return OrderReport(
        status=status, filled_quantity=Decimal(quantity), average_price=Decimal(2_000)
    )


def tell_late(rig: Rig) -> None:
    rig.venue.account = HOLDING
    event = OrderReported(at_ms=rig.clock.now_ms(), report=told_of("0.4", OrderStatus.FILLED))
    advance(rig.orders()[0].id, event, rig.ports)
    rig.drain()


def stopped_at(rig: Rig, last: str) -> list[Decimal]:
    """Let a price come, and return what guards have sold."""
    rig.feed.ticks.append(a_tick(number=2, last=last))
    watch_prices(PAPER, rig.ports)
    rig.settle(step_ms=1_000)
    return sold(rig)


@pytest.mark.parametrize("last", ["1890", "2210"])
def test_what_an_entry_has_filled_late_is_guarded_as_well(rig: Rig, last: str) -> None:
    a_late_one(rig)

    for _ in range(2):
        tell_late(rig)

    assert [one.quantity for one in rig.smart_orders()] == [Decimal("0.3")] * 2 + [
        Decimal("0.1")
    ] * 2
    assert sorted(stopped_at(rig, last)) == [Decimal("0.1"), Decimal("0.3")]
    (signal,) = signals(rig)
    assert signal.status is RequestStatus.DONE
    assert not any(one.is_live for one in rig.smart_orders())


def test_what_is_filled_after_the_stop_has_sold_the_rest_is_stopped_at_once(rig: Rig) -> None:
    a_late_one(rig)
    assert stopped_at(rig, "1890") == [Decimal("0.3")]
    rig.feed.seen[ETH] = a_tick(number=2, last="1890")

    tell_late(rig)
    rig.settle(step_ms=1_000)

    assert sorted(sold(rig)) == [Decimal("0.1"), Decimal("0.3")]
    assert signals(rig)[0].status is RequestStatus.DONE


def test_what_is_filled_after_a_cancel_of_its_guards_has_none(rig: Rig) -> None:
    a_late_one(rig)
    assert request_cancel(signals(rig)[0].id, REQUESTED, rig.ports)
    rig.drain()

    tell_late(rig)

    assert not any(one.is_live for one in rig.smart_orders())


def test_whoever_dies_over_a_late_fill_leaves_it_guarded_once() -> None:
    for rig in deaths(a_late_one, tell_late):
        rig.settle(step_ms=1_000)
        live = sum(one.quantity or 0 for one in rig.smart_orders() if one.is_live)
        assert live == Decimal("0.8")


def closed_by_hand(rig: Rig) -> None:
    """Let the position be gone at an exchange, twice seen."""
    rig.registry.put_account(replace(USDM, venue=VenueName("binance"), mode=Mode.LIVE))
    rig.venue.account = FLAT
    for _ in range(2):
        rig.clock.advance(SHOWN_LATE_MS + 1_000)
        look_at_guards(USDM_ID, rig.ports)


def test_what_is_filled_after_its_position_was_closed_is_not_taken_for_closed(rig: Rig) -> None:
    a_late_one(rig)
    closed_by_hand(rig)
    rig.settle(step_ms=1_000)
    assert not any(one.is_live for one in rig.smart_orders())

    tell_late(rig)
    rig.venue.account = FLAT  # as it is shown at first
    look_at_guards(USDM_ID, rig.ports)
    rig.settle(step_ms=1_000)

    assert sum(one.is_live for one in rig.smart_orders()) == 2


def test_guards_that_go_with_their_position_take_no_others_along(rig: Rig) -> None:
    a_late_one(rig)
    closed_by_hand(rig)
    assert any(one.is_live for one in rig.smart_orders())  # nobody has carried it out yet

    tell_late(rig)
    rig.settle(step_ms=1_000)

    live = [one.quantity for one in rig.smart_orders() if one.is_live]
    assert live == [Decimal("0.1")] * 2


# A position that is closed and opened anew


def test_a_new_position_is_not_opened_under_the_guards_of_an_old_one() -> None:
    rig = a_real_rig()
    rig.venue.account = FLAT  # closed by hand
    sent = len(rig.venue.sent)

    rig.run(replace(OPEN, take_profit=Decimal(2_400), stop_loss=Decimal(1_500)))
    assert len(rig.venue.sent) == sent

    rig.venue.after_place = lambda _: setattr(rig.venue, "account", HOLDING)
    rig.settle()
    rig.feed.ticks.append(a_tick(number=2, last="2150"))
    watch_prices(USDM_FEED, rig.ports)
    rig.drain()

    assert len(rig.venue.sent) == sent + 1
    assert guarded(rig) == [False, True]
    assert sold(rig) == []


def test_a_net_order_of_another_dialect_waits_for_old_guards_as_well() -> None:
    rig = a_real_rig()
    rig.venue.account = FLAT
    sent = len(rig.venue.sent)
    sender = Sender(
        dialect=Dialect.APISIFY,
        origin="apisify:one",
        account=rig.registry.account(USDM_ID),
        received_at_ms=rig.clock.now_ms(),
    )

    command = NetCommand(action=NetAction.BUY, quantity=Decimal("0.4"))
    accept_reversal(command, ETH, sender, rig.ports)
    rig.drain()
    assert len(rig.venue.sent) == sent
    rig.settle()

    assert len(rig.venue.sent) == sent + 1
    assert guarded(rig) == [False]


def test_an_entry_waits_no_more_for_guards_that_were_let_go_before() -> None:
    rig = a_real_rig()
    rig.venue.account = FLAT
    for _ in range(2):
        rig.clock.advance(LOOKS_APART_MS)
        look_now(rig)
    rig.bury()  # nobody has carried it out
    assert guarded(rig) == [True]
    sent = len(rig.venue.sent)

    rig.run(OPEN)

    assert len(rig.venue.sent) == sent + 1


def test_an_entry_that_adds_waits_only_until_the_position_is_shown() -> None:
    rig = a_real_rig()
    rig.venue.account = FLAT  # the venue shows it late

    rig.run(OPEN)
    assert len(signals(rig)) == 2
    rig.venue.account = HOLDING
    rig.settle()

    assert guarded(rig) == [True, True]


def test_on_paper_no_entry_waits(rig: Rig) -> None:
    rig.venue.account = HOLDING
    rig.run(OPEN)
    rig.venue.account = FLAT
    rig.venue.after_place = lambda _: setattr(rig.venue, "account", HOLDING)

    rig.run(OPEN)

    assert guarded(rig) == [False, True]


# How often


def accounts_at(venue: str, count: int) -> list[Account]:
    return [
        a_live_account(str(number), id=AccountId(number), venue=VenueName(venue))
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("between_ms", [LOOKS_APART_MS + 1, 2 * LOOKS_APART_MS, 60_000])
def test_all_accounts_have_their_turn_however_seldom_somebody_hands_them_out(
    rig: Rig, between_ms: int
) -> None:
    accounts, look_ms = accounts_at("binance", 24), traits_of(VenueName("binance")).look_ms
    chosen: list[AccountId] = []

    for _ in range(3):
        rig.clock.advance(between_ms)
        last_ms = rig.ports.rounds.last_ms()
        chosen += hand_out_guards(accounts, look_ms, last_ms, rig.ports)
        assert hand_out_guards(accounts, look_ms, last_ms, rig.ports) == ()

    assert set(chosen) == {one.id for one in accounts}


def pace_ms(venue: str, count: int) -> int:
    """Return how far apart the looks at each of so many accounts are."""
    each = in_a_round(traits_of(VenueName(venue)).look_ms, REAL.venue_poll_ms)
    return -(-count // each) * round_ms(REAL.venue_poll_ms)


@pytest.mark.parametrize("venue", ["binance", "bybit", "kraken"])
def test_looks_take_no_more_than_their_share(venue: str) -> None:
    look_ms = traits_of(VenueName(venue)).look_ms

    assert in_a_round(look_ms, REAL.venue_poll_ms) * look_ms * SHARE <= LOOKS_APART_MS


def test_the_documents_say_how_many_accounts_an_address_carries() -> None:
    text = Path("docs/venues.md").read_text(encoding="utf-8")

    for venue in ("binance", "bybit"):
        cells = [f"{pace_ms(venue, count) / 1_000:g} s" for count in (10, 50, 100, 250)]
        assert f"| `{venue}` | {' | '.join(cells)} |" in text
