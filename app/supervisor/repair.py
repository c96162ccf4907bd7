"""`hookfill repair`: cut off what is damaged of the store's append-only file, with a copy first.

A power failure on a disk that lies, or a bad sector, leaves bytes that no server reads, and it does
not start. All before them is whole.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from app.supervisor.data_dir import folder_named_in, locked, opened

_STORE, _FILES = "redis", "appendonlydir"
_MANIFEST = "appendonly.aof.manifest"

#: A row of the manifest: a file, its number, and whether it is the base or what came after it.
_ROW = re.compile(r"file (\S+) seq \d+ type ([bi])\b")
#: How a base begins that is a snapshot: it has a checksum, and the server looks at that.
_SNAPSHOTS = (b"REDIS", b"VALKEY")

#: Numbers in the file are shorter, with their sign and the end of the line.
_NUMBER_WIDTH = 24
#: What is read at once of a value.
_PIECE = 2**20


class CannotRepair(Exception):
    """Nothing was changed; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a file stops making sense.

    Attributes:
        file: which one.
        whole: the bytes before that, up to the end of a command or of a transaction.
        size: of the file, in bytes.
        is_torn: it only ends too early; a server cuts that off by itself.
    """

    file: Path
    whole: int
    size: int
    is_torn: bool


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done.

    Attributes:
        damage: what was cut off.
        copy: the folder that has the store's files as they were.
    """

    damage: Damage
    copy: Path


def repair(environ: Mapping[str, str], prepare: Callable[[], None]) -> Repaired | None:
    """Cut off what is damaged, or return None if nothing is that keeps the store from starting.

    Stopped halfway it may be begun anew; the copy is there before anything is cut off.

    Args:
        environ: the settings of the run.
        prepare: called before anything is cut off.

    Raises:
        CannotRepair: the store runs, or is elsewhere, or nothing can be made of its files.
        OSError: there is no room for the copy, for instance.
    """
    if environ.get("REDIS_URL", "").strip():
        raise CannotRepair(
            "The store is at REDIS_URL: stop all of Hookfill, copy its append-only files where it "
            "runs, and repair them there with redis-check-aof --fix (docs/backup.md)."
        )
    folder = folder_named_in(environ)
    if not (folder / _STORE / _FILES / _MANIFEST).is_file():
        raise CannotRepair(f"There is no store in {folder}. Name the folder with --data-dir.")
    with _nobody_in(folder):
        damage = _damage_of(folder / _STORE / _FILES)
        if damage is None or damage.is_torn:
            return None
        copy = _copied(folder / _STORE)
        prepare()
        with damage.file.open("r+b") as file:
            file.truncate(damage.whole)
            os.fsync(file.fileno())
        return Repaired(damage, copy)


def damage_in(path: Path) -> Damage | None:
    """Return where a file of commands stops making sense, or None if all of it does."""
    size = path.stat().st_size
    whole = 0
    with path.open("rb") as file:
        if file.peek(1).startswith(_SNAPSHOTS):
            return None
        is_open = False  # within a transaction
        try:
            while file.tell() < size:
                name = _read_command(file)
                is_open = name == b"MULTI" or (is_open and name != b"EXEC")
                if not is_open:
                    whole = file.tell()
        except EOFError:
            return Damage(path, whole, size, is_torn=True)
        except ValueError:
            return Damage(path, whole, size, is_torn=False)
    return Damage(path, whole, size, is_torn=True) if whole < size else None


@contextmanager
def _nobody_in(folder: Path) -> Iterator[None]:
    """Keep `hookfill up` out meanwhile."""
    with opened(folder / "lock") as own, opened(folder / "children.lock") as theirs:
        if not (locked(own.fileno()) and locked(theirs.fileno())):
            raise CannotRepair(f"Hookfill runs in {folder}, or a backup is made of it. Stop it.")
        yield


def _damage_of(folder: Path) -> Damage | None:
    files = [folder / name for name, _ in _ROW.findall((folder / _MANIFEST).read_text())]
    missing = [file.name for file in files if not file.is_file()]
    if not files or missing:
        raise CannotRepair(f"{', '.join(missing) or _MANIFEST} is missing. {_RESTORE}")
    *others, last = files
    for file in others:
        if damage_in(file) is not None:
            # What follows in the other files was meant for a store that had all of this one.
            raise CannotRepair(f"{file.name} is damaged, which others follow. {_RESTORE}")
    return damage_in(last)


_RESTORE = "Nothing can be made of that: restore a backup (docs/backup.md)."


def _copied(store: Path) -> Path:
    """Copy the store's folder beside it; under its name the copy is whole."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    copy = store.with_name(f"{store.name}-damaged-{moment}")
    draft = store.with_name(f".{copy.name}.{os.getpid()}")
    try:
        shutil.copytree(store, draft)
        draft.chmod(0o700)
        for path in draft.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        draft.rename(copy)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return copy


def _read_command(file: BufferedReader) -> bytes:
    """Read one command, and return its name in capitals; of a remark return nothing.

    Raises:
        EOFError: the file ends within it.
        ValueError: it is no command.
    """
    if file.peek(1)[:1] == b"#":  # a time stamp
        if not file.readline(_PIECE).endswith(b"\r\n"):
            raise EOFError
        return b""
    count = _read_number(file, b"*")
    if count < 1:
        raise ValueError
    name = b""
    for place in range(count):
        left = _read_number(file, b"$")
        if place == 0 and left < _NUMBER_WIDTH:
            name = file.read(left)
            left -= len(name)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                raise EOFError
            left -= len(piece)
        _expect(file.read(2), b"\r\n")
    return name.upper()


def _read_number(file: BufferedReader, sign: bytes) -> int:
    line = file.readline(_NUMBER_WIDTH)
    if not line.endswith(b"\n") and len(line) < _NUMBER_WIDTH and sign.startswith(line[:1]):
        raise EOFError
    _expect(line[:1] + line[-2:], sign + b"\r\n")
    digits = line[1:-2]
    if not digits.isdigit():
        raise ValueError
    return int(digits)


def _expect(found: bytes, expected: bytes) -> None:
    if found != expected:
        raise EOFError if len(found) < len(expected) and expected.startswith(found) else ValueError
