"""Connections to PostgreSQL that end when it is silent."""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from app.history.patience import is_late, left

#: After so long without a sign of one that should have ended the statement itself by then, it is
#: gone or stands still; a connection that is open would be listened to for ever.
SILENCE_SECONDS = 25.0


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - psycopg's own
        """Carry on with one exchange of messages.

        Raises:
            psycopg.OperationalError: the server was silent for too long, among others.
        """
        try:
            return super().wait(gen, interval, timeout or left() or SILENCE_SECONDS)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # to end it in good order would be to wait once more
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Any:  # noqa: ANN401 - psycopg's own
        """Connect step by step; the driver takes two seconds for each address at the least."""
        steps: Any = super()._connect_gen(conninfo)
        ready = None
        while True:
            try:
                wanted = steps.send(ready)
            except StopIteration as ended:
                return ended.value
            ready = yield wanted
            if is_late():
                raise psycopg.OperationalError("the server is silent")


def connected(_dialect: object, _record: object, given: Any, named: Any) -> _Connection:  # noqa: ANN401 - psycopg's own
    """Return a new connection, as SQLAlchemy asks for one."""
    return _Connection.connect(*given, **named)
