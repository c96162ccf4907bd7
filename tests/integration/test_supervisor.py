"""A whole run with a real embedded server and small processes in place of the real ones."""

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from app.settings import Address, ServerUrl
from app.supervisor.embedded_server import find_server
from app.supervisor.supervise import Origin
from app.supervisor.supervise import up as run_everything
from app.supervisor.tcp_ports import free_port, is_free
from tests.support.processes import eventually, is_alive

pytestmark = pytest.mark.integration


RUN = """
import errno, functools, os, sys
from pathlib import Path
from app.cli import installation, main
from app.supervisor import children, supervise
from app.supervisor.supervise import Origin
folder = Path(sys.argv.pop(1))
demo = 'import json; print(json.dumps({"crypto_arsenal": {"spot": {"connectorName": "demo"}}}))'
seed_command = (sys.executable, "-c", os.environ.get("SEED_COMMAND", demo))
origin = Origin(folder=folder, seed_command=seed_command)
installation.run_everything = functools.partial(installation.run_everything, origin=origin)
supervise.PATIENCE_SECONDS = float(os.environ.get("WAIT_SECONDS", "20"))
full = Path(os.environ.get("FULL", "nowhere"))
def with_room(write):
    def written(path, *rest):
        if not full.exists():
            return write(path, *rest)
        with full.open("a") as tries:
            tries.write("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    return written
if os.environ.get("NO_ROOM_FOR") == "logs":
    children.opened_log = with_room(children.opened_log)
if os.environ.get("NO_ROOM_FOR") == "run.json":
    supervise.write_run_file = with_room(supervise.write_run_file)
main()
"""
WEB = """
import http.server, os
host, port = os.environ["HOOKFILL_BIND"].rsplit(":", 1)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
    def log_message(self, *_): pass
import json
http.server.HTTPServer((host, int(port)), Answer).serve_forever()
"""
SLEEPS = "import time; time.sleep(120)"
WAITS = """
import os, pathlib, time
while not (pathlib.Path(os.environ["HOOKFILL_DATA_DIR"]) / "run.json").exists():
    time.sleep(0.05)
"""
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@dataclass
class Stack:
    """`hookfill up` in a process of its own."""

    process: subprocess.Popen[str]
    data_dir: Path

    @property
    def run(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data_dir / "run.json").read_text())
        return content

    @property
    def pids(self) -> dict[str, int]:
        pids: dict[str, int] = self.run["pids"]
        return pids

    def ended(self, seconds: float = 60) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    lines = dict.fromkeys(("worker", "worker_polls", "beat", "flower"), SLEEPS)
    for name, code in {"web": WEB, **lines}.items():
        (folder / f"{name}.py").write_text(code)
    names = ["web", *lines]
    (folder / "Procfile").write_text("".join(f"{name}: A=1 python {name}.py\n" for name in names))
    return folder


@pytest.fixture
def begin(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    stacks: list[Stack] = []

    def begin(*options: str, **environ: str) -> Stack:
        data_dir = tmp_path / "var"
        kept = {name: value for name, value in os.environ.items() if "_URL" not in name}
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder), "up", "--data-dir", str(data_dir), *options],
            env={**kept, "HOOKFILL_BIND": "127.0.0.1:0", "HOOKFILL_FLOWER_PORT": "0", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stacks.append(Stack(process, data_dir))
        return stacks[-1]

    yield begin
    for stack in stacks:
        with stack.process as process:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


@pytest.fixture
def up(begin: Callable[..., Stack]) -> Callable[..., Stack]:
    def up(*options: str, **environ: str) -> Stack:
        stack = begin(*options, **environ)
        eventually(lambda: is_described(stack), 15)
        return stack

    return up


def is_described(stack: Stack) -> bool:
    try:
        return stack.pids["supervisor"] == stack.process.pid
    except FileNotFoundError:
        return False


@contextmanager
def a_store(folder: Path, port: int, *options: str) -> Iterator[None]:
    command = [str(find_server()), "--port", str(port), "--save", "", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as server:
        eventually(lambda: not is_free(Address("127.0.0.1", port)))
        yield
        server.kill()


def environment_of_web(stack: Stack) -> dict[str, str]:
    connection = http.client.HTTPConnection(stack.run["base_url"].removeprefix("http://"))
    connection.request("GET", "/")
    content: dict[str, str] = json.loads(connection.getresponse().read())
    connection.close()
    return content


def test_a_run_is_described_for_its_owner(up: Callable[..., Stack]) -> None:
    stack = up()

    assert stat.S_IMODE((stack.data_dir / "run.json").stat().st_mode) == 0o600
    assert stack.pids.keys() == {
        "supervisor", "redis", "broker", "web", "worker", "worker-2", "beat", "flower",
    }  # fmt: skip
    assert stack.pids["supervisor"] == stack.process.pid
    assert all(map(is_alive, stack.pids.values()))
    assert stack.run["flower_user"] == "hookfill"
    assert stack.run["demo"] == {"crypto_arsenal": {"spot": {"connectorName": "demo"}}}
    assert len(stack.run["admin_token"]) > 20


def test_children_agree_on_what_was_decided(up: Callable[..., Stack]) -> None:
    stack = up("--fast")

    found = environment_of_web(stack)
    assert found["A"] == "1"
    assert found["REDIS_URL"] == stack.run["redis_url"]
    assert found["BROKER_URL"] == stack.run["broker_url"]
    assert found["HOOKFILL_FAST"] == "1"
    assert found["HOOKFILL_DATA_DIR"] == str(stack.data_dir)
    assert found["HOOKFILL_FLOWER_PASSWORD"] == stack.run["flower_password"]
    assert found["PROMETHEUS_MULTIPROC_DIR"] == str(stack.data_dir / "metrics")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_everything_ends_cleanly(up: Callable[..., Stack], how: signal.Signals) -> None:
    stack = up()
    pids = stack.pids

    stack.process.send_signal(how)
    stack.process.send_signal(how)  # make and the terminal may both pass it on

    code, said = stack.ended()
    assert code == 0
    assert "The credentials of the demo accounts are in" in said
    assert "connectorName" not in said
    assert not any(map(is_alive, pids.values()))
    assert not (stack.data_dir / "run.json").exists()
    assert "bye bye" in (stack.data_dir / "logs" / "redis.log").read_text()


def test_a_second_interrupt_kills(up: Callable[..., Stack], folder: Path) -> None:
    (folder / "worker.py").write_text(DEAF)
    stack = up()
    pids = stack.pids
    time.sleep(0.3)  # until it is deaf

    stack.process.send_signal(signal.SIGINT)
    time.sleep(1.2)
    assert is_alive(pids["worker"])
    stack.process.send_signal(signal.SIGINT)

    code, _ = stack.ended(15)  # it waits for 20 seconds otherwise
    assert code == 1
    assert not any(map(is_alive, pids.values()))


@pytest.mark.parametrize("name", ["web", "worker-2", "redis", "broker"])
def test_a_killed_process_is_started_again(up: Callable[..., Stack], name: str) -> None:
    stack = up()
    before = stack.pids

    os.kill(before[name], signal.SIGKILL)

    eventually(lambda: stack.pids != before)
    after = stack.pids
    assert {each for each in after if after[each] != before[each]} == {name}
    assert is_alive(after[name])


@pytest.mark.parametrize("name", ["worker", "redis"])
@pytest.mark.parametrize("place", ["logs", "run.json"])
def test_a_full_disk_is_told_and_outlived(
    up: Callable[..., Stack], tmp_path: Path, place: str, name: str
) -> None:
    full = tmp_path / "full"
    stack = up(FULL=str(full), NO_ROOM_FOR=place)
    before = stack.pids

    full.touch()
    os.kill(before[name], signal.SIGKILL)
    eventually(lambda: full.stat().st_size >= 3)
    assert is_alive(stack.process.pid)
    full.unlink()

    eventually(lambda: stack.pids != before)
    after = stack.pids
    assert {each for each in after if after[each] != before[each]} == {name}
    assert all(map(is_alive, after.values()))
    stack.process.terminate()
    code, said = stack.ended()
    assert code == 0
    assert "No space left on device" in said


def test_a_start_on_a_full_disk_ends_with_a_sentence(
    begin: Callable[..., Stack], tmp_path: Path
) -> None:
    full = tmp_path / "full"
    full.touch()

    code, said = begin(FULL=str(full), NO_ROOM_FOR="logs").ended()

    assert code == 1
    assert "No space left on device" in said
    assert "Traceback" not in said


def test_logs_are_for_their_owner_alone(begin: Callable[..., Stack], tmp_path: Path) -> None:
    logs = tmp_path / "var" / "logs"
    logs.mkdir(parents=True)
    (logs / "web.log").touch(mode=0o644)  # an earlier release made it so
    stack = begin()
    eventually((stack.data_dir / "run.json").exists)

    modes = {log.name: stat.S_IMODE(log.stat().st_mode) for log in logs.iterdir()}
    assert modes.keys() >= {"web.log", "seed.log", "redis.log"}
    assert set(modes.values()) == {0o600}


def test_a_stopped_process_is_left_alone(up: Callable[..., Stack]) -> None:
    stack = up()
    before = stack.pids

    os.kill(before["redis"], signal.SIGSTOP)
    time.sleep(1)

    assert stack.pids == before
    stack.process.terminate()
    assert stack.ended()[0] == 0


def test_what_was_stored_is_there_again(up: Callable[..., Stack]) -> None:
    stack = up()
    with redis.Redis.from_url(stack.run["redis_url"]) as client:
        client.set("kept", "yes")
    stack.process.kill()  # the worst end that there is
    stack.ended()

    again = up()

    with redis.Redis.from_url(again.run["redis_url"]) as client:
        assert client.get("kept") == b"yes"


def test_messages_are_neither_written_down_nor_in_the_room_of_the_store(
    up: Callable[..., Stack],
) -> None:
    with redis.Redis.from_url(up().run["broker_url"]) as broker:
        for queue in ("orders", "events"):
            for _ in range(40):
                broker.rpush(queue, "x" * 1_000_000)

        info = broker.info()
        assert info["aof_enabled"] == 0
        assert info["used_memory"] < 2 * info["maxmemory"] == 2 * 64 * 2**20
        assert not broker.exists("orders")


def test_nobody_uses_store_or_broker_without_their_passwords(up: Callable[..., Stack]) -> None:
    run = up().run
    urls = [run["redis_url"], run["broker_url"]]
    passwords = [urlsplit(url).password for url in urls]

    assert passwords[0] != passwords[1]
    for url, password in zip(urls, reversed(passwords), strict=True):
        _, _, where = url.rpartition("@")
        for stranger in (f"redis://{where}", f"redis://:{password}@{where}"):
            with redis.Redis.from_url(stranger) as client, pytest.raises(redis.RedisError):
                client.ping()


def test_messages_of_a_release_that_kept_them_in_the_store_are_dropped(
    up: Callable[..., Stack],
) -> None:
    stack = up()
    before = ServerUrl(stack.run["redis_url"]).next_database()
    with redis.Redis.from_url(before) as client:
        client.rpush("orders", "a message")
    stack.process.terminate()
    stack.ended()

    url = ServerUrl(up().run["redis_url"]).next_database()

    with redis.Redis.from_url(url) as client:
        assert not client.dbsize()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends the children of a dead parent")
def test_a_killed_supervisor_leaves_nothing_behind(up: Callable[..., Stack], folder: Path) -> None:
    (folder / "worker.py").write_text(DEAF)  # as one is that waits for a broker which is gone
    stack = up()
    pids = stack.pids
    eventually(lambda: is_deaf(pids["worker"]))
    with redis.Redis.from_url(stack.run["redis_url"]) as client:
        client.set("acknowledged", "yes")

    stack.process.kill()

    stack.ended()
    eventually(lambda: not any(map(is_alive, pids.values())))
    (folder / "worker.py").write_text(SLEEPS)  # the next run ends as soon as it is told to
    with redis.Redis.from_url(up().run["redis_url"]) as client:
        assert client.get("acknowledged") == b"yes"


def is_deaf(pid: int) -> bool:
    """Tell whether a process ignores SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = int(dict(line.split(":", 1) for line in status.splitlines())["SigIgn"], 16)
    return bool(ignored >> (signal.SIGTERM - 1) & 1)


def test_two_runs_on_one_folder_are_refused(
    up: Callable[..., Stack], begin: Callable[..., Stack]
) -> None:
    first = up()

    code, said = begin().ended()

    assert code == 1
    assert f"Another hookfill up (process {first.process.pid}) uses {first.data_dir}" in said
    assert first.pids.keys() >= {"web"}


def test_a_port_in_use_is_refused(
    up: Callable[..., Stack], begin: Callable[..., Stack], tmp_path: Path
) -> None:
    port = up().run["base_url"].rpartition(":")[2]

    code, said = begin("--port", port, "--data-dir", str(tmp_path / "other")).ended()

    assert code == 1
    assert f"Port {port} of 127.0.0.1 is in use. Choose another one with --port" in said


def test_an_unsafe_store_is_refused_with_the_fix(
    begin: Callable[..., Stack], tmp_path: Path
) -> None:
    port = free_port()

    with a_store(tmp_path, port):
        code, said = begin(REDIS_URL=f"redis://127.0.0.1:{port}/0").ended()

    assert code == 1
    assert "appendonly was 'no'" in said
    assert "CONFIG SET maxmemory 512mb" in said


def test_a_store_of_ones_own_is_used(up: Callable[..., Stack], tmp_path: Path) -> None:
    port = free_port()
    options = ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory", "64mb"]
    with a_store(tmp_path, port, *options):
        stack = up(REDIS_URL=f"redis://127.0.0.1:{port}/0", HOOKFILL_APPENDFSYNC="everysec")

        assert not {"redis", "broker"} & stack.pids.keys()
        assert stack.run["broker_url"] == f"redis://127.0.0.1:{port}/1"
        stack.process.terminate()
        code, said = stack.ended()
    assert code == 0
    assert "may take the last second" in said


def test_a_process_that_cannot_start_ends_the_run(
    begin: Callable[..., Stack], folder: Path
) -> None:
    (folder / "beat.py").write_text("raise SystemExit('no beat today')")
    (folder / "web.py").write_text(SLEEPS)

    code, said = begin().ended()

    assert code == 1
    assert "beat exited with code 1; it is started again" in said
    assert "no beat today" in said.rpartition("Error:")[2]


def test_a_start_that_takes_long_says_what_it_waits_for(
    begin: Callable[..., Stack], folder: Path
) -> None:
    (folder / "web.py").write_text(WEB.replace("200", "503"))
    stack = begin(WAIT_SECONDS="0.1")

    assert stack.process.stdout is not None
    said = iter(stack.process.stdout.readline, "")
    assert any("Not ready yet: GET /readyz answers 503" in line for line in said)

    stack.process.terminate()
    assert stack.ended()[0] == 0


def test_demo_accounts_that_cannot_be_made_end_the_run(begin: Callable[..., Stack]) -> None:
    code, said = begin(SEED_COMMAND="raise SystemExit('no demo today')").ended()

    assert code == 1
    assert "no demo today" in said


def test_the_test_profile_is_refused_on_a_public_address(begin: Callable[..., Stack]) -> None:
    code, said = begin("--fast", HOOKFILL_BIND="0.0.0.0:0").ended()

    assert code == 2
    assert "HOOKFILL_BIND was '0.0.0.0:0'" in said


def test_the_test_profile_is_loud(up: Callable[..., Stack]) -> None:
    stack = up("--fast")
    stack.process.terminate()

    assert stack.ended()[1].startswith("TEST PROFILE (--fast)")


def test_errors_of_children_are_told(up: Callable[..., Stack], folder: Path) -> None:
    line = '{"level": "error", "event": "venue_lost"}'
    (folder / "worker.py").write_text(f"{WAITS}\ntime.sleep(0.2); print({line!r}); {SLEEPS}")
    stack = up()
    assert stack.process.stdout is not None

    told = next(line for line in stack.process.stdout if "venue_lost" in line)
    stack.process.terminate()

    assert "worker: venue_lost" in told


def test_an_end_during_the_start_is_clean(begin: Callable[..., Stack]) -> None:
    stack = begin(SEED_COMMAND=SLEEPS)
    eventually((stack.data_dir / "logs" / "seed.log").exists)

    stack.process.terminate()

    assert stack.ended()[0] == 0


def test_one_may_run_it_oneself(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same in this process, where coverage sees it: all start, one is killed, all are ended.
    data_dir = tmp_path / "var"
    is_over = threading.Event()

    def described() -> dict[str, int]:
        path = data_dir / "run.json"
        pids: dict[str, int] = json.loads(path.read_text())["pids"] if path.exists() else {}
        return pids

    def watch() -> tuple[dict[str, int], dict[str, int]]:
        try:
            before = eventually(described)
            os.kill(before["worker"], signal.SIGKILL)
            eventually(lambda: described() != before)
            return before, described()
        finally:
            if not is_over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    environ = {
        "PATH": os.environ["PATH"],
        "HOOKFILL_DATA_DIR": str(data_dir),
        "HOOKFILL_BIND": "127.0.0.1:0",
        "HOOKFILL_FAST": "1",
    }
    demo = 'import json; print(json.dumps({"crypto_arsenal": {"spot": {"connectorName": "demo"}}}))'
    origin = Origin(folder=folder, seed_command=(sys.executable, "-c", demo))
    with ThreadPoolExecutor(1) as pool:
        watched = pool.submit(watch)
        try:
            code = run_everything(environ, origin)
        finally:
            is_over.set()
        before, after = watched.result()

    assert code == 0
    assert before["supervisor"] == after["supervisor"] == os.getpid()
    assert {name for name in before if before[name] != after[name]} == {"worker"}
    del after["supervisor"]
    assert not any(map(is_alive, after.values()))
    assert described() == {}
    said = capsys.readouterr().out
    assert "worker was killed by SIGKILL; it is started again" in said
    assert "Stopping ..." in said
