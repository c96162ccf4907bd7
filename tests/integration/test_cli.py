"""The command line asks the admin API and prints what people can read."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.support.servers import serving

pytestmark = pytest.mark.integration

#: Runs `hookfill` with these words.
Hookfill = Callable[..., Result]

ORDER = {
    "id": "123",
    "kind": "SIGNAL",
    "account": "demo-spot",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.5",
    "filled_quantity": "0.5",
    "average_price": "50000",
    "state": "DONE",
    "reason": None,
    "price": None,
    "created_at_ms": 1_700_000_000_123,
}


@dataclass
class Server:
    """Answers what it was told to, and keeps what it was asked."""

    url: str
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    asked: list[tuple[str, str | None, Any]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Answering(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = f"{self.command} {self.path}"
            told.asked.append((asked, self.headers.get("Authorization"), body))
            status, content = told.answers.get(asked, (200, {"name": "x"}))
            self.send_response(status)
            self.end_headers()
            text = content if isinstance(content, str) else json.dumps(content)
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  the names are the library's

        def log_message(self, *_: object) -> None: ...

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    told = Server(f"http://127.0.0.1:{listener.server_port}")
    with serving(listener):
        yield told


@pytest.fixture
def hookfill(server: Server, tmp_path: Path) -> Hookfill:
    run = {"base_url": server.url, "admin_token": "t0ken"}
    (tmp_path / "run.json").write_text(json.dumps(run))

    def hookfill(*words: str, text: str = "") -> Result:
        options = {"HOOKFILL_DATA_DIR": str(tmp_path), "HOOKFILL_ADMIN_TOKEN": ""}
        return CliRunner().invoke(main, words, input=text, env=options)

    return hookfill


def test_orders_are_a_table(server: Server, hookfill: Hookfill) -> None:
    reason = {"code": "no_position", "message": "There was none."}
    rows = [ORDER, {**ORDER, "id": "4", "state": "SKIPPED", "reason": reason}]
    server.answers["GET /api/orders?limit=2&state=DONE"] = (200, {"data": rows})

    result = hookfill("orders", "--limit", "2", "--state", "DONE")

    heading, first, second = result.output.splitlines()
    assert heading.split()[:3] == ["ID", "CREATED", "KIND"]
    assert first.split()[:3] == ["123", "2023-11-14", "22:13:20.123"]
    assert second.endswith("SKIPPED  no_position: There was none.")
    assert heading.index("STATE") == first.index("DONE") == second.index("SKIPPED")
    assert server.asked[0][1] == "Bearer t0ken"


def test_orders_can_be_had_as_json(server: Server, hookfill: Hookfill) -> None:
    server.answers["GET /api/orders?limit=20"] = (200, {"data": [ORDER]})

    assert json.loads(hookfill("orders", "--json").output) == [ORDER]


def test_what_protects_each_position_is_a_table(server: Server, hookfill: Hookfill) -> None:
    guards = [
        {"purpose": "stop_loss", "price": "1900", "quantity": "1", "held_by": "here"},
        {"purpose": "stop_loss", "price": "1843", "quantity": "1", "held_by": "venue"},
    ]
    position = {"account": "usdm", "symbol": "ETH/USDT", "position_side": "LONG", "entry": "7"}
    found = [{**position, "quantity": "1", "guards": guards}]
    server.answers["GET /api/protection?account=usdm&limit=100"] = (200, {"data": found})
    server.answers["GET /api/protection?limit=100"] = (200, {"data": []})

    heading, first, second = hookfill("protection", "--account", "usdm").output.splitlines()
    nothing = hookfill("protection").output
    as_json = hookfill("protection", "--account", "usdm", "--json").output

    assert heading.split()[-3:] == ["price", "quantity", "held_by"]
    assert first.split() == ["usdm", "ETH/USDT", "LONG", "7", "stop_loss", "1900", "1", "here"]
    assert second.split()[-3:] == ["1843", "1", "venue"]
    assert nothing == "Nothing is guarded just now.\n"
    assert json.loads(as_json) == found


def test_an_order_is_shown_with_its_timeline(server: Server, hookfill: Hookfill) -> None:
    entry = {"event": "received", "at_ms": 1_700_000_000_005, "process": "web-1", "reason": None}
    server.answers["GET /api/orders/123"] = (200, {**ORDER, "timeline": [entry]})

    lines = hookfill("order", "123").output.splitlines()

    assert "created_at       2023-11-14 22:13:20.123" in lines
    assert not any(line.startswith("price") for line in lines)
    assert lines[-1].split() == ["2023-11-14", "22:13:20.005", "received", "web-1"]


def test_a_replay_says_what_it_became(server: Server, hookfill: Hookfill) -> None:
    made = {"id": "456", "kind": "SIGNAL", "account": "demo-spot", "state": "EXECUTING"}
    path = "POST /api/orders/123/replay"
    server.answers[path] = 200, {"replay_of": "123", "repeated": False, "order": made}

    result = hookfill("replay", "123", "--account", "demo-spot", "--price", "original")

    assert result.output == "123 is replayed as SIGNAL 456 in demo-spot; it is EXECUTING.\n"
    said = {"account": "demo-spot", "price": "original", "dry_run": False}
    assert [(asked, body) for asked, _, body in server.asked] == [(path, said)]


def test_a_dry_replay_shows_what_would_be_sent(server: Server, hookfill: Hookfill) -> None:
    order = {"side": "BUY", "type": "MARKET", "quantity": "0.5", "state": "REJECTED"}
    reason = {"code": "insufficient_funds", "message": "25000 USDT is needed"}
    server.answers["POST /api/orders/123/replay"] = (
        200,
        {"outcome": "would_reject", "account": "demo-spot", "reason": reason, "orders": [order]},
    )

    result = hookfill("replay", "123", "--dry-run")

    assert "would_reject in demo-spot: 25000 USDT is needed" in result.output
    assert "BUY" in result.output
    assert server.asked[0][2] == {"price": "scaled", "dry_run": True}


def test_an_order_can_be_had_as_json(server: Server, hookfill: Hookfill) -> None:
    server.answers["GET /api/orders/123"] = (200, ORDER)

    assert json.loads(hookfill("order", "123", "--json").output) == ORDER


def test_what_came_from_a_webhook_cannot_disturb_the_terminal(
    server: Server, hookfill: Hookfill
) -> None:
    rows = [{**ORDER, "symbol": "\x1b[2JBTC\n"}]
    server.answers["GET /api/orders?limit=20"] = (200, {"data": rows})

    assert "?[2JBTC?" in hookfill("orders").output


@pytest.mark.parametrize(
    ("words", "asked", "body"),
    [
        (
            'account add mine --venue binance --market SPOT --set limits={"a":1}',
            "PUT /api/accounts/mine",
            {"venue": "binance", "market": "SPOT", "limits": {"a": 1}},
        ),
        ("account state mine halt", "PUT /api/accounts/mine", {"state": "HALT"}),
        ("account show mine", "GET /api/accounts/mine", None),
        ("account disable mine", "DELETE /api/accounts/mine", None),
        ("account disable mine --force", "DELETE /api/accounts/mine?force=true", None),
        (
            "connector add c --account a --symbol BTC/USDT --set leverage=5 --set late_exits=drop",
            "PUT /api/connectors/c",
            {"account": "a", "symbol": "BTC/USDT", "leverage": 5, "late_exits": "drop"},
        ),
        (
            "connector add c --account a --account b --connector-token t",
            "PUT /api/connectors/c",
            {"accounts": ["a", "b"], "token": "t"},
        ),
        ("connector show a/b", "GET /api/connectors/a%2Fb", None),
        ("connector disable c", "DELETE /api/connectors/c", None),
        (
            "client add poloniex k --account a --permission trade --secret s",
            "PUT /api/clients/poloniex/k",
            {"accounts": ["a"], "permissions": ["trade"], "secret": "s"},
        ),
        ("client disable poloniex k", "DELETE /api/clients/poloniex/k", None),
        (
            "price set BTC/USDT 50000",
            "PUT /paper/prices",
            {"prices": {"BTC/USDT": {"last": "50000"}}},
        ),
        ("price walk", "DELETE /paper/prices", None),
    ],
)
def test_a_command_becomes_a_request(
    server: Server, hookfill: Hookfill, words: str, asked: str, body: object
) -> None:
    result = hookfill(*words.split())

    assert result.exit_code == 0, result.output
    assert server.asked[-1] == (asked, "Bearer t0ken", body)


def test_a_key_that_is_made_is_a_secret_and_new_each_time(
    server: Server, hookfill: Hookfill
) -> None:
    for _ in range(2):
        assert hookfill("client", "add", "apisify", "--account", "a").exit_code == 0

    first, second = (asked.removeprefix("PUT /api/clients/apisify/") for asked, *_ in server.asked)
    assert len(first) == len(second) == 32
    assert first != second


def test_a_slip_in_the_name_halts_nobody_and_creates_nothing(
    server: Server, hookfill: Hookfill
) -> None:
    missing = {"error": {"code": "not_found", "message": "there is no account named slip"}}
    server.answers["GET /api/accounts/slip"] = (404, missing)

    result = hookfill("account", "state", "slip", "HALT")

    assert (result.exit_code, len(server.asked)) == (1, 1)
    assert "no account named slip" in result.output


def test_limits_are_changed_one_by_one(server: Server, hookfill: Hookfill) -> None:
    before = {"max_open_orders": "3", "cooldown_seconds": "60", "allowed_symbols": "BTC/USDT"}
    server.answers["GET /api/accounts/mine"] = (200, {"limits": before})
    server.answers["PUT /api/accounts/mine"] = (200, {"limits": {"max_open_orders": "5"}})

    changes = ("max_open_orders=5", "cooldown_seconds=", "trading_hours=daily 00:00-24:00 UTC")
    result = hookfill("account", "limits", "mine", *changes)

    after = {
        "max_open_orders": "5",
        "allowed_symbols": "BTC/USDT",
        "trading_hours": "daily 00:00-24:00 UTC",
    }
    assert server.asked[-1] == ("PUT /api/accounts/mine", "Bearer t0ken", {"limits": after})
    assert result.output == "max_open_orders  5\n"


def test_limits_are_shown(server: Server, hookfill: Hookfill) -> None:
    server.answers["GET /api/accounts/mine"] = (200, {"limits": {}})

    assert hookfill("account", "limits", "mine").output == "mine has no limits.\n"
    assert hookfill("account", "limits", "mine", "max_open_orders").exit_code == 2
    assert [asked for asked, *_ in server.asked] == ["GET /api/accounts/mine"]


PAGES: list[dict[str, Any]] = [
    {"data": [{**ORDER, "caller_id": "=cmd()", "fees": {"USDT": "0.1"}}], "next_cursor": "c1"},
    {
        "data": [{**ORDER, "id": "4", "reason": {"code": "no_position", "message": '-1, "so"'}}],
        "next_cursor": None,
    },
]
RANGE = "since_ms=1700000000000&until_ms=1700000000500"


def pages_for_export(server: Server) -> None:
    asked = f"GET /api/orders?limit=500&account=demo&kind=SIGNAL&{RANGE}"
    server.answers[asked] = (200, PAGES[0])
    cursor = asked.replace("limit=500", "limit=500&cursor=c1")
    server.answers[cursor] = (200, PAGES[1])


EXPORT = "export --account demo --kind SIGNAL --since 1700000000000 --until 2023-11-14T22:13:20.5Z"


def test_an_export_is_csv_of_all_pages(server: Server, hookfill: Hookfill) -> None:
    pages_for_export(server)

    result = hookfill(*EXPORT.split())

    assert result.exit_code == 0, result.output
    first, second = csv.DictReader(io.StringIO(result.output))
    assert (first["id"], first["quantity"], first["fees"]) == ("123", "0.5", '{"USDT": "0.1"}')
    assert first["caller_id"] == "'=cmd()"
    assert (second["reason_code"], second["reason_message"]) == ("no_position", '\'-1, "so"')


def test_an_export_is_json_lines_in_a_file(
    server: Server, hookfill: Hookfill, tmp_path: Path
) -> None:
    pages_for_export(server)
    path = tmp_path / "out.jsonl"

    result = hookfill(*EXPORT.split(), "--format", "jsonl", "--output", str(path))

    assert (result.exit_code, result.output) == (0, "")
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [row for page in PAGES for row in page["data"]]


def test_a_time_that_is_none_is_refused(hookfill: Hookfill) -> None:
    result = hookfill("export", "--since", "yesterday")

    assert result.exit_code == 2
    assert "was no time" in result.output


def test_an_export_that_is_refused_says_why(server: Server, hookfill: Hookfill) -> None:
    away = {"error": {"code": "history_unavailable", "message": "the history did not answer"}}
    server.answers["GET /api/orders?limit=500"] = (503, away)

    result = hookfill("export")

    assert result.exit_code == 1
    assert "the history did not answer" in result.output


def test_all_permissions_and_none_are_told_apart(server: Server, hookfill: Hookfill) -> None:
    named: dict[str, list[str] | None] = {"a": None, "b": [], "c": ["READ"]}
    rows = [{"key": name, "permissions": words} for name, words in named.items()]
    server.answers["GET /api/clients"] = (200, {"data": rows})

    _, *shown = hookfill("client", "list").output.splitlines()

    assert [line.split()[3] for line in shown] == ["all", "none", "READ"]


@pytest.mark.parametrize("kind", ["account", "connector", "client"])
def test_records_are_listed(server: Server, hookfill: Hookfill, kind: str) -> None:
    rows = [{"name": "n", "key": "n", "enabled": True, "accounts": ["a", "b"], "group": "g"}]
    server.answers[f"GET /api/{kind}s"] = (200, {"data": rows})

    heading, row = hookfill(kind, "list").output.splitlines()

    assert len(heading.split()) > 3
    assert "n" in row.split()


def test_prices_are_listed(server: Server, hookfill: Hookfill) -> None:
    prices = {"BTC/USDT": {"bid": "1", "ask": "2", "last": "1.5"}, "ETH/USDT": None}
    server.answers["GET /paper/prices"] = (200, {"prices": prices})

    lines = hookfill("price", "list").output.splitlines()

    assert [line.split() for line in lines] == [
        ["symbol", "bid", "ask", "last"],
        ["BTC/USDT", "1", "2", "1.5"],
        ["ETH/USDT", "-", "-", "-"],
    ]


def test_what_was_made_is_shown_once(server: Server, hookfill: Hookfill) -> None:
    server.answers["PUT /api/connectors/c"] = (201, {"name": "c", "token": "made", "symbol": None})

    assert hookfill("connector", "add", "c").output == "name   c\ntoken  made\n"


def test_secrets_can_come_from_standard_input(server: Server, hookfill: Hookfill) -> None:
    hookfill("account", "add", "a", "--credentials", "-", text='{"apiKey": "k"}')
    hookfill("connector", "add", "c", "--connector-token", "-", text="t\n")

    assert [body for _, _, body in server.asked] == [
        {"credentials": {"apiKey": "k"}},
        {"token": "t"},
    ]


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (
            400,
            {"error": {"code": "c", "message": "Not good.", "fields": {"venue": ["Unknown."]}}},
            "Error: Not good.\n  venue: Unknown.\n",
        ),
        (404, {"error": {"code": "not_found"}}, "Error: not_found\n"),
        (500, {}, "Error: The request failed with status 500.\n"),
    ],
)
def test_an_error_of_the_api_is_a_sentence(
    server: Server, hookfill: Hookfill, status: int, content: object, said: str
) -> None:
    server.answers["GET /api/accounts/a"] = (status, content)

    result = hookfill("account", "show", "a")

    assert result.exit_code == 1
    assert result.output == said


@pytest.mark.parametrize("content", ["<html>", "[]"])
def test_an_answer_that_is_no_record_is_told(
    server: Server, hookfill: Hookfill, content: str
) -> None:
    server.answers["GET /api/accounts/a"] = (502, content)

    result = hookfill("account", "show", "a")

    assert result.exit_code == 1
    assert "answered 502 without JSON" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["account", "add", "a", "--credentials", "-"], "The credentials were no JSON"),
        (["account", "add", "a", "--set", "x"], "'x' was not NAME=VALUE"),
        (["orders", "--url", "http://127.0.0.1:1"], "Give --token"),
        (["orders", "--url", "http://127.0.0.1:1", "--token", "t"], "does not answer"),
        (["orders", "--data-dir", "nowhere"], "There is no nowhere/run.json"),
    ],
)
def test_what_cannot_be_asked_is_told(hookfill: Hookfill, words: list[str], said: str) -> None:
    result = hookfill(*words)

    assert result.exit_code != 0
    assert said in result.output


def test_another_hookfill_can_be_asked(server: Server, hookfill: Hookfill) -> None:
    hookfill("order", "1", "--url", server.url + "/", "--token", "other")

    assert server.asked == [("GET /api/orders/1", "Bearer other", None)]


@pytest.mark.parametrize(("status", "code", "said"), [(200, 0, "ready"), (503, 1, "not ready: {}")])
def test_the_status_says_whether_everything_works(
    server: Server, hookfill: Hookfill, status: int, code: int, said: str
) -> None:
    server.answers["GET /readyz"] = (status, {})
    for path in ("recovery", "quarantine", "accounts"):
        server.answers[f"GET /api/{path}"] = (200, {"data": []})

    result = hookfill("status")

    assert result.exit_code == code
    assert result.output == f"{said}\n"


def test_the_status_names_records_that_cannot_be_read(server: Server, hookfill: Hookfill) -> None:
    server.answers["GET /readyz"] = (200, {})
    for path in ("recovery", "accounts"):
        server.answers[f"GET /api/{path}"] = (200, {"data": []})
    row = {"id": "77", "why": "it has schema 99"}
    server.answers["GET /api/quarantine"] = (200, {"data": [row]})

    result = hookfill("status")

    assert result.exit_code == 0
    assert "Record 77 cannot be read: it has schema 99." in result.output


def test_the_status_names_accounts_whose_keys_are_refused(
    server: Server, hookfill: Hookfill
) -> None:
    server.answers["GET /readyz"] = (200, {})
    for path in ("recovery", "quarantine"):
        server.answers[f"GET /api/{path}"] = (200, {"data": []})
    about = {"venue": "binance", "enabled": True, "credentials_refused": None}
    refused = {**about, "name": "mine", "credentials_refused": REFUSED}
    rows = [{**about, "name": "other"}, refused, {**refused, "name": "off", "enabled": False}]
    server.answers["GET /api/accounts"] = (200, {"data": rows})

    result = hookfill("status")

    said = "binance refuses the key of mine. See `hookfill account venue mine`."
    assert result.output == f"ready\n{said}\n"


def test_a_refused_key_is_shown_with_what_to_do(server: Server, hookfill: Hookfill) -> None:
    server.answers[f"GET {RECONCILIATION}"] = (200, {**COMPARED, "credentials_refused": REFUSED})

    said = hookfill("account", "venue", "mine").output

    assert "REFUSED  the key, since 2023-11-14 22:13:20" in said
    assert "Invalid API-key." in said
    assert "hookfill account test" in said


REFUSED = {
    "scope": "reads",
    "since_ms": 1_700_000_000_123,
    "again_at_ms": 1_700_000_030_123,
    "message": "Invalid API-key.",
}


def test_the_status_says_what_runs_short(server: Server, hookfill: Hookfill) -> None:
    warnings = {"memory": "Entries are refused.", "quarantine": "Records: 0."}
    server.answers["GET /readyz"] = (200, {"warnings": warnings})
    for path in ("recovery", "quarantine", "accounts"):
        server.answers[f"GET /api/{path}"] = (200, {"data": []})

    result = hookfill("status")

    assert result.output == "ready\nEntries are refused. See `hookfill doctor`.\n"


FOREIGN = {
    "venue_order_id": "77",
    "client_order_id": "by-hand",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.01",
    "filled_quantity": "0",
    "price": "30000",
    "sentence": "buy 0.01 BTC/USDT at 30000",
}
COMPARED: dict[str, Any] = {
    "account": "mine",
    "venue": "binance",
    "adapter": "full",
    "clock_offset_ms": -3,
    "at_ms": 1_700_000_000_123,
    "agrees": False,
    "mismatches": [
        {
            "kind": "missing",
            "about": "habc",
            "message": "it is not there",
            "fix": "Look.",
            "venue_order": None,
        }
    ],
    "foreign_orders": [FOREIGN],
    "credentials_refused": None,
    "failure": {"at_ms": 1_700_000_000_123, "message": "nobody\x1b is there"},
    "waiting_for_person": [
        {
            "client_order_id": "hxyz",
            "sentence": "buy 1 ETH/USDT market",
            "command": "hookfill resolve 9 [absent|open|canceled|filled]",
        }
    ],
    "cancels": [
        {
            "asked_at_ms": 1_700_000_000_123,
            "venue_order": FOREIGN,
            "state": "UNKNOWN",
            "message": "the answer was lost",
        }
    ],
}
RECONCILIATION = "/api/accounts/mine/reconciliation"
CANCELS = "/api/accounts/mine/venue-cancels"
OFF = {"state": "ENDED", "message": "it is CANCELED", "is_settled": True}


def test_a_fill_is_acknowledged(server: Server, hookfill: Hookfill) -> None:
    server.answers["DELETE /api/accounts/mine/orphaned-fills/hone"] = (200, COMPARED)

    result = hookfill("account", "acknowledge", "mine", "hone")

    assert result.exit_code == 0, result.output
    assert "hone is not shown any more" in result.output


def test_an_account_is_shown_as_it_stands_at_its_venue(server: Server, hookfill: Hookfill) -> None:
    server.answers[f"GET {RECONCILIATION}"] = (200, COMPARED)

    result = hookfill("account", "venue", "mine")

    assert result.exit_code == 0, result.output
    for told in (
        "clock_offset_ms  -3",
        "agrees           no",
        "nobody? is there",
        "DIFFERS  missing habc: it is not there",
        "Do: Look.",
        "WAITS    hxyz: buy 1 ETH/USDT market",
        "hookfill resolve 9",
        "by-hand",
        "UNKNOWN, the answer was lost",
    ):
        assert told in result.output


def test_an_account_is_compared_now(server: Server, hookfill: Hookfill) -> None:
    told = {**COMPARED, "message": "Compared just now."}
    server.answers[f"POST {RECONCILIATION}"] = (200, told)

    result = hookfill("account", "reconcile", "mine")

    assert (result.exit_code, result.output.splitlines()[0]) == (0, "Compared just now.")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (OFF, 0),
        ({**OFF, "state": "STANDS"}, 1),
        ({**OFF, "state": "UNKNOWN", "is_settled": False}, 1),
    ],
)
def test_a_foreign_order_is_canceled_when_that_is_confirmed(
    server: Server, hookfill: Hookfill, answer: dict[str, Any], code: int
) -> None:
    server.answers[f"GET {RECONCILIATION}"] = (200, COMPARED)
    server.answers[f"POST {CANCELS}"] = (200, answer)

    result = hookfill("account", "cancel-order", "mine", "77", text="y\n")

    assert result.exit_code == code
    assert "Cancel buy 0.01 BTC/USDT at 30000 at binance?" in result.output
    assert f"{answer['state']}: it is CANCELED" in result.output
    assert ("looked up again" in result.output) is not answer["is_settled"]
    body = {"symbol": "BTC/USDT", "venue_order_id": "77"}
    assert server.asked[-1] == (f"POST {CANCELS}", "Bearer t0ken", body)


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["77"], "n\n", "Aborted"),
        (["78", "--yes"], "", "No order 78 was found"),
        (["77", "--yes", "--symbol", "ETH/USDT"], "", "No order 77 was found"),
    ],
)
def test_nothing_is_canceled_that_was_not_meant(
    server: Server, hookfill: Hookfill, words: list[str], text: str, said: str
) -> None:
    server.answers[f"GET {RECONCILIATION}"] = (200, COMPARED)

    result = hookfill("account", "cancel-order", "mine", *words, text=text)

    assert result.exit_code == 1
    assert said in result.output
    assert [asked for asked, *_ in server.asked] == [f"GET {RECONCILIATION}"]


def test_an_id_that_two_symbols_have_needs_the_symbol(server: Server, hookfill: Hookfill) -> None:
    other = {**FOREIGN, "symbol": "ETH/USDT"}
    found = {**COMPARED, "mismatches": [{**COMPARED["mismatches"][0], "venue_order": other}]}
    server.answers[f"GET {RECONCILIATION}"] = (200, found)
    server.answers[f"POST {CANCELS}"] = (200, OFF)

    refused = hookfill("account", "cancel-order", "mine", "77", "--yes")
    taken = hookfill("account", "cancel-order", "mine", "77", "--yes", "--symbol", "ETH/USDT")

    assert "Give --symbol, one of BTC/USDT, ETH/USDT." in refused.output
    assert taken.exit_code == 0
    assert server.asked[-1][2] == {"symbol": "ETH/USDT", "venue_order_id": "77"}


def test_the_settings_are_a_table(hookfill: Hookfill) -> None:
    assert hookfill("settings").output.startswith("| Variable | Kind | Default | Meaning |\n")


FROZEN = {
    "account": "real",
    "venue": "binance",
    "market": "SPOT",
    "state_before": "RUN",
    "frozen_at_ms": 1_700_000_000_123,
    "why": "it was restored",
    "unknown_orders": [
        {
            "client_order_id": "h1",
            "venue_order_id": "7",
            "placed_at_ms": 1_700_000_000_123,
            "is_open": False,
            "sentence": "sell 0.5 BTC/USDT, filled 0.5",
        }
    ],
    "waiting": [
        {
            "id": "123",
            "kind": "SMART_ORDER",
            "state": "PENDING_NEW",
            "due_at_ms": None,
            "sentence": "sell 0.5 BTC/USDT when last reaches 40000",
        }
    ],
    "positions": None,
}
RECOVERY = "GET /api/recovery"


def test_frozen_accounts_are_shown_with_both_lists(server: Server, hookfill: Hookfill) -> None:
    server.answers[RECOVERY] = (200, {"data": [FROZEN]})

    said = hookfill("recover").output

    assert "sell 0.5 BTC/USDT, filled 0.5" in said
    assert "sell 0.5 BTC/USDT when last reaches 40000" in said
    assert [asked for asked, _, _ in server.asked] == [RECOVERY]


def test_a_release_sends_the_list_that_was_shown(server: Server, hookfill: Hookfill) -> None:
    server.answers[RECOVERY] = (200, {"data": [FROZEN]})
    path = "POST /api/accounts/real/recovery"
    server.answers[path] = (200, {"account": "real", "state": "RUN", "ended": 2})

    said = hookfill("recover", "real", "--release", "--cancel-pending").output

    assert "real is RUN again; 2 ended, and what belonged to them" in said
    body = {"frozen_at_ms": 1_700_000_000_123, "cancel_pending": True}
    assert server.asked[-1][::2] == (path, body)


@pytest.mark.parametrize("words", [["--release"], ["real", "--release"], ["--release", "--keep"]])
def test_nothing_is_released_that_was_not_named_whole(
    server: Server, hookfill: Hookfill, words: list[str]
) -> None:
    server.answers[RECOVERY] = (200, {"data": [FROZEN]})

    found = hookfill("recover", *words)

    assert found.exit_code == 2
    assert [asked for asked, _, _ in server.asked] == [RECOVERY]


def test_no_account_is_frozen(server: Server, hookfill: Hookfill) -> None:
    server.answers[RECOVERY] = (200, {"data": []})

    assert "No account is frozen" in hookfill("recover").output
    assert "real is not frozen" in hookfill("recover", "real").output


def test_one_thing_is_canceled(server: Server, hookfill: Hookfill) -> None:
    answer = {"requested": True, "order": {"state": "CANCELED"}}
    server.answers["POST /api/orders/123/cancel"] = (200, answer)

    assert "123 is CANCELED now" in hookfill("cancel", "123").output


def test_a_channel_is_added_with_what_it_hears_of_and_its_quiet_hours(
    server: Server, hookfill: Hookfill
) -> None:
    row = {"name": "phone", "service": "tgram", "last_sent_at_ms": 1_700_000_000_123}
    server.answers["PUT /api/channels/phone"] = (200, row)
    words = ["--kind", "fill", "--kind", "protection", "--account", "mine"]
    quiet = ["--quiet", "22:00-07:00 Europe/Berlin"]
    result = hookfill(
        "channel", "add", "phone", "--service-url", "-", *words, *quiet, text="x://y\n"
    )

    assert server.asked[0][2] == {
        "service_url": "x://y",
        "kinds": ["fill", "protection"],
        "accounts": ["mine"],
        "quiet_hours": {"begin": "22:00", "end": "07:00", "timezone": "Europe/Berlin"},
    }
    assert "2023-11-14 22:13:20.123" in result.output
    wrong = hookfill("channel", "add", "phone", "--quiet", "night")
    assert wrong.exit_code == 2
    assert "22:00-07:00" in wrong.output


def test_a_channel_that_is_tried_says_what_became_of_it(server: Server, hookfill: Hookfill) -> None:
    asked = "POST /api/channels/phone/test"
    server.answers[asked] = (200, {"arrived": True, "message": "The message has arrived."})
    good = hookfill("channel", "test", "phone")
    server.answers[asked] = (200, {"arrived": False, "message": "error=404"})
    bad = hookfill("channel", "test", "phone")

    assert (good.exit_code, good.output) == (0, "The message has arrived.\n")
    assert (bad.exit_code, bad.output) == (1, "error=404\n")


def test_channels_are_a_table_and_can_be_switched_off(server: Server, hookfill: Hookfill) -> None:
    row = {"name": "phone", "service": "tgram", "kinds": ["fill"], "enabled": True, "waiting": 3}
    server.answers["GET /api/channels"] = (200, {"data": [row]})
    server.answers["GET /api/channels/phone"] = (200, row)

    heading, first = hookfill("channel", "list").output.splitlines()
    shown = hookfill("channel", "show", "phone").output
    disabled = hookfill("channel", "disable", "phone").output

    assert heading.split()[:3] == ["name", "service", "kinds"]
    assert first.split()[:3] == ["phone", "tgram", "fill"]
    assert "waiting" in shown
    assert disabled == "phone is disabled.\n"
