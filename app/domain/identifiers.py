"""Identifiers, each a type of its own, and how those that we make are formed."""

from dataclasses import dataclass
from typing import NewType

AggregateId = NewType("AggregateId", int)
OrderId = NewType("OrderId", AggregateId)
AccountId = NewType("AccountId", int)
AccountName = NewType("AccountName", str)
VenueName = NewType("VenueName", str)
Symbol = NewType("Symbol", str)
Currency = NewType("Currency", str)
ClientOrderId = NewType("ClientOrderId", str)
VenueOrderId = NewType("VenueOrderId", str)
TradeId = NewType("TradeId", str)
EpochMs = NewType("EpochMs", int)

#: 2024-01-01T00:00:00Z. Ids count from here, so that they stay below 2**53 for 69 years.
ID_EPOCH_MS = 1_704_067_200_000

#: Digits of an id below 2**53.
ID_DIGITS_MAX = 16

#: Ids per millisecond. A multiple of every shard count, so an id's remainder names its shard.
IDS_PER_MS = 4096

#: Letters and digits of Crockford's base 32 in lower case: no i, l, o or u.
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_CHARACTERS = 11


@dataclass(frozen=True, slots=True)
class FreshId:
    """An id that nobody has used, with the client order id that a venue would see for it."""

    id: AggregateId
    client_order_id: ClientOrderId


def id_from(text: str) -> AggregateId | None:
    """Return the id that a text spells, or None if it spells none."""
    if len(text) <= ID_DIGITS_MAX and text.isascii() and text.isdigit():
        return AggregateId(int(text))
    return None


def first_id(at_ms: EpochMs) -> AggregateId:
    """Return the least id that is handed out at a server time, unless clocks have been set back."""
    return AggregateId((at_ms - ID_EPOCH_MS) * IDS_PER_MS)


def client_order_id(installation: str, order_id: AggregateId) -> ClientOrderId:
    """Return `h`, the installation's four characters and the order id: 16 letters and digits.

    The same order always has the same client order id, which is how a repeat is recognized.
    """
    digits = []
    rest = int(order_id)
    for _ in range(_ID_CHARACTERS):
        rest, digit = divmod(rest, len(_BASE32))
        digits.append(_BASE32[digit])
    return ClientOrderId("h" + installation + "".join(reversed(digits)))


def order_id_of(text: ClientOrderId, installation: str) -> AggregateId | None:
    """Return the order id inside a client order id of this installation, or None for another's."""
    prefix = "h" + installation
    digits = text.removeprefix(prefix)
    if digits == text or len(digits) != _ID_CHARACTERS or any(one not in _BASE32 for one in digits):
        return None
    value = 0
    for one in digits:
        value = value * len(_BASE32) + _BASE32.index(one)
    return AggregateId(value)


def base_of(symbol: Symbol) -> Currency:
    """Return `BTC` for `BTC/USDT`."""
    return Currency(symbol.split("/", 1)[0])


def quote_of(symbol: Symbol) -> Currency:
    """Return `USDT` for `BTC/USDT`."""
    return Currency(symbol.split("/", 1)[1])
