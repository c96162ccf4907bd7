"""A real browser, driven through its debugging pipe."""

import fcntl
import json
import os
import select
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import Stack

NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next((path for name in NAMES if (path := shutil.which(name))), None)

NEEDS_CHROMIUM = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium is installed; on Debian: apt-get install chromium"
)

#: Figures of a small screen.
PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}

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

    def sign_in(self, stack: Stack) -> None:
        """Forget whoever was signed in, and sign in to a stack; the overview stands then."""
        self.complaints.clear()
        self.call("Emulation.clearDeviceMetricsOverride")
        self.go("about:blank")  # a page that stands goes to the sign-in when its session ends
        self.call("Storage.clearCookies")
        self.go(stack.url("/"))
        self.type("#token", stack.run["admin_token"])
        self.click("#sign-in button")
        self.until("document.body.dataset.page === 'overview'")

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
