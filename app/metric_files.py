"""The files in which each process counts, and the sum of those whose processes have ended.

A process has a file of 64 KiB for each kind of metric, and all are read at each scrape.
"""

import fcntl
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final

import structlog
from prometheus_client.mmap_dict import MmapedDict

#: The library's own variable.
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
#: Kinds whose values add up. There are no others.
_KINDS: Final = ("counter", "histogram")


#: Whoever holds the files for longer stands still, and changes nothing either.
_PATIENCE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.02

_log = structlog.get_logger()


def tidy() -> None:
    """Sum up what ended processes have counted, so that only the living have files of their own.

    Any process may do so at any time. No value changes by it; what is stopped halfway is undone or
    done by the next one.
    """
    with tidied():
        pass


@contextmanager
def tidied() -> Iterator[None]:
    """Tidy the files, and let nobody change them meanwhile.

    Where somebody has stopped while at it, or nothing can be locked, they are left as they are.
    """
    if FOLDER not in os.environ:
        yield
        return
    folder = Path(os.environ[FOLDER])
    with (folder / "metric_files.lock").open("w") as lock:
        if _is_locked(lock):
            for kind in _KINDS:
                _sum_up(folder, kind)
        yield


def _is_locked(lock: IO[str]) -> bool:
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                return False
            time.sleep(_LOOK_SECONDS)  # a web process serves others meanwhile
        except OSError as error:
            _tell(str(error))
            return False
        else:
            return True


@cache
def _tell(why: str) -> None:
    """Say once why the files of ended processes stay, and so become more and more."""
    _log.warning("metric_files_not_locked", why=why)


def _sum_up(folder: Path, kind: str) -> None:
    """Put what the ended have counted into one file.

    While the new sum is there, the old one counts, and so do the files; without it those that were
    set aside are in the sum.
    """
    total, new = folder / f"{kind}_ended.db", folder / f"{kind}_ended.new"
    for aside in folder.glob(f"{kind}_*.aside"):
        if new.exists():
            aside.replace(aside.with_suffix(".db"))
        else:
            aside.unlink()
    new.unlink(missing_ok=True)
    ended = [file for file in folder.glob(f"{kind}_*.db") if _has_ended(file)]
    if not ended:
        return
    _write(new, _sums([*ended, *folder.glob(total.name)]))
    for file in ended:
        file.replace(file.with_suffix(".aside"))
    new.replace(total)
    for file in ended:
        file.with_suffix(".aside").unlink()


def _has_ended(file: Path) -> bool:
    pid = re.search(r"_(\d+)\.db$", file.name)
    if pid is None:
        return False
    try:
        os.kill(int(pid[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's has its number now
    return False


def _sums(files: list[Path]) -> dict[str, float]:
    """Return the values of all files: the library's name of a sample → its sum."""
    sums: dict[str, float] = defaultdict(float)
    for file in files:
        if file.stat().st_size:  # else it ended before it counted
            for key, value, _, _ in MmapedDict.read_all_values_from_file(file):
                sums[key] += value
    return sums


def _write(file: Path, values: dict[str, float]) -> None:
    content = MmapedDict(str(file))
    for key, value in values.items():
        content.write_value(key, value, 0.0)
    content.close()
