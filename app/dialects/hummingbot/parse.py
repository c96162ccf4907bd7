"""From requests to commands and searches (Hummingbot spec, sections 1 to 4)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.dialects.hummingbot.errors import UnusableKey
from app.dialects.hummingbot.names import symbol_of
from app.dialects.hummingbot.statuses import statuses_behind
from app.domain.commands import OrderCommand, PositionAction
from app.domain.enums import Kind, OrderType, Side
from app.domain.identifiers import AccountId, EpochMs
from app.domain.search import Search

#: A time below this is in seconds, as the official client sends it (spec, A8).
SECONDS_BELOW = 10**11

#: Later than anything; larger numbers are no times.
_TIME_MAX = 2**53

_KEY_CHARACTERS_MAX = 64


def command_from(shape: Mapping[str, Any]) -> OrderCommand:
    """Return the order that a request asks for."""
    return OrderCommand(
        symbol=symbol_of(shape["trading_pair"]),
        side=Side(shape["trade_type"]),
        type=OrderType(shape["order_type"]),
        quantity=shape["amount"],
        price=shape["price"],
        action=PositionAction(shape["position_action"]),
    )


def search_from(shape: Mapping[str, Any], kind: Kind, accounts: Iterable[AccountId]) -> Search:
    """Return what a list is asked for.

    Args:
        shape: as one of the list schemas reads it; filters that it does not have ask nothing.
        kind: of what is listed.
        accounts: those that it names, or all of the user's.
    """
    status, sides = shape.get("status"), shape.get("trade_types")
    until_ms = time_ms(shape.get("end_time"))
    return Search(
        kinds=frozenset({kind}),
        accounts=frozenset(accounts),
        states=frozenset(statuses_behind(status)) if status else None,
        symbols=frozenset(map(symbol_of, shape["trading_pairs"]))
        if shape.get("trading_pairs")
        else None,
        sides=frozenset(Side(one) for one in sides if one in set(Side)) if sides else None,
        since_ms=time_ms(shape.get("start_time")),
        until_ms=None if until_ms is None else EpochMs(until_ms + 1),
    )


def time_ms(given: int | None) -> EpochMs | None:
    """Return a time that was given in seconds or in milliseconds."""
    if given is None:
        return None
    in_ms = given * 1000 if abs(given) < SECONDS_BELOW else given
    return EpochMs(max(min(in_ms, _TIME_MAX), 0))


def checked_key(key: str | None) -> str | None:
    """Return an idempotency key, if there is one (spec, 4).

    Raises:
        UnusableKey: it is empty or too long.
    """
    if key is None or 0 < len(key) <= _KEY_CHARACTERS_MAX:
        return key
    raise UnusableKey(f"Idempotency-Key must have 1 to {_KEY_CHARACTERS_MAX} characters")


def fingerprint_of(body: Mapping[str, object]) -> str:
    """Return a hash, in hexadecimal, that only the same body has, in any order of its keys."""
    canonical = json.dumps(body, sort_keys=True, default=lambda one: {"decimal": str(one)})
    return hashlib.sha256(canonical.encode()).hexdigest()


def name_of_key(user: str, key: str, resets: Iterable[int] = ()) -> str:
    """Return a hash, in hexadecimal, of whose key it is and what it says.

    Args:
        user: who sends it.
        key: as it was sent.
        resets: of the user's accounts, where it is to be forgotten with any of them.
    """
    text = json.dumps(["hummingbot", user, key, *resets])
    return hashlib.sha256(text.encode()).hexdigest()
