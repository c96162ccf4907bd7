"""Messages become commands or are refused by field; the examples show the common cases."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from app.dialects.crypto_arsenal.parse import DelayRules, command_from
from app.dialects.crypto_arsenal.routes import credentials_from, digest_of, ignored_in
from app.dialects.crypto_arsenal.settings import ConnectorSettings
from app.domain.commands import Action, SignalCommand, Size, SizeKind
from app.domain.enums import Market
from app.domain.errors import MalformedPayload, NotAuthenticated
from app.web.json_body import payload_from

DEFAULTS = ConnectorSettings()
BY_NOTIONAL = replace(DEFAULTS, percent_is_notional=True, leverage=5)


def spot(**message: object) -> SignalCommand:
    return command_from({"action": "buy", **message}, Market.SPOT, DEFAULTS)


def futures(settings: ConnectorSettings = DEFAULTS, **message: object) -> SignalCommand:
    return command_from({"action": "openLong", **message}, Market.USDM, settings)


def refused(message: Mapping[str, object], market: Market = Market.USDM) -> MalformedPayload:
    with pytest.raises(MalformedPayload) as caught:
        command_from({"action": "openLong", **message}, market, DEFAULTS)
    return caught.value


class TestCredentials:
    def test_name_and_token_are_taken_as_they_are(self) -> None:
        payload = {"connectorName": " Spot1", "connectorToken": "t" * 256}

        assert credentials_from(payload) == (" Spot1", "t" * 256)

    @pytest.mark.parametrize("name", ["connectorName", "connectorToken"])
    @pytest.mark.parametrize("value", [None, "", 1, True, ["T1"], {}, "t" * 257])
    def test_anything_else_is_nobody(self, name: str, value: object) -> None:
        payload = {"connectorName": "spot1", "connectorToken": "T1", name: value}

        with pytest.raises(NotAuthenticated, match=r"^unknown connector or bad token$"):
            credentials_from(payload)

    def test_a_missing_credential_is_nobody(self) -> None:
        with pytest.raises(NotAuthenticated):
            credentials_from({"connectorName": "spot1"})
        with pytest.raises(NotAuthenticated):
            credentials_from({"connectorToken": "T1"})
        with pytest.raises(NotAuthenticated):
            credentials_from({"connectorName": "n" * 129, "connectorToken": "T1"})


class TestActions:
    @pytest.mark.parametrize("market", [Market.SPOT, Market.USDM, Market.COINM])
    @pytest.mark.parametrize("action", list(Action))
    def test_an_action_has_its_market(self, action: Action, market: Market) -> None:
        payload = {"action": f" {action.lower()}\t", "clientOrderId": "a1"}
        is_for_spot = action.position_side is None

        if action.is_cancel or is_for_spot is (market is Market.SPOT):
            assert command_from(payload, market, DEFAULTS).action is action
        else:
            assert refused(payload, market).code == "market_mismatch"

    @pytest.mark.parametrize("word", ["BUY", "Buy", "b_u_y", " buy\n"])
    def test_case_blanks_and_underscores_do_not_count(self, word: str) -> None:
        assert spot(action=word).action is Action.BUY

    @pytest.mark.parametrize("word", ["update", "hold", " ", "open long", "buy!", "\u017fell"])
    def test_other_words_are_not_supported(self, word: str) -> None:
        error = refused({"action": word, "percent": "abc"})

        assert error.code == "unsupported_action"
        assert list(error.fields) == ["action"]

    @pytest.mark.parametrize("word", [None, "", 1, True, [], {}])
    def test_no_word_at_all_is_a_bad_field(self, word: object) -> None:
        error = refused({"action": word})

        assert error.code == "validation_failed"
        assert list(error.fields) == ["action"]

    def test_a_long_word_is_not_repeated_in_full(self) -> None:
        assert len(str(refused({"action": "長" * 10_000}))) < 300


class TestSizes:
    def test_nothing_means_everything(self) -> None:
        assert spot().size == Size(SizeKind.PERCENT, Decimal(100))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *((name, value) for name in ("fixed", "percent", "notional") for value in (None, "")),
            ("Fixed", "0.001"),
            ("PERCENT", 50),
            ("Notional", None),
            ("fixed ", "0.001"),
            *((name, "0.001") for name in ("quantity", "qty", "size", "amount")),
            *((name, 5) for name in ("contracts", "volume", "units", "Quantity", "Qty")),
        ],
    )
    @pytest.mark.parametrize("action", ["openLong", "closeLong", "buy", "sell"])
    def test_a_size_that_was_meant_is_not_everything(
        self, action: str, name: str, value: object
    ) -> None:
        market = Market.USDM if action.endswith("Long") else Market.SPOT

        assert list(refused({"action": action, name: value}, market).fields) == [name]

    def test_a_size_beside_another_name_of_one_is_the_size(self) -> None:
        meant = Size(SizeKind.FIXED, Decimal(3))

        assert spot(fixed=3, quantity=5, percent="", notional=None).size == meant

    @pytest.mark.parametrize("action", ["cancel", "cancelAll"])
    def test_a_cancel_has_no_size_to_miss(self, action: str) -> None:
        assert spot(action=action, clientOrderId="a1", quantity=5, fixed="").size is None

    def test_fixed_comes_first_then_notional_then_percent(self) -> None:
        assert spot(percent=1, notional=2, fixed=3).size == Size(SizeKind.FIXED, Decimal(3))
        assert spot(percent=1, notional=2).size == Size(SizeKind.NOTIONAL, Decimal(2))
        assert spot(percent=1).size == Size(SizeKind.PERCENT, Decimal(1))

    @pytest.mark.parametrize("name", ["fixed", "notional", "percent", "limit", "profit", "loss"])
    @pytest.mark.parametrize("value", ["abc", "NaN", "0", "-1", 0, True, [], "1,5", "1e31"])
    def test_a_bad_number_is_refused_beside_good_ones(self, name: str, value: object) -> None:
        good = {"fixed": "1", "notional": "1", "percent": "1"}

        assert list(refused({**good, name: value}).fields) == [name]

    @pytest.mark.parametrize("action", ["sell", "closeLong", "closeShort"])
    def test_an_exit_is_not_given_in_quote_currency(self, action: str) -> None:
        market = Market.SPOT if action == "sell" else Market.USDM

        error = refused({"action": action, "notional": "5", "fixed": "1"}, market)

        assert list(error.fields) == ["notional"]

    @pytest.mark.parametrize("action", ["openLong", "openShort"])
    def test_percent_of_notional_reaches_to_the_leverage(self, action: str) -> None:
        assert futures(BY_NOTIONAL, action=action, percent="500").size
        with pytest.raises(MalformedPayload, match="percent"):
            futures(BY_NOTIONAL, action=action, percent="500.000000000000000000000000000000001")

    def test_percent_of_anything_else_does_not(self) -> None:
        with pytest.raises(MalformedPayload, match="percent"):
            futures(BY_NOTIONAL, action="closeLong", percent="101")
        with pytest.raises(MalformedPayload, match="percent"):
            futures(replace(DEFAULTS, leverage=5), percent="101")
        with pytest.raises(MalformedPayload, match="percent"):
            command_from({"action": "buy", "percent": "101"}, Market.SPOT, BY_NOTIONAL)


class TestProtection:
    @pytest.mark.parametrize("action", ["buy", "sell"])
    @pytest.mark.parametrize("name", ["profit", "loss"])
    @pytest.mark.parametrize("value", ["1", "NaN", 0, False])
    def test_spot_orders_have_none(self, action: str, name: str, value: object) -> None:
        assert list(refused({"action": action, name: value}, Market.SPOT).fields) == [name]

    @pytest.mark.parametrize(
        ("action", "prices", "blamed"),
        [
            ("openLong", {"loss": 1, "limit": 2, "profit": 3}, []),
            ("openLong", {"loss": 1, "profit": 3}, []),
            ("openLong", {"loss": 9}, []),
            ("openLong", {"limit": 2, "profit": 2}, ["profit"]),
            ("openLong", {"limit": 2, "loss": 2}, ["loss"]),
            ("openLong", {"loss": 3, "limit": 2, "profit": 1}, ["loss", "profit"]),
            ("openLong", {"loss": 2, "profit": 2}, ["loss", "profit"]),
            ("openLong", {"loss": 4, "limit": 2, "profit": 5}, ["loss"]),
            ("openShort", {"profit": 1, "limit": 2, "loss": 3}, []),
            ("openShort", {"profit": 2, "limit": 2, "loss": 3}, ["profit"]),
            ("openShort", {"profit": 1, "limit": 2, "loss": 1}, ["loss"]),
            ("openShort", {"loss": 1, "profit": 3}, ["loss", "profit"]),
            ("closeLong", {"loss": 3, "limit": 2, "profit": 1}, []),
            ("closeShort", {"loss": "NaN", "profit": []}, []),
        ],
    )
    def test_it_lies_around_the_entry(
        self, action: str, prices: Mapping[str, object], blamed: list[str]
    ) -> None:
        payload = {"action": action, **prices}

        if blamed:
            assert sorted(refused(payload).fields) == blamed
        else:
            assert command_from(payload, Market.USDM, DEFAULTS)

    def test_what_a_close_ignores_is_told(self) -> None:
        def ignored(action: str, **prices: object) -> tuple[str, ...]:
            payload = {"action": action, **prices}
            return ignored_in(payload, command_from(payload, Market.USDM, DEFAULTS).action)

        assert ignored("closeLong", profit="NaN", loss=[]) == ("profit", "loss")
        assert ignored("closeShort", profit="", loss=None) == ()
        assert ignored("openLong", profit=5, loss=3) == ()
        assert ignored("cancelAll", profit="NaN", loss=[]) == ()


class TestDelays:
    @pytest.mark.parametrize(
        ("seconds", "expected_ms"),
        [
            (None, 0),
            ("", 0),
            (0, 0),
            ("-0", 0),
            (10, 10_000),
            ("10", 10_000),
            (Decimal("0.0004"), 1),
            ("1e-30", 1),
            ("1.2340000000000000000000000000000000000", 1234),
            ("1.2340000000000000000000000000000000001", 1235),
            (86400, 86_400_000),
        ],
    )
    def test_a_delay_is_rounded_up_to_milliseconds(self, seconds: object, expected_ms: int) -> None:
        assert futures(delaySeconds=seconds).delay_ms == expected_ms

    @pytest.mark.parametrize("seconds", [-1, "-0.001", 86401, "86400.0001", "abc", True, "NaN", []])
    @pytest.mark.parametrize("action", ["openLong", "closeLong", "cancelAll"])
    def test_a_bad_delay_is_refused_even_where_the_filter_drops_it(
        self, action: str, seconds: object
    ) -> None:
        message = {"action": action, "delaySeconds": seconds, "delaySecondsFilter": "x"}

        assert list(refused(message).fields) == ["delaySeconds"]

    @pytest.mark.parametrize(
        ("word", "log", "expected_ms"),
        [
            (None, None, 1000),
            ("", "close", 1000),
            ("open", "reopened", 1000),
            ("open", "Open", 0),
            ("open", "close", 0),
            ("open", "", 0),
            ("open", None, 0),
            ("42", 1421, 1000),
            (" ", "a b", 1000),
        ],
    )
    def test_a_filter_word_must_stand_in_the_log(
        self, word: object, log: object, expected_ms: int
    ) -> None:
        command = futures(delaySeconds=1, delaySecondsFilter=word, log=log)

        assert command.delay_ms == expected_ms

    def test_the_whole_log_is_searched_though_the_note_is_short(self) -> None:
        command = futures(delaySeconds=1, delaySecondsFilter="open", log="x" * 9000 + "open")

        assert command.delay_ms == 1000
        assert command.note == "x" * 4096

    def test_an_installation_sets_maximum_and_case(self) -> None:
        payload = {
            "action": "cancelAll",
            "delaySeconds": 5,
            "delaySecondsFilter": "OP",
            "log": "op",
        }
        any_case = DelayRules(ignores_case=True)
        short = DelayRules(seconds_max=4)

        assert command_from(payload, Market.SPOT, DEFAULTS, any_case).delay_ms == 5000
        with pytest.raises(MalformedPayload, match="delaySeconds"):
            command_from(payload, Market.SPOT, DEFAULTS, short)


class TestTexts:
    @pytest.mark.parametrize("log", [True, [], {}])
    def test_a_log_is_text_or_a_number(self, log: object) -> None:
        assert list(refused({"log": log}).fields) == ["log"]

    def test_a_number_as_log_is_kept_as_it_was_written(self) -> None:
        assert futures(log=Decimal("1.50")).note == "1.50"
        assert futures(log=42).note == "42"
        assert futures(log=Decimal("1e999999999")).note == "1E+999999999"

    @pytest.mark.parametrize("value", [1, True, "é", "a\tb", "a" * 65, []])
    def test_a_caller_id_is_short_printable_ascii(self, value: object) -> None:
        assert list(refused({"clientOrderId": value}).fields) == ["clientOrderId"]
        assert list(refused({"action": "cancel", "clientOrderId": value}).fields) == [
            "clientOrderId"
        ]

    def test_cancel_ignores_what_is_not_its_own(self) -> None:
        bad = dict.fromkeys(("fixed", "percent", "notional", "limit", "profit", "loss"), "NaN")

        payload = {**bad, "action": "cancel", "clientOrderId": "Long", "delaySeconds": 1}
        command = command_from(payload, Market.USDM, DEFAULTS)

        assert command == SignalCommand(action=Action.CANCEL, caller_id="Long", delay_ms=1000)


class TestResends:
    PAYLOAD = payload_from(b'{"a":1,"b":[1.50,null],"connectorToken":"T1"}')

    def test_order_blanks_and_token_do_not_count(self) -> None:
        again = payload_from(b'{ "connectorToken":"T2", "b":[1.50,null], "a":1 }')

        assert digest_of("spot1", again) == digest_of("spot1", self.PAYLOAD)

    def test_it_is_a_sha_256(self) -> None:
        text = digest_of("spot1", self.PAYLOAD)

        assert len(text) == 64
        assert int(text, 16)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"a":"1","b":[1.50,null]}',
            b'{"a":1,"b":["1.50",null]}',
            b'{"a":1,"b":[1.500000000000000000000000000001,null]}',
            b'{"a":1,"b":[1.50,false]}',
            b'{"a":1,"b":[1.50,null],"log":"x"}',
        ],
    )
    def test_everything_else_does(self, body: bytes) -> None:
        assert digest_of("spot1", payload_from(body)) != digest_of("spot1", self.PAYLOAD)

    def test_another_connector_is_another_message(self) -> None:
        assert digest_of("spot2", self.PAYLOAD) != digest_of("spot1", self.PAYLOAD)
