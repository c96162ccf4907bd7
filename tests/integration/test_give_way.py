"""Under the web server that is used, work that gives way keeps nobody from an answer."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

#: Four long pieces of work, and somebody who waits for answers meanwhile. Tells how many pieces
#: were done at most until one was there.
PROGRAM = """
from gevent import monkey
monkey.patch_all()
import socket
import gevent
from app.unhurried import give_way

pieces = 0

def work():
    global pieces
    while True:
        pieces += 1
        give_way()

def answer(connection):
    while True:
        connection.send(connection.recv(1))

here, there = socket.socketpair()
for long in [work] * 4:
    gevent.spawn(long)
gevent.spawn(answer, there)
most = 0
for _ in range(20):
    before = pieces
    here.send(b"?")
    here.recv(1)
    most = max(most, pieces - before)
print(most)
"""


def test_an_answer_comes_after_a_few_pieces_of_work() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)

    assert int(done.stdout) <= 20
