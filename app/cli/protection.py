"""`hookfill protection`: what protects each position that a signal has opened."""

import json

import click

from app.cli.api import Api, with_api
from app.cli.tables import table_of

_COLUMNS = (
    "account", "symbol", "position_side", "entry", "purpose", "price", "quantity", "held_by",
)  # fmt: skip


@click.command()
@click.option("--account", help="Only those of this account.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As the API gives it.")
@with_api
def protection(api: Api, account: str | None, limit: int, *, as_json: bool) -> None:
    """Show what protects each position, at which price, and who waits for it."""
    found = api.get("api", "protection", account=account, limit=limit)["data"]
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
        return
    rows = [{**position, **guard} for position in found for guard in position["guards"]]
    click.echo(table_of(_COLUMNS, rows) if rows else "Nothing is guarded just now.")
