"""Which credentials an exchange asks for, by their names in ccxt."""

from collections.abc import Mapping, Sequence
from functools import cache

import ccxt


@cache
def credential_names(exchange_id: str) -> Sequence[str]:
    """Return the names that ccxt requires of an exchange, in its order.

    Args:
        exchange_id: one that ccxt knows.
    """
    exchange = getattr(ccxt, exchange_id)()
    exchange.session.close()
    required: Mapping[str, bool] = exchange.requiredCredentials
    return tuple(name for name, is_required in required.items() if is_required)
