"""What a worker is called: by a name that no other worker of its machine has."""

import fcntl
import os
from itertools import count
from pathlib import Path

import structlog

_log = structlog.get_logger()

#: As long as they are open, their names are taken.
_taken: list[int] = []


def own_name(wanted: str, folder: Path) -> str:
    """Return a name like this one that nobody on this machine has; it is this process's for life.

    The second worker of a line of the Procfile is `worker-2@host`: Flower, and whoever asks after
    the workers, would take two of one name for one. A worker that is started anew in the place of
    another one gets its name. Where nothing can be written or locked, as on some file systems of a
    network, the name stays as it is.

    Args:
        wanted: the name and the host, with `@` between them.
        folder: of this installation, on this machine.
    """
    name, at, host = wanted.partition("@")
    for number in count(1):
        found = wanted if number == 1 else f"{name}-{number}{at}{host}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(folder / f"{found}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            break
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        except OSError as error:
            os.close(file)
            _log.warning("worker_names_not_locked", folder=str(folder), why=str(error))
            break
        else:
            _taken.append(file)
            return found
    return wanted
