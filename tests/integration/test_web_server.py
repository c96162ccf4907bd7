"""The web server with the settings that it has wherever it runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import eventually, family, is_alive
from tests.support.servers import running_server
from tests.support.stack import CHECKOUT, START_SECONDS

pytestmark = pytest.mark.integration

APP = """
import sys
sys.stderr.write("made")
def app(_environ, start):
    start("200 OK", [])
    return []
"""


@contextmanager
def master_of(app: str, folder: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the web server for the text of an app, with one process; yield the one that forks."""
    (folder / "tiny.py").write_text(app)
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "HOOKFILL_BIND": "127.0.0.1:0",
        "HOOKFILL_WEB_WORKERS": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "tiny:app"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stderr=output) as master,
    ):
        yield master


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends the children of a dead parent")
def test_a_web_process_ends_with_its_master_whatever_it_is_at(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with master_of(APP, tmp_path, log) as master:
        eventually(lambda: "made" in log.read_text(), START_SECONDS)
        _, process = family(master.pid)
        os.kill(process, signal.SIGSTOP)

        master.kill()

        eventually(lambda: not is_alive(process))


#: Says what it finds loaded before it loads anything itself, and whose locks that has.
FINDS = """
import gc, sys
loaded = sys.modules.get("app.factory")
from app.outages import BROKER
whose = type(BROKER._lock).__module__
sys.stderr.write(f"made: {loaded is not None} {gc.get_freeze_count() > 0} {whose}\\n")
def app(_environ, start):
    start("200 OK", [])
    return []
"""


def test_web_processes_share_what_was_loaded_before_the_fork(tmp_path: Path) -> None:
    log = tmp_path / "web.log"

    def found() -> list[str]:
        return [line for line in log.read_text().splitlines() if line.startswith("made: ")]

    with master_of(FINDS, tmp_path, log) as master:
        try:
            eventually(lambda: len(found()) == 1, START_SECONDS)
            _, process = family(master.pid)
            os.kill(process, signal.SIGKILL)
            eventually(lambda: len(found()) == 2, START_SECONDS)  # its master has seen it die
        finally:
            master.terminate()
            assert master.wait(START_SECONDS) == 0

    assert set(found()) == {"made: True True gevent.thread"}
    assert "Warning" not in log.read_text()


LOOK = """
import gc, sys
import app.wsgi
print(gc.get_freeze_count() > len(gc.get_objects()), "celery" in sys.modules)
"""


def test_a_web_process_looks_for_rubbish_among_little_and_loads_nothing_of_the_workers(
    tmp_path: Path,
) -> None:
    with running_server(tmp_path / "redis") as server:
        environment = {"REDIS_URL": server.url, "HOOKFILL_DATA_DIR": str(tmp_path)}
        looked = subprocess.run(
            [sys.executable, "-c", LOOK],
            cwd=CHECKOUT,
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.PIPE,
            timeout=START_SECONDS,
        )

    assert looked.stdout.split()[-2:] == [b"True", b"False"]
