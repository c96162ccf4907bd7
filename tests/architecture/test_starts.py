"""What a process imports at its start, and what it leaves until somebody needs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: An account at an exchange, and whether what speaks to exchanges is there.
_ACCOUNT = """
import os, sys
from app.domain.account import Account
from app.domain.enums import Market, Mode
from app.domain.identifiers import AccountId, AccountName, VenueName

def account_at(venue):
    name, number = AccountName(venue), AccountId(1)
    return Account(
        id=number, name=name, group="", venue=VenueName(venue), market=Market.SPOT, mode=Mode.LIVE
    )

def is_loaded():
    return "ccxt" in sys.modules
"""

_WEB = """
from app.bootstrap import web_wiring
from app.factory import create_app
from app.settings import Settings

ports = web_wiring(Settings.from_environment(os.environ)).ports
"""

_WORKER = """
from workers.celery_app import celery_app
from workers.process import this_process

celery_app.loader.import_default_modules()
ports = this_process().ports
"""


def run(script: str, folder: Path) -> list[str]:
    """Run a script in a process of its own, over a store that is not there; return its words."""
    environment = {
        **os.environ,
        "HOOKFILL_DATA_DIR": str(folder),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()


@pytest.mark.parametrize("process", [_WEB, _WORKER], ids=["web", "worker"])
def test_ccxt_is_imported_when_an_account_at_an_exchange_is_first_used(
    process: str, tmp_path: Path
) -> None:
    use = """
print(is_loaded())
ports.venues.of(account_at("paper"))
ports.venues.trading_rules(account_at("paper"))
ports.venues.feed(account_at("paper").feed)
print(is_loaded())
ports.venues.of(account_at("binance"))
print(is_loaded())
"""

    assert run(_ACCOUNT + process + use, tmp_path) == ["False", "False", "True"]


def test_ccxt_is_imported_when_an_account_at_an_exchange_is_first_checked(tmp_path: Path) -> None:
    check = """
from app.venues import VENUES, credentials_of, lacks_of, traits_of

for one in VENUES:
    traits_of(one)
credentials_of("paper"), lacks_of(account_at("paper"))
print(is_loaded())
print(*credentials_of("binance"))
print(is_loaded())
"""

    assert run(_ACCOUNT + check, tmp_path) == ["False", "apiKey", "secret", "True"]


@pytest.mark.parametrize(
    ("url", "is_loaded"),
    [("sqlite:///history.db", "False"), ("postgresql+psycopg://me@127.0.0.1:1/x", "True")],
)
def test_the_driver_of_a_database_is_imported_where_the_history_is_one(
    url: str, is_loaded: str, tmp_path: Path
) -> None:
    told = f"""
from app.history.database import Database

Database("{url}")
print("psycopg" in sys.modules)
"""

    assert run(_ACCOUNT + _WEB + told, tmp_path) == [is_loaded]


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["--help"], "app.settings app.domain requests"),
        (["status", "--help"], "app.bootstrap app.supervisor celery redis"),
        (["up", "--help"], "app.bootstrap ccxt flask sqlalchemy"),
        (["backup", "--help"], "ccxt"),
    ],
    ids=str,
)
def test_the_command_line_imports_what_a_command_needs(
    arguments: list[str], unneeded: str, tmp_path: Path
) -> None:
    script = f"""
import sys
from app.cli import main

main({arguments}, standalone_mode=False)
print(*sys.modules)
"""

    said = run(script, tmp_path)

    assert "Usage:" in said
    assert not {*unneeded.split()} & {*said}


@pytest.mark.parametrize(("venue", "is_loaded"), [("paper", "False"), ("binance", "True")])
def test_a_process_that_starts_with_an_account_at_an_exchange_imports_ccxt_at_once(
    venue: str, is_loaded: str, tmp_path: Path
) -> None:
    start = f"""
from dataclasses import replace
from types import SimpleNamespace
from app.bootstrap import load_exchanges

accounts = SimpleNamespace(accounts=lambda: [account_at("{venue}")])
load_exchanges(replace(ports, accounts=accounts))
print(is_loaded())
"""

    assert run(_ACCOUNT + _WEB + start, tmp_path) == [is_loaded]


def test_a_process_starts_without_its_store(tmp_path: Path) -> None:
    start = "from app.bootstrap import load_exchanges; load_exchanges(ports); print(is_loaded())"

    assert run(_ACCOUNT + _WEB + start, tmp_path)[-1] == "False"


def test_a_process_starts_with_an_account_that_it_cannot_read(tmp_path: Path) -> None:
    start = """
import fakeredis
from dataclasses import replace
from app.bootstrap import load_exchanges
from app.store.core import keys
from app.store.core.registry import RedisRegistry

client = fakeredis.FakeRedis(decode_responses=True)
client.hset(keys.ACCOUNTS, "new", '{"id":1,"name":"new","group":"","market":"OPTIONS"}')
load_exchanges(replace(ports, accounts=RedisRegistry(client)))
print("started")
"""

    assert run(_ACCOUNT + _WEB + start, tmp_path)[-1] == "started"


@pytest.mark.parametrize("locks", ["threads", "greenlets"])
def test_many_may_be_the_first_to_use_an_exchange_and_all_get_the_same(
    locks: str, tmp_path: Path
) -> None:
    patched = "from gevent import monkey; monkey.patch_all()\n" if locks == "greenlets" else ""
    use = """
import threading

begin, found = threading.Barrier(8), []

def use():
    begin.wait(10)
    found.append(ports.venues.feed(VenueName("binance")))

threads = [threading.Thread(target=use) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(len(found), len(set(map(id, found))), is_loaded())
"""

    assert run(patched + _ACCOUNT + _WORKER + use, tmp_path) == ["8", "1", "True"]
