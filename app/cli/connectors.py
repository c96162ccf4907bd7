"""`hookfill connector`: what a Crypto Arsenal signal names, and what it trades."""

import click

from app.cli.api import Api, with_api
from app.cli.inputs import SECRET_TEXT, Assignments, body_of, with_settings
from app.cli.tables import listing, table_of

_COLUMNS = ("name", "account", "accounts", "symbol", "enabled")


@click.group()
def connector() -> None:
    """Manage the connectors of Crypto Arsenal signals."""


@connector.command("add")
@click.argument("name")
@click.option("--account", "accounts", multiple=True, help="Where it trades. Repeatable.")
@click.option("--symbol", help="What it trades, for instance BTC/USDT; any spelling will do.")
@click.option("--connector-token", type=SECRET_TEXT, help="Else one is made; - asks for it.")
@with_settings
@with_api
def add(
    api: Api,
    name: str,
    accounts: tuple[str, ...],
    symbol: str | None,
    connector_token: str | None,
    settings: Assignments,
) -> None:
    """Create a connector, or change what is given. A token that was made is shown once."""
    body = body_of(
        settings,
        account=accounts[0] if len(accounts) == 1 else None,
        accounts=list(accounts) if len(accounts) > 1 else None,
        symbol=symbol,
        token=connector_token,
    )
    click.echo(listing(api.put("api", "connectors", name, body=body)))


@connector.command("list")
@with_api
def list_connectors(api: Api) -> None:
    """List all connectors."""
    click.echo(table_of(_COLUMNS, api.get("api", "connectors")["data"]))


@connector.command("show")
@click.argument("name")
@with_api
def show(api: Api, name: str) -> None:
    """Show one connector, without its token."""
    click.echo(listing(api.get("api", "connectors", name)))


@connector.command("disable")
@click.argument("name")
@with_api
def disable(api: Api, name: str) -> None:
    """Switch a connector off."""
    api.delete("api", "connectors", name)
    click.echo(f"{name} is disabled.")
