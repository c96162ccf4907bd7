"""All commands, each in a module that is imported when the command is called."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Final, NamedTuple

import click


class _Known(NamedTuple):
    """What is known of a command before it is imported: its module, and what it does."""

    module: str
    sentence: str


#: What is imported for a command may take ten times as long as to list them all. A test holds the
#: sentences against those of the commands themselves.
_KNOWN: Final[Mapping[str, _Known]] = {
    "account": _Known("accounts", "Manage accounts: one market at one venue each."),
    "backup": _Known(
        "backup", "Copy store, history and secret key into FILE, while Hookfill runs or not."
    ),
    "cancel": _Known("recovery", "Ask one order, or whatever else is live, to end, by its id."),
    "channel": _Known(
        "channels",
        "Manage where messages go: Telegram, e-mail, a webhook of yours and others.",
    ),
    "client": _Known("clients", "Manage the API clients of the dialects that have keys."),
    "connector": _Known("connectors", "Manage the connectors of Crypto Arsenal signals."),
    "doctor": _Known(
        "health",
        "Look whether all is as it should be: "
        "the store, the queue, and the venues of all accounts.",
    ),
    "export": _Known(
        "export", "Write everything that came in, newest first, as CSV or JSON Lines."
    ),
    "order": _Known("orders", "Show one order and what happened to it, by id or client order id."),
    "orders": _Known("orders", "List orders, signals and what else has come in, newest first."),
    "price": _Known("prices", "Set or show the prices of the paper venue."),
    "protection": _Known(
        "protection", "Show what protects each position, at which price, and who waits for it."
    ),
    "recover": _Known(
        "recovery",
        "Show frozen accounts: what their venues have that is unknown here, and what waits.",
    ),
    "rekey": _Known(
        "keys", "Seal all credentials with the newest secret key, so that the older ones can go."
    ),
    "repair": _Known(
        "backup",
        "Cut off what is damaged of the store's file, so that it starts; a copy is made first.",
    ),
    "replay": _Known(
        "replays", "Give what came in once anew, on a paper account, with the market of now."
    ),
    "resolve": _Known(
        "orders", "Say what became of an order that is UNKNOWN, after a look at its venue."
    ),
    "restore": _Known("backup", "Make a data folder of what `hookfill backup` has written."),
    "seed": _Known(
        "installation",
        "Make the demo accounts and what the paper venue trades; "
        "show a terminal their credentials.",
    ),
    "settings": _Known("installation", "Print every environment variable as a Markdown table."),
    "status": _Known("health", "Say whether everything works: the store, the queue, the workers."),
    "symbol": _Known("symbols", "Show and set what spellings of symbols mean."),
    "up": _Known("installation", "Run everything on this machine until Ctrl-C."),
    "venues": _Known(
        "health",
        "List the venues, each with its adapter class: `full`, or `manual` (a person settles).",
    ),
}


class _Commands(click.Group):
    """Lists the commands by what is known of them, and imports the one that is called."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command itself where there is one of that name."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and imported(listed), rest


def imported(listed: click.Command) -> click.Command:
    """Return a command itself, of what the list has for it."""
    name = listed.name or ""
    command: click.Command = getattr(import_module(f"app.cli.{_KNOWN[name].module}"), name)
    return command


@click.group(
    cls=_Commands,
    commands=[click.Command(name, help=known.sentence) for name, known in _KNOWN.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Hookfill: trading webhooks in, orders placed exactly once."""
    from app.settings import forget_foreign  # noqa: PLC0415 - `--help` would wait for it

    forget_foreign(os.environ)
