"""Scripts are files, and the client's errors become ours."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, connect
from app.store.core.scripts import load_script, text_of
from tests.support.servers import fresh_client


def failing(error: Exception) -> StoreClient:
    return StoreClient(connection_pool=Mock(get_connection=Mock(side_effect=error)))


@pytest.mark.parametrize(
    "error", [redis.ConnectionError("gone"), redis.TimeoutError("slow"), redis.ResponseError("OOM")]
)
def test_whatever_keeps_the_server_from_answering_is_the_store_being_away(
    error: redis.RedisError,
) -> None:
    client = failing(error)
    pipeline = client.pipeline()
    pipeline.get("key")

    with pytest.raises(StoreUnavailable, match="the store did not answer") as raised:
        client.get("key")
    with pytest.raises(StoreUnavailable, match="the store did not answer"):
        pipeline.execute()

    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyError(), redis.exceptions.NoScriptError()])
def test_other_errors_are_nobody_s_to_hide(error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(error).get("key")


def test_an_answer_that_is_no_text_is_refused() -> None:
    with pytest.raises(StoreUnavailable, match="b'x' where text was expected"):
        text_of(b"x")


def test_a_script_is_run_by_its_name() -> None:
    release = load_script(fresh_client(), "release.lua")

    assert release(["lease"], [1]) == ["lost"]


def test_a_script_is_run_though_the_server_is_started_anew_at_any_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = fresh_client()
    ask: Any = client.execute_command

    def asked(*command: object, **options: object) -> object:
        answer = ask(*command, **options)
        ask("SCRIPT", "FLUSH")
        return answer

    monkeypatch.setattr(client, "execute_command", asked)
    ask("SCRIPT", "FLUSH")

    assert load_script(client, "release.lua")(["lease"], [1]) == ["lost"]


def test_every_script_belongs_to_a_module_beside_it() -> None:
    folder = Path(load_script.__code__.co_filename).parent
    loaded = "".join(path.read_text() for path in folder.glob("*.py"))

    assert [path.name for path in folder.glob("*.lua") if f'"{path.name}"' not in loaded] == []


def test_a_client_waits_so_long_and_never_asks_twice() -> None:
    settings = connect("redis://127.0.0.1:1/0", 0.5).connection_pool.connection_kwargs

    assert settings["socket_timeout"] == settings["socket_connect_timeout"] == 0.5
    assert settings["decode_responses"]
    assert settings["retry"].get_retries() == 0
