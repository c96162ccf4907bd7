"""What the web server serves."""

import os

from app.bootstrap import web_wiring
from app.ingress.factory import create_app
from app.logs import configure
from app.settings import Settings

_settings = Settings.from_environment(os.environ)
configure("web", _settings.log_level)

app = create_app(web_wiring(_settings))
