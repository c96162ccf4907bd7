"""The shapes of messages, one for each group of actions (Crypto Arsenal webhook spec, 2)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.commands import Action
from app.web.fields import POSITIVE, CallerId, Message, Number, Refused, Text, ValueField

_ENTRIES_ONLY = "Only for buy, openLong and openShort."
_FUTURES_ONLY = "Only for openLong and openShort: nothing would protect a spot order."


class LogText(Text):
    """Text, or a number that a template put there; it is kept as text."""

    def read(self, value: object) -> str:
        """Return the text."""
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        return super().read(value)


class CancelAll(Message):
    """What every message may carry: a delay, and what decides whether it applies (3.6)."""

    log = LogText()
    delay_seconds = Number(data_key="delaySeconds")
    delay_filter = Text(data_key="delaySecondsFilter")


class Cancel(CancelAll):
    """Names what it takes off; everything else is an extra field, and ignored (3.5)."""

    caller_id = CallerId(data_key="clientOrderId", required=True)


class Close(CancelAll):
    """An order without protection; on closes `profit` and `loss` are ignored, unread (3.3)."""

    fixed = Number(validate=POSITIVE)
    notional: ValueField[Any] = Refused(_ENTRIES_ONLY)
    percent = Number(validate=POSITIVE)
    limit = Number(validate=POSITIVE)
    caller_id = CallerId(data_key="clientOrderId")


class Sell(Close):
    """A spot order: it must not look as if it had a stop (3.3)."""

    profit = Refused(_FUTURES_ONLY)
    loss = Refused(_FUTURES_ONLY)


class Buy(Sell):
    """A spot entry, which may be given in quote currency as well."""

    notional = Number(validate=POSITIVE)


class Open(Close):
    """A futures entry, which may bring its protection."""

    notional = Number(validate=POSITIVE)
    profit = Number(validate=POSITIVE)
    loss = Number(validate=POSITIVE)


#: Made once: a schema is slow to build and safe to share between threads.
SCHEMAS: Mapping[Action, Message] = {
    Action.BUY: Buy(),
    Action.SELL: Sell(),
    Action.OPEN_LONG: Open(),
    Action.CLOSE_LONG: Close(),
    Action.OPEN_SHORT: Open(),
    Action.CLOSE_SHORT: Close(),
    Action.CANCEL: Cancel(),
    Action.CANCEL_ALL: CancelAll(),
}
