"""`hookfill account`: markets at venues, each with its own balances."""

import json
from typing import TextIO

import click

from app.cli.api import Api, with_api
from app.cli.findings import show_findings
from app.cli.inputs import Assignments, body_of, with_settings
from app.cli.tables import listing, table_of
from app.cli.venue_accounts import acknowledge, cancel_order, reconcile, venue

_COLUMNS = ("id", "name", "group", "venue", "market", "mode", "position_mode", "state")
_STATES = ("RUN", "REDUCE_ONLY", "HALT")


@click.group()
def account() -> None:
    """Manage accounts: one market at one venue each."""


account.add_command(cancel_order)
account.add_command(acknowledge)
account.add_command(reconcile)
account.add_command(venue)


@account.command("add")
@click.argument("name")
@click.option("--venue", help="paper, binance, bybit, poloniex ...")
@click.option("--market", type=click.Choice(["SPOT", "USDM", "COINM"]))
@click.option("--group", help="Joins the accounts of one owner.")
@click.option("--mode", type=click.Choice(["paper", "testnet", "live"]))
@click.option("--position-mode", type=click.Choice(["HEDGE", "ONEWAY"]))
@click.option(
    "--credentials",
    type=click.File(),
    help='A file with {"apiKey": "...", "secret": "..."}; - reads it from standard input.',
)
@with_settings
@with_api
def add(
    api: Api, name: str, credentials: TextIO | None, settings: Assignments, **fields: str | None
) -> None:
    """Create an account, or change what is given."""
    try:
        keys = json.load(credentials) if credentials else None
    except ValueError as error:
        raise click.ClickException(f"The credentials were no JSON: {error}") from error
    body = body_of(settings, **fields, credentials=keys)
    click.echo(listing(api.put("api", "accounts", name, body=body)))


@account.command("list")
@with_api
def list_accounts(api: Api) -> None:
    """List all accounts."""
    click.echo(table_of(_COLUMNS, api.get("api", "accounts")["data"]))


@account.command("show")
@click.argument("name")
@with_api
def show(api: Api, name: str) -> None:
    """Show one account, without its secrets."""
    click.echo(listing(api.get("api", "accounts", name)))


@account.command("test")
@click.argument("name")
@with_api
def test(api: Api, name: str) -> None:
    """Look whether an account can be traded with; nothing changes at its venue."""
    show_findings(api.post("api", "accounts", name, "test"))


@account.command("disable")
@click.argument("name")
@click.option("--force", is_flag=True, help="End what is live.")
@with_api
def disable(api: Api, name: str, *, force: bool) -> None:
    """Switch an account off: nothing of it is sent any more."""
    api.delete("api", "accounts", name, force="true" if force else "")
    click.echo(f"{name} is disabled.")


@account.command("limits")
@click.argument("name")
@click.argument("changes", nargs=-1, metavar="[LIMIT=VALUE]...")
@with_api
def limits(api: Api, name: str, changes: tuple[str, ...]) -> None:
    """Show the risk limits of an account, or change some of them; LIMIT= takes one away."""
    said = dict(_assigned(one) for one in changes)
    shown = api.get("api", "accounts", name)  # a slip in the name must not create an account
    if said:
        after = {limit: text for limit, text in {**shown["limits"], **said}.items() if text}
        shown = api.put("api", "accounts", name, body={"limits": after})
    click.echo(listing(shown["limits"]) or f"{name} has no limits.")


def _assigned(text: str) -> tuple[str, str]:
    limit, equals, value = text.partition("=")
    if not (limit and equals):
        raise click.BadParameter(f"{text!r} was not LIMIT=VALUE")
    return limit, value


@account.command("state")
@click.argument("name")
@click.argument("state", type=click.Choice(_STATES, case_sensitive=False))
@with_api
def set_state(api: Api, name: str, state: str) -> None:
    """Set what an account may do: RUN, REDUCE_ONLY (exits only) or HALT (cancels only)."""
    api.get("api", "accounts", name)  # a slip in the name must not create an account
    api.put("api", "accounts", name, body={"state": state})
    click.echo(f"{name} is {state} now.")
