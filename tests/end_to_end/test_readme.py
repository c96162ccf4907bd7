"""What the README tells a new user to do, done."""

import json
import re
import subprocess
import sys

import pytest

from app.settings import VARIABLES, markdown_table
from tests.support.stack import CHECKOUT, Json, Stack

README = (CHECKOUT / "README.md").read_text()


def hookfill(stack: Stack, *arguments: str) -> str:
    """Run a command of the CLI against the running stack."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    found = subprocess.run(
        [*command, "--data-dir", str(stack.data_dir)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def order_of(script: str, stack: Stack) -> Json:
    """Run a script that prints `ok`, and return the order that it brings about, filled."""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout == "ok\n"
    stack.settle()
    (order,) = stack.rows(kind="ORDER", account="demo-spot")
    assert order["state"] == "FILLED"
    return order


def test_the_settings_are_those_of_the_code() -> None:
    shown = README.split("<!-- settings -->")[1].split("<!-- /settings -->")[0]

    assert shown.strip() == markdown_table(VARIABLES.values()).strip()


def test_the_python_script_prints_ok_and_the_order_fills(stack: Stack) -> None:
    (script,) = re.findall(r"```python\n(import requests.*?)```", README, re.DOTALL)
    token = stack.run["demo"]["crypto_arsenal"]["spot"]["connectorToken"]
    script = script.replace("http://127.0.0.1:8000", stack.run["base_url"])
    script = script.replace("the token that make run has printed", token)

    order = order_of(script, stack)

    assert order["id"] in hookfill(stack, "orders")
    assert "filled" in hookfill(stack, "order", order["id"])
    assert order["id"] in hookfill(stack, "export", "--since", "2026-01-01")


def test_the_script_of_the_vendors_document(stack: Stack) -> None:
    demo = stack.run["demo"]["crypto_arsenal"]["spot"]
    payload = {"log": "Buy", "action": "buy", "percent": "100", **demo}
    script = (
        "import requests\n"
        f"URL = {stack.url('/trading-signal/webhook')!r}\n"
        f"PAYLOAD = {json.dumps(payload)}\n"
        "response = requests.post(URL, json=PAYLOAD)\n"
        "print(response.text) # ok\n"
    )

    order_of(script, stack)


def test_accounts_and_connectors_are_made_by_command(stack: Stack) -> None:
    hookfill(stack, "account", "add", "my-spot", "--market", "SPOT")
    made = hookfill(
        stack, "connector", "add", "my-alerts", "--account", "my-spot", "--symbol", "BTC/USDT"
    )
    assert "my-alerts" in made
    hookfill(stack, "price", "set", "BTC/USDT", "50000")
    hookfill(stack, "account", "state", "my-spot", "HALT")
    assert "HALT" in hookfill(stack, "account", "list")
    assert "ready" in hookfill(stack, "status")


@pytest.mark.parametrize("target", ["run", "test", "bench"])
def test_the_commands_of_make_exist(target: str) -> None:
    assert f"\n{target}:" in (CHECKOUT / "Makefile").read_text()
