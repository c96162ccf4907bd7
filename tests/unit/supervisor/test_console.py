"""What a person sees when everything is ready."""

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.cli import main
from app.settings import Settings
from app.supervisor.console import first_signal, greeting
from app.supervisor.run_file import Run

KEY = "A" * 43 + "="
SPOT = {"connectorName": "demo", "connectorToken": "it's"}


def a_run(demo: Mapping[str, object]) -> Run:
    return Run(
        base_url="http://127.0.0.1:8000",
        flower_url="http://127.0.0.1:5555",
        flower_user="hookfill",
        flower_password="flower-password",  # noqa: S106  made up
        redis_url="",
        broker_url="",
        admin_token="admin-token",  # noqa: S106  made up
        pids={},
        demo=demo,
    )


def greeted(**environ: str) -> str:
    settings = Settings.from_environment({"HOOKFILL_SECRET_KEY": KEY, **environ})
    return greeting(a_run({"crypto_arsenal": {"spot": SPOT}}), settings, Path("var/run.json"))


def test_the_first_signal_can_be_pasted() -> None:
    words = shlex.split(first_signal(a_run({"crypto_arsenal": {"spot": SPOT}})))

    assert words[0] == "curl"
    assert "http://127.0.0.1:8000/trading-signal/webhook" in words
    body = json.loads(words[words.index("-d") + 1])
    assert body == {"log": "Buy", "action": "buy", "percent": "10", **SPOT}


@pytest.mark.parametrize("demo", [{}, {"crypto_arsenal": {}}, {"crypto_arsenal": {"spot": 1}}])
def test_without_a_demo_connector_there_is_no_first_signal(demo: Mapping[str, object]) -> None:
    assert first_signal(a_run(demo)) == ""


def test_the_first_signal_is_shown_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Mock(isatty=lambda: True))

    assert first_signal(a_run({"crypto_arsenal": {"spot": SPOT}})) in greeted()


def test_no_credential_is_written_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Mock(isatty=lambda: False))

    text = greeted()

    assert "connectorToken" not in text
    assert "credentials of the demo accounts are in var/run.json" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_seed_shows_its_answer_to_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    answer = (sys.executable, "-c", "print('a token')")
    monkeypatch.setattr("app.cli.installation.SEED_COMMAND", answer)
    monkeypatch.setattr("app.cli.installation.is_terminal", lambda: terminal)

    with pytest.raises(SystemExit) as end:
        main(["seed"])

    assert end.value.code == 0
    assert ("a token" in capfd.readouterr().out) is terminal


def test_the_greeting_says_where_things_are_and_keeps_passwords_in_the_file() -> None:
    text = greeted()

    assert "http://127.0.0.1:8000" in text
    assert "http://127.0.0.1:5555" in text
    assert "var/run.json" in text
    assert "admin-token" not in text
    assert "flower-password" not in text
    assert "TEST PROFILE" not in text


def test_the_greeting_says_what_is_promised() -> None:
    assert "what is acknowledged is on the disk" in greeted()
    assert "may take the last second" in greeted(HOOKFILL_APPENDFSYNC="everysec")


def test_the_test_profile_is_loud() -> None:
    assert "TEST PROFILE" in greeted(HOOKFILL_FAST="1")
