"""Which processes run: the lines of the Procfile, which is the one list of them."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from app.settings import own
from app.supervisor.children import Program
from app.supervisor.refusals import CannotStart

#: The checkout: Procfile and `deploy/` lie there, and commands are run from there.
CHECKOUT = Path(__file__).parents[2]

#: The web server and workers end what they have begun, for a few seconds each. Flower 2.2 does not
#: end on SIGTERM by itself; it holds nothing that could be lost.
PATIENCE_SECONDS = {"web": 20.0, "worker": 20.0, "flower": 1.0}
_PATIENCE_SECONDS = 5.0

_LINE = re.compile(r"^([\w-]+):\s*(.+)$", re.MULTILINE)


def programs(folder: Path, environment: Mapping[str, str], logs: Path) -> list[Program]:
    """Return the program of each line of the Procfile in a folder, in its order.

    The first line whose name begins with `worker` is `worker`, the next ones are `worker-2` and so
    on.

    Raises:
        CannotStart: there is no Procfile.
    """
    path = folder / "Procfile"
    try:
        lines = _LINE.findall(path.read_text())
    except FileNotFoundError as error:
        raise CannotStart(
            f"There is no {path}: hookfill up runs from a checkout of the repository. "
            "Install Hookfill with `pip install -e .`, or run its processes as deploy/ shows."
        ) from error
    names = _process_names([name for name, _ in lines])
    return [
        Program(
            name=name,
            # The shell expands variables and is then replaced, so that the process id stays.
            command=("/bin/sh", "-c", f"exec env {command}"),
            environment=environment,
            folder=folder,
            log=logs / f"{name}.log",
            patience_seconds=PATIENCE_SECONDS.get(kind(name), _PATIENCE_SECONDS),
        )
        for name, (_, command) in zip(names, lines, strict=True)
    ]


def kind(name: str) -> str:
    """Return what sort of process a name means: `worker-2` is a `worker`."""
    return name.partition("-")[0]


def environment_of_children(
    given: Mapping[str, str], resolved: Mapping[str, str]
) -> dict[str, str]:
    """Return what children find in their environment.

    Args:
        given: the environment of the supervisor; what is foreign in it stays behind.
        resolved: what it has decided: variable → value.
    """
    scripts = Path(sys.executable).parent
    return {
        **own(given),
        **resolved,
        # The scripts of this environment first, whether or not it was activated.
        "PATH": f"{scripts}{os.pathsep}{given.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }


def _process_names(names: list[str]) -> list[str]:
    workers = [name for name in names if name.startswith("worker")]
    renamed = {
        name: "worker" if number == 1 else f"worker-{number}"
        for number, name in enumerate(workers, start=1)
    }
    return [renamed.get(name, name) for name in names]
