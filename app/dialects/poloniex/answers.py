"""What Poloniex routes share: how they are answered, and how their query is read."""

from collections.abc import Callable
from functools import wraps

from app.dialects.poloniex import replies
from app.dialects.poloniex.errors import Code, Problem
from app.web.answers import Answer, good
from app.web.registry_refresh import Failed


def answered(view: Callable[..., object]) -> Callable[..., Answer]:
    """Return a view that answers 200 with what `view` returns; the SDK takes nothing else."""

    @wraps(view)
    def answering(**arguments: str) -> Answer:
        return good(view(**arguments))

    return answering


def problem_of(failed: Failed) -> Problem:
    """Return why one part of a request came to nothing, or that nobody knows whether it did."""
    if failed.in_doubt:
        return Problem(Code.UNAVAILABLE, "it is not known whether this was done")
    return replies.problem_of(failed.error)
