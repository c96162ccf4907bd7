"""The web app over a real server, with one demo account and connector, and a worker on call."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask

from app.bootstrap import Wiring, web_wiring
from app.factory import create_app
from app.settings import Settings
from tests.support.caller import Caller, Worker

ADMIN_TOKEN = "an-admin-token-for-tests"  # noqa: S105 - of no installation


@pytest.fixture
def settings(redis_server: str, tmp_path: Path) -> Settings:
    """The test profile over an empty server."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return Settings.from_environment(
        {
            "REDIS_URL": redis_server,
            "HOOKFILL_DATA_DIR": str(tmp_path),
            "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN,
            "HOOKFILL_FAST": "1",
        }
    )


@pytest.fixture
def wiring(settings: Settings) -> Iterator[Wiring]:
    """A web process, whose connections end with it."""
    wiring = web_wiring(settings)
    yield wiring
    wiring.memory._client.connection_pool.disconnect()  # noqa: SLF001 - the one of the process


@pytest.fixture
def app(wiring: Wiring) -> Flask:
    """Its app."""
    return create_app(wiring)


@pytest.fixture
def api(app: Flask) -> Caller:
    """A caller with the admin token, before anything was set up."""
    return Caller(app.test_client(), ADMIN_TOKEN)


@pytest.fixture
def worker(settings: Settings) -> Worker:
    """A worker that works when it is told to."""
    return Worker(settings)


@pytest.fixture
def demo(api: Caller, wiring: Wiring) -> Caller:
    """A caller of an installation with a spot account, a connector and a price."""
    wiring.paper.seed_instruments()
    api.call("PUT", "/paper/accounts/demo", {"balances": {"USDT": "10000", "BTC": "1"}})
    connector = {"account": "demo", "symbol": "BTC/USDT", "token": "demo-token"}
    api.call("PUT", "/api/connectors/demo", connector)
    api.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "50000"}}})
    return api
