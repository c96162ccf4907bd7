"""A browser for the end-to-end tests."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.browser import PROGRAM, Browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser that nobody has used."""
    assert PROGRAM is not None
    with closing(Browser(PROGRAM, tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser
