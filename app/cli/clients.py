"""`hookfill client`: the keys of callers that sign in."""

import secrets

import click

from app.cli.api import Api, with_api
from app.cli.inputs import SECRET_TEXT, Assignments, body_of, with_settings
from app.cli.tables import listing, table_of

#: 128 bits of a key that may be a secret.
_KEY_BYTES = 16

_COLUMNS = ("dialect", "key", "accounts", "permissions", "enabled")


@click.group()
def client() -> None:
    """Manage the API clients of the dialects that have keys."""


@client.command("add")
@click.argument("dialect")
@click.argument("key", required=False)
@click.option("--account", "accounts", multiple=True, help="What it may use. Repeatable.")
@click.option(
    "--permission", "permissions", multiple=True, help="What it may do, else all. Repeatable."
)
@click.option("--secret", type=SECRET_TEXT, help="Else one is made; - asks for it.")
@click.option(
    "--password", type=SECRET_TEXT, help="Where the dialect has passwords; - asks for it."
)
@with_settings
@with_api
def add(api: Api, dialect: str, key: str | None, settings: Assignments, **fields: object) -> None:
    """Create a client, or change what is given. A secret that was made is shown once.

    Without a KEY one is made that nobody can guess.
    """
    body = body_of(settings, **fields)
    click.echo(
        listing(api.put("api", "clients", dialect, key or secrets.token_hex(_KEY_BYTES), body=body))
    )


@client.command("list")
@with_api
def list_clients(api: Api) -> None:
    """List all clients."""
    clients = api.get("api", "clients")["data"]
    shown = ({**one, "permissions": _permissions(one.get("permissions"))} for one in clients)
    click.echo(table_of(_COLUMNS, shown))


def _permissions(words: list[str] | None) -> list[str]:
    """Return the words; all and none would look alike without one."""
    return ["all"] if words is None else words or ["none"]


@client.command("disable")
@click.argument("dialect")
@click.argument("key")
@with_api
def disable(api: Api, dialect: str, key: str) -> None:
    """Switch a client off."""
    api.delete("api", "clients", dialect, key)
    click.echo(f"{key} of {dialect} is disabled.")
