"""What is weak about a client or a connector as it is set, for answers and for the doctor."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.dialects.surfaces import SURFACES, weakness_of
from app.domain.account import ApiClient, Connector
from app.services.admin.records import SHORT_SECRET_CHARACTERS
from app.web.answers import Json


@dataclass(frozen=True, slots=True)
class Weakness:
    """One thing that is weak, and what mends it, in sentences."""

    message: str
    fix: str


def weaknesses_of(record: ApiClient | Connector) -> Iterator[Weakness]:
    """Yield what is weak about a client or a connector."""
    if record.has_short_secret:
        word = _word_of(record)
        yield Weakness(
            f"The {word} has fewer than {SHORT_SECRET_CHARACTERS} characters and can be guessed.",
            f"Set another {word} of {SHORT_SECRET_CHARACTERS} characters or more.",
        )
    weakness = weakness_of(record) if isinstance(record, ApiClient) else None
    if weakness is not None:
        yield Weakness(
            weakness, "Make a client with a key of its own, or set `allow_tradingview_ip` false."
        )


def weakness_shown(record: ApiClient | Connector) -> Json:
    """Return what an answer about a client or a connector says of this: nothing if it is strong."""
    found = " ".join(one.message for one in weaknesses_of(record))
    return {"weakness": found} if found else {}


def _word_of(record: ApiClient | Connector) -> str:
    kind = SURFACES[record.dialect].clients if isinstance(record, ApiClient) else None
    return "token" if kind is None else kind.word
