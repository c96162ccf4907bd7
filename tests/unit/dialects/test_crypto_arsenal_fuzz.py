"""Whatever comes in, it is a sound command or an error of ours."""

import json
from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.dialects.crypto_arsenal.parse import command_from
from app.dialects.crypto_arsenal.routes import credentials_from, digest_of
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.domain.commands import Action
from app.domain.enums import Market
from app.domain.errors import HookfillError, MalformedPayload, NotAuthenticated
from app.web.json_body import payload_from

DEFAULTS = ConnectorSettings()
BY_NOTIONAL = replace(DEFAULTS, percent_is_notional=True, leverage=5)
FIELDS = (
    "fixed",
    "percent",
    "notional",
    "limit",
    "profit",
    "loss",
    "log",
    "clientOrderId",
    "delaySeconds",
    "delaySecondsFilter",
)

odd = st.sampled_from(
    ["NaN", "1e999999999", "1e-30", "\uff11", " 5 ", "", "open", 0, -1, 86400, 10**50, None, True]
)
values = st.recursive(
    odd | st.integers() | st.text() | st.decimals(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
actions = st.sampled_from([*(action.lower() for action in Action), "cancellAll", "update"]) | values


words = st.sampled_from([action.lower() for action in Action])
odd_messages = st.fixed_dictionaries(
    {"action": actions}, optional=dict.fromkeys((*FIELDS, "connectorToken"), values)
)
#: Of fields at random hardly any message is a command.
sound_messages = st.fixed_dictionaries(
    {"action": words, "percent": st.sampled_from([50, "100"])},
    optional={"log": st.text(max_size=300), "delaySeconds": st.sampled_from([0, "5", 86400])},
)


@given(
    odd_messages | sound_messages,
    st.sampled_from(list(Market)),
    st.sampled_from([DEFAULTS, BY_NOTIONAL]),
)
def test_any_message_is_a_sound_command_or_an_error(
    payload: dict[str, object], market: Market, settings: ConnectorSettings
) -> None:
    digest_of("spot1", payload)
    with suppress(NotAuthenticated):
        credentials_from(payload)
    try:
        command = command_from(payload, market, settings)
    except MalformedPayload as error:
        json.dumps(error.fields)
        return

    assert 0 <= command.delay_ms <= 86_400_000
    assert (command.size is None) == command.action.is_cancel
    assert command.size is None or command.size.value > 0
    assert command.note is None or 0 < len(command.note) <= 200


@given(st.binary(max_size=300))
def test_no_bytes_in_a_field_raise_anything_else(raw: bytes) -> None:
    body = b'{"action":"openLong","delaySeconds":' + raw + b',"log":"' + raw + b'"}'
    with suppress(HookfillError):
        command_from(payload_from(body), Market.USDM, DEFAULTS)
