"""`hookfill replay`: what came in once, given anew on paper."""

import json

import click

from app.cli.api import Api, Record, with_api
from app.cli.tables import table, text

#: Heading → field of the API.
_COLUMNS = {
    "SIDE": "side", "TYPE": "type", "QUANTITY": "quantity", "AMOUNT": "amount", "PRICE": "price",
    "REDUCES": "reduce_only", "STATE": "state", "FILLED": "filled_quantity",
    "AVERAGE": "average_price",
}  # fmt: skip


@click.command()
@click.argument("order_id")
@click.option("--account", help="A paper account; one of the same market, unless it is given.")
@click.option(
    "--price",
    type=click.Choice(["scaled", "original"]),
    default="scaled",
    show_default=True,
    help="Move the prices that it names with the market, or leave them as they were.",
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what it would do, and do nothing.")
@click.option("--idempotency-key", help="The same key again is the same replay.")
@click.option("--json", "as_json", is_flag=True, help="As the API gives it.")
@with_api
def replay(
    api: Api,
    order_id: str,
    idempotency_key: str | None,
    *,
    is_dry: bool,
    as_json: bool,
    **said: str | None,
) -> None:
    """Give what came in once anew, on a paper account, with the market of now.

    ORDER_ID is that of a signal, a reversal, a smart trade, or of an order or smart order that
    stands alone.
    """
    named = {name: value for name, value in said.items() if value is not None}
    answer = api.post(
        *("api", "orders", order_id, "replay"),
        body={**named, "dry_run": is_dry},
        headers={} if idempotency_key is None else {"Idempotency-Key": idempotency_key},
    )
    if as_json:
        click.echo(json.dumps(answer, indent=2, default=str))
    elif is_dry:
        _foretell(answer)
    else:
        made = answer["order"]
        again = "is known already as" if answer["repeated"] else "is replayed as"
        where = f"{text(made.get('kind'))} {made['id']} in {made['account']}"
        click.echo(f"{order_id} {again} {where}; it is {text(made.get('state'))}.")


def _foretell(answer: Record) -> None:
    reason = answer.get("reason") or {}
    why = f": {reason['message']}" if reason else ""
    click.echo(f"{text(answer['outcome'])} in {text(answer['account'])}{why}")
    if answer["orders"]:
        rows = [[one.get(field) for field in _COLUMNS.values()] for one in answer["orders"]]
        click.echo(table(tuple(_COLUMNS), rows))
