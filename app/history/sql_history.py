"""Finished aggregates in SQL."""

import heapq
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Select, bindparam, select, update

from app.domain.aggregate import Aggregate
from app.domain.enums import Kind
from app.domain.errors import UnreadableRecord
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId
from app.domain.order import Order
from app.domain.report import Fill
from app.domain.search import FillPlace, Moment, Place, Search, place_by
from app.history import queries
from app.history.database import INSERT, Database
from app.history.record_rows import children_of, later_columns, texts_of, writes_of
from app.history.tables import AGGREGATES, EPOCH, PAPER_ROWS, RECORDS, UNTYPED
from app.ports.history import Mark, PaperRow, Record
from app.store.core.records import aggregate_from
from app.unhurried import unhurried

#: Rows that one question brings.
PAGE = 100

#: Rows of the paper venue that one question brings: short ones, of which there may be very many.
ROWS_PAGE = 5_000

#: Ids that one question names; databases bound the number of parameters.
IDS_MAX = 500

Id = TypeVar("Id")

_log = structlog.get_logger()


class SqlHistory:
    """Keeps finished aggregates, and finds them again.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._completed = AggregateId(0)

    # What the use cases need

    @property
    def database(self) -> Database:
        """Where it is."""
        return self._database

    def identity(self) -> str:
        """Return a name that no other history has, nor this one if it was made anew."""
        return self._database.identity()

    def epoch(self) -> int:
        """Return how far it has counted together with the store; 0 if it never has."""
        with self._database.reading() as connection:
            return connection.execute(select(EPOCH.c.epoch)).scalar() or 0

    def raise_epoch(self, to: int) -> None:
        """Count up to this; what is higher already stays."""
        new = {"number": 1, "epoch": to}
        statement = INSERT[self._database.dialect](EPOCH).on_conflict_do_update(
            index_elements=["number"], set_={"epoch": to}, where=EPOCH.c.epoch < to
        )
        with self._database.writing() as connection:
            connection.execute(statement, new)

    def keep(self, records: Sequence[Record]) -> None:
        """Write them for good, all or none; what it knows in a newer form stays as it is."""
        if not records:
            return
        with self._database.writing() as connection:
            for statement, rows in writes_of(records, self._database.dialect):
                connection.execute(statement, rows)

    def complete(self, limit: int) -> bool:
        """Write what an older release has not written of up to so many; see `History`."""
        c = AGGREGATES.c
        missing = select(c.id).where(UNTYPED, c.id > self._completed).order_by(c.id).limit(limit)
        with self._database.reading() as connection:
            ids = [row.id for row in connection.execute(missing)]
            found = self._read(connection, ids)
        if found:
            statement = update(AGGREGATES).where(c.id == bindparam("known"), c.type.is_(None))
            rows = [{"known": known, **later_columns(one)} for known, one in found.items()]
            with self._database.writing() as connection:
                connection.execute(statement, rows)
        if ids:
            self._completed = ids[-1]  # what cannot be read is not tried again
        return len(ids) == limit

    def marks(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Mark]:
        """Return in which form it knows these; those it does not know are left out."""
        c = RECORDS.c
        rows = self._rows(select(c.id, c.version, c.entries), ids)
        return {row.id: (row.version, row.entries) for row in rows}

    def load(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Record]:
        """Return these; those it does not know are left out."""
        return {row.id: self._record(row) for row in self._rows(select(RECORDS), ids)}

    # What the paper venue needs

    def keep_paper_rows(self, rows: Sequence[PaperRow]) -> None:
        """Write them for good, all or none; each takes the place of one with its number."""
        if not rows:
            return
        insert = INSERT[self._database.dialect](PAPER_ROWS)
        new = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=[PAPER_ROWS.c.number],
            set_={c.name: new[c.name] for c in PAPER_ROWS.c if not c.primary_key},
        )
        # In one order for all writers, so that two at once wait for each other in no circle.
        ordered = sorted(rows, key=lambda row: row.number)
        with self._database.writing() as connection:
            connection.execute(statement, [asdict(row) for row in ordered])

    def paper_rows(self, account: AccountId, numbers: range) -> Iterator[PaperRow]:
        """Yield the rows of an account with these numbers, in their order; lazily, in pages."""
        first, c = numbers.start, PAPER_ROWS.c
        while True:
            query = _paper_rows(account, range(first, numbers.stop))
            with self._database.reading() as connection:
                found = connection.execute(query.order_by(c.number).limit(ROWS_PAGE))
                page = found.mappings().all()
            # What is made of them takes no time of the history's.
            yield from (PaperRow(**row) for row in page)
            if len(page) < ROWS_PAGE:
                return
            first = page[-1][c.number] + 1

    def paper_rows_of(
        self, account: AccountId, numbers: range, orders: Collection[ClientOrderId]
    ) -> Sequence[PaperRow]:
        """Return the rows of these orders with these numbers, in no order."""
        query, c = _paper_rows(account, numbers), PAPER_ROWS.c
        with self._database.reading() as connection:
            return [
                PaperRow(**row)
                for ids in _batches(orders)
                for row in connection.execute(query.where(c.client_order_id.in_(ids))).mappings()
            ]

    # What the reader needs

    def aggregates(self, ids: Collection[AggregateId]) -> Mapping[AggregateId, Aggregate]:
        """Return these without their timelines, but what it does not know or cannot read."""
        if not ids:
            return {}
        with self._database.reading() as connection:
            return self._read(connection, ids)

    def _read(
        self, connection: Connection, ids: Collection[AggregateId]
    ) -> Mapping[AggregateId, Aggregate]:
        found = {}
        # All of them first: what gives way to others is not to use up the time for questions.
        rows = list(_rows(connection, select(RECORDS.c.id, RECORDS.c.body), ids))
        for row in unhurried(rows):
            try:
                found[row.id] = aggregate_from(row.body)
            except UnreadableRecord as error:
                _log.error("kept_record_unreadable", aggregate=str(row.id), why=str(error))
        return found

    def newest(
        self, search: Search, before: Place | None, floor: Place | None
    ) -> Iterator[Aggregate]:
        """Yield what a search finds between two places, newest first; lazily, in pages.

        Args:
            search: what is wanted.
            before: only what is older than this place.
            floor: nothing that is older than this place.
        """
        for page in self._pages(search, queries.aggregates_of(search), before, floor):
            found = self.aggregates([one for _, one in page])
            # What has no type yet was found whatever its type.
            yield from filter(search.match, (found[one] for _, one in page if one in found))

    def oldest(
        self,
        live: Mapping[AggregateId, Aggregate],
        search: Search,
        moment: Moment,
        *,
        offset: int,
        limit: int,
    ) -> Sequence[Aggregate]:
        """Return a page of a list that begins with the oldest, of what is live and what has left.

        No more is read than what the page shows, and an index up to there.

        Args:
            live: all that the store has of it; what both have is taken from here.
            search: names accounts and one kind; a type of smart trades only.
            moment: what the list is sorted by, then by id.
            offset: how many are left out before the page.
            limit: how many it shows; less if one of them cannot be read.
        """
        with self._database.reading() as connection:
            known = {**self._untyped(connection, search), **live}
            ours = sorted(place_by(moment, one) for one in known.values() if search.match(one))
            hidden = sorted(
                (row.at_ms, row.id)
                for batch in _batches(known)
                for row in connection.execute(queries.places(search, moment, batch))
            )
            # All of ours may come before the page, or none: so much further forward it may begin.
            skip = max(0, offset - len(ours))
            most = limit + len(ours) + len(hidden)
            rows = connection.execute(queries.oldest(search, moment, skip, most))
            theirs = [(row.at_ms, row.id) for row in rows]
            # Of those that were skipped, some count once only: as ours.
            doubled = bisect_left(hidden, theirs[0]) if theirs else 0
            found = heapq.merge(ours, (one for one in theirs if one[1] not in known))
            first = offset - (skip - doubled)
            page = [one for _, one in islice(found, first, first + limit)]
            left = self._read(connection, [one for one in page if one not in known])
        shown = {**left, **known}
        return [shown[one] for one in page if one in shown]

    def _untyped(self, connection: Connection, search: Search) -> Mapping[AggregateId, Aggregate]:
        """Return the trades that no index can sort: an older release has left them here."""
        if search.kinds != frozenset({Kind.SMART_TRADE}):
            return {}
        rows = connection.execute(queries.untyped(search))
        return self._read(connection, [row.id for row in rows])

    def fills(
        self, search: Search, before: FillPlace | None
    ) -> Iterator[tuple[FillPlace, Order, Fill]]:
        """Yield the fills that a search finds before a place, newest first."""
        for page in self._pages(search, queries.fills_of(search), before, None):
            orders = self.aggregates({order_id for _, order_id, _ in page})
            for place in page:
                order = orders.get(place[1])
                if isinstance(order, Order):
                    yield place, order, order.fills[place[2]]

    def count(self, search: Search, without: Collection[AggregateId]) -> int:
        """Return how many a search finds, those in `without` left aside."""
        return self._count(search, queries.aggregates_of(search), without)

    def count_fills(self, search: Search, without: Collection[AggregateId]) -> int:
        """Return how many fills a search finds, those of the orders in `without` left aside."""
        return self._count(search, queries.fills_of(search), without)

    def _count(self, search: Search, query: queries.Query, without: Collection[AggregateId]) -> int:
        if search.finds_nothing:
            return 0
        count = queries.count(query)
        with self._database.reading() as connection:
            total: int = connection.execute(count).scalar_one()
            for ids in _batches(without):
                total -= connection.execute(count.where(query.place[1].in_(ids))).scalar_one()
        return total

    def _pages(
        self,
        search: Search,
        query: queries.Query,
        before: tuple[int, ...] | None,
        floor: tuple[int, ...] | None,
    ) -> Iterator[list[Any]]:
        """Yield the places of what a search finds, PAGE at a time, merged from several walks."""
        while not search.finds_nothing:
            with self._database.reading() as connection:
                walks = queries.walks(query, before, floor)
                found = [_places(connection, walk) for walk in walks]
            page: list[Any] = list(islice(heapq.merge(*found, reverse=True), PAGE))
            yield page
            if len(page) < PAGE:
                return
            before = page[-1]

    def _rows(self, query: Select[Any], ids: Collection[AggregateId]) -> list[Any]:
        if not ids:
            return []
        with self._database.reading() as connection:
            return list(_rows(connection, query, ids))

    def _record(self, row: Any) -> Record:  # noqa: ANN401
        return Record(
            aggregate=aggregate_from(row.body),
            version=row.version,
            body=row.body,
            timeline=texts_of(row.timeline),
            children=children_of(row.children),
        )


def _places(connection: Connection, walk: Select[Any]) -> list[tuple[int, ...]]:
    return [tuple(row) for row in connection.execute(walk.limit(PAGE))]


def _rows(
    connection: Connection, query: Select[Any], ids: Collection[AggregateId]
) -> Iterator[Any]:
    for batch in _batches(ids):
        yield from connection.execute(query.where(RECORDS.c.id.in_(batch)))


def _paper_rows(account: AccountId, numbers: range) -> Select[Any]:
    c = PAPER_ROWS.c
    within = c.number >= numbers.start, c.number < numbers.stop
    return select(PAPER_ROWS).where(c.account == account, *within)


def _batches(ids: Iterable[Id]) -> Iterator[list[Id]]:
    rest = iter(ids)
    while batch := list(islice(rest, IDS_MAX)):
        yield batch
