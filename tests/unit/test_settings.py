"""The environment becomes settings, or a sentence that names the variable."""

import dataclasses
import stat
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.ports.policy import Policy
from app.settings import (
    VARIABLES,
    Address,
    BadSetting,
    Secret,
    ServerUrl,
    Settings,
    forget_foreign,
    markdown_table,
    own,
)

#: 32 bytes in URL-safe base64, as Fernet wants them.
KEY = "A" * 43 + "="
OTHER_KEY = "B" * 43 + "="


def settings(**environ: str) -> Settings:
    return Settings.from_environment({"HOOKFILL_SECRET_KEY": KEY, **environ})


def test_an_empty_environment_gives_the_defaults_of_the_table() -> None:
    found = settings()

    assert found.redis_url == "redis://127.0.0.1:6379/0"
    assert found.bind == Address("127.0.0.1", 8000)
    assert found.max_delay_seconds == 86_400
    assert found.max_signal_lateness_seconds == 60
    assert found.poll_interval_ms == 500
    assert found.rate_limits
    assert not found.fast
    assert not found.delay_filter_ignores_case


def test_every_field_is_a_variable_of_its_own() -> None:
    names = [variable.name for variable in VARIABLES.values()]

    assert list(VARIABLES) == [field.name for field in dataclasses.fields(Settings)]
    assert len(set(names)) == len(names)


def test_an_empty_variable_counts_as_absent() -> None:
    assert settings(HOOKFILL_BIND="", HOOKFILL_POLL_INTERVAL_MS=" ") == settings()


@pytest.mark.parametrize(
    ("store", "broker"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/1"),
        ("rediss://u:p@store:1/7?ssl_cert_reqs=none", "rediss://u:p@store:1/8?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=1"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=3"),
    ],
)
def test_the_broker_is_the_next_database_of_the_store(store: str, broker: str) -> None:
    assert settings(REDIS_URL=store).broker_url == broker


@pytest.mark.parametrize(
    ("store", "broker", "is_shared"),
    [
        ("redis://host/0", "redis://:secret@host:6379/1", True),
        ("redis://host/0", "redis://host:6380/0", False),
        ("redis://host/0", "redis://other/0", False),
        ("unix:///run/redis.sock?db=0", "unix://:secret@/run/redis.sock?db=1", True),
        ("unix:///run/redis.sock?db=0", "unix:///run/other.sock?db=0", False),
        ("unix:///run/redis.sock?db=0", "redis://host/0", False),
    ],
)
def test_it_shows_whether_the_broker_is_on_the_server_of_the_store(
    store: str, broker: str, *, is_shared: bool
) -> None:
    found = settings(REDIS_URL=store, BROKER_URL=broker)

    assert found.broker_url.shares_server_with(found.redis_url) is is_shared


def test_the_history_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    found = settings(HOOKFILL_DATA_DIR=str(tmp_path))

    assert found.database_url == f"sqlite:///{tmp_path}/history.db"
    assert found.policy().history_after_ms == 3_600_000


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgres://me:pw@db/hookfill", "postgresql+psycopg://me:pw@db/hookfill"),
        (
            "postgresql://db/hookfill?sslmode=require",
            "postgresql+psycopg://db/hookfill?sslmode=require",
        ),
        ("postgresql+psycopg://db/x", "postgresql+psycopg://db/x"),
        ("sqlite:////srv/history.db", "sqlite:////srv/history.db"),
    ],
)
def test_a_database_is_given_by_its_url(given: str, read: str) -> None:
    assert settings(DATABASE_URL=given).database_url == read


@pytest.mark.parametrize("text", ["mysql://db/x", "history.db", "postgresql://", "sqlite", "://x"])
def test_other_databases_are_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        settings(DATABASE_URL=text)


def test_how_long_the_store_keeps_what_has_finished_is_set() -> None:
    assert settings(HOOKFILL_HISTORY_AFTER_SECONDS="0").policy().history_after_ms == 0
    assert settings(HOOKFILL_HISTORY_AFTER_SECONDS="2").policy().history_after_ms == 2_000
    with pytest.raises(BadSetting, match="HOOKFILL_HISTORY_AFTER_SECONDS"):
        settings(HOOKFILL_HISTORY_AFTER_SECONDS="-1")


def test_a_broker_of_its_own_is_kept() -> None:
    assert settings(BROKER_URL="redis://elsewhere:1/5").broker_url == "redis://elsewhere:1/5"


def test_the_test_profile_is_quick() -> None:
    fast = settings(HOOKFILL_FAST="1")

    assert (fast.poll_interval_ms, fast.sweep_interval_ms) == (50, 200)
    assert (fast.place_lease_ms, fast.unknown_grace_ms) == (3_000, 1_000)
    assert not fast.rate_limits


def test_what_is_set_wins_over_the_test_profile() -> None:
    assert settings(HOOKFILL_FAST="1", HOOKFILL_POLL_INTERVAL_MS="75").poll_interval_ms == 75


def test_the_test_profile_stays_on_this_machine() -> None:
    with pytest.raises(BadSetting, match=r"HOOKFILL_BIND was '0\.0\.0\.0:8000'.*loopback"):
        settings(HOOKFILL_FAST="1", HOOKFILL_BIND="0.0.0.0:8000")


@pytest.mark.parametrize("bind", ["127.0.0.1:1", "[::1]:8000", "localhost:8000"])
def test_the_test_profile_takes_any_loopback_address(bind: str) -> None:
    assert str(settings(HOOKFILL_FAST="1", HOOKFILL_BIND=bind).bind) == bind


def test_the_policy_holds_the_leases() -> None:
    policy = settings(HOOKFILL_PLACE_LEASE_MS="4000", HOOKFILL_UNKNOWN_GRACE_MS="5000").policy()

    assert policy == Policy(place_lease_ms=4_000, unknown_grace_ms=5_000)


def test_a_placement_on_paper_has_the_time_that_its_prices_may_take() -> None:
    def lease_ms(prices: str, paper_ms: str) -> int:
        given = {"HOOKFILL_PRICES": prices, "HOOKFILL_PLACE_LEASE_MS": paper_ms}
        return settings(**given).policy().place_lease_ms

    venue_ms = settings().policy().venue_place_lease_ms

    assert lease_ms("walk", "5000") == 5_000
    assert lease_ms("binance", "5000") == venue_ms
    assert lease_ms("binance", "300000") == 300_000


def test_the_test_profile_asks_again_soon() -> None:
    assert settings(HOOKFILL_FAST="1").policy().unknown_retry_ms < Policy().unknown_retry_ms


def test_proxies_are_addresses_or_networks() -> None:
    found = settings(HOOKFILL_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8")

    assert found.trusted_proxies == (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"))


def test_a_venue_can_be_sent_elsewhere() -> None:
    found = settings(HOOKFILL_VENUE_URLS='{"binance": "http://127.0.0.1:9001/"}')

    assert found.venue_urls == {"binance": "http://127.0.0.1:9001"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BROKER_URL", "amqp://broker"),
        ("DELAY_FILTER_IGNORECASE", "perhaps"),
        ("HOOKFILL_ADMIN_TOKEN", "short"),
        ("HOOKFILL_APPENDFSYNC", "no"),
        ("HOOKFILL_BIND", "127.0.0.1:99999"),
        ("HOOKFILL_BIND", "8000"),
        ("HOOKFILL_FAST", "maybe"),
        ("HOOKFILL_FLOWER_PASSWORD", "short"),
        ("HOOKFILL_FLOWER_PORT", "-1"),
        ("HOOKFILL_FLOWER_URL_PREFIX", "flower?"),
        ("HOOKFILL_FLOWER_URL_PREFIX", "a//b"),
        ("HOOKFILL_FLOWER_USER", "a:b"),
        ("HOOKFILL_LOG_LEVEL", "loud"),
        ("HOOKFILL_POLL_INTERVAL_MS", "1"),
        ("HOOKFILL_POLL_INTERVAL_MS", "1_000"),
        ("HOOKFILL_PRICES", "../walk"),
        ("HOOKFILL_REDIS_MAXMEMORY", "plenty"),
        ("HOOKFILL_SECRET_KEY", "no key"),
        ("HOOKFILL_SECRET_KEY", f"{KEY},"),
        ("HOOKFILL_TRUSTED_PROXIES", "everybody"),
        ("HOOKFILL_VENUE_URLS", "not JSON"),
        ("HOOKFILL_VENUE_URLS", '["https://example.com"]'),
        ("HOOKFILL_VENUE_URLS", '{"binance": 1}'),
        ("HOOKFILL_VENUE_URLS", '{"binance": "http://example.com"}'),
        ("HOOKFILL_WEB_CONNECTIONS", "٣"),
        ("REDIS_URL", "redis://host/x"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "unix://run/r.sock"),
        ("REDIS_URL", "unix:///run/r.sock?db=x"),
        ("REDIS_URL", "unix:///run/r.sock?db="),
        ("REDIS_URL", "unix:///run/r.sock?socket_timeout=1"),
    ],
)
def test_a_bad_value_gives_a_sentence_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"^{name} (was|has) .*, but must be .+\.$"):
        settings(**{name: value})


@pytest.mark.parametrize(
    "name", ["HOOKFILL_ADMIN_TOKEN", "HOOKFILL_SECRET_KEY", "REDIS_URL", "HOOKFILL_FLOWER_PASSWORD"]
)
def test_a_bad_value_that_may_be_secret_is_not_repeated(name: str) -> None:
    with pytest.raises(BadSetting) as refusal:
        settings(**{name: "hunter2:é"})

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("given", ["flower", "/flower", "/flower/", "flower/"])
def test_a_prefix_is_read_with_and_without_its_slashes(given: str) -> None:
    assert settings(HOOKFILL_FLOWER_URL_PREFIX=given).flower_url_prefix == "flower"


#: Each of them would be obeyed by a library, or is what an engine says of a service.
FOREIGN = {
    "FLOWER_PORT": "tcp://10.0.0.1:5555",
    "FLOWER_URL_PREFIX": "elsewhere",
    "HOOKFILL_FLOWER_PORT": "tcp://10.0.0.1:5555",
    "CELERY_BROKER_URL": "redis://elsewhere",
    "CELERY_WORKER_POOL": "solo",
    "FLASK_DEBUG": "1",
    "GUNICORN_CMD_ARGS": "--workers 9",
    "KOMBU_LOG_DEBUG": "1",
    "WEB_CONCURRENCY": "auto",
}
#: They are set for a machine on purpose.
LET_THROUGH = {
    "HOOKFILL_FLOWER_USER": "somebody",
    "HOOKFILL_WEB_WORKERS": "1",
    "HTTPS_PROXY": "http://10.0.0.1:3128",
    "NO_COLOR": "1",
    "PGPASSFILE": "/etc/pgpass",
    "PYTHONPATH": "/srv",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "TZ": "UTC",
}


def test_what_is_foreign_reaches_no_child_and_no_library() -> None:
    environ = {**FOREIGN, **LET_THROUGH}

    assert own(environ) == LET_THROUGH
    forget_foreign(environ)
    assert environ == LET_THROUGH


def test_the_key_is_made_on_the_first_start_and_kept(tmp_path: Path) -> None:
    first = Settings.from_environment({"HOOKFILL_DATA_DIR": str(tmp_path / "new")})
    second = Settings.from_environment({"HOOKFILL_DATA_DIR": str(tmp_path / "new")})

    file = tmp_path / "new" / "secret.key"
    assert first == second
    assert first.secret_keys == (Secret(file.read_text().strip()),)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_without_secrets_no_key_is_wanted_nor_made(tmp_path: Path) -> None:
    environ = {"BROKER_URL": "redis://broker/1", "HOOKFILL_DATA_DIR": str(tmp_path / "new")}

    found = Settings.without_secrets({**environ, "HOOKFILL_SWEEP_INTERVAL_MS": "300"})

    assert found.broker_url == "redis://broker/1"
    assert found.sweep_interval_ms == 300
    assert found.secret_keys == ()
    assert not (tmp_path / "new").exists()
    assert found.admin_token != Settings.without_secrets(environ).admin_token
    assert not found.admin_token.matches("")


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BadSetting, match=r"HOOKFILL_SECRET_KEY.*could not be made"):
        Settings.from_environment({"HOOKFILL_DATA_DIR": str(tmp_path / "file")})


def test_tokens_come_from_the_first_key_and_stay_the_same() -> None:
    one, again = settings(), settings(HOOKFILL_SECRET_KEY=f"{KEY}, {OTHER_KEY}")
    other = settings(HOOKFILL_SECRET_KEY=OTHER_KEY)

    assert one.admin_token == again.admin_token != other.admin_token
    assert one.flower_password == again.flower_password != one.admin_token
    assert len(again.secret_keys) == 2


def test_a_token_that_was_set_is_used() -> None:
    assert settings(HOOKFILL_ADMIN_TOKEN="x" * 16).admin_token.matches("x" * 16)


def test_settings_show_no_secrets() -> None:
    found = settings(
        REDIS_URL="redis://me:hunter2@store/0",
        DATABASE_URL="postgresql://me:hunter2@db/x",
        HOOKFILL_ADMIN_TOKEN="t" * 20,
    )

    shown = f"{found!r} {found.admin_token} {found.secret_keys}"
    assert "hunter2" not in shown
    assert "t" * 20 not in shown
    assert KEY not in shown
    assert found.redis_url == "redis://me:hunter2@store/0"


def test_secrets_compare_by_their_text() -> None:
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_a_server_url_is_a_text_whose_repr_is_masked() -> None:
    assert repr(ServerUrl("redis://:pw@h/0")) == "'redis://***@h/0'"
    assert repr(ServerUrl("unix:///r?password=pw&db=1")) == "'unix:///r?password=***&db=1'"


def test_the_data_folder_is_absolute() -> None:
    assert settings(HOOKFILL_DATA_DIR="var").data_dir == Path.cwd() / "var"


def test_the_table_has_a_row_for_each_variable() -> None:
    rows = markdown_table(VARIABLES.values()).splitlines()

    assert len(rows) == len(VARIABLES) + 2
    assert rows[2].startswith("| `REDIS_URL` | URL | `redis://127.0.0.1:6379/0` |")
    assert "| `500`, fast `50` |" in next(row for row in rows if "POLL_INTERVAL" in row)


@pytest.mark.parametrize(
    ("given", "by_venue"),
    [
        ("", {"binance": None, "bybit": None}),
        ("http://me:pw@proxy:3128", {"binance": "http://me:pw@proxy:3128"}),
        ('{"binance": "https://one"}', {"binance": "https://one", "bybit": None}),
        (
            '{"binance": "", "*": "http://all:1/"}',
            {"binance": None, "bybit": "http://all:1/"},
        ),
    ],
)
def test_a_venue_has_a_proxy_of_its_own_or_that_of_all_others(
    given: str, by_venue: dict[str, str | None]
) -> None:
    found = settings(HOOKFILL_VENUE_PROXY=given)

    assert {venue: found.proxy_of(venue) for venue in by_venue} == by_venue
    assert "pw" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "proxy:3128",
        "socks5://proxy:1080",
        "http://:8080",
        "http://me:hidden@proxy/path",
        "http://proxy:99999",
        "http://pro xy",
        '{"binance": 7}',
        '{"binance": null}',
        '["http://proxy"]',
        "{",
    ],
)
def test_what_is_no_proxy_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadSetting, match="HOOKFILL_VENUE_PROXY has a value") as caught:
        settings(HOOKFILL_VENUE_PROXY=text)

    assert text not in str(caught.value)


@pytest.mark.parametrize("name", ["a b", "a:b", "é", "x" * 41])
def test_a_name_of_an_installation_is_short_and_plain(name: str) -> None:
    with pytest.raises(BadSetting, match="HOOKFILL_INSTALLATION"):
        settings(HOOKFILL_INSTALLATION=name)
