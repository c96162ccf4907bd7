"""Ask the server of a container how it is; exit 0 if it is well.

Run as `python deploy/healthy.py web`, or `flower`. It asks this machine and no proxy, whatever the
environment names, since `http.client` knows none.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

SECONDS = 2.0

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  read, not bound


def question(process: str) -> tuple[str, int, str]:
    """Return host, port and path."""
    if process == "flower":
        host = os.environ.get("HOOKFILL_FLOWER_ADDRESS") or "127.0.0.1"
        port = int(os.environ.get("HOOKFILL_FLOWER_PORT") or 5555)
        prefix = (os.environ.get("HOOKFILL_FLOWER_URL_PREFIX") or "").strip("/")
        return host, port, f"/{prefix}/healthcheck" if prefix else "/healthcheck"
    port_text = os.environ.get("PORT", "")
    usual = f"127.0.0.1:{port_text if port_text.isdecimal() else 8000}"
    bind = urlsplit("//" + (os.environ.get("HOOKFILL_BIND") or usual))
    return bind.hostname or "127.0.0.1", bind.port or 8000, "/healthz"


def main() -> None:
    """Ask once."""
    host, port, path = question(sys.argv[1])
    connection = http.client.HTTPConnection(_LOOPBACK.get(host, host), port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{path} is not answered: {error}")
    if status != http.HTTPStatus.OK:
        sys.exit(f"{path} answers {status}")


if __name__ == "__main__":
    main()
