"""`hookfill backup`, `hookfill restore` and `hookfill repair`."""

import os
from pathlib import Path

import click

from app.bootstrap import note_restored
from app.domain.errors import StoreError
from app.settings import BadSetting
from app.supervisor.backup import CannotCopy, back_up
from app.supervisor.backup import restore as restore_folder
from app.supervisor.repair import CannotRepair
from app.supervisor.repair import repair as repair_folder

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


@click.command()
@click.option("--data-dir", type=click.Path(), help="What to repair; `var` by default.")
def repair(data_dir: str | None) -> None:
    """Cut off what is damaged of the store's file, so that it starts; a copy is made first.

    While Hookfill does not run. Accounts with real money start frozen after it: see `hookfill
    recover`.
    """
    environ = _environ(data_dir)
    try:
        done = repair_folder(environ, lambda: note_restored(environ))
    except BadSetting as error:
        raise click.UsageError(str(error)) from error
    except (CannotRepair, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if done is None:
        click.echo(
            "The store's file has no damage that keeps it from starting. Nothing was changed."
        )
        return
    damage = done.damage
    click.echo(
        f"{damage.file} made no sense from byte {damage.whole} on: {damage.size - damage.whole} of "
        f"{damage.size} bytes were cut off. All as it was is in {done.copy}.\n"
        "What they said is not known any more: requests that were acknowledged last, what became "
        "of orders, changes of accounts and connectors. A backup may have some of it.\n"
        "Start `hookfill up`. Nothing is sent for accounts with real money until you have looked, "
        "and released them, with `hookfill recover`. Accounts of play money go on from there."
    )


def _environ(data_dir: str | None) -> dict[str, str]:
    return dict(os.environ) if data_dir is None else {**os.environ, "HOOKFILL_DATA_DIR": data_dir}
