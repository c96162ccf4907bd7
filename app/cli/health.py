"""`hookfill status`, `hookfill doctor` and `hookfill venues`: whether all is as it should be."""

import sys

import click

from app.cli.api import Api, with_api
from app.cli.findings import show_findings
from app.cli.tables import table_of


@click.command()
@with_api
def status(api: Api) -> None:
    """Say whether everything works: the store, the queue, the workers."""
    is_ready, said = api.readiness()
    click.echo("ready" if is_ready else f"not ready: {said}")
    for of, warning in api.get("readyz").get("warnings", {}).items() if is_ready else ():
        if of != "quarantine":  # whose records are named below
            click.echo(f"{warning} See `hookfill doctor`.")
    for row in api.get("api", "recovery")["data"] if is_ready else ():
        click.echo(f"{row['account']} is FROZEN: nothing is sent for it. See `hookfill recover`.")
    for row in api.get("api", "accounts")["data"] if is_ready else ():
        if row["enabled"] and row["credentials_refused"]:
            click.echo(
                f"{row['venue']} refuses the key of {row['name']}. See `hookfill account venue "
                f"{row['name']}`."
            )
    for row in api.get("api", "quarantine")["data"] if is_ready else ():
        click.echo(f"Record {row['id']} cannot be read: {row['why']}. See `hookfill doctor`.")
    sys.exit(0 if is_ready else 1)


@click.command()
@with_api
def venues(api: Api) -> None:
    """List the venues, each with its adapter class: `full`, or `manual` (a person settles)."""
    columns = ("name", "adapter", "markets", "play_money", "native_stops")
    click.echo(table_of(columns, api.get("api", "venues")["data"]))


@click.command()
@with_api
def doctor(api: Api) -> None:
    """Look whether all is as it should be: the store, the queue, and the venues of all accounts."""
    show_findings(api.post("api", "doctor"))
