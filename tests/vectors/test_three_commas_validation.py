"""The vectors of authentication and validation of the 3Commas dialect."""

import json
from collections.abc import Mapping

import pytest

from tests.support import three_commas as wire
from tests.support.users.three_commas import READER, STRANGER, WRITER, Client, refusal

UNKNOWN_KEY = "api_key_invalid_or_expired"
BAD_SIGNATURE = "signature_invalid"
CREATE = f"{wire.TRADES}/create_simple_buy"
STATE = (422, "unprocessable_entity")

Fields = Mapping[str, list[str]]


def refused(
    client: Client, path: str, parameters: Mapping[str, object] | None = None, method: str = "POST"
) -> tuple[int, str, Fields]:
    """Return the refusal of a request, which must change nothing."""
    before = len(client.stack.rows())
    found = refusal(client.send(method, f"{wire.TRADES}/{path}", parameters))
    client.stack.settle()
    assert len(client.stack.rows()) == before
    return found


def invalid(**fields: str) -> tuple[int, str, Fields]:
    return 400, "record_invalid", {name: [message] for name, message in fields.items()}


# Authentication


def test_a01_no_key(client: Client) -> None:
    answer = client.raw("POST", CREATE, "", {})

    assert refusal(answer) == (401, UNKNOWN_KEY, {})


def test_a02_no_signature(client: Client) -> None:
    answer = client.raw("POST", CREATE, "", {"APIKEY": wire.KEY})

    assert refusal(answer) == (401, BAD_SIGNATURE, {})


def test_a03_the_digits_of_a_signature_may_be_in_upper_case(client: Client) -> None:
    body = wire.json_body(client.simple())
    headers = wire.headers(CREATE, body)

    answer = client.raw(
        "POST", CREATE, body, {**headers, "Signature": headers["Signature"].upper()}
    )

    assert answer.status_code == 201


def test_a04_the_form_with_the_question_mark(client: Client) -> None:
    assert client.send("POST", CREATE, client.simple(), question_mark=True).status_code == 201


@pytest.mark.parametrize("signed_body", ["", "another"])
def test_a05_a06_a_signature_of_something_else(client: Client, signed_body: str) -> None:
    body = wire.json_body(client.simple())
    other = body.replace("99", "98") if signed_body else ""

    answer = client.raw("POST", CREATE, body, wire.headers(CREATE, other))

    assert refusal(answer) == (401, BAD_SIGNATURE, {})
    assert client.stack.rows() == []


def test_a07_whoever_may_read_may_not_write(client: Client) -> None:
    answer = client.send("POST", CREATE, client.simple(), key=READER)

    assert refusal(answer) == (403, "access_denied", {})


def test_a08_whoever_may_write_may_not_read(client: Client) -> None:
    answer = client.send("GET", wire.TRADES, key=WRITER)

    assert refusal(answer) == (403, "access_denied", {})


def test_a10_steps_as_text_in_a_form(client: Client) -> None:
    target = f"{wire.TRADES}/create_smart_sell"
    steps = json.dumps(wire.STEPS)
    parameters = client.sale(take_profit_type="step_sell", take_profit_step_orders=steps)
    body = "&".join(f"{name}={value}" for name, value in parameters.items())

    answer = client.raw("POST", target, body, wire.headers(target, body, body_type=wire.FORM_TYPE))

    assert answer.status_code == 201, answer.text
    as_list = client.post("create_smart_sell", client.sale(**wire.in_steps()))

    def planned(trade: Mapping[str, list[Mapping[str, object]]]) -> list[object]:
        return [(step["percent"], step["price"]) for step in trade["take_profit_steps"]]

    assert planned(answer.json()) == planned(as_list)


def test_a11_another_ones_trade(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale())

    answer = client.send("POST", f"{wire.TRADES}/{made['id']}/cancel", key=STRANGER)

    assert refusal(answer) == (404, "not_found", {})
    assert client.shown(made)["status"] == "bought"


def test_a12_another_ones_account(client: Client) -> None:
    parameters = client.simple(account_id=client.other_account)

    assert refused(client, "create_simple_buy", parameters) == (403, "Forbidden", {})


# Validation


def test_b01_pair_and_account_are_mandatory(client: Client) -> None:
    parameters = client.smart()
    del parameters["pair"], parameters["account_id"]

    assert refused(client, "create_smart_trade", parameters) == invalid(
        pair="is missing", account_id="is missing"
    )


PROFIT = {"take_profit_enabled": True}
CLASSIC = {**PROFIT, "take_profit_type": "classic"}
LIMIT = {**CLASSIC, "take_profit_price_condition": 105, "take_profit_sell_method": "limit"}
TRAILED = {"buy_method": "conditional", "trailing_buy_enabled": True}


def in_steps(*rows: tuple[int, int]) -> Mapping[str, object]:
    """A take-profit in steps: (percent, price) of each."""
    steps = [{"percent": percent, "price": price} for percent, price in rows]
    return {**PROFIT, **wire.in_steps(take_profit_step_orders=steps)}


@pytest.mark.parametrize(
    ("call", "odd", "field", "message"),
    [
        pytest.param("create_smart_trade", PROFIT, "take_profit_type", "is missing", id="B02"),
        pytest.param(
            "create_smart_trade",
            in_steps((50, 105), (40, 110)),
            "take_profit_step_orders",
            "sum of percents must be equal to 100",
            id="B03",
        ),
        pytest.param(
            "create_smart_trade",
            in_steps(*[(20, 105)] * 5),
            "take_profit_step_orders",
            "is too long (maximum is 4 steps)",
            id="B04",
        ),
        pytest.param(
            "create_smart_trade",
            {**TRAILED, **CLASSIC, "take_profit_percentage_condition": -5},
            "take_profit_percentage_condition",
            "must be positive",
            id="B05",
        ),
        pytest.param(
            "create_smart_cover",
            {**TRAILED, **CLASSIC, "take_profit_percentage_condition": 5},
            "take_profit_percentage_condition",
            "must be negative",
            id="B06",
        ),
        pytest.param(
            "create_smart_trade",
            {"buy_method": "limit", "trailing_buy_enabled": True},
            "trailing_buy_enabled",
            "is invalid",
            id="B07",
        ),
        pytest.param(
            "create_smart_trade",
            {
                **LIMIT,
                "take_profit_sell_order_price": 106,
                "trailing_take_profit": True,
                "trailing_take_profit_step": 2,
            },
            "trailing_take_profit",
            "is invalid",
            id="B08",
        ),
        pytest.param(
            "create_smart_trade", LIMIT, "take_profit_sell_order_price", "is missing", id="B09"
        ),
    ],
)
def test_what_is_invalid(
    client: Client, call: str, odd: Mapping[str, object], field: str, message: str
) -> None:
    assert refused(client, call, client.smart(**odd)) == invalid(**{field: message})


def test_b10_an_amount_off_the_lot(client: Client) -> None:
    found = refused(client, "create_simple_buy", client.simple(units_to_buy="0.0105"))

    assert found == (422, "record_invalid", {"units_to_buy": ["Should change with step 0.01"]})


def test_b11_a_panic_before_there_is_anything(client: Client) -> None:
    parameters = client.smart(buy_method="conditional", buy_price=105)
    made = client.post("create_smart_trade", parameters)
    assert made["status"] == "conditional_order_waiting_price"

    assert refused(client, f"{made['id']}/panic_sell")[:2] == STATE


def test_b12_a_trade_is_cancelled_once(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale())

    assert client.post(f"{made['id']}/cancel")["status"] == "cancelled"
    assert refused(client, f"{made['id']}/cancel")[:2] == STATE


def test_b13_funds_at_a_limit_need_one(client: Client) -> None:
    made = client.post("create_smart_trade", client.smart(buy_method="market"))

    found = refused(client, f"{made['id']}/add_funds", {"quantity": 1, "is_market": False})

    assert found == invalid(rate="is missing")


def test_b14_funds_are_answered_with_nothing(client: Client) -> None:
    made = client.post("create_smart_trade", client.smart(buy_method="market"))

    assert client.post(f"{made['id']}/add_funds", {"quantity": 1, "is_market": True}) == {}
    assert client.shown(made)["units_to_buy"] == "3"


def test_b15_a_simple_trade_takes_no_funds(client: Client) -> None:
    made = client.post("create_simple_buy", client.simple())

    found = refused(client, f"{made['id']}/add_funds", {"quantity": 1, "is_market": True})

    assert found[:2] == STATE


def test_b16_steps_are_planned_anew(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale(**wire.in_steps()))
    ids = [step["id"] for step in made["take_profit_steps"]]
    rows = [
        {**wire.STEPS[0], "position": 1},
        {**wire.STEPS[1], "position": 2},
        {**wire.STEPS[2], "price": 120, "position": 4},
    ]

    answer = client.send(
        "PATCH",
        f"{wire.TRADES}/{made['id']}/update",
        client.sale(**wire.in_steps(take_profit_step_orders=rows)),
    )

    assert answer.status_code == 200, answer.text
    steps = {step["id"]: step for step in answer.json()["take_profit_steps"]}
    assert [steps[one]["status"] for one in ids] == ["idle", "idle", "cancelled"]
    (new,) = set(steps) - set(ids)
    assert (steps[new]["status"], steps[new]["position"]) == ("idle", 4)
    assert (steps[new]["percent"], steps[new]["price"]) == ("25", "120")


def test_b17_what_was_carried_out_stays(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale(**wire.in_steps()))
    client.tick("105/105.1")
    rows = [{**step, "position": number} for number, step in enumerate(wire.STEPS, start=1)]
    rows[0]["price"] = 106

    parameters = client.sale(**wire.in_steps(take_profit_step_orders=rows))
    status, word, fields = refused(client, f"{made['id']}/update", parameters, "PATCH")

    assert (status, word) == (400, "record_invalid")
    assert list(fields.values()) == [["Can't be edit"]]
    assert next(iter(fields)).startswith("take_profit_step_orders[0]")


def test_b18_only_held_coins_have_a_basis(client: Client) -> None:
    made = client.post("create_smart_trade", client.smart(buy_method="market"))
    parameters = {**wire.no_exits(), "average_buy_price": 50}

    found = refused(client, f"{made['id']}/update", parameters, "PATCH")

    assert found == invalid(average_buy_price="Can't be edit")


def test_b19_finished_is_not_cancelled(client: Client) -> None:
    profit = client.post("create_smart_sell", client.sale(stop_loss_enabled=False))
    loss = client.post("create_smart_sell", client.sale(take_profit_enabled=False))
    panic = client.post("create_smart_sell", client.sale())
    conditional = client.smart(buy_method="conditional", buy_price=105)
    cancelled = client.post("create_smart_trade", conditional)
    client.post(f"{panic['id']}/panic_sell")
    client.post(f"{cancelled['id']}/cancel")
    client.tick("105/105.1")
    client.tick("95/95.1")

    finished = client.listed(f"scope=finished&account_id={client.account}&limit=1000")

    mine = {trade["id"]: trade["status"] for trade in finished}
    assert {one["id"]: mine.get(one["id"]) for one in (profit, loss, panic, cancelled)} == {
        profit["id"]: "take_profit_finished",
        loss["id"]: "stop_loss_finished",
        panic["id"]: "panic_sell_finished",
        cancelled["id"]: None,
    }


def test_b20_empty_parameters_are_none(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale())

    listed = client.listed("limit=1000&offset=&account_id=&type=")

    assert made["id"] in {trade["id"] for trade in listed}
    assert client.send("GET", f"{wire.TRADES}?limit=10&offset=&account_id=&type=").ok


def test_b21_an_unknown_scope_is_none(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale())
    client.post(f"{made['id']}/cancel")

    ids = {trade["id"] for trade in client.listed("scope=whatever&limit=1000")}

    assert made["id"] in ids
    assert ids == {trade["id"] for trade in client.listed("limit=1000")}


def test_b22_looking_again_changes_nothing_that_has_ended(client: Client) -> None:
    made = client.post("create_smart_sell", client.sale())
    client.post(f"{made['id']}/cancel")
    before = client.shown(made)

    assert client.post(f"{made['id']}/force_process") == before
    assert client.shown(made) == before
