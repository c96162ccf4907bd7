"""`run.json`: what tools, tests and people need to know of a run (docs/api.md)."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of everything.

    Attributes:
        pids: name of a process → the id of its main process.
        demo: dialect → what a caller of the demo accounts needs.
    """

    base_url: str
    flower_url: str
    flower_user: str
    flower_password: str = field(repr=False)
    redis_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    admin_token: str = field(repr=False)
    pids: Mapping[str, int]
    demo: Mapping[str, object] = field(repr=False)


def write_run_file(path: Path, run: Run) -> None:
    """Put the file in place, whole and readable by its owner only, whoever reads it meanwhile.

    Raises:
        OSError: it could not be written; one that was there stays as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(run), file, indent=2)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
