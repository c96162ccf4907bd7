"""The command line: `hookfill ...`."""

from app.cli.commands import main

__all__ = ["main"]
