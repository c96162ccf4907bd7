"""While nobody knows what an exchange trades, no dialect says that there is no such symbol."""

from dataclasses import replace

import pytest

from app.bootstrap import Wiring
from app.domain.account import PAPER
from app.domain.enums import Dialect, Mode
from app.domain.identifiers import VenueName
from tests.support.caller import Caller
from tests.support.each_dialect import open_for_all, order, request_of, signed_by

pytestmark = pytest.mark.integration

EXCHANGE = VenueName("bybit_testnet")


@pytest.fixture
def wiring(wiring: Wiring) -> Wiring:
    """A web process that hardly waits for a worker to learn something: there is none."""
    policy = replace(wiring.ports.policy, learn_wait_ms=150)
    return replace(wiring, ports=replace(wiring.ports, policy=policy))


@pytest.fixture
def unread(demo: Caller, wiring: Wiring) -> Caller:
    """Callers of all dialects, whose accounts are at an exchange that nobody has looked at."""
    open_for_all(demo)
    move_all(wiring)
    return demo


def move_all(wiring: Wiring) -> None:
    """Let all accounts be at that exchange from now on."""
    wiring.registry.refresh()
    for account in wiring.registry.accounts():
        assert account.venue == PAPER
        wiring.registry.put_account(replace(account, venue=EXCHANGE, mode=Mode.TESTNET))


#: A connector's symbol is known from the start, so its alerts are taken in.
@pytest.mark.parametrize("dialect", [one for one in Dialect if one != Dialect.CRYPTO_ARSENAL])
def test_an_order_is_answered_that_it_is_too_early(
    unread: Caller, wiring: Wiring, dialect: Dialect
) -> None:
    sent = request_of(dialect, 7)
    if dialect is Dialect.APISIFY:
        fields = order(qty=0.001, order_type="Limit", price=10_000, exchange=EXCHANGE)
        sent = signed_by(dialect, "/v1/order", fields)
    if dialect is Dialect.HUMMINGBOT:
        sent = replace(sent, body=sent.body.replace(b'"paper"', f'"{EXCHANGE}"'.encode()))

    answer = sent.to(unread.client)

    assert answer.status_code == 503, answer.text
    accounts = wiring.registry.accounts()
    assert not any(len(wiring.ports.live.of_account(one.id)) for one in accounts)


#: Hummingbot's connector is the exchange itself, so that it is another one then.
@pytest.mark.parametrize("dialect", [one for one in Dialect if one != Dialect.HUMMINGBOT])
def test_a_repeat_is_told_what_it_was_told_first(
    demo: Caller, wiring: Wiring, dialect: Dialect
) -> None:
    open_for_all(demo)
    sent = request_of(dialect, 7)
    if dialect is Dialect.APISIFY:
        fields = order(qty=0.001, order_type="Limit", price=10_000, exchange=EXCHANGE)
        sent = signed_by(dialect, "/v1/order", fields)
    first = sent.to(demo.client, HTTP_IDEMPOTENCY_KEY="once")
    move_all(wiring)

    again = sent.to(demo.client, HTTP_IDEMPOTENCY_KEY="once")

    assert first.status_code < 300, first.text
    assert again.status_code == first.status_code, again.text
    accounts = wiring.registry.accounts()
    assert sum(len(wiring.ports.live.of_account(one.id)) for one in accounts) == 1


def test_a_pair_of_3commas_is_not_called_unlisted(unread: Caller) -> None:
    path = "/public/api/ver1/accounts/currency_rates"
    query = "pair=USDT_BTC&pretty_display_type=BybitTestnet"

    answer = unread.client.get(f"{path}?{query}")

    assert answer.status_code == 503, answer.text
