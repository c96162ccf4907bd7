"""What accounts, connectors and API clients are made and changed with, whoever asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.account import Account
from app.domain.identifiers import VenueName
from app.ports import Ports
from app.ports.registry import Registry, SymbolMap, Vault

#: Random bytes of a token or secret that is made here.
SECRET_BYTES = 32

#: A secret that a person has chosen with fewer is taken, and called weak.
SHORT_SECRET_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records behind every credential, and what their rules must look at.

    Attributes:
        symbols: spellings that people have set.
        is_allowed: whether this installation may trade at a venue; the test profile may not at all.
        credentials_of: the names of the credentials that a venue asks for; raises NotFound.
        lacks_of: what an account's market needs and its venue lacks; raises NotFound.
        set_paper: lets the paper venue hold an account in another way; it may refuse.
    """

    registry: Registry
    vault: Vault
    ports: Ports
    symbols: SymbolMap
    is_allowed: Callable[[VenueName], bool]
    credentials_of: Callable[[VenueName], Sequence[str]]
    lacks_of: Callable[[Account], Sequence[str]]
    set_paper: Callable[[Account, Mapping[str, Any]], None]
