"""What is said of texts that stand where a number belongs."""

import pytest

from app.domain.errors import MalformedPayload
from app.web.alert_texts import no_number
from app.web.json_body import alert_from, payload_from

UNFILLED = "Not a number: TradingView has not filled in {{strategy.order.contracts}}."
NO_VALUE = "Not a number: {} is what a script writes that has no value there."
GROUPED = "Not a number: write it without anything between the digits."
COMMA = "Not a number: write a point before the decimals."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{strategy.order.contracts}}", UNFILLED),
        (" {{strategy.order.contracts}}%", UNFILLED),
        ("NaN", NO_VALUE.format("NaN")),
        ("na", NO_VALUE.format("na")),
        ("-Infinity ", NO_VALUE.format("-Infinity")),
        ("1,234", GROUPED),
        ("1,234,567.89", GROUPED),
        ("1 234", GROUPED),
        ("1_000", GROUPED),
        ("12,5", COMMA),
        ("1.234,5", COMMA),
        (",5", COMMA),
        ("", "Not a number."),
        ("all", "Not a number."),
        ("1.2.3", "Not a number."),
        ("0x10", "Not a number."),
        ("5%", "Not a number."),
    ],
)
def test_what_is_said(text: str, said: str) -> None:
    assert no_number(text) == said


def test_a_long_placeholder_is_cut_off() -> None:
    assert "{{" + "x" * 58 + "." in no_number("{{" + "x" * 90 + "}}")
    assert no_number("{{" + "x" * 5_000 + "}}") == "Not a number."


@pytest.mark.parametrize("read", [payload_from, alert_from])
def test_a_placeholder_outside_of_a_text_is_named(read: object) -> None:
    assert callable(read)
    with pytest.raises(MalformedPayload, match=r"not JSON at .*has not filled in {{close}}"):
        read(b'{"limit": {{close}}}')
    with pytest.raises(MalformedPayload, match="holds NaN, which is not JSON: a script had no"):
        read(b'{"limit": NaN}')
