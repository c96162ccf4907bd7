"""The files of a running server can be copied while it does not rewrite them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient

#: Redis' own default, which `hookfill up` leaves as it is.
_REWRITE_PERCENTAGE = "100"

_PERCENTAGE = "auto-aof-rewrite-percentage"

#: Longer than a rewrite of some gigabytes takes.
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.05


@contextmanager
def rewrites_stopped(url: str) -> Iterator[None]:
    """Keep the server from rewriting its append-only files, which are only added to meanwhile.

    So a copy of them is what they were at a moment during the copying: the newest one is read up to
    its last whole command ("Backing up AOF persisted data", redis.io). Whoever dies within leaves
    the rewrites off until the server is started anew.

    Args:
        url: of the server.

    Raises:
        StoreUnavailable: it did not answer, or would not stop.
    """
    with StoreClient.from_url(url, decode_responses=True, protocol=2) as client:
        client.config_set(_PERCENTAGE, "0")
        try:
            _await_end_of_rewrite(client)
            yield
        finally:
            client.config_set(_PERCENTAGE, _REWRITE_PERCENTAGE)


def _await_end_of_rewrite(client: StoreClient) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        info = client.info("persistence")
        if not info["aof_rewrite_in_progress"] and not info.get("aof_rewrite_scheduled"):
            return
        time.sleep(_LOOK_SECONDS)
    raise StoreUnavailable("the store goes on rewriting its files; try again later")
