"""The database: how it is opened, and its errors in our words."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from app.domain.errors import HistoryUnavailable
from app.history.tables import ABOUT, METADATA, SCHEMA

#: How long a writer of a SQLite file waits for another one.
_BUSY_MS = 5_000

#: How long PostgreSQL may take to take a connection, and to answer.
_CONNECT_SECONDS = 3
_ANSWER_MS = 20_000

#: After so long without a sign of one that should have ended the statement itself by then, it is
#: gone or stands still; a connection that is open would be listened to for ever.
SILENCE_SECONDS = 25.0

#: What tells a file from another one.
_File = tuple[int, ...]

#: The statement that makes way for what is there, by dialect.
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

#: Any number, the same everywhere: who makes the tables holds it.
_SCHEMA_LOCK = 7_266_541


class Database:
    """A SQLite file or a PostgreSQL database. Nothing connects before it is first used.

    Args:
        url: as SQLAlchemy reads it.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._lock = threading.Lock()
        self._ready_for: _File | None = None
        self._identity = ""

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
        with self._translated():
            self._make_ready()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read, everything as it was at one moment.

        Raises:
            HistoryUnavailable: the database does not answer.
        """
        with self._translated():
            self._make_ready()
            with self._engine.connect() as connection:
                begin = "BEGIN"
                if self.dialect == "postgresql":
                    begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                connection.exec_driver_sql(begin)
                yield connection

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise HistoryUnavailable for whatever the database does not do."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            self._ready_for = None  # it may be another one when it is back
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
        if not self._lock.acquire(timeout=_CONNECT_SECONDS):
            raise HistoryUnavailable("the history did not answer others so far")
        try:
            if self._is_ready():
                return
            self._engine.dispose()
            self._identity = _made(self._engine)
            self._ready_for = _file_of(self._engine)
        finally:
            self._lock.release()

    def _is_ready(self) -> bool:
        return self._ready_for is not None and self._ready_for == _file_of(self._engine)


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        busy = {"timeout": _BUSY_MS / 1000}
        engine = create_engine(url, connect_args=busy)
        event.listen(engine, "connect", _configure_sqlite)
        return engine
    options = f"-c statement_timeout={_ANSWER_MS}"
    settings = {"connect_timeout": _CONNECT_SECONDS, "options": options}
    engine = create_engine(
        url, pool_pre_ping=True, pool_timeout=_CONNECT_SECONDS, connect_args=settings
    )
    event.listen(engine, "do_connect", _connected)
    return engine


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - psycopg's own
        """Carry on with one exchange of messages.

        Raises:
            psycopg.OperationalError: the server was silent for too long, among others.
        """
        try:
            return super().wait(gen, interval, timeout or SILENCE_SECONDS)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # to end it in good order would be to wait once more
            raise


def _connected(_dialect: object, _record: object, given: Any, named: Any) -> _Connection:  # noqa: ANN401 - psycopg's own
    return _Connection.connect(*given, **named)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let readers read beside a writer, and count as written only what a power cut cannot take."""
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _made(engine: Engine) -> str:
    """Make what is missing, and return the identity."""
    path = _path_of(engine)
    if path is not None:
        # Before SQLite does, so that its owner only can read it.
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            lock = text("SELECT pg_advisory_xact_lock(:number)")
            connection.execute(lock, {"number": _SCHEMA_LOCK})
        for table in METADATA.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
        new = {"number": 1, "schema": SCHEMA, "identity": uuid4().hex}
        connection.execute(INSERT[engine.dialect.name](ABOUT).on_conflict_do_nothing(), new)
        schema, identity = connection.execute(select(ABOUT.c.schema, ABOUT.c.identity)).one()
    if schema > SCHEMA:
        raise HistoryUnavailable(f"the history has schema {schema}, of a newer release")
    return str(identity)


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
        return (0,)
    return found.st_dev, found.st_ino
