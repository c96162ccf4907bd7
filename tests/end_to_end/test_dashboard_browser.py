"""The dashboard in a real browser: what a person does, and that nothing there is run or refused."""

import json
from collections.abc import Iterator

import pytest

from tests.support.browser import NEEDS_CHROMIUM, PHONE, Browser
from tests.support.receivers import running_receiver
from tests.support.stack import Stack
from tests.support.users.crypto_arsenal import FUTURES, SPOT1

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def browser(chromium: Browser, stack: Stack) -> Iterator[Browser]:
    """A browser that is signed in and sees the overview; no page may be at fault."""
    chromium.sign_in(stack)
    yield chromium
    assert chromium.complaints == []


def test_a_wrong_token_is_told_and_the_right_one_opens(chromium: Browser, stack: Stack) -> None:
    chromium.call("Storage.clearCookies")
    chromium.go(stack.url("/ui/accounts"))

    chromium.type("#token", "wrong")
    chromium.click("#sign-in button")
    chromium.until("document.querySelector('#sign-in-wrong').textContent.includes('wrong')")
    chromium.type("#token", stack.run["admin_token"])
    chromium.click("#sign-in button")

    chromium.until("document.body.dataset.page === 'accounts'")


def test_an_alert_shows_up_by_itself(browser: Browser, stack: Stack) -> None:
    browser.until("document.querySelector('#link').textContent === 'Live'")

    stack.send({**SPOT1, "action": "buy", "fixed": "0.0123"})

    browser.until("document.querySelector('#rows')?.textContent.includes('Buy 0.0123 BTC/USDT')")
    # The clocks of other tests may have been ahead, so that their rows come first.
    mine = (
        "[...document.querySelectorAll('#rows tr')].find(row => row.textContent.includes('0.0123'))"
    )
    browser.until(f"{mine}?.querySelector('.state')?.textContent === 'DONE'")


def test_an_unchanged_row_keeps_the_focus(browser: Browser, stack: Stack) -> None:
    stack.send({**SPOT1, "action": "buy", "fixed": "0.0211"})
    browser.until("document.querySelector('#rows')?.textContent.includes('0.0211')")
    stack.settle()
    browser.run("document.querySelector('#rows a').focus()")
    focused = browser.run("document.activeElement.id")

    stack.send({**SPOT1, "action": "buy", "fixed": "0.0212"})
    browser.until("document.querySelector('#rows').textContent.includes('0.0212')")

    assert browser.run("document.activeElement.id") == focused


def test_what_a_stranger_wrote_does_not_run(browser: Browser, stack: Stack) -> None:
    hostile = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    message = {**SPOT1, "action": "buy", "fixed": "0.0311", "limit": "40000"}

    stack.send({**message, "log": hostile, "clientOrderId": hostile[:60]})
    browser.until("document.querySelector('#rows')?.textContent.includes('0.0311')")
    browser.go(stack.url(f"/ui/orders/{stack.rows(kind='SIGNAL')[0]['id']}"))

    assert hostile[:40] in browser.text("#facts")
    assert browser.run("window.hacked") is None
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0


def test_an_order_is_canceled_with_a_button(browser: Browser, stack: Stack) -> None:
    stack.send({**SPOT1, "action": "buy", "fixed": "0.01", "limit": "40000"})
    stack.settle()
    browser.go(stack.url(f"/ui/orders/{stack.rows(kind='SIGNAL')[0]['id']}"))
    before = browser.run("document.querySelectorAll('#timeline li').length")

    browser.click("#cancel")
    browser.until("document.querySelector('#ask').open")
    browser.click("#ask button[value=yes]")

    browser.until("document.querySelector('#title .state').textContent === 'CANCELED'")
    assert browser.run("document.querySelectorAll('#timeline li').length") > before


def test_leaving_halt_takes_the_name_of_the_account(browser: Browser, stack: Stack) -> None:
    number = stack.call("GET", f"/api/accounts/{FUTURES}")["id"]
    state = f"document.querySelector('#account-{number} .row .state:last-child').textContent"
    browser.go(stack.url("/ui/accounts"))

    browser.click(f"#set-{number}-HALT")
    browser.until(f"{state} === 'HALT'")
    browser.click(f"#set-{number}-RUN")
    browser.until("document.querySelector('#ask').open")
    browser.type("#ask input", "something else")
    assert browser.run("document.querySelector('#ask button[value=yes]').disabled") is True
    browser.type("#ask input", FUTURES)
    browser.click("#ask button[value=yes]")

    browser.until(f"{state} === 'RUN'")


def test_the_alert_is_checked_while_it_is_typed(browser: Browser, stack: Stack) -> None:
    browser.go(stack.url("/ui/connectors?connector=spot1&action=buy&percent=10"))

    browser.type("#percent", "150")
    browser.until("document.querySelector('#wrong-percent').textContent.includes('150')")
    browser.type("#percent", "50")
    browser.until("document.querySelector('#message').textContent.includes('\"50\"')")

    assert browser.text("#wrong-percent") == ""
    assert browser.run("document.activeElement.id") == "percent"
    assert json.loads(browser.text("#message"))["percent"] == "50"


@pytest.mark.parametrize(
    "path", ["/", "/?kind=ALL", "/ui/accounts", "/ui/connectors", "/ui/channels", "order"]
)
def test_a_phone_need_not_scroll_sideways(browser: Browser, stack: Stack, path: str) -> None:
    stack.send({**SPOT1, "action": "buy", "fixed": "0.01", "clientOrderId": "x" * 64})
    stack.settle()
    if path == "order":
        path = f"/ui/orders/{stack.rows(kind='SIGNAL')[0]['id']}"

    browser.call("Emulation.setDeviceMetricsOverride", **PHONE)
    browser.go(stack.url(path))

    assert browser.run("document.documentElement.scrollWidth") == PHONE["width"]


def test_signing_out_closes_every_page(browser: Browser, stack: Stack) -> None:
    browser.click("[data-sign-out]")
    browser.until("document.querySelector('#sign-in')")

    browser.go(stack.url("/ui/accounts"))

    assert browser.run("document.querySelector('#sign-in') !== null")
    assert "demo" not in browser.run("document.body.innerText")


def test_a_channel_is_tried_from_its_page(browser: Browser, stack: Stack) -> None:
    with running_receiver() as receiver:
        address = {"service_url": f"json://{receiver.address}/phone"}
        stack.call("PUT", "/api/channels/phone", address)
        browser.go(stack.url("/ui/channels"))
        browser.click("#try-phone")
        browser.until("document.querySelector('#notice').textContent.includes('has arrived')")
        browser.until("document.querySelector('#channels').textContent.includes('1 sent')")
        stack.call("DELETE", "/api/channels/phone")

    assert len(receiver.received) == 1
    assert browser.complaints == []
