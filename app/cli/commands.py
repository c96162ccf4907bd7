"""All commands, and those that need no running Hookfill."""

import os
import subprocess
import sys

import click

from app.cli.accounts import account
from app.cli.api import Api, with_api
from app.cli.backup import backup, restore
from app.cli.clients import client
from app.cli.connectors import connector
from app.cli.export import export
from app.cli.findings import show_findings
from app.cli.keys import rekey
from app.cli.orders import order, orders, resolve
from app.cli.prices import price
from app.cli.recovery import cancel, recover
from app.cli.symbols import symbol
from app.cli.tables import table_of
from app.domain.errors import StoreError
from app.settings import VARIABLES, BadSetting, forget_foreign, markdown_table
from app.supervisor.console import is_terminal
from app.supervisor.demo import SEED_COMMAND
from app.supervisor.refusals import CannotStart
from app.supervisor.supervise import up as run_everything
from app.supervisor.tcp_ports import LOOPBACK

_PORT_MAX = 65_535


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Hookfill: trading webhooks in, orders placed exactly once."""
    forget_foreign(os.environ)


for _command in (
    *(orders, order, resolve, cancel, export),
    *(account, connector, client, price, symbol, recover, rekey, backup, restore),
):
    main.add_command(_command)


@main.command()
@click.option(
    "--port", type=click.IntRange(0, _PORT_MAX), help="Of the web server; 0 is a free one."
)
@click.option("--data-dir", type=click.Path(), help="Where everything is kept; `var` by default.")
@click.option("--fast", is_flag=True, help="The test profile. Never with real money.")
def up(port: int | None, data_dir: str | None, *, fast: bool) -> None:
    """Run everything on this machine until Ctrl-C."""
    environ = dict(os.environ)
    try:
        if data_dir:
            environ["HOOKFILL_DATA_DIR"] = data_dir
        if fast:
            environ["HOOKFILL_FAST"] = "1"
        if port is not None:
            environ["HOOKFILL_BIND"] = _bind(environ.get("HOOKFILL_BIND", ""), port)
        sys.exit(run_everything(environ))
    except BadSetting as error:
        raise _BadSetting(str(error)) from error
    except (CannotStart, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
def settings() -> None:
    """Print every environment variable as a Markdown table."""
    click.echo(markdown_table(VARIABLES.values()))


@main.command()
def seed() -> None:
    """Make the demo accounts and what the paper venue trades; show a terminal their credentials.

    `hookfill up` does this by itself. Run twice, it changes nothing.
    """
    answer = None if is_terminal() else subprocess.DEVNULL  # a log would keep them
    code = subprocess.call(SEED_COMMAND, stdout=answer)  # noqa: S603 - our own command
    if not code and not is_terminal():
        click.echo(
            "The demo accounts are there. In a terminal this command shows their credentials."
        )
    sys.exit(code)


@main.command()
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
    for row in api.get("api", "quarantine")["data"] if is_ready else ():
        click.echo(f"Record {row['id']} cannot be read: {row['why']}. See `hookfill doctor`.")
    sys.exit(0 if is_ready else 1)


@main.command()
@with_api
def venues(api: Api) -> None:
    """List the venues, each with its adapter class: `full`, or `manual` (a person settles)."""
    columns = ("name", "adapter", "markets", "play_money", "native_stops")
    click.echo(table_of(columns, api.get("api", "venues")["data"]))


@main.command()
@with_api
def doctor(api: Api) -> None:
    """Look whether all is as it should be: the store, the queue, and the venues of all accounts."""
    show_findings(api.post("api", "doctor"))


def _bind(given: str, port: int) -> str:
    """Return where to listen: the host as it is set, with this port."""
    host, _, _ = given.strip().rpartition(":")
    return f"{host or LOOPBACK}:{port}"


class _BadSetting(click.ClickException):
    #: As for wrong options: the caller must change what was given.
    exit_code = 2
