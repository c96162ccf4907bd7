"""Market data of the Poloniex dialect is that of the caller's venue, or of the public one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis
from werkzeug.test import TestResponse

from app.bootstrap import Wiring, web_wiring
from app.dispatch.routes import TaskName
from app.domain.account import PAPER
from app.domain.effects import Effect
from app.domain.enums import Dialect, Mode
from app.domain.enums import Market as Traded
from app.domain.identifiers import EpochMs, VenueName
from app.factory import create_app
from app.settings import Settings
from app.store.core.clock import RedisClock
from tests.integration.api.conftest import ADMIN_TOKEN
from tests.support.builders import a_live_account
from tests.support.caller import Caller, Worker
from tests.support.each_dialect import KEY, SECRET, signed_by
from tests.support.exchanges.books import Market
from tests.support.exchanges.faults import Call, Fault
from tests.support.exchanges.server import Gateway, served
from tests.support.venue_world import wire_of

pytestmark = pytest.mark.integration

#: What is listed at the exchange, and nothing has ever been armed in; play money has no such pair.
FAR = "FAR/USDT"

PATHS = (
    "/markets",
    "/markets/FAR_USDT",
    "/markets/price",
    "/markets/FAR_USDT/price",
    "/markets/ticker24h",
    "/markets/FAR_USDT/ticker24h",
    "/markets/FAR_USDT/orderBook",
    "/markets/FAR_USDT/trades",
    "/markets/FAR_USDT/candles?interval=MINUTE_1",
    "/currencies",
    "/v2/currencies",
    "/v2/currencies/FAR",
)

RATES = "/public/api/ver1/accounts/currency_rates?pretty_display_type=Poloniex&pair=USDT_FAR"


class WorksAtOnce:
    """A publisher whose messages are taken by a worker as soon as they are sent."""

    def __init__(self, worker: Worker) -> None:
        self.worker: Worker | None = worker

    def publish(self, effects: Sequence[Effect]) -> None:
        for effect in effects if self.worker else ():
            assert self.worker is not None
            self.worker.take(TaskName[effect.kind.name], [effect.target])

    def wake_timers(self, due_ms: Sequence[EpochMs]) -> None:
        del due_ms


class SkipsWaits(RedisClock):
    """A clock on which whoever waits has waited at once, however long that is."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self.skipped_ms = 0

    def steady_ms(self) -> int:
        return super().steady_ms() + self.skipped_ms

    def sleep(self, for_ms: int) -> None:
        self.skipped_ms += for_ms


class House:
    """An installation with an account at simulated Poloniex, and one at simulated Binance."""

    def __init__(self, settings: Settings, gateways: dict[str, Gateway]) -> None:
        wiring = web_wiring(settings)
        self.gateways = gateways
        self.publisher = WorksAtOnce(Worker(settings))
        clock = SkipsWaits(wiring.memory._client)  # noqa: SLF001 - closed with it
        policy = replace(wiring.ports.policy, learn_wait_ms=20_000)
        ports = replace(wiring.ports, publisher=self.publisher, clock=clock, policy=policy)
        self.wiring: Wiring = replace(wiring, ports=ports)
        self.caller = Caller(create_app(self.wiring).test_client(), ADMIN_TOKEN)
        wiring.paper.seed_instruments()

    def open(self, venue: str, **odd: object) -> None:
        """Add an account at an exchange."""
        account = replace(a_live_account(venue), venue=VenueName(venue), **odd)  # type: ignore[arg-type]
        self.wiring.registry.put_account(account)

    def key_of(self, account: str) -> None:
        """Let the caller of Poloniex trade in an account."""
        client = {"secret": SECRET, "accounts": [account]}
        self.caller.call("PUT", f"/api/clients/poloniex/{KEY}", client)

    def get(self, path: str) -> TestResponse:
        return self.caller.client.get(path)

    def signed(self, path: str) -> TestResponse:
        return signed_by(Dialect.POLONIEX, path, {}, method="GET").to(self.caller.client)

    def asked(self, venue: str = "poloniex") -> int:
        return len(self.gateways[venue].log)


@pytest.fixture
def environment(redis_server: str, tmp_path: Path) -> dict[str, str]:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return {
        "REDIS_URL": redis_server,
        "HOOKFILL_DATA_DIR": str(tmp_path),
        "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN,
    }


@pytest.fixture
def build(environment: dict[str, str]) -> Iterator[Any]:
    """Return a function that builds the house, with odd settings."""
    with ExitStack() as exchanges:

        def make(**odd: str) -> House:
            urls, gateways = {}, {}
            for venue, price in (("poloniex", "7"), ("binance", "8")):
                wire = wire_of(venue, Traded.SPOT)
                wire.exchange.markets[FAR, "spot"] = Market("FAR", "USDT")
                wire.exchange.set_price(FAR, price)
                urls[venue], gateways[venue] = exchanges.enter_context(served(wire))
            settings = {**environment, "HOOKFILL_VENUE_URLS": json.dumps(urls), **odd}
            house = House(Settings.from_environment(settings), gateways)
            exchanges.callback(
                house.wiring.memory._client.connection_pool.disconnect  # noqa: SLF001
            )
            return house

        yield make


@pytest.fixture
def house(build: Any) -> House:  # noqa: ANN401
    """One whose public market data is Poloniex's."""
    made: House = build()
    made.open("poloniex")
    return made


def price_of(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    price: str = answer.get_json()["price"]
    return price


@pytest.mark.parametrize("path", PATHS)
def test_all_pairs_of_the_exchange_are_shown(house: House, path: str) -> None:
    answer = house.get(path)

    assert answer.status_code == 200, answer.text
    assert "FAR" in answer.text or path.endswith(("trades", "MINUTE_1", "orderBook"))


def test_figures_are_those_of_the_exchange(house: House) -> None:
    ticker = house.get("/markets/FAR_USDT/ticker24h").get_json()
    assert (ticker["open"], ticker["low"], ticker["high"]) == ("3.5", "1.75", "14")
    assert (ticker["close"], ticker["quantity"], ticker["amount"]) == ("7", "12", "600000")
    assert (ticker["bidQuantity"], ticker["tradeCount"]) == ("1", 34)

    book = house.get("/markets/FAR_USDT/orderBook?limit=5").get_json()
    assert book["asks"] == ["7", "2"]

    (trade,) = house.get("/markets/FAR_USDT/trades").get_json()
    assert (trade["price"], trade["quantity"], trade["takerSide"]) == ("7", "1", "BUY")

    (candle,) = house.get("/markets/FAR_USDT/candles?interval=MINUTE_1").get_json()
    assert (candle[3], candle[5], candle[11]) == ("7", "3", "MINUTE_1")


def test_without_an_account_there_play_money_is_shown(build: Any) -> None:  # noqa: ANN401
    made: House = build()
    made.open("binance")

    assert made.get("/markets/FAR_USDT/price").get_json()["code"] == 25019
    assert made.get("/markets/BTC_USDT/price").status_code == 200
    assert made.asked() == made.asked("binance") == 0


@pytest.mark.parametrize(("venue", "price"), [("binance", "8"), ("poloniex", "7")])
def test_the_installation_names_the_public_venue(
    build: Any,  # noqa: ANN401
    venue: str,
    price: str,
) -> None:
    made: House = build(POLO_PUBLIC_VENUE=venue)
    made.open("poloniex")
    made.open("binance")

    assert price_of(made.get("/markets/FAR_USDT/price")) == price


def test_play_money_may_be_named(build: Any) -> None:  # noqa: ANN401
    made: House = build(POLO_PUBLIC_VENUE=PAPER)
    made.open("poloniex")

    assert made.get("/markets/FAR_USDT/price").get_json()["code"] == 25019
    assert made.asked() == 0


def test_a_venue_without_an_account_is_not_ready(build: Any) -> None:  # noqa: ANN401
    made: House = build(POLO_PUBLIC_VENUE="bybit")

    answer = made.get("/markets/BTC_USDT/price")

    assert (answer.status_code, answer.get_json()["code"]) == (503, 503)


def test_an_account_that_is_switched_off_shows_nothing(build: Any) -> None:  # noqa: ANN401
    made: House = build()
    made.open("poloniex", enabled=False)

    assert made.get("/markets/FAR_USDT").get_json()["code"] == 25019
    assert made.asked() == 0


def test_real_prices_go_before_those_of_a_testnet(build: Any) -> None:  # noqa: ANN401
    made: House = build(POLO_PUBLIC_VENUE="binance")
    made.open("binance", name="first", group="first", mode=Mode.TESTNET)
    made.open("binance")

    assert price_of(made.get("/markets/FAR_USDT/price")) == "8"


def test_who_signs_is_shown_the_venue_of_the_account(house: House) -> None:
    house.open("binance")
    house.key_of("binance")

    assert price_of(house.signed("/markets/FAR_USDT/price")) == "8"
    assert price_of(house.get("/markets/FAR_USDT/price")) == "7"


def test_who_signs_for_play_money_is_shown_play_money(house: House) -> None:
    house.caller.call("PUT", "/paper/accounts/demo", {"balances": {"USDT": "10000"}})
    house.key_of("demo")

    assert house.signed("/markets/FAR_USDT/price").get_json()["code"] == 25019
    assert house.signed("/markets/BTC_USDT/price").status_code == 200


def test_a_wrong_signature_is_refused_and_asks_nobody(house: House) -> None:
    house.key_of("poloniex")
    sent = signed_by(Dialect.POLONIEX, "/markets/FAR_USDT/price", {}, method="GET")
    wrong = replace(sent, headers={**sent.headers, "signature": "AAAA"})

    answer = wrong.to(house.caller.client)

    assert (answer.status_code, answer.get_json()["code"]) == (401, 401)
    assert house.asked() == 0


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_known_yet_is_not_called_unknown(house: House, path: str) -> None:
    house.publisher.worker = None

    answer = house.get(path)

    assert (answer.status_code, answer.get_json()["code"]) == (503, 503)


def test_an_unknown_pair_is_so_once_the_markets_are_known(house: House) -> None:
    answer = house.get("/markets/NOPE_USDT/price")

    assert (answer.status_code, answer.get_json()["code"]) == (400, 25019)


def test_an_exchange_that_is_away_is_not_ready(house: House) -> None:
    assert house.get("/markets/FAR_USDT").status_code == 200
    house.gateways["poloniex"].dialect.plan.plan(Call.OTHER, *[Fault.ERROR] * 20)

    answer = house.get("/markets/FAR_USDT/orderBook")

    assert (answer.status_code, answer.get_json()["code"]) == (503, 503)


def commands(wiring: Wiring) -> int:
    told = wiring.memory._client.info("commandstats")  # noqa: SLF001 - no other asks it
    return sum(one["calls"] for name, one in told.items() if name != "cmdstat_info")


@pytest.mark.parametrize("path", PATHS)
def test_reading_again_costs_neither_exchange_nor_store(house: House, path: str) -> None:
    assert house.get(path).status_code == 200
    asked, before = house.asked(), commands(house.wiring)
    mark = "&" if "?" in path else "?"

    # However differently it is asked for.
    answers = [house.get(f"{path}{mark}n={one}").status_code for one in range(20)]

    assert set(answers) == {200}
    assert house.asked() == asked
    assert commands(house.wiring) - before < 15


def test_pair_by_pair_is_one_question(house: House) -> None:
    assert price_of(house.get("/markets/FAR_USDT/price")) == "7"
    asked = house.asked()

    assert price_of(house.get("/markets/BTC_USDT/price")) == "50000"
    assert house.get("/markets/ticker24h").status_code == 200
    assert house.asked() == asked


def test_strangers_have_exchanges_asked_so_often_in_all_dialects(house: House) -> None:
    assert house.get("/markets/FAR_USDT").status_code == 200  # the first of them
    house.publisher.worker = None

    books = [house.get(f"/markets/FAR_USDT/orderBook?n={one}").status_code for one in range(40)]
    rates = [house.get(f"{RATES}&n={one}").status_code for one in range(30)]

    assert books == [503] * 40
    assert rates == [503] * 19 + [429] * 11
    answer = house.get("/markets/price")
    assert (answer.status_code, answer.get_json()["code"]) == (429, 429)
    assert answer.headers["Retry-After"]


def test_strangers_keep_nobody_who_signs_from_asking(house: House) -> None:
    house.key_of("poloniex")
    worker, house.publisher.worker = house.publisher.worker, None
    for one in range(61):
        house.get(f"/markets/FAR_USDT/orderBook?n={one}")
    house.publisher.worker = worker

    assert house.get("/markets/FAR_USDT/price").status_code == 429
    assert price_of(house.signed("/markets/FAR_USDT/price")) == "7"


def test_looks_stand_back_for_orders(house: House) -> None:
    """With half of the budget used up, orders are sent, and nobody looks around."""
    house.get("/markets/FAR_USDT")
    with redis.Redis.from_url(house.wiring.settings.redis_url) as client:
        (pool,) = client.keys("hookfill:budget:poloniex*")
        client.hset(pool, "tokens", "1")
        asked = house.asked()

        answer = house.get("/markets/FAR_USDT/orderBook")

    assert answer.status_code == 503
    assert house.asked() == asked


def test_the_time_is_that_by_which_requests_are_signed(house: House) -> None:
    house.gateways["poloniex"].dialect.exchange.clock_skew_ms = 3_600_000

    told = Decimal(house.get("/timestamp").get_json()["serverTime"])

    assert abs(told - house.wiring.ports.clock.now_ms()) < 60_000


def test_an_order_for_a_pair_that_is_halted_is_told_so(house: House) -> None:
    house.key_of("poloniex")
    exchange = house.gateways["poloniex"].dialect.exchange
    exchange.set_status(FAR, "halted")
    order = {"symbol": "FAR_USDT", "side": "BUY", "type": "LIMIT", "price": "7", "quantity": "1"}
    stop = {**order, "type": "STOP_LIMIT", "stopPrice": "8"}

    for path, body in (("/orders", order), ("/smartorders", stop)):
        sent = signed_by(Dialect.POLONIEX, path, body)
        answer = sent.to(house.caller.client)
        assert (answer.status_code, answer.get_json()["code"]) == (400, 10041)
    canceled = signed_by(Dialect.POLONIEX, "/smartorders", {"symbol": "FAR_USDT"}, method="DELETE")
    assert canceled.to(house.caller.client).get_json() == []
    assert house.signed("/orders?symbol=FAR_USDT").get_json() == []


def test_rates_of_a_pair_that_is_halted_are_none_of_what_is_listed(house: House) -> None:
    house.gateways["poloniex"].dialect.exchange.set_status(FAR, "halted")

    answer = house.get(RATES)

    assert answer.status_code == 400
    assert answer.get_json()["error_attributes"] == {"pair": ["is not included in the list"]}
