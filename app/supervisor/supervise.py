"""`hookfill up`, from the first check to the last process that ends."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from app.settings import Address, Settings
from app.store.core.server_check import check_server, empty
from app.supervisor import readiness
from app.supervisor.children import Child
from app.supervisor.console import TEST_PROFILE, greeting, say
from app.supervisor.crew import Crew
from app.supervisor.data_dir import DataDir
from app.supervisor.demo import SEED_COMMAND, seeded
from app.supervisor.embedded_server import EmbeddedServer, broker_server, store_server
from app.supervisor.kernel import adopt_orphans
from app.supervisor.logbook import Logbook
from app.supervisor.plan import CHECKOUT, environment_of_children, programs
from app.supervisor.run_file import Run, write_run_file
from app.supervisor.signals import Interrupted, Signals
from app.supervisor.tcp_ports import free_port, is_free, listening_address, reachable

#: Where Flower is expected.
FLOWER_PORT = 5555
#: Seconds without being ready after which a person is told why, again and again.
PATIENCE_SECONDS = 20.0

#: Seconds between two looks, before and after everything is ready. Deaths are seen at once.
_LOOK_EARLY_SECONDS = 0.1
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the processes come from.

    Attributes:
        folder: has the Procfile; commands run there.
        seed_command: prints what callers of the demo accounts need, as JSON.
    """

    folder: Path = CHECKOUT
    seed_command: tuple[str, ...] = SEED_COMMAND


REPOSITORY = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What every step of a run needs."""

    origin: Origin
    data_dir: DataDir
    lock: int
    crew: Crew
    signals: Signals


def up(environ: Mapping[str, str], origin: Origin = REPOSITORY) -> int:
    """Run everything until somebody asks for the end.

    To be called in the main thread, as it catches signals.

    Args:
        environ: the settings; what is decided here (ports, the embedded server) is added for the
            children.
        origin: where the processes come from.

    Returns:
        The exit code: 0 if everything could end by itself.

    Raises:
        BadSetting: a variable has a value that cannot be used.
        CannotStart: something stands in the way.
        UnsafeStore: the store could lose orders.
        StoreUnavailable: the store does not answer.
    """
    settings = Settings.from_environment(environ)
    data_dir = DataDir(settings.data_dir, settings.log_dir)
    if settings.fast:
        say(TEST_PROFILE)
    adopt_orphans()
    with suppress(Interrupted), Signals() as signals, data_dir.claimed(signals) as lock:
        stage = _Stage(origin=origin, data_dir=data_dir, lock=lock, crew=Crew(say), signals=signals)
        try:
            _run(stage, environ)
        except Interrupted:
            say("Stopping ...")
        finally:
            is_clean = stage.crew.stop(signals)
        return 0 if is_clean else 1
    return 0


def _run(stage: _Stage, environ: Mapping[str, str]) -> NoReturn:
    settings = _resolved(stage, environ)
    children = environment_of_children(environ, _decided(stage, settings))
    demo = seeded(
        stage.origin.seed_command,
        stage.origin.folder,
        children,
        stage.data_dir.logs / "seed.log",
        stage.signals,
    )
    say("Starting the processes ...")
    plan = programs(stage.origin.folder, children, stage.data_dir.logs)
    stage.crew.start(Child(program, [stage.lock]) for program in plan)
    _await_readiness(stage, settings.bind)
    run = _run_of(settings, demo)
    _keep(stage, run, settings)


def _resolved(stage: _Stage, environ: Mapping[str, str]) -> Settings:
    """Decide what the settings left open, with the store running and found safe."""
    settings = Settings.from_environment(environ)
    decided = {
        "HOOKFILL_BIND": str(listening_address(settings.bind, "--port or HOOKFILL_BIND")),
        "HOOKFILL_FLOWER_PORT": str(_flower_port(settings)),
    }
    if not environ.get("REDIS_URL", "").strip():
        say("Starting the store ...")
        store = store_server(settings, stage.data_dir, stage.lock)
        decided["REDIS_URL"] = _started(stage, store)
        if not environ.get("BROKER_URL", "").strip():
            # Until there was a server for it, the broker was the store's next database.
            empty(store.url.next_database())
            broker = broker_server(settings, stage.data_dir, stage.lock)
            decided["BROKER_URL"] = _started(stage, broker)
    settings = Settings.from_environment({**environ, **decided})
    may_lose_a_second = settings.appendfsync != "always"
    for warning in check_server(settings.redis_url, may_lose_a_second=may_lose_a_second):
        say(f"Warning: {warning}")
    return settings


def _started(stage: _Stage, server: EmbeddedServer) -> str:
    """Start a server, take it into the crew, and return where it is."""
    server.start(stage.signals)
    stage.crew.join(server.child)
    return server.url


def _flower_port(settings: Settings) -> int:
    host = settings.flower_address
    if settings.flower_port:
        return listening_address(Address(host, settings.flower_port), "HOOKFILL_FLOWER_PORT").port
    # Tests run side by side; the usual port is for people.
    if not settings.fast and is_free(Address(host, FLOWER_PORT)):
        return FLOWER_PORT
    return free_port(host)


def _decided(stage: _Stage, settings: Settings) -> dict[str, str]:
    """Return what the children must agree on: variable → value."""
    return {
        "REDIS_URL": settings.redis_url,
        "BROKER_URL": settings.broker_url,
        "HOOKFILL_DATA_DIR": str(settings.data_dir),
        "HOOKFILL_BIND": str(settings.bind),
        "HOOKFILL_FAST": "1" if settings.fast else "0",
        "HOOKFILL_FLOWER_ADDRESS": settings.flower_address,
        "HOOKFILL_FLOWER_PORT": str(settings.flower_port),
        "HOOKFILL_FLOWER_URL_PREFIX": settings.flower_url_prefix,
        "HOOKFILL_FLOWER_USER": settings.flower_user,
        "HOOKFILL_FLOWER_PASSWORD": settings.flower_password.reveal(),
        "PROMETHEUS_MULTIPROC_DIR": str(stage.data_dir.metrics),
    }


def _run_of(settings: Settings, demo: Mapping[str, object]) -> Run:
    flower = Address(settings.flower_address, settings.flower_port)
    return Run(
        base_url=f"http://{reachable(settings.bind)}",
        flower_url=f"http://{reachable(flower)}/{settings.flower_url_prefix}".rstrip("/"),
        flower_user=settings.flower_user,
        flower_password=settings.flower_password.reveal(),
        redis_url=settings.redis_url,
        broker_url=settings.broker_url,
        admin_token=settings.admin_token.reveal(),
        pids={},
        demo=demo,
    )


def _await_readiness(stage: _Stage, bind: Address) -> None:
    web = reachable(bind)
    told_at = time.monotonic()
    while doubt := readiness.doubt(web):
        stage.crew.tend()
        stage.crew.check_start()
        if time.monotonic() - told_at >= PATIENCE_SECONDS:
            told_at = time.monotonic()
            say(f"Not ready yet: {doubt} The logs are in {stage.data_dir.logs}")
        stage.signals.pause(_LOOK_EARLY_SECONDS)


def _keep(stage: _Stage, run: Run, settings: Settings) -> NoReturn:
    """Tell that everything is ready, and keep it so, with or without room on the disk."""
    logbook = Logbook(stage.data_dir.logs)
    everybody = stage.crew.names() | {"supervisor"}
    written: Mapping[str, int] = {}
    trouble = ""
    while True:
        pids = {"supervisor": os.getpid(), **stage.crew.pids()}
        # While somebody is missing the file stays as it was; it tells of nobody twice.
        if pids != written and pids.keys() == everybody:
            run = replace(run, pids=pids)
            before, trouble = trouble, _trouble_with_writing(stage.data_dir.run_file, run)
            if trouble:
                if trouble != before:
                    say(trouble)
            else:
                if not written:
                    say(greeting(run, settings, stage.data_dir.run_file))
                written = pids
        stage.signals.pause(_LOOK_SECONDS)
        stage.crew.tend()
        for line in logbook.news():
            say(line)


def _trouble_with_writing(run_file: Path, run: Run) -> str:
    """Write the file, and return what kept it from being written, if something did."""
    try:
        write_run_file(run_file, run)
    except OSError as error:
        return f"{run_file} cannot be written ({error}); it is tried again until it can."
    return ""
