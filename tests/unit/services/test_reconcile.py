"""An account is compared with its venue: by one at a time, for whoever waits, and told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

import pytest

from app.domain.enums import ReasonCode
from app.domain.errors import Conflict, VenueUnavailable
from app.domain.reason import Reason
from app.domain.reconciliation import MismatchKind, Reconciliation
from app.domain.status import OrderStatus
from app.services.following.reconcile import (
    ASK_AGAIN_MS,
    LEASE_MS,
    WAIT_MS,
    reconcile,
    reconcile_now,
)
from app.services.keeping.archive import archive
from app.services.placing.cancel import request_cancel
from app.store.core import keys
from tests.support.builders import SPOT, SPOT_ID, a_command, a_report, an_order_in, fixed
from tests.support.rig import Rig, deaths, encounters, with_ids

if TYPE_CHECKING:
    from app.domain.identifiers import EpochMs

BY_HAND = Reason(ReasonCode.REQUESTED, "by hand")


class Asked:
    """Workers that compare when they are asked to, or not at all."""

    def __init__(self, rig: Rig, work: Callable[[EpochMs], None]) -> None:
        self.times: list[EpochMs] = []
        self._rig = rig
        self._work = work

    def ask(self, since_ms: EpochMs) -> None:
        self.times.append(self._rig.clock.server_ms())
        self._work(since_ms)

    def wait(self) -> bool:
        return reconcile_now(SPOT, self._rig.ports, self.ask, self._rig.clock.advance)


def compared(rig: Rig) -> Reconciliation:
    found = rig.ports.reconciliations.get(SPOT_ID)
    assert found is not None
    return found


def comparing(rig: Rig) -> Asked:
    return Asked(rig, lambda since_ms: reconcile(SPOT_ID, rig.ports, since_ms))


def test_whoever_wants_it_now_gets_one_that_was_begun_after_the_wish(rig: Rig) -> None:
    reconcile(SPOT_ID, rig.ports)
    rig.clock.advance(5)

    assert comparing(rig).wait()

    assert compared(rig).begun_ms == rig.clock.server_ms()


def test_nobody_waits_for_ever_and_a_lost_message_is_sent_again(rig: Rig) -> None:
    before_ms = rig.clock.server_ms()
    asked = Asked(rig, lambda _: None)

    assert not asked.wait()

    assert WAIT_MS <= rig.clock.server_ms() - before_ms < WAIT_MS + 100
    assert [one - before_ms for one in asked.times] == [*range(0, WAIT_MS, ASK_AGAIN_MS)]


def test_one_that_is_at_work_already_is_waited_for_and_then_comes_another(rig: Rig) -> None:
    token = rig.ports.locks.acquire(f"reconcile:{SPOT_ID}", LEASE_MS)
    assert token is not None
    asked = comparing(rig)

    def meanwhile(pause_ms: int) -> None:
        rig.clock.advance(pause_ms)
        rig.ports.locks.release(f"reconcile:{SPOT_ID}", token)

    assert reconcile_now(SPOT, rig.ports, asked.ask, meanwhile)
    assert len(asked.times) == 2


def test_what_kept_it_from_being_compared_is_told(rig: Rig) -> None:
    rig.venue.view_script.append(VenueUnavailable("nobody is there"))

    def trying(since_ms: EpochMs) -> None:
        with pytest.raises(VenueUnavailable):
            reconcile(SPOT_ID, rig.ports, since_ms)

    with pytest.raises(VenueUnavailable, match="nobody is there"):
        Asked(rig, trying).wait()
    assert rig.ports.reconciliations.get(SPOT_ID) is None


def test_whoever_dies_over_it_holds_it_up_for_a_minute_at_most() -> None:
    for rig in deaths(with_ids, lambda rig: reconcile(SPOT_ID, rig.ports)):
        rig.clock.advance(LEASE_MS + 1)

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

    assert not rig.redis.exists(keys.aggregate(order.id))
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
        rig.redis.delete(keys.aggregate(order.id))
    else:
        rig.redis.hset(keys.aggregate(order.id), "body", '{"s":99}')
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

    def busy(*_: object) -> NoReturn:
        raise Conflict("others were first")

    monkeypatch.setattr("app.services.following.reconcile.tell", busy)

    reconcile(SPOT_ID, rig.ports)

    assert compared(rig).mismatches == ()
