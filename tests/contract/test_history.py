"""The history in SQL: what was kept is found again, in its newest form, each once."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from app.domain.commands import NetAction
from app.domain.decision import EntryName, TimelineEntry
from app.domain.enums import Dialect, Kind, Market, Side
from app.domain.errors import HistoryUnavailable
from app.domain.identifiers import AccountId, AggregateId, ClientOrderId, EpochMs
from app.domain.order import Order
from app.domain.request.reversal import Reversal
from app.domain.request.signal import RequestStatus
from app.domain.search import EVERYTHING, Moment, Search, place_by, place_of
from app.domain.smart_trade.enums import TradeStatus
from app.domain.status import CLOSED, OrderStatus
from app.history import postgres, queries, sql_history
from app.history import record_rows as writing
from app.history.database import Database
from app.history.patience import of_one_request
from app.history.queries import WALKS_MAX
from app.history.sql_history import PAGE, SqlHistory
from app.history.tables import METADATA, PAPER_ROWS
from app.ports.history import PaperRow, Record
from app.settings.kinds import DATABASE_URL
from app.store.core.records import entry_text, record_of
from tests.support.builders import (
    BTC,
    ETH,
    NOW,
    PAPER,
    SPOT_ID,
    a_fill,
    a_signal,
    a_smart_order,
    an_id,
    an_order,
)
from tests.support.searching import times
from tests.support.three_commas_trades import a_trade

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.aggregate import Aggregate


Opened = Callable[..., Database]


def empty(url: str) -> None:
    """Drop our tables."""
    engine = create_engine(DATABASE_URL.read(url))
    METADATA.drop_all(engine)
    engine.dispose()


#: What this release has added to the tables of the one before.
NEWER_COLUMNS = ("type", "closed_at_ms")
NEWER_INDEXES = ("by_update", "trades_by_created", "trades_by_closed", "untyped")


def make_older(url: str) -> None:
    """Take away what an older release does not make."""
    engine = create_engine(DATABASE_URL.read(url))
    with engine.begin() as connection:
        for name in NEWER_INDEXES:
            connection.execute(text(f"DROP INDEX hookfill_{name}"))
        for name in NEWER_COLUMNS:
            connection.execute(text(f"ALTER TABLE hookfill_aggregates DROP COLUMN {name}"))
    engine.dispose()


@contextmanager
def a_lock(url: str, sqlite: str, postgresql: str) -> Iterator[None]:
    """Hold a lock, taken by these statements."""
    engine = create_engine(DATABASE_URL.read(url))
    with engine.connect() as connection:
        for statement in (sqlite if url.startswith("sqlite") else postgresql).split("; "):
            connection.exec_driver_sql(statement)
        connection.execute(text("UPDATE hookfill_history SET number = number"))
        yield
        connection.rollback()
    engine.dispose()


@contextmanager
def a_lock_of_the_whole(history: SqlHistory, url: str) -> Iterator[None]:
    """Hold a lock that keeps everybody out."""
    history._database.close()  # noqa: SLF001 - nobody else may have the file open
    whole = "LOCK TABLE hookfill_aggregates IN ACCESS EXCLUSIVE MODE"
    with a_lock(url, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE", whole):
        yield


def seconds_in_vain(reader: SqlHistory) -> float:
    """Ask what gets no answer in time, and return how long that took."""
    started = time.monotonic()
    with pytest.raises(HistoryUnavailable, match="in time"):
        reader.count(EVERYTHING, ())
    return time.monotonic() - started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database is; each test runs with both kinds where there is a server."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'history.db'}"


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    """Opens the database, which is empty at first, each time as another process would."""
    empty(url)
    databases: list[Database] = []

    def open_it(patience_seconds: float | None = None) -> Database:
        databases.append(Database(DATABASE_URL.read(url), patience_seconds))
        return databases[-1]

    yield open_it
    for one in databases:
        one.close()


@pytest.fixture
def database(opened: Opened) -> Database:
    """An empty database."""
    return opened()


@pytest.fixture
def history(database: Database) -> SqlHistory:
    """An empty history."""
    return SqlHistory(database)


def a_record(aggregate: Aggregate, version: int = 3, entries: int = 2, **odd: Any) -> Record:  # noqa: ANN401
    timeline = tuple(
        entry_text(TimelineEntry(EntryName.CLOSED, EpochMs(NOW + number)), "test-1")
        for number in range(entries)
    )
    made = Record(
        aggregate=aggregate, version=version, body=record_of(aggregate), timeline=timeline
    )
    return replace(made, **odd)


def an_ended(number: int, **odd: object) -> Aggregate:
    return an_order(id=an_id(number), **{"status": OrderStatus.FILLED, **odd})


def a_row(number: int, **odd: Any) -> PaperRow:  # noqa: ANN401
    row = PaperRow(
        number=number, account=SPOT_ID, client_order_id=ClientOrderId(f"h{number}"), body="{}"
    )
    return replace(row, **odd)


class TestRowsOfThePaperVenue:
    def test_those_with_these_numbers_are_told(self, history: SqlHistory) -> None:
        rows = [a_row(number) for number in (1, 2, 3, 2**53)]
        history.keep_paper_rows([*rows, a_row(9, account=AccountId(2))])

        def told(first: int, stop: int) -> list[PaperRow]:
            return list(history.paper_rows(SPOT_ID, range(first, stop)))

        assert told(1, 2**53 + 1) == rows
        assert told(2, 4) == rows[1:3]
        assert told(4, 4) == []

    @pytest.mark.parametrize("count", [3, 4, 5])
    def test_they_come_in_pages(
        self, history: SqlHistory, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        monkeypatch.setattr(sql_history, "ROWS_PAGE", 2)
        rows = [a_row(number * 3) for number in range(count)]
        history.keep_paper_rows(rows[::-1])

        assert list(history.paper_rows(SPOT_ID, range(99))) == rows

    def test_those_of_these_orders_are_told(self, history: SqlHistory) -> None:
        order = ClientOrderId("'; x")
        rows = [a_row(1, client_order_id=order), a_row(2), a_row(3, client_order_id=order)]
        history.keep_paper_rows(rows)

        assert history.paper_rows_of(SPOT_ID, range(2, 4), [order]) == [rows[2]]
        assert history.paper_rows_of(SPOT_ID, range(4), [ClientOrderId("h9")]) == []
        assert history.paper_rows_of(SPOT_ID, range(4), []) == []

    def test_the_last_with_a_number_stands(self, history: SqlHistory) -> None:
        history.keep_paper_rows([a_row(1), a_row(2)])
        newer = a_row(1, account=AccountId(2), client_order_id=ClientOrderId("h7"), body="new")

        history.keep_paper_rows([newer])
        history.keep_paper_rows([])

        assert list(history.paper_rows(AccountId(2), range(9))) == [newer]
        assert list(history.paper_rows(SPOT_ID, range(9))) == [a_row(2)]

    def test_a_history_of_an_older_release_gets_their_table(
        self, history: SqlHistory, opened: Opened, url: str
    ) -> None:
        history.keep([a_record(an_ended(1))])
        engine = create_engine(DATABASE_URL.read(url))
        PAPER_ROWS.drop(engine)
        engine.dispose()

        other = SqlHistory(opened())
        other.keep_paper_rows([a_row(1)])

        assert list(other.marks([an_id(1)])) == [an_id(1)]
        assert list(other.paper_rows(SPOT_ID, range(9))) == [a_row(1)]


class TestKeeping:
    def test_a_record_comes_back_as_it_was(self, history: SqlHistory) -> None:
        order = an_ended(1, fills=(a_fill(), a_fill(trade_id="t2")), caller_id="\udcff '; x")
        record = a_record(order, children=(an_id(2), an_id(3)))

        history.keep([record])

        assert history.load([order.id, an_id(9)]) == {order.id: record}
        assert history.marks([order.id, an_id(9)]) == {order.id: (3, 2)}
        assert history.aggregates([order.id]) == {order.id: order}

    def test_nothing_is_kept_of_nothing(self, history: SqlHistory) -> None:
        history.keep([])

        assert history.load([]) == {}
        assert list(history.newest(EVERYTHING, None, None)) == []

    def test_twice_is_once(self, history: SqlHistory) -> None:
        records = [a_record(an_ended(number, fills=(a_fill(),))) for number in range(1, 4)]

        history.keep(records)
        history.keep(records)

        assert history.count(EVERYTHING, ()) == 3
        assert history.count_fills(EVERYTHING, ()) == 3

    @pytest.mark.parametrize("newer", [(4, 2), (3, 3)], ids=["version", "entries"])
    @pytest.mark.parametrize("is_late", [False, True])
    def test_the_newest_form_wins_whenever_it_comes(
        self, history: SqlHistory, newer: tuple[int, int], *, is_late: bool
    ) -> None:
        old = a_record(an_ended(1, status=OrderStatus.CANCELED))
        new = a_record(an_ended(1, fills=(a_fill(),)), *newer)

        for record in [old, new] if is_late else [new, old]:
            history.keep([record])

        assert history.load([old.aggregate.id]) == {old.aggregate.id: new}
        assert history.count(Search(states=frozenset({OrderStatus.CANCELED})), ()) == 0
        assert history.count_fills(EVERYTHING, ()) == 1

    def test_all_are_kept_or_none(
        self, history: SqlHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = writing.writes_of

        def halves(*given: Any) -> Iterator[object]:  # noqa: ANN401
            yield from list(whole(*given))[:1]
            raise OSError("the disk is full")

        monkeypatch.setattr(sql_history, "writes_of", halves)
        with pytest.raises(HistoryUnavailable, match="the disk is full"):
            history.keep([a_record(an_ended(1))])

        assert history.count(EVERYTHING, ()) == 0

    def test_many_who_write_at_once_leave_the_newest_forms(
        self, history: SqlHistory, opened: Opened
    ) -> None:
        rounds = 8

        def write(version: int) -> None:
            mine = SqlHistory(opened())
            ids = range(1, 21) if version % 2 else range(20, 0, -1)
            mine.keep([a_record(an_ended(number), version) for number in ids])

        writers = [threading.Thread(target=write, args=(one,)) for one in range(1, rounds + 1)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        marks = history.marks([an_id(number) for number in range(1, 21)])
        assert set(marks.values()) == {(rounds, 2)}

    def test_more_ids_than_a_question_takes_are_asked_in_several(
        self, history: SqlHistory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql_history, "IDS_MAX", 2)
        history.keep([a_record(an_ended(number)) for number in range(1, 6)])
        ids = [an_id(number) for number in range(1, 6)]

        assert history.marks(ids).keys() == set(ids)
        assert history.count(EVERYTHING, ids[:3]) == 2


ACCOUNTS = [AccountId(1), AccountId(2)]


@st.composite
def aggregates(draw: st.DrawFn, number: int) -> Aggregate:
    account = draw(st.sampled_from(ACCOUNTS))
    facts: dict[str, Any] = {
        "id": an_id(number, account),
        "account": account,
        "dialect": draw(st.sampled_from(list(Dialect))),
        "symbol": draw(st.sampled_from([BTC, ETH])),
        "created_at_ms": EpochMs(NOW + draw(st.integers(0, 3))),
        "parent_id": draw(st.sampled_from([None, an_id(90), an_id(91)])),
    }
    match draw(st.integers(0, 3)):
        case 0:
            facts |= {"status": draw(st.sampled_from([RequestStatus.DONE, RequestStatus.CANCELED]))}
            del facts["parent_id"]
            return a_signal(**facts)
        case 1:
            del facts["parent_id"]
            return Reversal(
                origin="apisify:one",
                venue=PAPER,
                market=Market.USDM,
                action=draw(st.sampled_from([NetAction.REVERSE_BUY, NetAction.CLOSE])),
                wanted=Decimal(1),
                due_at_ms=NOW,
                updated_at_ms=NOW,
                status=draw(st.sampled_from([RequestStatus.PARTIAL, RequestStatus.DONE])),
                **facts,
            )
        case 2:
            del facts["dialect"]
            return a_smart_order(**facts)
        case _:
            times = draw(st.lists(st.integers(0, 4), max_size=3))
            fills = [
                a_fill(trade_id=f"t{at}-{index}", at_ms=EpochMs(NOW + at))
                for index, at in enumerate(times)
            ]
            facts |= {
                "side": draw(st.sampled_from(Side)),
                "status": draw(st.sampled_from(sorted(CLOSED))),
                "updated_at_ms": EpochMs(NOW + draw(st.integers(0, 3))),
                "caller_id": draw(st.sampled_from([None, "a", "B" * 4_000])),
                "fills": tuple(fills),
            }
            return an_order(**facts)


@st.composite
def many_aggregates(draw: st.DrawFn) -> list[Aggregate]:
    return [draw(aggregates(number)) for number in range(1, draw(st.integers(0, 12)) + 1)]


def some(*values: object) -> st.SearchStrategy[Any]:
    return st.none() | st.frozensets(st.sampled_from(values))


SEARCHES = st.builds(
    Search,
    kinds=some(*Kind),
    accounts=some(*ACCOUNTS, AccountId(3)),
    dialects=some(*Dialect),
    states=some(*CLOSED, *RequestStatus),
    symbols=some(BTC, ETH),
    sides=some(*Side),
    parent=st.none() | st.sampled_from([an_id(90), an_id(92)]),
    caller_id=st.sampled_from([None, None, "a", "b", "B" * 4_000]),
    top_level=st.booleans(),
    since_ms=st.none() | st.integers(NOW, NOW + 4),
    until_ms=st.none() | st.integers(NOW, NOW + 4),
    updated_since_ms=st.none() | st.integers(NOW, NOW + 4),
    updated_until_ms=st.none() | st.integers(NOW, NOW + 4),
    types=some("MARKET", "LIMIT", "STOP"),
    above=st.sampled_from([None, None, an_id(3)]),
    below=st.sampled_from([None, None, an_id(6)]),
)


class TestSearching:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        many_aggregates(),
        SEARCHES,
        st.sampled_from([1, WALKS_MAX]),
        st.sampled_from([1, 3, PAGE]),
    )
    def test_it_finds_what_matches_and_nothing_else(
        self,
        url: str,
        monkeypatch: pytest.MonkeyPatch,
        everything: list[Aggregate],
        search: Search,
        walks: int,
        page: int,
    ) -> None:
        database = self._emptied(url)
        history = SqlHistory(database)
        monkeypatch.setattr("app.history.queries.WALKS_MAX", walks)
        monkeypatch.setattr(sql_history, "PAGE", page)
        history.keep([a_record(one) for one in everything])

        matching = sorted(filter(search.match, everything), key=place_of, reverse=True)
        assert list(history.newest(search, None, None)) == matching
        assert history.count(search, ()) == len(matching)
        for index, one in enumerate(matching):
            rest = list(history.newest(search, place_of(one), None))
            assert rest == matching[index + 1 :]
            assert list(history.newest(search, None, place_of(one))) == matching[: index + 1]

        fills = self._fills(everything, search)
        found = [(place, fill) for place, _, fill in history.fills(search, None)]
        assert found == fills
        assert history.count_fills(search, ()) == len(fills)
        for index, (place, _) in enumerate(fills):
            rest_places = [one for one, _, _ in history.fills(search, place)]
            assert rest_places == [one for one, _ in fills[index + 1 :]]
        database.close()

    @staticmethod
    def _fills(everything: list[Aggregate], search: Search) -> list[Any]:
        found = [
            ((fill.at_ms, one.id, number), fill)
            for one in everything
            if isinstance(one, Order)
            for number, fill in enumerate(one.fills)
            if search.is_about(one) and search.covers(fill.at_ms)
        ]
        if search.finds_nothing:
            return []
        return sorted(found, key=lambda item: item[0], reverse=True)

    @staticmethod
    def _emptied(url: str) -> Database:
        if url.startswith("sqlite"):
            return Database("sqlite://")
        empty(url)
        return Database(DATABASE_URL.read(url))

    def test_the_words_of_each_kind_are_searched(self, history: SqlHistory) -> None:
        ended = [an_ended(1), a_signal(id=an_id(2), status=RequestStatus.DONE)]
        history.keep([a_record(one) for one in ended])

        for one in ended:
            found = history.newest(Search(states=frozenset({one.status})), None, None)
            assert list(found) == [one]

    def test_what_has_no_type_is_not_among_those_of_a_type(self, history: SqlHistory) -> None:
        history.keep([a_record(a_signal(status=RequestStatus.DONE))])

        assert history.count(Search(types=frozenset({"MARKET"})), ()) == 0

    def test_a_page_uses_an_index_and_sorts_nothing(self, database: Database) -> None:
        if database.dialect != "sqlite":
            pytest.skip("other planners look at what there is")
        search = Search(kinds=frozenset({Kind.ORDER}), accounts=frozenset(ACCOUNTS))
        for walk in queries.walks(queries.aggregates_of(search), (NOW, an_id(5)), None):
            with database.reading() as connection:
                told = connection.execute(text(f"EXPLAIN QUERY PLAN {_spelled(walk)}")).all()
            (step,) = [row[-1] for row in told]
            assert "USING COVERING INDEX hookfill_by_account" in step

    def test_what_has_changed_lately_is_found_by_when_it_has(self, database: Database) -> None:
        if database.dialect != "sqlite":
            pytest.skip("other planners look at what there is")
        search = Search(
            kinds=frozenset({Kind.ORDER}),
            accounts=frozenset({ACCOUNTS[0]}),
            states=frozenset(map(str, CLOSED)),
            symbols=frozenset({BTC}),
            types=frozenset({"LIMIT"}),
            updated_since_ms=NOW,
            updated_until_ms=EpochMs(NOW + 9),
            until_ms=EpochMs(NOW + 9),
        )
        (walk,) = queries.walks(queries.aggregates_of(search), (NOW, an_id(5)), None)
        with database.reading() as connection:
            told = connection.execute(text(f"EXPLAIN QUERY PLAN {_spelled(walk)}")).all()

        assert "USING COVERING INDEX hookfill_by_update" in told[0][-1]


@st.composite
def forms(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return how a trade was kept and how it is in the store; None where it is not."""
    drawn = st.fixed_dictionaries(
        {
            "status": st.sampled_from([TradeStatus.FAILED, TradeStatus.CANCELLED]),
            "created_at_ms": st.integers(NOW, NOW + 3).map(EpochMs),
            "updated_at_ms": st.integers(NOW, NOW + 3).map(EpochMs),
            "closed_at_ms": st.integers(NOW, NOW + 3).map(EpochMs) | st.none(),
        }
    )
    is_kept, is_live = draw(st.sampled_from([(1, 0), (1, 0), (1, 0), (1, 1), (0, 1)]))
    return draw(drawn) if is_kept else None, draw(drawn) if is_live else None


class TestOldest:
    @settings(parent=times(0.4), suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(forms(), min_size=4, max_size=14),
        st.sampled_from([None, frozenset({TradeStatus.FAILED})]),
        st.sampled_from(Moment),
        st.sampled_from([1, 2, 5]),
    )
    def test_a_page_is_that_of_all_rows_in_their_newest_form(
        self,
        history: SqlHistory,
        trades: list[tuple[Any, Any]],
        states: frozenset[str] | None,
        moment: Moment,
        limit: int,
    ) -> None:
        accounts = [AccountId(next(self.numbers)) for _ in range(2)]
        kept, live = [
            {
                one.id: one
                for number, form in enumerate(trades, start=1)
                if form[which] is not None
                for one in [self._trade(number, accounts[number % 2], form[which])]
            }
            for which in (0, 1)
        ]
        history.keep([a_record(one) for one in kept.values()])
        search = Search(
            kinds=frozenset({Kind.SMART_TRADE}), accounts=frozenset(accounts), states=states
        )

        newest = filter(search.match, {**kept, **live}.values())
        whole = sorted(newest, key=lambda one: place_by(moment, one))
        for offset in range(len(whole) + 1):
            page = history.oldest(live, search, moment, offset=offset, limit=limit)
            assert list(page) == whole[offset : offset + limit], (offset, limit)

    numbers = itertools.count(100)

    @staticmethod
    def _trade(number: int, account: AccountId, form: dict[str, Any]) -> Aggregate:
        return replace(a_trade(**form), id=an_id(number, account), account=account)

    def test_numbers_beyond_all_rows_find_nothing(self, history: SqlHistory) -> None:
        search = Search(kinds=frozenset({Kind.SMART_TRADE}), accounts=frozenset(ACCOUNTS))

        page = history.oldest({}, search, Moment.CREATED_AT, offset=2**53, limit=1000)

        assert list(page) == []


def _spelled(walk: Any) -> str:  # noqa: ANN401
    engine = create_engine("sqlite://")
    return str(walk.limit(5).compile(engine, compile_kwargs={"literal_binds": True}))


class TestTheDatabase:
    def test_one_that_is_away_is_said_to_be(self) -> None:
        away = SqlHistory(Database("postgresql+psycopg://x:secret@127.0.0.1:1/x"))

        with pytest.raises(HistoryUnavailable, match="the history did not answer") as caught:
            away.load([an_id(1)])

        assert "secret" not in str(caught.value)

    @pytest.mark.integration
    def test_one_that_stands_still_is_not_listened_to_for_ever(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its own limit for a statement ends nothing then, nor does that for a new connection."""
        monkeypatch.setattr(postgres, "SILENCE_SECONDS", 0.5)
        stopped = Database(DATABASE_URL.read(postgres_url))
        with stopped.reading() as connection:
            server = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        answers: list[object] = []

        def ask() -> None:
            try:
                with stopped.reading() as connection:
                    answers.append(connection.execute(text("SELECT 1")).scalar_one())
            except HistoryUnavailable as error:
                answers.append(error)

        os.kill(server, signal.SIGSTOP)
        try:
            asking = threading.Thread(target=ask, daemon=True)
            asking.start()
            asking.join(20)
            told = list(answers)
        finally:
            os.kill(server, signal.SIGCONT)
        asking.join()
        stopped.close()

        # It may be asked once more over another connection, which is answered.
        assert len(told) == 1

    def test_two_who_make_the_tables_at_once_share_them(self, opened: Opened) -> None:
        identities: list[str] = []

        def make() -> None:
            with suppress(HistoryUnavailable):
                identities.append(opened().identity())

        makers = [threading.Thread(target=make) for _ in range(4)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()

        assert len(identities) == 4
        assert len(set(identities)) == 1

    def test_one_of_a_newer_release_is_left_alone(
        self, database: Database, opened: Opened, url: str
    ) -> None:
        database.identity()
        engine = create_engine(DATABASE_URL.read(url))
        with engine.begin() as connection:
            connection.execute(text("UPDATE hookfill_history SET schema = 2"))
        engine.dispose()

        with pytest.raises(HistoryUnavailable, match="schema 2, of a newer release"):
            opened().identity()

    def test_one_of_an_older_release_is_brought_up_to_date_by_whoever_nobody_waits_for(
        self, history: SqlHistory, opened: Opened, url: str
    ) -> None:
        trade = a_trade(status=TradeStatus.FAILED, closed_at_ms=NOW)
        history.keep([a_record(trade)])
        make_older(url)
        search = Search(kinds=frozenset({Kind.SMART_TRADE}), accounts=frozenset({trade.account}))

        def listed(database: Database) -> list[Aggregate]:
            mine = SqlHistory(database)
            return list(mine.oldest({}, search, Moment.CLOSED_AT, offset=0, limit=9))

        with pytest.raises(HistoryUnavailable, match="being brought up to date"):
            listed(opened(5.0))
        assert SqlHistory(opened()).identity() == history.identity()
        assert listed(opened(5.0)) == [trade]

    def test_who_writes_is_not_waited_for(
        self, history: SqlHistory, opened: Opened, url: str
    ) -> None:
        history.keep([a_record(an_ended(1))])
        reader = SqlHistory(opened(5.0))

        with a_lock(url, "BEGIN IMMEDIATE", "LOCK TABLE hookfill_aggregates IN EXCLUSIVE MODE"):
            started = time.monotonic()
            found = reader.count(EVERYTHING, ())
            took = time.monotonic() - started

        assert (found, took < 4) == (1, True)

    def test_who_reads_first_waits_until_the_tables_are_made(
        self, opened: Opened, tmp_path: Path, url: str
    ) -> None:
        if not url.startswith("sqlite"):
            pytest.skip("the other one has a lock for this that waits by itself")
        reader, counts = SqlHistory(opened(20.0)), []
        maker = sqlite3.connect(tmp_path / "history.db")
        maker.execute("PRAGMA journal_mode=WAL")
        maker.execute("BEGIN IMMEDIATE")

        asking = threading.Thread(target=lambda: counts.append(reader.count(EVERYTHING, ())))
        asking.start()
        asking.join(0.2)
        is_waiting = asking.is_alive()
        maker.rollback()
        asking.join()
        maker.close()

        assert (is_waiting, counts) == (True, [0])

    def test_a_lock_of_the_whole_is_waited_for_no_longer_than_is_said(
        self, history: SqlHistory, opened: Opened, url: str
    ) -> None:
        history.keep([a_record(an_ended(1))])
        reader = SqlHistory(opened(0.3))

        with a_lock_of_the_whole(history, url):
            took = seconds_in_vain(reader)

        assert took < 2
        assert SqlHistory(opened(20.0)).count(EVERYTHING, ()) == 1

    def test_who_asks_while_it_is_locked_is_told_sooner_than_the_first_one(
        self, history: SqlHistory, opened: Opened, url: str
    ) -> None:
        history.keep([a_record(an_ended(1))])
        reader = SqlHistory(opened(3.0))

        with a_lock_of_the_whole(history, url):
            first, second = seconds_in_vain(reader), seconds_in_vain(reader)

        assert first >= 2.9
        assert second < 2.5
        assert reader.count(EVERYTHING, ()) == 1

    def test_a_statement_does_not_take_longer_than_is_said(self, opened: Opened) -> None:
        opened().identity()
        reader = opened(0.3)
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
            "SELECT max(i) FROM n"
        )

        started = time.monotonic()
        with pytest.raises(HistoryUnavailable, match="in time"), reader.reading() as connection:
            connection.execute(text(endless))

        assert time.monotonic() - started < 2

    def test_the_readings_of_a_request_share_what_one_may_take(self, opened: Opened) -> None:
        opened().identity()
        reader = SqlHistory(opened(2.0))

        def takes(seconds: float) -> None:
            with reader._database.reading():  # noqa: SLF001 - what each of them goes through
                time.sleep(seconds)

        with of_one_request():
            takes(0.5)
            time.sleep(2.5)  # not for the history
            assert reader.count(EVERYTHING, ()) == 0
            with suppress(HistoryUnavailable):  # its end may come too late as well
                takes(1.5)
            assert seconds_in_vain(reader) + seconds_in_vain(reader) < 1
        assert reader.count(EVERYTHING, ()) == 0

    def test_who_has_asked_for_much_makes_nobody_else_hurry(self, opened: Opened) -> None:
        opened().identity()
        database = opened(6.0)

        def takes_long() -> object:
            with database.reading() as connection:
                time.sleep(2)
                return connection.execute(text("SELECT 1")).scalar()

        with of_one_request():
            assert (takes_long(), takes_long()) == (1, 1)
            with pytest.raises(HistoryUnavailable):
                takes_long()

        assert takes_long() == 1

    def test_a_server_that_takes_no_notice_is_not_waited_for_longer_than_is_said(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            port = deaf.getsockname()[1]
            reader = Database(f"postgresql+psycopg://x@127.0.0.1:{port}/x", 0.3)
            started = time.monotonic()
            with pytest.raises(HistoryUnavailable), reader.reading():
                pass

        assert time.monotonic() - started < 2

    def test_what_was_dropped_is_made_anew(self, database: Database, url: str) -> None:
        history = SqlHistory(database)
        before = history.identity()
        empty(url)

        with suppress(HistoryUnavailable):  # finds out
            history.count(EVERYTHING, ())

        assert history.count(EVERYTHING, ()) == 0
        assert history.identity() != before

    def test_a_file_that_was_deleted_is_made_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "new folder" / "history.db"
        history = SqlHistory(Database(f"sqlite:///{path}"))
        history.keep([a_record(an_ended(1))])
        before = history.identity()

        for one in path.parent.iterdir():
            one.unlink()
        history.keep([a_record(an_ended(2))])

        assert path.stat().st_mode & 0o777 == 0o600
        assert history.identity() != before
        other = SqlHistory(Database(f"sqlite:///{path}"))
        assert list(other.marks([an_id(1), an_id(2)])) == [an_id(2)]
        assert other.identity() == history.identity()

    def test_a_file_that_is_none_is_said_to_be(self, tmp_path: Path) -> None:
        path = tmp_path / "history.db"
        path.write_bytes(b"this is no database at all, but a letter to somebody" * 40)

        with pytest.raises(HistoryUnavailable, match="not a database"):
            Database(f"sqlite:///{path}").identity()

    def test_readers_see_one_moment(self, database: Database, opened: Opened) -> None:
        history = SqlHistory(database)
        history.keep([a_record(an_ended(1))])
        other = SqlHistory(opened())
        count = text("SELECT count(*) FROM hookfill_aggregates")

        with database.reading() as connection:
            before = connection.execute(count).scalar_one()
            other.keep([a_record(an_ended(2))])
            after = connection.execute(count).scalar_one()

        assert (before, after) == (1, 1)
        assert isinstance(history.count(EVERYTHING, ()), int)
        assert AggregateId(an_id(2)) in history.marks([an_id(2)])
