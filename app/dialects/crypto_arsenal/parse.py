"""From messages to commands (Crypto Arsenal webhook spec, sections 1 to 4)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from app.dialects.crypto_arsenal.delays import DelayRules, delay_ms, delay_refusals
from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.domain.commands import Action, SignalCommand, Size, SizeKind
from app.domain.enums import Market, PositionSide
from app.domain.errors import MalformedPayload, NotAuthenticated, invalid_fields
from app.web.fields import loaded
from app.web.json_body import canonical_text

#: Lengths of section 2; of `log` the beginning is kept, as the note.
_NAME_CHARACTERS_MAX = 128
_TOKEN_CHARACTERS_MAX = 256
_NOTE_CHARACTERS_MAX = 200

#: Of an unknown action that is quoted in a message.
_SHOWN_CHARACTERS = 40

#: The published spelling of each action (section 2).
_WORDS = {
    Action.BUY: "buy",
    Action.SELL: "sell",
    Action.OPEN_LONG: "openLong",
    Action.CLOSE_LONG: "closeLong",
    Action.OPEN_SHORT: "openShort",
    Action.CLOSE_SHORT: "closeShort",
    Action.CANCEL: "cancel",
    Action.CANCEL_ALL: "cancelAll",
}
#: Normalized spelling → action. The last is how the vendor's documentation spells it (A1).
_ACTIONS = {
    **{word.lower(): action for action, word in _WORDS.items()},
    "cancellall": Action.CANCEL_ALL,
}

#: In order of precedence (section 2).
_SIZES = (
    ("fixed", SizeKind.FIXED),
    ("notional", SizeKind.NOTIONAL),
    ("percent", SizeKind.PERCENT),
)
_EVERYTHING = Size(SizeKind.PERCENT, Decimal(100))

_DELAY_RULES = DelayRules()


def credentials_from(payload: Mapping[str, object]) -> tuple[str, str]:
    """Return the connector's name and token as the message gives them (section 1).

    Raises:
        NotAuthenticated: one of them is missing, empty, too long or no text. A stranger is told
            neither which, nor what else a message needs.
    """
    name = payload.get("connectorName")
    token = payload.get("connectorToken")
    if _is_text(name, _NAME_CHARACTERS_MAX) and _is_text(token, _TOKEN_CHARACTERS_MAX):
        return name, token
    raise NotAuthenticated("unknown connector or bad token")


def _is_text(value: object, characters_max: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= characters_max


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a message says to the connector that it names.

    Attributes:
        command: what is to be done with the connector's symbol.
        ignored: fields that a trader may believe in though they do nothing (section 3.3).
        digest: a hash, in hexadecimal, that only the same message again has (section 4).
    """

    command: SignalCommand
    ignored: tuple[str, ...]
    digest: str


def message_from(
    payload: Mapping[str, object],
    connector_name: str,
    market: Market,
    settings: ConnectorSettings,
    delay_rules: DelayRules = _DELAY_RULES,
) -> Message:
    """Return what a message says; who sends it has been found out.

    Raises:
        MalformedPayload: as in `command_from`.
    """
    command = command_from(payload, market, settings, delay_rules)
    return Message(
        command=command,
        ignored=_ignored_in(payload, command.action),
        digest=digest_of(connector_name, payload),
    )


def command_from(
    payload: Mapping[str, object],
    market: Market,
    settings: ConnectorSettings,
    delay_rules: DelayRules = _DELAY_RULES,
) -> SignalCommand:
    """Return what the message wants done with the connector's symbol.

    A field that plays a part in the action must be good if it is there, even where another one
    takes precedence over it (section 2).

    Raises:
        MalformedPayload: with the code `unsupported_action`, `market_mismatch` or
            `validation_failed`, looked for in this order, and messages by wire field name.
    """
    action = _action(payload.get("action"))
    _refuse_market(action, market)
    shape = loaded(SCHEMAS[action], payload)
    refusals = {
        **delay_refusals(shape, delay_rules),
        **_percent_refusals(action, shape, settings),
        **_protection_refusals(action, shape),
    }
    if refusals:
        raise invalid_fields(refusals)
    log = shape.get("log")
    return SignalCommand(
        action=action,
        size=None if action.is_cancel else _size(shape),
        limit_price=shape.get("limit"),
        take_profit=shape.get("profit"),
        stop_loss=shape.get("loss"),
        caller_id=shape.get("caller_id"),
        delay_ms=delay_ms(shape, delay_rules),
        note=None if log is None else log[:_NOTE_CHARACTERS_MAX],
    )


def _action(word: object) -> Action:
    if word is None or word == "":
        raise invalid_fields({"action": ["Missing data for required field."]})
    if not isinstance(word, str):
        raise invalid_fields({"action": ["Not a valid string."]})
    action = _ACTIONS.get(word.strip().lower().replace("_", ""))
    if action is None:
        raise MalformedPayload(
            "unsupported_action",
            f"action was {word[:_SHOWN_CHARACTERS]!a}",
            {"action": [f"Must be one of: {', '.join(_WORDS.values())}."]},
        )
    return action


def _refuse_market(action: Action, market: Market) -> None:
    wanted = Market.SPOT if action.position_side is None else Market.USDM
    if market is wanted or action.is_cancel:
        return
    message = f"{_WORDS[action]} is for {wanted} connectors, this one trades {market}"
    raise MalformedPayload("market_mismatch", message, {"action": [f"{message}."]})


def _percent_refusals(
    action: Action, shape: Mapping[str, Any], settings: ConnectorSettings
) -> dict[str, list[str]]:
    """Refuse more than there is; an open by notional may use leverage as well (section 3.1)."""
    levered = settings.percent_is_notional and action in {Action.OPEN_LONG, Action.OPEN_SHORT}
    percent_max = 100 * settings.leverage if levered else 100
    percent = shape.get("percent", 0)
    if percent <= percent_max:
        return {}
    return {"percent": [f"Must be at most {percent_max}, was {percent}."]}


def _protection_refusals(action: Action, shape: Mapping[str, Any]) -> dict[str, list[str]]:
    """Refuse what is out of order: loss < limit < profit for a long (section 3.3)."""
    low, high = "loss", "profit"
    if action.position_side is PositionSide.SHORT:
        low, high = high, low
    steps = ((low, "limit"), ("limit", high)) if "limit" in shape else ((low, high),)
    refusals: dict[str, list[str]] = {}
    for below, above in steps:
        if below in shape and above in shape and shape[below] >= shape[above]:
            message = f"{below} was {shape[below]}, it must be below {above}, {shape[above]}."
            refusals |= {name: [message] for name in (below, above) if name != "limit"}
    return refusals


def _size(shape: Mapping[str, Any]) -> Size:
    sizes = (Size(kind, shape[name]) for name, kind in _SIZES if name in shape)
    return next(sizes, _EVERYTHING)


def _ignored_in(payload: Mapping[str, object], action: Action) -> tuple[str, ...]:
    if action not in {Action.CLOSE_LONG, Action.CLOSE_SHORT}:
        return ()
    return tuple(name for name in ("profit", "loss") if payload.get(name) not in (None, ""))


def digest_of(connector_name: str, payload: Mapping[str, object]) -> str:
    """Return a hash, in hexadecimal, that only the same message again has (section 4).

    The order of keys, blanks between them and the token do not count. `100` and `"100"` differ.
    """
    canonical = canonical_text(_without_token(payload))
    return hashlib.sha256(f"{connector_name}\n{canonical}".encode()).hexdigest()


def _without_token(payload: Mapping[str, object]) -> dict[str, object]:
    # In any case: a token under a misspelled name is a token still.
    return {name: value for name, value in payload.items() if name.lower() != "connectortoken"}
