"""An order goes to its venue, at most once."""

from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.domain.commands import Action
from app.domain.effects import EffectKind
from app.domain.enums import AccountState, ReasonCode, Side
from app.domain.errors import (
    HookfillError,
    InsufficientFunds,
    NotFound,
    OutcomeUnknown,
    VenueRejected,
    VenueUnavailable,
)
from app.domain.events import ClaimRenewed, PlacementClaimed
from app.domain.identifiers import AggregateId, EpochMs
from app.domain.order import Order
from app.domain.order_life import ATTEMPTS_MAX
from app.domain.status import OrderStatus
from app.ports.ledger import Stored
from app.services.advance import advance
from app.services.placing.cancel import request_cancel
from app.services.placing.place import SOON_MS, pause_ms, place_order
from app.services.placing.resolve import resolve_order
from tests.support.builders import (
    BTC,
    NOW,
    REQUESTED,
    a_command,
    a_report,
    a_signal,
    an_id,
    an_order,
    an_order_in,
    fixed,
)
from tests.support.fakes import ThenSilent
from tests.support.rig import POLICY, Rig, deaths, encounters

SILENCE = OutcomeUnknown("nobody answered")
ORDER_ID = an_order().id


def with_order(**odd: object) -> Rig:
    """A rig with an order that waits to be sent."""
    rig = Rig()
    rig.put(an_order(**odd))
    return rig


def place(rig: Rig) -> Order:
    place_order(ORDER_ID, rig.ports)
    return rig.order()


def code_of(order: Order) -> ReasonCode | None:
    return None if order.reason is None else order.reason.code


def test_an_order_is_sent_and_its_answer_recorded() -> None:
    rig = with_order()

    order = place(rig)

    assert order.status is OrderStatus.FILLED
    assert [sent.client_order_id for sent in rig.venue.sent] == [order.client_order_id]
    assert rig.events(ORDER_ID) == ["sent", "acknowledged", "filled", "closed"]


def test_the_venue_gets_the_order_under_its_claim() -> None:
    rig = with_order()

    place(rig)

    (sent,) = rig.venue.sent
    assert (sent.status, sent.token) == (OrderStatus.PLACING, 1)
    assert sent.lease_until_ms == NOW + POLICY.place_lease_ms


def test_a_message_that_comes_twice_sends_once() -> None:
    rig = with_order()

    place(rig)
    place(rig)

    assert len(rig.venue.sent) == 1


def test_of_two_workers_at_once_one_sends() -> None:
    for rig in encounters(with_order, place, place):
        assert len(rig.venue.sent) == 1
        assert rig.order().status is OrderStatus.FILLED


@pytest.mark.parametrize("status", [one for one in OrderStatus if one != "PENDING_NEW"])
def test_only_what_waits_to_be_sent_is_sent(rig: Rig, status: OrderStatus) -> None:
    rig.put(an_order_in(status))

    place(rig)

    assert rig.venue.sent == []


def test_what_is_no_order_is_not_sent(rig: Rig) -> None:
    signal = a_signal(id=ORDER_ID)
    rig.put(signal)

    place_order(ORDER_ID, rig.ports)

    assert rig.load(ORDER_ID) == signal


def test_an_unknown_id_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFound):
        place_order(ORDER_ID, rig.ports)


# What the venue may say


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (VenueRejected("no"), OrderStatus.REJECTED, ReasonCode.VENUE_REJECTED),
        (InsufficientFunds("no"), OrderStatus.REJECTED, ReasonCode.INSUFFICIENT_FUNDS),
        (VenueUnavailable("away"), OrderStatus.PENDING_NEW, None),
        (OutcomeUnknown("silence"), OrderStatus.UNKNOWN, ReasonCode.OUTCOME_UNKNOWN),
    ],
)
def test_each_error_of_the_venue_has_its_outcome(
    error: HookfillError, status: OrderStatus, code: ReasonCode | None
) -> None:
    rig = with_order()
    rig.venue.place_script.append(error)

    order = place(rig)

    assert order.status is status
    assert code_of(order) == code


def test_a_resting_order_is_open() -> None:
    rig = with_order()
    rig.venue.place_script.append(a_report(OrderStatus.NEW))

    assert place(rig).status is OrderStatus.NEW


def test_what_was_certainly_not_reached_is_tried_again_after_a_pause() -> None:
    rig = with_order()
    rig.venue.place_script.append(VenueUnavailable("away"))
    place(rig)

    too_soon = place(rig)
    rig.clock.advance(POLICY.retry_ms)
    again = place(rig)

    assert too_soon.status is OrderStatus.PENDING_NEW
    assert again.status is OrderStatus.FILLED
    assert again.attempts == 2


def test_pauses_double_up_to_a_bound() -> None:
    pauses = [pause_ms(POLICY, 200, attempt) for attempt in range(1, 6)]

    assert pauses == [200, 400, 800, 1_000, 1_000]


def test_a_venue_that_is_never_reached_makes_a_dead_letter() -> None:
    rig = with_order()
    rig.venue.place_script.extend([VenueUnavailable("away")] * 9)

    for _ in range(ATTEMPTS_MAX):
        place(rig)
        rig.clock.advance(POLICY.retry_max_ms)
    order = place(rig)

    assert order.status is OrderStatus.DENIED
    assert code_of(order) is ReasonCode.ATTEMPTS_EXHAUSTED
    assert len(rig.venue.place_script) == 9 - ATTEMPTS_MAX


def test_attempts_that_were_lost_count_as_well() -> None:
    rig = with_order(attempts=ATTEMPTS_MAX, token=ATTEMPTS_MAX)

    order = place(rig)

    assert order.status is OrderStatus.DENIED
    assert rig.venue.sent == []


# Too late


def test_an_entry_that_is_too_late_is_not_sent() -> None:
    rig = with_order(not_after_ms=NOW)
    rig.clock.advance(1)

    order = place(rig)

    assert order.status is OrderStatus.EXPIRED
    assert code_of(order) is ReasonCode.TOO_LATE
    assert rig.venue.sent == []


def test_an_entry_is_sent_up_to_its_last_moment() -> None:
    assert place(with_order(not_after_ms=NOW)).status is OrderStatus.FILLED


# The state of the account


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (AccountState.REDUCE_ONLY, ReasonCode.ACCOUNT_REDUCE_ONLY),
        (AccountState.HALT, ReasonCode.ACCOUNT_HALTED),
    ],
)
def test_an_entry_is_denied_while_the_account_does_not_run(
    state: AccountState, code: ReasonCode
) -> None:
    rig = with_order()
    rig.state(state)

    order = place(rig)

    assert order.status is OrderStatus.DENIED
    assert code_of(order) is code
    assert rig.venue.sent == []


def test_an_exit_goes_through_an_account_that_only_reduces() -> None:
    rig = with_order(side=Side.SELL, reduces=True)
    rig.state(AccountState.REDUCE_ONLY)

    assert place(rig).status is OrderStatus.FILLED


def test_an_exit_waits_while_its_account_is_halted_and_then_goes() -> None:
    rig = with_order(side=Side.SELL, reduces=True)
    rig.state(AccountState.HALT)

    waiting = place(rig)
    rig.state(AccountState.RUN)

    assert waiting.status is OrderStatus.PENDING_NEW
    assert waiting.attempts == 0
    assert place(rig).status is OrderStatus.FILLED


def test_an_account_without_a_state_is_halted() -> None:
    rig = with_order()
    rig.redis.flushdb()
    rig.clock.advance(0)
    rig.put(an_order())

    assert place(rig).status is OrderStatus.DENIED


def test_a_halt_that_comes_while_the_order_is_claimed_comes_before_or_after_the_claim() -> None:
    for rig in encounters(with_order, place, lambda rig: rig.state(AccountState.HALT)):
        sent = bool(rig.venue.sent)
        assert rig.order().status is (OrderStatus.FILLED if sent else OrderStatus.DENIED)


# What must come before an order, and takes long


def test_the_claim_is_renewed_when_the_order_is_about_to_leave() -> None:
    rig = with_order()
    rig.venue.before_place = lambda: rig.clock.advance(POLICY.place_lease_ms - 1)

    place(rig)

    (sent,) = rig.venue.sent
    assert sent.lease_until_ms == rig.clock.server_ms() + POLICY.place_lease_ms
    assert sent.token == 1


def test_the_renewed_claim_is_what_others_go_by() -> None:
    rig = with_order()
    rig.venue.before_place = lambda: rig.clock.advance(POLICY.place_lease_ms - 1)

    def others_look() -> None:
        rig.undisturbed()
        rig.clock.advance(POLICY.place_lease_ms - 1)
        resolve_order(ORDER_ID, rig.ports)

    rig.venue.before_call = others_look

    order = place(rig)

    assert order.status is OrderStatus.FILLED
    assert rig.events(ORDER_ID) == ["sent", "acknowledged", "filled", "closed"]


def test_who_saw_a_lease_run_out_does_not_take_the_renewed_claim_for_lost() -> None:
    rig = with_order()
    now_ms = rig.clock.server_ms()
    advance(ORDER_ID, PlacementClaimed(at_ms=now_ms, lease_until_ms=now_ms), rig.ports)
    seen = rig.ports.ledger.load

    def load_and_be_overtaken(order_id: AggregateId) -> Stored:
        stored = seen(order_id)
        if rig.order().lease_until_ms == rig.clock.server_ms():
            until_ms = EpochMs(rig.clock.server_ms() + 1)
            renewal = ClaimRenewed(at_ms=rig.clock.now_ms(), token=1, lease_until_ms=until_ms)
            advance(ORDER_ID, renewal, rig.ports)
        return stored

    ledger = Mock(wraps=rig.ports.ledger)
    ledger.load.side_effect = load_and_be_overtaken

    resolve_order(ORDER_ID, replace(rig.ports, ledger=ledger))

    assert rig.order().lease_until_ms == rig.clock.server_ms() + 1
    assert rig.order().status is OrderStatus.PLACING


def test_who_lost_the_claim_before_the_order_left_sends_nothing() -> None:
    rig = with_order()

    def others_take_it_for_lost() -> None:
        rig.clock.advance(POLICY.place_lease_ms)
        resolve_order(ORDER_ID, rig.ports)

    rig.venue.before_place = others_take_it_for_lost

    order = place(rig)

    assert order.status is OrderStatus.UNKNOWN
    assert rig.venue.sent == []


def test_an_account_that_is_halted_before_the_order_leaves_sends_nothing() -> None:
    rig = with_order()

    def halted() -> None:
        rig.clock.advance(SOON_MS + 1)
        rig.state(AccountState.HALT)

    rig.venue.before_place = halted

    order = place(rig)

    assert (order.status, order.attempts) == (OrderStatus.PENDING_NEW, 0)
    assert rig.venue.sent == []


def test_a_cancel_that_comes_before_the_order_leaves_ends_it_unsent() -> None:
    rig = with_order()

    def canceled() -> None:
        rig.clock.advance(SOON_MS + 1)
        request_cancel(ORDER_ID, REQUESTED, rig.ports)

    rig.venue.before_place = canceled

    order = place(rig)

    assert order.status is OrderStatus.CANCELED
    assert rig.venue.sent == []


def test_an_entry_whose_time_passes_before_it_leaves_expires() -> None:
    rig = with_order(not_after_ms=EpochMs(NOW + 2_000))
    rig.venue.before_place = lambda: rig.clock.advance(2_001)

    place(rig)
    rig.settle()

    assert rig.order().status is OrderStatus.EXPIRED
    assert rig.venue.sent == []


# Leases and death


def test_a_worker_that_slept_through_its_lease_sends_nothing() -> None:
    def the_lease_runs_out(rig: Rig) -> None:
        rig.clock.advance(POLICY.place_lease_ms)
        resolve_order(ORDER_ID, rig.ports)
        rig.clock.advance(POLICY.unknown_grace_ms)
        resolve_order(ORDER_ID, rig.ports)
        place_order(ORDER_ID, rig.ports)

    rig = with_order()
    rig.after_step(1, lambda: the_lease_runs_out(rig))

    order = place(rig)

    assert order.status is OrderStatus.FILLED
    assert order.token == 2
    assert len(rig.venue.sent) == 1


def test_the_answer_to_an_older_claim_is_not_taken_for_the_newer_one() -> None:
    def others_resolve(rig: Rig) -> None:
        rig.clock.advance(POLICY.place_lease_ms)
        resolve_order(ORDER_ID, rig.ports)
        rig.venue.find_script.append(None)  # the venue hides it longer than its grace
        rig.clock.advance(POLICY.unknown_grace_ms)
        resolve_order(ORDER_ID, rig.ports)
        rig.venue.place_script.append(a_report(OrderStatus.NEW))
        place_order(ORDER_ID, rig.ports)

    rig = with_order()
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.after_step(2, lambda: others_resolve(rig))

    order = place(rig)

    assert order.token == 2
    assert len(rig.venue.ledger) == 1
    assert len(rig.venue.repeats) == 1, "the venue itself refuses the second"


@pytest.mark.parametrize("answers", [[], [ThenSilent(a_report(), SILENCE)], [SILENCE]])
def test_whoever_dies_while_placing_leaves_one_order_at_the_venue(
    answers: list[HookfillError | ThenSilent],
) -> None:
    def prepared() -> Rig:
        rig = with_order()
        rig.venue.place_script.extend(answers)
        return rig

    for rig in deaths(prepared, place):
        rig.settle()

        order = rig.order()
        assert order.status is OrderStatus.FILLED
        assert list(rig.venue.ledger) == [order.client_order_id]
        assert rig.venue.repeats == []
        assert rig.ports.outbox.owed() == []


def test_an_order_in_the_store_is_what_the_venue_is_told_after_all_that() -> None:
    rig = Rig()

    signal = rig.run(a_command(Action.BUY, size=fixed("0.1")))

    (sent,) = rig.venue.sent
    assert (sent.symbol, sent.side, sent.quantity) == (BTC, Side.BUY, fixed("0.1").value)
    assert sent.parent_id == signal.id
    assert sent.due_at_ms == EpochMs(NOW)


def test_effects_of_a_placement_are_published_for_those_who_wait() -> None:
    rig = with_order(parent_id=an_id(7))
    rig.put(a_signal(id=an_id(7)))

    place(rig)

    kinds = [effect.kind for effect in rig.publisher.published]
    assert EffectKind.NEWS in kinds
