"""The message that a form asks for, ready to be pasted, and what the dialect would say about it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from app.dialects.crypto_arsenal.parse import WORDS, command_from, is_for
from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import settings_of
from app.domain.account import Connector
from app.domain.commands import Action
from app.domain.enums import Market
from app.domain.errors import MalformedPayload
from app.web.fields import Refused
from app.web.surface import TOKEN_PLACEHOLDER

#: What a message may say besides its action, as it is named on the wire.
ALERT_FIELDS: Final = (
    "percent",
    "fixed",
    "notional",
    "limit",
    "profit",
    "loss",
    "clientOrderId",
    "delaySeconds",
    "delaySecondsFilter",
    "log",
)

#: An alert to begin with, by hand and from TradingView; there its log varies, so that the next one
#: is no repeat of it.
SMALL_ALERT: Final = {"percent": "10"}
_FIRST_ALERT = {**SMALL_ALERT, "log": "{{timenow}}"}

#: What TradingView fills in, for instance `{{timenow}}`.
_BLANK = re.compile(r"\{\{[^{}]*\}\}")
_MAY_HOLD_ANYTHING = frozenset({"clientOrderId", "delaySecondsFilter", "log"})


def alert_for(
    connector: Connector, market: Market, form: Mapping[str, str]
) -> Mapping[str, object]:
    """Return what the form shows next: its fields, the message and what is wrong with it.

    Args:
        connector: whom the message is for.
        market: of the connector's account.
        form: what was filled in, by name; empty before anything was.
    """
    actions = {word: action for action, word in WORDS.items() if is_for(action, market)}
    word = form["action"] if form.get("action") in actions else next(iter(actions))
    fields = _fields_of(actions[word])
    given = form or _FIRST_ALERT
    asked = {name: given.get(name, "").strip() for name in ALERT_FIELDS}
    said = {name: asked[name] for name in fields if asked[name]}
    settings = settings_of(connector.settings)
    wrong: Mapping[str, Sequence[str]] = {}
    refused = ""
    try:
        command_from({"action": word, **_filled_in(said)}, market, settings)
    except MalformedPayload as error:
        wrong, refused = error.fields, str(error)
    message: dict[str, object] = {
        "connectorName": connector.name,
        "connectorToken": TOKEN_PLACEHOLDER,
        "action": word,
        **said,
    }
    if said.get("delaySeconds", "").isdecimal():
        message["delaySeconds"] = int(said["delaySeconds"])
    return {
        "connector": connector,
        "actions": list(actions),
        "action": word,
        "fields": fields,
        "asked": asked,
        "wrong": wrong,
        "refused": refused,
        "line": json.dumps(message, ensure_ascii=False),
        "lines": json.dumps(message, ensure_ascii=False, indent=2),
    }


def _fields_of(action: Action) -> list[str]:
    """Return which fields play a part in an action, in the order of the message."""
    shape = SCHEMAS[action].fields
    named = {
        field.data_key or name for name, field in shape.items() if not isinstance(field, Refused)
    }
    return [name for name in ALERT_FIELDS if name in named]


def _filled_in(said: Mapping[str, str]) -> dict[str, str]:
    """Return a message as TradingView may send it; numbers that it fills in are left out."""
    texts = {name: said[name] for name in said if name in _MAY_HOLD_ANYTHING}
    numbers = {name: said[name] for name in said if not _BLANK.search(said[name])}
    return {**numbers, **{name: _BLANK.sub("1", text) for name, text in texts.items()}}
