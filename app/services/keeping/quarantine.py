"""Records that nobody could read are tried again: an update may be through by now."""

from app.domain.errors import NotFound, UnreadableRecord
from app.ports import Ports

#: Records tried in one go.
BATCH = 100


def try_quarantined(ports: Ports) -> None:
    """Let go of the records that can be read again, or are gone. Twice is harmless."""
    for one in ports.quarantine.all()[:BATCH]:
        try:
            ports.ledger.load(one.id)
        except UnreadableRecord:
            continue
        except NotFound:
            pass  # it has left
        ports.quarantine.release(one.id)
