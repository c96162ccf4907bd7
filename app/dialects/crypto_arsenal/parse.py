"""From messages to commands (Crypto Arsenal webhook spec, sections 2 and 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Any

from app.dialects.crypto_arsenal.schemas import SCHEMAS
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.domain.commands import Action, SignalCommand, Size, SizeKind
from app.domain.enums import Market, PositionSide
from app.domain.errors import MalformedPayload, invalid_fields
from app.web.fields import loaded

#: Of `log`, which is kept as the note (section 2).
_NOTE_CHARACTERS_MAX = 4096

#: Of an unknown action that is quoted in a message.
_SHOWN_CHARACTERS = 40

#: The published spelling of each action (section 2).
WORDS = {
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
    **{word.lower(): action for action, word in WORDS.items()},
    "cancellall": Action.CANCEL_ALL,
}

#: In order of precedence (section 2).
_SIZES = (
    ("fixed", SizeKind.FIXED),
    ("notional", SizeKind.NOTIONAL),
    ("percent", SizeKind.PERCENT),
)
_EVERYTHING = Size(SizeKind.PERCENT, Decimal(100))

#: What senders call a size, in lower case: our own names, and those of others (section 2).
_SIZE_NAMES = frozenset(
    {name for name, _ in _SIZES}
    | {"quantity", "qty", "size", "amount", "contracts", "volume", "units"}
)

#: Exact for every number that a field lets through: 40 digits, and four of the factor.
_EXACT = Context(prec=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRules:
    """The settings of an installation that shape delays (section 3.6).

    Attributes:
        seconds_max: a message that asks for more is refused.
        ignores_case: whether the filter word matches in any case.
    """

    seconds_max: int = 86_400
    ignores_case: bool = False


_DELAY_RULES = DelayRules()


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
    if not is_for(action, market):
        wanted = "SPOT" if action.position_side is None else "futures"
        message = f"{WORDS[action]} is for {wanted} connectors, this one trades {market}"
        raise MalformedPayload("market_mismatch", message, {"action": [f"{message}."]})
    shape = loaded(SCHEMAS[action], payload)
    refusals = {
        **_size_refusals(action, shape, payload),
        **_delay_refusals(shape, delay_rules),
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
        delay_ms=_delay_ms(shape, delay_rules),
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
            {"action": [f"Must be one of: {', '.join(WORDS.values())}."]},
        )
    return action


def is_for(action: Action, market: Market) -> bool:
    """Tell whether an action means something to connectors of a market."""
    return action.is_cancel or (market is Market.SPOT) is (action.position_side is None)


def _size_refusals(
    action: Action, shape: Mapping[str, Any], payload: Mapping[str, object]
) -> dict[str, list[str]]:
    """Refuse a message without a size that names one: "everything" is hardly meant (section 2)."""
    if action.is_cancel or any(name in shape for name, _ in _SIZES):
        return {}
    known = ", ".join(name for name, _ in _SIZES)
    message = f"Names a size and gives none; a size is one of {known}, above 0."
    return {name: [message] for name in payload if name.strip().lower() in _SIZE_NAMES}


def _delay_refusals(shape: Mapping[str, Any], rules: DelayRules) -> dict[str, list[str]]:
    """Return what is wrong with `delaySeconds`, whether or not the delay would apply."""
    seconds = shape.get("delay_seconds", 0)
    if 0 <= seconds <= rules.seconds_max:
        return {}
    return {"delaySeconds": [f"Must be at least 0 and at most {rules.seconds_max}, was {seconds}."]}


def _delay_ms(shape: Mapping[str, Any], rules: DelayRules) -> int:
    """Return the delay in whole milliseconds, rounded up: a delay is never early.

    With a filter word it applies only to a message whose log holds that word anywhere.
    """
    word, log = shape.get("delay_filter", ""), shape.get("log", "")
    if rules.ignores_case:
        word, log = word.casefold(), log.casefold()
    if word not in log:
        return 0
    seconds = shape.get("delay_seconds", 0)
    return int(_EXACT.multiply(seconds, 1000).to_integral_value(ROUND_CEILING))


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
