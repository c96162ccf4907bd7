"""Calls that share a write: each gets its own answer or none, and is carried out once at most."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
import redis

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, connect, packed
from app.store.core.group_commit import SENDERS, TOGETHER_MAX, GroupCommit
from app.store.core.scripts import LoadedScript
from tests.support.processes import eventually
from tests.support.relay import Relay, running_relay
from tests.support.servers import SHARED, fresh_client

#: Counts how often it is called with a word, and says that word.
ECHO = """#!lua flags=allow-oom
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
return {ARGV[1]}"""

#: Of those that share a write here; their answers are `*1`, `$1` and the word.
WORDS = ("a", "b", "c")
ANSWER_BYTES = len(b"*1\r\n$1\r\na\r\n")

#: Longer than an answer takes on a busy machine, where one is waited for.
PATIENCE_SECONDS = 20.0
#: Where none will come.
SHORT_SECONDS = 0.3

UNKNOWN = "not known"


@pytest.fixture
def server() -> redis.Redis:
    """The server itself, past the relay; its database is empty."""
    return fresh_client()


@pytest.fixture
def relay(server: redis.Redis) -> Iterator[Relay]:
    port = urlsplit(SHARED.tcp_url(server)).port
    assert port is not None
    with running_relay(port) as relay:
        yield relay


@contextmanager
def client_of(server: redis.Redis, relay: Relay, seconds: float) -> Iterator[StoreClient]:
    """Yield a client that reaches the server by the relay, and knows it already."""
    database = server.connection_pool.connection_kwargs["db"]
    with connect(f"redis://127.0.0.1:{relay.port}/{database}", seconds) as client:
        client.ping()
        yield client


@pytest.fixture
def client(server: redis.Redis, relay: Relay) -> Iterator[StoreClient]:
    with client_of(server, relay, PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
def impatient(server: redis.Redis, relay: Relay) -> Iterator[StoreClient]:
    """A client that soon gives up."""
    with client_of(server, relay, SHORT_SECONDS) as client:
        yield client


def command(script: LoadedScript, word: str) -> bytes:
    return packed("EVALSHA", script.sha, 1, "calls", word)


def echo_of(client: StoreClient) -> LoadedScript:
    script = LoadedScript(client, ECHO)
    client.script_load(ECHO)
    return script


def outcome(call: GroupCommit, word: str) -> str:
    try:
        (answer,) = call(["calls"], [word])
    except StoreUnavailable:
        return UNKNOWN
    return str(answer)


def calls(server: redis.Redis) -> dict[str, int]:
    return {str(word): int(count) for word, count in server.hgetall("calls").items()}


def shared(client: StoreClient, script: LoadedScript, words: Sequence[str]) -> list[str]:
    """Let words share a write, and return what is known of each."""
    answers = client.at_once([command(script, word) for word in words])
    return [UNKNOWN if isinstance(one, redis.RedisError) else one[0] for one in answers]


@pytest.mark.parametrize("at", range(ANSWER_BYTES * len(WORDS)))
def test_where_answers_are_cut_off_each_has_its_own_or_none(
    at: int, server: redis.Redis, relay: Relay, client: StoreClient
) -> None:
    script = echo_of(client)
    relay.answered.cut_after(at)

    known = shared(client, script, WORDS)

    whole = at // ANSWER_BYTES
    assert known == [*WORDS[:whole], *[UNKNOWN] * (len(WORDS) - whole)]
    relay.answered.go_on()
    assert shared(client, script, ["d"]) == ["d"]
    assert calls(server) == dict.fromkeys([*WORDS, "d"], 1)


@pytest.mark.parametrize("late", [-1, 0, 1])
@pytest.mark.parametrize("whole", range(len(WORDS)))
def test_where_calls_are_cut_off_those_before_are_carried_out_and_the_rest_is_not(
    whole: int, late: int, server: redis.Redis, relay: Relay, client: StoreClient
) -> None:
    script = echo_of(client)
    relay.asked.cut_after(max(whole * len(command(script, "a")) + late, 0))

    known = shared(client, script, WORDS)

    relay.asked.go_on()
    assert shared(client, script, ["d"]) == ["d"]
    done = calls(server)
    assert set(done.values()) == {1}
    assert {word for word in known if word != UNKNOWN} <= set(done)
    certain = whole - (late < 0)
    assert set(done) <= {*WORDS[: max(certain, 0)], "d"}


def test_answers_that_come_byte_by_byte_are_each_one_s_own(
    relay: Relay, client: StoreClient
) -> None:
    script = echo_of(client)
    relay.answered.crumble()

    assert shared(client, script, WORDS) == list(WORDS)


def test_what_the_server_refuses_is_refused_to_the_one_who_asked(client: StoreClient) -> None:
    script = echo_of(client)

    before, refused, after = client.at_once(
        [command(script, "a"), packed("GET", "calls"), command(script, "c")]
    )

    assert (before, after) == (["a"], ["c"])
    assert isinstance(refused, redis.ResponseError)


def test_of_many_at_once_each_gets_its_own_answer(server: redis.Redis, client: StoreClient) -> None:
    call = GroupCommit(client, PATIENCE_SECONDS, echo_of(client))
    words = [f"word-{number}" for number in range(400)]

    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(partial(outcome, call), words)) == words

    assert calls(server) == dict.fromkeys(words, 1)


def test_those_that_wait_share_a_write(
    relay: Relay, client: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    at_once = client.at_once

    def noted(commands: Sequence[bytes]) -> list[object]:
        sizes.append(len(commands))
        return at_once(commands)

    monkeypatch.setattr(client, "at_once", noted)
    call = GroupCommit(client, PATIENCE_SECONDS, echo_of(client))
    words = [f"word-{number}" for number in range(1 + SENDERS * TOGETHER_MAX)]
    relay.answered.hold_after(0)

    with ThreadPoolExecutor(len(words)) as pool:
        known = pool.map(partial(outcome, call), words)
        eventually(lambda: len(sizes) == SENDERS)
        eventually(lambda: sum(sizes) + call._waiting.qsize() == len(words))  # noqa: SLF001
        relay.answered.go_on()
        assert list(known) == words

    assert max(sizes) == TOGETHER_MAX
    assert sum(sizes) == len(words)


def test_a_server_that_does_not_know_the_script_is_told_it(
    server: redis.Redis, client: StoreClient
) -> None:
    server.script_flush()
    call = GroupCommit(client, PATIENCE_SECONDS, LoadedScript(client, ECHO))
    words = [f"word-{number}" for number in range(40)]

    with ThreadPoolExecutor(len(words)) as pool:
        assert list(pool.map(partial(outcome, call), words)) == words

    assert calls(server) == dict.fromkeys(words, 1)


def test_all_are_told_soon_that_a_server_stands_still_and_get_no_late_answer(
    server: redis.Redis, relay: Relay, impatient: StoreClient
) -> None:
    call = GroupCommit(impatient, SHORT_SECONDS, echo_of(impatient))
    words = [f"word-{number}" for number in range(3 * SENDERS * TOGETHER_MAX)]
    relay.answered.hold_after(0)

    with ThreadPoolExecutor(len(words)) as pool:
        assert set(pool.map(partial(outcome, call), words)) == {UNKNOWN}

    relay.answered.go_on()
    eventually(lambda: outcome(call, "late") == "late")
    later = [f"later-{number}" for number in range(40)]
    known = [outcome(call, word) for word in later]
    assert set(known) <= {*later, UNKNOWN}
    assert all(one in {word, UNKNOWN} for one, word in zip(known, later, strict=True))
    done = calls(server)
    assert all(done[word] == 1 for word in done if word != "late")


def test_what_nobody_waits_for_any_more_is_not_sent(
    server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(SHARED.tcp_url(server), PATIENCE_SECONDS)
    at_once, stands, sent = client.at_once, threading.Event(), list[bytes]()

    def held(commands: Sequence[bytes]) -> list[object]:
        sent.extend(commands)
        assert stands.wait(PATIENCE_SECONDS)
        return at_once(commands)

    monkeypatch.setattr(client, "at_once", held)
    call = GroupCommit(client, SHORT_SECONDS, echo_of(client))
    words = [f"word-{number}" for number in range(SENDERS * TOGETHER_MAX + 20)]
    with ThreadPoolExecutor(len(words)) as pool:
        assert set(pool.map(partial(outcome, call), words)) == {UNKNOWN}
    in_hand = len(sent)

    stands.set()
    eventually(lambda: outcome(call, "late") == "late")

    assert in_hand <= SENDERS * TOGETHER_MAX
    assert all(b"late" in one for one in sent[in_hand:])
    client.close()


def test_no_connection_is_no_answer() -> None:
    with connect("redis://127.0.0.1:1/0", SHORT_SECONDS) as away:
        call = GroupCommit(away, PATIENCE_SECONDS, LoadedScript(away, ECHO))

        with pytest.raises(StoreUnavailable, match="the store did not answer"):
            call(["calls"], ["a"])


def test_a_fork_sends_for_itself(client: StoreClient, monkeypatch: pytest.MonkeyPatch) -> None:
    call = GroupCommit(client, PATIENCE_SECONDS, echo_of(client))
    assert outcome(call, "a") == "a"
    before = call._waiting  # noqa: SLF001 - what the threads of the parent wait at

    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert outcome(call, "b") == "b"
    assert call._waiting is not before  # noqa: SLF001


class Ended(BaseException):
    """What ends a thread whatever it does."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_sender_that_ends_is_replaced(
    client: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = GroupCommit(client, SHORT_SECONDS, echo_of(client))
    with monkeypatch.context() as ending:
        ending.setattr(client, "at_once", Mock(side_effect=Ended))
        for word in WORDS * 4:
            with pytest.raises(StoreUnavailable):
                commit(["calls"], [word])

    patient = commit._patience_seconds = PATIENCE_SECONDS  # noqa: SLF001 - of a busy machine
    assert patient
    assert commit(["calls"], ["a"]) == ["a"]


def test_who_comes_alone_waits_for_no_connection_of_another(
    client: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = GroupCommit(client, PATIENCE_SECONDS, echo_of(client))
    goes_on, real, asked = threading.Event(), client.at_once, threading.Event()

    def first_stands_still(commands: Sequence[bytes]) -> list[Any]:
        if not asked.is_set():
            asked.set()
            goes_on.wait(PATIENCE_SECONDS)
        return real(commands)

    monkeypatch.setattr(client, "at_once", first_stands_still)
    with ThreadPoolExecutor() as callers:
        first = callers.submit(commit, ["calls"], ["a"])
        assert asked.wait(PATIENCE_SECONDS)
        assert commit(["calls"], ["b"]) == ["b"]
        assert not first.done()
        goes_on.set()
        assert first.result(PATIENCE_SECONDS) == ["a"]
