"""`hookfill backup` and `hookfill restore`."""

import os
from pathlib import Path

import click

from app.bootstrap import note_restored
from app.domain.errors import StoreError
from app.settings import BadSetting
from app.supervisor.backup import CannotCopy, back_up
from app.supervisor.backup import restore as restore_folder

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--data-dir", type=click.Path(), help="What to back up; `var` by default.")
def backup(file: Path, data_dir: str | None) -> None:
    """Copy store, history and secret key into FILE, while Hookfill runs or not.

    The file holds all credentials and the key to them: keep it as safe as the data folder.
    """
    try:
        elsewhere = back_up(file, _environ(data_dir))
    except BadSetting as error:
        raise click.UsageError(str(error)) from error
    except (CannotCopy, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file} has everything of it.")
    for sentence in elsewhere:
        click.echo(f"But not this: {sentence}")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--data-dir", required=True, type=click.Path(), help="The folder to make; empty.")
def restore(file: Path, data_dir: str) -> None:
    """Make a data folder of what `hookfill backup` has written.

    Accounts with real money start frozen in it: see `hookfill recover`.
    """
    try:
        restore_folder(file, Path(data_dir), lambda draft: note_restored(_environ(str(draft))))
    except BadSetting as error:
        raise click.UsageError(str(error)) from error
    except (CannotCopy, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{data_dir} is ready for `hookfill up --data-dir {data_dir}`. Nothing is sent for "
        "accounts with real money until you have looked, and released them, with "
        "`hookfill recover`."
    )


def _environ(data_dir: str | None) -> dict[str, str]:
    return dict(os.environ) if data_dir is None else {**os.environ, "HOOKFILL_DATA_DIR": data_dir}
