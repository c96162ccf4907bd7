"""The database: how it is opened, how long it is waited for, and its errors in our words."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from app.domain.errors import HistoryUnavailable
from app.history.patience import is_late, left, one_reading, within
from app.history.tables import ABOUT, METADATA, SCHEMA

#: How long a writer of a SQLite file waits for another one.
_BUSY_MS = 5_000

#: How long PostgreSQL may take to take a connection, and to answer.
_CONNECT_SECONDS = 3
_ANSWER_MS = 20_000

#: How long the tables of an older release may take to be brought up to date.
_MAKING_SECONDS = 3_600.0

#: What was too late once is likely to be so again: whoever asks within these seconds waits for this
#: part of his time only. He may have waited for his turn behind others who ask.
_HASTY_SECONDS = 2.0
_HASTY_PART = 1 / 3

#: Between two tries to read a SQLite file that somebody has locked as a whole.
_LOCKED_SECONDS = 0.02

#: Steps of SQLite's machine between two looks at the time, a fraction of a millisecond.
_STEPS = 10_000

Done = TypeVar("Done")

#: What tells a file from another one.
_File = tuple[int, ...]

_NO_FILE: _File = (0,)

#: All tables and indexes. No column is new that no index has, so that these tell of all there is.
_NAMES = {
    *METADATA.tables,
    *(str(one.name) for table in METADATA.sorted_tables for one in table.indexes),
}

#: The statement that makes way for what is there, by dialect.
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

#: Any number, the same everywhere: who makes the tables holds it.
_SCHEMA_LOCK = 7_266_541


class Database:
    """A SQLite file or a PostgreSQL database. Nothing connects before it is first used.

    Args:
        url: as SQLAlchemy reads it.
        patience_seconds: how long one reading, or all those of a request, may take from asking to
            the last row, whatever they wait for; then it is said to be unavailable. None is for
            those whom nobody waits for: they also bring the tables of an older release up to date.
    """

    def __init__(self, url: str, patience_seconds: float | None = None) -> None:
        self._patience = patience_seconds
        self._engine = _engine(url, patience_seconds)
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._lock = threading.Lock()
        self._ready_for: _File | None = None
        self._identity = ""
        self._hasty_until = 0.0

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def identity(self) -> str:
        """Return a name that no other history has, nor this one if it was made anew.

        Raises:
            HistoryUnavailable: the database does not answer.
        """
        with self._translated():
            self._make_ready()
            return self._identity

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write, all or nothing.

        Raises:
            HistoryUnavailable: nothing was written, or it is in doubt.
        """
        with within(None), self._translated():
            self._make_ready()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read, everything as it was at one moment.

        Nobody who writes is waited for.

        Raises:
            HistoryUnavailable: the database does not answer, or not in time.
        """
        began = time.monotonic()
        is_hasty = began < self._hasty_until
        with one_reading(self._patience and self._patience * (_HASTY_PART if is_hasty else 1)):
            _refuse_late()
            try:
                with self._translated():
                    self._make_ready()
                    with _begun(self._engine) as connection:
                        yield connection
            except HistoryUnavailable:
                if not is_hasty and self._is_spent(began):
                    self._hasty_until = time.monotonic() + _HASTY_SECONDS
                raise

    def _is_spent(self, began: float) -> bool:
        """Tell whether one reading alone has taken what its request may."""
        return self._patience is not None and time.monotonic() - began >= self._patience

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise HistoryUnavailable for whatever the database does not do."""
        try:
            yield
        except (SQLAlchemyError, OSError, self._driver_error) as error:
            self._ready_for = None  # it may be another one when it is back
            if is_late():
                raise HistoryUnavailable("the history did not answer in time") from error
            # The statement and its parameters, which follow, are no help to anybody.
            why = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise HistoryUnavailable(f"the history did not answer: {why}") from error

    def _make_ready(self) -> None:
        """Make the tables and indexes that are not there yet; two at once do no harm.

        A file of SQLite may be deleted or replaced while it is open, and the connections would go
        on with what nobody else sees any more. So it is looked for each time.
        """
        if self._is_ready():
            return
        if not self._lock.acquire(timeout=left() or _CONNECT_SECONDS):
            raise HistoryUnavailable("the history did not answer others so far")
        try:
            if self._is_ready():
                return
            self._engine.dispose()
            self._identity = self._found() or _patiently(partial(_made, self._engine))
            self._ready_for = _file_of(self._engine)
        finally:
            self._lock.release()

    def _found(self) -> str | None:
        """Return the identity if all is there: then nothing is written, and no writer waited for.

        Raises:
            HistoryUnavailable: it is of another release, and not ours to change.
        """
        if _file_of(self._engine) == _NO_FILE:
            return None
        with _begun(self._engine) as connection:
            names = _names(connection)
            identity = _identity(connection) if ABOUT.name in names else None
            if identity is None or names >= _NAMES:
                return identity
        if self._patience is None:
            return None
        raise HistoryUnavailable("the history is being brought up to date; try again in a moment")

    def _is_ready(self) -> bool:
        return self._ready_for is not None and self._ready_for == _file_of(self._engine)


def _engine(url: str, patience_seconds: float | None) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        # Whoever waits in the driver holds up all that goes on beside it in a web process.
        busy_seconds = _BUSY_MS / 1000 if patience_seconds is None else 0
        pool = {} if parsed.database in {None, "", ":memory:"} else _pool(patience_seconds)
        engine = create_engine(url, connect_args={"timeout": busy_seconds}, **pool)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "before_cursor_execute", _refuse_late)
        return engine
    # The driver takes 6 MB of each process that keeps its history in a file.
    from app.history.postgres import connected  # noqa: PLC0415

    answer_ms = _ANSWER_MS if patience_seconds is None else int(patience_seconds * 1000)
    options = f"-c statement_timeout={answer_ms}"
    settings = {"connect_timeout": _CONNECT_SECONDS, "options": options}
    engine = create_engine(
        url, pool_pre_ping=True, connect_args=settings, **_pool(patience_seconds)
    )
    event.listen(engine, "do_connect", connected)
    event.listen(engine, "before_cursor_execute", _refuse_late)
    return engine


def _pool(patience_seconds: float | None) -> dict[str, Any]:
    """Return how long somebody waits for the connection of another one, besides all else."""
    return {"pool_timeout": _CONNECT_SECONDS if patience_seconds is None else patience_seconds / 4}


def _refuse_late(*_statement: object) -> None:
    if is_late():
        raise HistoryUnavailable("the history did not answer in time")


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Let readers read beside a writer, and count as written only what a power cut cannot take."""
    connection.set_progress_handler(is_late, _STEPS)
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begun(engine: Engine) -> Connection:
    """Return a connection that sees everything as it is at this moment."""

    def begun() -> Connection:
        connection = engine.connect()
        try:
            _begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    return _patiently(begun)


def _patiently(done: Callable[[], Done]) -> Done:
    """Do something once nobody has a file of SQLite locked for it, or there is no time left.

    A reader has to wait only for whoever mends or changes the file as a whole, or makes the tables.
    The driver would wait as well, and let nobody have a turn in a web process; and for who makes a
    new file it does not wait at all.
    """
    until = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            return done()
        except (SQLAlchemyError, sqlite3.Error) as error:
            is_over = time.monotonic() >= until if left() is None else is_late()
            if is_over or "is locked" not in str(error):
                raise
            time.sleep(_LOCKED_SECONDS)


def _begin(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")  # from now on


def _made(engine: Engine) -> str:
    """Make what is missing, and return the identity."""
    path = _path_of(engine)
    if path is not None:
        # Before SQLite does, so that its owner only can read it.
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    seconds = left() or _MAKING_SECONDS
    with within(seconds), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        for statement in _missing(connection):
            connection.execute(statement)
        new = {"number": 1, "schema": SCHEMA, "identity": uuid4().hex}
        connection.execute(INSERT[engine.dialect.name](ABOUT).on_conflict_do_nothing(), new)
        identity = _identity(connection)
    return identity or ""


def _names(connection: Connection) -> set[str]:
    """Return the names of all tables and indexes that there are."""
    query = "SELECT name FROM sqlite_master"
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::text::regnamespace"
        )
    return {row[0] for row in connection.exec_driver_sql(query)}


def _missing(connection: Connection) -> Iterator[Executable]:
    """Yield the statements that make what is not there; what is there may be of an older release.

    That one goes on with what they make: it reads and writes by names.
    """
    names = _names(connection)
    for table in METADATA.sorted_tables:
        columns = set(table.columns.keys())
        if table.name not in names:
            yield CreateTable(table)
        else:
            columns = {one["name"] for one in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                written = CreateColumn(column).compile(dialect=connection.dialect)
                yield text(f"ALTER TABLE {table.name} ADD COLUMN {written}")
        yield from (CreateIndex(one) for one in table.indexes if one.name not in names)


def _identity(connection: Connection) -> str | None:
    """Return the name of the history; None if it has none yet.

    Raises:
        HistoryUnavailable: it is of a newer release.
    """
    found = connection.execute(select(ABOUT.c.schema, ABOUT.c.identity)).one_or_none()
    if found is not None and found.schema > SCHEMA:
        raise HistoryUnavailable(f"the history has schema {found.schema}, of a newer release")
    return None if found is None else str(found.identity)


def _path_of(engine: Engine) -> Path | None:
    """Return where the file of a SQLite database is; None of all others."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or name in {None, "", ":memory:"}:
        return None
    return Path(str(name))


def _file_of(engine: Engine) -> _File:
    """Return what tells a file from another one at the same place; of other databases nothing."""
    path = _path_of(engine)
    if path is None:
        return ()
    try:
        found = path.stat()
    except FileNotFoundError:
        return _NO_FILE
    return found.st_dev, found.st_ino
