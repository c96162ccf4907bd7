"""What several kinds of tests share: real servers, and how properties are searched."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog
from werkzeug.routing import Rule
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from app import bootstrap
from tests.support import searching
from tests.support.postgres import find_postgres, running_postgres
from tests.support.servers import SHARED
from tests.support.shared_stacks import SharedStacks
from tests.support.stack import Installation, Stack
from tests.support.users import apisify, crypto_arsenal
from tests.support.users.hummingbot import User, a_user

searching.register_profiles()


#: Everything in it is about whole stacks.
END_TO_END = Path(__file__).parent / "end_to_end"

#: A stack starts within seconds, and is stopped and started by some tests; machines may be busy.
TIMEOUT_SECONDS = 600

#: Fixture → the stack that tests share by it.
SHARED_STACKS = {
    "whole_stack": "stack",
    "shared_stack": "stack",
    "own_steps_stack": "steps",
    "own_stack": "steps",
    "odd_stack": "odd",
}


#: The folders of all tests of whole stacks; `make test` looks for them nowhere else.
STACKS = (END_TO_END, END_TO_END.with_name("vectors"))

#: Files that wait for minutes in all, for processes or for time to pass.
WAITING = frozenset(
    Path(__file__).parent / name
    for name in (
        "contract/test_history.py",
        "contract/test_silence.py",
        "integration/api/test_exchange_markets.py",
        "integration/api/test_slow_history.py",
        "integration/test_children.py",
        "integration/test_connections.py",
        "integration/test_crew.py",
        "integration/test_embedded_server.py",
        "integration/test_flower.py",
        "integration/test_server_urls.py",
        "integration/test_shared_broker.py",
        "integration/test_supervisor.py",
        "integration/test_worker_process.py",
        "unit/workers/test_periodic_task.py",
    )
)

#: Of a test that was run.
_PHASES = ("setup", "call", "teardown")

#: Of three processes on two processors one may wait.
WORKING_BESIDE = 2


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what is about whole stacks, and give it time."""
    if item.path.is_relative_to(END_TO_END):
        item.add_marker(pytest.mark.e2e)
    if _is_of_stacks(item) and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what shares a stack; of the rest let always a few wait while others work."""
    stacks = [item for item in items if _is_of_stacks(item)]
    for item in stacks:
        if not any(map(item.path.is_relative_to, STACKS)):
            raise pytest.UsageError(f"`make test` looks for no test of a stack at {item.nodeid}")
    order = [*SHARED_STACKS.values(), None]
    places = _places(items)
    rest = [item for item in items if not _is_of_stacks(item)]
    stacks.sort(key=lambda item: order.index(_shared_by(item)))
    rest.sort(key=lambda item: places[item.path])
    items[:] = stacks + rest


def _places(items: Sequence[pytest.Item]) -> dict[Path, int]:
    """Return the place of each file: large ones come first, and each that waits beside two more."""
    sizes = Counter(item.path for item in items)
    paths = sorted(sizes, key=lambda path: -sizes[path])
    waiting = [path for path in paths if path in WAITING]
    working = [path for path in paths if path not in WAITING]
    places = {path: at for at, path in enumerate(working)}
    places |= {path: at * WORKING_BESIDE for at, path in enumerate(waiting)}
    return places


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Return what lets files run in one process that share a stack, with `--dist loadgroup`."""
    return _ByStack(config, log) if config.getoption("dist") == "loadgroup" else None


class _ByStack(LoadScopeScheduling):  # type: ignore[misc]
    """Tells by names what shares a stack: who shares out the tests knows nothing else of them.

    The marks that are there for this, `xdist_group`, do nothing under pytest 9.2 (xdist 3.8).
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        is_vector = "vectors/" in file and "[running" in test
        if not is_vector and not any(part in file for part in ("hummingbot/", "_processes")):
            return file
        return "steps" if any(name in file for name in ("apisify", "poloniex")) else "stack"


def _is_of_stacks(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("e2e"))


def _shared_by(item: pytest.Item) -> str | None:
    """Return the name of the stack that a test shares, if it does."""
    wanted = getattr(item, "fixturenames", ()) if _is_of_stacks(item) else ()
    return next((name for fixture, name in SHARED_STACKS.items() if fixture in wanted), None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell apart that tests have failed and that some were not run, since a process has crashed.

    `make test` tries again what has failed, and that alone.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or session.exitstatus != pytest.ExitCode.TESTS_FAILED:
        return
    failed = [*reporter.stats.get("failed", ()), *reporter.stats.get("error", ())]
    if not failed or any(getattr(one, "when", None) not in _PHASES for one in failed):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what a failure with a new example means."""
    profile = terminalreporter.config.getoption("--hypothesis-profile")
    if profile in searching.NEW and terminalreporter.stats.get("failed"):
        terminalreporter.section("new examples")
        terminalreporter.write_line(searching.FOUND)


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Let web processes in tests wait for their store: half a second passes on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "WEB_STORE_SECONDS", 20.0)
        patch.setattr(bootstrap, "WEB_HISTORY_SECONDS", 20.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> Iterator[None]:
    """Log an error as an installation does, which has no `rich`: that shows every local name.

    To lay out one traceback so takes up to a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        for one in structlog.get_config()["processors"]:
            if isinstance(one, structlog.dev.ConsoleRenderer):
                patch.setattr(one, "exception_formatter", structlog.dev.plain_traceback)
        yield


@pytest.fixture(scope="session", autouse=True)
def _rules_compiled_once() -> Iterator[None]:
    """Compile each rule of the routes once: to do so for each app is most of what an app costs."""
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder  # noqa: SLF001

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002
        defaults = tuple(sorted((rule.defaults or {}).items()))
        key = rule.rule, tuple(rule._trace), defaults, append_unknown  # noqa: SLF001
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", remembered)
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared_server() -> Iterator[None]:
    """End the server that all share, whoever has started it."""
    yield
    SHARED.stop()


@pytest.fixture(scope="session")
def redis_server() -> str:
    """The address of a server of our own, without persistence; empty it before use."""
    return SHARED.url()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own; empty it before use."""
    programs = find_postgres()
    if programs is None:
        pytest.skip("there is no PostgreSQL server")
    try:
        with running_postgres(programs) as url:
            yield url
    except LookupError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedStacks]:
    """The stacks that tests share; each is started when it is wanted."""
    shared = SharedStacks(tmp_path_factory.mktemp)
    yield shared
    shared.stop()


@pytest.fixture(autouse=True)
def _alone(request: pytest.FixtureRequest, stacks: SharedStacks) -> None:
    """Stop what others have shared before a test with a stack of its own."""
    if _is_of_stacks(request.node) and _shared_by(request.node) is None:
        stacks.stop()


@pytest.fixture
def own_steps_stack(stacks: SharedStacks) -> Stack:
    """One for whoever trades in other steps than the demo accounts, or is behind a proxy."""
    return stacks.of("steps", apisify.ENVIRONMENT)


@pytest.fixture
def whole_stack(stacks: SharedStacks) -> Stack:
    """One `hookfill up` in the test profile, for everybody who wants no settings of their own."""
    return stacks.of("stack", {})


@pytest.fixture
def shared_stack(whole_stack: Stack) -> Installation:
    """An installation as others have left it; the vectors have one of their own."""
    return whole_stack


@pytest.fixture
def stack(shared_stack: Installation) -> Installation:
    """Return it as the vectors of the Crypto Arsenal spec expect it."""
    crypto_arsenal.reset(shared_stack)
    return shared_stack


@pytest.fixture
def user(shared_stack: Installation) -> Iterator[User]:
    """Return a user of the Hummingbot dialect, of an account name of their own."""
    with a_user(shared_stack) as user:
        yield user
