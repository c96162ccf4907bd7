"""What people type: settings as NAME=VALUE, and secrets that stay out of the shell's history."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
Assignments = tuple[tuple[str, object], ...]


class _Assignment(click.ParamType[Any]):
    name = "name=value"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, object]:
        name, equals, text = str(value).partition("=")
        if not name or not equals:
            self.fail(f"{value!r} was not NAME=VALUE", param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


class _SecretText(click.ParamType[Any]):
    name = "text or -"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002  the shape is click's
    ) -> str:
        if value != "-":
            return str(value)
        if sys.stdin.isatty():
            what = param.name if param and param.name else "secret"
            return str(click.prompt(what.capitalize(), hide_input=True))
        return sys.stdin.readline().rstrip("\n")


SECRET_TEXT = _SecretText()


def with_settings(command: Command) -> Command:
    """Give a command `--set NAME=VALUE`, for every field that has no option of its own."""
    return click.option(
        "--set",
        "settings",
        type=_Assignment(),
        multiple=True,
        help="Any field of the record; the value is JSON or a plain text. Repeatable.",
    )(command)


def body_of(settings: Assignments, **fields: object) -> dict[str, object]:
    """Return what is sent: the fields that were given, then the settings."""
    return {name: value for name, value in fields.items() if value} | dict(settings)
