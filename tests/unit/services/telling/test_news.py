"""What people are told of what happens to orders and whatever they come from."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.channel import Channel
from app.domain.commands import Action
from app.domain.enums import AccountState, PositionSide, ReasonCode
from app.domain.errors import OutcomeUnknown, VenueRejected
from app.domain.events import OrderReported
from app.domain.exits import MISSES_TOLD
from app.domain.identifiers import AccountName
from app.domain.notice import Notice, NoticeKind
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.ports.notices import Mailbox
from app.services.advance import advance
from app.store.core import keys
from tests.support.builders import (
    ETH,
    SPOT,
    a_command,
    a_fill,
    a_report,
    a_tick,
    a_view,
    an_order,
    fixed,
    percent,
)
from tests.support.rig import Rig

FILL, REFUSAL, MISSED = NoticeKind.FILL, NoticeKind.REFUSAL, NoticeKind.MISSED
PROTECTION = NoticeKind.PROTECTION


@pytest.fixture
def rig(rig: Rig) -> Rig:
    rig.registry.put_channel(Channel(name="phone", sealed="-", service="tgram"))
    return rig


def told(rig: Rig, channel: str = "phone") -> list[Notice]:
    mailboxes = [Mailbox(kind, channel) for kind in NoticeKind]
    found = [one for mailbox in mailboxes for one in rig.notices.waiting(mailbox, 100)]
    return sorted(found, key=lambda one: (one.at_ms, one.id))


def kinds(rig: Rig) -> list[NoticeKind]:
    return [one.kind for one in told(rig)]


def said(notices: Sequence[Notice]) -> list[str]:
    return [one.message for one in notices]


def test_a_fill_is_told_with_its_price_and_whose_it_is(rig: Rig) -> None:
    rig.run(a_command(size=fixed("0.1")))

    (notice,) = told(rig)
    assert notice.kind is FILL
    assert notice.message == "bought 0.1 BTC/USDT at 50000"
    assert (notice.account, notice.about) == (SPOT.name, rig.order().id)


def test_of_what_fills_bit_by_bit_it_is_told_that_it_begins_and_what_it_came_to(rig: Rig) -> None:
    order = an_order(quantity=Decimal(1), status=OrderStatus.NEW)
    stored = rig.put(order)

    for filled, status in (
        ("0.2", OrderStatus.PARTIALLY_FILLED),
        ("0.5", OrderStatus.PARTIALLY_FILLED),
        ("1", OrderStatus.FILLED),
    ):
        report = OrderReport(
            status=status, filled_quantity=Decimal(filled), average_price=Decimal(50_000)
        )
        event = OrderReported(at_ms=rig.clock.now_ms(), report=report)
        rig.clock.advance(1)
        advance(stored.aggregate.id, event, rig.ports)

    assert said(told(rig)) == [
        "bought 0.2 BTC/USDT at 50000 so far",
        "bought 1 BTC/USDT at 50000",
    ]


def test_a_refusal_is_told_once_of_the_request_and_not_of_its_order(rig: Rig) -> None:
    rig.venue.place_script.append(VenueRejected("no", ReasonCode.VENUE_REJECTED))
    accepted = rig.run(a_command(size=fixed("0.1")))

    (notice,) = told(rig)
    assert (notice.kind, notice.about) == (REFUSAL, accepted.id)
    assert notice.message == "buy 0.1 BTC/USDT was rejected: no"


def test_what_is_denied_here_is_a_refusal(rig: Rig) -> None:
    rig.state(AccountState.HALT)
    rig.run(a_command(size=fixed("0.1")))

    assert kinds(rig) == [REFUSAL]


def test_a_signal_that_comes_too_late_or_finds_nothing_to_do_is_missed(rig: Rig) -> None:
    late = rig.accept(a_command(size=fixed("0.1")))
    rig.clock.advance(120_000)
    rig.settle()
    idle = rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))

    assert rig.states(late.id, idle.id) == [RequestStatus.EXPIRED, RequestStatus.SKIPPED]
    assert kinds(rig) == [MISSED, MISSED]


def test_a_cancel_is_nothing_that_people_are_told(rig: Rig) -> None:
    rig.accept(a_command(size=fixed("0.1"), delay_ms=60_000))
    rig.run(a_command(Action.CANCEL_ALL))

    assert told(rig) == []


def holding(rig: Rig) -> None:
    """Let the venue have a long of 0.5, which a stop at 1,900 guards, and say nothing of it."""

    def answer(order: Order) -> OrderReport:
        size = Decimal(0) if order.reduce_only else order.quantity
        held = {PositionSide.LONG: str(size)} if size else {}
        rig.venue.account = a_view({"USDT": "100000"}, held)
        return OrderReport(
            status=OrderStatus.FILLED,
            filled_quantity=order.quantity,
            average_price=Decimal(2_000),
            position_after=size,
        )

    rig.venue.answer = answer
    rig.accept(a_command(Action.OPEN_LONG, size=fixed("0.5"), stop_loss=Decimal(1_900)))
    rig.drain()
    for mailbox in rig.notices.mailboxes():
        rig.notices.remove(mailbox, rig.notices.waiting(mailbox, 10))


def fall(rig: Rig) -> None:
    rig.feed.ticks.append(a_tick(2, ETH, "1890"))
    rig.watch_and_work()


@pytest.mark.parametrize("tries", [1, MISSES_TOLD + 1])
def test_an_exit_that_is_refused_is_told_at_once_and_again_when_it_fails(
    rig: Rig, tries: int
) -> None:
    holding(rig)
    rig.venue.place_script.extend(
        VenueRejected("closed", ReasonCode.VENUE_REJECTED) for _ in range(tries)
    )
    fall(rig)
    at_once = said(told(rig))
    rig.settle()
    later = said(told(rig))

    guard = "sell 0.5 ETH/USDT when last reaches 1900"
    refused = f"an exit of {guard} has closed nothing, and is tried again: closed"
    assert at_once == [refused]
    assert later.count(refused) == 1
    assert (f"{guard} needs a look: closed" in later) is (tries > 1)
    assert (f"no exit of {guard} fails any more" in later) is (tries > 1)
    assert "sold 0.5 ETH/USDT at 2000" in later


def test_an_exit_that_finds_nothing_to_close_is_no_alarm(rig: Rig) -> None:
    holding(rig)
    rig.venue.place_script.append(VenueRejected("it is flat", ReasonCode.WOULD_NOT_REDUCE))
    fall(rig)

    assert PROTECTION not in kinds(rig)


def test_an_outcome_that_is_unknown_is_told_by_nobody_at_once(rig: Rig) -> None:
    rig.venue.place_script.append(OutcomeUnknown("who knows"))
    rig.accept(a_command(size=fixed("0.1")))
    rig.drain()

    assert rig.order().status is OrderStatus.UNKNOWN
    assert told(rig) == []


def test_each_channel_hears_what_it_wants_to(rig: Rig) -> None:
    other = Channel(name="other", sealed="-", service="tgram")
    rig.registry.put_channel(replace(other, name="fills", kinds=(FILL,)))
    rig.registry.put_channel(replace(other, name="mine", accounts=(AccountName("none"),)))
    rig.registry.put_channel(replace(other, name="off", enabled=False))
    rig.run(a_command(size=fixed("0.1")))
    rig.run(a_command(Action.CLOSE_LONG, size=percent("100")))

    heard = {
        name: sorted(one.kind for one in told(rig, name))
        for name in ("phone", "fills", "mine", "off")
    }
    assert heard == {"phone": [FILL, MISSED], "fills": [FILL], "mine": [], "off": []}


def test_without_channels_nothing_is_written(rig: Rig) -> None:
    phone = rig.registry.channels()[0]
    rig.registry.put_channel(replace(phone, enabled=False))
    rig.run(a_command(size=fixed("0.1")))

    assert rig.notices.mailboxes() == set()


def test_a_mistake_in_what_is_told_keeps_no_order_from_its_way(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr("app.services.telling.address.news_in", mistaken)
    accepted = rig.run(a_command(size=fixed("0.1")))

    assert rig.states(accepted.id) == [RequestStatus.DONE]
    assert told(rig) == []


def test_a_fill_that_overtook_the_news_is_told(rig: Rig) -> None:

    order = an_order(quantity=Decimal(1), status=OrderStatus.CANCELED)
    stored = rig.put(order)
    report = a_report(filled_quantity=Decimal(1), fills=(a_fill(quantity=Decimal(1)),))
    advance(stored.aggregate.id, OrderReported(at_ms=rig.clock.now_ms(), report=report), rig.ports)

    assert kinds(rig) == [FILL]


def test_an_order_that_ends_after_it_was_filled_in_part_says_what_it_came_to(rig: Rig) -> None:
    stored = rig.put(an_order(quantity=Decimal(1), status=OrderStatus.NEW))
    for filled, status in (
        ("0.03", OrderStatus.PARTIALLY_FILLED),
        ("0.07", OrderStatus.PARTIALLY_FILLED),
        ("0.07", OrderStatus.CANCELED),
    ):
        report = OrderReport(
            status=status, filled_quantity=Decimal(filled), average_price=Decimal(50_000)
        )
        rig.clock.advance(1)
        event = OrderReported(at_ms=rig.clock.now_ms(), report=report)
        advance(stored.aggregate.id, event, rig.ports)

    assert said(told(rig)) == [
        "bought 0.03 BTC/USDT at 50000 so far",
        "bought 0.07 BTC/USDT at 50000",
    ]


def test_a_channel_of_a_newer_release_keeps_nothing_from_being_committed(rig: Rig) -> None:
    channel = {"name": "new", "sealed": "-", "service": "tgram", "kinds": ["weather"]}
    rig.redis.hset(keys.CHANNELS, "new", json.dumps(channel))
    rig.redis.incr(keys.REGISTRY)
    rig.registry.refresh()
    accepted = rig.run(a_command(size=fixed("0.1")))

    assert rig.states(accepted.id) == [RequestStatus.DONE]
    assert kinds(rig) == [FILL]
