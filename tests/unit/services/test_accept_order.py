"""A command becomes an order, durably, before anybody is told its id."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.account import Account
from app.domain.commands import PlaceOrder, PositionAction
from app.domain.effects import EffectKind
from app.domain.enums import (
    AccountState,
    Dialect,
    Market,
    OrderType,
    PositionSide,
    ReasonCode,
    Side,
)
from app.domain.errors import (
    HookfillError,
    KeyReused,
    NotionalTooSmall,
    OutcomeUnknown,
    PriceMissing,
    QuantityTooSmall,
    StoreUnavailable,
    SymbolUnknown,
    VenueUnavailable,
)
from app.domain.identifiers import AccountId, AccountName, OrderId, Symbol
from app.domain.sender import Mark, Sender, SingleUse
from app.domain.status import OrderStatus
from app.services.intake.accept import Accepted
from app.services.intake.orders import accept_order
from app.services.placing.cancel import request_cancel
from app.services.placing.place import place_order
from app.services.placing.settle import is_settled
from tests.support.builders import BTC, ETH, NOW, REQUESTED, SPOT, USDM, a_report, must
from tests.support.fakes import ThenSilent
from tests.support.rig import POLICY, Rig, deaths, encounters, with_ids

DAY_MS = 86_400_000
BUY = PlaceOrder(symbol=BTC, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.1"))
LIMIT = replace(BUY, type=OrderType.LIMIT, price=Decimal("40000.005"))
OPEN = replace(BUY, symbol=ETH, quantity=Decimal(2))
CLOSE = replace(OPEN, side=Side.SELL, action=PositionAction.CLOSE)
KEY = SingleUse(name="ab", content="01")
OTHER = replace(KEY, content="02")

#: In another shard than the spot account.
ELSEWHERE = Account(id=AccountId(0), name=AccountName("else"), group="else", market=Market.SPOT)


def accept(
    rig: Rig,
    command: PlaceOrder = BUY,
    key: SingleUse | None = None,
    account: Account | None = None,
) -> Accepted:
    """Take an order in: of the futures account if it is in ETH."""
    sender = Sender(
        dialect=Dialect.HUMMINGBOT,
        origin="hummingbot:me",
        account=account or (USDM if command.symbol == ETH else SPOT),
        received_at_ms=rig.clock.now_ms(),
        marks=() if key is None else (Mark(f"key {key.content}", DAY_MS, key),),
    )
    return accept_order(command, sender, rig.ports)


# What is stored


def test_an_order_is_stored_with_what_it_owes(rig: Rig) -> None:
    accepted = accept(rig)

    order = rig.order(accepted.id)
    assert order.client_order_id == rig.ports.ids.client_order_id(accepted.id)
    assert (order.status, order.quantity) == (OrderStatus.PENDING_NEW, Decimal("0.1"))
    assert rig.events(order.id) == ["received", "validated", "queued"]
    assert [effect.kind for effect in rig.ports.outbox.owed()] == [EffectKind.PLACE]
    assert [effect.target for effect in rig.publisher.published] == [order.id]


def test_price_and_quantity_are_brought_onto_their_steps(rig: Rig) -> None:
    order = rig.order(accept(rig, replace(LIMIT, quantity=Decimal("0.123456789"))).id)

    assert (order.price, order.quantity) == (Decimal("40000.00"), Decimal("0.12345"))


def test_a_market_order_ignores_its_price(rig: Rig) -> None:
    assert rig.order(accept(rig, replace(BUY, price=Decimal(1))).id).price is None


def test_an_entry_may_be_too_late_and_an_exit_never_is(rig: Rig) -> None:
    bought = rig.order(accept(rig).id)
    sold = rig.order(accept(rig, replace(BUY, side=Side.SELL)).id)

    assert bought.not_after_ms == NOW + 60_000
    assert sold.not_after_ms is None
    assert sold.reduces


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (replace(LIMIT, price=None), PriceMissing),
        (replace(BUY, symbol=Symbol("FOO/BAR")), SymbolUnknown),
        (replace(BUY, quantity=Decimal("0.000001")), QuantityTooSmall),
        (replace(BUY, quantity=Decimal("0.00005")), NotionalTooSmall),
        (replace(LIMIT, price=Decimal(-1)), NotionalTooSmall),
        (replace(LIMIT, price=Decimal(0)), NotionalTooSmall),
    ],
)
def test_what_no_venue_takes_is_refused_and_nothing_stored(
    rig: Rig, command: PlaceOrder, kind: type[HookfillError]
) -> None:
    with pytest.raises(kind):
        accept(rig, command)

    assert rig.orders() == []
    assert not rig.publisher.published


def test_a_market_order_needs_a_known_price(rig: Rig) -> None:
    rig.venue.quotes.clear()

    with pytest.raises(VenueUnavailable):
        accept(rig)
    assert rig.order(accept(rig, LIMIT).id).price == Decimal("40000.00")


def test_a_close_needs_no_price_and_no_least_notional(rig: Rig) -> None:
    rig.venue.quotes.clear()

    order = rig.order(accept(rig, replace(CLOSE, quantity=Decimal("0.001"))).id)

    assert order.quantity == Decimal("0.001")


def test_a_limit_of_a_close_is_above_zero(rig: Rig) -> None:
    with pytest.raises(NotionalTooSmall):
        accept(rig, replace(CLOSE, type=OrderType.LIMIT, price=Decimal(0)))


def test_without_rules_nothing_is_taken_in(rig: Rig) -> None:
    rig.venue.instruments.clear()

    with pytest.raises(VenueUnavailable):
        accept(rig)


def test_a_store_that_gave_up_writes_nothing(rig: Rig) -> None:
    rig.ports = replace(rig.ports, policy=replace(POLICY, give_up_ms=-1))

    with pytest.raises(StoreUnavailable):
        accept(rig)

    assert rig.orders() == []


# Keys


def test_without_a_key_the_same_order_twice_is_two(rig: Rig) -> None:
    assert accept(rig).id != accept(rig).id


def test_the_same_key_twice_is_one_order(rig: Rig) -> None:
    first = accept(rig, key=KEY)
    again = accept(rig, key=KEY)

    assert (first.is_duplicate, again.is_duplicate) == (False, True)
    assert again.id == first.id
    assert len(rig.orders()) == 1


def test_a_key_is_good_for_one_request(rig: Rig) -> None:
    accept(rig, key=KEY)

    with pytest.raises(KeyReused):
        accept(rig, LIMIT, OTHER)
    assert len(rig.orders()) == 1


def test_a_key_is_one_whatever_account_it_comes_with(rig: Rig) -> None:
    elsewhere = rig.registry.put_account(ELSEWHERE)
    accept(rig, key=KEY)

    with pytest.raises(KeyReused):
        accept(rig, BUY, OTHER, elsewhere)
    assert len(rig.orders()) == 1


def test_a_repeat_is_answered_although_it_would_be_refused_today(rig: Rig) -> None:
    first = accept(rig, key=KEY)
    rig.venue.quotes.clear()

    assert accept(rig, key=KEY).id == first.id


def test_what_was_refused_binds_no_key(rig: Rig) -> None:
    with pytest.raises(NotionalTooSmall):
        accept(rig, replace(BUY, quantity=Decimal("0.00005")), OTHER)

    assert not accept(rig, key=KEY).is_duplicate


def test_a_key_means_nothing_after_its_day(rig: Rig) -> None:
    first = accept(rig, key=KEY)
    rig.clock.advance(DAY_MS)

    assert accept(rig, key=KEY).id != first.id
    with pytest.raises(KeyReused):
        accept(rig, LIMIT, OTHER)


def test_a_reset_forgets_what_a_key_stood_for(rig: Rig) -> None:
    first = accept(rig, key=KEY)
    account = rig.registry.put_account(replace(SPOT, resets=1))

    assert accept(rig, key=KEY, account=account).id != first.id


def test_a_key_stands_for_its_order_whichever_other_accounts_its_sender_has_by_now(
    rig: Rig,
) -> None:
    first = accept(rig, key=KEY)
    rig.venue.quotes.clear()

    again = accept(rig, key=replace(KEY, name="ac"))

    assert (again.id, again.is_duplicate) == (first.id, True)
    assert len(rig.orders()) == 1


def test_whoever_dies_while_taking_in_may_send_it_again() -> None:
    for rig in deaths(Rig, lambda rig: accept(rig, key=KEY)):
        accept(rig, key=KEY)

        rig.settle()

        assert len(rig.venue.sent) == 1
        assert rig.order().status is OrderStatus.FILLED


def test_two_who_come_at_once_with_one_key_are_one_order() -> None:
    for rig in encounters(
        with_ids, lambda rig: accept(rig, key=KEY), lambda rig: accept(rig, key=KEY)
    ):
        rig.settle()

        assert len(rig.venue.sent) == 1


def test_of_two_requests_at_once_with_one_key_one_is_taken() -> None:
    def other(rig: Rig) -> None:
        with suppress(KeyReused):
            accept(rig, LIMIT, OTHER)

    for rig in encounters(with_ids, lambda rig: accept(rig, key=KEY), other):
        assert len(rig.orders()) == 1


# Turns


def test_a_close_takes_its_turn(rig: Rig) -> None:
    order_id = accept(rig, CLOSE).id

    order = rig.order()

    assert order.is_queued
    assert (order.position_side, order.reduce_only) == (PositionSide.LONG, True)
    assert [effect.kind for effect in order.owed()] == [EffectKind.ADVANCE]
    assert order.owed()[0].urgent

    rig.drain()

    assert not rig.order().awaits_turn
    assert [one.id for one in rig.venue.sent] == [order_id]


def test_a_close_waits_for_the_opening_before_it(rig: Rig) -> None:
    opening = accept(rig, OPEN)
    closing = accept(rig, CLOSE)
    rig.publisher.waiting.reverse()

    rig.drain()

    assert [one.id for one in rig.venue.sent] == [opening.id, closing.id]


def test_of_two_closes_the_second_is_sent_when_the_first_is_known(rig: Rig) -> None:
    rig.venue.place_script.append(ThenSilent(a_report(OrderStatus.NEW), OutcomeUnknown("silence")))
    first, second = accept(rig, CLOSE), accept(rig, CLOSE)
    rig.drain()

    assert rig.order(first.id).status is OrderStatus.UNKNOWN
    assert rig.order(second.id).is_queued
    assert is_settled(rig.ports)

    rig.settle()

    assert rig.order(first.id).status is OrderStatus.NEW
    assert [one.id for one in rig.venue.sent] == [first.id, second.id]


def test_nobody_sends_a_close_before_its_turn(rig: Rig) -> None:
    opening = accept(rig, OPEN)
    closing = accept(rig, CLOSE)

    place_order(OrderId(closing.id), rig.ports)

    assert not rig.venue.sent
    assert rig.order(closing.id).is_queued
    assert rig.order(opening.id).is_in_flight


def test_a_close_that_waits_can_be_canceled(rig: Rig) -> None:
    accept(rig, OPEN)
    closing = accept(rig, CLOSE)

    assert request_cancel(closing.id, REQUESTED, rig.ports)
    rig.settle()

    assert rig.order(closing.id).status is OrderStatus.CANCELED
    assert len(rig.venue.sent) == 1


def test_a_close_waits_while_its_account_is_halted(rig: Rig) -> None:
    rig.state(AccountState.HALT)
    closing = accept(rig, CLOSE)
    rig.drain()

    assert rig.order(closing.id).is_queued
    assert is_settled(rig.ports)

    rig.state(AccountState.REDUCE_ONLY)
    rig.settle()
    assert rig.order(closing.id).status is OrderStatus.FILLED


def test_an_entry_of_a_halted_account_is_denied(rig: Rig) -> None:
    rig.state(AccountState.HALT)
    opening = accept(rig, OPEN)
    rig.drain()

    denied = rig.order(opening.id)
    assert denied.status is OrderStatus.DENIED
    assert must(denied.reason).code is ReasonCode.ACCOUNT_HALTED


def with_a_close() -> Rig:
    rig = Rig()
    accept(rig, CLOSE)
    return rig


def test_a_close_is_sent_once_whoever_dies() -> None:
    for rig in deaths(with_a_close, Rig.drain):
        rig.settle()

        assert rig.order().status is OrderStatus.FILLED
        assert rig.venue.repeats == []
        assert len(rig.venue.ledger) == 1


def test_a_close_is_sent_once_by_two_at_once() -> None:
    for rig in encounters(with_a_close, Rig.drain, Rig.settle):
        rig.settle()

        assert rig.order().status is OrderStatus.FILLED
        assert len(rig.venue.sent) == 1
