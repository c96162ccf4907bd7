"""The vectors of the Hummingbot spec that are about processes, V36, and others of that kind."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.support.processes import family
from tests.support.stack import Stack
from tests.support.users.hummingbot import User, detail

AUTH = ("admin", "admin")


def introduce(user: User) -> None:
    """Let each web process hear of the user, and of everybody else."""
    url = user.stack.url("/trading/orders")
    with ThreadPoolExecutor(16) as crowd:
        answers = list(
            crowd.map(lambda _: requests.post(url, json={}, auth=AUTH, timeout=60), range(64))
        )
    assert {one.status_code for one in answers} == {422}


def test_v36_nothing_is_stored_while_the_store_is_away(user: User, shared_stack: Stack) -> None:
    introduce(user)
    shared_stack.kill("redis", signal.SIGSTOP)
    try:
        answer = user.order()
    finally:
        shared_stack.kill("redis", signal.SIGCONT)

    assert isinstance(detail(answer, 503), str)
    shared_stack.wait_ready()
    user.stack.settle()
    assert user.rows("orders/search") == []
    assert user.order().status_code == 201


def test_strangers_are_told_so_without_the_store(user: User, shared_stack: Stack) -> None:
    url = user.stack.url("/trading/orders")
    introduce(user)
    shared_stack.kill("redis", signal.SIGSTOP)
    try:
        nobody = [requests.post(url, json=user.spot, timeout=60) for _ in range(4)]
        wrong = [
            requests.post(url, json=user.spot, auth=("admin", "wrong"), timeout=60)
            for _ in range(4)
        ]
    finally:
        shared_stack.kill("redis", signal.SIGCONT)

    assert {detail(one, 401) for one in nobody} == {"Not authenticated"}
    assert {detail(one, 401) for one in wrong} == {"Incorrect username or password"}
    shared_stack.wait_ready()


def test_without_workers_a_setting_is_not_waited_for(user: User, shared_stack: Stack) -> None:
    path = f"/trading/{user.account_name}/paper_perpetual/leverage"
    workers = [pid for name, pid in shared_stack.run_file()["pids"].items() if "worker" in name]
    stopped = [one for pid in workers for one in family(pid)]
    for one in stopped:
        os.kill(one, signal.SIGSTOP)
    try:
        answer = user.send(path, {"trading_pair": "ETH-USDT", "leverage": 3})
    finally:
        for one in stopped:
            os.kill(one, signal.SIGCONT)

    assert "safe to ask again" in detail(answer, 503)
    shared_stack.wait_ready()
