"""After a start of the store nothing is sent before the venue was asked what it has of ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest

from app.domain.enums import AccountState, Mode, ReasonCode, Side
from app.domain.errors import (
    CannotAsk,
    HistoryUnavailable,
    NotVouched,
    OutcomeUnknown,
    VenueBusy,
    VenueUnavailable,
    WrongState,
)
from app.domain.frozen import Knowledge, Placed, PlacedOrder
from app.domain.identifiers import AccountId, AggregateId, EpochMs, OrderId, Symbol, VenueName
from app.domain.order import Order
from app.domain.request.request import RequestStatus
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.services.admin.recover import end_waiting, release
from app.services.exclusive import ANSWER_MS
from app.services.keeping.epoch import COUNT_MS, count_on, is_history_behind, is_store_whole
from app.services.keeping.vouch import EARLIER_MS, LOOK_BACK_MS_MAX, PATIENCE_MS, look_early
from app.services.placing.cancel import cancel_order, request_cancel
from app.services.placing.place import SOON_MS, place_order
from app.services.placing.resolve import resolve_order
from app.store.coordination.runs import ABSENT_LIFE_MS
from app.store.core import keys
from app.store.core.ids import RedisIds
from tests.support.builders import (
    BTC,
    ETH,
    REQUESTED,
    SPOT,
    USDM,
    a_report,
    a_signal,
    a_stop,
    an_id,
    an_order,
    an_order_in,
    must,
)
from tests.support.clocks import nothing
from tests.support.fakes import ThenSilent
from tests.support.rig import Rig, deaths, encounters

ORDER_ID = an_order().id
SECOND_ID, THIRD_ID = (OrderId(AggregateId(ORDER_ID + more)) for more in (16, 32))
REAL = replace(SPOT, venue=VenueName("binance"), mode=Mode.LIVE)

#: How long the first run lasted.
RUN_MS = 3_600_000


def a_real_rig() -> Rig:
    rig = Rig()
    rig.registry.put_account(REAL)
    return rig


def restored(**odd: object) -> Rig:
    """A rig with an order that waits to be sent, in a run of the store that has just begun."""
    rig = a_real_rig()
    rig.ports.runs.beat(rig.clock.server_ms())
    rig.put(an_order(**odd))
    begin_run(rig, "1")
    return rig


def begin_run(rig: Rig, name: str, lasted_ms: int = RUN_MS) -> None:
    """Let the present run last, until the server is started anew a second later."""
    rig.clock.advance(lasted_ms)
    rig.ports.runs.beat(rig.clock.server_ms())
    rig.clock.advance(1_000)
    rig.redis.begin_run(name)


def unknown(rig: Rig, number: int = 1, **odd: object) -> PlacedOrder:
    """An order at the venue that is ours by its id, and that nobody here knows."""
    order = PlacedOrder(
        client_order_id=rig.ports.ids.client_order_id(AggregateId(1_000_000 + number)),
        venue_order_id=None,
        symbol=BTC,
        side=Side.SELL,
        quantity=Decimal("0.5"),
        filled_quantity=Decimal("0.5"),
        placed_at_ms=rig.clock.server_ms(),
    )
    order = replace(order, **odd)  # type: ignore[arg-type]  # fields by name
    rig.venue.others.append(order)
    return order


def place(rig: Rig) -> Order:
    place_order(ORDER_ID, rig.ports)
    return rig.order(ORDER_ID)


def state(rig: Rig) -> AccountState:
    return rig.ports.ledger.state_of(SPOT.id)


def test_the_venue_is_asked_once_in_a_run_and_then_the_order_goes() -> None:
    rig = restored()

    order = place(rig)
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order(id=OrderId(fresh.id)))
    place_order(OrderId(fresh.id), rig.ports)

    assert order.status is OrderStatus.FILLED
    assert len(rig.venue.asked_since) == 1
    assert len(rig.venue.sent) == 2


def test_each_run_asks_anew_and_each_symbol_for_itself() -> None:
    rig = restored()
    place(rig)
    begin_run(rig, "2")

    rig.put(an_order(id=SECOND_ID))
    place_order(SECOND_ID, rig.ports)
    rig.put(an_order(id=THIRD_ID, symbol=ETH))
    place_order(THIRD_ID, rig.ports)

    assert len(rig.venue.asked_since) == 3


def test_paper_is_not_asked_for_its_ledger_is_in_the_same_store() -> None:
    rig = restored()
    rig.registry.put_account(SPOT)

    assert place(rig).status is OrderStatus.FILLED
    assert rig.venue.asked_since == []


def test_it_is_asked_since_the_store_was_last_seen_and_a_while_before() -> None:
    rig = restored()
    place(rig)
    begin_run(rig, "2")
    seen_ms = rig.clock.server_ms() - 1_000
    rig.clock.advance(600_000)  # until somebody looks
    rig.put(an_order(id=SECOND_ID))

    place_order(SECOND_ID, rig.ports)

    assert rig.venue.asked_since[-1] == seen_ms - EARLIER_MS


def test_several_starts_in_between_count_as_the_first_of_them() -> None:
    rig = restored()
    place(rig)
    begin_run(rig, "2")
    seen_ms = rig.clock.server_ms() - 1_000
    for name in "345":
        begin_run(rig, name)
    rig.put(an_order(id=SECOND_ID))

    place_order(SECOND_ID, rig.ports)

    assert rig.venue.asked_since[-1] == seen_ms - EARLIER_MS


def test_a_store_of_a_release_that_knew_no_runs_was_last_seen_by_its_canary() -> None:
    rig = a_real_rig()
    seen_ms = rig.clock.server_ms()
    rig.redis.set(keys.CANARY, seen_ms)
    rig.clock.advance(RUN_MS)
    rig.put(an_order())

    place(rig)

    assert rig.venue.asked_since == [seen_ms - EARLIER_MS]


def test_it_is_asked_for_as_long_as_anybody_is_if_the_clock_was_set_back_since() -> None:
    rig = restored()
    place(rig)
    begin_run(rig, "2")
    rig.clock.step(-RUN_MS)
    rig.put(an_order(id=SECOND_ID))

    place_order(SECOND_ID, rig.ports)

    assert rig.venue.asked_since[-1] == rig.clock.server_ms() - LOOK_BACK_MS_MAX


def test_nobody_looks_back_for_ever() -> None:
    rig = restored()
    begin_run(rig, "2", lasted_ms=2 * LOOK_BACK_MS_MAX)

    place(rig)

    assert rig.venue.asked_since == [rig.clock.server_ms() - LOOK_BACK_MS_MAX]


def test_an_order_of_ours_that_nobody_knows_freezes_the_account() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    found = unknown(rig)

    order = place(rig)

    frozen = must(rig.ports.freezer.of(SPOT.id))
    assert (state(rig), frozen.before, frozen.orders) == (
        AccountState.FROZEN,
        AccountState.RUN,
        (found,),
    )
    assert (order.status, rig.venue.sent) == (OrderStatus.PENDING_NEW, [])


def test_an_entry_is_denied_while_the_account_is_frozen_and_nobody_is_asked_again() -> None:
    rig = restored()
    unknown(rig)

    order = place(rig)
    rig.put(an_order(id=SECOND_ID, side=Side.SELL, reduces=True))
    place_order(SECOND_ID, rig.ports)

    assert order.reason is not None
    assert (order.status, order.reason.code) == (OrderStatus.DENIED, ReasonCode.ACCOUNT_HALTED)
    assert len(rig.venue.asked_since) == 1
    assert rig.venue.sent == []


def test_orders_of_others_and_those_that_are_known_freeze_nothing() -> None:
    rig = restored()
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order_in(OrderStatus.NEW, id=fresh.id))
    unknown(rig, client_order_id=fresh.client_order_id)
    unknown(rig, client_order_id="by-hand")
    unknown(rig, placed_at_ms=EpochMs(rig.clock.server_ms() - 2 * RUN_MS))

    assert place(rig).status is OrderStatus.FILLED
    assert state(rig) is AccountState.RUN


def test_what_the_history_knows_is_known() -> None:
    rig = restored()
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order_in(OrderStatus.FILLED, id=fresh.id))
    rig.history.keep(rig.ports.archive_queue.load([fresh.id]))
    rig.redis.delete(*rig.redis.keys(f"*aggregate:{fresh.id}"))
    unknown(rig, client_order_id=fresh.client_order_id)

    assert place(rig).status is OrderStatus.FILLED


def test_a_history_that_is_a_newer_copy_than_the_store_vouches_for_nothing() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    rig.clock.advance(1_000)
    (fresh,) = RedisIds(rig.redis).fresh(SPOT.id, 1)  # drawn after the copy was made
    lost = an_order_in(OrderStatus.FILLED, id=fresh.id, client_order_id=fresh.client_order_id)
    rig.put(lost)
    rig.history.keep(rig.ports.archive_queue.load([fresh.id]))
    rig.redis.delete(*rig.redis.keys(f"*aggregate:{fresh.id}"), keys.IDS)
    found = unknown(rig, client_order_id=fresh.client_order_id)
    rig.clock.advance(1_000)

    place(rig)

    assert frozen_for(rig) == (found,)


def test_all_symbols_of_the_account_are_looked_at_so_that_the_list_is_whole() -> None:
    rig = restored()
    rig.ports.runs.vouch_until(SPOT.id, ETH, "1", EpochMs(rig.clock.server_ms() - RUN_MS))
    both = (unknown(rig, 1), unknown(rig, 2, symbol=ETH))

    place(rig)

    assert frozen_for(rig) == both


def test_a_venue_that_cannot_be_reached_puts_the_order_off_and_counts_no_attempt() -> None:
    rig = restored()
    rig.venue.placed_script.append(VenueUnavailable("nobody is there"))

    with pytest.raises(VenueUnavailable):
        place_order(ORDER_ID, rig.ports)
    waiting = rig.order()
    place_order(ORDER_ID, rig.ports)

    assert (waiting.status, waiting.attempts) == (OrderStatus.PENDING_NEW, 0)
    assert rig.order().status is OrderStatus.FILLED


def test_a_venue_that_cannot_list_orders_is_not_asked() -> None:
    rig = restored()
    rig.venue.placed_script.append(CannotAsk("it has no lists"))

    assert place(rig).status is OrderStatus.FILLED


def test_what_was_read_is_not_read_again() -> None:
    rig = restored()
    until_ms = EpochMs(rig.clock.server_ms() - 1_000)
    rig.venue.placed_script.append(Placed(orders=(), until_ms=until_ms))
    rig.venue.placed_script.append(VenueUnavailable("no more for now"))

    with pytest.raises(VenueUnavailable):
        place_order(ORDER_ID, rig.ports)
    place_order(ORDER_ID, rig.ports)

    assert rig.venue.asked_since[1:] == [until_ms, until_ms - EARLIER_MS]
    assert rig.order().status is OrderStatus.FILLED


def test_a_long_list_is_read_in_several_goes() -> None:
    rig = restored()
    until_ms = EpochMs(rig.clock.server_ms() - 1_000)
    rig.venue.placed_script.append(Placed(orders=(), until_ms=until_ms))
    rig.venue.after_call = lambda: rig.clock.advance(PATIENCE_MS + 1)

    with pytest.raises(VenueUnavailable, match="read on"):
        place_order(ORDER_ID, rig.ports)
    rig.undisturbed()
    place_order(ORDER_ID, rig.ports)

    assert rig.venue.asked_since[1:] == [until_ms - EARLIER_MS]
    assert rig.venue.sent != []


def a_long_list(rig: Rig) -> PlacedOrder:
    """Let the venue tell of an unknown order at once, and of the rest in further answers."""
    until_ms = EpochMs(rig.clock.server_ms() - 1_000)
    found = unknown(rig)
    rig.venue.placed_script.append(Placed(orders=(found,), until_ms=until_ms))
    return found


def frozen_for(rig: Rig) -> tuple[PlacedOrder, ...]:
    return must(rig.ports.freezer.of(SPOT.id)).orders


def test_one_unknown_order_freezes_before_a_long_list_is_at_its_end() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    found = a_long_list(rig)
    rig.venue.placed_script.append(Placed(orders=(), until_ms=EpochMs(rig.clock.server_ms())))
    rig.venue.after_call = lambda: rig.clock.advance(PATIENCE_MS + 1)

    place(rig)

    assert frozen_for(rig) == (found,)
    assert len(rig.venue.asked_since) == 1


def test_one_unknown_order_freezes_if_the_venue_has_no_answer_for_the_rest() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    found = a_long_list(rig)
    rig.venue.placed_script.append(VenueUnavailable("it is down"))

    place(rig)

    assert frozen_for(rig) == (found,)
    assert rig.venue.sent == []


def test_two_accounts_with_one_key_know_each_other_s_orders() -> None:
    rig = a_real_rig()
    rig.registry.put_account(replace(REAL, id=USDM.id, name=USDM.name))
    rig.ports.runs.beat(rig.clock.server_ms())
    rig.clock.advance(1_000)
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order(id=fresh.id, client_order_id=fresh.client_order_id))
    place_order(OrderId(fresh.id), rig.ports)
    rig.history.keep(rig.ports.archive_queue.load([fresh.id]))
    rig.redis.delete(*rig.redis.keys(f"*aggregate:{fresh.id}"))
    begin_run(rig, "1")

    (second,) = rig.ports.ids.fresh(USDM.id, 1)
    mine = an_order(id=second.id, client_order_id=second.client_order_id, account=USDM.id)
    rig.put(mine)
    place_order(OrderId(second.id), rig.ports)

    assert rig.ports.ledger.state_of(USDM.id) is AccountState.RUN
    assert len(rig.venue.sent) == 2


def test_an_order_of_before_that_the_venue_has_is_adopted_instead_of_sent() -> None:
    rig = a_real_rig()
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order(id=fresh.id, client_order_id=fresh.client_order_id))
    begin_run(rig, "1")
    rig.venue.ledger[fresh.client_order_id] = a_report(OrderStatus.FILLED)

    place_order(OrderId(fresh.id), rig.ports)

    assert rig.order().status is OrderStatus.FILLED
    assert rig.venue.sent == []


def test_an_order_of_before_that_the_venue_does_not_have_is_sent() -> None:
    rig = a_real_rig()
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order(id=fresh.id, client_order_id=fresh.client_order_id))
    begin_run(rig, "1")

    place_order(OrderId(fresh.id), rig.ports)

    assert [one.id for one in rig.venue.sent] == [fresh.id]


def from_before() -> tuple[Rig, OrderId, list[int]]:
    """A rig with an order that was made in an earlier run, and when its venue is asked for it."""
    rig = a_real_rig()
    (fresh,) = rig.ports.ids.fresh(SPOT.id, 1)
    rig.put(an_order(id=fresh.id, client_order_id=fresh.client_order_id))
    begin_run(rig, "1")
    asked: list[int] = []
    rig.venue.before_find = lambda: asked.append(rig.clock.server_ms())
    return rig, OrderId(fresh.id), asked


def test_an_order_of_before_that_is_held_back_is_not_asked_for_at_each_attempt() -> None:
    rig, order_id, asked = from_before()
    rig.venue.place_script += [VenueBusy("wants no request", 100)] * 3

    for _ in range(4):
        place_order(order_id, rig.ports)
        rig.clock.advance(200)

    assert rig.order(order_id).status is OrderStatus.FILLED
    assert len(asked) == 1


def test_an_order_of_before_is_asked_for_again_in_another_run_and_after_a_while() -> None:
    rig, order_id, asked = from_before()
    rig.venue.place_script += [VenueBusy("wants no request", 100)] * 2
    place_order(order_id, rig.ports)
    begin_run(rig, "2")

    place_order(order_id, rig.ports)
    left_ms = rig.redis.pttl(f"{keys.ABSENT}{order_id}")
    rig.redis.delete(f"{keys.ABSENT}{order_id}")
    rig.clock.advance(ABSENT_LIFE_MS)
    place_order(order_id, rig.ports)

    assert 0 < left_ms <= ABSENT_LIFE_MS
    assert len(asked) == 3


def test_an_absence_of_just_now_is_no_proof_once_the_order_was_sent() -> None:
    rig, order_id, asked = from_before()
    arrived = ThenSilent(a_report(OrderStatus.FILLED), OutcomeUnknown("no answer"))
    rig.venue.place_script += [VenueBusy("wants no request", 100), arrived]
    place_order(order_id, rig.ports)
    rig.clock.advance(200)
    place_order(order_id, rig.ports)
    in_doubt = rig.order(order_id)

    rig.clock.advance(rig.ports.policy.unknown_retry_ms)
    resolve_order(order_id, rig.ports)

    assert (in_doubt.status, len(asked)) == (OrderStatus.UNKNOWN, 2)
    assert rig.ports.runs.is_absent(order_id, "1")
    assert rig.order(order_id).status is OrderStatus.FILLED
    assert len(rig.venue.sent) == 1


def test_an_order_of_before_is_asked_for_by_one_at_a_time() -> None:
    rig, order_id, asked = from_before()

    def meanwhile() -> None:
        asked.append(rig.clock.server_ms())
        if len(asked) == 1:
            place_order(order_id, rig.ports)

    rig.venue.before_find = meanwhile
    place_order(order_id, rig.ports)

    assert len(asked) == 1
    assert len(rig.venue.sent) == 1


def test_a_store_that_is_started_anew_between_the_question_and_the_claim_asks_again() -> None:
    rig = restored()
    rig.venue.after_call = lambda: rig.redis.begin_run("2")

    place(rig)
    sent = list(rig.venue.sent)
    rig.undisturbed()
    place(rig)

    assert sent == []
    assert rig.order().status is OrderStatus.FILLED
    assert len(rig.venue.asked_since) == 2


def test_a_store_that_is_put_back_before_the_claim_sends_nothing() -> None:
    found: list[OrderStatus] = []

    def put_back(rig: Rig) -> None:
        found.append(rig.order(ORDER_ID).status)
        rig.redis.begin_run("2")
        unknown(rig)

    for rig in encounters(restored, place, put_back):
        assert rig.venue.sent == [] or found[-1] is not OrderStatus.PENDING_NEW
    assert {OrderStatus.PENDING_NEW, OrderStatus.PLACING} <= set(found)


def test_an_account_that_runs_again_before_the_claim_sends_nothing_unasked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = restored(side=Side.SELL, reduces=True)
    rig.ports.ids.fresh(SPOT.id, 1)  # so that the order is older than the run
    rig.venue.ledger[an_order().client_order_id] = a_report(OrderStatus.FILLED)
    rig.ports.runs.vouch(SPOT.id, BTC, rig.ports.runs.knowledge(SPOT.id, BTC).run)
    rig.state(AccountState.HALT)
    state_of = rig.ports.ledger.state_of

    def told(account: AccountId) -> AccountState:
        found = state_of(account)
        rig.state(AccountState.RUN)
        return found

    monkeypatch.setattr(rig.ports.ledger, "state_of", told)

    with pytest.raises(NotVouched):
        place(rig)

    assert rig.venue.sent == []
    assert place(rig).status is OrderStatus.FILLED, "the venue had it already"
    assert rig.venue.sent == []


def test_what_was_asked_in_another_run_permits_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is put back, and others have asked anew, while one worker sleeps."""
    rig = a_real_rig()
    rig.ports.runs.beat(rig.clock.server_ms())
    rig.put(an_order())
    rig.ports.runs.vouch(SPOT.id, BTC, "0")
    knowledge = rig.ports.runs.knowledge

    def asleep(account: AccountId, symbol: Symbol) -> Knowledge:
        known = replace(knowledge(account, symbol), mark=AggregateId(0))  # the order is new
        monkeypatch.undo()
        rig.redis.begin_run("1")
        rig.ports.runs.vouch(SPOT.id, BTC, "1")
        rig.venue.ledger[an_order().client_order_id] = a_report(OrderStatus.FILLED)
        return known

    monkeypatch.setattr(rig.ports.runs, "knowledge", asleep)

    with pytest.raises(NotVouched):
        place(rig)

    assert rig.venue.sent == []


def test_a_claim_that_is_not_renewed_since_the_store_was_started_anew_waits_for_nothing() -> None:
    rig = restored(side=Side.SELL, reduces=True)

    def start_anew() -> None:
        rig.venue.before_place = nothing
        rig.clock.advance(SOON_MS + 1)
        rig.redis.begin_run("2")

    rig.venue.before_place = start_anew

    order = place(rig)

    assert (order.status, rig.venue.sent) == (OrderStatus.PENDING_NEW, [])
    assert place(rig).status is OrderStatus.FILLED


def test_a_worker_may_die_anywhere_and_the_order_goes_once() -> None:
    for rig in deaths(restored, place):
        rig.clock.advance(120_000)
        rig.settle()

        assert rig.venue.repeats == []
        assert len(rig.venue.sent) == 1


def test_a_worker_may_die_anywhere_and_nothing_goes_that_must_not() -> None:
    def prepare() -> Rig:
        rig = restored(side=Side.SELL, reduces=True)
        unknown(rig)
        return rig

    for rig in deaths(prepare, place):
        rig.clock.advance(120_000)
        place(rig)

        assert rig.venue.sent == []
        assert state(rig) is AccountState.FROZEN


def test_who_is_killed_while_the_venue_is_asked_holds_up_an_order_for_one_answer() -> None:
    """An entry has a minute, and an exit should not need one."""
    rig = restored()
    rig.ports.locks.acquire(f"vouch:{SPOT.id}:{BTC}", ANSWER_MS)  # and never gives it back

    assert place(rig).status is OrderStatus.PENDING_NEW
    rig.clock.advance(10_001)

    assert place(rig).status is OrderStatus.FILLED


def test_two_workers_at_once_send_once() -> None:
    for rig in encounters(restored, place, place):
        rig.clock.advance(120_000)
        rig.settle()

        assert len(rig.venue.sent) == 1


# Frozen


def frozen() -> Rig:
    rig = restored(side=Side.SELL, reduces=True)
    unknown(rig)
    place(rig)
    return rig


def seen_at_ms(rig: Rig) -> EpochMs:
    return must(rig.ports.freezer.of(SPOT.id)).at_ms


def test_no_cancel_is_sent_for_a_frozen_account() -> None:
    rig = frozen()
    resting = an_order_in(OrderStatus.NEW, id=SECOND_ID)
    rig.put(resting)
    rig.venue.ledger[resting.client_order_id] = a_report(OrderStatus.NEW)
    request_cancel(resting.id, REQUESTED, rig.ports)

    cancel_order(resting.id, rig.ports)

    assert rig.venue.ledger[resting.client_order_id].status is OrderStatus.NEW


@pytest.mark.parametrize("wanted", [AccountState.RUN, AccountState.HALT])
def test_nobody_but_recover_leaves_it(wanted: AccountState) -> None:
    rig = frozen()

    with pytest.raises(WrongState, match="hookfill recover"):
        rig.registry.set_state(SPOT.id, wanted)

    assert state(rig) is AccountState.FROZEN


def test_a_release_lets_it_go_on_and_the_same_orders_freeze_nothing_any_more() -> None:
    rig = frozen()
    begin_run(rig, "2", lasted_ms=1_000)

    assert release(REAL, seen_at_ms(rig), rig.ports) is AccountState.RUN
    rig.drain()

    assert state(rig) is AccountState.RUN
    assert rig.order().status is OrderStatus.FILLED


def test_a_release_gives_back_the_state_of_before() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    rig.registry.set_state(SPOT.id, AccountState.REDUCE_ONLY)
    unknown(rig)
    place(rig)

    assert release(REAL, seen_at_ms(rig), rig.ports) is AccountState.REDUCE_ONLY


def test_a_second_release_is_told_so() -> None:
    rig = frozen()
    at_ms = seen_at_ms(rig)
    release(REAL, at_ms, rig.ports)

    with pytest.raises(WrongState, match="not frozen"):
        release(REAL, at_ms, rig.ports)


def test_only_the_list_that_was_seen_is_released() -> None:
    rig = frozen()

    with pytest.raises(WrongState, match="changed"):
        release(REAL, EpochMs(seen_at_ms(rig) - 1), rig.ports)

    assert state(rig) is AccountState.FROZEN


def test_what_comes_to_light_after_a_release_freezes_again() -> None:
    rig = frozen()
    release(REAL, seen_at_ms(rig), rig.ports)
    late = unknown(rig, 2)

    rig.drain()

    assert frozen_for(rig) == (late,)
    assert rig.venue.sent == []


def test_what_waits_may_be_ended_before_the_release() -> None:
    rig = frozen()
    at_ms = seen_at_ms(rig)

    ended = end_waiting(REAL, at_ms, rig.ports)
    release(REAL, at_ms, rig.ports)
    rig.drain()

    assert ended == 1
    assert rig.order().status is OrderStatus.CANCELED
    assert rig.venue.sent == []


def test_what_cannot_be_asked_to_end_is_said_so_and_all_else_is_asked() -> None:
    rig = frozen()
    for one in (SECOND_ID, THIRD_ID):
        rig.put(an_order(id=one))
    rig.redis.hset(keys.AggregateKeys(SECOND_ID).record, "body", '{"s":99}')

    with pytest.raises(WrongState, match=f"first of them {SECOND_ID}"):
        end_waiting(REAL, seen_at_ms(rig), rig.ports)

    assert rig.order(ORDER_ID).status is OrderStatus.CANCELED
    assert rig.order(THIRD_ID).status is OrderStatus.CANCELED


def test_a_part_whose_whole_has_ended_is_ended_by_itself() -> None:
    rig = frozen()
    rig.put(an_order(id=SECOND_ID, parent_id=THIRD_ID))

    ended = end_waiting(REAL, seen_at_ms(rig), rig.ports)

    assert ended == 2
    assert len([one for one in rig.orders() if one.status is OrderStatus.CANCELED]) == 2


def test_what_a_signal_has_brought_forth_ends_with_it_before_the_release() -> None:
    rig = frozen()
    at_ms, stop, signal = seen_at_ms(rig), an_id(7), an_id(8)
    rig.put(a_signal(id=signal, status=RequestStatus.EXECUTING, working=frozenset({stop})))
    fired = a_stop(parent_id=signal, status=SmartOrderStatus.TRIGGERED, order_id=SECOND_ID)
    rig.put(replace(fired, order_status=OrderStatus.PENDING_NEW))
    rig.put(replace(rig.order(), id=SECOND_ID, parent_id=stop, request_id=signal))

    ended = end_waiting(REAL, at_ms, rig.ports)
    release(REAL, at_ms, rig.ports)
    place_order(SECOND_ID, rig.ports)  # by a worker that is faster than who passes the cancel on

    assert ended == 2
    assert rig.venue.sent == []
    assert [one.status for one in rig.orders()] == [OrderStatus.CANCELED] * 2


def test_a_release_may_die_anywhere() -> None:
    for rig in deaths(frozen, lambda rig: release(REAL, seen_at_ms(rig), rig.ports)):
        assert state(rig) in {AccountState.FROZEN, AccountState.RUN}
        assert (rig.ports.freezer.of(SPOT.id) is None) is (state(rig) is AccountState.RUN)


# Before anything wants to go


def test_symbols_with_something_live_are_looked_at_early() -> None:
    rig = restored(side=Side.SELL, reduces=True)
    found = unknown(rig)

    look_early(SPOT.id, rig.ports)

    assert frozen_for(rig) == (found,)


def test_looking_early_twice_asks_once() -> None:
    rig = restored()

    look_early(SPOT.id, rig.ports)
    look_early(SPOT.id, rig.ports)

    assert len(rig.venue.asked_since) == 1
    assert place(rig).status is OrderStatus.FILLED
    assert len(rig.venue.asked_since) == 1


# The number that store and history count together


def a_store_behind() -> Rig:
    """A rig whose store alone was put back to an earlier moment."""
    rig = restored(side=Side.SELL, reduces=True)
    rig.history.raise_epoch(7)
    rig.ports.runs.reach_epoch(5)
    return rig


def test_a_store_that_is_older_than_its_history_freezes_all_real_accounts() -> None:
    rig = a_store_behind()

    count_on(rig.ports)

    assert state(rig) is AccountState.FROZEN
    assert rig.ports.ledger.state_of(USDM.id) is AccountState.RUN  # paper
    assert rig.ports.runs.epoch() == 7


def test_nothing_is_sent_before_the_two_are_compared() -> None:
    rig = a_store_behind()

    place(rig)
    place(rig)

    assert rig.venue.sent == []
    assert state(rig) is AccountState.FROZEN


def test_a_list_is_made_for_an_account_that_was_frozen_without() -> None:
    rig = a_store_behind()
    found = unknown(rig)
    count_on(rig.ports)

    look_early(SPOT.id, rig.ports)

    frozen = must(rig.ports.freezer.of(SPOT.id))
    assert (frozen.orders, frozen.before) == ((found,), AccountState.RUN)


def test_it_is_found_once_and_a_release_holds() -> None:
    rig = a_store_behind()
    count_on(rig.ports)

    release(REAL, seen_at_ms(rig), rig.ports)
    rig.clock.advance(COUNT_MS + 1)
    count_on(rig.ports)
    place(rig)

    assert state(rig) is AccountState.RUN
    assert len(rig.venue.sent) == 1


def test_the_two_count_together_and_the_store_first() -> None:
    rig = restored()
    for _ in range(3):
        count_on(rig.ports)
        count_on(rig.ports)  # too early
        rig.clock.advance(COUNT_MS + 1)

    assert (rig.ports.runs.epoch(), rig.history.epoch()) == (3, 3)
    for rig in deaths(restored, lambda rig: count_on(rig.ports)):
        assert rig.history.epoch() <= rig.ports.runs.epoch()
        assert is_store_whole(rig.ports)


def test_freezing_may_die_anywhere_and_is_done_again() -> None:
    for rig in deaths(a_store_behind, lambda rig: is_store_whole(rig.ports)):
        rig.clock.advance(120_000)

        is_store_whole(rig.ports)

        assert state(rig) is AccountState.FROZEN


def test_a_history_that_is_another_one_freezes_nothing() -> None:
    rig = restored()
    rig.ports.runs.reach_epoch(9)

    assert is_history_behind(rig.ports)
    assert place(rig).status is OrderStatus.FILLED


def without_history() -> Rig:
    rig = restored()
    away = Mock(wraps=rig.history)
    away.epoch.side_effect = HistoryUnavailable("nobody is there")
    rig.ports = replace(rig.ports, history=away)
    return rig


def test_a_history_that_is_away_stops_nothing() -> None:
    rig = without_history()

    assert place(rig).status is OrderStatus.FILLED


def test_where_a_venue_cannot_list_orders_the_history_must_be_there() -> None:
    rig = without_history()
    rig.venue.placed_script.append(CannotAsk("it has no lists"))

    with pytest.raises(HistoryUnavailable):
        place(rig)

    assert rig.venue.sent == []
