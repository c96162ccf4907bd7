"""Whoever has signed nothing has exchanges asked within bounds."""

from dataclasses import replace

import pytest

from app.bootstrap import Wiring
from app.domain.identifiers import AccountId
from app.factory import create_app
from tests.support.builders import a_live_account

RATES = "/public/api/ver1/accounts/currency_rates?pretty_display_type=Binance&pair=USDT_BTC"


@pytest.mark.parametrize("path", [RATES, RATES.removeprefix("/public/api")])
def test_strangers_have_prices_asked_for_within_bounds(wiring: Wiring, path: str) -> None:
    account = replace(a_live_account(), id=AccountId(0))
    wiring.registry.put_account(account)
    policy = replace(wiring.ports.policy, learn_wait_ms=1)
    limited = replace(
        wiring,
        ports=replace(wiring.ports, policy=policy),
        settings=replace(wiring.settings, rate_limits=True),
    )
    caller = create_app(limited).test_client()

    answers = [caller.get(path).status_code for _ in range(70)]

    assert answers == [503] * 60 + [429] * 10
    assert caller.get(f"{path}&n=1").headers["Retry-After"]
