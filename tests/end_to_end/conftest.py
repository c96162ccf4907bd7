"""The order of the end-to-end tests, and a browser for them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.browser import PROGRAM, Browser

HERE = Path(__file__).parent

#: A stack starts within seconds, and is stopped and started by some tests; machines may be busy.
TIMEOUT_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, give stacks time, and run last what shares one.

    An idle stack takes its part of a small machine, too.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)
        if item.get_closest_marker("e2e") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that nobody has used."""
    assert PROGRAM is not None
    with closing(Browser(PROGRAM, tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser
