"""How a request is taken in, whole or part by part, so that nothing of it happens twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from app.domain.errors import (
    CommandError,
    HistoryUnavailable,
    HookfillError,
    StaleRegistry,
    StoreError,
    StoreUnavailable,
)
from app.ports.ledger import Ledger
from app.ports.registry import Registry

#: Times that a request meets accounts which change under it before it is told to come back.
READINGS_MAX = 3

Part = TypeVar("Part")
Taken = TypeVar("Taken")


def with_current_registry(
    registry: Registry, ledger: Ledger, take_in: Callable[[], Taken]
) -> Taken:
    """Take in; what an old copy of the registry refuses is looked at once more with a new one.

    What it would permit is checked by the commit itself, so the copy costs no round trip. What has
    written anything, or may have, is never run again, whatever it raises.
    """
    for _ in range(READINGS_MAX):
        read, written = registry.version(), ledger.writes()
        try:
            return take_in()
        except (StaleRegistry, CommandError) as error:
            if ledger.writes() != written:
                raise
            registry.refresh()
            # Another thread may have read it anew meanwhile: what counts is what was looked at.
            if isinstance(error, CommandError) and registry.version() == read:
                raise
    return take_in()


@dataclass(frozen=True, slots=True)
class Failed:
    """A part of a request that came to nothing, or of which nobody knows.

    Attributes:
        in_doubt: it may have been done all the same.
    """

    error: HookfillError
    in_doubt: bool


def part_by_part(
    parts: Sequence[Part], ledger: Ledger, take_in: Callable[[Part], Taken]
) -> list[Taken | Failed]:
    """Take in the parts of a request, one after the other; the failure of one is its own.

    A part of which the store has said nothing is asked for once more, so it must be one that does
    nothing the second time. If it still says nothing, the parts that remain are not begun.

    Raises:
        StoreError: it failed at every part, and certainly nothing was written.
    """
    outcomes: list[Taken | Failed] = []
    before = ledger.writes()
    away: HookfillError | None = None
    for part in parts:
        outcome = _taken(part, ledger, take_in) if away is None else Failed(away, in_doubt=False)
        outcomes.append(outcome)
        away = outcome.error if _met_no_store(outcome) else away
    failures = [one.error for one in outcomes if isinstance(one, Failed)]
    store_errors = [one for one in failures if isinstance(one, StoreError)]
    if outcomes and len(store_errors) == len(outcomes) and ledger.writes() == before:
        raise store_errors[0]
    return outcomes


def _taken(part: Part, ledger: Ledger, take_in: Callable[[Part], Taken]) -> Taken | Failed:
    before = ledger.writes()

    def attempt() -> Taken | Failed:
        try:
            return take_in(part)
        except HookfillError as error:
            return Failed(error, in_doubt=ledger.writes() != before)

    outcome = attempt()
    return attempt() if _met_no_store(outcome) else outcome


def _met_no_store(outcome: object) -> TypeGuard[Failed]:
    return (
        isinstance(outcome, Failed)
        and isinstance(outcome.error, StoreUnavailable)
        and not isinstance(outcome.error, HistoryUnavailable)
    )
