"""What venues report about open orders."""

from decimal import Decimal
from functools import partial

import pytest

from app.domain.errors import NotFound
from app.domain.identifiers import AccountId, ClientOrderId
from app.domain.market import AccountView
from app.domain.order import Order
from app.domain.report import OrderReport
from app.domain.request.signal import RequestStatus
from app.domain.status import OrderStatus
from app.services.following.follow import follow_news, follow_orders, poll_orders
from app.store.core import keys
from tests.support.builders import SPOT_ID, a_command, a_report, a_view, an_id, fixed
from tests.support.rig import Rig, deaths, encounters

LIMIT = a_command(size=fixed("0.5"), limit_price=Decimal(20_000))


def resting() -> Rig:
    """A rig with a signal whose order rests at the venue."""
    rig = Rig()
    rig.venue.account = a_view_with_money()
    rig.venue.place_script.append(a_report(OrderStatus.NEW))
    rig.run(LIMIT)
    return rig


def a_view_with_money() -> AccountView:
    return a_view({"USDT": "100000"})


def tell(rig: Rig, report: OrderReport) -> None:
    """Let the venue have news of the order."""
    rig.reports.news[SPOT_ID] = {rig.order().client_order_id: report}


def follow(rig: Rig) -> Order:
    follow_news(rig.ports)
    return rig.order()


@pytest.mark.parametrize("status", [OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED])
def test_news_reaches_the_order(status: OrderStatus) -> None:
    rig = resting()
    tell(rig, a_report(status))

    order = follow(rig)

    assert order.status is status
    assert rig.reports.accounts_with_news() == []


def test_a_full_fill_ends_the_signal() -> None:
    rig = resting()
    tell(rig, a_report())
    follow(rig)

    rig.drain()

    assert rig.signal(rig.order().parent_id or an_id()).status is RequestStatus.DONE


def test_news_that_is_read_twice_counts_once() -> None:
    rig = resting()
    tell(rig, a_report(OrderStatus.PARTIALLY_FILLED))
    follow(rig)
    version = rig.ports.ledger.load(rig.order().id).version

    tell(rig, a_report(OrderStatus.PARTIALLY_FILLED))
    follow(rig)

    assert rig.ports.ledger.load(rig.order().id).version == version


@pytest.mark.parametrize("foreign", ["web_123", "hzzzz00000000001"])
def test_an_order_of_somebody_else_is_not_ours_to_follow(foreign: str) -> None:
    rig = resting()
    rig.reports.news[SPOT_ID] = {ClientOrderId(foreign): a_report()}

    assert follow(rig).status is OrderStatus.NEW
    assert rig.reports.accounts_with_news() == []


def test_news_of_an_order_that_is_gone_is_forgotten() -> None:
    rig = resting()
    (fresh,) = rig.ports.ids.fresh(SPOT_ID, 1)
    rig.reports.news[SPOT_ID] = {fresh.client_order_id: a_report()}

    follow(rig)

    assert rig.reports.accounts_with_news() == []


def test_news_of_an_order_of_a_newer_release_is_left_to_it_and_holds_up_nobody() -> None:
    rig = resting()
    (fresh,) = rig.ports.ids.fresh(SPOT_ID, 1)
    rig.redis.hset(keys.AggregateKeys(fresh.id).record, mapping={"version": 1, "body": '{"s":2}'})
    newer = fresh.client_order_id
    rig.reports.news[SPOT_ID] = {newer: a_report(), rig.order().client_order_id: a_report()}

    order = follow(rig)

    assert order.status is OrderStatus.FILLED
    assert rig.reports.news[SPOT_ID] == {newer: a_report()}


def test_an_unknown_account_is_said_to_be_unknown(rig: Rig) -> None:
    with pytest.raises(NotFound):
        follow_orders(AccountId(99), rig.ports)


def test_a_fill_that_overtakes_the_answer_is_not_lost() -> None:
    rig = Rig()
    rig.venue.account = a_view_with_money()
    rig.venue.place_script.append(a_report(OrderStatus.NEW))

    def the_tick_comes_first(_: Order) -> None:
        tell(rig, a_report())
        follow(rig)

    rig.accept(LIMIT)
    rig.venue.after_place = the_tick_comes_first
    rig.drain()

    assert rig.order().status is OrderStatus.FILLED


def with_news() -> Rig:
    rig = resting()
    tell(rig, a_report())
    return rig


def test_whoever_dies_while_following_leaves_the_news_to_others() -> None:
    for rig in deaths(with_news, follow):
        follow(rig)
        rig.settle()

        assert rig.order().status is OrderStatus.FILLED
        assert rig.signal(rig.order().parent_id or an_id()).status is RequestStatus.DONE


def test_of_two_who_follow_at_once_the_fill_counts_once() -> None:
    for rig in encounters(with_news, follow, follow):
        rig.settle()

        assert rig.order().filled_quantity == Decimal("0.5")
        assert rig.events(rig.order().id).count("filled") == 1


def with_a_forgotten_order(report: OrderReport) -> Rig:
    """A rig with news of an order of ours that neither store nor history knows any more."""
    rig = Rig()
    rig.reports.news[SPOT_ID] = {rig.ports.ids.fresh(SPOT_ID, 1)[0].client_order_id: report}
    return rig


PARTLY = a_report(OrderStatus.PARTIALLY_FILLED, filled_quantity=Decimal("0.3"))


def orphans(rig: Rig) -> list[OrderReport]:
    return [one.report for one in rig.ports.reconciliations.orphans(SPOT_ID)]


def test_a_fill_of_an_order_that_nobody_knows_is_kept_for_a_person() -> None:
    rig = with_a_forgotten_order(PARTLY)
    ((client_order_id, _),) = rig.reports.news[SPOT_ID].items()

    follow_news(rig.ports)

    (kept,) = rig.ports.reconciliations.orphans(SPOT_ID)
    assert (kept.client_order_id, kept.report) == (client_order_id, PARTLY)
    assert rig.reports.accounts_with_news() == []


def test_a_report_of_such_an_order_without_a_fill_is_forgotten() -> None:
    rig = with_a_forgotten_order(a_report(OrderStatus.CANCELED))

    follow_news(rig.ports)

    assert orphans(rig) == []
    assert rig.reports.accounts_with_news() == []


def test_more_that_is_filled_of_it_is_kept_and_less_is_not_news() -> None:
    rig = with_a_forgotten_order(PARTLY)
    (client_order_id,) = rig.reports.news[SPOT_ID]
    for report in (PARTLY, a_report(), PARTLY):
        rig.reports.news[SPOT_ID] = {client_order_id: report}
        follow_news(rig.ports)

    assert orphans(rig) == [a_report()]


def test_whoever_dies_over_it_or_meets_another_keeps_it_once() -> None:
    def follow(rig: Rig) -> None:
        follow_news(rig.ports)

    prepared = partial(with_a_forgotten_order, PARTLY)
    for rig in deaths(prepared, follow):
        follow(rig)
        assert orphans(rig) == [PARTLY]
    for rig in encounters(prepared, follow, follow):
        assert orphans(rig) == [PARTLY]


def test_an_order_that_is_lost_while_its_venue_is_asked_leaves_its_fill() -> None:
    rig = resting()
    order = rig.order()
    rig.venue.ledger[order.client_order_id] = PARTLY

    def lose_it() -> None:
        rig.redis.delete(keys.AggregateKeys(order.id).record)

    rig.venue.after_call = lose_it

    poll_orders(SPOT_ID, rig.ports)

    assert orphans(rig) == [PARTLY]
