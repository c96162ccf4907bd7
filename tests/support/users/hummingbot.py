"""Somebody who trades through the Hummingbot routes."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests

from tests.support.stack import Installation

Json = dict[str, Any]

#: Each test has an account name of its own: a reset does not take away what was traded before.
_NUMBERS = itertools.count(1)


class User:
    """A user with a password, and the account name that a test has for itself."""

    def __init__(self, stack: Installation, account_name: str) -> None:
        self.stack = stack
        self.account_name = account_name
        self.session = requests.Session()
        # The one that everybody knows opens paper accounts only.
        self.password = "admin" if stack.place is None else "a-password-of-these-tests"
        self.session.auth = ("admin", self.password)
        self.connector = "paper" if stack.place is None else stack.place.venue
        self.perpetual_connector = f"{self.connector}_perpetual"
        self.spot = {
            "account_name": account_name,
            "connector_name": self.connector,
            "trading_pair": "BTC-USDT",
            "trade_type": "BUY",
            "amount": 0.001,
            "order_type": "LIMIT",
            "price": 59000.5,
        }

    def send(self, path: str, body: object = None, **headers: str) -> requests.Response:
        """Send a POST request; text is sent as it is, anything else as JSON."""
        options: Json = {"data": body} if isinstance(body, str | bytes) else {"json": body}
        return self.session.post(self.stack.url(path), headers=headers, timeout=60, **options)

    def get(self, path: str) -> requests.Response:
        """Send a GET request."""
        return self.session.get(self.stack.url(path), timeout=60, allow_redirects=False)

    def order(self, **odd: object) -> requests.Response:
        """Send the order `O` of the spec with something else about it."""
        return self.send("/trading/orders", {**self.spot, **odd})

    def placed(self, **odd: object) -> str:
        """Send an order that must be accepted, wait for what becomes of it, return its id."""
        answer = self.order(**odd)
        assert answer.status_code == 201, answer.text
        self.stack.settle()
        order_id: str = answer.json()["order_id"]
        return order_id

    def perpetual(self, trade_type: str, action: str, amount: object, **odd: object) -> str:
        """Send a market order in ETH-USDT derivatives, and wait for what becomes of it."""
        return self.placed(**{**self.in_futures(trade_type, action, amount), **odd})

    def in_futures(self, trade_type: str, action: str, amount: object) -> Json:
        """Return a market order in ETH-USDT derivatives."""
        return {
            "connector_name": self.perpetual_connector,
            "trading_pair": "ETH-USDT",
            "trade_type": trade_type,
            "position_action": action,
            "amount": amount,
            "order_type": "MARKET",
            "price": None,
        }

    def page(self, path: str, **filters: object) -> Json:
        """Return a page of a list, of the account name of this test."""
        answer = self.send(f"/trading/{path}", {"account_names": [self.account_name], **filters})
        assert answer.status_code == 200, answer.text
        page: Json = answer.json(parse_float=Decimal, parse_int=Decimal)
        assert set(page) == {"data", "pagination"}
        return page

    def rows(self, path: str, **filters: object) -> list[Json]:
        """Return the rows of a page."""
        rows: list[Json] = self.page(path, **filters)["data"]
        return rows

    def found(self, order_id: str) -> Json:
        """Return the row of one order."""
        (row,) = [one for one in self.rows("orders/search") if one["order_id"] == order_id]
        return row

    def cancel(self, order_id: str, **names: str) -> requests.Response:
        """Ask for an order's end as the official client does: without a body."""
        account_name = names.get("account_name", self.account_name)
        connector_name = names.get("connector_name", self.connector)
        path = f"/trading/{account_name}/{connector_name}/orders/{order_id}/cancel"
        return self.send(path, b"", **{"Content-Type": "application/octet-stream"})

    def position_rows(self, **filters: object) -> list[tuple[str, Decimal]]:
        """Return side and amount of each position."""
        return [(one["side"], one["amount"]) for one in self.rows("positions", **filters)]


@contextmanager
def a_user(stack: Installation) -> Iterator[User]:
    """Return a user `admin`/`admin` of one account name with a spot and a futures account.

    BTC-USDT stands at 60000, ETH-USDT at 2000; business time is frozen.
    """
    stack.thaw()
    name = f"master_{next(_NUMBERS)}"
    balances = {"USDT": "2000000", "BTC": "1"}
    for account, market in ((f"{name}-spot", "SPOT"), (f"{name}-usdm", "USDM")):
        stack.call("PUT", f"/api/accounts/{account}", {"group": name, "market": market})
        setting = {"balances": balances, "position_mode": "HEDGE", "reset": True}
        stack.call("PUT", f"/paper/accounts/{account}", {"market": market, **setting})
    user = User(stack, name)
    accounts = [f"{name}-spot", f"{name}-usdm"]
    client = {"password": user.password, "accounts": accounts, "enabled": True}
    stack.call("PUT", "/api/clients/hummingbot/admin", client)
    stack.prices(BTC="60000", ETH="2000")
    stack.freeze(int(time.time() * 1000))
    yield user
    stack.thaw()
    for account in (f"{name}-spot", f"{name}-usdm"):
        stack.call("PUT", f"/paper/accounts/{account}", {"reset": True})


def detail(answer: requests.Response, status: int) -> Any:  # noqa: ANN401 - text or a list
    """Return what an error says."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"detail"}
    return answer.json()["detail"]
