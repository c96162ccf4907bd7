"""The database: how it is opened, and its errors in our words."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from app.domain.errors import HistoryUnavailable
from app.history.tables import METADATA

#: How long a writer of a SQLite file waits for another one.
_BUSY_MS = 5_000

#: How long PostgreSQL may take to take a connection, and to answer.
_CONNECT_SECONDS = 3
_ANSWER_MS = 20_000

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
        self._is_ready = False

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write, all or nothing.

        Raises:
            HistoryUnavailable: nothing was written, or it is in doubt.
        """
        with _translated():
            self._make_ready()
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read, everything as it was at one moment.

        Raises:
            HistoryUnavailable: the database does not answer.
        """
        with _translated():
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

    def _make_ready(self) -> None:
        """Make the tables and indexes that are not there yet; two at once do no harm."""
        if self._is_ready:
            return
        with self._lock:
            _make_file(self._engine)
            with self._engine.begin() as connection:
                if self.dialect == "postgresql":
                    lock = text("SELECT pg_advisory_xact_lock(:number)")
                    connection.execute(lock, {"number": _SCHEMA_LOCK})
                for table in METADATA.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
            self._is_ready = True


@contextmanager
def _translated() -> Iterator[None]:
    """Raise HistoryUnavailable for whatever the database does not do."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        # The statement and its parameters, which follow, are no help to anybody.
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise HistoryUnavailable(f"the history did not answer: {why}") from error


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})
        event.listen(engine, "connect", _configure_sqlite)
        return engine
    options = f"-c statement_timeout={_ANSWER_MS}"
    settings = {"connect_timeout": _CONNECT_SECONDS, "options": options}
    return create_engine(url, pool_pre_ping=True, connect_args=settings)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let readers read beside a writer, and count as written only what a power cut cannot take."""
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _make_file(engine: Engine) -> None:
    """Make the file of a SQLite database before SQLite does, readable by its owner only."""
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name not in {None, "", ":memory:"}:
        path = Path(str(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
