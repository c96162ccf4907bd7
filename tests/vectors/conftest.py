"""Each vector runs twice: in this process, where coverage sees it, and over a running stack."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.end_to_end.stack import Installation, running_stack
from tests.vectors.stand_in import stand_in

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
