"""`hookfill orders` and `hookfill order`: what came in and what became of it."""

import json
from itertools import starmap

import click

from app.cli.api import Api, Record, with_api
from app.cli.tables import listing, moment, table, text

#: Heading → field of the API.
_COLUMNS = {
    "ID": "id", "CREATED": "created_at_ms", "KIND": "kind", "ACCOUNT": "account",
    "SYMBOL": "symbol", "SIDE": "side", "TYPE": "type", "QUANTITY": "quantity",
    "FILLED": "filled_quantity", "AVERAGE": "average_price", "STATE": "state", "REASON": "reason",
}  # fmt: skip


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--state", help="Only those in this state, for instance FILLED.")
@click.option("--account", help="Only those of this account.")
@click.option("--json", "as_json", is_flag=True, help="As the API gives them.")
@with_api
def orders(api: Api, limit: int, state: str | None, account: str | None, *, as_json: bool) -> None:
    """List orders, signals and what else has come in, newest first."""
    answer = api.get("api", "orders", limit=limit, state=state, account=account)
    if as_json:
        click.echo(json.dumps(answer["data"], indent=2, default=str))
    else:
        click.echo(table(tuple(_COLUMNS), map(_row, answer["data"])))


@click.command()
@click.argument("order_id")
@click.option("--json", "as_json", is_flag=True, help="As the API gives it.")
@with_api
def order(api: Api, order_id: str, *, as_json: bool) -> None:
    """Show one order and what happened to it, by id or client order id."""
    record = api.get("api", "orders", order_id)
    if as_json:
        click.echo(json.dumps(record, indent=2, default=str))
        return
    timeline = record.pop("timeline", [])
    fields = {**record, "reason": _reason(record)}
    click.echo(listing(dict(starmap(_readable, fields.items()))))
    click.echo()
    for entry in timeline:
        click.echo(_entry(entry))


def _readable(name: str, value: object) -> tuple[str, object]:
    if not name.endswith("_at_ms"):
        return name, value
    return name.removesuffix("_ms"), value and moment(value)


def _row(record: Record) -> list[object]:
    shown = {
        **record,
        "created_at_ms": moment(record.get("created_at_ms")),
        "reason": _reason(record),
    }
    return [shown.get(field) for field in _COLUMNS.values()]


def _entry(entry: Record) -> str:
    parts = [moment(entry.get("at_ms")), text(entry.get("event")).ljust(14)]
    parts += [text(each) for each in (entry.get("process"), _reason(entry)) if each]
    return "  ".join(parts)


def _reason(record: Record) -> object:
    reason = record.get("reason")
    if not isinstance(reason, dict):
        return reason
    return (
        f"{reason.get('code')}: {reason.get('message')}"
        if reason.get("message")
        else reason.get("code")
    )


@click.command()
@click.argument("order_id")
@click.argument("outcome", type=click.Choice(["absent", "open", "canceled", "filled"]))
@click.option("--placement", help="The one you have looked at, as `hookfill order` shows it.")
@click.option("--filled-quantity", help="How much of it; all, unless given, if it is filled.")
@click.option("--average-price", help="At which average.")
@click.option("--venue-order-id", help="The venue's own id, by which an open one is followed.")
@with_api
def resolve(api: Api, order_id: str, outcome: str, **figures: str | None) -> None:
    """Say what became of an order that is UNKNOWN, after a look at its venue."""
    named = {name: value for name, value in figures.items() if value is not None}
    record = api.post("api", "orders", order_id, "resolve", body={"outcome": outcome, **named})
    click.echo(f"{order_id} is {text(record.get('state'))} now.")
