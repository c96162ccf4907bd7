"""The 3Commas routes from request to answer, over the paper venue and a pretended store."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.bootstrap import web_wiring
from app.domain.account import ApiClient
from app.domain.enums import Dialect
from app.domain.errors import HistoryUnavailable, NotFound
from app.domain.identifiers import AccountId, AccountName
from app.factory import create_app
from app.paper.admin.administration import PaperAdministration
from app.services.keeping.archive import archive
from app.settings import Settings
from app.store.coordination.rates import RedisRates
from app.store.memory.attempts import FAILURES_MAX
from tests.support import three_commas as wire
from tests.support.builders import SPOT, USDM
from tests.support.trade_rig import INSTRUMENT, LONG, TradeRig

Json = Any
OTHER = "other-key"


class Client:
    """Somebody with keys, and the rig behind the app.

    Args:
        data_dir: for what an installation keeps.
        odd: settings that differ.
    """

    def __init__(self, data_dir: Path, **odd: str) -> None:
        self.rig = TradeRig(replace(INSTRUMENT, quantity_step=Decimal("0.01")), price=LONG)
        environ = {"REDIS_URL": "redis://127.0.0.1:1/0", "HOOKFILL_DATA_DIR": str(data_dir), **odd}
        wiring = web_wiring(Settings.from_environment(environ))
        self._vault = wiring.vault
        self.rig.registry.put_account(
            replace(SPOT, id=AccountId(0), name=AccountName("theirs"), group="theirs")
        )
        self.theirs = int(self.rig.registry.account_named(AccountName("theirs")).id)
        self.mine = int(SPOT.id)
        self.put_client(wire.KEY, (SPOT.name, USDM.name))
        self.put_client(OTHER, (AccountName("theirs"),))
        wiring = replace(
            wiring,
            ports=self.rig.ports,
            registry=self.rig.registry,
            reader=self.rig.whole,
            rates=RedisRates(self.rig.redis),
            paper=PaperAdministration(self.rig.world.ports),
        )
        self.http: FlaskClient = create_app(wiring).test_client()

    def put_client(self, key: str, accounts: tuple[AccountName, ...], **odd: Any) -> None:  # noqa: ANN401
        """Set up a key."""
        sealed = self._vault.encrypt(f"{Dialect.THREE_COMMAS}:{key}", {"secret": wire.SECRET})
        client = ApiClient(
            dialect=Dialect.THREE_COMMAS, key=key, secret=sealed, accounts=accounts, **odd
        )
        self.rig.registry.put_client(client)

    def send(
        self,
        method: str,
        target: str,
        parameters: Mapping[str, object] | None = None,
        **how: Any,  # noqa: ANN401
    ) -> TestResponse:
        """Send a signed request with its parameters as JSON."""
        body = wire.json_body(parameters)
        more = how.pop("headers", {})
        named = {**wire.headers(target, body, **how), **more}
        return self.http.open(target, method=method, data=body, headers=named)

    def post(self, path: str, parameters: Mapping[str, object] | None = None, **how: Any) -> Json:  # noqa: ANN401
        """Return the content of a POST that must be carried out, and of all that follows."""
        answer = self.send("POST", f"{wire.TRADES}/{path}", parameters, **how)
        assert answer.status_code == 201, answer.text
        self.rig.drain()
        return answer.get_json()

    def get(self, target: str = wire.TRADES, **how: Any) -> Json:  # noqa: ANN401
        """Return the content of a GET that must be answered."""
        answer = self.send("GET", target, **how)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def archive(self) -> None:
        """Let what has finished leave the store."""
        ports = self.rig.ports
        ports = replace(ports, policy=replace(ports.policy, history_after_ms=1_000))
        archive(ports)
        self.rig.clock.advance(1_001)
        archive(ports)

    def shown(self, trade: Json) -> Json:
        """Return a trade as it is shown now."""
        return self.get(f"{wire.TRADES}/{trade['id']}/show")


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path, HOOKFILL_RATE_LIMITS="0")


def refusal(answer: TestResponse) -> "Refusal":
    body = answer.get_json()
    assert answer.mimetype == "application/json"
    assert set(body) <= {"error", "error_description", "error_attributes"}
    assert isinstance(body["error"], str)
    return answer.status_code, body["error"], body.get("error_attributes", {})


Refusal = tuple[int, str, Mapping[str, list[str]]]

UNKNOWN_KEY: Refusal = (401, "api_key_invalid_or_expired", {})
BAD_SIGNATURE: Refusal = (401, "signature_invalid", {})
DENIED: Refusal = (403, "access_denied", {})
NOT_FOUND: Refusal = (404, "not_found", {})


# Who calls


def test_a_signed_trade_is_opened_and_shown(client: Client) -> None:
    made = client.post("create_simple_buy", wire.simple())

    assert (made["type"], made["status"]) == ("SmartTrade::SimpleBuy", "buy_order_placed")
    assert made["account_id"] == client.mine
    assert client.get() == [client.shown(made)]


@pytest.mark.parametrize("entity", ["smart_trades", "smart_trades_deprecated"])
@pytest.mark.parametrize("prefix", ["/public/api/ver1", "/ver1"])
def test_every_path_serves_the_same(client: Client, prefix: str, entity: str) -> None:
    target = f"{prefix}/{entity}/create_simple_buy"

    answer = client.send("POST", target, wire.simple())

    assert answer.status_code == 201
    assert len(client.get(f"{prefix}/{entity}")) == 1


def test_the_page_paths_may_be_signed_with_their_base(client: Client) -> None:
    signature = wire.headers("/public/api/ver1/smart_trades")

    assert client.http.get("/ver1/smart_trades", headers=signature).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"APIKEY": ""}, {"APIKEY": "stranger"}, {"APIKEY": "TC-KEY"}, {"APIKEY": "x" * 4000}],
)
def test_an_unknown_key_is_refused(client: Client, headers: Mapping[str, str]) -> None:
    assert refusal(client.http.get(wire.TRADES, headers=dict(headers))) == UNKNOWN_KEY


def test_a_key_that_was_switched_off_is_refused_at_once(client: Client) -> None:
    client.get()
    client.put_client(wire.KEY, (SPOT.name,), enabled=False)

    assert refusal(client.send("GET", wire.TRADES)) == UNKNOWN_KEY


@pytest.mark.parametrize(
    ("permission", "may_read", "may_write"),
    [("SMART_TRADE_READ", True, False), ("SMART_TRADE_WRITE", False, True)],
)
def test_a_key_may_do_what_it_is_permitted_only(
    client: Client, permission: str, *, may_read: bool, may_write: bool
) -> None:
    client.put_client(wire.KEY, (SPOT.name,), permissions=(permission,))

    read = client.send("GET", wire.TRADES)
    write = client.send("POST", f"{wire.TRADES}/create_simple_buy", wire.simple())
    accounts = client.send("GET", "/public/api/ver1/accounts")

    assert (read.status_code, write.status_code) == (
        200 if may_read else 403,
        201 if may_write else 403,
    )
    assert refusal(accounts) == DENIED


def test_a_key_that_may_nothing_may_nothing(client: Client) -> None:
    client.put_client(wire.KEY, (SPOT.name,), permissions=())

    for target in (wire.TRADES, "/public/api/ver1/accounts"):
        assert refusal(client.send("GET", target)) == DENIED


def test_play_money_only_can_be_forced(client: Client) -> None:
    for mode in ("paper", "real"):
        client.get(headers={"Forced-Mode": mode})

    wrong = client.send("GET", wire.TRADES, headers={"Forced-Mode": "demo"})
    assert refusal(wrong) == (400, "record_invalid", {"Forced-Mode": ["is invalid"]})


def test_the_order_of_the_checks(client: Client) -> None:
    nowhere = f"{wire.TRADES}/5/cancel_order"
    client.put_client("reader", (SPOT.name,), permissions=("SMART_TRADE_READ",))
    malformed = {"data": "{", "headers": wire.headers(nowhere, "{")}

    assert refusal(client.http.post(nowhere, data="{")) == UNKNOWN_KEY
    assert refusal(client.send("POST", nowhere, key="reader")) == DENIED
    assert refusal(client.http.post(nowhere, **malformed)) == (400, "invalid_request", {})
    assert refusal(client.send("POST", nowhere)) == NOT_FOUND
    made = client.post("create_smart_sell", wire.sale())
    mine = client.send("POST", f"{wire.TRADES}/{made['id']}/cancel_order")
    assert refusal(mine) == (400, "record_invalid", {"step_id": ["is missing"]})


# What they are about


def test_an_account_must_be_ones_own(client: Client) -> None:
    path = f"{wire.TRADES}/create_simple_buy"
    wrong_amount = {"units_to_buy": ["must be greater than 0"]}

    def answered(**odd: object) -> Json:
        return refusal(client.send("POST", path, wire.simple(**odd)))

    assert answered(account=client.theirs) == (403, "Forbidden", {})
    assert answered(account=99) == NOT_FOUND
    assert answered(account=client.theirs, units_to_buy=0) == (400, "record_invalid", wrong_amount)
    why = "is a USDM account: smart trades are made in SPOT accounts only"
    assert answered(account=int(USDM.id)) == (400, "record_invalid", {"account_id": [why]})


def test_another_ones_trade_is_not_found(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale())

    for method, path in (
        ("POST", "cancel"),
        ("POST", "panic_sell"),
        ("POST", "add_funds"),
        ("PATCH", "update"),
        ("GET", "show"),
    ):
        answer = client.send(method, f"{wire.TRADES}/{made['id']}/{path}", key=OTHER)
        assert refusal(answer) == NOT_FOUND
    assert client.get(key=OTHER) == []
    assert client.shown(made)["status"] == "bought"


def test_an_order_is_no_trade(client: Client) -> None:
    made = client.post("create_simple_buy", wire.simple())
    (step,) = client.shown(made)["buy_steps"]

    for known in (step["order_id"], step["id"], 5, "x", "1" * 30):
        answer = client.send("POST", f"{wire.TRADES}/{known}/cancel")
        assert refusal(answer) == NOT_FOUND


@pytest.mark.parametrize(
    ("path", "parameters", "status", "attributes"),
    [
        (
            "create_simple_buy",
            {},
            400,
            {name: ["is missing"] for name in ("account_id", "pair", "units_to_buy", "buy_price")},
        ),
        (
            "create_simple_buy",
            wire.simple(pair="USDT_XYZ", buy_price=0),
            400,
            {"pair": ["is not included in the list"], "buy_price": ["must be greater than 0"]},
        ),
        (
            "create_simple_buy",
            wire.simple(buy_price="99.000000001"),
            422,
            {"buy_price": ["Should change with step 0.00000001"]},
        ),
    ],
)
def test_what_cannot_be_opened(
    client: Client,
    path: str,
    parameters: Mapping[str, object],
    status: int,
    attributes: Mapping[str, list[str]],
) -> None:
    answer = client.send("POST", f"{wire.TRADES}/{path}", parameters)

    assert refusal(answer) == (status, "record_invalid", attributes)
    assert client.get() == []


# The life of a trade


def test_a_sale_takes_its_profit(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale())
    client.rig.tick("104.9/105.2")
    assert client.shown(made)["status"] == "bought"

    client.rig.tick("105/105.1")

    done = client.shown(made)
    assert (done["status"], done["profit_percentage"]) == ("take_profit_finished", "5")
    assert (done["average_sell_price"], done["finished"]) == ("105", True)
    assert [step["status"] for step in done["stop_loss_steps"]] == ["skipped"]
    (step,) = done["take_profit_steps"]
    assert (step["status"], step["actual_amount"]) == ("processed", "10")
    assert step["market_order_id"]


def test_a_trade_is_cancelled_once(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale())

    cancelled = client.post(f"{made['id']}/cancel")
    again = client.send("POST", f"{wire.TRADES}/{made['id']}/cancel")

    assert (cancelled["status"], cancelled["cancellable"]) == ("cancelled", False)
    status, word, _ = refusal(again)
    assert (status, word) == (422, "unprocessable_entity")


def test_a_panic_closes_everything(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale())

    sold = client.post(f"{made['id']}/panic_sell")

    assert sold["status"] == "panic_sell_order_placed"
    assert sold["panic_sell_market_order_id"]
    assert client.shown(made)["status"] == "panic_sell_finished"


def test_one_step_is_sold_or_taken_off(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale(**wire.in_steps()))
    first, second, _ = made["take_profit_steps"]

    client.post(f"{made['id']}/step_panic_sell", {"step_id": first["id"]})
    client.post(f"{made['id']}/cancel_order", {"step_id": str(second["id"])})

    steps = client.shown(made)["take_profit_steps"]
    assert [step["status"] for step in steps] == ["panic_sold", "cancelled", "idle"]
    assert steps[0]["is_panic_sell"] is True
    for path in ("step_panic_sell", "cancel_order"):
        target = f"{wire.TRADES}/{made['id']}/{path}"
        assert refusal(client.send("POST", target, {"step_id": 5})) == NOT_FOUND
        assert client.send("POST", target, {"step_id": first["id"]}).status_code == 422


@pytest.mark.parametrize("response_type", ["empty", "smart_trade", "step", "order"])
def test_funds_are_added(client: Client, response_type: str) -> None:
    parameters = {**wire.simple(buy_method="market", units_to_buy=1), **wire.no_exits()}
    made = client.post("create_smart_trade", parameters)

    added = client.post(
        f"{made['id']}/add_funds",
        {"quantity": 1, "is_market": False, "rate": 90, "response_type": response_type},
    )

    step = client.shown(made)["buy_steps"][-1]
    assert (step["sell_order_price"], step["initial_amount"]) == ("90", "1")
    expected = {
        "empty": {},
        "smart_trade": {"id": made["id"]},
        "step": {"id": step["id"], "smart_trade_id": made["id"]},
        "order": {"id": step["order_id"], "step_id": step["id"], "side": "buy", "price": "90"},
    }[response_type]
    assert {name: added[name] for name in expected} == expected
    assert bool(added) is (response_type != "empty")


@pytest.mark.parametrize(
    ("funds", "status", "attributes"),
    [
        ({"quantity": 1, "is_market": False}, 400, {"rate": ["is missing"]}),
        (
            {"quantity": "0.001", "is_market": True},
            422,
            {"quantity": ["Should change with step 0.01"]},
        ),
        (
            {"quantity": 1, "is_market": False, "rate": "90.000000001"},
            422,
            {"rate": ["Should change with step 0.00000001"]},
        ),
    ],
)
def test_funds_that_cannot_be_added(
    client: Client, funds: Mapping[str, object], status: int, attributes: Mapping[str, list[str]]
) -> None:
    parameters = {**wire.simple(buy_method="market"), **wire.no_exits()}
    made = client.post("create_smart_trade", parameters)

    answer = client.send("POST", f"{wire.TRADES}/{made['id']}/add_funds", funds)

    assert refusal(answer) == (status, "record_invalid", attributes)


# Updates


def test_only_what_applies_can_be_changed(client: Client) -> None:
    parameters = {**wire.simple(buy_method="market"), **wire.no_exits()}
    made = client.post("create_smart_trade", parameters)
    target = f"{wire.TRADES}/{made['id']}/update"

    wrong = client.send("PATCH", target, {**wire.no_exits(), "average_buy_price": 50})
    good = client.send("PATCH", target, {**wire.no_exits(), "note": "changed"})

    assert refusal(wrong) == (400, "record_invalid", {"average_buy_price": ["Can't be edit"]})
    assert (good.status_code, good.get_json()["note"]) == (200, "changed")


def test_what_has_ended_cannot_be_changed(client: Client) -> None:
    made = client.post("create_smart_sell", wire.sale())
    client.post(f"{made['id']}/cancel")

    answer = client.send("PATCH", f"{wire.TRADES}/{made['id']}/update", wire.no_exits())

    assert refusal(answer)[:2] == (422, "unprocessable_entity")


# Figures that nobody means

EXTREMES = ["1e-30", "1e30", "9" * 30 + "." + "9" * 10]


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize(
    "field",
    [
        "units_to_buy",
        "average_buy_price",
        "take_profit_price_condition",
        "stop_loss_price_condition",
    ],
)
def test_extreme_figures_of_a_sale_stop_nothing(client: Client, field: str, extreme: str) -> None:
    parameters = wire.sale(trailing_stop_loss=True, **{field: extreme})

    answer = client.send("POST", f"{wire.TRADES}/create_smart_sell", parameters)

    assert answer.status_code in {201, 422}, answer.text
    for tick in ("104/104.1", "94/94.1"):
        client.rig.drain()
        client.rig.tick(tick)
        client.get()


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize(
    "field", ["units_to_buy", "buy_price", "conditional_limit_price", "trailing_buy_step"]
)
@pytest.mark.parametrize("call", ["create_smart_trade", "create_smart_cover"])
def test_extreme_figures_of_an_entry_stop_nothing(
    client: Client, call: str, field: str, extreme: str
) -> None:
    entry = {"buy_method": "conditional", "trailing_buy_enabled": field == "trailing_buy_step"}
    parameters = {**wire.simple(), **wire.no_exits(), **entry, field: extreme}

    answer = client.send("POST", f"{wire.TRADES}/{call}", parameters)

    assert answer.status_code in {201, 400, 422}, answer.text
    for tick in ("98/98.1", "104/104.1", "97/97.1"):
        client.rig.drain()
        client.rig.tick(tick)
        client.get()


@pytest.mark.parametrize("extreme", EXTREMES)
def test_extreme_figures_of_an_update_stop_nothing(client: Client, extreme: str) -> None:
    made = client.post("create_smart_sell", wire.sale())
    exits = {"take_profit_price_condition": extreme, "stop_loss_price_condition": extreme}

    answer = client.send("PATCH", f"{wire.TRADES}/{made['id']}/update", wire.sale(**exits))

    assert answer.status_code == 200, answer.text
    client.rig.tick("101/101.1")
    client.get()


# Lists


def test_lists_are_filtered_and_cut(client: Client) -> None:
    first = client.post("create_smart_sell", wire.sale())
    client.rig.wait(1000)
    second = client.post("create_simple_buy", wire.simple())
    client.post(f"{first['id']}/cancel")

    def listed(query: str) -> list[int]:
        return [trade["id"] for trade in client.get(f"{wire.TRADES}?{query}")]

    both = [first["id"], second["id"]]
    assert listed("limit=10&offset=&account_id=&type=") == both
    assert listed("scope=whatever") == both
    assert listed("scope=active") == [second["id"]]
    assert listed("scope=cancelled") == [first["id"]]
    assert listed("scope=finished") == listed("scope=failed") == []
    assert listed("limit=1") == [first["id"]]
    assert listed("limit=1&offset=1") == [second["id"]]
    assert listed("type=SmartTrade%3A%3ASimpleBuy") == [second["id"]]
    assert listed("type=SmartTrade%3A%3AOther") == []
    assert listed("order=closed_at") == both
    assert listed(f"account_id={client.theirs}") == []
    assert listed("pairs=%5B%27USDT_ETH%27%5D") == both
    assert listed("pairs%5B%5D=USDT_BTC") == []
    wrong = client.send("GET", f"{wire.TRADES}?limit=x")
    assert refusal(wrong) == (400, "record_invalid", {"limit": ["is invalid"]})


def test_what_has_left_the_store_is_still_shown(client: Client) -> None:
    gone = client.post("create_smart_sell", wire.sale(**wire.in_steps()))
    (step, *_) = gone["take_profit_steps"]
    client.post(f"{gone['id']}/cancel")
    before = client.shown(gone)
    client.archive()
    with pytest.raises(NotFound):
        client.rig.ports.ledger.load(gone["id"])
    live = client.post("create_smart_sell", wire.sale())

    assert client.shown(gone) == before
    assert [trade["id"] for trade in client.get()] == [gone["id"], live["id"]]
    assert client.get(f"{wire.TRADES}?scope=cancelled") == [before]
    assert client.post(f"{gone['id']}/force_process") == before
    for path, parameters in (
        ("cancel", None),
        ("panic_sell", None),
        ("cancel_order", {"step_id": step["id"]}),
        ("add_funds", {"quantity": 1, "is_market": True}),
    ):
        answer = client.send("POST", f"{wire.TRADES}/{gone['id']}/{path}", parameters)
        assert refusal(answer)[:2] == (422, "unprocessable_entity")
    foreign = client.send("GET", f"{wire.TRADES}/{gone['id']}/show", key=OTHER)
    assert refusal(foreign) == NOT_FOUND


# MarketRoutes


def test_what_is_open_to_everybody(client: Client) -> None:
    def shown(path: str) -> Json:
        return client.http.get(f"/public/api/ver1/{path}").get_json()

    assert shown("ping") == {"pong": "pong"}
    assert shown("time") == {"server_time": client.rig.clock.now_ms() // 1000}
    rates = shown("accounts/currency_rates?pretty_display_type=PaperTrading&pair=USDT_ETH")
    assert (rates["bid"], rates["ask"], rates["lotStep"]) == ("99.9", "100", 0.01)


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ("", {"pretty_display_type": ["is missing"]}),
        ("pretty_display_type=PaperTrading", {"pair": ["is missing"]}),
        (
            "pretty_display_type=X&pair=USDT_ETH",
            {"pretty_display_type": ["is not included in the list"]},
        ),
        ("pretty_display_type=PaperTrading&pair=X", {"pair": ["is not included in the list"]}),
        ("pretty_display_type=PaperTrading&pair=USDT_X", {"pair": ["is not included in the list"]}),
    ],
)
def test_rates_that_there_are_not(
    client: Client, query: str, attributes: Mapping[str, list[str]]
) -> None:
    answer = client.http.get(f"/ver1/accounts/currency_rates?{query}")

    assert refusal(answer) == (400, "record_invalid", attributes)


def test_what_a_key_can_ask_beside_trades(client: Client) -> None:
    base = "/public/api/ver1"

    assert client.get(f"{base}/validate") == {}
    mine = client.get(f"{base}/accounts")
    assert [one["id"] for one in mine] == [int(SPOT.id), int(USDM.id)]
    assert [one["smart_trading_supported"] for one in mine] == [True, False]
    pairs = f"{base}/accounts/market_pairs"
    assert client.get(pairs) == ["USDT_ETH"]
    assert client.get(f"{pairs}?pretty_display_type=PaperTrading") == ["USDT_ETH"]
    assert client.get(f"{pairs}?pretty_display_type=Binance") == []
    assert refusal(client.http.get(f"{base}/validate")) == UNKNOWN_KEY


# Limits, and what no route takes


def test_a_key_has_so_many_requests(tmp_path: Path) -> None:
    client = Client(tmp_path, THREE_COMMAS_RATE_PER_MINUTE="3", THREE_COMMAS_LIST_RATE="2")
    client.get()
    client.get()

    lists = client.send("GET", wire.TRADES)
    other = client.send("GET", "/public/api/ver1/validate")
    last = client.send("GET", "/public/api/ver1/validate")

    assert refusal(lists)[:2] == refusal(last)[:2] == (429, "too_many_requests")
    assert 0 < int(lists.headers["Retry-After"]) <= 10
    assert 10 < int(last.headers["Retry-After"]) <= 60
    assert other.status_code == 200
    assert client.send("GET", wire.TRADES, key=OTHER).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Signature": "0" * 64}])
def test_what_nobody_signed_uses_up_no_budget_of_the_key(
    tmp_path: Path, headers: Mapping[str, str]
) -> None:
    client = Client(tmp_path, THREE_COMMAS_RATE_PER_MINUTE="3")

    statuses = [
        client.http.get(
            "/public/api/ver1/validate", headers={"APIKEY": wire.KEY, **headers}
        ).status_code
        for _ in range(100)
    ]

    assert statuses == [401] * FAILURES_MAX + [429] * (100 - FAILURES_MAX)
    assert client.send("GET", "/public/api/ver1/validate").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/public/api/ver1/nothing", NOT_FOUND),
        ("GET", "/public/api/ver1", NOT_FOUND),
        ("GET", "/public/api/v2/smart_trades", NOT_FOUND),
        ("GET", "/ver1/smart_trades/", NOT_FOUND),
        ("GET", "/ver1/smart_trades/5", NOT_FOUND),
        ("DELETE", "/ver1/smart_trades", (405, "method_not_allowed", {})),
        ("GET", "/ver1/smart_trades/create_simple_buy", (405, "method_not_allowed", {})),
    ],
)
def test_what_no_route_takes(client: Client, method: str, path: str, expected: Json) -> None:
    answer = client.http.open(path, method=method)

    assert refusal(answer) == expected
    assert ("Allow" in answer.headers) is (expected[0] == 405)


def test_a_body_has_a_limit(client: Client) -> None:
    target = f"{wire.TRADES}/create_simple_buy"
    body = "x" * 70_000

    answer = client.http.post(target, data=body, headers=wire.headers(target, body))

    assert refusal(answer) == (413, "invalid_request", {})


def test_a_store_that_is_away_is_said_so(tmp_path: Path) -> None:
    environ = {"REDIS_URL": "redis://127.0.0.1:1/0", "HOOKFILL_DATA_DIR": str(tmp_path)}
    app = create_app(web_wiring(Settings.from_environment(environ)))

    answer = app.test_client().get(wire.TRADES, headers=wire.headers(wire.TRADES))

    assert refusal(answer)[:2] == (503, "service_unavailable")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("name", ["offset", "limit", "account_id"])
@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**39])
def test_a_number_beyond_all_that_there_is_finds_what_there_is(
    client: Client, name: str, number: int
) -> None:
    client.post("create_simple_buy", wire.simple(buy_method="market"))
    client.archive()

    found = client.get(f"{wire.TRADES}?{name}={number}")

    assert len(found) == (1 if name == "limit" else 0)


def test_a_list_without_its_history_says_so(client: Client) -> None:
    away = Mock(side_effect=HistoryUnavailable("connection to db.example failed"))
    client.rig.history.oldest = away  # type: ignore[method-assign]

    answer = client.send("GET", wire.TRADES)

    assert answer.status_code == 503
    assert answer.get_json() == {
        "error": "service_unavailable",
        "error_description": "What has finished cannot be read; try again in a moment",
    }
    assert client.get(f"{wire.TRADES}?scope=active") == []
