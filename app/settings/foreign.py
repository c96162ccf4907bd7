"""Variables that a library would obey by itself, though nobody set them for Hookfill.

Container engines name variables after whatever runs beside them (`FLOWER_PORT=tcp://10.0.0.1:5555`
for a service called flower, `HOOKFILL_FLOWER_PORT` for one called hookfill-flower), and machines
have variables for all their applications (`FLASK_DEBUG`, `WEB_CONCURRENCY`). What can be set of
Hookfill is in its own table.

Everything else is let through. Proxies are among it: nothing here asks one about this machine.
"""

import re
from collections.abc import Mapping, MutableMapping

#: How the names begin. Python, the C library, TLS, proxies and PostgreSQL are set for a machine on
#: purpose (`PYTHONPATH`, `TZ`, `SSL_CERT_FILE`, `HTTPS_PROXY`, `PGPASSFILE`): they are not here.
FOREIGN = (
    "CELERY",  # CELERY_BROKER_URL, CELERY_WORKER_POOL; CELERYD_... and CELERYBEAT_... as well
    "FLASK_",
    "FLOWER_",
    "GUNICORN_",
    "KOMBU_",
    "WEB_CONCURRENCY",
)

#: What an engine says of a service: `<SERVICE>_PORT=tcp://...`. No port of ours is written so.
_LINK = re.compile(r"(tcp|udp|sctp)://")


def own(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what is foreign, for a child."""
    return {name: text for name, text in environ.items() if not _is_foreign(name, text)}


def forget_foreign(environ: MutableMapping[str, str]) -> None:
    """Take what is foreign out of the environment of this process, before a library looks at it."""
    for name in environ.keys() - own(environ).keys():
        del environ[name]


def _is_foreign(name: str, text: str) -> bool:
    return name.startswith(FOREIGN) or (name.endswith("_PORT") and _LINK.match(text) is not None)
