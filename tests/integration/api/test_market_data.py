"""Market data costs the store next to nothing, and shows at once what people change."""

from dataclasses import replace
from decimal import Decimal

import pytest
import redis
from flask.testing import FlaskClient

from app.bootstrap import Wiring
from app.domain.enums import Market
from app.domain.identifiers import AccountName, AggregateId, EpochMs, OrderId, TradeId
from app.domain.status import OrderStatus
from app.factory import create_app
from app.ports.ledger import Change, Stored
from app.web.shared import Shared
from tests.support.builders import a_fill, a_live_account, an_order_in
from tests.support.caller import Caller, Json, Worker

pytestmark = pytest.mark.integration

#: Enough to be noticed if each cost a question.
FILLS = 50

#: What is open about one pair, and changes with prices and trades.
PATHS = (
    "/markets/price",
    "/markets/ticker24h",
    "/markets/BTC_USDT/candles?interval=MINUTE_5&limit=500",
    "/markets/BTC_USDT/trades?limit=1000",
    "/markets/BTC_USDT/orderBook",
)


@pytest.fixture
def traded(demo: Caller, wiring: Wiring) -> FlaskClient:
    """A stranger before an app whose account has traded."""
    for number in range(FILLS):
        _trade(wiring, number)
    return demo.client


def _trade(wiring: Wiring, number: int, name: str = "demo", **odd: object) -> None:
    """Let an account have bought half a BTC, one second after the other."""
    at_ms = EpochMs(wiring.ports.clock.now_ms() - 1_000 * (2 * FILLS - number))
    account = wiring.registry.account_named(AccountName(name)).id
    order = an_order_in(
        OrderStatus.FILLED,
        id=OrderId(AggregateId((1_000 + number) * 4096 + account)),
        account=account,
        fills=(a_fill(at_ms=at_ms),),
        **odd,
    )
    wiring.ports.ledger.commit([Change(None, order)])


def _commands(server: str) -> int:
    with redis.Redis.from_url(server) as client:
        told = client.info("commandstats")
    return sum(
        one["calls"] for name, one in told.items() if name not in {"cmdstat_info", "cmdstat_hello"}
    )


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_costs_few_questions_and_the_next_ones_a_single_one(
    traded: FlaskClient, redis_server: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shared, "_is_good", lambda *_: True)  # as if all came within its second
    traded.get("/timestamp")
    before = _commands(redis_server)

    first = traded.get(path)
    between = _commands(redis_server)
    again = [traded.get(path) for _ in range(10)]

    assert first.status_code == 200
    assert {one.data for one in again} == {first.data}
    assert between - before < 40
    assert _commands(redis_server) - between < 15


def _trades(client: FlaskClient) -> list[Json]:
    rows: list[Json] = client.get("/markets/BTC_USDT/trades?limit=1000").get_json()
    return rows


@pytest.mark.usefixtures("traded")
def test_what_is_known_already_is_not_read_again(wiring: Wiring) -> None:
    positions, known = wiring.tape.after({})
    _trade(wiring, FILLS)

    positions, new = wiring.tape.after(positions)

    assert len(known) == FILLS
    assert [(one.order_id // 4096, one.number) for one in new] == [(1_000 + FILLS, 0)]
    assert wiring.tape.after(positions) == (positions, [])


def test_only_spot_trades_of_play_money_are_shown_newest_first(
    traded: FlaskClient, wiring: Wiring
) -> None:
    wiring.registry.put_account(a_live_account())
    _trade(wiring, FILLS, name="real")
    _trade(wiring, FILLS + 1, market=Market.USDM)
    _trade(wiring, FILLS + 2)

    rows = _trades(traded)

    assert [int(one["id"][:-4]) // 4096 for one in rows] == [
        1_000 + number for number in (FILLS + 2, *reversed(range(FILLS)))
    ]


def test_a_fill_that_is_told_again_with_its_fee_is_one_trade(demo: Caller, wiring: Wiring) -> None:
    account = wiring.registry.account_named(AccountName("demo")).id
    order_id = OrderId(AggregateId(5 * 4096 + account))
    first, second = a_fill(), a_fill(trade_id=TradeId("t2"), is_maker=True, price=Decimal(49_000))
    before: Stored | None = None
    for version, fills in enumerate(((first,), (replace(first, fee=Decimal(1)), second)), 1):
        order = an_order_in(OrderStatus.FILLED, id=order_id, account=account, fills=fills)
        wiring.ports.ledger.commit([Change(before, order)])
        before = Stored(order, version)

    assert [(one["price"], one["takerSide"]) for one in _trades(demo.client)] == [
        ("49000", "SELL"),
        ("50000", "BUY"),
    ]


def test_a_change_of_people_is_seen_at_once_by_every_web_process(
    traded: FlaskClient, demo: Caller, wiring: Wiring
) -> None:
    other = create_app(wiring).test_client()  # which remembers what it has answered itself
    path = "/markets/BTC_USDT/price"
    assert other.get(path).get_json()["price"] == "50000"

    demo.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "51000"}}})

    assert traded.get(path).get_json()["price"] == "51000"
    assert other.get(path).get_json()["price"] == "51000"


def test_strangers_make_nobody_look_anew(demo: Caller, wiring: Wiring) -> None:
    before = wiring.paper.changes()

    assert demo.client.post("/paper/settle").status_code == 401
    assert demo.send("PUT", "/paper/prices", {}).status_code == 400

    assert wiring.paper.changes() == before


def test_what_follows_from_a_change_is_seen_once_it_has_settled(
    demo: Caller, worker: Worker
) -> None:
    assert _trades(demo.client) == []

    demo.signal(action="buy", fixed="0.01")
    worker.work()
    demo.call("POST", "/paper/settle")

    assert [one["quantity"] for one in _trades(demo.client)] == ["0.01"]
