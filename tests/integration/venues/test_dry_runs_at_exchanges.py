"""Dry runs of accounts at a simulated Binance: what would be sent, and nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.support.at_exchange import AtExchange, at_exchange
from tests.support.exchanges.books import LINEAR
from tests.support.exchanges.books import Market as Listed
from tests.support.places import Place
from tests.support.stack import Json
from tests.support.users.crypto_arsenal import FUT1, SPOT, SPOT1, reset

LISTED = [
    Listed(base, "USDT", kind, quantity_step=Decimal("0.00001"), min_quantity=Decimal("0.00001"))
    for base in ("BTC", "ETH")
    for kind in ("spot", LINEAR)
]
DRY = {"X-Dry-Run": "true"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtExchange]:
    with at_exchange(Place.BINANCE, tmp_path_factory.mktemp("dry"), {}, LISTED) as running:
        yield running


@pytest.fixture
def stack(installation: AtExchange) -> AtExchange:
    """An installation in the state that the vectors of Crypto Arsenal begin from."""
    installation.wire.calm()
    reset(installation)
    return installation


def foretold(stack: AtExchange, message: Json) -> Json:
    """Return what a dry run says."""
    answer = stack.send(message, **DRY)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def sent(stack: AtExchange, account: str) -> list[Json]:
    """Return the orders of an account, oldest first."""
    return stack.rows(kind="ORDER", account=account)[::-1]


@pytest.mark.parametrize(
    "message",
    [
        {**SPOT1, "action": "buy", "percent": "100"},
        {**SPOT1, "action": "buy", "fixed": "0.01", "limit": "40000"},
        {**SPOT1, "action": "sell", "percent": "90"},
        {**FUT1, "action": "openLong", "fixed": "0.5", "profit": "2200", "loss": "1900"},
    ],
    ids=["percent", "limit", "sale", "open"],
)
def test_what_would_be_sent_is_what_is_sent_then(stack: AtExchange, message: Json) -> None:
    told = foretold(stack, message)
    assert stack.rows() == []

    assert stack.send(message).text == "ok"
    stack.settle()

    assert (told["outcome"], told["reason"]) == ("would_send", None)
    (planned,) = told["orders"]
    first = sent(stack, planned["account"])[0]
    alike = ("side", "type", "quantity", "price", "position_side", "reduce_only")
    assert {key: planned[key] for key in alike} == {key: first[key] for key in alike}
    assert (planned["venue"], planned["state"]) == ("binance", "PENDING_NEW")


def test_why_nothing_would_be_sent(stack: AtExchange) -> None:
    stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "HALT"})
    halted = foretold(stack, {**SPOT1, "action": "buy", "percent": "100"})
    limits = {"limits": {"max_order_value": "100"}}
    stack.call("PUT", f"/api/accounts/{SPOT}", {"state": "RUN", **limits})
    limited = foretold(stack, {**SPOT1, "action": "buy", "percent": "100"})
    exit_goes = foretold(stack, {**SPOT1, "action": "sell", "percent": "90"})
    stack.call("PUT", f"/api/accounts/{SPOT}", {"limits": {}})
    flat = foretold(stack, {**FUT1, "action": "closeLong", "percent": "100"})

    assert (halted["outcome"], halted["reason"]["code"]) == ("would_deny", "account_halted")
    assert (limited["outcome"], limited["reason"]["code"]) == ("would_deny", "max_order_value")
    assert exit_goes["outcome"] == "would_send"
    assert (flat["outcome"], flat["reason"]["code"]) == ("would_skip", "no_position")
    assert stack.rows() == []
