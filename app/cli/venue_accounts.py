"""`hookfill account venue`, `reconcile` and `cancel-order`: how an account stands at its venue."""

import sys

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


@click.command("cancel-order")
@click.argument("name")
@click.argument("venue_order_id")
@click.option("--symbol", help="Of the order, if the venue uses the id for several.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_api
def cancel_order(
    api: Api, name: str, venue_order_id: str, symbol: str | None, *, yes: bool
) -> None:
    """Cancel an order at its venue that nobody here follows; `account venue` lists them."""
    found = api.get("api", "accounts", name, "reconciliation")
    order = _only(_unfollowed(found), venue_order_id, symbol)
    if not yes:
        click.confirm(f"Cancel {text(order['sentence'])} at {text(found['venue'])}?", abort=True)
    body = {"symbol": order["symbol"], "venue_order_id": venue_order_id}
    answer = api.post("api", "accounts", name, "venue-cancels", body=body)
    click.echo(f"{text(answer['state'])}: {text(answer['message'])}")
    if not answer["is_settled"]:
        click.echo(f"It is looked up again; `hookfill account venue {name}` tells.")
    sys.exit(0 if answer["state"] == "ENDED" else 1)


@click.command()
@click.argument("name")
@click.argument("client_order_id")
@with_api
def acknowledge(api: Api, name: str, client_order_id: str) -> None:
    """Say that you have seen a fill whose order is not known here; `account venue` lists them."""
    api.delete("api", "accounts", name, "orphaned-fills", client_order_id)
    click.echo(f"The fill of {client_order_id} is not shown any more.")


def _unfollowed(found: Record) -> list[Record]:
    """Return the orders at the venue that nobody here follows."""
    unexpected = [row["venue_order"] for row in found["mismatches"] if row["venue_order"]]
    return [*found["foreign_orders"], *unexpected]


def _only(orders: list[Record], venue_order_id: str, symbol: str | None) -> Record:
    fitting = [
        one
        for one in orders
        if one["venue_order_id"] == venue_order_id and symbol in {None, one["symbol"]}
    ]
    if not fitting:
        raise click.ClickException(
            f"No order {venue_order_id} was found there that nobody here follows. "
            "`hookfill account reconcile` looks again."
        )
    if len(fitting) > 1:
        symbols = ", ".join(text(one["symbol"]) for one in fitting)
        raise click.ClickException(f"Give --symbol, one of {symbols}.")
    return fitting[0]


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
    if found["credentials_refused"]:
        refused = found["credentials_refused"]
        click.echo(
            f"REFUSED  the key, since {moment(refused['since_ms'])}: {text(refused['message'])}"
        )
        click.echo(
            "         Do: see to it there, or set another one. `hookfill account test` tries it at "
            f"once; else it is tried {moment(refused['again_at_ms'])}."
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
    for row in found["cancels"]:
        order = row["venue_order"]
        click.echo(
            f"CANCEL   {moment(row['asked_at_ms'])} {text(order['sentence'])} "
            f"({text(order['venue_order_id'])}): {text(row['state'])}, {text(row['message'])}"
        )
