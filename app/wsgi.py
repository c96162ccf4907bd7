"""What the web server serves."""

import gc
import os
import sys

from app.bootstrap import load_exchanges, refuse_unsafe_store, web_wiring
from app.domain.errors import UnsafeStore
from app.factory import create_app
from app.logs import configure
from app.metric_files import tidy
from app.settings import Settings, forget_foreign

#: With this exit code of a worker, gunicorn stops instead of starting the next one.
GUNICORN_STOPS = 3

forget_foreign(os.environ)
_settings = Settings.from_environment(os.environ)
configure("web", _settings.log_level)

try:
    refuse_unsafe_store(_settings)
except UnsafeStore as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(GUNICORN_STOPS)

tidy()
_wiring = web_wiring(_settings)
load_exchanges(_wiring.ports)
app = create_app(_wiring)
_wiring.messenger().start()

# What is there by now stays. To look through it for what can go takes a tenth of a second or more,
# in which nobody is answered.
gc.collect()
gc.freeze()
