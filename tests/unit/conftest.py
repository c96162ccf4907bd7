"""The web app over a store that is not there: nothing connects before it is needed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.bootstrap import web_wiring
from app.factory import create_app
from app.settings import Settings

ADMIN_TOKEN = "an-admin-token-for-tests"  # noqa: S105 - of no installation

MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """Return a function that builds the app with odd settings."""

    def make(**odd: str) -> Flask:
        environ = {
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "HOOKFILL_DATA_DIR": str(tmp_path),
            "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN,
            **odd,
        }
        wiring = web_wiring(Settings.from_environment(environ))
        return create_app(wiring)

    return make
