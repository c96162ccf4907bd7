"""What a client of the 3Commas dialect sends: signatures in both forms, and usual parameters."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

KEY: Final = "tc-key"
SECRET: Final = "tc-secret"  # noqa: S105 - of no installation

BASE: Final = "/public/api"
TRADES: Final = f"{BASE}/ver1/smart_trades"
JSON_TYPE: Final = "application/json"
FORM_TYPE: Final = "application/x-www-form-urlencoded"


def headers(
    target: str,
    body: str = "",
    *,
    key: str = KEY,
    secret: str = SECRET,
    question_mark: bool = False,
    body_type: str = JSON_TYPE,
) -> dict[str, str]:
    """Return the headers of a signed request.

    Args:
        target: path and query as they will be sent.
        body: as it will be sent.
        key: of the caller.
        secret: of the key.
        question_mark: whether it stands before the body, query or not (3commas-api-node).
        body_type: what the body is said to be.
    """
    between = "?" if question_mark and "?" not in target else ""
    message = f"{target}{between}{body}"
    signature = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    named = {"APIKEY": key, "Signature": signature}
    return {**named, "Content-Type": body_type} if body else named


def json_body(parameters: Mapping[str, object] | None) -> str:
    """Return parameters as py3cw writes them; none are no body."""
    return json.dumps(parameters) if parameters else ""


def simple(account: object = 1, **odd: object) -> dict[str, object]:
    """Return a simple buy of 2 ETH at 99."""
    usual = {"account_id": account, "pair": "USDT_ETH", "units_to_buy": 2, "buy_price": 99}
    return {**usual, **odd}


def no_exits() -> dict[str, object]:
    """Return that neither exit is wanted."""
    return {"take_profit_enabled": False, "stop_loss_enabled": False}


def sale(account: object = 1, **odd: object) -> dict[str, object]:
    """Return a SmartSale of 10 ETH that have cost 100, with take-profit at 105 and stop at 95."""
    usual = {
        "account_id": account,
        "pair": "USDT_ETH",
        "units_to_buy": 10,
        "average_buy_price": 100,
        "take_profit_enabled": True,
        "take_profit_type": "classic",
        "take_profit_price_condition": 105,
        "stop_loss_enabled": True,
        "stop_loss_price_condition": 95,
    }
    return {**usual, **odd}


#: Three steps of a take-profit: 50 % at 105, 25 % at 110, 25 % at 115.
STEPS: Final = (
    {"percent": 50, "price": 105},
    {"percent": 25, "price": 110},
    {"percent": 25, "price": 115},
)


def in_steps(**odd: object) -> dict[str, object]:
    """Return the part of a request that takes profit in three steps."""
    usual = {"take_profit_type": "step_sell", "take_profit_step_orders": list(STEPS)}
    return {**usual, **odd}
