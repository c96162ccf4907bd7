"""The limits of an account hold at the claim of each entry, whoever else is at work."""

import threading
from contextlib import nullcontext, suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest

from app.domain.account import Account
from app.domain.commands import Action, NetAction, NetCommand, OnOpposite, SignalRules
from app.domain.enums import Dialect, Market, PositionMode, ReasonCode, Side
from app.domain.errors import (
    HookfillError,
    LimitExceeded,
    OutcomeUnknown,
    VenueUnavailable,
)
from app.domain.events import OrderReported, ProvenAbsent
from app.domain.identifiers import AggregateId, Currency, OrderId, Symbol, VenueName
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.request import RequestStatus
from app.domain.request.reversal import Reversal
from app.domain.sender import Sender
from app.domain.status import OrderStatus
from app.ports import Ports
from app.services.advance import advance
from app.services.intake.requests import accept_reversal
from app.services.keeping.sweep import sweep
from app.services.limits import (
    Checked,
    checked,
    keep_results,
    limit_refusal,
    refuse_by_limits,
    results_of,
    see_to_results,
)
from app.services.placing.place import UNCHECKED_MAX_MS, place_order
from app.store.core import keys
from app.store.core.registry import RedisRegistry
from tests.support.builders import (
    BTC,
    ETH,
    ORIGIN,
    SPOT,
    USDM,
    a_command,
    a_quote,
    a_report,
    a_view,
    an_id,
    an_order,
    an_order_in,
    client_id,
    fixed,
)
from tests.support.paper_rig import PaperRig
from tests.support.rig import Rig, deaths, encounters
from tests.support.round_trips import round_trips

#: What is asked right before a claim.
CHECKED = "app.services.placing.place.checked"

ROOMY = {
    "max_order_value": "1000000",
    "max_position_value": "1000000",
    "max_open_orders": "100",
    "max_orders_per_minute": "100",
    "max_daily_loss": "1000000",
    "allowed_symbols": "BTC/USDT,ETH/USDT",
    "price_collar_percent": "50",
    "trading_hours": "daily 00:00-24:00 UTC",
}


def limit(rig: Rig, account: Account = SPOT, /, **texts: str) -> None:
    """Let an account have these limits, and no others."""
    before = rig.registry.account(account.id)
    after = rig.registry.put_account(replace(before, limits=texts))
    see_to_results(after, before, rig.ports)


def with_order(number: int = 1, rig: Rig | None = None, **odd: object) -> Rig:
    """A rig with an order that waits to be sent."""
    rig = rig or Rig()
    rig.put(numbered(number, **odd))
    return rig


def numbered(number: int, **odd: object) -> Order:
    order_id = OrderId(an_id(number))
    return an_order(id=order_id, client_order_id=client_id(order_id), **odd)


def place(rig: Rig, number: int = 1) -> Order:
    place_order(an_id(number), rig.ports)
    return rig.order(an_id(number))


def place_late(rig: Rig, order_id: AggregateId) -> Order:
    """Send an order that waits to be checked first, until it waits no more."""
    with pytest.raises(VenueUnavailable):
        place_order(order_id, rig.ports)
    assert rig.order(order_id).status is OrderStatus.PENDING_NEW
    rig.clock.advance(UNCHECKED_MAX_MS)
    place_order(order_id, rig.ports)
    return rig.order(order_id)


def code(order: Order) -> ReasonCode | None:
    return None if order.reason is None else order.reason.code


def test_an_order_within_all_limits_is_sent() -> None:
    rig = with_order()
    limit(rig, **ROOMY)

    assert place(rig).status is OrderStatus.FILLED


def test_an_order_above_a_limit_is_denied_and_says_why() -> None:
    rig = with_order()
    limit(rig, max_order_value="1000")

    order = place(rig)

    assert order.status is OrderStatus.DENIED
    assert code(order) == "max_order_value"
    assert order.reason is not None
    assert order.reason.message == (
        "order value 25000 USDT is above the limit of 1000 USDT of account spot"
    )
    assert rig.venue.sent == []
    assert rig.events(order.id) == ["denied", "closed"]


def test_limits_that_this_release_cannot_read_deny_entries_and_no_exits() -> None:
    rig = with_order()
    with_order(2, rig, side=Side.SELL, reduces=True)
    limit(rig, max_future_thing="1")

    assert place_late(rig, an_id(1)).status is OrderStatus.DENIED
    assert code(rig.order(an_id(1))) is ReasonCode.LIMITS_UNCHECKED
    assert place(rig, 2).status is OrderStatus.FILLED


def test_nothing_is_written_to_tell_what_would_be_denied() -> None:
    rig = Rig()
    limit(rig, max_order_value="1000", max_daily_loss="5")
    results_of(rig.registry.account(SPOT.id), rig.ports)
    before = rig.ports.ledger.revision()

    reason = limit_refusal(an_order(), rig.registry.account(SPOT.id), rig.ports)

    assert reason is not None
    assert reason.code == "max_order_value"
    assert rig.ports.ledger.revision() == before


def test_an_account_without_limits_is_not_asked_about_any() -> None:
    rig = with_order()

    with round_trips(rig.redis) as trips:
        limit_refusal(an_order(), rig.registry.account(SPOT.id), rig.ports)

    assert [one for one in trips if "ZRANGE" in one or "SINTER" in one] == []


def test_a_caller_is_told_at_once_what_is_certain() -> None:
    rig = Rig()
    limit(rig, max_position_value="1000")
    on_paper = rig.registry.account(SPOT.id)
    rig.go_live()
    at_exchange = rig.registry.account(SPOT.id)
    at_exchange = replace(at_exchange, limits=on_paper.limits)

    with pytest.raises(LimitExceeded) as caught:
        refuse_by_limits(an_order(), on_paper, rig.ports)
    assert caught.value.code is ReasonCode.MAX_POSITION_VALUE

    # What an exchange had some moments ago is left to the worker.
    refuse_by_limits(an_order(), at_exchange, rig.ports)
    refuse_by_limits(an_order(side=Side.SELL, reduces=True), on_paper, rig.ports)
    rig.venue.quotes.clear()
    refuse_by_limits(an_order(), replace(on_paper, limits={"max_order_value": "1"}), rig.ports)
    with pytest.raises(LimitExceeded, match="not among the allowed"):
        refuse_by_limits(
            an_order(), replace(at_exchange, limits={"allowed_symbols": "ETH/USDT"}), rig.ports
        )


@pytest.mark.parametrize("kind", [Rig, PaperRig])
def test_limits_hold_at_once_for_a_worker_that_has_not_read_them(kind: type[Rig]) -> None:
    rig = kind()
    stale = RedisRegistry(rig.redis, lambda: 0.0)  # for which no time goes by
    stale.accounts()
    rig.ports = replace(rig.ports, accounts=stale)
    limit(rig, allowed_symbols="ETH/USDT")

    signal = rig.run(a_command(size=fixed("0.01")))

    assert signal.status is RequestStatus.DENIED
    assert code(rig.order()) is ReasonCode.ALLOWED_SYMBOLS


# What cannot be known


def test_an_entry_waits_for_what_its_limit_depends_on_and_is_denied_at_last() -> None:
    rig = with_order()
    limit(rig, max_order_value="1000000")
    quotes = dict(rig.venue.quotes)
    rig.venue.quotes.clear()

    with pytest.raises(VenueUnavailable, match="no price of BTC/USDT"):
        place(rig)
    assert rig.order().status is OrderStatus.PENDING_NEW

    rig.clock.advance(UNCHECKED_MAX_MS)
    assert code(place(rig)) is ReasonCode.LIMITS_UNCHECKED

    with_order(2, rig, created_at_ms=rig.clock.now_ms())
    rig.venue.quotes.update(quotes)
    assert place(rig, 2).status is OrderStatus.FILLED


@pytest.mark.parametrize("set_back_ms", [0, 3_600_000])
def test_an_entry_waits_no_longer_however_the_clock_is_set(set_back_ms: int) -> None:
    rig = with_order()
    limit(rig, max_future_thing="1")
    rig.clock.advance(11_000)  # its venue was away, say: that is no reason
    rig.clock.advance(-set_back_ms)

    assert code(place_late(rig, an_id(1))) is ReasonCode.LIMITS_UNCHECKED
    assert rig.events(an_id(1)) == ["deferred", "denied", "closed"]


@pytest.mark.parametrize("set_back_ms", [0, 3_600_000])
@pytest.mark.parametrize("comes_first", [True, False])
def test_an_exit_goes_before_an_entry_that_cannot_be_checked(
    set_back_ms: int, *, comes_first: bool
) -> None:
    rig = Rig()
    limit(rig, max_future_thing="1")
    buy = rig.accept(a_command(size=fixed("0.01")))
    if not comes_first:
        rig.drain()
        rig.clock.advance(-set_back_ms)
    sell = rig.accept(a_command(Action.SELL, size=fixed("0.01")))
    rig.drain()

    assert rig.signal(sell.id).status is RequestStatus.DONE
    assert rig.signal(buy.id).status is RequestStatus.EXECUTING
    rig.clock.advance(UNCHECKED_MAX_MS)
    sweep(rig.ports)
    rig.drain()
    assert rig.signal(buy.id).status is RequestStatus.DENIED


def test_an_entry_that_always_meets_others_is_denied_at_last_and_holds_up_no_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig()
    limit(rig, max_open_orders="100")
    look = checked

    def meets(order: Order, account: Account, ports: Ports) -> Checked:
        found = look(order, account, ports)
        rig.redis.incr(keys.account(account.id).claims)
        return found

    monkeypatch.setattr(CHECKED, meets)
    buy = rig.accept(a_command(size=fixed("0.01")))
    rig.drain()
    sell = rig.accept(a_command(Action.SELL, size=fixed("0.01")))
    rig.drain()

    assert rig.signal(sell.id).status is RequestStatus.DONE
    rig.clock.advance(UNCHECKED_MAX_MS)
    sweep(rig.ports)
    rig.drain()
    assert rig.signal(buy.id).status is RequestStatus.DENIED


def waits_and_tries(rig: Rig) -> None:
    with suppress(VenueUnavailable):
        place(rig)


def test_whoever_dies_noting_that_an_entry_waits_leaves_it_to_be_denied_once() -> None:
    def unchecked() -> Rig:
        rig = with_order()
        limit(rig, max_future_thing="1")
        return rig

    lived = 0
    for rig in deaths(unchecked, waits_and_tries):
        rig.settle(rounds=3)
        rig.clock.advance(UNCHECKED_MAX_MS)
        rig.settle(rounds=3)
        lived += 1

        assert rig.events(an_id(1)) == ["deferred", "denied", "closed"]
        assert rig.venue.sent == []
    assert lived > 1


def test_exits_do_not_make_entries_be_checked_again() -> None:
    rig = with_order(1, side=Side.SELL, reduces=True)
    limit(rig, max_open_orders="1")

    place(rig)

    assert rig.ports.live.under_way(SPOT.id).claims == 0


def test_a_venue_that_does_not_tell_the_position_holds_up_entries_alone() -> None:
    rig = with_order()
    with_order(2, rig, side=Side.SELL, reduces=True)
    limit(rig, max_position_value="1000000")
    rig.venue.view_script.extend([VenueUnavailable("away")] * 9)

    with pytest.raises(VenueUnavailable):
        place(rig)

    assert place(rig, 2).status is OrderStatus.FILLED


# At once: each of these lets one of two go


def resting(rig: Rig) -> None:
    rig.venue.answer = lambda _: a_report(OrderStatus.NEW)


#: Limits → what the second one is denied with.
ONE_OF_TWO = {
    "max_open_orders": "1",
    "max_orders_per_minute": "1",
    "cooldown_seconds": "60",
    # 0.5 BTC are held, and each buys as much again.
    "max_position_value": "50000",
}


def two_orders(name: str) -> Rig:
    rig = with_order()
    with_order(2, rig)
    resting(rig)
    limit(rig, **{name: ONE_OF_TWO[name]})
    return rig


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_the_second_of_two_is_denied(name: str) -> None:
    rig = two_orders(name)

    assert place(rig).status is OrderStatus.NEW
    assert code(place(rig, 2)) == name


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_of_two_workers_at_once_one_gets_past_a_limit(name: str) -> None:
    def other(rig: Rig) -> None:
        with suppress(VenueUnavailable):  # the first one is being sent just then
            place_order(an_id(2), rig.ports)

    met = 0
    for rig in encounters(lambda: two_orders(name), place, other):
        met += 1
        other(rig)
        assert len(rig.venue.sent) == 1
        assert sorted(one.status for one in rig.orders()) == ["DENIED", "NEW"]
    assert met


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_between_the_look_and_the_claim_another_is_claimed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = two_orders(name)
    look = checked

    def meets(order: Order, account: Account, ports: Ports) -> Checked:
        found = look(order, account, ports)
        monkeypatch.setattr(CHECKED, look)
        place_order(an_id(2), rig.ports)
        return found

    monkeypatch.setattr(CHECKED, meets)

    assert code(place(rig)) == name
    assert rig.order(an_id(2)).status is OrderStatus.NEW
    assert len(rig.venue.sent) == 1


def test_who_meets_others_again_and_again_is_left_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = with_order()
    limit(rig, max_open_orders="100")
    look, numbers = checked, count(2)

    def meets(order: Order, account: Account, ports: Ports) -> Checked:
        found = look(order, account, ports)
        number = next(numbers)
        monkeypatch.setattr(CHECKED, look)
        with_order(number, rig)
        place_order(an_id(number), rig.ports)
        monkeypatch.setattr(CHECKED, meets)
        return found

    monkeypatch.setattr(CHECKED, meets)

    with pytest.raises(VenueUnavailable, match="others were claimed each time"):
        place(rig)
    monkeypatch.setattr(CHECKED, look)
    assert rig.order(an_id(1)).status is OrderStatus.PENDING_NEW
    assert place(rig).status is OrderStatus.FILLED


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_whoever_dies_on_the_way_leaves_no_room_for_a_second_one(name: str) -> None:
    lived = 0
    for rig in deaths(lambda: two_orders(name), place):
        rig.settle(rounds=3)
        place_order(an_id(2), rig.ports)
        rig.settle(rounds=3)
        lived += 1

        assert len({one.client_order_id for one in rig.venue.sent}) == 1
        assert sorted(one.status for one in rig.orders()) == ["DENIED", "NEW"]
    assert lived > 1


def test_a_limited_order_costs_these_round_trips_more() -> None:
    counts = {}
    for texts in ({}, {"max_order_value": "1000000"}, ROOMY):
        rig = PaperRig()
        rig.run(a_command(size=fixed("0.01")))
        limit(rig, **texts)
        rig.accept(a_command(size=fixed("0.01")))
        with round_trips(rig.redis) as trips:
            rig.drain()
        counts[len(texts)] = len(trips)

    assert [counts[one] - counts[0] for one in (1, len(ROOMY))] == [5, 8], counts


THREADS = 8


@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_of_many_threads_as_many_get_past_as_may(name: str) -> None:
    rig = Rig()
    resting(rig)
    for number in range(1, THREADS + 1):
        with_order(number, rig)
    limit(rig, **{name: ONE_OF_TWO[name]})
    barrier = threading.Barrier(THREADS)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(THREADS):
            try:
                place_order(an_id(number), rig.ports)
            except HookfillError:
                continue  # it is woken again

    threads = [threading.Thread(target=work, args=(one,)) for one in range(1, THREADS + 1)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for number in range(1, THREADS + 1):
        place_order(an_id(number), rig.ports)  # who waited meanwhile

    statuses = sorted(one.status for one in rig.orders())
    assert statuses == ["DENIED"] * (THREADS - 1) + ["NEW"]
    assert len(rig.venue.sent) == 1


# The same order again


def tried_again(rig: Rig, answer: HookfillError) -> None:
    """Send the order, which comes to nothing certain, until it may be sent again."""
    rig.venue.place_script.append(answer)
    order = place(rig)
    if isinstance(answer, OutcomeUnknown):
        event = ProvenAbsent(at_ms=rig.clock.now_ms(), token=order.token)
        advance(order.id, event, rig.ports)
    rig.clock.advance(1_000)


@pytest.mark.parametrize("name", ONE_OF_TWO)
@pytest.mark.parametrize("answer", [VenueUnavailable("away"), OutcomeUnknown("silence")])
def test_a_retry_is_not_denied_for_its_own_presence(name: str, answer: HookfillError) -> None:
    rig = with_order()
    limit(rig, **{name: ONE_OF_TWO[name]})

    tried_again(rig, answer)

    assert place(rig).status is OrderStatus.FILLED


def test_a_retry_is_counted_once() -> None:
    rig = with_order()
    with_order(2, rig)
    with_order(3, rig)
    limit(rig, max_orders_per_minute="2")

    tried_again(rig, VenueUnavailable("away"))
    place(rig)

    assert place(rig, 2).status is OrderStatus.FILLED
    assert code(place(rig, 3)) == "max_orders_per_minute"


@pytest.mark.parametrize("name", ["max_open_orders", "max_position_value"])
def test_what_nobody_knows_counts_as_if_it_was_there(name: str) -> None:
    rig = two_orders(name)
    rig.venue.place_script.append(OutcomeUnknown("silence"))

    assert place(rig).status is OrderStatus.UNKNOWN
    assert code(place(rig, 2)) == name


def test_what_was_sent_longer_ago_counts_no_more() -> None:
    rig = with_order()
    with_order(2, rig)
    limit(rig, max_orders_per_minute="1", cooldown_seconds="60")
    place(rig)
    rig.clock.advance(60_000)

    assert place(rig, 2).status is OrderStatus.FILLED


def test_a_cooldown_that_is_longer_than_a_minute_is_remembered() -> None:
    rig = with_order()
    limit(rig, cooldown_seconds="3600")
    place(rig)
    rig.clock.advance(3_599_000)
    with_order(2, rig, created_at_ms=rig.clock.now_ms())
    assert code(place(rig, 2)) == "cooldown_seconds"

    rig.clock.advance(1_000)
    with_order(3, rig, created_at_ms=rig.clock.now_ms())
    assert place(rig, 3).status is OrderStatus.FILLED


def test_exits_are_counted_by_nobody() -> None:
    rig = with_order()
    limit(rig, max_orders_per_minute="1", cooldown_seconds="60")
    for number in range(2, 9):
        with_order(number, rig, side=Side.SELL, reduces=True)
        assert place(rig, number).status is OrderStatus.FILLED

    assert place(rig).status is OrderStatus.FILLED


def test_orders_under_way_that_nobody_can_read_hold_up_entries() -> None:
    rig = two_orders("max_open_orders")
    assert place(rig).status is OrderStatus.NEW
    record = keys.AggregateKeys(an_id(1)).record
    rig.redis.hset(record, "body", '{"s": 99}')

    with pytest.raises(VenueUnavailable, match="not known"):
        place(rig, 2)


# Signals on paper, by the fast path


def set_price(rig: PaperRig, price: str, symbol: Symbol = BTC) -> None:
    rig.world.ports.prices.set({symbol: a_quote(price)}, rig.clock.now_ms())


def held(rig: PaperRig) -> Decimal:
    """What is held of all legs of the futures account."""
    positions = rig.ports.venues.of(rig.registry.account(USDM.id)).view().positions
    return sum((one.size for one in positions.values()), Decimal(0))


def test_a_signal_of_an_account_with_limits_goes_its_whole_way() -> None:
    rig = PaperRig()
    limit(rig, **ROOMY)

    signal = rig.run(a_command(size=fixed("0.1")))

    assert signal.status is RequestStatus.DONE
    assert rig.order().status is OrderStatus.FILLED


def test_a_signal_is_denied_and_its_sale_is_not() -> None:
    rig = PaperRig()
    limit(rig, max_order_value="100", trading_hours="mon 00:00-00:01 UTC", max_open_orders="1")

    denied = rig.run(a_command(size=fixed("0.1")))
    sold = rig.run(a_command(Action.SELL, size=fixed("0.1")))

    assert denied.status is RequestStatus.DENIED
    assert denied.reason is not None
    assert denied.reason.code is ReasonCode.TRADING_HOURS
    assert sold.status is RequestStatus.DONE


@pytest.mark.parametrize("mode", [PositionMode.HEDGE, PositionMode.ONEWAY])
def test_a_reversal_closes_and_is_denied_what_it_would_open(mode: PositionMode) -> None:
    rig = PaperRig()
    account = rig.registry.put_account(replace(USDM, position_mode=mode))
    rig.world.desk.set_account(USDM, {"position_mode": mode})
    set_price(rig, "2000", ETH)
    reversal(rig, NetAction.BUY, "0.5")
    assert held(rig) == Decimal("0.5")
    limit(rig, account, allowed_symbols="BTC/USDT")

    turned = reversal(rig, NetAction.REVERSE_SELL, "0.5")
    rig.settle()

    found = rig.load(turned)
    assert isinstance(found, Reversal)
    assert found.status is RequestStatus.PARTIAL
    assert found.reason is not None
    assert found.reason.code is ReasonCode.ALLOWED_SYMBOLS
    assert held(rig) == 0


def reversal(rig: PaperRig, action: NetAction, quantity: str) -> AggregateId:
    sender = Sender(
        dialect=Dialect.APISIFY,
        origin=ORIGIN,
        account=rig.registry.account(USDM.id),
        received_at_ms=rig.clock.now_ms(),
    )
    command = NetCommand(action=action, quantity=Decimal(quantity))
    accepted = accept_reversal(command, ETH, sender, rig.ports)
    rig.drain()
    return accepted.id


def test_a_signal_that_reverses_closes_and_opens_nothing() -> None:
    rig = PaperRig()
    set_price(rig, "2000", ETH)
    rig.run(a_command(Action.OPEN_LONG, size=fixed("0.5")))
    assert held(rig) == Decimal("0.5")
    limit(rig, USDM, max_order_value="10")

    turned = rig.accept(
        a_command(Action.OPEN_SHORT, size=fixed("0.5")),
        SignalRules(leverage=5, on_opposite=OnOpposite.REVERSE),
    )
    rig.drain()
    rig.settle()

    assert rig.signal(turned.id).status is RequestStatus.PARTIAL
    assert held(rig) == 0


def test_an_order_of_one_net_position_that_only_reduces_goes() -> None:
    rig = Rig()
    net = replace(USDM, position_mode=PositionMode.ONEWAY)
    rig.registry.put_account(net)
    limit(rig, net, allowed_symbols="BTC/USDT")
    rig.venue.account = a_view(positions={Side.BUY.opens: "3"}, mode=PositionMode.ONEWAY)
    facts = {"symbol": ETH, "market": Market.USDM, "account": USDM.id, "side": Side.SELL}
    for number, quantity in ((1, "3"), (2, "3.5")):
        order_id = OrderId(an_id(number, USDM.id))
        rig.put(
            an_order(
                id=order_id,
                client_order_id=client_id(order_id),
                quantity=Decimal(quantity),
                **facts,
            )
        )

    place_order(an_id(2, USDM.id), rig.ports)
    place_order(an_id(1, USDM.id), rig.ports)

    assert code(rig.order(an_id(2, USDM.id))) is ReasonCode.ALLOWED_SYMBOLS
    assert rig.order(an_id(1, USDM.id)).status is OrderStatus.FILLED


# Plain orders of one net position, which may be exits


def net_rig(held: str, **limits: str) -> Rig:
    """A rig with a long position, at a venue that shows it late."""
    rig = Rig()
    rig.registry.put_account(replace(USDM, position_mode=PositionMode.ONEWAY))
    limit(rig, USDM, **limits)
    show(rig, held)
    return rig


def show(rig: Rig, held: str) -> None:
    rig.venue.account = a_view(positions={Side.BUY.opens: held}, mode=PositionMode.ONEWAY)


def as_at_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.limits.PAPER", VenueName("none"))


def sale(rig: Rig, number: int, quantity: str, **odd: object) -> OrderId:
    order_id = OrderId(an_id(number, USDM.id))
    facts = {"symbol": ETH, "market": Market.USDM, "account": USDM.id, "side": Side.SELL}
    names = {"id": order_id, "client_order_id": client_id(order_id)}
    rig.put(an_order(**{**names, **facts, "quantity": Decimal(quantity), **odd}))
    return order_id


def fills(rig: Rig, quantity: str) -> None:
    report = a_report(
        OrderStatus.FILLED, filled_quantity=Decimal(quantity), average_price=Decimal(2000)
    )
    rig.venue.answer = lambda _: report


def test_what_limits_would_deny_is_sent_reduce_only_where_it_opens_nothing() -> None:
    rig = net_rig("1", allowed_symbols="BTC/USDT")
    denied, sent = sale(rig, 1, "1.5"), sale(rig, 2, "1")

    place_order(denied, rig.ports)
    place_order(sent, rig.ports)

    assert code(rig.order(denied)) is ReasonCode.ALLOWED_SYMBOLS
    (order,) = rig.venue.sent
    assert (order.reduce_only, order.reduces) == (True, True)
    assert rig.order(sent).reduce_only


def test_what_limits_let_go_is_sent_as_it_is() -> None:
    rig = net_rig("1", allowed_symbols="ETH/USDT")
    rig.venue.answer = lambda _: a_report(OrderStatus.NEW)

    place_order(sale(rig, 1, "1"), rig.ports)

    assert [one.reduce_only for one in rig.venue.sent] == [False]


def test_two_plain_exits_one_after_the_other_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = net_rig("1", allowed_symbols="BTC/USDT")
    as_at_an_exchange(monkeypatch)
    fills(rig, "1")
    first, second = sale(rig, 1, "1"), sale(rig, 2, "1")
    place_order(first, rig.ports)
    rig.clock.advance(200)

    with pytest.raises(VenueUnavailable, match="not certain"):
        place_order(second, rig.ports)  # the position is shown still

    rig.clock.advance(2_000)
    show(rig, "0")
    place_order(second, rig.ports)
    assert code(rig.order(second)) is ReasonCode.ALLOWED_SYMBOLS
    assert len(rig.venue.sent) == 1


def test_of_two_plain_exits_at_once_none_can_open_anything() -> None:
    def two() -> Rig:
        rig = net_rig("1", allowed_symbols="BTC/USDT")
        fills(rig, "1")
        sale(rig, 1, "1")
        sale(rig, 2, "1")
        return rig

    def first(rig: Rig) -> None:
        place_order(an_id(1, USDM.id), rig.ports)

    def other(rig: Rig) -> None:
        with suppress(VenueUnavailable):
            place_order(an_id(2, USDM.id), rig.ports)

    met = 0
    for rig in encounters(two, first, other):
        met += 1
        assert rig.venue.sent
        assert all(one.reduce_only for one in rig.venue.sent)
    assert met


def test_an_exit_goes_while_another_fills_between_the_looks() -> None:
    rig = net_rig("2", allowed_symbols="BTC/USDT")
    rig.venue.answer = lambda _: a_report(OrderStatus.NEW)
    resting, order_id = sale(rig, 1, "1"), sale(rig, 2, "1")
    place_order(resting, rig.ports)
    look = rig.venue.view

    def filling() -> AccountView:
        rig.venue.view = look  # type: ignore[method-assign]
        fills(rig, "1")
        report = rig.venue.answer(rig.order(resting))
        event = OrderReported(at_ms=rig.clock.now_ms(), report=report)
        advance(resting, event, rig.ports)
        show(rig, "1")
        return look()

    rig.venue.view = filling  # type: ignore[method-assign]
    place_order(order_id, rig.ports)

    assert rig.order(order_id).status is OrderStatus.FILLED


@pytest.mark.parametrize("texts", [{"allowed_symbols": "BTC/USDT"}, {"max_future_thing": "1"}])
def test_a_position_that_cannot_be_read_denies_nothing_that_may_be_an_exit(
    texts: dict[str, str],
) -> None:
    rig = net_rig("1", **texts)
    rig.venue.view_script.extend([VenueUnavailable("away")] * 9)

    order = place_late(rig, sale(rig, 1, "1"))

    assert order.status is OrderStatus.FILLED
    assert [one.reduce_only for one in rig.venue.sent] == [True]


def test_limits_that_cannot_be_read_hold_up_no_plain_exit() -> None:
    rig = net_rig("1", max_future_thing="1")
    entry, order_id = sale(rig, 1, "2"), sale(rig, 2, "1")

    place_order(order_id, rig.ports)

    assert rig.order(order_id).status is OrderStatus.FILLED
    assert code(place_late(rig, entry)) is ReasonCode.LIMITS_UNCHECKED


def test_a_plain_exit_that_always_meets_others_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = net_rig("1", max_open_orders="9")
    look = checked

    def meets(order: Order, account: Account, ports: Ports) -> Checked:
        found = look(order, account, ports)
        rig.redis.incr(keys.account(account.id).claims)
        return found

    monkeypatch.setattr(CHECKED, meets)
    order_id = sale(rig, 1, "1")
    place_order(order_id, rig.ports)

    assert [one.reduce_only for one in rig.venue.sent] == [True]


@pytest.mark.parametrize("held", ["0", "1"])
def test_no_caller_is_told_by_a_view_that_may_be_old(held: str) -> None:
    rig = net_rig(held, trading_hours="mon 00:00-00:01 UTC")
    order = rig.order(sale(rig, 1, "1"))
    account = rig.registry.account(USDM.id)

    refuse_by_limits(order, replace(account, venue=VenueName("binance")), rig.ports)
    with pytest.raises(LimitExceeded) if held == "0" else nullcontext():
        refuse_by_limits(order, account, rig.ports)


def test_an_order_that_has_rested_for_long_counts_as_it_fills(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = with_order(price=Decimal(50_000))
    limit(rig, max_position_value="50000")  # 0.5 are held, and each buys as much again
    as_at_an_exchange(monkeypatch)
    resting(rig)
    place(rig)
    rig.clock.advance(60_000)
    report = a_report(
        OrderStatus.FILLED, filled_quantity=Decimal("0.5"), average_price=Decimal(50_000)
    )
    event = OrderReported(at_ms=rig.clock.now_ms(), report=report)
    advance(an_id(1), event, rig.ports)
    rig.clock.advance(200)
    with_order(2, rig)

    with pytest.raises(VenueUnavailable, match="were filled, just now"):
        place(rig, 2)


# The loss of a day


def test_a_loss_stops_entries_until_the_next_day_and_never_exits() -> None:
    rig = PaperRig()
    limit(rig, max_daily_loss="100")
    rig.run(a_command(size=fixed("0.1")))
    set_price(rig, "49000")
    rig.run(a_command(Action.SELL, size=fixed("0.05")))
    assert rig.run(a_command(size=fixed("0.01"))).status is RequestStatus.DONE  # 50 lost

    rig.run(a_command(Action.SELL, size=fixed("0.06")))
    denied = rig.run(a_command(size=fixed("0.01")))
    sold = rig.run(a_command(Action.SELL, size=fixed("0.01")))

    assert denied.reason is not None
    assert denied.reason.code is ReasonCode.MAX_DAILY_LOSS
    assert "were lost today" in denied.reason.message
    assert sold.status is RequestStatus.DONE
    rig.clock.advance(86_400_000)
    assert rig.run(a_command(size=fixed("0.01"))).status is RequestStatus.DONE


def test_fills_are_counted_once_whoever_looks_and_however_often() -> None:
    rig = PaperRig()
    limit(rig, max_daily_loss="100")
    rig.run(a_command(size=fixed("0.1")))
    set_price(rig, "49000")
    rig.run(a_command(Action.SELL, size=fixed("0.05")))
    account = rig.registry.account(SPOT.id)

    each = [results_of(account, rig.ports) for _ in range(3)]

    assert [one and one.loss(Currency("USDT"), rig.clock.now_ms()) for one in each] == [50, 50, 50]


def test_an_older_look_does_not_undo_a_newer_one() -> None:
    rig = PaperRig()
    limit(rig, max_daily_loss="100")
    account = rig.registry.account(SPOT.id)
    rig.run(a_command(size=fixed("0.1")))
    older = rig.ports.results.read(account.id).results
    keep_results(account, rig.ports)
    newer = results_of(account, rig.ports)
    assert older is not None
    assert newer != older

    rig.ports.results.keep(account.id, replace(older, seen="1-1"), older)

    assert rig.ports.results.read(account.id).results == newer


def test_a_limit_that_is_set_while_an_order_fills_counts_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = PaperRig()
    set_price(rig, "2000", ETH)
    venue = type(rig.ports.venues.of(rig.registry.account(USDM.id)))
    send = venue.place

    def placing(own: object, order: Order) -> OrderReport:
        monkeypatch.setattr(venue, "place", send)
        report = send(own, order)  # type: ignore[arg-type]
        limit(rig, USDM, max_daily_loss="100")
        return report

    monkeypatch.setattr(venue, "place", placing)
    rig.run(a_command(Action.OPEN_LONG, size=fixed("1")))

    results = results_of(rig.registry.account(USDM.id), rig.ports)

    assert results is not None
    assert [one.size for one in results.holdings.values()] == [Decimal(1)] == [held(rig)]


def by_hand(rig: PaperRig, quantity: str) -> None:
    """Close a part of the long position past Hookfill."""
    venue = rig.ports.venues.of(rig.registry.account(USDM.id))
    order = an_order(
        id=OrderId(an_id(900, USDM.id)),
        client_order_id=client_id(OrderId(an_id(900, USDM.id))),
        account=USDM.id,
        symbol=ETH,
        market=Market.USDM,
        side=Side.SELL,
        position_side=Side.BUY.opens,
        quantity=Decimal(quantity),
        reduces=True,
    )
    assert venue.place(order).status is OrderStatus.FILLED


def test_what_was_traded_past_us_is_no_result() -> None:
    rig = PaperRig()
    set_price(rig, "2000", ETH)
    limit(rig, USDM, max_daily_loss="1000")
    rig.run(a_command(Action.OPEN_LONG, size=fixed("1")))
    by_hand(rig, "1")
    set_price(rig, "1000", ETH)
    rig.run(a_command(Action.OPEN_LONG, size=fixed("1")))
    rig.run(a_command(Action.CLOSE_LONG, size=fixed("1")))

    account = rig.registry.account(USDM.id)
    results = results_of(account, rig.ports)
    assert results is not None
    assert results.loss(Currency("USDT"), rig.clock.now_ms()) < 10  # fees alone


def test_a_position_that_others_change_just_now_is_not_taken_for_what_is_there() -> None:
    rig = PaperRig()
    set_price(rig, "2000", ETH)
    limit(rig, USDM, max_daily_loss="1000")
    rig.run(a_command(Action.OPEN_LONG, size=fixed("1")))
    account = rig.registry.account(USDM.id)
    keep_results(account, rig.ports)
    before = results_of(account, rig.ports)
    by_hand(rig, "0.5")
    order_id = OrderId(an_id(901, USDM.id))
    rig.put(
        an_order_in(
            OrderStatus.UNKNOWN,
            id=order_id,
            client_order_id=client_id(order_id),
            account=USDM.id,
            symbol=ETH,
            market=Market.USDM,
        )
    )

    assert results_of(account, rig.ports) == before


def test_a_fill_counts_once_its_price_is_known() -> None:
    rig = with_order()
    limit(rig, max_daily_loss="100")
    resting(rig)
    place(rig)
    for price in (None, Decimal(50_000)):
        report = a_report(OrderStatus.FILLED, filled_quantity=Decimal("0.5"), average_price=price)
        advance(an_id(1), OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)

    results = results_of(rig.registry.account(SPOT.id), rig.ports)

    assert results is not None
    assert [one.cost for one in results.holdings.values()] == [25_000]


def test_results_are_kept_while_a_limit_asks_for_them() -> None:
    rig = PaperRig()
    rig.run(a_command(size=fixed("0.1")))
    assert rig.redis.keys("*:traded:*") == []

    limit(rig, max_daily_loss="100")
    rig.run(a_command(size=fixed("0.1")))
    assert rig.redis.keys("*:results:*") != []

    limit(rig)
    rig.run(a_command(size=fixed("0.1")))
    assert rig.redis.keys("*:results:*") + rig.redis.keys("*:traded:*") == []
