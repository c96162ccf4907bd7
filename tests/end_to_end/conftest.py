"""One running stack for all end-to-end tests, brought into the same state before each."""

import pytest

from tests.end_to_end import crypto_arsenal
from tests.end_to_end.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run last what shares a stack: an idle one takes its part of a small machine, too."""
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_stack(whole_stack: Stack) -> Stack:
    """Return a stack in the test profile, as others have left it."""
    return whole_stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Return the stack as the vectors of the Crypto Arsenal spec expect it."""
    crypto_arsenal.reset(shared_stack)
    return shared_stack
