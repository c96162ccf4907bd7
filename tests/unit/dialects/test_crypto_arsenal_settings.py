"""The settings of a connector are checked once, and come back as they were stored."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialects.crypto_arsenal.settings import ConnectorSettings, settings_of
from app.domain.commands import LateExits, OnOpposite, SignalRules
from app.domain.enums import Market, Protection
from app.domain.errors import MalformedPayload
from app.domain.identifiers import VenueName
from app.web.json_body import payload_from
from app.web.peer import is_among
from tests.support.builders import USDM

EVERYTHING = {
    "leverage": 5,
    "dedup_window_seconds": "30",
    "balance_reserve": "0.02",
    "protection": "here",
    "protection_distance_percent": "0.5",
    "percent_is_notional": True,
    "on_opposite": "reverse",
    "late_exits": "drop",
    "rate_limit_per_minute": 0,
    "allowed_ips": ["203.0.113.7", "198.51.100.0/24", "2001:db8::/32"],
}


def test_the_defaults_are_those_of_the_spec() -> None:
    settings = settings_of({})

    assert settings == ConnectorSettings()
    assert settings.rules(60_000) == SignalRules()
    assert settings.dedup_window_seconds == 20
    assert settings.rate_limit_per_minute == 60
    assert settings.record() == {}
    assert settings.allowed_ips == ()


@pytest.mark.parametrize(
    ("venue", "market", "connector", "account", "rests"),
    [
        ("binance", Market.USDM, "auto", Protection.AUTO, True),
        ("bybit_testnet", Market.COINM, "auto", Protection.AUTO, True),
        ("binance", Market.SPOT, "auto", Protection.AUTO, False),
        ("kraken", Market.USDM, "auto", Protection.AUTO, False),
        ("bybit", Market.COINM, "auto", Protection.BOTH, True),
        ("paper", Market.USDM, "auto", Protection.AUTO, False),
        ("paper", Market.USDM, "both", Protection.AUTO, True),
        ("paper", Market.USDM, "auto", Protection.BOTH, True),
        ("binance", Market.USDM, "here", Protection.BOTH, False),
        ("binance", Market.USDM, "both", Protection.HERE, True),
        ("binance", Market.USDM, "auto", Protection.HERE, False),
        ("binance", Market.USDM, "auto", Protection.EXCHANGE, True),
        ("paper", Market.USDM, "exchange", Protection.AUTO, True),
        ("binance", Market.COINM, "exchange", Protection.AUTO, False),
        # Where the venue cannot hold one it is ours; of spot entries there is none.
        ("binance", Market.COINM, "both", Protection.BOTH, False),
        ("binance", Market.SPOT, "both", Protection.BOTH, False),
        ("paper", Market.SPOT, "both", Protection.BOTH, False),
        ("kraken", Market.USDM, "both", Protection.BOTH, False),
    ],
)
def test_who_holds_a_stop_is_told_by_who_is_nearer(
    venue: str, market: Market, connector: str, account: Protection, *, rests: bool
) -> None:
    whose = replace(USDM, venue=VenueName(venue), market=market, protection=account)
    settings = settings_of({"protection": connector, "protection_distance_percent": "2.5"})

    exits = settings.exits_in(whose)

    assert exits.beyond_percent == (Decimal("2.5") if rests else None)
    assert exits.venue_first is (rests and Protection.EXCHANGE in {connector, account})
    assert replace(exits, beyond_percent=None, venue_first=False) == settings.exits


def test_everything_can_be_set() -> None:
    settings = settings_of(EVERYTHING)

    assert settings.dedup_window_seconds == 30
    assert settings.rate_limit_per_minute == 0
    assert settings.rules(5) == SignalRules(
        leverage=5,
        balance_reserve=Decimal("0.02"),
        percent_is_notional=True,
        on_opposite=OnOpposite.REVERSE,
        late_exits=LateExits.DROP,
        entry_lateness_ms=5,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leverage", 0),
        ("leverage", 1001),
        ("leverage", "1.5"),
        ("leverage", True),
        ("leverage", None),
        ("dedup_window_seconds", -1),
        ("dedup_window_seconds", 86_401),
        ("balance_reserve", "-0.01"),
        ("balance_reserve", 1),
        ("balance_reserve", "NaN"),
        ("protection", "venue"),
        ("protection", None),
        ("protection_distance_percent", "0.09"),
        ("protection_distance_percent", "50.1"),
        ("protection_distance_percent", "NaN"),
        ("percent_is_notional", 1),
        ("percent_is_notional", "true"),
        ("on_opposite", "KEEP"),
        ("on_opposite", []),
        ("on_opposite", {}),
        ("late_exits", 1),
        ("rate_limit_per_minute", -1),
        ("allowed_ips", "203.0.113.7"),
        ("allowed_ips", {}),
        ("allowed_ips", [1]),
        ("allowed_ips", ["203.0.113"]),
        ("allowed_ips", ["203.0.113.7/33"]),
        ("allowed_ips", ["x" * 10_000]),
        ("allowed_ips", ["203.0.113.7"] * 101),
        ("leverages", 1),
    ],
)
def test_a_bad_setting_is_told_by_its_name(name: str, value: object) -> None:
    with pytest.raises(MalformedPayload) as caught:
        settings_of({**EVERYTHING, name: value})

    assert caught.value.code == "validation_failed"
    assert list(caught.value.fields) == [name]


@given(
    st.builds(
        ConnectorSettings,
        leverage=st.integers(1, 1000),
        dedup_window_seconds=st.integers(0, 86_400),
        balance_reserve=st.decimals(0, Decimal("0.99"), places=6),
        rate_limit_per_minute=st.integers(0, 100_000),
        allowed_ips=st.lists(st.ip_addresses().map(str), max_size=3).map(
            lambda texts: settings_of({"allowed_ips": texts}).allowed_ips
        ),
    )
)
def test_settings_are_read_from_their_record(settings: ConnectorSettings) -> None:
    stored = json.dumps(settings.record()).encode()

    assert settings_of(payload_from(stored)) == settings


@pytest.mark.parametrize(
    ("peer", "may"),
    [
        ("203.0.113.7", True),
        ("::ffff:203.0.113.7", True),
        ("203.0.113.8", False),
        ("198.51.100.200", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("unix", False),
        ("", False),
    ],
)
def test_named_networks_exclude_all_others(peer: str, may: bool) -> None:  # noqa: FBT001
    assert is_among(peer, settings_of(EVERYTHING).allowed_ips) is may
