"""The demo of an installation that people have used before."""

from dataclasses import replace
from pathlib import Path

import pytest
import redis

from app.bootstrap import web_wiring
from app.demo import GROUP, seed
from app.domain.enums import Market
from app.domain.identifiers import AccountName
from app.services.admin.accounts import new_account
from app.settings import Settings
from app.web.surface import DemoAccount

pytestmark = pytest.mark.integration


def test_an_account_in_the_place_of_a_demo_account_stops_no_start(
    redis_server: str, tmp_path: Path
) -> None:
    """The last one came later than the others; its place may have been given to another."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
    settings = Settings.from_environment(
        {"REDIS_URL": redis_server, "HOOKFILL_DATA_DIR": str(tmp_path)}
    )
    before = web_wiring(settings).registry
    for name in (DemoAccount.SPOT, DemoAccount.USDM, DemoAccount.NET):
        before.put_account(new_account(AccountName(name)))
    mine = replace(new_account(AccountName("mine")), group=GROUP, market=Market.COINM)
    mine = before.put_account(mine)

    demo, again = seed(settings), seed(settings)

    after = web_wiring(settings).registry
    assert demo == again
    assert after.account_named(AccountName("mine")) == mine
    assert after.account_named(AccountName(DemoAccount.COINM)).market is Market.COINM
