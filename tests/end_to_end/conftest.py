"""One running stack for all end-to-end tests, brought into the same state before each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end import crypto_arsenal
from tests.end_to_end.stack import Stack, running_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run last what shares a stack: an idle one takes its part of a small machine, too."""
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a stack in the test profile."""
    data_dir: Path = tmp_path_factory.mktemp("stack")
    with running_stack(data_dir) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Return the stack as the vectors of the Crypto Arsenal spec expect it."""
    crypto_arsenal.reset(shared_stack)
    return shared_stack
