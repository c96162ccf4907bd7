"""Each vector runs twice: in this process, where coverage sees it, and over a running stack."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.stack import Installation, running_stack
from tests.support.stand_in import stand_in
from tests.support.users import apisify
from tests.support.users.poloniex import Trader
from tests.support.users.three_commas import Client

#: Starts an installation whose files are in a folder, with settings of its own.
Start = Callable[[Path, Mapping[str, str]], AbstractContextManager[Installation]]


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("in_process", marks=pytest.mark.integration),
        pytest.param("running", marks=pytest.mark.e2e),
    ],
)
def start(request: pytest.FixtureRequest) -> Start:
    """Return how an installation is started."""
    return stand_in if request.param == "in_process" else running_stack


@pytest.fixture(scope="session")
def shared_stack(
    start: Start, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation for all vectors that want no settings of their own."""
    if start is running_stack:
        yield request.getfixturevalue("whole_stack")
        return
    with start(tmp_path_factory.mktemp("vectors"), {}) as stack:
        yield stack


@pytest.fixture(scope="session")
def own_stack(
    start: Start, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation for vectors that trade in other steps than the demo accounts.

    It is called by the URL of the apisify vectors, behind a proxy.
    """
    if start is running_stack:
        yield request.getfixturevalue("own_steps_stack")
        return
    with start(tmp_path_factory.mktemp("own"), apisify.ENVIRONMENT) as stack:
        yield stack


@pytest.fixture(scope="session")
def odd_stack(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with every setting that few vectors want."""
    odd = {
        **apisify.ENVIRONMENT,
        "APISIFY_PUBLIC_URLS": json.dumps([apisify.URL, apisify.HTTP_URL]),
        "POLO_TRIGGER_DIRECTION": "infer",
    }
    with start(tmp_path_factory.mktemp("odd"), odd) as stack:
        yield stack


@pytest.fixture
def client(shared_stack: Installation) -> Client:
    """Return a client of the 3Commas dialect, in the state that its vectors begin from."""
    client = Client(shared_stack)
    client.reset()
    return client


@pytest.fixture
def trader(own_stack: Installation) -> Trader:
    """Return a caller of the Poloniex dialect, in the state that its vectors begin from."""
    trader = Trader(own_stack)
    trader.reset()
    return trader


@pytest.fixture
def caller(own_stack: Installation) -> apisify.Caller:
    """Return a caller of the apisify dialect, in the state that its vectors begin from."""
    caller = apisify.Caller(own_stack)
    caller.reset()
    return caller
