"""The one table of all settings: variable, kind, default and meaning of each.

The class body is the table. `hookfill settings` prints it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from app.domain.enums import StopDirection, StopPrice
from app.settings.addresses import Address, DatabaseUrl, ServerUrl, is_loopback
from app.settings.kinds import (
    ADDRESS,
    DATABASE_URL,
    EVERY_VENUE,
    FLAG,
    KEYS,
    NETWORKS,
    PATH,
    PORT,
    SERVER_URL,
    TOKEN,
    URL_PREFIX,
    URLS,
    VENUE_PROXIES,
    VENUE_URLS,
    Network,
    matching,
    one_of,
    whole,
)
from app.settings.secret import Secret, derived, key_of
from app.settings.variable import BadSetting, Variable, variable

if TYPE_CHECKING:
    from app.ports.policy import Policy

#: A file of this name in the data folder holds the key when the environment does not.
KEY_FILE: Final = "secret.key"

#: A file of this name in the data folder is the history when there is no other database.
HISTORY_FILE: Final = "history.db"

_DAY_SECONDS = 86_400
_YEAR_SECONDS = 365 * _DAY_SECONDS
_TEN_MINUTES_MS = 600_000
#: Milliseconds. Longer than the requests of one placement and the time for which a venue takes it.
_VENUE_LEASE_MS = 30_000
#: The pauses between two questions in the test profile; the real ones outlast a test.
_FAST_RETRY_MS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, one variable a field."""

    redis_url: ServerUrl = variable(
        "REDIS_URL",
        SERVER_URL,
        "redis://127.0.0.1:6379/0",
        "The store: `redis://`, `rediss://`, `unix:///path?db=0`. Without it `hookfill up` starts "
        "a server of its own.",
    )
    broker_url: ServerUrl = variable(
        "BROKER_URL",
        SERVER_URL,
        "",
        "Where Celery keeps its queues.",
        otherwise="a second server of `hookfill up`; with `REDIS_URL`, its next database",
    )
    installation: str = variable(
        "HOOKFILL_INSTALLATION",
        matching("text", "up to 40 letters, digits and any of ._-", r"[0-9A-Za-z._-]{0,40}"),
        "",
        "Names this installation at a broker that it shares with another one: all that it keeps "
        "there, queues included, begins with that name. The same for all its processes.",
    )
    appendfsync: str = variable(
        "HOOKFILL_APPENDFSYNC",
        one_of("always", "everysec"),
        "always",
        "What the store must do before an answer leaves. With `everysec` a power failure may "
        "take the last second of acknowledged requests.",
    )
    redis_server: str = variable(
        "HOOKFILL_REDIS_SERVER",
        matching("program", "a path or a name without spaces at its ends", r"\S(.*\S)?|"),
        "",
        "The Redis-protocol server that `hookfill up` starts: a path, or a name on `PATH`.",
        otherwise="the one that comes with Hookfill",
    )
    redis_maxmemory: str = variable(
        "HOOKFILL_REDIS_MAXMEMORY",
        matching("memory", "a number and a unit, for instance 512mb", r"[1-9][0-9]*(mb|gb)"),
        "512mb",
        "Memory limit of the server that `hookfill up` starts.",
    )
    data_dir: Path = variable(
        "HOOKFILL_DATA_DIR", PATH, "var", "Folder of everything that Hookfill writes."
    )
    log_dir: Path = variable(
        "HOOKFILL_LOG_DIR",
        PATH,
        "",
        "Folder of the logs that `hookfill up` keeps, at most 20 MB a process.",
        otherwise="`logs` in the data folder",
    )
    database_url: DatabaseUrl = variable(
        "DATABASE_URL",
        DATABASE_URL,
        "",
        "The history of what has finished: PostgreSQL, or a file of SQLite on one machine.",
        otherwise=f"SQLite, the file `{HISTORY_FILE}` in the data folder",
    )
    history_after_seconds: int = variable(
        "HOOKFILL_HISTORY_AFTER_SECONDS",
        whole(0, _YEAR_SECONDS),
        "3600",
        "How long what has finished also stays in the store, if there is room; 0 is for ever.",
    )
    secret_keys: tuple[Secret, ...] = variable(
        "HOOKFILL_SECRET_KEY",
        KEYS,
        "",
        "Seal credentials: the first seals, all open. `hookfill rekey` rotates them.",
        otherwise=f"the file `{KEY_FILE}` in the data folder, made on the first start",
    )
    admin_token: Secret = variable(
        "HOOKFILL_ADMIN_TOKEN",
        TOKEN,
        "",
        "Opens `/api`, `/paper` and the dashboard.",
        otherwise="derived from the first secret key",
    )
    bind: Address = variable("HOOKFILL_BIND", ADDRESS, "127.0.0.1:8000", "Where the web listens.")
    public_url: str = variable(
        "HOOKFILL_PUBLIC_URL",
        matching(
            "URL",
            "a URL without a path, for instance https://hooks.example.com",
            r"(https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?)?",
        ),
        "",
        "By which address TradingView and others come. `hookfill doctor` looks whether they can, "
        "and the dashboard shows it in alerts.",
    )
    fast: bool = variable(
        "HOOKFILL_FAST", FLAG, "0", "The test profile, as `--fast`. Never with real money."
    )
    trusted_proxies: tuple[Network, ...] = variable(
        "HOOKFILL_TRUSTED_PROXIES",
        NETWORKS,
        "",
        "Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    trust_forwarded_host: bool = variable(
        "HOOKFILL_TRUST_FORWARDED_HOST",
        FLAG,
        "0",
        "Whether those peers' `X-Forwarded-Host` is believed, too: only if they set it themselves.",
    )
    venue_urls: Mapping[str, str] = variable(
        "HOOKFILL_VENUE_URLS",
        VENUE_URLS,
        "",
        'Other hosts for venues: `{"binance": "http://127.0.0.1:9001"}`.',
    )
    venue_proxies: Mapping[str, Secret] = variable(
        "HOOKFILL_VENUE_PROXY",
        VENUE_PROXIES,
        "",
        "The proxy by which venues are reached: `http://user:password@host:3128`. Or one for each: "
        '`{"binance": "http://one:3128", "bybit": "", "*": "http://another:3128"}`; `*` is every '
        "other venue, and an empty text is no proxy.",
    )
    venue_address: str = variable(
        "HOOKFILL_VENUE_ADDRESS",
        matching("text", "letters, digits and any of ._:-", r"[0-9A-Za-z._:-]{1,60}"),
        "default",
        "Names the address from which this machine reaches venues, which limit requests by "
        "address. Machines with the same one share its budget.",
    )
    venue_timeout_ms: int = variable(
        "HOOKFILL_VENUE_TIMEOUT_MS",
        whole(100, 60_000),
        "10000",
        "A venue that has not answered for this long is taken as silent.",
    )
    venue_poll_ms: int = variable(
        "HOOKFILL_VENUE_POLL_MS",
        whole(50, _TEN_MINUTES_MS),
        "2000",
        "Between two questions about the open orders of an account at a real venue, and about "
        "its prices.",
    )
    price_age_max_ms: int = variable(
        "HOOKFILL_PRICE_AGE_MAX_MS",
        whole(1_000, _TEN_MINUTES_MS),
        "30000",
        "Prices of a real venue that are older fire no stop and no other trigger.",
    )
    venue_margin_ms: int = variable(
        "HOOKFILL_VENUE_MARGIN_MS",
        whole(0, _TEN_MINUTES_MS),
        "30000",
        'How long "no such order" of a real venue proves nothing after the time in which it '
        "still takes the request.",
    )
    venue_absence_ms: int = variable(
        "HOOKFILL_VENUE_ABSENCE_MS",
        whole(0, _TEN_MINUTES_MS),
        "10000",
        'How far apart a real venue must say "no such order" twice before it is believed.',
    )
    prices: str = variable(
        "HOOKFILL_PRICES",
        matching("word", "walk or the name of an exchange in ccxt", r"[a-z][a-z0-9_]{0,39}"),
        "walk",
        "Prices of the paper venue: `walk` is simulated; an exchange gives its public tickers.",
    )
    walk_seed: int = variable(
        "HOOKFILL_WALK_SEED", whole(0, 2**32 - 1), "1", "The same seed gives the same walk."
    )
    max_delay_seconds: int = variable(
        "MAX_DELAY_SECONDS",
        whole(0, _YEAR_SECONDS),
        str(_DAY_SECONDS),
        "Longest delay that a signal may ask for.",
    )
    max_signal_lateness_seconds: int = variable(
        "MAX_SIGNAL_LATENESS_SECONDS",
        whole(0, _DAY_SECONDS),
        "60",
        "An entry that is later than this expires; 0 is never.",
    )
    delay_filter_ignores_case: bool = variable(
        "DELAY_FILTER_IGNORECASE",
        FLAG,
        "false",
        "Whether `delaySecondsFilter` matches in any case.",
    )
    apisify_public_urls: tuple[str, ...] = variable(
        "APISIFY_PUBLIC_URLS",
        URLS,
        "",
        "The URLs of `/v1/order` that clients sign, since a proxy may hide them.",
        otherwise="the URL as it was received",
    )
    apisify_recv_window_ms: int = variable(
        "APISIFY_RECV_WINDOW_MS",
        whole(1, _TEN_MINUTES_MS),
        "5000",
        "The oldest time stamp that a signed order may have.",
    )
    apisify_max_ahead_ms: int = variable(
        "APISIFY_MAX_AHEAD_MS",
        whole(1, _TEN_MINUTES_MS),
        "1000",
        "How far ahead its time stamp must not be.",
    )
    apisify_single_use_sign: bool = variable(
        "APISIFY_SINGLE_USE_SIGN",
        FLAG,
        "true",
        "Whether a signature is good for one order only.",
    )
    apisify_tradingview_ips: tuple[Network, ...] = variable(
        "APISIFY_TRADINGVIEW_IPS",
        NETWORKS,
        "52.89.214.238,34.212.75.30,54.218.53.128,52.32.178.7",
        "Peers from which an order needs its key only.",
    )
    poloniex_clock_tolerance_ms: int = variable(
        "POLO_CLOCK_TOLERANCE_MS",
        whole(1, 60_000),
        "1000",
        "How far the time stamp of a signed request may be from now, either way.",
    )
    poloniex_trigger_price: str = variable(
        "POLO_TRIGGER_PRICE",
        one_of(*StopPrice),
        StopPrice.LAST,
        "What a stop watches: the last price, the touch that it would trade at, or the mark.",
    )
    poloniex_trigger_direction: str = variable(
        "POLO_TRIGGER_DIRECTION",
        one_of(*StopDirection),
        StopDirection.SIDE,
        "Which way the price must go: by side; by where it stands at creation (`infer`); or as "
        "the order's own `operator` says.",
    )
    poloniex_public_venue: str = variable(
        "POLO_PUBLIC_VENUE",
        matching("word", "the name of a venue where a SPOT account is", r"([a-z][a-z0-9_]{0,39})?"),
        "",
        "Whose market data the Poloniex dialect shows to those who sign nothing.",
        otherwise="`poloniex` if an account is there, or else `paper`",
    )
    poloniex_smart_orders_max: int = variable(
        "POLO_SMART_ORDERS_MAX",
        whole(1, 100_000),
        "2000",
        "How many smart orders may wait in one account.",
    )
    poloniex_smart_order_seconds: int = variable(
        "POLO_SMART_ORDER_MAX_AGE_SECONDS",
        whole(0, _YEAR_SECONDS),
        "0",
        "A smart order that has waited for longer expires; 0 is never.",
    )
    three_commas_rate_per_minute: int = variable(
        "THREE_COMMAS_RATE_PER_MINUTE",
        whole(1, 1_000_000),
        "100",
        "Requests of one 3Commas key in a minute.",
    )
    three_commas_single_use_sign: bool = variable(
        "THREE_COMMAS_SINGLE_USE_SIGN",
        FLAG,
        "false",
        "Whether equal 3Commas requests that create or add funds are one within a minute.",
    )
    three_commas_list_rate: int = variable(
        "THREE_COMMAS_LIST_RATE",
        whole(1, 1_000_000),
        "40",
        "Lists of smart trades that one 3Commas key may ask for in 10 s.",
    )
    rate_limits: bool = variable(
        "HOOKFILL_RATE_LIMITS", FLAG, "1", "Whether callers are limited.", fast="0"
    )
    poll_interval_ms: int = variable(
        "HOOKFILL_POLL_INTERVAL_MS",
        whole(10, _TEN_MINUTES_MS),
        "500",
        "Between two polls of prices or orders.",
        fast="50",
    )
    sweep_interval_ms: int = variable(
        "HOOKFILL_SWEEP_INTERVAL_MS",
        whole(50, _TEN_MINUTES_MS),
        "1000",
        "Between two looks for work that was left over.",
        fast="200",
    )
    place_lease_ms: int = variable(
        "HOOKFILL_PLACE_LEASE_MS",
        whole(500, _TEN_MINUTES_MS),
        "5000",
        "A placement at the paper venue without an answer for this long counts as lost.",
        fast="3000",
    )
    unknown_grace_ms: int = variable(
        "HOOKFILL_UNKNOWN_GRACE_MS",
        whole(0, _TEN_MINUTES_MS),
        "1000",
        'How long "no such order" of the paper venue proves nothing.',
    )
    web_workers: int = variable("HOOKFILL_WEB_WORKERS", whole(1, 256), "2", "Web processes.")
    web_connections: int = variable(
        "HOOKFILL_WEB_CONNECTIONS",
        whole(1, 100_000),
        "4000",
        "Connections of one web process. Without room for one, the longest silent is closed.",
    )
    web_graceful_seconds: int = variable(
        "HOOKFILL_WEB_GRACEFUL_SECONDS",
        whole(1, 600),
        "5",
        "Time for open requests when the web server stops.",
    )
    web_timeout_seconds: int = variable(
        "HOOKFILL_WEB_TIMEOUT_SECONDS",
        whole(1, 600),
        "30",
        "A web process that is silent for this long is replaced.",
    )
    web_keepalive_seconds: int = variable(
        "HOOKFILL_WEB_KEEPALIVE_SECONDS",
        whole(0, 600),
        "75",
        "How long an idle connection stays open.",
    )
    worker_concurrency: int = variable(
        "HOOKFILL_WORKER_CONCURRENCY",
        whole(1, 256),
        "32",
        "Pieces of work at once for each exchange in each worker.",
    )
    worker_stuck_seconds: int = variable(
        "HOOKFILL_WORKER_STUCK_SECONDS",
        whole(1, 3600),
        "60",
        "After so long without a sign of life of one piece of work, a worker ends.",
    )
    task_events: bool = variable(
        "HOOKFILL_TASK_EVENTS",
        FLAG,
        "1",
        "Whether workers tell Flower of tasks, those aside that come again and again.",
    )
    flower_address: str = variable(
        "HOOKFILL_FLOWER_ADDRESS",
        matching("address", "an IP address or a host name", r"[0-9A-Za-z:.-]+"),
        "127.0.0.1",
        "Where Flower listens.",
    )
    flower_port: int = variable(
        "HOOKFILL_FLOWER_PORT",
        PORT,
        "0",
        "Flower's port; 0 is 5555, or a free one when that is taken or in the test profile.",
    )
    flower_url_prefix: str = variable(
        "HOOKFILL_FLOWER_URL_PREFIX",
        URL_PREFIX,
        "",
        "The path below which Flower answers, for a proxy that keeps it: `flower` for `/flower/`.",
    )
    flower_user: str = variable(
        "HOOKFILL_FLOWER_USER",
        matching("text", "letters, digits and any of ._-", r"[0-9A-Za-z._-]+"),
        "hookfill",
        "Who may look at Flower.",
    )
    flower_password: Secret = variable(
        "HOOKFILL_FLOWER_PASSWORD",
        TOKEN,
        "",
        "The password for it.",
        otherwise="`hookfill up` derives it from the first secret key",
    )
    log_level: str = variable(
        "HOOKFILL_LOG_LEVEL",
        one_of("debug", "info", "warning", "error"),
        "info",
        "The least important lines that are written.",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read every variable; an empty one counts as absent.

        Makes the file of the secret key if there is no key yet. Doing it twice, or in two
        processes at once, gives the same settings.

        Raises:
            BadSetting: a value cannot be used. The message is a sentence that names the variable.
        """
        texts = _texts(environ)
        settings = cls(**_values({**texts, **_secrets(texts)}))  # type: ignore[arg-type]  # each kind reads the type beside it
        if settings.fast and not settings.bind.is_loopback:
            raise BadSetting(
                f"HOOKFILL_BIND was {str(settings.bind)!r}, but must be a loopback address, for "
                "instance 127.0.0.1:8000, in the test profile (HOOKFILL_FAST or --fast)."
            )
        return settings

    @classmethod
    def without_secrets(cls, environ: Mapping[str, str]) -> Self:
        """Read what a process needs that opens no credential and lets nobody in.

        No key is looked for, nor made. In the place of tokens are texts that nobody knows.

        Raises:
            BadSetting: a value cannot be used.
        """
        nobody = Secret(secrets.token_urlsafe())
        withheld = {"secret_keys": (), "admin_token": nobody, "flower_password": nobody}
        open_texts = {one: text for one, text in _texts(environ).items() if one not in withheld}
        return cls(**_values(open_texts), **withheld)  # type: ignore[arg-type]  # as above

    def proxy_of(self, venue: str) -> str | None:
        """Return the URL of the proxy by which a venue is reached, or None."""
        proxy = self.venue_proxies.get(venue, self.venue_proxies.get(EVERY_VENUE))
        return proxy.reveal() or None if proxy is not None else None

    def may_trade_at(self, venue: str) -> bool:
        """Tell whether accounts may be there: in the test profile at simulated venues only."""
        host = urlsplit(self.venue_urls.get(venue, "")).hostname or ""
        return not self.fast or is_loopback(host)

    @property
    def broker_prefix(self) -> str:
        """How the name of everything begins that this installation keeps at its broker."""
        return f"{self.installation}:" if self.installation else ""

    def policy(self) -> "Policy":
        """Return how long the use cases may take."""
        # With it comes the whole domain, which the supervisor, beat and Flower run without.
        from app.ports.policy import RECEIVE_WINDOW_MS, Policy  # noqa: PLC0415

        # An order may take a few requests, each as long as that.
        venue_place_lease_ms = max(_VENUE_LEASE_MS, 3 * self.venue_timeout_ms)
        paper_asks = self.prices != "walk"
        policy = Policy(
            paper_asks=paper_asks,
            place_lease_ms=max(self.place_lease_ms, venue_place_lease_ms if paper_asks else 0),
            unknown_grace_ms=self.unknown_grace_ms,
            venue_place_lease_ms=venue_place_lease_ms,
            venue_grace_ms=RECEIVE_WINDOW_MS + self.venue_margin_ms,
            venue_absence_ms=self.venue_absence_ms,
            venue_poll_ms=self.venue_poll_ms,
            price_age_max_ms=self.price_age_max_ms,
            history_after_ms=self.history_after_seconds * 1000,
        )
        if not self.fast:
            return policy
        return replace(policy, unknown_retry_ms=_FAST_RETRY_MS, retry_ms=_FAST_RETRY_MS)


#: Every variable, in the order of the table: field of Settings → variable.
VARIABLES: Final[Mapping[str, Variable]] = {
    field.name: field.metadata["variable"] for field in fields(Settings)
}

#: What may hold a secret → the kinds of processes that get it, as the Procfile names them; the
#: others run without. Beat and Flower open no credential and touch no order: they know the broker,
#: and no more. The web process checks signatures, and so has to open what callers sign with.
GIVEN_TO: Final[Mapping[str, frozenset[str]]] = {
    "REDIS_URL": frozenset({"web", "worker"}),
    "BROKER_URL": frozenset({"web", "worker", "beat", "flower"}),
    "DATABASE_URL": frozenset({"web", "worker"}),
    "HOOKFILL_SECRET_KEY": frozenset({"web", "worker"}),
    "HOOKFILL_VENUE_URLS": frozenset({"web", "worker"}),
    "HOOKFILL_VENUE_PROXY": frozenset({"web", "worker"}),
    "HOOKFILL_ADMIN_TOKEN": frozenset({"web"}),
    "HOOKFILL_FLOWER_PASSWORD": frozenset({"flower"}),
}


def _texts(environ: Mapping[str, str]) -> dict[str, str]:
    given = {field: environ.get(each.name, "").strip() for field, each in VARIABLES.items()}
    is_fast = bool(VARIABLES["fast"].read(given["fast"] or VARIABLES["fast"].default))
    texts = {
        field: given[field] or (each.fast if is_fast and each.fast is not None else each.default)
        for field, each in VARIABLES.items()
    }
    store = VARIABLES["redis_url"].read(texts["redis_url"])
    texts["broker_url"] = texts["broker_url"] or ServerUrl(store).next_database()
    texts["log_dir"] = texts["log_dir"] or str(Path(texts["data_dir"]) / "logs")
    if not texts["database_url"]:
        folder = Path(texts["data_dir"]).expanduser().absolute()
        texts["database_url"] = f"sqlite:///{folder / HISTORY_FILE}"
    return texts


def _secrets(texts: Mapping[str, str]) -> dict[str, str]:
    keys = texts["secret_keys"] or _key_of_folder(Path(texts["data_dir"]))
    first_key = keys.partition(",")[0].strip()
    derivable = {"admin_token": "admin token", "flower_password": "flower"}
    tokens = {one: texts[one] or derived(first_key, derivable[one]) for one in derivable}
    return {"secret_keys": keys, **tokens}


def _values(texts: Mapping[str, str]) -> dict[str, object]:
    return {field: VARIABLES[field].read(text) for field, text in texts.items()}


def _key_of_folder(data_dir: Path) -> str:
    path = data_dir.expanduser() / KEY_FILE
    try:
        return key_of(path)
    except OSError as error:
        raise BadSetting(
            f"HOOKFILL_SECRET_KEY is not set, and {path} could not be made: {error.strerror}. "
            "Set one of the two, HOOKFILL_SECRET_KEY or HOOKFILL_DATA_DIR."
        ) from error
