"""The demo accounts: the one place where a run has them made."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.supervisor.data_dir import last_lines, opened_log
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Signals

#: Calls `app.demo.seed` and prints what it returns.
SEED_COMMAND = (sys.executable, "-m", "app.supervisor.seeding")

_LOOK_SECONDS = 0.1


def seeded(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    signals: Signals,
) -> dict[str, object]:
    """Have the demo accounts made, if they are not there yet.

    Returns:
        Dialect → what a caller of it needs, as `run.json` shows it.

    Raises:
        CannotStart: it did not work.
    """
    with (
        opened_log(log) as errors,
        subprocess.Popen(  # noqa: S603  our own command
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            # The answer is short: it fits the pipe, so nobody waits for a reader.
            while process.poll() is None:
                signals.pause(_LOOK_SECONDS)
            answer = process.stdout.read() if process.stdout else b""
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CannotStart(f"The demo accounts could not be made:\n{last_lines(log)}")
    demo: dict[str, object] = json.loads(answer)
    return demo
