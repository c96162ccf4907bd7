"""A wire format over real sockets, with the planned fault in each answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.exchanges.books import SPOT, Account, Market, Order, Refused, Trade, Why
from tests.support.exchanges.faults import SILENCE_SECONDS, Call, Fault, Plan
from tests.support.exchanges.silence import Address, Silence
from tests.support.exchanges.stops import is_open
from tests.support.exchanges.trading import Exchange
from tests.support.servers import serving


@dataclass(frozen=True)
class Request:
    """One request as it came.

    Attributes:
        address: of the connection that it came over.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    address: Address = ("", 0)

    @property
    def fields(self) -> dict[str, str]:
        """The pairs of the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The pairs of the body."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    content: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect(ABC):
    """One exchange's REST interface, and what all have in common: orders may be hidden, or old."""

    #: Between the currencies of a market's name.
    separator = ""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange, self.plan = exchange, Plan()

    def calm(self) -> None:
        """Let nothing go wrong that was planned, and let there be depth."""
        self.plan.clear()
        self.exchange.depth.clear()
        self.exchange.says_no.clear()
        self.exchange.fill_share = Decimal(1)

    @abstractmethod
    def call_of(self, request: Request) -> Call:
        """Return what kind of request it is."""

    @abstractmethod
    def answer(self, request: Request, fault: Fault) -> Answer:
        """Carry the request out.

        Raises:
            Refused: the exchange says no.
        """

    @abstractmethod
    def refusal(self, refused: Refused, request: Request) -> Answer:
        """Return how this exchange says no."""

    @abstractmethod
    def limit(self, retry_after_seconds: int) -> Answer:
        """Return how this exchange says that there were too many requests."""

    @abstractmethod
    def ban(self, retry_after_seconds: int) -> Answer:
        """Return how this exchange says that it has shut an address out."""

    def market(self, name: str, kind: str = SPOT) -> Market:
        """Return a market by the name that it has on the wire."""
        for one in self.exchange.of_kind(kind):
            if self.name(one) == name:
                return one
        raise Refused(Why.SYMBOL)

    def name(self, market: Market) -> str:
        """Return the name of a market on the wire."""
        return f"{market.base}{self.separator}{market.quote}"

    def looked_up(
        self, account: Account, client_id: str, venue_id: str, fault: Fault = Fault.OK
    ) -> Order:
        order = self.exchange.find(account, client_id, venue_id)
        if fault is Fault.NOT_FOUND or self.is_hidden(order):
            raise Refused(Why.NO_ORDER)
        if fault is not Fault.STALE:
            return order
        trades = order.trades[:-1]  # as it was before its newest change
        return replace(order, trades=trades, status="PARTIALLY_FILLED" if trades else "NEW")

    def listed(self, account: Account, kind: str, *, only_open: bool = True) -> list[Order]:
        return [
            one
            for one in account.orders
            if one.ticket.market.kind == kind
            and not self.is_hidden(one)
            and (is_open(one) or not only_open)
        ]

    def placed(
        self, account: Account, kind: str, since_ms: int, until_ms: int, most: int
    ) -> list[Order]:
        """Return the oldest orders, open or closed, that were made between two moments."""
        found = self.listed(account, kind, only_open=False)
        return [one for one in found if since_ms <= one.created_ms <= until_ms][:most]

    def listed_trades(self, order: Order) -> list[Trade]:
        """Return the trades of an order that are told by now."""
        until_ms = self.exchange.now_ms() - self.plan.trades_lag_ms
        return [one for one in order.trades if one.at_ms <= until_ms]

    def is_hidden(self, order: Order) -> bool:
        return self.exchange.now_ms() - order.created_ms < self.plan.look_up_lag_ms


#: Requests that come within this time after a word for silence were on their way.
ON_THE_WAY_MS = 250

#: So many that come later, or with keys that were refused within half a minute, and it has enough.
KNOCKS_MAX = 6
_KNOCKS_WITHIN_MS = 29_000

#: Whoever has been shut out is so for longer than any test lasts.
_SHUT_OUT_SECONDS = 600


class Patience:
    """An exchange's with one address.

    Args:
        now_ms: the exchange's time.

    Attributes:
        knocks: the times of requests that came while it wanted silence, or with a key that
            it has refused.
        has_ended: it has shut the address out.
        on_the_way_ms: within this after its word for silence it minds no request.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.knocks: list[int] = []
        self.has_ended = False
        self.on_the_way_ms = ON_THE_WAY_MS
        self._said_ms = self._until_ms = 0

    def has_said(self, seconds: int) -> None:
        """Note that it was told to be silent for so long."""
        self._said_ms = self._now_ms()
        self._until_ms = max(self._until_ms, self._said_ms + seconds * 1000)

    def left_seconds(self) -> int:
        """Note a request, and return how long it should not have come; 0 if it may."""
        now_ms = self._now_ms()
        if self.has_ended:
            return _SHUT_OUT_SECONDS
        if now_ms >= self._until_ms:
            return 0
        if now_ms > self._said_ms + self.on_the_way_ms:
            self._knocked(now_ms)
        return -(-(self._until_ms - now_ms) // 1000)

    def refused_key(self) -> None:
        """Note a request with a key that is refused."""
        self._knocked(self._now_ms())

    def _knocked(self, now_ms: int) -> None:
        self.knocks = [one for one in self.knocks if now_ms - one < _KNOCKS_WITHIN_MS]
        self.knocks.append(now_ms)
        self.has_ended = len(self.knocks) >= KNOCKS_MAX


class Gateway:
    """Answers the requests of one dialect.

    Args:
        dialect: whose.
        silence: tells a client of this process that no answer comes; else it waits for one.

    Attributes:
        log: every request that came, as kind and path.
        patience: with those who ask when they should not.
    """

    def __init__(self, dialect: Dialect, silence: Silence | None = None) -> None:
        self.dialect = dialect
        self._silence = silence
        self.log: list[tuple[Call, str]] = []
        self.patience = Patience(dialect.exchange.now_ms)
        self._lock = threading.RLock()

    def counted(self, call: Call) -> int:
        """Return how many requests of a kind came."""
        return sum(1 for one, _ in self.log if one is call)

    def answer(self, request: Request) -> Answer | bytes | None:
        """Return an answer, raw bytes of a broken one, or None for a cut connection."""
        self.dialect.plan.on_the_way()
        answer = self._answered(request)
        self.dialect.plan.on_the_way()
        return answer

    def _answered(self, request: Request) -> Answer | bytes | None:
        call = self.dialect.call_of(request)
        with self._lock:
            self.log.append((call, f"{request.method} {request.path}"))
            left_seconds = self.patience.left_seconds()
            fault = self.dialect.plan.next(call) if not left_seconds else Fault.OK
        if left_seconds:
            said = self.dialect.ban if self.patience.has_ended else self.dialect.limit
            return said(left_seconds)
        plan = self.dialect.plan
        time.sleep(plan.latency_seconds)
        if fault in {Fault.BAN, Fault.LIMIT}:
            with self._lock:
                self.patience.has_said(plan.retry_after_seconds)
            said = self.dialect.ban if fault is Fault.BAN else self.dialect.limit
            return said(plan.retry_after_seconds)
        answer = self._carried_out(request, fault) if fault.arrives else None
        if fault is Fault.ACCEPT_LATER:
            threading.Timer(plan.later_seconds, self._carried_out, (request, Fault.OK)).start()
        if fault in {Fault.TIMEOUT, Fault.ACCEPT_THEN_TIMEOUT, Fault.ACCEPT_LATER}:
            self._keep_silent(request, fault)
            return None
        return self._spoiled(answer, fault)

    def _keep_silent(self, request: Request, fault: Fault) -> None:
        """Let time pass, if what comes later or the client needs it; the connection ends then."""
        if self._silence is None or fault is Fault.ACCEPT_LATER:
            time.sleep(SILENCE_SECONDS)
        if self._silence is not None:
            self._silence.keep(request.address)

    def _spoiled(self, answer: Answer | None, fault: Fault) -> Answer | bytes | None:
        match fault:
            case Fault.CUT | Fault.ACCEPT_THEN_CUT:
                return None
            case Fault.ERROR | Fault.ACCEPT_THEN_ERROR:
                return Answer({"code": 500, "msg": "Internal error"}, 502)
            case Fault.GARBAGE | Fault.ACCEPT_THEN_GARBAGE:
                return b"<html><body>Welcome to nginx!</body></html>"
            case Fault.ACCEPT_THEN_EMPTY:
                return Answer({})
            case _:
                return answer

    def _carried_out(self, request: Request, fault: Fault) -> Answer:
        with self._lock:
            try:
                return self.dialect.answer(request, fault)
            except Refused as refused:
                if refused.why in {Why.KEY, Why.SIGNATURE}:
                    self.patience.refused_key()
                return self.dialect.refusal(refused, request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for head and body: else each answer waits 40 ms for the other side to acknowledge.
    wbufsize = -1
    disable_nagle_algorithm = True
    gateway: Gateway

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command, parts.path, parts.query, body, headers, self.client_address[:2]
        )
        answer = self.gateway.answer(request)
        if answer is None:
            self.close_connection = True
            return
        if isinstance(answer, bytes):
            self._send(200, answer, {"Content-Type": "text/html"})
            return
        content = json.dumps(answer.content).encode()
        headers = {"Content-Type": "application/json", **answer.headers}
        self._send(answer.status, content, headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names are the library's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    #: A load test opens many connections at once.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer on a connection, in a thread of its own."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        """End a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End, with all connections that clients keep for later."""
        super().server_close()
        for request in list(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that went away is what some tests want."""


@contextmanager
def served(dialect: Dialect, silence: Silence | None = None) -> Iterator[tuple[str, Gateway]]:
    """Serve a dialect on a free loopback port; yield its URL and what answers there.

    Args:
        dialect: of the exchange.
        silence: as `Gateway` has it.
    """
    gateway = Gateway(dialect, silence)
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    server = _Server(("127.0.0.1", 0), handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", gateway
