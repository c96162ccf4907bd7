"""Nothing but keys reaches ccxt, whatever the record of an account holds."""

from dataclasses import replace
from typing import Any

import ccxt
import pytest

from app.domain.identifiers import AccountId, VenueName
from app.exchanges.credentials import credential_names
from app.exchanges.line import Line
from app.exchanges.profiles import PROFILES
from app.exchanges.templates import copied
from app.exchanges.transport import Connections
from tests.support.builders import a_live_account
from tests.support.clocks import FrozenClock
from tests.support.servers import fresh_client
from tests.support.venue_world import venue_ports

#: Words of ccxt by which it sends requests elsewhere, prints them, or leaves out what protects.
SWITCHES = {
    "https_proxy": "http://127.0.0.1:9",
    "httpsProxy": "http://127.0.0.1:9",
    "proxyUrl": "http://127.0.0.1:9",
    "hostname": "example.com",
    "urls": "http://example.com",
    "verbose": "1",
    "verify": "",
    "options": "{}",
    "headers": "{}",
    "enableRateLimit": "",
}

VENUES = [*PROFILES, "okx", "kraken", "hyperliquid", "coinbase"]


def _switches(api: Any) -> dict[str, object]:  # noqa: ANN401 - ccxt ships no types
    return {name: getattr(api, name, None) for name in SWITCHES}


@pytest.mark.parametrize("venue", VENUES)
def test_of_an_old_record_only_the_keys_reach_ccxt(venue: str) -> None:
    account = a_live_account("old", id=AccountId(1), venue=VenueName(venue))
    exchange_id = PROFILES[venue].exchange_id if venue in PROFILES else venue
    keys = {name: f"the {name}" for name in credential_names(exchange_id)}
    ports = venue_ports(fresh_client(), FrozenClock(), {})
    ports = replace(ports, secrets=lambda _: {**SWITCHES, **keys})

    api = Line(account, ports, Connections(), lambda: 0).api

    assert keys
    assert {name: getattr(api, name) for name in keys} == keys
    expected = {**_switches(copied(account)), "headers": _switches(api)["headers"]}
    assert _switches(api) == expected
    assert api.headers != SWITCHES["headers"]


def test_no_exchange_asks_for_anything_but_what_ccxt_calls_a_credential() -> None:
    known = set(ccxt.Exchange().requiredCredentials)

    for exchange_id in ccxt.exchanges:
        assert set(credential_names(exchange_id)) <= known, exchange_id
    assert known.isdisjoint(SWITCHES)
