"""Webhooks from several senders at once, and a log of what each of them was told."""

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import requests

from tests.support.stack import Stack

ACCOUNTS = ("chaos-1", "chaos-2", "chaos-3")
TOKEN = "chaos-token"  # noqa: S105 - of play money
PRICE, RESTING_PRICE = "50000", "40000"
USDT, BTC = "1000000000", "1000000"

#: How many send at once.
SENDERS = 4
#: Copies of a message that are sent at once, and its resends while nobody has said `ok`.
COPIES_MAX, RESENDS_MAX = 3, 2
#: A sender that waits longer for its answer does not know what became of its message.
ANSWER_SECONDS = 3.0
PAUSE_SECONDS = (0.1, 0.6)
DELAY_MS_MAX = 3_000

OK = 200
#: The message has arrived for certain, and is carried out; or was refused, and is not.
REFUSED = frozenset({400, 401, 403, 404, 422})


class Sort(StrEnum):
    """What sort of message it is."""

    MARKET = "market"
    RESTING = "resting"
    CANCEL = "cancel"
    BAD = "bad"


@dataclass
class Message:
    """One message, however often it was sent.

    Attributes:
        name: its `clientOrderId`, which no other message has, save the cancels that name it.
        sent_at_ms: just before it was sent for the first time.
        acknowledged_at_ms: just after it was said to be accepted for the first time.
        answers: status codes; None is no answer.
        ids: what its acknowledgments said that it is.
    """

    name: str
    account: str
    sort: Sort
    body: dict[str, Any]
    sent_at_ms: int = 0
    acknowledged_at_ms: int | None = None
    answers: list[int | None] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    @property
    def is_acknowledged(self) -> bool:
        """Whether a sender was told `ok`."""
        return OK in self.answers

    @property
    def is_refused(self) -> bool:
        """Whether every sender was told that nothing is queued."""
        return bool(self.answers) and REFUSED.issuperset(self.answers)

    @property
    def delay_ms(self) -> int:
        """How long it is to wait."""
        return int(self.body.get("delaySeconds", 0) * 1000)


def prepare(stack: Stack) -> None:
    """Make accounts with more money than will be needed, so that every size is certain."""
    stack.prices(BTC=PRICE)
    for account in ACCOUNTS:
        stack.open_account(account, {"USDT": USDT, "BTC": BTC})
        connector = {"token": TOKEN, "account": account, "symbol": "BTC/USDT", "enabled": True}
        window = {"dedup_window_seconds": 86_400, "rate_limit_per_minute": 0}
        stack.call("PUT", f"/api/connectors/{account}", {**connector, **window})


class Load:
    """Senders, each with a random sequence of its own.

    Args:
        url: of the webhook.
        seed: the same one gives the same messages.
    """

    def __init__(self, url: str, seed: int) -> None:
        self.log: list[Message] = []
        self._url = url
        self._seed = seed
        self._lock = threading.Lock()
        self._has_ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send as long as the block lasts."""
        threads = [
            threading.Thread(target=self._run, args=(number,), name=f"sender-{number}")
            for number in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._has_ended.set()
            for thread in threads:
                thread.join()

    def send(self, message: Message, copies: int = 1, resends: int = RESENDS_MAX) -> Message:
        """Send a message, so many times at once, and again while its outcome is in doubt."""
        with self._lock:
            self.log.append(message)
        message.sent_at_ms = _now_ms()
        with ThreadPoolExecutor(copies) as pool:
            list(pool.map(self._post, [message] * copies))
        while not (message.is_acknowledged or message.is_refused) and resends:
            time.sleep(0.2)
            self._post(message)
            resends -= 1
        return message

    def _run(self, number: int) -> None:
        dice = random.Random(f"{self._seed} {number}")  # noqa: S311
        known: list[Message] = []
        for count in range(1_000_000):
            if self._has_ended.is_set():
                return
            message = a_message(dice, f"{self._seed}-{number}-{count}", known)
            self.send(message, dice.choice((1, 1, 1, COPIES_MAX)), dice.randint(0, RESENDS_MAX))
            if message.is_acknowledged and message.sort is Sort.RESTING:
                known.append(message)
            time.sleep(dice.uniform(*PAUSE_SECONDS))

    def _post(self, message: Message) -> None:
        status, found = None, None
        try:
            answer = requests.post(
                self._url,
                data=json.dumps(message.body),
                headers={"Content-Type": "application/json"},
                timeout=ANSWER_SECONDS,
            )
            status, found = answer.status_code, answer.headers.get("X-Hookfill-Id")
        except requests.RequestException:
            pass  # the answer is lost, and perhaps the message
        with self._lock:
            message.answers.append(status)
            if status == OK:
                message.acknowledged_at_ms = message.acknowledged_at_ms or _now_ms()
                message.ids.update([found or "no id"])


def a_message(dice: random.Random, name: str, resting: Sequence[Message] = ()) -> Message:
    """Return the next message of a sender, who may cancel what it has resting."""
    account = dice.choice(ACCOUNTS)
    fixed = f"0.00{dice.randint(1, 9)}"
    action = dice.choice(("buy", "sell"))
    trade: dict[str, Any] = {"action": action, "fixed": fixed, "clientOrderId": name}
    if dice.random() < 0.35:
        trade["delaySeconds"] = dice.randint(1, DELAY_MS_MAX // 100) / 10
    match dice.choices(tuple(Sort), (70, 12, 8, 10))[0]:
        case Sort.RESTING:
            trade |= {"action": "buy", "limit": RESTING_PRICE}
            return _of(name, account, Sort.RESTING, trade)
        case Sort.CANCEL if resting:
            target = dice.choice(resting)
            body = {"action": "cancel", "clientOrderId": target.name, "log": name}
            return _of(name, target.account, Sort.CANCEL, body)
        case Sort.BAD:
            wrong: tuple[dict[str, object], ...] = (
                {"fixed": "1_000"},
                {"action": "hold"},
                {"connectorToken": "guessed"},
                {"delaySeconds": -1},
                {"limit": "NaN"},
            )
            return _of(name, account, Sort.BAD, {**trade, **dice.choice(wrong)})
        case _:
            return _of(name, account, Sort.MARKET, trade)


def a_trade(name: str, account: str, **more: object) -> Message:
    """Return a small buy at the market price."""
    trade = {"action": "buy", "fixed": "0.001", "clientOrderId": name, **more}
    return _of(name, account, Sort.MARKET, trade)


def _of(name: str, account: str, sort: Sort, body: dict[str, Any]) -> Message:
    credentials = {"connectorName": account, "connectorToken": TOKEN}
    return Message(name, account, sort, {**credentials, **body})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
