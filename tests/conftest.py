"""What several kinds of tests share: real servers, and how properties are searched."""

from collections.abc import Callable, Iterator

import pytest
from werkzeug.routing import Rule

from app import bootstrap
from tests.support import searching
from tests.support.postgres import find_postgres, running_postgres
from tests.support.servers import SHARED
from tests.support.stack import Installation, Stack, running_stack
from tests.support.users import apisify, crypto_arsenal
from tests.support.users.hummingbot import User, a_user

searching.register_profiles()


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
    return f"{SHARED.url()}/0"


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
def own_steps_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for whoever trades in other steps than the demo accounts, or is behind a proxy."""
    with running_stack(tmp_path_factory.mktemp("steps"), apisify.ENVIRONMENT) as stack:
        yield stack


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One `hookfill up` in the test profile, for everybody who wants no settings of their own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
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
