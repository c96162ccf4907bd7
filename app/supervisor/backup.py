"""`hookfill backup` and `hookfill restore`: everything that a data folder has to keep, in one file.

The store is copied first, then the history. What has left the store meanwhile is in the history
then; the other way round it would be in neither.
"""

import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePosixPath

from app.settings import HISTORY_FILE, KEY_FILE, Settings
from app.store.core.copying import rewrites_stopped
from app.supervisor.data_dir import folder_named_in, locked, opened

#: Says what the file is; the number rises when what is in it changes.
_LABEL = "hookfill-backup.json"
_FORMAT = 1

#: Where the store's files are, and what of that folder is made anew at each start.
_STORE = "redis"
_NOT_KEPT = {"redis.conf"}

_MODE, _FOLDER_MODE = 0o600, 0o700


class CannotCopy(Exception):
    """There is no backup, or nothing was restored; the message says why, and what to do."""


def back_up(target: Path, environ: Mapping[str, str]) -> list[str]:
    """Copy the store, the history and the secret key of a data folder into one file, mode 0600.

    It may be in use, or not. Stopped halfway, there is no file of this name.

    Args:
        target: the file, which must not be there yet.
        environ: the settings of the run.

    Returns:
        Sentences about what is kept elsewhere, and must be backed up there.

    Raises:
        CannotCopy: there is nothing to copy, or something is in the way.
        StoreUnavailable: the store did not answer.
    """
    folder = folder_named_in(environ)
    if environ.get("REDIS_URL", "").strip():
        raise CannotCopy(
            "The store is at REDIS_URL, not in the data folder: copy its append-only files where "
            "it runs, or take a snapshot of its disk; then the history (docs/backup.md)."
        )
    if not (folder / _STORE).is_dir():
        raise CannotCopy(f"There is no store in {folder}. Name the folder with --data-dir.")
    settings = Settings.from_environment(environ)  # it makes a key where there is none
    if target.exists():
        raise CannotCopy(f"{target} is there already. Choose another name.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _alone(folder), _new_file(draft) as file, tarfile.open(fileobj=file, mode="w") as tar:
            _add_text(tar, _LABEL, json.dumps({"format": _FORMAT}))
            with _standing_store(folder):
                _add_store(tar, folder)
            _add_history(tar, folder, settings, draft.parent)
            if (folder / KEY_FILE).exists():
                _add(tar, folder / KEY_FILE, KEY_FILE)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return list(_kept_elsewhere(settings, folder))


def restore(source: Path, folder: Path, prepare: Callable[[Path], None]) -> None:
    """Make a new data folder of a backup. Stopped halfway, there is no folder of this name.

    Args:
        source: the file.
        folder: absent or empty.
        prepare: called with the folder under another name, before it gets its own.

    Raises:
        CannotCopy: the folder is there already, or the file is no backup.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotCopy(f"{folder} is not empty. Choose another folder, or move it away first.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with _opened(source) as tar:
            for member in tar:
                _extract(tar, member, draft)
        prepare(draft)
        if folder.exists():
            folder.rmdir()
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no two backups of one folder overlap: the first to end would let the store rewrite."""
    with _locked(folder / "backup.lock") as is_ours:
        if not is_ours:
            raise CannotCopy(f"Another backup of {folder} is being made.")
        yield


@contextmanager
def _standing_store(folder: Path) -> Iterator[None]:
    """Keep the store's files as they are, but for what is added to them if it runs."""
    in_between = f"Hookfill is starting or stopping in {folder}. Try again in a moment."
    with _locked(folder / "children.lock") as nobody_lives:
        pass
    if nobody_lives:
        with _locked(folder / "lock") as is_ours:  # who wants to start now is told so
            if not is_ours:
                raise CannotCopy(in_between)
            yield
        return
    try:
        url = json.loads((folder / "run.json").read_text())["redis_url"]
    except (OSError, ValueError, KeyError) as error:
        raise CannotCopy(in_between) from error
    with rewrites_stopped(url):
        yield


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Lock a file, and yield whether nobody else has."""
    with opened(path) as lock:
        yield locked(lock.fileno())


def _add_store(tar: tarfile.TarFile, folder: Path) -> None:
    found = [path for path in sorted((folder / _STORE).rglob("*")) if path.is_file()]
    if not any(path.name.startswith("appendonly") for path in found):
        raise CannotCopy(f"There is no append-only file in {folder / _STORE}: nothing to back up.")
    for path in found:
        name = path.relative_to(folder)
        if path.name not in _NOT_KEPT and not path.name.startswith("temp-"):
            _add(tar, path, str(PurePosixPath(name)))


def _add_history(tar: tarfile.TarFile, folder: Path, settings: Settings, beside: Path) -> None:
    """Copy the history by SQLite's own means: the file alone lacks what is in its log."""
    path = folder / HISTORY_FILE
    if settings.database_url != f"sqlite:///{path.absolute()}" or not path.exists():
        return
    descriptor, name = tempfile.mkstemp(prefix=".hookfill-history.", dir=beside)
    os.close(descriptor)
    copy = Path(name)
    try:
        with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copy)) as there:
            here.backup(there)
        _add(tar, copy, HISTORY_FILE)
    finally:
        for one in copy.parent.glob(f"{copy.name}*"):
            one.unlink(missing_ok=True)


def _kept_elsewhere(settings: Settings, folder: Path) -> Iterator[str]:
    if not settings.database_url.startswith("sqlite:"):
        yield "The history is in PostgreSQL: run pg_dump now, after this, never before."
    elif settings.database_url != f"sqlite:///{(folder / HISTORY_FILE).absolute()}":
        yield "DATABASE_URL names another file: back it up now with sqlite3's .backup command."
    if not (folder / KEY_FILE).exists():
        yield "The secret key is in HOOKFILL_SECRET_KEY: keep it; without it no credential is read."


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file as long as it is now, though it may grow meanwhile."""
    with path.open("rb") as file:
        info = tarfile.TarInfo(name)
        info.size, info.mode = os.fstat(file.fileno()).st_size, _MODE
        info.mtime = int(os.fstat(file.fileno()).st_mtime)
        tar.addfile(info, file)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(text.encode()), _MODE
    tar.addfile(info, io.BytesIO(text.encode()))


@contextmanager
def _new_file(path: Path) -> Iterator[io.BufferedWriter]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as tar:
            label = tar.extractfile(_LABEL)
            if label is None or json.loads(label.read())["format"] != _FORMAT:
                raise CannotCopy(f"{source} is a backup of a newer release.")
            yield tar
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise CannotCopy(f"{source} is no whole backup of Hookfill: {error}") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, draft: Path) -> None:
    """Write one file. Nothing but plain files below the folder is taken."""
    name = PurePosixPath(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts:
        raise CannotCopy(f"The backup has {member.name!a}, which no backup has.")
    if member.name == _LABEL:
        return
    path = draft / name
    for parent in reversed(path.relative_to(draft).parents[:-1]):
        with suppress(FileExistsError):
            (draft / parent).mkdir(mode=_FOLDER_MODE)
    content = tar.extractfile(member)
    with _new_file(path) as file:
        if content is not None:
            shutil.copyfileobj(content, file)
