"""Every example becomes its command, or gets its answer."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.dialects.crypto_arsenal.parse import command_from
from app.dialects.crypto_arsenal.render import error_for
from app.dialects.crypto_arsenal.settings import settings_of
from app.domain.commands import SignalCommand
from app.domain.enums import Market
from app.domain.errors import HookfillError
from app.web.json_body import payload_from

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "crypto_arsenal").glob("*.json"))


def outcome(example: Mapping[str, Any]) -> dict[str, object]:
    try:
        command = read(example)
    except HookfillError as error:
        status, body, _ = error_for(error)
        answer: Any = body["error"]
        return {
            "error": {"status": status, "code": answer["code"], "fields": sorted(answer["fields"])}
        }
    return {"command": plain(command)}


def read(example: Mapping[str, Any]) -> SignalCommand:
    payload = example.get("payload") or payload_from(example["body"].encode())
    settings = settings_of(example.get("settings", {}))
    return command_from(payload, Market(example["market"]), settings)


def plain(command: SignalCommand) -> dict[str, object]:
    """Return what the command says, without what it leaves open, numbers as text."""
    return {name: in_words(value) for name, value in asdict(command).items() if value}


def in_words(value: object) -> object:
    if isinstance(value, dict):
        return {name: in_words(inner) for name, inner in value.items()}
    return str(value) if isinstance(value, Decimal) else value


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 40


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_becomes_its_command_or_error(path: Path) -> None:
    # Read as a request is: its numbers are exact.
    example: Mapping[str, Any] = payload_from(path.read_bytes())

    expected = {name: example[name] for name in ("command", "error") if name in example}

    assert outcome(example) == expected
