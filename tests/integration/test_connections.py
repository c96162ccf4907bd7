"""Strangers hold no connection for long, and take nobody's room."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from app.supervisor.tcp_ports import free_port
from app.web.connections import ENDING_MAX, FILES_BESIDE, TimedSocket
from tests.support.echo import LARGE_BYTES
from tests.support.processes import eventually
from tests.support.stack import CHECKOUT, START_SECONDS

pytestmark = pytest.mark.integration

#: Of one web process.
ROOM = 20
_CONFIGURATION = """
exec(open("deploy/gunicorn.conf.py").read())
class worker_class(PunctualWorker):
    head_seconds = {}
    body_seconds = {}
    answer_seconds = {}
"""
#: The worker as it is deployed, but for its times.
IN_A_HURRY = _CONFIGURATION.format(0.3, 0.5, 1)
PATIENT = _CONFIGURATION.format(60, 60, 60)
ASK = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
NO_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
NO_CHUNK = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n"

#: Heads of answers: of one whose length is known, and of one that goes on.
SHORT = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n"

#: What more than one reader could take for different requests → how it is answered.
AMBIGUOUS = {
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": b"400",
    b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde": b"400",
    b"Content-Length: 4, 4\r\n\r\nabcd": b"400",
    b"Content-Length: +4\r\n\r\nabcd": b"400",
    b"Content-Length : 4\r\n\r\nabcd": b"400",
    b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n": b"400",
    b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n": b"501",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": b"400",
    b"Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n": b"400",
    b"Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n": b"400",
    b"X-Folded: a\r\n b\r\n\r\n": b"400",
    b"X-Nul: a\0b\r\n\r\n": b"400",
    b"X-Bare: a\nContent-Length: 4\r\n\r\nabcd": b"400",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@contextmanager
def web_server(folder: Path, configuration: str) -> Iterator[int]:
    """Run the web server in front of an application that needs no store; yield its port."""
    path, log = folder / "gunicorn.conf.py", folder / "web.log"
    path.write_text(configuration)
    number = free_port()
    settings = {
        "HOOKFILL_BIND": f"127.0.0.1:{number}",
        "HOOKFILL_WEB_WORKERS": "1",
        "HOOKFILL_WEB_CONNECTIONS": str(ROOM),
        "HOOKFILL_WEB_GRACEFUL_SECONDS": "60",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", path, "tests.support.echo:app"],
            cwd=CHECKOUT,
            env={**os.environ, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            eventually(lambda: "Booting worker" in log.read_text(), START_SECONDS, log.read_text)
            yield number
            assert "Traceback" not in log.read_text()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with web_server(folder, IN_A_HURRY) as number:
        yield number


@pytest.fixture
def patient_port(tmp_path: Path) -> Iterator[int]:
    """Of a server that hangs up on nobody for being silent: the machine may be busy."""
    with web_server(tmp_path, PATIENT) as number:
        yield number


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def asked(connection: socket.socket) -> bytes:
    connection.sendall(ASK % b"")
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65_536) or b"hung up}"
    return answer


def served(port: int) -> bytes:
    with connected(port) as connection:
        return asked(connection)


def rest_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def dripped(port: int, request: bytes) -> tuple[bytes, float]:
    """Send a byte every tenth of a second after this; return the answer, and when it came."""
    with connected(port) as connection:
        connection.sendall(request)
        started = time.monotonic()
        connection.settimeout(0.1)
        while time.monotonic() - started < 20:
            try:
                return connection.recv(65_536), time.monotonic() - started
            except TimeoutError:
                connection.sendall(b"a")
    return b"", float("inf")


@pytest.mark.parametrize("request_begun", [HALF_A_HEAD, NO_BODY, NO_CHUNK])
def test_no_byte_prolongs_the_time_of_a_request(port: int, request_begun: bytes) -> None:
    answer, seconds = dripped(port, request_begun)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert seconds < 15


def test_who_says_nothing_is_hung_up_on(port: int) -> None:
    with connected(port) as connection:
        assert rest_of(connection) == b""


def test_who_was_answered_may_be_idle_for_longer(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2):
            assert asked(connection).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.9)  # the time of a head and of a body
        connection.sendall(HALF_A_HEAD)
        assert b"HTTP/1.1 408 " in rest_of(connection)


def test_who_sends_half_of_a_second_request_with_the_first_has_no_longer_for_it(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(ASK % b"" + HALF_A_HEAD)
        assert b"HTTP/1.1 408 " in rest_of(connection)


def test_who_does_not_take_the_answer_is_hung_up_on(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(ASK % b"large")
        time.sleep(2)  # twice the time of a piece of an answer
        taken = 0
        with suppress(ConnectionError):
            while some := connection.recv(1_000_000):
                taken += len(some)

    assert 0 < taken < LARGE_BYTES


def test_who_takes_the_answer_slowly_may_take_as_long_as_it_needs(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(ASK % b"large")
        taken, started = 0, time.monotonic()
        while taken < LARGE_BYTES:
            some = connection.recv(1_000_000, socket.MSG_WAITALL)
            assert some, taken
            taken += len(some)
            time.sleep(0.05)
        assert time.monotonic() - started > 1.5  # the time of a piece of an answer, and more


class _Client:
    """Takes pieces, and notes who was silent meanwhile."""

    def __init__(self) -> None:
        self.silent: OrderedDict[TimedSocket, None] = OrderedDict()
        self.silent_when_sent: list[list[TimedSocket]] = []
        self.pieces: list[bytes] = []

    def sendall(self, piece: memoryview) -> None:
        self.silent_when_sent.append(list(self.silent))
        self.pieces.append(bytes(piece))


def test_who_takes_no_answer_is_silent_so_that_it_makes_room() -> None:
    client, words = _Client(), bytes(range(250)) * 600
    sending = TimedSocket(client, client.silent, 1)

    sending.sendall(words)

    assert b"".join(client.pieces) == words
    assert client.silent_when_sent == [[sending]] * 3
    assert not client.silent


def test_an_answer_is_sent_with_its_head() -> None:
    client = _Client()
    sending = TimedSocket(client, client.silent, 1)

    for head, body in (
        (SHORT, b"ok"),
        (SHORT, bytes(150_000)),
        (ENDLESS, b"2\r\nok\r\n"),
        (SHORT, SHORT),  # a body that looks like a head
    ):
        sending.sendall(head)
        sending.sendall(body)
        sending.flush()
    sending.sendall(SHORT)
    sending.flush()
    sending.flush()

    assert client.pieces[0] == SHORT + b"ok"
    assert [len(one) for one in client.pieces[1:4]] == [len(SHORT) + 65_536, 65_536, 18_928]
    assert b"".join(client.pieces[1:4]) == SHORT + bytes(150_000)
    assert client.pieces[4:] == [ENDLESS, b"2\r\nok\r\n", SHORT + SHORT, SHORT]


@pytest.mark.parametrize("ending", [b"", b"Connection: close\r\n"])
def test_a_head_without_a_body_is_sent(port: int, ending: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n" + ending + b"\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(65_536) or b"hung up\r\n\r\n"

    assert b"\r\nContent-Length: " in answer
    assert b"hung up" not in answer


def test_who_sends_without_end_keeps_the_process_from_nobody(port: int) -> None:
    with connected(port) as connection:

        def send() -> None:
            with suppress(OSError):
                while True:
                    connection.sendall(ASK % b"" * 2_000)

        def take() -> None:
            with suppress(OSError):
                while connection.recv(1_000_000):
                    pass

        threads = [threading.Thread(target=one) for one in (send, take)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        for _ in range(3):
            started = time.monotonic()
            assert served(port).startswith(b"HTTP/1.1 200 ")
            assert time.monotonic() - started < 15
        connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def test_who_was_answered_before_the_body_was_read_may_be_idle_too(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(NO_BODY.replace(b"/ ", b"/slow ").replace(b"1000", b"60000"))
        connection.sendall(b"a" * 60_000)
        answer = b""
        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += connection.recv(65_536)
        time.sleep(0.9)  # the time of a head and of a body
        assert asked(connection).startswith(b"HTTP/1.1 200 ")


def test_what_comes_while_the_process_is_busy_is_in_time(port: int) -> None:
    with connected(port) as connection:
        asked(connection)
        connection.sendall(NO_BODY.replace(b"/", b"/busy", 1))
        time.sleep(0.1)
        connection.sendall(b"a" * 1000)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_time_is_kept_of_the_caller_not_of_the_answer(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(ASK.replace(b"Host", b"Connection: close\r\nHost") % b"slow")
        assert rest_of(connection).count(b"word ") == 10


def test_strangers_hold_up_nobody(port: int) -> None:
    with ExitStack() as held:
        for request_begun in (b"", HALF_A_HEAD, NO_BODY) * ROOM:
            held.enter_context(connected(port)).sendall(request_begun)
            started = time.monotonic()
            assert served(port).startswith(b"HTTP/1.1 200 ")
            assert time.monotonic() - started < 15


def test_without_room_the_longest_silent_makes_it(patient_port: int) -> None:
    with ExitStack() as held:
        callers = [held.enter_context(connected(patient_port)) for _ in range(ROOM)]
        for caller in callers:
            assert asked(caller).startswith(b"HTTP/1.1 200 ")

        assert served(patient_port).startswith(b"HTTP/1.1 200 ")

        eventually(lambda: not is_open(callers[0]))
        assert all(is_open(caller) for caller in callers[2:])


def test_who_is_hung_up_on_is_counted(port: int, folder: Path) -> None:
    def counted() -> float:
        values = [
            (key, value)
            for file in folder.glob("counter_*.db")  # the master has one, too
            for key, value, *_ in MmapedDict.read_all_values_from_file(file)
        ]
        return float(sum(value for key, value in values if '"reason": "slow"' in key))

    dripped(port, HALF_A_HEAD)
    before = counted()
    dripped(port, HALF_A_HEAD)

    assert counted() == before + 1


def test_what_was_sent_arrives_as_it_was(port: int) -> None:
    target = b"/a%2Fb//c?x=%31&y=+"
    whole = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody" % target
    chunks = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(port) as connection:
        connection.sendall(whole + chunks + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" + NO_BODY)
        answers = rest_of(connection)

    assert b'{"target": "%s", "body": "body"}' % target in answers
    assert b'{"target": "/", "body": "abc"}' in answers
    assert answers.count(b"HTTP/1.1 408 ") == 1


@pytest.mark.parametrize("rest", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(port: int, rest: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + rest + ASK % b"smuggled")
        connection.shutdown(socket.SHUT_WR)
        answer = rest_of(connection)

    assert answer[9:12] == AMBIGUOUS[rest]
    assert b"smuggled" not in answer


def test_a_process_that_is_to_end_waits_for_nobody_who_asks_nothing(
    port: int, folder: Path
) -> None:
    with connected(port) as idle, connected(port) as busy:
        asked(idle)
        busy.sendall(ASK % b"slow")
        answer = busy.recv(65_536)
        pids = re.findall(r"Booting worker with pid: (\d+)", (folder / "web.log").read_text())
        os.kill(int(pids[-1]), signal.SIGTERM)

        while not answer.endswith(b"\r\n0\r\n\r\n"):
            answer += busy.recv(65_536) or b"hung up\r\n0\r\n\r\n"
        assert answer.count(b"word ") == 10
        assert rest_of(idle) == b""
    assert served(port).startswith(b"HTTP/1.1 200 ")


def test_as_many_files_are_allowed_as_connections_need() -> None:
    code = """
import resource
from app.web.connections import room_for
for limits in (3000, 4000), (256, 4000), (256, 600):
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    print(room_for(1000), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    words = [sys.executable, "-c", code]
    output = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True)

    beside = FILES_BESIDE + ENDING_MAX
    assert output.stdout.splitlines() == [
        "1000 3000",
        f"1000 {1000 + beside}",
        f"{600 - beside} 600",
    ]
