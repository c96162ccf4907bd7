"""One child process with all its descendants: started, restarted when it died, stopped in time.

Every child leads a process group of its own. What it leaves behind when it dies (web processes
of a killed web server, pool processes of a killed worker) is in that group and is killed with it
before a new one starts: two generations never work side by side.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.supervisor.data_dir import opened_log
from app.supervisor.kernel import die_with_parent

#: Pause before a restart, doubled with each death in a row.
BACKOFF_SECONDS_MIN = 0.2
BACKOFF_SECONDS_MAX = 2.0
#: A child that has lived this long was well; its next death is the first again.
WELL_SECONDS = 10.0
#: More doublings than that change nothing.
_DOUBLINGS_MAX = 8

_GROUP_LOOKS = 200
_GROUP_LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a child runs.

    Attributes:
        log: the file that gets all its output.
        patience_seconds: how long it may take to stop before it is killed.
        orphaned_by: the signal that it gets when the supervisor is killed. Nobody is left then to
            see whether it ends, and without store and broker a worker waits for long.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    patience_seconds: float
    orphaned_by: signal.Signals = signal.SIGKILL


class Child:
    """A program that should run.

    Attributes:
        program: what it runs.
        deaths: how often in a row it has died soon after its start, or could not be started.
    """

    def __init__(self, program: Program, inherited: Sequence[int] = ()) -> None:
        self.program = program
        self.deaths = 0
        self._inherited = tuple(inherited)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at: float | None = None
        self._kill_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the main process, or None while there is none."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Run the program now.

        Raises:
            OSError: the machine does not allow it: its disk is full, or it has too many processes.
        """
        with opened_log(self.program.log) as log:
            self._process = subprocess.Popen(  # noqa: S603  the commands are our own
                self.program.command,
                env=dict(self.program.environment),
                cwd=self.program.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                pass_fds=self._inherited,
                # The supervisor has one thread, so this is safe here.
                preexec_fn=partial(die_with_parent, self.program.orphaned_by),  # noqa: PLW1509
            )
        self._started_at = time.monotonic()
        self._restart_at = None

    def tend(self) -> str | None:
        """Bury the child if it has died, and start it again when its pause is over.

        A child that was merely stopped (SIGSTOP) has not died. One that cannot be started is
        tried again, however long that takes.

        Returns:
            What has just happened to it, for instance `was killed by SIGKILL`.
        """
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            try:
                self.start()
            except OSError as error:
                self._restart_later()
                return f"cannot be started ({error})"
        elif self._process is not None and self._process.poll() is not None:
            return self._bury(self._process)
        return None

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the main process; from now on nothing is restarted."""
        self._restart_at = None
        self._kill_at = time.monotonic() + self.program.patience_seconds
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            # One that was stopped must run to see the signal.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGCONT)

    def has_ended(self) -> bool:
        """Tell whether nothing of it is left; after its patience is over it is killed."""
        if self._process is None:
            return True
        if self._process.poll() is None:
            if self._kill_at is None or time.monotonic() < self._kill_at:
                return False
            self.kill()
            return True
        end_group(self._process.pid)
        self._process = None
        return True

    def kill(self) -> None:
        """Kill it with all its descendants, now."""
        self._restart_at = None
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        end_group(self._process.pid)
        self._process = None

    def _bury(self, process: subprocess.Popen[bytes]) -> str:
        end_group(process.pid)
        self._process = None
        if time.monotonic() - self._started_at >= WELL_SECONDS:
            self.deaths = 0
        self._restart_later()
        return _manner_of_death(process.returncode)

    def _restart_later(self) -> None:
        doublings = min(self.deaths, _DOUBLINGS_MAX)
        pause = min(BACKOFF_SECONDS_MIN * 2**doublings, BACKOFF_SECONDS_MAX)
        self.deaths += 1
        self._restart_at = time.monotonic() + pause


def end_group(group: int) -> None:
    """Kill what is left of a process group whose leader is dead, and wait until it is gone."""
    for _ in range(_GROUP_LOOKS):
        with suppress(ChildProcessError):
            while os.waitpid(-group, os.WNOHANG)[0]:
                pass
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(_GROUP_LOOK_SECONDS)


def _manner_of_death(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"exited with code {code}"
