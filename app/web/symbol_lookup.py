"""What callers write for symbols → what an account trades; no venue is asked."""

import re

from app.bootstrap import Wiring
from app.domain.account import PAPER, Account
from app.domain.identifiers import Symbol
from app.domain.symbols import chosen

_OURS = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", re.ASCII)


class Spellings:
    """Reads what workers have learned about venues, and what people have set."""

    def __init__(self, wiring: Wiring) -> None:
        self._venues = wiring.ports.venues
        self._map = wiring.symbols

    def symbol_of(self, text: str, account: Account) -> Symbol:
        """Return the one symbol that a spelling means to an account.

        Raises:
            NotFound: none, or several; the message names what could have been meant.
        """
        spellings = self._map.spellings(account.venue)
        if account.venue == PAPER and _OURS.fullmatch(text) and text not in spellings:
            return Symbol(text)  # what play money trades may be set later
        return chosen(text, self._venues.listed(account.hosts), account.market, spellings)
