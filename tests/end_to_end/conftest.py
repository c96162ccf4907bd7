"""The order of the end-to-end tests, and a browser for them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.browser import PROGRAM, Browser

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and run last what shares a stack.

    An idle stack takes its part of a small machine, too.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that nobody has used."""
    assert PROGRAM is not None
    with closing(Browser(PROGRAM, tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser
