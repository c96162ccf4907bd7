"""The logs of the children: their errors, as short lines for the console, and their length."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.supervisor.data_dir import shorten

#: At most this many lines in so many seconds; the rest is only counted.
LINES_MAX = 5
WINDOW_SECONDS = 10.0
#: What one look reads of a log at most; a flood is cut.
_BYTES_MAX = 65_536
_WIDTH_MAX = 160
_LEVELS = frozenset({"error", "critical"})
#: Fields that say which thing an error is about.
_TELLING = ("order_id", "account", "venue", "error")


class Logbook:
    """Reads what is new in a folder of logs, and keeps them short."""

    def __init__(self, folder: Path, seconds: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._seconds = seconds
        self._read = {log: log.stat().st_size for log in folder.glob("*.log")}
        self._window_ends_at = seconds()
        self._told = 0
        self._untold = 0

    def news(self) -> Iterator[str]:
        """Return a line for each new error, up to a limit."""
        if self._seconds() >= self._window_ends_at:
            self._window_ends_at = self._seconds() + WINDOW_SECONDS
            untold, self._told, self._untold = self._untold, 0, 0
            if untold:
                yield f"... and {untold} more errors; see {self._folder}"
        for line in self._errors():
            if self._told < LINES_MAX:
                self._told += 1
                yield line
            else:
                self._untold += 1

    def _errors(self) -> Iterator[str]:
        for log in sorted(self._folder.glob("*.log")):
            for line in self._new_lines(log):
                if error := _error_in(line):
                    yield f"{log.stem}: {error}"[:_WIDTH_MAX]

    def _new_lines(self, log: Path) -> list[str]:
        try:
            return self._read_on(log)
        except OSError:  # it was removed meanwhile, or cannot be opened now: next time
            return []

    def _read_on(self, log: Path) -> list[str]:
        begin, end = self._read.get(log, 0), log.stat().st_size
        if end == begin:
            return []
        if end < begin:  # it has begun anew
            begin = 0
        with log.open("rb") as file:
            file.seek(max(begin, end - _BYTES_MAX))
            text = file.read(_BYTES_MAX)
        # A line that is still being written is read next time.
        whole = text[: text.rfind(b"\n") + 1]
        self._read[log] = end - (len(text) - len(whole))
        if shorten(log):
            self._read[log] = 0
        return whole.decode(errors="replace").splitlines()


def _error_in(line: str) -> str | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or event.get("level") not in _LEVELS:
        return None
    about = [f"{name}={event[name]}" for name in _TELLING if name in event]
    last = str(event.get("exception", "")).strip().rpartition("\n")[2]
    # Libraries put whole tracebacks into their events; the console gets one line.
    return " ".join(" ".join([str(event.get("event", "")), *about, last]).split())
