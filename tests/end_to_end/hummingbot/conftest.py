"""The fixture of the Hummingbot spec, section 6, on the stack that all end-to-end tests share."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack
from tests.support.users.hummingbot import User, a_user


@pytest.fixture
def user(shared_stack: Stack) -> Iterator[User]:
    """Return a user of an account name of their own."""
    with a_user(shared_stack) as user:
        yield user
