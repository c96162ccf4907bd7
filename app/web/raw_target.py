"""The request target as it was sent: what signatures cover."""

from collections.abc import Mapping
from typing import Any


def raw_target_of(environ: Mapping[str, Any]) -> str:
    """Return path and query of a request exactly as they were sent, one character for each byte.

    The web server hands it over (`RAW_URI` of gunicorn, `REQUEST_URI` elsewhere). Where it does
    not, path and query are put together again, which differs where the path was escaped.
    """
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw)
    query = environ.get("QUERY_STRING", "")
    return f"{environ.get('PATH_INFO', '')}{'?' if query else ''}{query}"
