"""A fresh rig for each test."""

import pytest

from tests.support.rig import Rig


@pytest.fixture
def rig() -> Rig:
    """All use cases over a real store and a scripted venue."""
    return Rig()
