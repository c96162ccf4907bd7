"""The web server with the settings that it has wherever it runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import eventually, family, is_alive
from tests.support.stack import CHECKOUT, START_SECONDS

pytestmark = pytest.mark.integration

APP = """
import sys
sys.stderr.write("made")
def app(_environ, start):
    start("200 OK", [])
    return []
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends the children of a dead parent")
def test_a_web_process_ends_with_its_master_whatever_it_is_at(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(APP)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "HOOKFILL_BIND": "127.0.0.1:0",
        "HOOKFILL_WEB_WORKERS": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "tiny:app"]
    log = tmp_path / "web.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stderr=output) as master,
    ):
        eventually(lambda: "made" in log.read_text(), START_SECONDS)
        _, process = family(master.pid)
        os.kill(process, signal.SIGSTOP)

        master.kill()

        eventually(lambda: not is_alive(process))
