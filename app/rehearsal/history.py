"""The history in a dry run: what it knows can be asked, and nothing is written into it."""

from collections.abc import Sequence

from app.domain.errors import NotDry
from app.history.sql_history import SqlHistory
from app.ports.history import PaperRow, Record


class ReadHistory(SqlHistory):
    """Tells what a history knows.

    Args:
        real: the history.
    """

    def __init__(self, real: SqlHistory) -> None:
        super().__init__(real.database)

    def raise_epoch(self, to: int) -> None:
        """Refuse."""
        raise NotDry(f"a dry run does not count up to {to}")

    def keep(self, records: Sequence[Record]) -> None:
        """Refuse."""
        raise NotDry(f"a dry run keeps no {len(records)} records")

    def complete(self, limit: int) -> bool:
        """Refuse."""
        raise NotDry(f"a dry run completes no {limit} records")

    def keep_paper_rows(self, rows: Sequence[PaperRow]) -> None:
        """Refuse."""
        raise NotDry(f"a dry run keeps no {len(rows)} rows")
