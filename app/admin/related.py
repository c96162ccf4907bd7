"""One aggregate among its family: where it came from, what it brought forth, what happened."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from app.admin.rows import entry_row, spoken_row
from app.admin.timelines import moment_of
from app.bootstrap import Wiring
from app.domain.aggregate import Aggregate
from app.domain.errors import UnreadableRecord
from app.web.answers import Json
from app.web.time_texts import span


class Families:
    """Follows the lines between aggregates, up and down."""

    def __init__(self, wiring: Wiring) -> None:
        self._reader = wiring.reader
        self._registry = wiring.registry

    def row(self, aggregate: Aggregate) -> Json:
        """Return an aggregate as one row with its sentence."""
        return spoken_row(aggregate, self._registry.account(aggregate.account).name)

    def root_of(self, aggregate: Aggregate) -> Aggregate:
        """Return the request that began it all."""
        while aggregate.parent_id is not None:
            aggregate = self._reader.find(aggregate.parent_id)
        return aggregate

    def tree(self, aggregate: Aggregate) -> Mapping[str, object]:
        """Return the row of an aggregate, and the same of each that it brought forth."""
        children = [self.tree(child) for child in self._children(aggregate)]
        return {"row": self.row(aggregate), "children": children}

    def timeline(self, aggregate: Aggregate) -> Sequence[Json]:
        """Return what happened to an aggregate and its descent as one row of lines."""
        told = [
            [(entry, process, one) for entry, process in self._reader.timeline(one.id)]
            for one in self._descent(aggregate)
        ]
        lines: list[Json] = []
        before_ms = None
        for entry, process, one in heapq.merge(*told, key=lambda line: moment_of(line[0])):
            gap = "" if before_ms is None else f"+{span(entry.at_ms - before_ms)}"
            owner = None if one.id == aggregate.id else self.row(one)
            lines.append({**entry_row(entry, process), "gap": gap, "of": owner})
            before_ms = entry.at_ms
        return lines

    def _descent(self, aggregate: Aggregate) -> Iterator[Aggregate]:
        yield aggregate
        for child in self._children(aggregate):
            yield from self._descent(child)

    def _children(self, aggregate: Aggregate) -> list[Aggregate]:
        children = []
        for child in self._reader.children(aggregate.id):
            with suppress(UnreadableRecord):  # in quarantine, where people see it
                children.append(self._reader.find(child))
        return children
