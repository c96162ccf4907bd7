"""What a look at the installation has found, for people."""

import sys

import click

from app.cli.api import Record
from app.cli.tables import text

_MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


def show_findings(answer: Record) -> None:
    """Print one finding a line, each with its fix; exit with 1 if anything is wrong."""
    for row in answer["findings"]:
        about = " ".join(str(one) for one in (row.get("account"), row["check"]) if one)
        mark = _MARKS.get(str(row["grade"]), text(row["grade"]))
        click.echo(f"{mark}  {text(about)}: {text(row['message'])}")
        if row.get("fix"):
            click.echo(f"         Fix: {text(row['fix'])}")
    sys.exit(0 if answer["ok"] else 1)
