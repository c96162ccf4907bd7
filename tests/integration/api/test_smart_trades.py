"""SmartTrades over HTTP: what is started, what is kept out and why, and what names are shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.bootstrap import Wiring
from app.domain.effects import Effect
from app.domain.enums import Dialect, Market, Mode
from app.domain.errors import StoreUnavailable, VenueUnavailable
from app.domain.exits import ExitRules
from app.domain.identifiers import AccountName, Currency, EpochMs, VenueName
from app.domain.worker_request import WorkerAnswer
from app.factory import create_app
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.caller import Caller, Json, Worker
from tests.support.each_dialect import KEY, SECRET, signed_by

pytestmark = pytest.mark.integration

TRADES = "/public/api/ver1/smart_trades"


@pytest.fixture
def bot(demo: Caller, worker: Worker) -> Bot:
    """A client of 3Commas whose accounts are of three markets."""
    for market in ("USDM", "COINM"):
        demo.call("PUT", f"/paper/accounts/{market.lower()}", {"market": market})
    client = {"secret": SECRET, "accounts": ["demo", "usdm", "coinm"]}
    demo.call("PUT", f"/api/clients/three_commas/{KEY}", client)
    return Bot(demo, worker)


class Bot:
    """Calls the dialect, with a worker that works when it is told to."""

    def __init__(self, caller: Caller, worker: Worker) -> None:
        self.caller, self.worker = caller, worker

    def post(self, path: str, fields: dict[str, object] | None = None) -> TestResponse:
        sent = signed_by(Dialect.THREE_COMMAS, f"{TRADES}/{path}", fields or {})
        return sent.to(self.caller.client)

    def waiting(self, account: int = 1, **odd: object) -> Json:
        answer = self.post("create_simple_buy", waiting(account, **odd))
        assert answer.status_code == 201, answer.text
        made: Json = answer.get_json()
        return made

    def shown(self, trade: Json) -> Json:
        path = f"{TRADES}/{trade['id']}/show"
        found: Json = (
            signed_by(Dialect.THREE_COMMAS, path, {}, method="GET")
            .to(self.caller.client)
            .get_json()
        )
        return found


def waiting(account: int = 1, **odd: object) -> dict[str, object]:
    """A buy that waits for a price."""
    usual = {"pair": "USDT_BTC", "units_to_buy": "0.01", "buy_method": "conditional"}
    return {"account_id": account, "buy_price": "60000", **usual, **odd}


def stopped() -> dict[str, object]:
    """Bought at once, with a stop-loss at 45,000."""
    stop = {"stop_loss_enabled": True, "stop_loss_price_condition": "45000"}
    return {**waiting(), "buy_method": "market", "take_profit_enabled": False, **stop}


def test_a_waiting_entry_is_started(bot: Bot) -> None:
    trade = bot.waiting(conditional_limit_price="59000")

    answer = bot.post(f"{trade['id']}/force_start")
    bot.worker.work()

    assert answer.status_code == 201
    assert answer.get_json()["status"] == "buy_order_placed"
    after = bot.shown(trade)
    assert (after["status"], after["average_buy_price"]) == (
        "simple_trade_finished",
        "50000",
    )


def test_what_does_not_wait_is_refused(bot: Bot) -> None:
    trade = bot.waiting()
    assert bot.post(f"{trade['id']}/force_start").status_code == 201

    again = bot.post(f"{trade['id']}/force_start")

    assert again.status_code == 422
    assert again.get_json() == {
        "error": "unprocessable_entity",
        "error_description": "Trade cannot be started: it is buy_order_placed",
    }


def test_what_there_is_no_money_for_is_refused_with_the_figure(bot: Bot) -> None:
    trade = bot.waiting(units_to_buy="1")

    answer = bot.post(f"{trade['id']}/force_start")

    assert answer.status_code == 422
    assert answer.get_json()["error_attributes"] == {
        "units_to_buy": ["must be less than or equal to 0.2"]
    }
    assert bot.shown(trade)["status"] == "conditional_order_waiting_price"


@pytest.mark.parametrize("number", ["1", "abc"])
def test_there_must_be_such_a_trade(bot: Bot, number: str) -> None:
    assert bot.post(f"{number}/force_start").status_code == 404


def test_whoever_may_only_read_starts_nothing(bot: Bot) -> None:
    trade = bot.waiting()
    permissions = {"permissions": ["SMART_TRADE_READ"]}
    bot.caller.call("PUT", f"/api/clients/three_commas/{KEY}", permissions)

    assert bot.post(f"{trade['id']}/force_start").status_code == 403


@pytest.mark.parametrize("market", ["USDM", "COINM"])
@pytest.mark.parametrize("call", ["create_simple_buy", "create_simple_sell"])
def test_futures_are_kept_out_and_told_why(
    bot: Bot, wiring: Wiring, market: str, call: str
) -> None:
    account = wiring.registry.account_named(AccountName(market.lower()))

    answer = bot.post(call, waiting(account.id))

    assert answer.status_code == 400
    why = f"is a {market} account: smart trades are made in SPOT accounts only"
    assert answer.get_json() == {
        "error": "record_invalid",
        "error_description": "Invalid parameters",
        "error_attributes": {"account_id": [why]},
    }
    assert list(wiring.ports.live.of_account(account.id)) == []


def test_accounts_say_so_beforehand(bot: Bot) -> None:
    path = "/public/api/ver1/accounts"
    rows: Any = (
        signed_by(Dialect.THREE_COMMAS, path, {}, method="GET").to(bot.caller.client).get_json()
    )

    assert [one["smart_trading_supported"] for one in rows] == [True, False, False]


def test_an_account_that_is_switched_off_is_told_as_that(bot: Bot) -> None:
    bot.caller.call("PUT", "/api/accounts/demo", {"enabled": False})

    answer = bot.post("create_simple_buy", waiting())

    assert answer.get_json()["error_attributes"] in (
        {"account_id": ["is switched off"]},
        {"account_id": ["is invalid"]},
    )


SWITCHES = {"sl_timeout_abort_on_recovery": "stop_aborts", "tp_limit_rest_on_book": "profits_rest"}


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("flag", [True, False])
def test_switches_of_a_client_are_taken_with_each_trade(
    bot: Bot, wiring: Wiring, switch: str, *, flag: bool
) -> None:
    bot.caller.call("PUT", f"/api/clients/three_commas/{KEY}", {switch: flag})

    trade = bot.waiting()

    found = wiring.ports.ledger.load(int(trade["id"])).aggregate  # type: ignore[arg-type]
    assert getattr(found.exits, SWITCHES[switch]) is flag  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("client", "account", "rules"),
    [
        ({}, "auto", ExitRules()),
        ({}, "both", ExitRules()),  # the document has stops followed here, at the bid
        ({"protection": "auto"}, "exchange", ExitRules()),
        ({"protection": "here"}, "both", ExitRules()),
        ({"protection": "both"}, "here", ExitRules(beyond_percent=Decimal(3))),
        (
            {"protection": "exchange", "protection_distance_percent": "1.5"},
            "auto",
            ExitRules(beyond_percent=Decimal("1.5"), venue_first=True),
        ),
    ],
)
def test_who_holds_stops_is_said_by_the_client_alone(
    bot: Bot, wiring: Wiring, client: Json, account: str, rules: ExitRules
) -> None:
    bot.caller.call("PUT", "/api/accounts/demo", {"protection": account})
    told = bot.caller.call("PUT", f"/api/clients/three_commas/{KEY}", client)

    trade = bot.waiting()

    found = wiring.ports.ledger.load(int(trade["id"])).aggregate  # type: ignore[arg-type]
    assert found.exits == rules  # type: ignore[union-attr]
    assert {name: told[name] for name in client} == client


@pytest.mark.parametrize(
    "setting",
    [{"protection": "venue"}, {"protection": None}, {"protection_distance_percent": "0.05"}],
)
def test_who_holds_stops_is_one_of_four(bot: Bot, setting: Json) -> None:
    path = f"/api/clients/three_commas/{KEY}"

    status, code, fields = bot.caller.refusal("PUT", path, setting)

    assert (status, code, fields) == (400, "validation_failed", list(setting))


def test_a_stop_that_rests_is_told_here_and_the_document_knows_nothing_of_it(bot: Bot) -> None:
    bot.caller.call("PUT", f"/api/clients/three_commas/{KEY}", {"protection": "both"})

    trade = bot.post("create_smart_trade", stopped()).get_json()
    bot.worker.work()

    shown = bot.shown(trade)
    (step,) = shown["stop_loss_steps"]
    assert (shown["status"], step["status"]) == ("bought", "idle")
    assert (step["order_id"], step["market_order_id"], step["price"]) == (None, None, "45000")
    row = bot.caller.call("GET", f"/api/orders/{trade['id']}")
    assert row["held_by"] == "venue"
    (resting,) = [
        one
        for one in (bot.caller.call("GET", f"/api/orders/{child}") for child in row["children"])
        if one["state"] == "NEW"
    ]
    assert (resting["held_by"], resting["trigger_price"]) == ("venue", "43650")


def test_a_trade_whose_venue_does_not_hold_its_stop_is_named(bot: Bot) -> None:
    bot.caller.call("PUT", f"/api/clients/three_commas/{KEY}", {"protection": "both"})
    bot.caller.call("PUT", "/paper/faults/demo", {"place": ["ok", *["reject"] * 9]})

    trade = bot.post("create_smart_trade", stopped()).get_json()
    bot.worker.work()

    row = bot.caller.call("GET", f"/api/orders/{trade['id']}")
    findings = bot.caller.call("POST", "/api/doctor")["findings"]
    (found,) = [one for one in findings if one["check"] == "protection"]
    assert row["held_by"] == "here"
    assert "smart trade" in found["message"]
    assert "has no stop at its venue: " in found["message"]
    assert "nothing was said" not in found["message"]


@pytest.mark.parametrize("word", ["yes", 1, None])
def test_the_switch_is_one(bot: Bot, word: object) -> None:
    path = f"/api/clients/three_commas/{KEY}"

    status, code, fields = bot.caller.refusal("PUT", path, {"sl_timeout_abort_on_recovery": word})

    assert (status, code, fields) == (400, "validation_failed", ["sl_timeout_abort_on_recovery"])


# Names, when nobody can be asked for them


class Forgetful:
    """A memory of which the store has gone away."""

    def currency_name(self, *_: object) -> str:
        raise StoreUnavailable("away")


def at_exchange(wiring: Wiring, market: Market = Market.SPOT) -> None:
    """Let the account be at an exchange from now on, which calls Bitcoin something else."""
    account = wiring.registry.account_named(AccountName("demo"))
    moved = replace(account, venue=VenueName("binance"), mode=Mode.LIVE, market=market)
    wiring.registry.put_account(moved)
    wiring.memory.keep_currencies(moved.hosts, {Currency("BTC"): "The Coin"})


@pytest.mark.parametrize(("is_heard", "name"), [(True, "The Coin"), (False, "BTC")])
def test_no_other_venues_names_are_shown_when_the_store_fails(
    bot: Bot, wiring: Wiring, *, is_heard: bool, name: str
) -> None:
    trade = bot.waiting()
    at_exchange(wiring)
    memory = Forgetful()
    broken = wiring if is_heard else replace(wiring, memory=memory)  # type: ignore[arg-type]
    caller = Caller(create_app(broken).test_client(), ADMIN_TOKEN)
    bot.caller = caller
    if is_heard:
        bot.shown(trade)
        wiring.memory.currency_name = memory.currency_name  # type: ignore[method-assign, assignment]

    answer = bot.post(f"{trade['id']}/cancel")

    assert answer.status_code == 201, answer.text
    assert answer.get_json()["to_currency_name"] == name
    assert answer.get_json()["from_currency_name"] == "USDT"


# A spelling that is not known yet

MARKET = {"symbol": "BTC/USDT", "spot": True, "active": True, "limits": {}}


class Learned:
    """A publisher whose messages are taken by a worker that knows what the exchange trades."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.asked = 0

    def publish(self, effects: Sequence[Effect]) -> None:
        for one in effects:
            self.asked += 1
            text = json.dumps([{**MARKET, "precision": {"price": "0.01", "amount": "0.001"}}])
            self.wiring.memory.keep_markets(VenueName("binance"), Market.SPOT, text)
            self.wiring.ports.worker_requests.reply(one.target, WorkerAnswer())

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        del due_ms


@pytest.mark.usefixtures("demo")
def test_a_spelling_that_nobody_knows_yet_has_the_markets_learned(wiring: Wiring) -> None:
    at_exchange(wiring)
    worker = Learned(wiring)
    learned = replace(wiring, ports=replace(wiring.ports, publisher=worker))
    caller = Caller(create_app(learned).test_client(), ADMIN_TOKEN)

    made = caller.call("PUT", "/api/connectors/demo", {"symbol": "BTCUSDT"})

    assert (made["symbol"], worker.asked) == ("BTC/USDT", 1)
    assert caller.refusal("PUT", "/api/connectors/demo", {"symbol": "XBTUSDT"})[0] == 400
    assert worker.asked == 1


def test_a_venue_that_fails_hides_no_change(bot: Bot, wiring: Wiring) -> None:
    trade = bot.waiting()
    at_exchange(wiring)

    class Away:
        def of(self, *_: object) -> None:
            raise VenueUnavailable("away")

        feed = trading_rules = listed = of

    venues: Any = Away()
    broken = replace(wiring, ports=replace(wiring.ports, venues=venues))
    bot.caller = Caller(create_app(broken).test_client(), ADMIN_TOKEN)

    answer = bot.post(f"{trade['id']}/cancel")

    assert answer.status_code == 201, answer.text
    shown = answer.get_json()
    assert (shown["to_currency_name"], shown["status"]) == ("BTC", "cancelled")
