"""What the connectors of a dialect are, as the admin API and the dashboard show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import fields

from app.domain.account import Connector
from app.domain.enums import Market

#: Stands where the token belongs: only its hash is known here.
TOKEN_PLACEHOLDER: Final = "YOUR_CONNECTOR_TOKEN"  # noqa: S105 - it is none


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorKind:
    """What the connectors of a dialect are.

    Attributes:
        path: where their messages go.
        settings: what can be set of them, besides what every connector has.
        record: checks settings, and returns what of them is stored.
        shown: returns all settings of a record, the defaults included.
        alert: returns what the form shows next that makes a message, of what was filled in.
        small_alert: a message to begin with.
    """

    path: str
    settings: dict[str, fields.Field[Any]]
    record: Callable[[Mapping[str, object]], dict[str, object]]
    shown: Callable[[Mapping[str, object]], dict[str, object]]
    alert: Callable[[Connector, Market, Mapping[str, str]], Mapping[str, object]]
    small_alert: Mapping[str, str]
