"""Many are gone through one by one, and what is wrong with one of them ends its own part only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from app import metrics
from app.domain.errors import HistoryUnavailable, HookfillError, StoreUnavailable

#: What a mistake of ours, or a value that nobody has thought of, comes to. It is loud, and it must
#: not hold up the others. What ends a process or its task is not among them.
MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

_log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """How it went with one of many.

    Attributes:
        failed: it is to be looked at again.
    """

    failed: bool = False


@contextmanager
def apart(loop: str, item: object) -> Iterator[Outcome]:
    """Let an error of one item end the work on it, and on no other.

    Args:
        loop: what goes through them, as the log and the metric name it.
        item: which one, for the log.

    Raises:
        StoreUnavailable: it concerns all of them.
    """
    outcome = Outcome()
    try:
        yield outcome
    except HistoryUnavailable as error:
        outcome.failed = True
        _log.warning("item_left", loop=loop, item=str(item), error=str(error))
    except StoreUnavailable:
        raise
    except HookfillError as error:
        outcome.failed = True
        _log.warning(
            "item_left", loop=loop, item=str(item), kind=type(error).__name__, error=str(error)
        )
    except MISTAKES:
        outcome.failed = True
        metrics.FAILED_ITEMS.labels(loop=loop).inc()
        _log.exception("item_failed", loop=loop, item=str(item))
