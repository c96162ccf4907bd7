"""What callers write for symbols → what an account trades; no venue is asked."""

import re

from app.domain.account import PAPER, Account
from app.domain.identifiers import Symbol
from app.domain.symbols import chosen
from app.ports.registry import SymbolMap
from app.ports.venue import Venues

_OURS = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", re.ASCII)


def symbol_of(text: str, account: Account, venues: Venues, symbols: SymbolMap) -> Symbol:
    """Return the one symbol that a spelling means to an account.

    Args:
        text: as the caller wrote it.
        account: what it trades is looked through.
        venues: tell what workers have learned about them.
        symbols: what people have set.

    Raises:
        NotFound: none, or several; the message names what could have been meant.
    """
    spellings = symbols.spellings(account.venue)
    if account.venue == PAPER and _OURS.fullmatch(text) and text not in spellings:
        return Symbol(text)  # what play money trades may be set later
    return chosen(text, venues.listed(account.hosts), account.market, spellings)
