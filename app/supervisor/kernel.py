"""Two favors that Linux does a supervisor. Elsewhere they are left out, and nothing breaks."""

import ctypes
import signal
import sys

#: From linux/prctl.h.
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent dies, so that they can be waited for."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(by: signal.Signals) -> None:
    """Get a signal when the parent dies; to be called in a new child, before it runs a program.

    So a supervisor that is killed leaves nothing behind that would hold the port or the data.
    """
    _prctl(_SET_PARENT_DEATH_SIGNAL, by)


if sys.platform == "linux":
    # Looked up here and not in the child, where little is allowed between fork and exec.
    _libc = ctypes.CDLL(None, use_errno=True)

    def _prctl(option: int, argument: int) -> None:
        _libc.prctl(option, argument, 0, 0, 0)
else:

    def _prctl(option: int, argument: int) -> None:
        """Do nothing: there is no such call here."""
