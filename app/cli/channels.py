"""`hookfill channel`: where people are told what happens, and what of it."""

import click

from app.cli.api import Api, Record, with_api
from app.cli.inputs import SECRET_TEXT, Assignments, body_of, with_settings
from app.cli.tables import listing, moment, table_of

_COLUMNS = ("name", "service", "kinds", "accounts", "enabled", "waiting", "sent", "error")


@click.group()
def channel() -> None:
    """Manage where messages go: Telegram, e-mail, a webhook of yours and others."""


@channel.command("add")
@click.argument("name")
@click.option(
    "--service-url", type=SECRET_TEXT, help="A service as apprise writes it; - asks for it."
)
@click.option("--webhook-url", type=SECRET_TEXT, help="A URL of yours; - asks for it.")
@click.option("--kind", "kinds", multiple=True, help="What it is to hear of. Repeatable.")
@click.option("--account", "accounts", multiple=True, help="Of whom. Repeatable.")
@click.option("--quiet", help="Quiet hours, as 22:00-07:00 or 22:00-07:00 Europe/Berlin.")
@with_settings
@with_api
def add(
    api: Api,
    name: str,
    settings: Assignments,
    *,
    kinds: tuple[str, ...],
    accounts: tuple[str, ...],
    quiet: str | None,
    **addresses: str | None,
) -> None:
    """Create a channel, or change what is given. A signing secret that was made is shown once."""
    body = body_of(
        settings,
        **addresses,
        kinds=list(kinds),
        accounts=list(accounts),
        quiet_hours=None if quiet is None else _hours(quiet),
    )
    click.echo(listing(_readable(api.put("api", "channels", name, body=body))))
    click.echo(f"hookfill channel test {name} sends a message there.", err=True)


@channel.command("list")
@with_api
def list_channels(api: Api) -> None:
    """List all channels, and how it goes with their messages."""
    click.echo(table_of(_COLUMNS, api.get("api", "channels")["data"]))


@channel.command("show")
@click.argument("name")
@with_api
def show(api: Api, name: str) -> None:
    """Show one channel, without its address."""
    click.echo(listing(_readable(api.get("api", "channels", name))))


@channel.command("test")
@click.argument("name")
@with_api
def test(api: Api, name: str) -> None:
    """Send a message that says that messages arrive, and say what has become of it."""
    found = api.post("api", "channels", name, "test")
    click.echo(found["message"])
    if not found["arrived"]:
        raise click.exceptions.Exit(1)


@channel.command("disable")
@click.argument("name")
@with_api
def disable(api: Api, name: str) -> None:
    """Switch a channel off; what waits for it is dropped."""
    api.delete("api", "channels", name)
    click.echo(f"{name} is disabled.")


def _hours(quiet: str) -> dict[str, str]:
    hours, _, timezone = quiet.partition(" ")
    begin, dash, end = hours.partition("-")
    if not dash:
        raise click.BadParameter(f"{quiet!r} was not as 22:00-07:00", param_hint="--quiet")
    return {"begin": begin, "end": end} | ({"timezone": timezone} if timezone else {})


def _readable(row: Record) -> Record:
    times = {
        name: moment(row.get(name)) for name in ("last_sent_at_ms", "error_at_ms") if row.get(name)
    }
    return {**row, **times}
