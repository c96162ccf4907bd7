"""Limits are set by people, deny entries of every dialect with their code, and never an exit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from werkzeug.test import TestResponse

from app.domain.enums import Dialect
from app.domain.limits import LIMIT_NAMES
from tests.support import three_commas as wire
from tests.support.caller import WEBHOOK, Caller, Json, Worker
from tests.support.each_dialect import ACCOUNT, NET, named, open_for_all, order, signed_by

pytestmark = pytest.mark.integration

ANSWERS_AT_ONCE = (Dialect.POLONIEX, Dialect.THREE_COMMAS, Dialect.HUMMINGBOT)

_numbers = count()

Request = tuple[str, Json]


@dataclass
class Desk:
    """Somebody who trades in one dialect; the account has something that can be closed."""

    demo: Caller
    worker: Worker
    dialect: Dialect

    @property
    def account(self) -> str:
        return NET if self.dialect is Dialect.APISIFY else ACCOUNT

    def limit(self, **texts: object) -> None:
        shown = self.demo.call("PUT", f"/api/accounts/{self.account}", {"limits": texts})
        assert set(shown["limits"]) == set(texts)

    def price(self, last: str) -> None:
        self.demo.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": last}}})
        self.worker.work()

    def send(self, request: Request) -> TestResponse:
        answer = signed_by(self.dialect, *request).to(self.demo.client)
        self.worker.work()
        return answer

    def make(self, request: Request) -> Json:
        answer = self.send(request)
        assert answer.status_code in {200, 201}, answer.text
        return answer.get_json(silent=True) or {}

    def orders(self) -> list[Json]:
        return self.demo.rows(kind="ORDER", account=self.account)


def entry(dialect: Dialect, *, limit: str | None = None) -> Request:
    """A buy of 0.01 bitcoin: at the market, or at a limit."""
    match dialect:
        case Dialect.CRYPTO_ARSENAL:
            # The same alert again would be a repeat.
            at = {"clientOrderId": f"n{next(_numbers)}", **({"limit": limit} if limit else {})}
            return WEBHOOK, {"action": "buy", "fixed": "0.01", **at}
        case Dialect.APISIFY:
            at = {"order_type": "Limit", "price": limit} if limit else {"order_type": "Market"}
            return "/v1/order", order(qty=0.01, **at)
        case Dialect.POLONIEX:
            size = {"type": "MARKET", "amount": "500"}
            if limit:
                size = {"type": "LIMIT", "quantity": "0.01", "price": limit}
            return "/orders", {"symbol": "BTC_USDT", "side": "BUY", **size}
        case Dialect.THREE_COMMAS:
            at = {"buy_method": "limit", "buy_price": limit} if limit else {"buy_method": "market"}
            fields = wire.simple(pair="USDT_BTC", units_to_buy="0.01", **at)
            return f"{wire.TRADES}/create_simple_buy", fields
        case Dialect.HUMMINGBOT:
            at = {"order_type": "LIMIT", "price": limit} if limit else {"order_type": "MARKET"}
            return "/trading/orders", named(amount="0.01", **at)


def leave(dialect: Dialect) -> Request:
    """A sale of 0.005 bitcoin that is held, or the close of a position."""
    match dialect:
        case Dialect.CRYPTO_ARSENAL:
            at = {"clientOrderId": f"n{next(_numbers)}"}
            return WEBHOOK, {"action": "sell", "fixed": "0.005", **at}
        case Dialect.APISIFY:
            return "/v1/order", order(qty=0.005, order_type="Market", side="Close")
        case Dialect.POLONIEX:
            size = {"type": "MARKET", "quantity": "0.005"}
            return "/orders", {"symbol": "BTC_USDT", "side": "SELL", **size}
        case Dialect.THREE_COMMAS:
            at = {"sell_method": "market", "buy_method": "market"}
            fields = wire.simple(pair="USDT_BTC", units_to_buy="0.005", **at)
            return f"{wire.TRADES}/create_simple_sell", fields
        case Dialect.HUMMINGBOT:
            sale = {"trade_type": "SELL", "order_type": "MARKET"}
            return "/trading/orders", named(amount="0.005", **sale)


def another_day() -> str:
    day = datetime.now(UTC) + timedelta(days=3)
    return f"{day:%a} 00:00-24:00 UTC".lower().replace("utc", "UTC")


# What comes before the entry that is denied, and the limits that deny it.


def _at_once(**texts: str) -> Callable[[Desk], None]:
    return lambda desk: desk.limit(**texts)


def _with_a_resting_order(desk: Desk) -> None:
    desk.make(entry(desk.dialect, limit="40000"))
    assert desk.orders()[0]["state"] == "NEW"
    desk.limit(max_open_orders=1)


def _after_an_entry(**texts: object) -> Callable[[Desk], None]:
    def prepare(desk: Desk) -> None:
        desk.limit(**texts)
        desk.make(entry(desk.dialect))
        assert desk.orders()[0]["state"] == "FILLED"

    return prepare


def _after_a_loss(desk: Desk) -> None:
    desk.limit(max_daily_loss="5")
    desk.make(entry(desk.dialect))
    desk.price("48000")
    desk.make(leave(desk.dialect))
    assert desk.orders()[0]["state"] == "FILLED"


DENYING: Mapping[str, Callable[[Desk], None]] = {
    "max_order_value": _at_once(max_order_value="100"),
    "max_position_value": _at_once(max_position_value="100"),
    "max_open_orders": _with_a_resting_order,
    "max_orders_per_minute": _after_an_entry(max_orders_per_minute=1),
    "max_daily_loss": _after_a_loss,
    "allowed_symbols": _at_once(allowed_symbols="ETH/USDT"),
    "cooldown_seconds": _after_an_entry(cooldown_seconds=3600),
    "price_collar_percent": _at_once(price_collar_percent="1"),
    "trading_hours": lambda desk: desk.limit(trading_hours=another_day()),
}


@pytest.fixture(params=list(Dialect))
def desk(demo: Caller, worker: Worker, request: pytest.FixtureRequest) -> Desk:
    open_for_all(demo)
    desk = Desk(demo, worker, request.param)
    if desk.dialect is Dialect.APISIFY:
        desk.make(entry(desk.dialect))
    return desk


def test_every_limit_is_tried() -> None:
    assert set(DENYING) == set(LIMIT_NAMES)


@pytest.mark.parametrize("name", DENYING)
def test_a_limit_denies_an_entry_and_no_exit(desk: Desk, name: str) -> None:
    DENYING[name](desk)
    before = desk.orders()
    far = "40000" if name == "price_collar_percent" else None

    answer = desk.send(entry(desk.dialect, limit=far))

    if desk.dialect in ANSWERS_AT_ONCE:
        assert answer.status_code in {400, 422}, answer.text
        assert name in answer.text
        assert f"of account {desk.account}" in answer.text
        assert desk.orders() == before
    else:
        assert answer.status_code == 200, answer.text
        denied = desk.orders()[0]
        assert denied["state"] == "DENIED"
        assert denied["reason"]["code"] == name
        assert denied["reason"]["message"].endswith(f"of account {desk.account}")
        shown = desk.demo.call("GET", f"/api/orders/{denied['parent_id']}")
        assert shown["state"] == "DENIED"
        assert shown["reason"] == denied["reason"]

    desk.make(leave(desk.dialect))
    left = desk.orders()[0]
    assert (left["side"], left["state"]) == ("SELL", "FILLED"), left["reason"]


# The words of each dialect


def test_hummingbot_says_it_in_its_detail(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.HUMMINGBOT)
    desk.limit(max_order_value="100")

    answer = desk.send(entry(desk.dialect))

    assert (answer.status_code, answer.get_json()) == (
        400,
        {
            "detail": "Order denied by max_order_value: order value 500 USDT is above the limit "
            "of 100 USDT of account demo"
        },
    )


@pytest.mark.parametrize(
    ("texts", "code"),
    [({"max_order_value": "100"}, 21360), ({"allowed_symbols": "ETH/USDT"}, 25003)],
)
def test_poloniex_says_it_with_its_codes(
    demo: Caller, worker: Worker, texts: dict[str, str], code: int
) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.POLONIEX)
    desk.limit(**texts)

    answer = desk.send(entry(desk.dialect)).get_json()

    assert answer["code"] == code
    assert f"{next(iter(texts))}: " in answer["message"]


def test_poloniex_tells_whoever_sends_an_order_again_that_it_is_there(
    demo: Caller, worker: Worker
) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.POLONIEX)
    desk.limit(max_open_orders=1)
    path, fields = entry(desk.dialect, limit="40000")

    desk.make((path, {**fields, "clientOrderId": "mine"}))
    again = desk.send((path, {**fields, "clientOrderId": "mine"}))
    another = desk.send((path, {**fields, "clientOrderId": "other"}))

    assert again.get_json()["code"] == 25004
    assert another.get_json()["code"] == 25003
    assert len(desk.orders()) == 1


@pytest.mark.parametrize(
    ("texts", "parameter"),
    [({"max_order_value": "100"}, "units_to_buy"), ({"allowed_symbols": "ETH/USDT"}, "pair")],
)
def test_three_commas_says_it_by_its_parameter(
    demo: Caller, worker: Worker, texts: dict[str, str], parameter: str
) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.THREE_COMMAS)
    desk.limit(**texts)

    answer = desk.send(entry(desk.dialect)).get_json()

    assert answer["error"] == "record_invalid"
    ((name, (message,)),) = answer["error_attributes"].items()
    assert name == parameter
    assert message.startswith(f"{next(iter(texts))}: ")


def test_a_smart_order_is_refused_for_what_lasts_and_denied_for_the_rest_when_it_fires(
    demo: Caller, worker: Worker
) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.POLONIEX)
    fields = {"symbol": "BTC_USDT", "side": "BUY", "quantity": "0.01", "stopPrice": "51000"}
    stop = "/smartorders", {**fields, "type": "STOP_LIMIT", "price": "51000"}

    desk.limit(max_order_value="100")
    refused = desk.send(stop)
    desk.limit(trading_hours=another_day())
    taken = desk.send(stop)
    desk.price("51000")

    assert refused.get_json()["code"] == 21360
    assert taken.status_code == 200, taken.text
    assert desk.orders()[0]["reason"]["code"] == "trading_hours"


@pytest.mark.parametrize("limits", [{}, {"max_order_value": "5"}])
@pytest.mark.parametrize(
    "fields",
    [
        {"type": "STOP", "stopPrice": "40000"},
        {"type": "TRAILING_STOP", "trailingOffset": "5%"},
    ],
)
def test_a_stray_amount_of_a_smart_sale_means_nothing(
    demo: Caller, worker: Worker, fields: Json, limits: Json
) -> None:
    open_for_all(demo)
    Desk(demo, worker, Dialect.POLONIEX).limit(**limits)
    sale = {"symbol": "BTC_USDT", "side": "SELL", "quantity": "0.005", **fields}

    made = signed_by(Dialect.POLONIEX, "/smartorders", {**sale, "amount": "10"}).to(demo.client)

    assert made.status_code == 200, made.text


def test_a_smart_trade_whose_entry_waits_and_its_added_funds(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.THREE_COMMAS)
    waits = wire.simple(
        pair="USDT_BTC",
        units_to_buy="0.01",
        buy_method="conditional",
        buy_price="51000",
        **wire.no_exits(),
    )
    create = f"{wire.TRADES}/create_smart_trade"

    desk.limit(max_order_value="100")
    refused = desk.send((create, waits))
    desk.limit(trading_hours=another_day())
    waiting = desk.make((create, waits))
    desk.price("51000")
    first = desk.orders()[0]

    assert refused.get_json()["error_attributes"] == {
        "units_to_buy": [
            "max_order_value: order value 510 USDT is above the limit of 100 USDT of account demo"
        ]
    }
    assert first["reason"]["code"] == "trading_hours"
    (trade,) = demo.rows(kind="SMART_TRADE")
    assert (trade["id"], trade["state"]) == (str(waiting["id"]), "failed")
    assert trade["reason"] == first["reason"]


def test_added_funds_are_denied_and_panic_is_not(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.THREE_COMMAS)
    fields = wire.simple(
        pair="USDT_BTC",
        units_to_buy="0.01",
        buy_method="market",
        take_profit_enabled=False,
        stop_loss_enabled=True,
        stop_loss_price_condition=40_000,
    )
    trade = desk.make((f"{wire.TRADES}/create_smart_trade", fields))
    desk.limit(max_order_value="100")

    path = f"{wire.TRADES}/{trade['id']}"
    added = desk.send((f"{path}/add_funds", {"quantity": "0.01", "is_market": True}))
    sold = desk.send((f"{path}/panic_sell", {}))

    assert added.get_json()["error_attributes"]["quantity"][0].startswith("max_order_value: ")
    assert sold.status_code == 201, sold.text
    assert [one["side"] for one in desk.orders() if one["state"] == "FILLED"] == ["SELL", "BUY"]


def test_a_stop_loss_sells_whatever_the_limits_are(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    desk = Desk(demo, worker, Dialect.CRYPTO_ARSENAL)
    futures = {"market": "USDM", "balances": {"USDT": "1000"}}
    demo.call("PUT", "/paper/accounts/legs", futures)
    connector = {"account": "legs", "symbol": "BTC/USDT", "token": "demo-token"}
    demo.call("PUT", "/api/connectors/legs", connector)
    guarded = {"action": "openLong", "fixed": "0.01", "loss": "49000", "connectorName": "legs"}
    desk.make((WEBHOOK, guarded))
    limits = {"allowed_symbols": "ETH/USDT", "trading_hours": another_day(), "max_open_orders": 1}
    demo.call("PUT", "/api/accounts/legs", {"limits": limits})

    desk.price("48900")

    sold = demo.rows(kind="ORDER", account="legs")[0]
    assert (sold["side"], sold["state"]) == ("SELL", "FILLED")


def test_an_alert_that_carries_a_price_is_held_to_it(demo: Caller, worker: Worker) -> None:
    open_for_all(demo)
    for dialect, word in ((Dialect.APISIFY, "qty"), (Dialect.HUMMINGBOT, "amount")):
        desk = Desk(demo, worker, dialect)
        path, fields = entry(dialect)
        assert word in fields
        desk.limit(price_collar_percent="1")

        near = desk.send((path, {**fields, "price": 50_400}))
        assert near.status_code in {200, 201}, near.text
        assert desk.orders()[0]["state"] == "FILLED"

        far = desk.send((path, {**fields, "price": 51_000}))
        if dialect is Dialect.APISIFY:
            assert desk.orders()[0]["reason"]["code"] == "price_collar_percent"
        else:
            assert "off the alert's 51000" in far.text


# How people set them


def test_limits_are_set_shown_and_taken_away(demo: Caller) -> None:
    path = "/api/accounts/demo"
    given = {
        "max_order_value": 1000.50,
        "max_open_orders": 5,
        "allowed_symbols": ["BTC/USDT", "ETH/USDT"],
        "trading_hours": "Mon-Fri 08:00-22:00 Europe/Berlin",
        "cooldown_seconds": None,
    }
    kept = {
        "max_order_value": "1000.5",
        "max_open_orders": "5",
        "allowed_symbols": "BTC/USDT,ETH/USDT",
        "trading_hours": "mon-fri 08:00-22:00 Europe/Berlin",
    }

    assert demo.call("PUT", path, {"limits": given})["limits"] == kept
    assert demo.call("PUT", path, {"limits": kept})["limits"] == kept
    assert demo.call("PUT", path, {"group": "others"})["limits"] == kept
    assert demo.call("GET", path)["limits"] == kept
    assert demo.call("PUT", path, {"limits": {}})["limits"] == {}


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"max_order_notional": "5"}, "limits.max_order_notional"),
        ({"max_order_value": "-5"}, "limits.max_order_value"),
        ({"max_order_value": True}, "limits.max_order_value"),
        ({"max_order_value": {}}, "limits.max_order_value"),
        ({"max_order_value": 1e41}, "limits.max_order_value"),
        ({"max_open_orders": 1.5}, "limits.max_open_orders"),
        ({"allowed_symbols": ["BTCUSDT"]}, "limits.allowed_symbols"),
        ({"allowed_symbols": [1]}, "limits.allowed_symbols"),
        ({"allowed_symbols": []}, "limits.allowed_symbols"),
        ({"trading_hours": "always"}, "limits.trading_hours"),
        ({"trading_hours": "daily 00:00-24:00 " + "x" * 5000}, "limits.trading_hours"),
        ([], "limits"),
        (None, "limits"),
        ("max_order_value=5", "limits"),
    ],
)
def test_what_is_no_limit_changes_nothing(demo: Caller, limits: object, field: str) -> None:
    demo.call("PUT", "/api/accounts/demo", {"limits": {"max_open_orders": 5}})

    refusal = demo.refusal("PUT", "/api/accounts/demo", {"limits": limits})

    assert refusal == (400, "validation_failed", [field])
    assert demo.call("GET", "/api/accounts/demo")["limits"] == {"max_open_orders": "5"}


def test_an_unknown_limit_is_answered_with_those_that_there_are(demo: Caller) -> None:
    answer = demo.send("PUT", "/api/accounts/demo", {"limits": {"max_orders": "5"}}).get_json()

    (message,) = answer["error"]["fields"]["limits.max_orders"]
    assert all(name in message for name in LIMIT_NAMES)
