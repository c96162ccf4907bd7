"""The Ports of this process, built after the fork."""

import os
from functools import cache

from app.bootstrap import worker_wiring
from app.ports import Ports
from app.settings import Settings
from workers.inline import InlinePublisher


@cache
def _ports_of(pid: int) -> tuple[Ports, InlinePublisher]:
    del pid  # it is the key of the cache: a fork must not share its parent's connections
    settings = Settings.from_environment(os.environ)
    inline = InlinePublisher()
    return worker_wiring(settings, inline.around).ports, inline


def process_ports() -> Ports:
    """Return the ports of this process; a fork gets its own."""
    return _ports_of(os.getpid())[0]


def process_inline() -> InlinePublisher:
    """Return the publisher that keeps what this process can do at once."""
    return _ports_of(os.getpid())[1]
