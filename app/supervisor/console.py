"""What a person sees of a run."""

import json
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from app.settings import Settings
from app.supervisor.run_file import Run

PROMISES = {
    "always": "what is acknowledged is on the disk",
    "everysec": "a power failure may take the last second of what was acknowledged "
    "(HOOKFILL_APPENDFSYNC=everysec)",
}
TEST_PROFILE = (
    "TEST PROFILE (--fast): short leases, no rate limits, clock and faults open to whoever has "
    "the admin token. For tests only, never with real money."
)


def say(text: str) -> None:
    """Write to the console at once, even if it is a pipe.

    Where it cannot be written, as to a file on a full disk, it is left out: nobody shall be
    stopped by what is told of it.
    """
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def is_terminal() -> bool:
    """Tell whether a person reads this now; what goes elsewhere is kept, and read by others."""
    return sys.stdout.isatty()


def greeting(run: Run, settings: Settings, run_file: Path) -> str:
    """Return what is shown when everything is ready; credentials are for a terminal only."""
    lines = [
        "",
        "Hookfill is ready. Ctrl-C stops it.",
        "",
        f"  Dashboard and API  {run.base_url}",
        f"  Flower             {run.flower_url}/   user {run.flower_user}",
        f"  Passwords, token   {run_file}: flower_password, admin_token",
        f"  Logs               {settings.log_dir}",
        f"  Promise            {PROMISES[settings.appendfsync]}",
    ]
    if settings.fast:
        lines += ["", TEST_PROFILE]
    command = first_signal(run)
    if command and not is_terminal():
        lines += ["", f"The credentials of the demo accounts are in {run_file}: demo"]
    elif command:
        lines += [
            "",
            "Send a first signal (play money), then look with `hookfill orders`:",
            "",
            command,
        ]
    return "\n".join([*lines, ""])


def first_signal(run: Run) -> str:
    """Return a command to paste that buys on the demo account, or nothing if there is none."""
    crypto_arsenal = run.demo.get("crypto_arsenal")
    spot = crypto_arsenal.get("spot") if isinstance(crypto_arsenal, Mapping) else None
    if not isinstance(spot, Mapping):
        return ""
    body = json.dumps({"log": "Buy", "action": "buy", "percent": "10", **spot})
    return (
        f"curl -sS {run.base_url}/trading-signal/webhook "
        f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    )
