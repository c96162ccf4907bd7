"""`hookfill export`: everything that came in and what became of it, for other programs."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TextIO

import click

from app.cli.api import Api, Record, with_api

#: Rows of one request; each goes on after the last row of the one before.
_PAGE = 500

#: Columns of CSV, in the order of the API; the two parts of a reason have one each.
_COLUMNS = (
    "id", "parent_id", "kind", "dialect", "account", "symbol", "market", "side", "position_side",
    "type", "time_in_force", "reduce_only", "quantity", "price", "trigger_price", "held_by",
    "state", "reason_code", "reason_message", "filled_quantity", "average_price", "fees",
    "caller_id", "client_order_id", "venue_order_id", "due_at_ms", "next_check_at_ms",
    "created_at_ms", "updated_at_ms",
)  # fmt: skip

#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: What others than ourselves have chosen, and a spreadsheet must not run.
_FOREIGN = ("caller_id", "reason_message", "venue_order_id")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Moment(click.ParamType[int]):
    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} was no time, for instance 2026-01-31T12:00:00Z", param, ctx)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(milliseconds=1)


@click.command()
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv")
@click.option(
    "--since", "since_ms", type=_Moment(), help="Created then or later: ISO 8601, UTC; or ms."
)
@click.option("--until", "until_ms", type=_Moment(), help="Created before then.")
@click.option("--account", help="Only those of this account.")
@click.option("--kind", help="Only those of this kind, for instance ORDER.")
@click.option("--output", type=click.File("w", lazy=False), default="-", help="A file.")
@with_api
def export(api: Api, form: str, output: TextIO, **filters: object) -> None:
    """Write everything that came in, newest first, as CSV or JSON Lines."""
    _WRITERS[form](_rows(api, **filters), output)


def _rows(api: Api, **filters: object) -> Iterator[Record]:
    cursor = None
    while True:
        page = api.get("api", "orders", limit=_PAGE, cursor=cursor, **filters)
        yield from page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _write_csv(rows: Iterator[Record], output: TextIO) -> None:
    writer = csv.DictWriter(output, _COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        reason = row.get("reason") or {}
        fees = row.get("fees")
        cells = {
            **row,
            "reason_code": reason.get("code"),
            "reason_message": reason.get("message"),
            "fees": None if fees is None else json.dumps(fees),
        }
        writer.writerow({**cells, **{name: _harmless(cells.get(name)) for name in _FOREIGN}})


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _write_jsonl(rows: Iterator[Record], output: TextIO) -> None:
    output.writelines(json.dumps(row, default=str) + "\n" for row in rows)


_WRITERS: dict[str, Callable[[Iterator[Record], TextIO], None]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
