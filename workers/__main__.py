"""Runs a worker or beat as Celery's own command would, without loading all that it could do else.

    python -m workers worker -n worker@%h -Q urgent,orders,events
    python -m workers beat

That command loads each of its subcommands, and Flower's too: 12 to 20 MB of every process.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from celery.bin.base import CLIContext

#: Command → the module that has the Celery app which it runs.
_APPS = {"worker": "workers.celery_app", "beat": "workers.light_app"}


def main(arguments: Sequence[str]) -> None:
    """Run one, and exit when it ends."""
    name, *options = arguments or [""]
    if name not in _APPS:
        sys.exit("usage: python -m workers worker|beat [OPTION ...], as of `celery`")
    command: Any = getattr(import_module(f"celery.bin.{name}"), name)
    app = import_module(_APPS[name]).celery_app
    command.main(options, prog_name=name, obj=CLIContext(app, no_color=True, workdir=None))


if __name__ == "__main__":
    main(sys.argv[1:])
