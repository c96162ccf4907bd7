"""The dashboard in a real browser: what a person does, and that nothing there is run or refused."""

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.crypto_arsenal import FUTURES
from tests.end_to_end.stack import Stack

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next((path for name in NAMES if (path := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium is installed; on Debian: apt-get install chromium"
)

SPOT1 = {"connectorName": "spot1", "connectorToken": "T1"}

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)

#: Seconds for one answer of the browser, and for what a page is expected to become.
PATIENCE_SECONDS = 60.0

#: What the browser itself says that has nothing to do with a mistake of a page.
HARMLESS = ("status of 401", "ERR_ABORTED", "ERR_INCOMPLETE_CHUNKED_ENCODING")

#: Its error code for an order that a page did not live to answer.
PAGE_LEFT = -32000

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}


class PageLeft(Exception):
    """The page was left for another one before it answered."""


class Browser:
    """A headless Chromium, driven through its debugging pipe: JSON, each ended by a zero byte.

    Args:
        program: where it is.
        folder: for its profile.
    """

    def __init__(self, program: str, folder: Path) -> None:
        orders, self._orders = _pipe()
        self._answers, answers = _pipe()
        null = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        pipes = [(os.POSIX_SPAWN_DUP2, orders, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        command = [program, *FLAGS, f"--user-data-dir={folder}"]
        self._process = os.posix_spawn(program, command, os.environ, file_actions=[*pipes, null])
        os.close(orders)
        os.close(answers)
        self._unread = b""
        self._count = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Give an order, and return its answer."""
        self._count += 1
        order = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        while (answer := self._read()).get("id") != self._count:
            self._note(answer)
        if answer.get("error", {}).get("code") == PAGE_LEFT:
            raise PageLeft(method)
        assert "error" not in answer, f"{method}: {answer}"
        result: dict[str, Any] = answer["result"]
        return result

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the script gives
        """Run a script in the page, and return its value."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, f"{script}: {told['exceptionDetails']}"
        return told["result"].get("value")

    def go(self, url: str) -> None:
        """Open a page, and wait until it stands."""
        self.run("window.isOld = true")
        self.call("Page.navigate", url=url)
        self.until("!window.isOld && document.readyState === 'complete'")

    def until(self, condition: str) -> None:
        """Wait until a condition holds in the page, through reloads if need be."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(PageLeft):
                told = self.call("Runtime.evaluate", expression=condition, returnByValue=True)
                if told["result"].get("value"):
                    return
            time.sleep(0.02)
        raise AssertionError(f"never: {condition}\n{self.run('document.body.innerText')}")

    def click(self, selector: str) -> None:
        """Press what a selector finds first, which may lead to another page at once."""
        with suppress(PageLeft):
            self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector: str, text: str) -> None:
        """Replace the text of a field, as typing does."""
        self.run(
            f"field = document.querySelector({json.dumps(selector)}); field.focus();"
            f"field.value = {json.dumps(text)};"
            "field.dispatchEvent(new Event('input', {bubbles: true}))"
        )

    def text(self, selector: str) -> str:
        """Return the text of what a selector finds first."""
        found: str = self.run(f"document.querySelector({json.dumps(selector)}).textContent")
        return found

    def close(self) -> None:
        """End it."""
        os.close(self._orders)
        os.close(self._answers)
        os.kill(self._process, signal.SIGTERM)
        os.waitpid(self._process, 0)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE_SECONDS)
            assert ready, "the browser does not answer"
            read = os.read(self._answers, 65_536)
            assert read, "the browser is gone"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def _note(self, message: dict[str, Any]) -> None:
        """Keep what is wrong with a page: exceptions, violations of its policy, missing files."""
        told = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        elif message["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
            text = told["entry"]["text"]
            if not any(harmless in text for harmless in HARMLESS):
                self.complaints.append(f"{text} {told['entry'].get('url', '')}")


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, out of the way of the two numbers that the browser reads."""
    ends = os.pipe()
    far = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return far[0], far[1]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    browser = Browser(PROGRAM, tmp_path_factory.mktemp("chromium"))
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def browser(chromium: Browser, stack: Stack) -> Iterator[Browser]:
    """A browser that is signed in and sees the overview; no page may be at fault."""
    chromium.complaints.clear()
    chromium.call("Emulation.clearDeviceMetricsOverride")
    chromium.call("Storage.clearCookies")
    chromium.go(stack.url("/"))
    chromium.type("#token", stack.run["admin_token"])
    chromium.click("#sign-in button")
    chromium.until("document.body.dataset.page === 'overview'")
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
    browser.until("document.querySelector('#rows .state').textContent === 'DONE'")


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


@pytest.mark.parametrize("path", ["/", "/?kind=ALL", "/ui/accounts", "/ui/connectors", "order"])
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
