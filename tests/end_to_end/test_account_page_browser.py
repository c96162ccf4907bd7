"""The page of an account at a real exchange, in a real browser: what differs, and what to do."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from app.domain.enums import Market
from app.domain.identifiers import AccountId, OrderId
from app.domain.status import OrderStatus
from app.ports.ledger import Change
from app.store.core.clock import RedisClock
from app.store.core.ids import RedisIds
from app.store.core.ledger import RedisLedger
from tests.support.browser import NEEDS_CHROMIUM, PHONE, Browser
from tests.support.builders import an_order
from tests.support.exchanges.books import Order
from tests.support.exchanges.server import served
from tests.support.exchanges.trading import Exchange
from tests.support.stack import Stack, running_stack
from tests.support.venue_world import KEY, account_at, by_hand, wire_of

pytestmark = NEEDS_CHROMIUM

PAGE = "/ui/accounts/mine"


class Desk:
    """A stack with one account at one simulated exchange, and somebody who looks at it."""

    def __init__(self, stack: Stack, exchange: Exchange, browser: Browser) -> None:
        self.stack, self.exchange, self.browser = stack, exchange, browser
        self.number = stack.call("PUT", "/api/accounts/mine", account_at("binance"))["id"]

    def by_hand(self, price: int) -> Order:
        """Place an order at the exchange that the stack knows nothing of."""
        return self.exchange.place(self.exchange.accounts[KEY], by_hand(price))

    def unknown_for_good(self) -> OrderId:
        """Put an order into the store that only a person can settle."""
        with redis.Redis.from_url(self.stack.run["redis_url"], decode_responses=True) as client:
            (fresh,) = RedisIds(client).fresh(AccountId(self.number), 1)
            order = replace(
                an_order(),
                id=OrderId(fresh.id),
                client_order_id=fresh.client_order_id,
                account=AccountId(self.number),
                status=OrderStatus.UNKNOWN,
                needs_person=True,
            )
            RedisLedger(client, RedisClock(client), lambda: "test", 3_000).commit(
                [Change(None, order)]
            )
        return order.id

    def renewed(self, condition: str) -> None:
        """Press `Compare now`, and wait for what the page shows then."""
        self.browser.go(self.stack.url(PAGE))
        self.browser.click("#renew")
        self.browser.until("document.querySelector('#notice').textContent.includes('ompared')")
        self.browser.until(condition)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Desk]:
    wire = wire_of("binance", Market.SPOT)
    with served(wire) as (url, _):
        urls = {"HOOKFILL_VENUE_URLS": json.dumps({"binance": url})}
        with running_stack(tmp_path_factory.mktemp("page"), urls) as stack:
            yield Desk(stack, wire.exchange, chromium)


@pytest.fixture
def desk(running: Desk) -> Iterator[Desk]:
    """Somebody who is signed in; no page may be at fault."""
    running.browser.sign_in(running.stack)
    yield running
    assert running.browser.complaints == []


def test_a_foreign_order_is_shown_apart_and_canceled_when_the_account_is_named(desk: Desk) -> None:
    order, browser = desk.by_hand(30_000), desk.browser
    button = f"#cancel-BTC-USDT-{order.id}"

    desk.renewed(f"document.querySelector('{button}') !== null")
    assert browser.text("#title .state") == "AGREES"
    browser.click(button)
    browser.until("document.querySelector('#ask').open")
    assert "Buy 0.01 BTC/USDT at 30000".lower() in browser.text("#ask-text").lower()
    assert browser.run("document.querySelector('#ask button[value=yes]').disabled") is True
    assert desk.exchange.accounts[KEY].orders[0].status == "NEW"
    browser.type("#ask input", "mine")
    browser.click("#ask button[value=yes]")

    browser.until("document.querySelector('#cancels .state')?.textContent === 'ENDED'")
    browser.until("document.querySelector('#notice').textContent.includes('it is CANCELED')")
    assert desk.exchange.accounts[KEY].orders[0].status == "CANCELED"
    browser.until(f"!document.querySelector('{button}')")
    desk.renewed("document.querySelector('#foreign').textContent.includes('was placed here')")


def test_an_order_that_nobody_else_can_settle_is_settled_in_a_form(desk: Desk) -> None:
    order, browser = desk.unknown_for_good(), desk.browser
    settle = f"#settle-{order}"

    browser.go(desk.stack.url(PAGE))
    browser.click(settle)
    browser.until("document.body.dataset.page === 'order'")
    browser.run("document.querySelector('#outcome').value = 'filled'")
    browser.click("#settle-it")
    browser.until("document.querySelector('#ask').open")
    browser.click("#ask button[value=yes]")
    browser.until("document.querySelector('#notice').textContent.includes('average_price')")
    browser.type("#average-price", "50000")
    browser.click("#settle-it")
    browser.until("document.querySelector('#ask').open")
    browser.click("#ask button[value=yes]")

    browser.until("document.querySelector('#title .state').textContent === 'FILLED'")
    browser.until("!document.querySelector('#settle form')")
    browser.complaints[:] = [one for one in browser.complaints if "400" not in one]
    browser.go(desk.stack.url(PAGE))
    assert browser.run(f"document.querySelector('{settle}') === null")


def test_a_phone_need_not_scroll_sideways(desk: Desk) -> None:
    desk.by_hand(29_000)
    desk.unknown_for_good()
    desk.renewed("document.querySelector('#foreign table') !== null")

    desk.browser.call("Emulation.setDeviceMetricsOverride", **PHONE)
    desk.browser.go(desk.stack.url(PAGE))

    assert desk.browser.run("document.documentElement.scrollWidth") == PHONE["width"]
