"""One running stack for all end-to-end tests, brought into the same state before each."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.browser import PROGRAM, Browser
from tests.support.stack import Stack
from tests.support.users import crypto_arsenal

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and run last what shares a stack.

    An idle stack takes its part of a small machine, too.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_stack(whole_stack: Stack) -> Stack:
    """Return a stack in the test profile, as others have left it."""
    return whole_stack


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that nobody has used."""
    assert PROGRAM is not None
    with closing(Browser(PROGRAM, tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Return the stack as the vectors of the Crypto Arsenal spec expect it."""
    crypto_arsenal.reset(shared_stack)
    return shared_stack
