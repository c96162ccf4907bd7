"""`hookfill rekey`: the secret keys of an installation can be rotated."""

import sys

import click

from app.cli.api import Api, with_api


@click.command()
@with_api
def rekey(api: Api) -> None:
    """Seal all credentials with the newest secret key, so that the older ones can go.

    The newest is the first in HOOKFILL_SECRET_KEY of the running processes. Run twice, or stopped
    halfway and run again, it does no harm.
    """
    done = api.post("api", "rekey")
    renewed = ", ".join(f"{count} {kind}" for kind, count in done["renewed"].items())
    click.echo(f"Sealed anew: {renewed or 'nothing, all of it was'}.")
    for one in done["unreadable"]:
        click.echo(f"None of the keys opens {one}: set its credentials anew.", err=True)
    if done["older"]:
        click.echo(
            f"{done['older']} were sealed with an older key meanwhile. Restart all processes with "
            "the same keys, and run this again.",
            err=True,
        )
    if done["unreadable"] or done["older"]:
        click.echo("Take no key away yet.", err=True)
        sys.exit(1)
    click.echo(f"All {done['newest']} credentials can be read with the newest key alone.")
    if done["keys"] > 1:
        click.echo(
            f"The other {done['keys'] - 1} can be taken out of HOOKFILL_SECRET_KEY, or of "
            "secret.key; then restart all processes."
        )
