"""`hookfill symbol`: what a spelling means at a venue."""

import click

from app.cli.api import Api, with_api
from app.cli.tables import listing


@click.group()
def symbol() -> None:
    """Show and set what spellings of symbols mean."""


@symbol.command("resolve")
@click.argument("venue")
@click.argument("spelling")
@click.option("--market", type=click.Choice(["SPOT", "USDM", "COINM"]))
@with_api
def resolve(api: Api, venue: str, spelling: str, market: str | None) -> None:
    """Show what a spelling means, for instance BINANCE:BTCUSDT.P."""
    found = api.get("api", "symbols", "resolve", venue=venue, symbol=spelling, market=market)
    click.echo(listing(found))


@symbol.command("list")
@click.argument("venue")
@with_api
def list_spellings(api: Api, venue: str) -> None:
    """List the spellings that people have set."""
    click.echo(listing(api.get("api", "symbols", venue=venue)["spellings"]))


@symbol.command("set")
@click.argument("venue")
@click.argument("spelling")
@click.argument("meaning", required=False)
@with_api
def put(api: Api, venue: str, spelling: str, meaning: str | None) -> None:
    """Let a spelling mean a symbol, for instance XBTUSD BTC/USD; without one, take it away."""
    body = {"venue": venue, "spelling": spelling, "symbol": meaning}
    api.put("api", "symbols", body=body)
    click.echo(f"{spelling} means {meaning or 'what the rules say'} at {venue}.")
