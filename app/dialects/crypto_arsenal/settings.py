"""What can be set on a connector (Crypto Arsenal webhook spec, table of the connector record)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, Final

from marshmallow import ValidationError, validate
from marshmallow import fields as shapes

from app.domain.account import Account
from app.domain.commands import LateExits, OnOpposite, SignalRules
from app.domain.enums import Market, PriceSource, Protection
from app.domain.exits import ExitRules
from app.domain.money import plain
from app.venues import protection_of
from app.web.fields import Flag, Number, Strict, ValueField, WholeNumber, between, loaded
from app.web.peer import Network
from app.web.surface import (
    DISTANCE_PERCENT,
    ExitSettings,
    distance_field,
    exit_patience_field,
    limit_exit_field,
    protection_field,
)

#: No venue offers more; a bound against typing errors.
LEVERAGE_MAX = 1000

#: One day. The resends that a window is made for come within 20 s (section 1).
DEDUP_WINDOW_SECONDS_MAX = 86_400

RATE_LIMIT_PER_MINUTE_MAX = 100_000
ALLOWED_IPS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings(ExitSettings):
    """The settings of one connector; its exits are its sales and closes.

    Attributes:
        leverage: whole number, at least 1.
        dedup_window_seconds: how long the same message again counts as a resend; 0 is never.
        balance_reserve: share of the available quote that percent sizes leave alone, 0 to 1.
        protection: who holds the stop-losses of entries.
        protection_distance_percent: how far beyond a stop-loss the other one lies, of its price.
        percent_is_notional: percent of an open is of notional, not of margin.
        rate_limit_per_minute: messages a minute; 0 is without limit.
        allowed_ips: networks that may send; empty is everybody.
    """

    leverage: int = 1
    dedup_window_seconds: int = 20
    balance_reserve: Decimal = Decimal("0.01")
    protection: Protection = Protection.AUTO
    protection_distance_percent: Decimal = DISTANCE_PERCENT
    percent_is_notional: bool = False
    on_opposite: OnOpposite = OnOpposite.KEEP
    late_exits: LateExits = LateExits.RUN
    rate_limit_per_minute: int = 60
    allowed_ips: tuple[Network, ...] = ()

    def exits_in(self, account: Account) -> ExitRules:
        """Return how exits go on in an account."""
        # On spot it has no stops: its entries there are taken without.
        wanted = Protection.HERE if account.market is Market.SPOT else self.protection
        found = protection_of(account, wanted, PriceSource.LAST)
        return self.exits.held_by(found, self.protection_distance_percent)

    def rules(self, entry_lateness_ms: int) -> SignalRules:
        """Return what of this shapes the execution of a signal."""
        return SignalRules(
            leverage=self.leverage,
            balance_reserve=self.balance_reserve,
            percent_is_notional=self.percent_is_notional,
            on_opposite=self.on_opposite,
            late_exits=self.late_exits,
            entry_lateness_ms=entry_lateness_ms,
        )

    def record(self) -> dict[str, object]:
        """Return what differs from the defaults, in words that JSON has and `settings_of` reads."""
        return {
            one.name: _plain(value)
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default
        }


def shown(stored: Mapping[str, object]) -> dict[str, object]:
    """Return all settings of a connector's record, the defaults included, as our own API says."""
    settings = settings_of(stored)
    return {
        one.name: plain(value)
        if isinstance(value := getattr(settings, one.name), Decimal)
        else _plain(value)
        for one in fields(settings)
    }


def settings_of(connector_settings: Mapping[str, object]) -> ConnectorSettings:
    """Return the settings that a connector's record or a request of our own API names.

    Raises:
        MalformedPayload: with messages by field; an unknown name is one of them.
    """
    return ConnectorSettings(**loaded(_SCHEMA, connector_settings))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple):
        return [str(network) for network in value]
    return value


class _Networks(ValueField[tuple[Network, ...]]):
    """A list of addresses or networks: `["203.0.113.7", "198.51.100.0/24"]`."""

    def read(self, value: object) -> tuple[Network, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValidationError("Not a list of addresses.")
        if len(value) > ALLOWED_IPS_MAX:
            raise ValidationError(f"More than {ALLOWED_IPS_MAX} addresses.")
        return tuple(_network(one) for one in value)


def _network(text: object) -> Network:
    # A number would be read as one: `ip_network(1)` is 0.0.0.1.
    if isinstance(text, str):
        try:
            return ip_network(text, strict=False)
        except ValueError:
            pass
    raise ValidationError(f"Not an address or network: {str(text)[:50]!a}.")


_SHARE = validate.Range(
    0, 1, max_inclusive=False, error="Must be at least 0 and below 1, was {input}."
)


class _Settings(Strict):
    leverage = WholeNumber(validate=between(1, LEVERAGE_MAX))
    dedup_window_seconds = WholeNumber(validate=between(0, DEDUP_WINDOW_SECONDS_MAX))
    balance_reserve = Number(validate=_SHARE)
    protection = protection_field()
    protection_distance_percent = distance_field()
    percent_is_notional = Flag()
    on_opposite = shapes.Enum(OnOpposite, by_value=True)
    late_exits = shapes.Enum(LateExits, by_value=True)
    exit_patience_seconds = exit_patience_field()
    limit_exit_seconds = limit_exit_field()
    rate_limit_per_minute = WholeNumber(validate=between(0, RATE_LIMIT_PER_MINUTE_MAX))
    allowed_ips = _Networks(metadata={"type": "array", "items": {"type": "string"}})


_SCHEMA = _Settings()

#: Each setting with its default, as the documentation tells of them.
SETTINGS_FIELDS: Final[dict[str, shapes.Field[Any]]] = _SCHEMA.declared_fields
for _one in fields(ConnectorSettings):
    _field = SETTINGS_FIELDS[_one.name]
    _field.metadata = {**_field.metadata, "default": _plain(_one.default)}
