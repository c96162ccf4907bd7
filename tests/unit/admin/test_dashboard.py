"""The pages let nobody look who may not, escape what strangers wrote, and say what is true."""

import html
import json
import re
import shlex
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.admin import pages
from app.admin.dashboard import HEADERS
from app.admin.static_files import STATIC
from app.admin.venue_accounts import STALE_MS
from app.bootstrap import web_wiring
from app.demo import seed
from app.domain.account import Account, Connector
from app.domain.enums import Side
from app.domain.identifiers import (
    AccountName,
    AggregateId,
    ClientOrderId,
    EpochMs,
    OrderId,
    Symbol,
    VenueOrderId,
)
from app.domain.notice import NoticeKind
from app.domain.reconciliation import (
    FailedReconciliation,
    Mismatch,
    MismatchKind,
    OrphanedFill,
    Reconciliation,
    VenueOrder,
)
from app.domain.status import OrderStatus
from app.domain.venue_cancel import CancelState, VenueCancel
from app.exchanges.account_key import name_of
from app.factory import create_app
from app.ports.ledger import Change
from app.ports.notices import Mailbox, Progress
from app.settings import Settings
from app.store.core import keys
from app.store.core.connection import connect
from app.store.memory.key_trials import RedisKeyTrials, Scope, Word
from app.web.surface import TOKEN_PLACEHOLDER
from app.web.time_texts import iso, span
from tests.support.builders import (
    NOW,
    a_failing_exit,
    a_live_account,
    a_refused_stop,
    a_report,
    an_order,
)
from tests.support.caller import Caller, Worker, make_all_rounds
from tests.unit.conftest import ADMIN_TOKEN, MakeApp

PAGES = (
    "/ui/accounts",
    "/ui/accounts/demo-spot",
    "/ui/connectors",
    "/ui/channels",
    "/ui/orders/1",
)
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"

#: What a policy without exceptions would not let run.
INLINE = re.compile(r"<script(?![^>]* src=)|<style|<[^>]+\s(?:style|on[a-z]+)=", re.IGNORECASE)


@pytest.fixture
def stranger(make_app: MakeApp) -> FlaskClient:
    """Nobody whom we know, in front of a store that cannot be reached."""
    return make_app().test_client()


def sign_in(client: FlaskClient) -> None:
    assert client.post("/login", json={"token": ADMIN_TOKEN}).status_code == 200


def is_form_only(answer: TestResponse) -> bool:
    return 'id="sign-in"' in answer.text and "csrf-token" not in answer.text


class TestWithoutSession:
    def test_the_root_shows_the_form_and_nothing_else(self, stranger: FlaskClient) -> None:
        answer = stranger.get("/")

        assert answer.status_code == 200
        assert is_form_only(answer)

    @pytest.mark.parametrize("path", PAGES)
    def test_other_pages_are_refused_with_the_form(self, stranger: FlaskClient, path: str) -> None:
        answer = stranger.get(path)

        assert answer.status_code == 401
        assert is_form_only(answer)

    def test_the_bearer_token_of_the_api_opens_no_page(self, stranger: FlaskClient) -> None:
        answer = stranger.get("/", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})

        assert is_form_only(answer)

    def test_a_forged_cookie_opens_no_page(self, stranger: FlaskClient) -> None:
        stranger.set_cookie("hookfill_session", "9999999999.abc.def")

        assert is_form_only(stranger.get("/"))


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", *PAGES, "/static/dashboard.js"])
    def test_every_answer_is_guarded(self, stranger: FlaskClient, path: str) -> None:
        headers = stranger.get(path).headers

        assert HEADERS.items() <= dict(headers).items()

    def test_nothing_but_our_own_files_is_let_in(self) -> None:
        policy = HEADERS["Content-Security-Policy"]

        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    def test_a_page_is_kept_nowhere(self, stranger: FlaskClient) -> None:
        assert stranger.get("/").headers["Cache-Control"] == "no-store"

    def test_a_file_of_this_version_is_kept_for_good(self, stranger: FlaskClient) -> None:
        (address,) = re.findall(r'href="(/static/dashboard\.css[^"]*)"', stranger.get("/").text)

        answer = stranger.get(address)

        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("query", ["", "?v=0123456789ab"])
    def test_a_file_of_another_version_is_asked_for_again(
        self, stranger: FlaskClient, query: str
    ) -> None:
        answer = stranger.get(f"/static/dashboard.css{query}")

        assert answer.headers["Cache-Control"] == "no-cache"

    @pytest.mark.parametrize("name", ["nothing.js", "../dashboard.py", "%2e%2e/dashboard.py"])
    def test_no_other_file_is_given_out(self, stranger: FlaskClient, name: str) -> None:
        assert stranger.get(f"/static/{name}").status_code == 404


def test_no_file_is_loaded_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path.name


def test_data_never_becomes_markup_in_the_script() -> None:
    script = (STATIC / "dashboard.js").read_text()

    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


def test_a_store_that_is_away_is_told_as_a_page(stranger: FlaskClient) -> None:
    sign_in(stranger)

    answer = stranger.get("/ui/accounts")

    assert answer.status_code == 503
    assert "The store does not answer" in answer.text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (59_999, "59.9 s"),
        (125_000, "2 min 5 s"),
        (12_000_000, "3 h 20 min"),
        (353_000_000, "4 d 2 h"),
    ],
)
def test_a_span_is_told_in_two_units_at_most(ms: int, text: str) -> None:
    assert span(ms) == text


def test_a_time_keeps_its_milliseconds() -> None:
    assert iso(1_795_251_972_007) == "2026-11-21T09:06:12.007Z"


class Site:
    """The app over a real store, with the demo accounts, and a worker by hand."""

    def __init__(self, redis_url: str, folder: Path, **odd: str) -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        environ = {"REDIS_URL": redis_url, "HOOKFILL_DATA_DIR": str(folder), **odd}
        environ |= {"HOOKFILL_FAST": "1", "HOOKFILL_ADMIN_TOKEN": ADMIN_TOKEN}
        settings = Settings.from_environment(environ)
        self.folder = folder
        self.credentials = seed(settings)["crypto_arsenal"]
        self.wiring = web_wiring(settings)
        self.worker = Worker(settings)
        self.client = create_app(self.wiring).test_client()
        self.api = Caller(self.client, ADMIN_TOKEN)
        sign_in(self.client)
        self.api.call("PUT", "/paper/prices", {"prices": {"BTC/USDT": {"last": "50000"}}})

    def send(self, **message: object) -> str:
        """Send an alert to the spot connector, let it be worked on, and return its id."""
        assert isinstance(self.credentials, dict)
        answer = self.api.signal(**{**message, **self.credentials["spot"]})
        assert answer.text == "ok"
        self.worker.work()
        return answer.headers["X-Hookfill-Id"]

    def leave(self) -> None:
        """Let everything leave the store that has finished."""
        self.api.send("POST", "/paper/clock", {"advance_ms": 3_600_000})
        self.worker.archive()
        with redis.Redis.from_url(self.wiring.settings.redis_url) as client:
            assert not list(client.scan_iter("*:aggregate:*"))

    def main(self, path: str) -> str:
        """Return what a page says about requests, without the tiles about now."""
        (found,) = re.findall(r"<main.*?</main>", self.text(path), re.DOTALL)
        return re.sub(r'<dl class="tiles".*?</dl>', "", found, flags=re.DOTALL)

    def text(self, path: str, status: int = 200) -> str:
        """Return a page, of which nothing may be inline."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        assert not INLINE.search(answer.text)
        return answer.text

    def rows(self, path: str) -> list[str]:
        """Return the sentences of the overview."""
        return re.findall(r'id="to-\d+"[^>]*>([^<]*)<', self.text(path))


@pytest.fixture
def site(redis_server: str, tmp_path: Path) -> Site:
    return Site(redis_server, tmp_path)


def block(page: str, name: str) -> str:
    """Return the text of a `pre` as a person copies it."""
    (text,) = re.findall(rf'<pre id="{name}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return html.unescape(text)


@pytest.mark.integration
class TestOverview:
    def test_an_empty_one_waits_for_the_first_alert(self, site: Site) -> None:
        page = site.text("/")

        assert "Waiting for your first alert" in page
        body = json.loads(shlex.split(block(page, "first"))[-1])
        assert body["connectorName"] == "demo-spot"
        assert body["connectorToken"] == TOKEN_PLACEHOLDER

    def test_it_warns_of_the_test_profile(self, site: Site) -> None:
        assert "Test profile" in site.text("/")

    def test_it_names_records_that_cannot_be_read_and_shows_the_others(self, site: Site) -> None:
        good = site.send(action="buy", fixed="0.01")
        bad = site.send(action="buy", fixed="0.02")
        client = connect(site.wiring.settings.redis_url, 1)
        client.hset(keys.AggregateKeys(AggregateId(int(bad))).record, "body", '{"s": 99}')
        site.text("/")

        page = site.text("/")

        assert "Cannot be read" in page
        assert "schema 99" in page
        assert f"/ui/orders/{good}" in page
        assert "cannot be read" in site.text(f"/ui/orders/{bad}", 503)

    def test_it_says_what_runs_short(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        before = site.text("/")
        monkeypatch.setattr("app.admin.room.DISK_FREE_BYTES_MIN", 1 << 62)

        assert "Room runs short" not in before
        assert "The disk of the data folder has" in site.text("/")

    def test_it_says_when_the_queue_carries_nothing(self, site: Site) -> None:
        assert "Not ready" in site.text("/")
        make_all_rounds(site.wiring.ports)
        site.wiring.ports.rounds.done("queue:orders", EpochMs(1))
        assert "late: queue:orders" in site.text("/")

        make_all_rounds(site.wiring.ports)

        assert "Not ready" not in site.text("/")

    def test_it_shows_the_prices_of_the_paper_venue(self, site: Site) -> None:
        assert "50000" in site.text("/")

    def test_a_page_asks_no_exchange_for_its_prices(
        self, redis_server: str, tmp_path: Path
    ) -> None:
        site = Site(redis_server, tmp_path, HOOKFILL_PRICES="nowhere")

        page = site.text("/")

        assert "BTC/USDT · paper, set by hand" in page
        assert "ETH/USDT" not in page

    def test_it_lists_requests_and_leaves_out_their_parts(self, site: Site) -> None:
        site.send(action="buy", fixed="0.1")

        assert site.rows("/") == ["Buy 0.1 BTC/USDT"]

    def test_everything_includes_the_parts(self, site: Site) -> None:
        site.send(action="buy", fixed="0.1")

        assert site.rows("/?kind=ALL") == ["Buy 0.1 BTC/USDT market", "Buy 0.1 BTC/USDT"]

    def test_a_state_is_looked_for_in_parts_as_well(self, site: Site) -> None:
        site.send(action="buy", fixed="0.1")

        assert site.rows("/?state=FILLED") == ["Buy 0.1 BTC/USDT market"]

    def test_what_has_left_for_the_history_is_shown_as_before(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1")
        paths = ("/?kind=ALL", "/?state=FILLED", f"/ui/orders/{known}")
        before = [site.main(path) for path in paths]

        site.leave()

        assert [site.main(path) for path in paths] == before

    def test_without_the_history_it_says_so(self, site: Site) -> None:
        site.send(action="buy", fixed="0.1")
        (site.folder / "history.db").unlink(missing_ok=True)
        (site.folder / "history.db").mkdir()

        assert "carried out as usual" in site.text("/", 503)
        assert site.text("/ui/accounts")

    def test_other_accounts_have_other_requests(self, site: Site) -> None:
        site.send(action="buy", fixed="0.1")

        assert site.rows("/?account=demo-usdm") == []
        assert len(site.rows("/?account=demo-spot&kind=SIGNAL")) == 1

    def test_a_filter_that_finds_nothing_does_not_wait(self, site: Site) -> None:
        assert "Nothing matches" in site.text("/?state=FILLED")

    def test_older_rows_are_a_link_away(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pages, "ROWS", 2)
        for size in ("0.1", "0.2", "0.3"):
            site.send(action="buy", fixed=size, limit="40000")

        (older,) = re.findall(r'id="older" href="([^"]*)"', site.text("/"))

        assert site.rows(html.unescape(older)) == ["Buy 0.1 BTC/USDT"]

    @pytest.mark.parametrize("query", ["kind=NONSENSE", "state=x", "cursor=x", "odd=1"])
    def test_nonsense_is_refused(self, site: Site, query: str) -> None:
        assert "That address makes no sense" in site.text(f"/?{query}", 400)


@pytest.mark.integration
class TestEscaping:
    def test_what_a_webhook_said_is_text(self, site: Site) -> None:
        known = site.send(
            action="buy", fixed="0.1", limit="40000", log=HOSTILE, clientOrderId=HOSTILE
        )

        for path in ("/", "/?kind=ALL", f"/ui/orders/{known}"):
            page = site.text(path)
            assert "<script>alert" not in page
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
            assert "{{7*7}}" in page

    def test_what_a_record_says_is_text(self, site: Site) -> None:
        site.wiring.registry.put_connector(
            Connector(
                name=HOSTILE,
                token_hash="",
                account=AccountName("demo-spot"),
                symbol=Symbol("BTC/USDT"),
            )
        )

        page = site.text("/ui/connectors?connector=" + HOSTILE.replace("&", "%26"))

        assert "<script>alert" not in page
        assert json.loads(block(page, "message"))["connectorName"] == HOSTILE

    def test_what_an_address_says_is_text(self, site: Site) -> None:
        assert "<script>alert" not in site.text(f"/ui/orders/{HOSTILE.replace('/', '')}", 404)
        assert "<script>alert" not in site.text(f"/ui/connectors?percent={HOSTILE}")


@pytest.mark.integration
class TestOrder:
    def test_the_timeline_goes_from_the_request_to_the_fill(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1")

        events = re.findall(r'class="event">(\w+)<', site.text(f"/ui/orders/{known}"))

        assert events[:4] == ["received", "validated", "queued", "sized"]
        assert events.index("sent") < events.index("acknowledged") < events.index("filled")

    def test_a_part_leads_to_its_request(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1", limit="40000")
        order = site.api.call("GET", "/api/orders?kind=ORDER")["data"][0]

        page = site.text(f"/ui/orders/{order['client_order_id']}")

        assert f'href="/ui/orders/{known}"' in page
        assert f'id="kin-{order["id"]}" href="/ui/orders/{order["id"]}" aria-current' in page

    def test_what_is_live_can_be_canceled(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1", limit="40000")

        assert f'data-url="/api/orders/{known}/cancel"' in site.text(f"/ui/orders/{known}")

    def test_what_is_over_cannot(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1")

        assert "data-url" not in site.text(f"/ui/orders/{known}")

    def test_a_refusal_says_why(self, site: Site) -> None:
        known = site.send(action="buy", fixed="9000")

        page = site.text(f"/ui/orders/{known}")

        assert "DENIED" in page
        assert "insufficient_funds" in page

    def test_unknown_says_that_it_is_being_asked_for(self, site: Site) -> None:
        site.api.send("PUT", "/paper/faults/demo-spot", {"place": ["accept_then_timeout"]})
        site.send(action="buy", fixed="0.1")
        order = site.api.call("GET", "/api/orders?state=UNKNOWN")["data"][0]

        assert "Nobody can vouch for this order" in site.text(f"/ui/orders/{order['id']}")
        assert '<a href="/?state=UNKNOWN">1</a>' in site.text("/")

    def test_a_delay_says_until_when(self, site: Site) -> None:
        known = site.send(action="buy", fixed="0.1", delaySeconds=60)

        assert "Waits until" in site.text(f"/ui/orders/{known}")

    @pytest.mark.parametrize("reference", ["1", "nobody", "9" * 40])
    def test_what_is_not_there_is_told_as_a_page(self, site: Site, reference: str) -> None:
        page = site.text(f"/ui/orders/{reference}", 404)

        assert "Not found" in page
        assert "data-events" not in page  # nor does it go on asking


SEEN = VenueOrder(
    client_order_id=ClientOrderId(HOSTILE),
    venue_order_id=VenueOrderId("v1"),
    symbol=Symbol("BTC/USDT"),
    side=Side.BUY,
    quantity=Decimal("0.010"),
    filled_quantity=Decimal(0),
    price=Decimal(30_000),
)


def nobody_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hours pass between two looks, for there is no worker to wait for."""
    hours = count(0, 3_600_000)
    monkeypatch.setattr(site.wiring.ports.clock, "steady_ms", lambda: next(hours))


@pytest.mark.integration
class TestAccountAtItsVenue:
    @pytest.fixture
    def account(self, site: Site) -> Account:
        return site.wiring.registry.put_account(a_live_account("mine"))

    def compared(self, site: Site, account: Account, *mismatches: Mismatch) -> str:
        now_ms = site.wiring.ports.clock.server_ms()
        found = Reconciliation(
            at_ms=now_ms, begun_ms=now_ms, mismatches=mismatches, foreign=(SEEN,)
        )
        site.wiring.ports.reconciliations.put(account.id, found)
        return site.text("/ui/accounts/mine")

    def test_one_that_was_never_compared_says_so(self, site: Site, account: Account) -> None:
        page = site.text(f"/ui/accounts/{account.name}")

        assert "NOT COMPARED" in page
        assert "looked up by its client order id" in page
        assert "not measured in the last minute" in page

    def test_its_limits_are_shown(self, site: Site, account: Account) -> None:
        path = f"/ui/accounts/{account.name}"
        assert "hookfill account limits mine" in site.text(path)

        limits = {"max_order_value": "1000", "allowed_symbols": "BTC/USDT"}
        site.wiring.registry.put_account(replace(account, limits=limits))

        page = site.text(path)
        for name, value in limits.items():
            assert f"<code>{name}</code> {value}" in page

    def test_agreement_and_foreign_orders_are_told_apart(
        self, site: Site, account: Account
    ) -> None:
        site.wiring.memory.keep_clock_offset(account.venue, -12)

        page = self.compared(site, account)

        assert "AGREES" in page
        assert "12 ms behind the store" in page
        foreign = re.findall(r'id="foreign".*?</section>', page, re.DOTALL)[0]
        assert "Buy BTC/USDT" in foreign
        assert ">0.01<" in foreign
        assert "&lt;script&gt;" in foreign
        assert "<script>alert" not in page

    def test_a_difference_says_what_to_do(self, site: Site, account: Account) -> None:
        one = Mismatch(
            kind=MismatchKind.UNGUARDED,
            about="77",
            message="it protects nothing",
            aggregate_id=AggregateId(77),
        )

        page = self.compared(site, account, one)

        assert "DIFFERS" in page
        assert "It protects nothing" in page
        assert html.escape(one.fix) in page
        assert 'data-url="/api/orders/77/cancel"' in page
        assert 'data-typed="mine"' in page

    def test_a_refused_key_is_told_with_what_to_do(self, site: Site, account: Account) -> None:
        trials = RedisKeyTrials(site.wiring.memory._client)  # noqa: SLF001 - as a worker has it
        name = name_of(account)
        trials.begin(account.id, name, Scope.READS, 1_000)
        trials.end(account.id, name, Scope.READS, Word.REFUSED, "Invalid <API-key>.")

        page = site.text("/ui/accounts/mine")

        assert 'id="refused"' in page
        assert "Invalid &lt;API-key&gt;." in page
        assert "hookfill account test mine" in page

    def test_a_failure_and_an_old_answer_are_no_agreement(
        self, site: Site, account: Account
    ) -> None:
        self.compared(site, account)
        now_ms = EpochMs(site.wiring.ports.clock.server_ms() + 1)
        failed = FailedReconciliation(at_ms=now_ms, begun_ms=now_ms, message="nobody is there")
        site.wiring.ports.reconciliations.put_failure(account.id, failed)

        page = site.text("/ui/accounts/mine")

        assert "it could not be compared. Nobody is there" in page
        assert "AGREES" not in page
        old = Reconciliation(at_ms=now_ms, begun_ms=EpochMs(now_ms - STALE_MS))
        site.wiring.ports.reconciliations.put(account.id, old)
        assert "OUT OF DATE" in site.text("/ui/accounts")

    def test_a_foreign_order_is_canceled_by_a_button_that_asks(
        self, site: Site, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nobody_waits(site, monkeypatch)
        before = self.compared(site, account)
        (button,) = re.findall(r'<button[^>]*id="cancel-BTC-USDT-v1"[^>]*>', before)
        (body,) = re.findall(r'data-body="([^"]*)"', button)
        (path,) = re.findall(r'data-url="([^"]*)"', button)

        answer = site.api.send("POST", path, json.loads(html.unescape(body)))

        assert 'data-typed="mine"' in button
        assert "Nobody here follows it" in button
        assert answer.status_code == 202
        assert answer.get_json()["state"] == "ASKED"
        page = site.text("/ui/accounts/mine")
        assert "No worker has begun with it yet" in page
        assert 'id="cancel-BTC-USDT-v1"' not in page

    def test_what_came_of_a_cancel_is_shown_and_may_be_repeated_if_nothing(
        self, site: Site, account: Account
    ) -> None:
        self.compared(site, account)
        cancels = site.wiring.ports.venue_cancels
        wish = VenueCancel(
            id=AggregateId(1),
            account=account.id,
            order=SEEN,
            asked_at_ms=EpochMs(1),
            until_ms=EpochMs(1),
            next_check_ms=EpochMs(1),
        )
        unknown = wish.unknown("the answer was lost", EpochMs(1))
        cancels.begin(unknown)

        page = site.text("/ui/accounts/mine")

        assert "UNKNOWN" in page
        assert "The answer was lost. Looked up again at" in page
        assert 'id="cancel-BTC-USDT-v1"' not in page
        cancels.change(unknown, unknown.settled(CancelState.STANDS, "still open", EpochMs(1)))
        page = site.text("/ui/accounts/mine")
        assert "Still open" in page
        assert 'id="cancel-BTC-USDT-v1"' in page

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"symbol": "BTC/USDT", "venue_order_id": "v2"}, 404),
            ({"symbol": "BTC/USDT"}, 400),
            ({"symbol": "BTC/USDT", "venue_order_id": 7}, 400),
            ({"symbol": "BTC/USDT", "venue_order_id": "v1", "odd": 1}, 400),
            ([], 400),
        ],
    )
    def test_only_what_was_found_there_is_canceled(
        self, site: Site, account: Account, body: object, status: int
    ) -> None:
        self.compared(site, account)

        answer = site.api.send("POST", "/api/accounts/mine/venue-cancels", body)

        assert answer.status_code == status
        assert site.wiring.ports.venue_cancels.of(account.id) == []

    def test_a_stranger_cancels_nothing(self, site: Site, account: Account) -> None:
        self.compared(site, account)
        body = {"symbol": "BTC/USDT", "venue_order_id": "v1"}
        path = "/api/accounts/mine/venue-cancels"

        assert site.client.post(path, json=body).status_code == 403  # without its CSRF token
        site.client.delete_cookie("hookfill_session")
        assert site.client.post(path, json=body).status_code == 401
        assert site.wiring.ports.venue_cancels.of(account.id) == []

    @pytest.mark.parametrize("name", ["mine", "demo-spot"])
    def test_a_fill_whose_order_nobody_knows_is_shown_until_it_is_acknowledged(
        self, site: Site, account: Account, name: str
    ) -> None:
        del account  # it is "mine"
        ports = site.wiring.ports
        there = site.wiring.registry.account_named(AccountName(name))
        fill = OrphanedFill(at_ms=NOW, client_order_id=ClientOrderId("hone"), report=a_report())
        ports.reconciliations.keep_orphan(there.id, fill)
        shown = site.api.call("GET", f"/api/accounts/{name}/reconciliation")

        assert "DIFFERS" in site.text("/ui/accounts")
        page = site.text(f"/ui/accounts/{name}")
        metrics = site.client.get("/metrics").text

        assert (shown["agrees"], shown["mismatches"][0]["kind"]) == (False, "orphaned")
        assert "0.5 of order hone was filled at 50000" in page
        assert "hookfill_orphaned_fills 1.0" in metrics
        path = f"/api/accounts/{name}/orphaned-fills/hone"
        assert f'data-url="{path}"' in page
        assert site.api.call("DELETE", path)["mismatches"] == []
        assert site.api.send("DELETE", path).status_code == 404
        assert "0.5 of order hone" not in site.text(f"/ui/accounts/{name}")

    def test_a_comparison_that_takes_long_is_told(
        self, site: Site, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nobody_waits(site, monkeypatch)
        path = f"/api/accounts/{account.name}/reconciliation"

        answer = site.api.send("POST", path, {})

        assert answer.status_code == 202
        assert "look again soon" in answer.get_json()["message"]
        assert answer.get_json()["agrees"] is None
        assert site.api.send("POST", path, {"odd": 1}).status_code == 400
        paper = "/api/accounts/demo-spot/reconciliation"
        assert site.api.send("POST", paper, {}).status_code == 409
        assert site.api.call("GET", paper)["adapter"] == "full"
        assert site.api.send("GET", "/api/accounts/nobody/reconciliation").status_code == 404

    def test_an_order_that_waits_for_a_person_is_settled_from_its_page(
        self, site: Site, account: Account
    ) -> None:
        order = replace(
            an_order(), account=account.id, status=OrderStatus.UNKNOWN, needs_person=True
        )
        (fresh,) = site.wiring.ports.ids.fresh(account.id, 1)
        order = replace(order, id=OrderId(fresh.id), client_order_id=fresh.client_order_id)
        site.wiring.ports.ledger.commit([Change(None, order)])

        listed = site.text("/ui/accounts/mine")
        page = site.text(f"/ui/orders/{order.id}")

        assert f"hookfill resolve {order.id}" in listed
        assert f'href="/ui/orders/{order.id}#settle"' in listed
        assert f'data-url="/api/orders/{order.id}/resolve"' in page
        assert f'name="placement" value="{order.token}"' in page
        body = {"outcome": "filled", "average_price": "50000", "placement": str(order.token)}
        assert site.api.send("POST", f"/api/orders/{order.id}/resolve", body).status_code == 200
        assert "data-send" not in site.text(f"/ui/orders/{order.id}")
        assert "No order of this account is unknown" in site.text("/ui/accounts/mine")


@pytest.mark.integration
class TestAccounts:
    def test_balances_and_positions_are_shown(self, site: Site) -> None:
        page = site.text("/ui/accounts")

        assert {"demo-spot", "demo-usdm", "demo-net"} <= set(re.findall(r"demo-\w+", page))
        assert "10000" in page
        assert "flat" in page

    def test_what_lies_at_a_real_venue_is_not_made_up(self, site: Site) -> None:
        site.wiring.registry.put_account(a_live_account("mine"))

        page = site.text("/ui/accounts")
        assert "Its balances and positions are at binance" in page
        assert "Not compared with binance yet" in page
        assert 'href="/ui/accounts/mine"' in page

    @pytest.mark.parametrize("name", ["nobody", HOSTILE.replace("/", "")])
    def test_one_that_there_is_not_is_told_as_a_page(self, site: Site, name: str) -> None:
        assert "Not found" in site.text(f"/ui/accounts/{name}", 404)

    def test_a_paper_account_has_nothing_to_compare(self, site: Site) -> None:
        page = site.text("/ui/accounts/demo-spot")

        assert "the paper venue is built in" in page
        assert 'id="renew"' not in page

    def test_an_exit_that_does_not_get_through_is_on_the_overview(self, site: Site) -> None:
        account = site.wiring.registry.account_named(AccountName("demo-usdm"))
        failing = a_failing_exit(account.id, "Filter failure: <LOT_SIZE>")
        assert "Positions without their exit" not in site.text("/")

        site.wiring.ports.ledger.commit([Change(None, failing)])

        page = site.text("/")
        assert "Positions without their exit" in page
        assert "Filter failure: &lt;LOT_SIZE&gt;" in page
        assert f'href="/ui/orders/{failing.id}"' in page

    def test_a_stop_that_its_venue_does_not_hold_is_on_the_overview(self, site: Site) -> None:
        account = site.wiring.registry.account_named(AccountName("demo-usdm"))
        refused = a_refused_stop(account.id, "too many <stops>")
        assert "Protected only while Hookfill runs" not in site.text("/")

        site.wiring.ports.ledger.commit([Change(None, refused)])

        page = site.text("/")
        assert "Protected only while Hookfill runs" in page
        assert "Positions without their exit" not in page
        assert "too many &lt;stops&gt;" in page
        assert f'href="/ui/orders/{refused.id}"' in page

    def test_leaving_halt_must_be_typed(self, site: Site) -> None:
        assert "data-typed" not in site.text("/ui/accounts")

        site.api.send("PUT", "/api/accounts/demo-spot", {"state": "HALT"})

        assert site.text("/ui/accounts").count('data-typed="demo-spot"') == 2

    def test_its_buttons_are_taken_by_the_api(self, site: Site) -> None:
        page = site.text("/ui/accounts")
        (token,) = re.findall(r'name="csrf-token" content="(\w+)"', page)
        path, body = re.findall(r'data-url="(/api/accounts/demo-spot)" data-body="([^"]*)"', page)[
            1
        ]
        body = json.loads(html.unescape(body))

        refused = site.client.put(path, json=body)
        taken = site.client.put(path, json=body, headers={"X-CSRF-Token": token})

        assert refused.status_code == 403
        assert (taken.status_code, taken.get_json()["state"]) == (200, "HALT")


@pytest.mark.integration
class TestAlertBuilder:
    def test_the_message_is_one_that_the_webhook_takes(self, site: Site) -> None:
        page = site.text("/ui/connectors?connector=demo-spot&action=buy&fixed=0.1&log=it's+on")
        message = json.loads(block(page, "message"))

        assert message["connectorToken"] == TOKEN_PLACEHOLDER
        assert site.send(**message)

    def test_curl_and_python_say_the_same(self, site: Site) -> None:
        page = site.text("/ui/connectors?connector=demo-spot&action=buy&fixed=0.1&log=it's+on")
        message = json.loads(block(page, "message"))

        command = shlex.split(block(page, "curl").replace("\\\n", ""))
        script = block(page, "python")

        assert json.loads(command[-1]) == message
        assert block(page, "webhook-url") in command
        assert json.dumps(message, indent=2) in script
        compile(script, "snippet", "exec")

    def test_a_market_has_its_own_actions(self, site: Site) -> None:
        spot, futures = (
            re.findall(
                r"<option(?: selected)?>(\w+)<", site.text(f"/ui/connectors?connector={one}")
            )
            for one in ("demo-spot", "demo-usdm")
        )

        assert spot == ["buy", "sell", "cancel", "cancelAll"]
        assert futures == [
            "openLong", "closeLong", "openShort", "closeShort", "cancel", "cancelAll",
        ]  # fmt: skip

    def test_fields_without_a_part_are_hidden_and_left_out(self, site: Site) -> None:
        page = site.text(
            "/ui/connectors?connector=demo-spot&action=cancel&percent=10&clientOrderId=a"
        )

        assert 'id="at-percent" data-live-hidden hidden' in page
        assert 'id="at-clientOrderId" data-live-hidden>' in page
        assert "percent" not in json.loads(block(page, "message"))

    def test_what_the_webhook_would_refuse_is_told_by_the_field(self, site: Site) -> None:
        page = site.text("/ui/connectors?connector=demo-spot&action=buy&percent=150")

        assert 'id="wrong-percent" data-live>Must be at most 100, was 150.<' in page
        assert "This would be refused" in page

    def test_blanks_that_tradingview_fills_in_are_no_mistake(self, site: Site) -> None:
        blank = "{{strategy.order.contracts}}"
        page = site.text(f"/ui/connectors?connector=demo-spot&action=buy&fixed={blank}")

        assert "This would be refused" not in page
        assert json.loads(block(page, "message"))["fixed"] == blank

    def test_a_delay_is_a_number(self, site: Site) -> None:
        page = site.text("/ui/connectors?action=buy&delaySeconds=10")

        assert json.loads(block(page, "message"))["delaySeconds"] == 10

    def test_an_address_that_tradingview_cannot_reach_is_told(self, site: Site) -> None:
        assert "TradingView cannot reach" in site.text("/ui/connectors")

    def test_behind_a_trusted_proxy_the_address_is_public(
        self, redis_server: str, tmp_path: Path
    ) -> None:
        site = Site(redis_server, tmp_path, HOOKFILL_TRUSTED_PROXIES="127.0.0.1")
        client, base_url = site.client, "http://hooks.example.com"
        headers = {"X-Forwarded-Proto": "https"}
        client.post("/login", json={"token": ADMIN_TOKEN}, base_url=base_url, headers=headers)

        page = client.get("/ui/connectors", base_url=base_url, headers=headers).text

        assert block(page, "webhook-url") == "https://hooks.example.com/trading-signal/webhook"
        assert "TradingView cannot reach" not in page


@pytest.mark.integration
class TestChannels:
    def test_without_any_it_says_how_to_make_one(self, site: Site) -> None:
        page = site.text("/ui/channels")

        assert "hookfill channel add phone" in page

    def test_each_is_shown_with_how_it_goes_and_a_button_that_tries_it(self, site: Site) -> None:
        hours = {"begin": "22:00", "end": "07:00", "timezone": "Europe/Berlin"}
        channel = {"service_url": "tgram://123456789:abcdefg_hijklmnop_qrst/1", "kinds": ["fill"]}
        site.api.call("PUT", "/api/channels/phone", {**channel, "quiet_hours": hours})
        site.worker.wiring.registry.refresh()
        site.send(action="buy", fixed="0.01")
        failed = Progress(sent=3, dropped=2, error=HOSTILE, error_ms=EpochMs(1_700_000_000_000))
        site.wiring.notices.note(Mailbox(NoticeKind.REFUSAL, "phone"), failed)
        page = site.text("/ui/channels")

        for words in ("phone", "tgram", "fill", "22:00 to 07:00", "Europe/Berlin", "3 sent"):
            assert words in page
        assert "1 waiting, 2 dropped" in page
        assert "FAILED" in page
        assert 'data-url="/api/channels/phone/test"' in page
        assert "abcdefg" not in page
        assert "<script>alert" not in page
