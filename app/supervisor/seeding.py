"""Makes the demo accounts; run as a process of its own, as it loads what a supervisor need not."""

import json
import os
import sys

from app import logs
from app.demo import seed
from app.domain.errors import HookfillError
from app.settings import Settings


def main() -> int:
    """Seed and print what the callers of the demo accounts need, as JSON."""
    # Logs go to standard output, so that is turned away from the answer first.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    settings = Settings.from_environment(os.environ)
    logs.configure("seed", settings.log_level)
    try:
        demo = seed(settings)
    except HookfillError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with answer:
        json.dump(demo, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
