"""`hookfill up`, `hookfill seed` and `hookfill settings`: what needs no running Hookfill."""

import os
import subprocess
import sys

import click

from app.domain.errors import StoreError
from app.settings import VARIABLES, BadSetting, markdown_table
from app.supervisor.console import is_terminal
from app.supervisor.demo import SEED_COMMAND
from app.supervisor.refusals import CannotStart
from app.supervisor.supervise import up as run_everything
from app.supervisor.tcp_ports import LOOPBACK

_PORT_MAX = 65_535


@click.command()
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


@click.command()
def settings() -> None:
    """Print every environment variable as a Markdown table."""
    click.echo(markdown_table(VARIABLES.values()))


@click.command()
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


def _bind(given: str, port: int) -> str:
    """Return where to listen: the host as it is set, with this port."""
    host, _, _ = given.strip().rpartition(":")
    return f"{host or LOOPBACK}:{port}"


class _BadSetting(click.ClickException):
    #: As for wrong options: the caller must change what was given.
    exit_code = 2
