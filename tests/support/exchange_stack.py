"""A whole running Hookfill whose accounts are at simulated exchanges, and who trades there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from app.domain.enums import Dialect, Market, PositionMode, PositionSide
from tests.support.each_dialect import KEY as CALLER
from tests.support.each_dialect import SECRET as PASSWORD
from tests.support.each_dialect import signed_by
from tests.support.exchanges.books import INVERSE, LINEAR, Order, Position, Ticket, Why
from tests.support.exchanges.server import Dialect as Wire
from tests.support.exchanges.server import Gateway, served
from tests.support.exchanges.stops import waiting
from tests.support.processes import eventually
from tests.support.proxy import Proxy, running_proxy
from tests.support.stack import Json, Stack, running_stack
from tests.support.venue_world import KEY, QUICK, SECRET, account_at, wire_of

_numbers = count(1)

#: The leg that a one-way account has at an exchange.
_NET: Final = "BOTH"


@dataclass
class Running:
    """A stack, the exchanges that its accounts are at, and the proxy by which it reaches Bybit.

    Attributes:
        environment: the settings by which it finds them.
    """

    stack: Stack
    environment: Mapping[str, str]
    proxy: Proxy
    urls: dict[str, str]
    wires: dict[str, Wire]
    gateways: dict[str, Gateway]

    def received(self, venue: str) -> list[Order]:
        """Return every order that has come to the market of an exchange."""
        orders = self.wires[venue].exchange.accounts[KEY].orders
        return [one for one in orders if one.is_at_market]

    def guards(self, signal: str) -> list[Json]:
        """Return what guards the position here that a signal has opened, oldest first."""
        rows = self.stack.rows(kind="SMART_ORDER", parent=signal)
        return [self.row(row["id"]) for row in reversed(rows) if row["held_by"] == "here"]

    def send(self, venue: str, market: str, **fields: object) -> str:
        """Send a signal, and return the id under which it is followed."""
        return self.signal(f"{venue}-{market}", **fields)

    def signal(self, connector: str, **fields: object) -> str:
        """Send a signal of a connector, and return the id under which it is followed."""
        names = {"connectorName": connector, "connectorToken": "T"}
        answer = self.stack.send({**names, **fields, "number": time.time_ns()})
        assert answer.text == "ok", answer.text
        return answer.headers["X-Hookfill-Id"]

    def order(self, signal: str, *states: str, number: int = 0) -> Json:
        """Wait until an order of a signal is in one of these states, and return it."""

        def rows() -> list[Json]:
            return self.stack.rows(kind="ORDER", parent=signal)

        def found() -> Json | None:
            there = rows()
            row = there[-1 - number] if len(there) > number else None
            return row if row and row["state"] in states else None

        return eventually(found, 90, rows)

    def row(self, reference: str) -> Json:
        """Return what became of anything, with its children and its timeline."""
        return self._asked("GET", f"orders/{reference}")

    def put(self, path: str, record: Mapping[str, object]) -> None:
        """Make an account, a connector or a client, or change it."""
        self._asked("PUT", path, record)

    def _asked(self, method: str, path: str, body: object = None) -> Json:
        """Return an answer; where a busy machine has kept the store from one, ask again."""

        def found() -> Json | None:
            url = self.stack.url(f"/api/{path}")
            answer = self.stack.session.request(method, url, json=body, timeout=60)
            assert answer.ok or answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, answer.text
            content: Json = answer.json()
            return content if answer.ok else None

        return eventually(found)

    def state(self, reference: str) -> str:
        """Return where anything stands."""
        state: str = self.row(reference)["state"]
        return state

    def gauge(self, sample: str) -> Decimal:
        """Return a figure of `/metrics`; 0 if there is none."""
        text = self.stack.session.get(self.stack.url("/metrics"), timeout=10).text
        found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(sample)]
        return Decimal(found[0]) if found else Decimal(0)


@contextmanager
def stack_at_exchanges(data_dir: Path, venues: Sequence[str]) -> Iterator[Running]:
    """Run Hookfill beside a simulated exchange of each of these names; no account is there yet."""
    with ExitStack() as exchanges:
        wires = {venue: wire_of(venue, Market.SPOT) for venue in venues}
        served_at = {venue: exchanges.enter_context(served(wires[venue])) for venue in venues}
        urls = {venue: url for venue, (url, _) in served_at.items()}
        gateways = {venue: gateway for venue, (_, gateway) in served_at.items()}
        proxy = exchanges.enter_context(running_proxy())
        environment = {
            **QUICK,
            "HOOKFILL_VENUE_URLS": json.dumps(urls),
            "HOOKFILL_VENUE_PROXY": json.dumps({"bybit": proxy.url}),
        }
        with running_stack(data_dir, environment) as stack:
            yield Running(stack, environment, proxy, urls, wires, gateways)


class Customer:
    """Somebody with an account of their own at an exchange, who calls Hookfill in any dialect.

    Attributes:
        name: of the account and of its connector.
        coin: base of its symbol.
        exchange: its books; prices and depth are those of everybody there.
        holder: the account as the exchange has it.
    """

    def __init__(
        self,
        running: Running,
        venue: str,
        market: Market,
        symbol: str,
        *,
        mode: PositionMode = PositionMode.HEDGE,
        usdt: str = "10000",
        **connector: object,
    ) -> None:
        number = next(_numbers)
        self.running, self.venue, self.symbol = running, venue, symbol
        self.name, self.coin = f"{venue}-{number}", symbol.partition("/")[0]
        self.exchange = running.wires[venue].exchange
        self._refused = len(self.exchange.refused)
        key, self.market = f"{KEY}{number}", market
        purses = {
            Market.SPOT: {"USDT": usdt},
            Market.USDM: {"MARGIN": usdt},
            Market.COINM: {f"M_{self.coin}": "1"},
        }
        self.holder = self.exchange.open_account(key, SECRET, **purses[market])
        self.holder.hedged = mode is PositionMode.HEDGE
        account = account_at(venue, market)
        account |= {"position_mode": mode, "credentials": {"apiKey": key, "secret": SECRET}}
        connector |= {"token": "T", "account": self.name, "symbol": symbol}
        running.put(f"accounts/{self.name}", account)
        running.put(f"connectors/{self.name}", connector)

    def signal(self, **fields: object) -> str:
        """Send a signal of Crypto Arsenal, and return the id under which it is followed."""
        return self.running.signal(self.name, **fields)

    def client_of(self, dialect: Dialect, **settings: object) -> None:
        """Let the caller of a dialect trade for this account, with these settings."""
        word = "password" if dialect is Dialect.HUMMINGBOT else "secret"
        client = {word: PASSWORD, "accounts": [self.name], **settings}
        self.running.put(f"clients/{dialect}/{CALLER}", client)

    def call(
        self, dialect: Dialect, path: str, fields: Mapping[str, object], method: str = "POST"
    ) -> Json:
        """Call a dialect as its client does, and return the answer, which must be good."""
        answer = self.answer_to(dialect, path, fields, method)
        assert answer.ok, answer.text
        content: Json = answer.json()
        return content

    def answer_to(
        self, dialect: Dialect, path: str, fields: Mapping[str, object], method: str = "POST"
    ) -> requests.Response:
        """Call a dialect as its client does, and return the answer."""
        sent = signed_by(dialect, path, fields, method=method, host=self.host)
        url = self.running.stack.url(sent.path)
        return requests.request(sent.method, url, data=sent.body, headers=sent.headers, timeout=60)

    def order(self, side: str, quantity: float | str, **fields: object) -> str:
        """Send a market order of apisify as its client, and return its id.

        It is sent again while no worker has read what is traded there.
        """
        symbol = self.symbol.replace("/", "")
        about = {"exchange": self.venue, "symbol": symbol, "order_type": "Market", "price": 10000}
        wanted = {**about, "side": side, "qty": quantity, **fields}
        answers: list[Json] = []

        def accepted() -> bool:
            answers.append(self.answer_to(Dialect.APISIFY, "/v1/order", wanted).json())
            return answers[-1].get("code") != "not_ready"

        eventually(accepted, 60, lambda: answers[-1])
        assert answers[-1]["result"] == "success", answers[-1]
        order_id: str = answers[-1]["order_id"]
        return order_id

    @property
    def host(self) -> str:
        """Where the dialects are served, as callers name it."""
        return urlsplit(self.running.stack.run["base_url"]).netloc

    def by_hand(self, side: str, quantity: str) -> Order:
        """Trade the long leg at the exchange itself, of which nobody tells Hookfill."""
        kind = INVERSE if self.market is Market.COINM else LINEAR
        ticket = Ticket(
            client_id=f"by-hand-{next(_numbers)}",
            market=self.exchange.markets[self.symbol, kind],
            side=side,
            type="MARKET",
            quantity=Decimal(quantity),
            leg="LONG" if self.holder.hedged else _NET,
        )
        return self.exchange.place(self.holder, ticket)

    def leg(self, side: PositionSide = PositionSide.LONG) -> Decimal:
        """Return the quantity of a leg, shorts below 0; or the net position."""
        key = self.symbol, str(side) if self.holder.hedged else _NET
        return self.holder.positions.get(key, Position()).quantity

    def coins(self) -> Decimal:
        """Return how much of the coin a spot account has."""
        return self.holder.total.get(self.coin, Decimal(0))

    def refused(self) -> list[Why]:
        """Return why the exchange has refused orders since this account was opened."""
        return self.exchange.refused[self._refused :]

    def sold(self) -> list[Decimal]:
        """Return what each of the sales was for that have come to the exchange's market."""
        came = [one for one in self.holder.orders if one.is_at_market]
        return [one.ticket.quantity for one in came if one.ticket.side == "SELL"]

    def stops(self) -> list[Order]:
        """Return the stops that wait for their prices at the exchange."""
        return waiting(self.holder)

    def client_order_ids(self) -> list[str]:
        """Return those of all orders that the exchange has taken in."""
        return [one.ticket.client_id for one in self.holder.orders]

    def opened(self, quantity: str, guards: int = 1, **fields: object) -> str:
        """Open a long, wait until its guards wait for their prices, and return its signal."""
        signal = self.signal(action="openLong", fixed=quantity, **fields)

        def armed() -> bool:
            guarding = self.guards(signal)
            return len(guarding) == guards and all(map(_is_armed, guarding))

        eventually(armed, 60, lambda: self.running.row(signal))
        return signal

    def guards(self, signal: str) -> list[Json]:
        """Return what guards the position here that a signal has opened, oldest first."""
        return self.running.guards(signal)

    def guarded(self, signal: str, guards: int) -> None:
        """Wait until so much waits for its price here, and all that is to rest there does.

        A stop that comes there when the position is closed already is refused.
        """

        def waits() -> bool:
            here = self.guards(signal)
            rows = self.running.stack.rows(kind="SMART_ORDER", parent=signal)
            there = [row for row in rows if row["held_by"] == "venue"]
            all_here = len(here) == guards and all(map(_is_armed, here))
            return all_here and len(self.stops()) == len(there)

        eventually(waits, 60, lambda: self.running.row(signal))

    def ended(self, reference: str, state: str = "DONE") -> Json:
        """Wait until a request has ended so, and return it."""

        def found() -> Json | None:
            row = self.running.row(reference)
            return row if row["state"] == state else None

        return eventually(found, 60, lambda: self.running.row(reference))


def _is_armed(guard: Json) -> bool:
    return any(entry["event"] == "armed" for entry in guard["timeline"])
