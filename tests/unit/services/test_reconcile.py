"""An account is compared with its venue: by one at a time, for whoever waits, and told apart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from unittest.mock import Mock

import pytest

from app.domain.effects import EffectKind
from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, VenueUnavailable
from app.domain.identifiers import AccountId, VenueName
from app.domain.reason import Reason
from app.domain.reconciliation import MismatchKind, Reconciliation
from app.domain.status import OrderStatus
from app.services.ask import leave_request
from app.services.following.reconcile import (
    reconcile,
    reconcile_as_asked,
    reconcile_in_turn,
    reconcile_now,
)
from app.services.keeping.archive import archive
from app.services.placing.cancel import request_cancel
from app.store.core import keys
from tests.support.builders import SPOT, SPOT_ID, USDM, a_command, a_report, an_order_in, fixed
from tests.support.clocks import nothing
from tests.support.rig import POLICY, Rig, deaths, encounters, with_ids

BY_HAND = Reason(ReasonCode.REQUESTED, "by hand")


def compared(rig: Rig) -> Reconciliation:
    found = rig.ports.reconciliations.get(SPOT_ID)
    assert found is not None
    return found


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """A rig in which workers do what they are told to while somebody waits."""
    rig.clock.while_asleep = rig.drain
    return rig


def test_whoever_wants_it_now_gets_one_that_was_begun_after_the_wish(rig: Rig) -> None:
    reconcile(SPOT_ID, rig.ports)
    rig.clock.advance(5)
    wished_ms = rig.clock.server_ms()

    assert reconcile_now(SPOT, rig.ports)

    assert compared(rig).begun_ms >= wished_ms


def test_one_that_another_one_has_wished_for_since_is_new_enough(rig: Rig) -> None:
    def another_wishes() -> None:
        rig.clock.while_asleep = rig.drain
        assert reconcile_now(SPOT, rig.ports)

    rig.clock.while_asleep = another_wishes

    assert reconcile_now(SPOT, rig.ports)

    begun_ms = compared(rig).begun_ms
    rig.drain()
    assert compared(rig).begun_ms == begun_ms


def test_nobody_waits_for_ever_and_a_lost_message_is_sent_again(rig: Rig) -> None:
    before_ms = rig.clock.server_ms()
    rig.clock.while_asleep = nothing

    assert not reconcile_now(SPOT, rig.ports)

    assert rig.clock.server_ms() - before_ms == POLICY.reconcile_wait_ms
    assert len(rig.publisher.published) == POLICY.reconcile_wait_ms // POLICY.ask_again_ms


def test_one_that_is_at_work_already_is_waited_for_and_then_comes_another(rig: Rig) -> None:
    name = f"reconcile:{SPOT_ID}"
    token = rig.ports.locks.acquire(name, POLICY.reconcile_lease_ms)
    assert token is not None

    def meanwhile() -> None:
        rig.drain()
        rig.ports.locks.release(name, token)

    rig.clock.while_asleep = meanwhile

    assert reconcile_now(SPOT, rig.ports)
    assert len(rig.publisher.published) == 2


def test_each_account_at_a_real_venue_has_its_turn_once_in_a_while(rig: Rig) -> None:
    rig.registry.put_account(replace(SPOT, venue=VenueName("binance")))
    rig.registry.put_account(replace(USDM, venue=VenueName("binance"), enabled=False))

    def turns() -> list[AccountId | None]:
        rig.publisher.published.clear()
        reconcile_in_turn(rig.ports)
        return [one.account for one in rig.publisher.published]

    assert (turns(), turns()) == ([SPOT_ID], [])
    rig.drain()
    assert compared(rig).begun_ms == rig.clock.server_ms()
    rig.clock.advance(POLICY.reconcile_every_ms + 1)
    assert turns() == [SPOT_ID]


def test_a_turn_that_is_long_in_coming_is_not_forgotten(rig: Rig) -> None:
    rig.registry.put_account(replace(SPOT, venue=VenueName("binance")))

    reconcile_in_turn(rig.ports)

    (effect,) = rig.publisher.published
    request = rig.ports.worker_requests.find(effect.target)
    assert request.until_ms - request.asked_ms > 5 * POLICY.reconcile_every_ms


def test_what_kept_it_from_being_compared_is_told(rig: Rig) -> None:
    rig.venue.view_script.append(VenueUnavailable("nobody is there"))

    with pytest.raises(VenueUnavailable, match="nobody is there"):
        reconcile_now(SPOT, rig.ports)
    assert rig.ports.reconciliations.get(SPOT_ID) is None


def test_orders_are_vouched_for_early_even_if_nothing_was_compared(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    vouched: list[AccountId] = []
    monkeypatch.setattr(
        "app.services.following.reconcile.look_early", lambda account, _: vouched.append(account)
    )
    rig.venue.view_script.append(VenueUnavailable("nobody is there"))
    request = leave_request(EffectKind.RECONCILE, SPOT_ID, 5_000, rig.ports)

    with pytest.raises(VenueUnavailable):
        reconcile_as_asked(request.id, rig.ports)

    assert vouched == [SPOT_ID]


def test_whoever_dies_over_it_holds_it_up_for_a_minute_at_most() -> None:
    for rig in deaths(with_ids, lambda rig: reconcile(SPOT_ID, rig.ports)):
        rig.clock.advance(POLICY.reconcile_lease_ms + 1)

        reconcile(SPOT_ID, rig.ports)

        assert compared(rig).begun_ms == rig.clock.server_ms()


def test_two_at_once_leave_one_whole_outcome() -> None:
    def both(rig: Rig) -> None:
        reconcile(SPOT_ID, rig.ports)

    for rig in encounters(with_ids, both, both):
        assert compared(rig).mismatches == ()


def test_what_has_left_for_the_history_is_known_still(rig: Rig) -> None:
    rig.ports = replace(rig.ports, policy=replace(rig.ports.policy, history_after_ms=1))
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.run(a_command(size=fixed("0.1"), limit_price=Decimal(40_000)))
    order = rig.order()
    request_cancel(order.id, BY_HAND, rig.ports)
    rig.settle()
    for _ in range(3):
        archive(rig.ports)
        rig.clock.advance(5_000)
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.NEW)

    reconcile(SPOT_ID, rig.ports)

    assert not rig.redis.exists(keys.AggregateKeys(order.id).record)
    (found,) = compared(rig).mismatches
    assert found.kind is MismatchKind.UNEXPECTED
    assert "is CANCELED here, and open at the venue" in found.message
    assert found.aggregate_id == order.id
    assert found.standing is not None
    assert found.standing.client_order_id == order.client_order_id


@pytest.mark.parametrize("has_left", [False, True])
def test_an_order_that_is_open_there_and_cannot_be_read_here_is_shown(
    rig: Rig,
    has_left: bool,  # noqa: FBT001 - a case
) -> None:
    status = OrderStatus.CANCELED if has_left else OrderStatus.NEW
    order_id = an_order_in(status).id
    order = an_order_in(status, client_order_id=rig.ports.ids.client_order_id(order_id))
    rig.put(order)
    rig.venue.sent.append(order)
    if has_left:
        rig.history.keep(rig.ports.archive_queue.load([order.id]))
        rig.history.spoil(order.id)
        rig.redis.delete(keys.AggregateKeys(order.id).record)
    else:
        rig.redis.hset(keys.AggregateKeys(order.id).record, "body", '{"s":99}')
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.NEW)

    reconcile(SPOT_ID, rig.ports)

    (found,) = compared(rig).mismatches
    assert (found.kind, found.aggregate_id) == (MismatchKind.UNEXPECTED, order.id)
    assert "cannot be read" in found.message
    assert found.standing is not None


def test_an_order_that_cannot_be_told_keeps_none_from_being_compared(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order_in(OrderStatus.NEW)
    rig.put(order)
    rig.venue.ledger[order.client_order_id] = a_report(OrderStatus.FILLED)
    busy = Mock(side_effect=Conflict("others were first"))
    monkeypatch.setattr("app.services.following.reconcile.tell", busy)

    reconcile(SPOT_ID, rig.ports)

    assert compared(rig).mismatches == ()
