"""Settings of the web server; every figure can be set in the environment.

Run as `gunicorn -c deploy/gunicorn.conf.py app.wsgi:app`. Green threads, because
server-sent events hold a connection each, and because a request mostly waits for the store.
docs/decisions.md says why gevent, docs/performance.md how much that gives.
"""

import gc
import os
import signal
import warnings
from importlib import import_module
from typing import Any

from gevent import monkey

from app.settings import VARIABLES
from app.supervisor.kernel import die_with_parent
from app.web.connections import PunctualWorker, room_for

_given, _port = os.environ.get("HOOKFILL_BIND"), os.environ.get("PORT", "")
_is_fast = VARIABLES["fast"].read(os.environ.get("HOOKFILL_FAST") or "0")
# A platform that runs the Procfile says by PORT where it expects the web, from outside. The test
# profile stays on this machine.
_host = "127.0.0.1" if _is_fast else "0.0.0.0"  # noqa: S104  as gunicorn does by itself
bind = _given or (f"{_host}:{_port}" if _port.isdecimal() else "127.0.0.1:8000")
worker_class = PunctualWorker
workers = int(os.environ.get("HOOKFILL_WEB_WORKERS", "2"))

_wanted = int(os.environ.get("HOOKFILL_WEB_CONNECTIONS", "4000"))
#: Of one web process. Beyond them whoever has been silent longest is hung up on.
worker_connections = room_for(_wanted)

# The application must be built after the fork: its connections and its publishing thread
# do not survive one. Its code is loaded before; see `when_ready`.
preload_app = False

#: Seconds in which requests at hand may end after SIGTERM.
graceful_timeout = int(os.environ.get("HOOKFILL_WEB_GRACEFUL_SECONDS", "5"))
#: Seconds without a sign of life after which a worker process is replaced.
timeout = int(os.environ.get("HOOKFILL_WEB_TIMEOUT_SECONDS", "30"))
#: Seconds that an idle connection stays open; longer than nginx keeps its own.
keepalive = int(os.environ.get("HOOKFILL_WEB_KEEPALIVE_SECONDS", "75"))

# A heartbeat file on a disk can stall a worker process; memory cannot.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112

# The application writes one structured line for each request itself.
accesslog = None
errorlog = "-"
loglevel = os.environ.get("HOOKFILL_LOG_LEVEL", "info").lower()

# It would listen on a socket in the home directory, which a hardened unit does not have.
control_socket_disable = True

# Who may say X-Forwarded-For is decided by the application (HOOKFILL_TRUSTED_PROXIES).
forwarded_allow_ips = ""


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn's signature
    """Say it if there are fewer connections than were asked for."""
    if worker_connections < _wanted:
        server.log.warning(
            "The limit of open files leaves room for %d connections of each process, not %d: "
            "raise `ulimit -Hn`.",
            worker_connections,
            _wanted,
        )


def when_ready(_server: Any) -> None:  # noqa: ANN401 - gunicorn's signature
    """Load the code of all web processes once, before they are forked: they share its memory.

    Who connects meanwhile waits to be answered, as the sockets listen by now. The code is loaded
    with gevent's locks and sockets, as its processes use it. The master goes on to reap its
    children, and to hear its signals, by itself.
    """
    monkey.patch_all(os=False, signal=False)
    warnings.simplefilter("ignore", monkey.MonkeyPatchWarning)  # its processes patch these two, too
    import_module("app.factory")
    gc.collect()
    gc.freeze()  # or each process would copy what its garbage collector looks at


def post_fork(_server: Any, _worker: Any) -> None:  # noqa: ANN401 - gunicorn's signature
    """Let a web process end when its master is killed, whatever it is at."""
    die_with_parent(signal.SIGKILL)


def child_exit(_server: Any, _worker: Any) -> None:  # noqa: ANN401 - gunicorn's signature
    """Sum up what a process that has ended has counted."""
    from app.metric_files import tidy  # noqa: PLC0415 - web processes load it with gevent's locks

    tidy()
