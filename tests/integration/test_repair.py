"""A damaged append-only file, as power failures leave it: what is whole of it is kept."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from app.cli import main
from app.history.database import Database
from app.history.sql_history import SqlHistory
from app.supervisor import repair
from app.supervisor.backup import _locked
from app.supervisor.embedded_server import find_server
from app.supervisor.repair import Damage, damage_in
from tests.support.servers import running_server

pytestmark = pytest.mark.integration

#: As the server of `hookfill up` writes it.
OPTIONS = ("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
COMMITS = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder whose store took in some commits of two keys each, and was killed."""
    path = tmp_path / "var"
    with running_server(path / "redis", OPTIONS) as server:
        with redis.Redis.from_url(server.url) as client:
            for number in range(COMMITS):
                with client.pipeline() as commit:
                    commit.set(f"record-{number}", "v" * 60)
                    commit.hset("index", f"{number}", "there")
                    commit.execute()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    (path / "secret.key").write_text(Fernet.generate_key().decode())
    return path


def file_of(folder: Path) -> Path:
    (found,) = (folder / "redis" / "appendonlydir").glob("*.incr.aof")
    return found


def spoil(folder: Path, change: Callable[[bytes], bytes]) -> bytes:
    """Change the file, and return it as it is then."""
    path = file_of(folder)
    spoiled = change(path.read_bytes())
    path.write_bytes(spoiled)
    return spoiled


def repaired(folder: Path, **more: str) -> Result:
    environ = {"HOOKFILL_DATA_DIR": str(folder), "REDIS_URL": "", **more}
    return CliRunner().invoke(main, ["repair"], env=environ)


def starts(folder: Path) -> bool:
    """Tell whether a server loads the folder."""
    command = [str(find_server()), "--port", "0", "--dir", str(folder / "redis"), *OPTIONS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            return any("Ready to accept" in line for line in process.stdout)
        finally:
            process.kill()


def loaded(folder: Path) -> tuple[int, int]:
    """Return how many records a server finds, and how many are in the index."""
    with (
        running_server(folder / "redis", OPTIONS) as server,
        redis.Redis.from_url(server.url) as client,
    ):
        return len(client.keys("record-*")), client.hlen("index")


def epoch_of(folder: Path) -> int:
    return SqlHistory(Database(f"sqlite:///{folder.absolute() / 'history.db'}")).epoch()


def zeros_at_the_end(file: bytes) -> bytes:
    return file[:-40] + b"\0" * 40


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "zeros at the end": (zeros_at_the_end, COMMITS - 1),
    "a block of zeros behind it": (lambda file: file + b"\0" * 4096, COMMITS),
    "something else behind it": (lambda file: file + b"garbage\r\n", COMMITS),
    "a hole in the middle": (
        lambda file: file.replace(b"record-10\r\n$60", b"record-10\r\n\0\0\0"),
        10,
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_whole_is_kept_and_the_rest_is_in_the_copy(folder: Path, kind: str) -> None:
    change, kept = DAMAGE[kind]
    spoiled = spoil(folder, change)
    assert not starts(folder)

    result = repaired(folder)

    assert result.exit_code == 0, result.output
    cut = len(spoiled) - file_of(folder).stat().st_size
    assert cut > 0
    assert f"{cut} of {len(spoiled)} bytes were cut off" in " ".join(result.output.split())
    assert loaded(folder) == (kept, kept)
    (copy,) = folder.glob("redis-damaged-*")
    assert (copy / "appendonlydir" / file_of(folder).name).read_bytes() == spoiled
    assert copy.stat().st_mode & 0o077 == 0
    assert epoch_of(folder) > 0  # so accounts with real money start frozen


def test_a_second_repair_changes_nothing(folder: Path) -> None:
    spoil(folder, zeros_at_the_end)
    repaired(folder)
    after, epoch = file_of(folder).read_bytes(), epoch_of(folder)

    result = repaired(folder)

    assert "Nothing was changed" in result.output
    assert (file_of(folder).read_bytes(), epoch_of(folder)) == (after, epoch)
    assert len(list(folder.glob("redis-damaged-*"))) == 1


def test_each_file_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path) -> Damage | None:
        read.append(path.name)
        return damage_in(path)

    monkeypatch.setattr(repair, "damage_in", noted)

    assert repaired(folder).exit_code == 0
    assert len(read) == len(set(read)) > 1


@pytest.mark.parametrize("cut", [1, 15, 60, 110])
def test_a_file_that_only_ends_too_early_is_left_to_the_server(folder: Path, cut: int) -> None:
    spoiled = spoil(folder, lambda file: file[:-cut])

    result = repaired(folder)

    assert "Nothing was changed" in result.output
    assert file_of(folder).read_bytes() == spoiled
    assert loaded(folder) == (COMMITS - 1, COMMITS - 1)


def test_every_place_where_a_file_may_end_is_told_from_damage(folder: Path) -> None:
    path = file_of(folder)
    whole = path.read_bytes()[:600]
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        torn = damage_in(path)
        path.write_bytes(whole[:length] + b"\0" * 100)
        damaged = damage_in(path)

        assert torn is None or torn.is_torn, length
        assert damaged is not None, length
        assert damaged.whole <= length, length


@pytest.fixture
def running(folder: Path) -> Iterator[Path]:
    with ExitStack() as locks:
        for name in ("lock", "children.lock"):
            locks.enter_context(_locked(folder / name))
        yield folder


def test_nothing_is_repaired_while_the_store_runs(running: Path) -> None:
    spoiled = spoil(running, zeros_at_the_end)

    result = repaired(running)

    assert result.exit_code == 1
    assert "Hookfill runs in" in result.output
    assert file_of(running).read_bytes() == spoiled
    assert not list(running.glob("redis-damaged-*"))


def test_what_lies_before_other_files_is_not_cut(folder: Path) -> None:
    (base,) = (folder / "redis" / "appendonlydir").glob("*.base.aof")
    base.write_bytes(b"no commands at all, and a few more words")
    before = file_of(folder).read_bytes()

    result = repaired(folder)

    assert result.exit_code == 1
    assert "restore a backup" in result.output
    assert file_of(folder).read_bytes() == before


@pytest.mark.parametrize(
    ("more", "said"), [({"REDIS_URL": "redis://x/0"}, "REDIS_URL"), ({}, "no store in")]
)
def test_a_store_that_is_not_there_is_not_repaired(
    tmp_path: Path, more: dict[str, str], said: str
) -> None:
    result = repaired(tmp_path / "nothing", **more)

    assert result.exit_code == 1
    assert said in result.output


def test_nothing_is_cut_off_where_the_copy_has_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = spoil(folder, zeros_at_the_end)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)

    result = repaired(folder)

    assert result.exit_code == 1
    assert "No space left" in result.output
    assert file_of(folder).read_bytes() == spoiled
    assert not list(folder.glob("*redis-damaged*"))
