"""`hookfill recover`: accounts for which nothing is sent until a person has looked."""

import click

from app.cli.api import Api, Record, with_api
from app.cli.tables import listing, moment, table, text


@click.command()
@click.argument("account", required=False)
@click.option("--release", is_flag=True, help="Let it trade on, in the state that it had.")
@click.option(
    "--cancel-pending/--keep",
    "cancels",
    default=None,
    help="End all that waits in it first, or let it go on.",
)
@with_api
def recover(api: Api, account: str | None, *, release: bool, cancels: bool | None) -> None:
    """Show frozen accounts: what their venues have that is unknown here, and what waits.

    With an account and --release: let it trade on. What waits goes on then (--keep), or ends
    (--cancel-pending); a single thing ends with `hookfill cancel ID`.
    """
    rows = [one for one in api.get("api", "recovery")["data"] if account in {None, one["account"]}]
    if not rows:
        click.echo("No account is frozen." if account is None else f"{account} is not frozen.")
        return
    for row in rows:
        _show(row)
    if not release:
        return
    if account is None or cancels is None:
        raise click.UsageError("Name one account, and say --keep or --cancel-pending.")
    body = {"frozen_at_ms": rows[0]["frozen_at_ms"], "cancel_pending": cancels}
    answer = api.post("api", "accounts", account, "recovery", body=body)
    ended = f"; {answer['ended']} ended, and what belonged to them" if cancels else ""
    click.echo(f"{account} is {text(answer['state'])} again{ended}.")


@click.command()
@click.argument("order_id")
@with_api
def cancel(api: Api, order_id: str) -> None:
    """Ask one order, or whatever else is live, to end, by its id."""
    answer = api.post("api", "orders", order_id, "cancel")
    state = text(answer["order"].get("state"))
    click.echo(f"{order_id} is {state} now." if answer["requested"] else f"It was {state} already.")


def _show(row: Record) -> None:
    about = {
        "account": row["account"],
        "venue": f"{row['venue']} {row['market']}",
        "frozen since": moment(row["frozen_at_ms"]),
        "state before": row["state_before"],
        "why": row["why"],
    }
    click.echo(listing(about))
    click.echo("\nAt the venue, ours by their ids, and unknown here:")
    columns = ("ID THERE", "CLIENT ORDER ID", "PLACED", "OPEN", "WHAT")
    unknown = [
        (
            one["venue_order_id"],
            one["client_order_id"],
            moment(one["placed_at_ms"]),
            one["is_open"],
            one["sentence"],
        )
        for one in row["unknown_orders"]
    ]
    click.echo(table(columns, unknown) if unknown else "nothing that could be listed")
    click.echo("\nHere, and going on once the account is released (`hookfill cancel ID` ends one):")
    columns = ("ID", "KIND", "STATE", "DUE", "WHAT")
    live = [
        (
            one["id"],
            one["kind"],
            one["state"],
            one["due_at_ms"] and moment(one["due_at_ms"]),
            one["sentence"],
        )
        for one in row["waiting"]
    ]
    click.echo(table(columns, live) if live else "nothing")
    positions = row["positions"] or []
    shown = ", ".join(f"{one['side']} {one['size']} {one['symbol']}" for one in positions)
    click.echo(f"\nPositions there: {text(shown) if shown else 'none, or not read yet'}\n")
