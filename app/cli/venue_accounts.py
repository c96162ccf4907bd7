"""`hookfill account venue` and `reconcile`: how an account stands at its venue."""

import click

from app.cli.api import Api, Record, with_api
from app.cli.tables import listing, moment, table_of, text

_FOREIGN = ("venue_order_id", "client_order_id", "symbol", "side", "quantity", "filled_quantity")


@click.command()
@click.argument("name")
@with_api
def venue(api: Api, name: str) -> None:
    """Show how an account stands at its venue: differences, foreign orders, what waits for you."""
    _show(api.get("api", "accounts", name, "reconciliation"))


@click.command()
@click.argument("name")
@with_api
def reconcile(api: Api, name: str) -> None:
    """Compare an account with its venue now, and show what was found."""
    found = api.post("api", "accounts", name, "reconciliation")
    click.echo(text(found["message"]))
    _show(found)


def _show(found: Record) -> None:
    click.echo(
        listing(
            {
                "venue": found["venue"],
                "adapter": found["adapter"] or "nobody knows this venue",
                "clock_offset_ms": found["clock_offset_ms"],
                "compared_at": moment(found["at_ms"]),
                "agrees": "unknown" if found["agrees"] is None else found["agrees"],
            }
        )
    )
    if found["failure"]:
        failure = found["failure"]
        click.echo(f"FAILED   {moment(failure['at_ms'])}: {text(failure['message'])}")
    for row in found["mismatches"]:
        click.echo(f"DIFFERS  {text(row['kind'])} {text(row['about'])}: {text(row['message'])}")
        click.echo(f"         Do: {text(row['fix'])}")
    for row in found["waiting_for_person"]:
        click.echo(f"WAITS    {text(row['client_order_id'])}: {text(row['sentence'])}")
        click.echo(f"         Do: {text(row['command'])}")
    if found["foreign_orders"]:
        click.echo("\nForeign orders:")
        click.echo(table_of((*_FOREIGN, "price"), found["foreign_orders"]))
