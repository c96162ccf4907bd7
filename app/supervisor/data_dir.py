"""The data folder: whose it is, and what lies where in it."""

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.supervisor.console import say
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Signals

#: A log that is longer is put aside, and the one put aside before is dropped.
LOG_BYTES_MAX = 10_000_000
#: What a supervisor that was killed leaves behind ends within this time. What does not, as where no
#: kernel tells of a parent's death, is killed then, and given this time once more.
LEFTOVER_SECONDS = 10
_LEFTOVER_LOOK_SECONDS = 0.1
_MODE = 0o600
#: One link for each open file of each process. Where there is none, nobody is found.
_OPEN_FILES = "[0-9]*/fd/*"


@dataclass(frozen=True, slots=True)
class DataDir:
    """The data folder of one run. Everything in it is readable by its owner only.

    Attributes:
        logs: the folder of the logs, one file a process; it may be somewhere else.
    """

    path: Path
    logs: Path

    @property
    def metrics(self) -> Path:
        """The folder in which processes count together."""
        return self.path / "metrics"

    @property
    def redis(self) -> Path:
        """The folder of the embedded store."""
        return self.path / "redis"

    @property
    def broker(self) -> Path:
        """The folder of the embedded broker; nothing in it is needed by the next run."""
        return self.path / "broker"

    @property
    def run_file(self) -> Path:
        """What tools and tests read about the run."""
        return self.path / "run.json"

    @contextmanager
    def claimed(self, signals: Signals) -> Iterator[int]:
        """Keep others out, and make the folder ready for a new run.

        Yields:
            A file descriptor that children inherit. As long as one of them lives, no other run
            starts, even if this process is killed: two servers must never write one file.

        Raises:
            CannotStart: another run uses the folder.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            own, theirs = opened(self.path / "lock"), opened(self.path / "children.lock")
        except OSError as error:
            raise CannotStart(
                f"{error.filename} cannot be written: {error.strerror}. Choose another folder "
                "with --data-dir."
            ) from error
        with own, theirs:
            self._claim(own.fileno(), theirs.fileno(), signals)
            self._tidy()
            try:
                yield theirs.fileno()
            finally:
                self.run_file.unlink(missing_ok=True)

    def _claim(self, own: int, theirs: int, signals: Signals) -> None:
        if not locked(own):
            pid = os.pread(own, 32, 0).decode().strip() or "unknown"
            raise CannotStart(
                f"Another hookfill up (process {pid}) uses {self.path}. Stop it first, or choose "
                "another folder with --data-dir."
            )
        os.truncate(own, 0)
        os.pwrite(own, str(os.getpid()).encode(), 0)
        # Before any waiting: nobody shall take an earlier run for this one.
        leftovers = self._forget_earlier_run()
        if locked(theirs):
            return
        say("Waiting for the processes of an earlier run to end ...")
        if _locked_within(LEFTOVER_SECONDS, theirs, signals):
            return
        _kill_holders_of(self.path / "children.lock")
        if _locked_within(LEFTOVER_SECONDS, theirs, signals):
            return
        raise CannotStart(
            f"Processes of an earlier run still use {self.path}. End them first: {leftovers}."
        )

    def _forget_earlier_run(self) -> str:
        """Remove its run.json, and return the processes that it names."""
        try:
            pids = json.loads(self.run_file.read_text())["pids"]
            return ", ".join(f"{name} {pid}" for name, pid in pids.items())
        except (OSError, ValueError, KeyError):
            return "their ids are not known"
        finally:
            self.run_file.unlink(missing_ok=True)

    def _tidy(self) -> None:
        # What dead processes have counted would be counted again.
        shutil.rmtree(self.metrics, ignore_errors=True)
        for folder in (self.logs, self.metrics, self.redis, self.broker):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for log in self.logs.glob("*.log*"):
            log.chmod(_MODE)


def folder_named_in(environ: Mapping[str, str]) -> Path:
    """Return the data folder that the settings of a run name, before anything is read or made."""
    return Path(environ.get("HOOKFILL_DATA_DIR", "").strip() or "var").expanduser()


def shorten(log: Path) -> bool:
    """Put a log aside that has become too long, and let it begin anew; return whether it was.

    Its process keeps it open and goes on writing, at the end that is the beginning then. What it
    writes while the log is copied may be lost. Where there is no room for the copy, the log is
    emptied all the same: it must not be what fills the disk.

    Raises:
        OSError: it is not there any more, or cannot be written.
    """
    if log.stat().st_size <= LOG_BYTES_MAX:
        return False
    with suppress(OSError), opened_log(aside := log.with_suffix(".log.1")) as copy:
        copy.truncate(0)
        with log.open("rb") as whole:
            try:
                shutil.copyfileobj(whole, copy)
                copy.flush()
            except OSError:
                aside.unlink(missing_ok=True)
    os.truncate(log, 0)
    return True


def last_lines(log: Path, count: int = 15) -> str:
    """Return the end of a log, without what is older than the last few kilobytes."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(log.stat().st_size - 8192, 0))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    return ""


def opened(path: Path) -> BinaryIO:
    """Open a file that is there to be locked, made if need be."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, _MODE), "r+b")


def opened_log(path: Path) -> BinaryIO:
    """Open a log to write at its end; only its owner can read it.

    Raises:
        OSError: it cannot be opened, or not be made.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE), "ab")


def _locked_within(seconds: float, descriptor: int, signals: Signals) -> bool:
    for _ in range(int(seconds / _LEFTOVER_LOOK_SECONDS)):
        signals.pause(_LEFTOVER_LOOK_SECONDS)
        if locked(descriptor):
            return True
    return False


def locked(descriptor: int) -> bool:
    """Lock an open file as long as it is, and tell whether nobody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kill_holders_of(path: Path) -> None:
    """Kill the other processes that have this file open; what they had begun is found again."""
    wanted = str(path.resolve())
    holders = set()
    for link in Path("/proc").glob(_OPEN_FILES):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if str(link.readlink()) == wanted:
                holders.add(int(link.parts[-3]))
    for pid in holders - {os.getpid()}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
