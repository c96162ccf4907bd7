"""What an account must be like before it is stored, whoever asks for it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from app.bootstrap import Wiring
from app.domain.account import PAPER, Account
from app.domain.enums import Mode
from app.domain.errors import MarketNotTraded, NotFound
from app.settings import Settings, is_loopback


def complaints_about(
    account: Account, known: Account | None, wiring: Wiring
) -> dict[str, list[str]]:
    """Return what is wrong with an account as it shall be: field → messages; empty if nothing is.

    Args:
        account: as it shall be.
        known: as it is, or None for a new one; what does not change is not complained about.
        wiring: who else is there, and which venues there are.
    """
    complaints: dict[str, list[str]] = {}
    for field, message in _complaints(account, known, wiring):
        complaints.setdefault(field, []).append(message)
    return complaints


def _complaints(
    account: Account, known: Account | None, wiring: Wiring
) -> Iterator[tuple[str, str]]:
    if known is None or _trading(account) != _trading(known):
        yield from _about_venue(account, wiring)
    if account.enabled and (known is None or _claim(account) != _claim(known)):
        yield from _about_group(account, wiring)
    if known is not None and _trading(account) != _trading(known):
        yield from _about_live(account, known, wiring)


def _about_venue(account: Account, wiring: Wiring) -> Iterator[tuple[str, str]]:
    if account.venue == PAPER:
        if account.mode is not Mode.PAPER:
            yield "mode", "Must be paper at the paper venue."
        return
    if account.mode is Mode.PAPER:
        yield "mode", f"Must be testnet or live at {account.venue}."
    try:
        wiring.ports.venues.of(account)
    except MarketNotTraded as error:
        yield "market", f"{error}."
    except NotFound:
        yield "venue", f"There is no venue {account.venue}."
    if wiring.settings.fast and not _is_simulated(account, wiring.settings):
        yield "venue", "The test profile allows paper, and venues at a loopback URL, only."


def _is_simulated(account: Account, settings: Settings) -> bool:
    url = settings.venue_urls.get(account.venue, "")
    return is_loopback(urlsplit(url).hostname or "")


def _about_group(account: Account, wiring: Wiring) -> Iterator[tuple[str, str]]:
    for other in wiring.registry.accounts():
        if other.id != account.id and _claim(other) == _claim(account):
            yield "group", f"{other.name} is the {account.market} account there at {account.venue}."


def _about_live(account: Account, known: Account, wiring: Wiring) -> Iterator[tuple[str, str]]:
    live = len(wiring.ports.live.of_account(known.id))
    if live:
        for field in ("venue", "market", "mode"):
            if getattr(account, field) != getattr(known, field):
                yield field, f"Cannot change while {live} things of the account are live."


def _claim(account: Account) -> tuple[str, str, str, bool]:
    """Return the place that at most one enabled account may have."""
    return account.group, account.venue, account.market, account.enabled


def _trading(account: Account) -> tuple[str, str, str]:
    return account.venue, account.market, account.mode
