"""`hookfill price`: what the paper venue trades at."""

import click

from app.cli.api import Api, with_api
from app.cli.tables import table

_COLUMNS = ("bid", "ask", "last")


@click.group()
def price() -> None:
    """Set or show the prices of the paper venue."""


@price.command("set")
@click.argument("symbol")
@click.argument("last")
@with_api
def set_price(api: Api, symbol: str, last: str) -> None:
    """Set the price of a symbol; its simulated walk stops."""
    api.put("paper", "prices", body={"prices": {symbol: {"last": last}}})
    click.echo(f"{symbol} is at {last}.")


@price.command("list")
@with_api
def list_prices(api: Api) -> None:
    """List the prices as they are now."""
    prices = api.get("paper", "prices")["prices"]
    rows = (
        [symbol, *((quote or {}).get(side) for side in _COLUMNS)]
        for symbol, quote in prices.items()
    )
    click.echo(table(("symbol", *_COLUMNS), rows))


@price.command("walk")
@with_api
def walk(api: Api) -> None:
    """Let all prices walk again."""
    api.delete("paper", "prices")
    click.echo("The prices walk again.")
