"""News of the paper venue, behind the Reports port."""

from app.domain.enums import Side
from app.domain.status import OrderStatus
from tests.support.builders import SPOT, USDM
from tests.support.paper_world import PaperWorld


def test_an_answer_is_no_news(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    world.spot.cancel(order)

    assert world.reports.unread(SPOT) == {}
    assert world.reports.accounts_with_news() == []


def test_a_fill_of_a_resting_order_is_news_until_it_is_read(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    world.price("40000")

    news = world.reports.unread(SPOT)

    assert news == {order.client_order_id: world.row(order).report()}
    assert news[order.client_order_id].status is OrderStatus.FILLED
    assert world.reports.accounts_with_news() == [SPOT.id]
    world.reports.mark_read(SPOT, news)
    assert world.reports.unread(SPOT) == {}
    assert world.reports.accounts_with_news() == []


def test_newer_news_of_the_same_order_survives_the_reading(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1", "40000")
    world.spot.place(order)
    part = {"prices": {"BTC/USDT": {"bid": "1", "asks": [["40000", "0.02"]]}}}
    world.desk.set_prices(part)
    world.evaluate()
    read = world.reports.unread(SPOT)
    world.desk.set_prices(part)
    world.evaluate()

    world.reports.mark_read(SPOT, read)

    assert set(world.reports.unread(SPOT)) == {order.client_order_id}
    assert world.reports.accounts_with_news() == [SPOT.id]


def test_reading_one_order_leaves_the_others_unread(world: PaperWorld) -> None:
    orders = [world.order(Side.BUY, "0.01", "40000") for _ in range(2)]
    for order in orders:
        world.spot.place(order)
    world.price("40000")
    news = world.reports.unread(SPOT)
    first = orders[0].client_order_id

    world.reports.mark_read(SPOT, {first: news[first]})

    assert set(world.reports.unread(SPOT)) == {orders[1].client_order_id}


def test_marking_what_is_not_there_is_no_error(world: PaperWorld) -> None:
    order = world.order(Side.BUY, "0.1")
    report = world.spot.place(order)

    world.reports.mark_read(SPOT, {})
    world.reports.mark_read(USDM, {order.client_order_id: report})


def test_a_reset_forgets_news(world: PaperWorld) -> None:
    world.spot.place(world.order(Side.BUY, "0.1", "40000"))
    world.price("40000")

    world.desk.set_account(SPOT, {"reset": True})

    assert world.reports.unread(SPOT) == {}
    assert world.reports.accounts_with_news() == []
