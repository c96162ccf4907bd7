"""What accounts have gained or lost today."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.domain.identifiers import AccountId
from app.domain.results import Results, Traded


class KeptResults(NamedTuple):
    """Results as they were kept, and what was traded since.

    Attributes:
        results: None where nobody has begun to keep them.
        newer: mark → trade, oldest first.
        newest: mark of the last trade.
    """

    results: Results | None
    newer: Sequence[tuple[str, Traded]]
    newest: str


class DayResults(Protocol):
    """The results of accounts, and trades that are not in them yet.

    Trades are kept from the first `keep` on, by the commits that tell of them.
    """

    def read(self, account: AccountId) -> KeptResults:
        """Return what is kept of an account."""

    def keep(self, account: AccountId, results: Results, before: Results | None) -> None:
        """Keep the results, and forget the trades that are in them.

        Nothing is kept where somebody else was first.

        Args:
            account: whose they are.
            results: as they are now.
            before: as they were read; None where there were none.
        """

    def forget(self, account: AccountId) -> None:
        """Keep nothing of an account any more."""
