"""The list of commands, of which each is imported when it is called."""

import click
import pytest

from app.cli.commands import imported, main

COMMANDS = main.commands.values()


def sentence_of(command: click.Command) -> str:
    return command.get_short_help_str(limit=1000)


@pytest.mark.parametrize("listed", COMMANDS, ids=lambda one: one.name)
def test_the_list_says_of_a_command_what_it_says_itself(listed: click.Command) -> None:
    command = imported(listed)

    assert command.name == listed.name
    assert sentence_of(command) == sentence_of(listed)
