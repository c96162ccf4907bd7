"""Backups of a data folder, of one at rest and of one in use, and what is made of them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
import redis
from click.testing import CliRunner
from cryptography.fernet import Fernet

from app.cli import main
from app.history.database import Database
from app.history.sql_history import SqlHistory
from app.ports.history import Record
from app.supervisor import backup as module
from app.supervisor.backup import CannotCopy, back_up, restore
from app.supervisor.embedded_server import find_server
from tests.support.builders import a_signal
from tests.support.servers import running_server

pytestmark = pytest.mark.integration


KEY = Fernet.generate_key().decode()


def nothing(folder: Path) -> None:
    """Prepare nothing."""
    del folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as a run has left it, with a key in its store and a record in its history."""
    path = tmp_path / "var"
    with running_server(path / "redis") as server, client_of(server.url) as client:
        client.set("kept", "1")
    (path / "secret.key").write_text(KEY)
    (path / "logs").mkdir()
    (path / "logs" / "web.log").write_text("nothing for others")
    (path / "redis" / "redis.conf").write_text("requirepass secret")
    keep(path)
    return path


def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, protocol=2)


def history_of(folder: Path) -> SqlHistory:
    return SqlHistory(Database(f"sqlite:///{folder.absolute() / 'history.db'}"))


def keep(folder: Path) -> None:
    signal = a_signal()
    history_of(folder).keep([Record(aggregate=signal, version=1, body="{}")])


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"HOOKFILL_DATA_DIR": str(folder), **more}


def names_in(file: Path) -> set[str]:
    with tarfile.open(file) as tar:
        return {name.partition("/")[0] for name in tar.getnames()}


@contextmanager
def in_use(folder: Path) -> Iterator[redis.Redis]:
    """Run a server over the folder, as `hookfill up` does, and hold its locks."""
    with (
        module._locked(folder / "lock"),  # noqa: SLF001
        module._locked(folder / "children.lock"),  # noqa: SLF001
        running_server(folder / "redis") as server,
        client_of(server.url) as client,
    ):
        (folder / "run.json").write_text(json.dumps({"redis_url": server.url}))
        yield client
        (folder / "run.json").unlink(missing_ok=True)


def loaded(folder: Path) -> dict[str, str | None]:
    """Return what a server finds in a folder."""
    with running_server(folder / "redis") as server, client_of(server.url) as client:
        return {str(name): client.get(name) for name in client.scan_iter()}


def test_a_folder_at_rest_is_copied_and_made_anew(folder: Path, tmp_path: Path) -> None:
    file, made = tmp_path / "one.tar", tmp_path / "new"

    elsewhere = back_up(file, environ(folder))
    restore(file, made, nothing)

    assert elsewhere == []
    assert names_in(file) == {"hookfill-backup.json", "redis", "history.db", "secret.key"}
    assert (made / "secret.key").read_text() == KEY
    assert not (made / "redis" / "redis.conf").exists()
    assert history_of(made).marks([a_signal().id])
    assert loaded(made) == {"kept": "1"}


def test_nobody_else_may_read_what_is_made(folder: Path, tmp_path: Path) -> None:
    file, made = tmp_path / "one.tar", tmp_path / "new"
    before = os.umask(0)
    try:
        back_up(file, environ(folder))
        restore(file, made, nothing)
    finally:
        os.umask(before)

    paths = [file, made, *made.rglob("*")]
    assert len(paths) > 4
    assert [one for one in paths if stat.S_IMODE(one.stat().st_mode) & 0o077] == []


def test_a_folder_in_use_is_copied_while_it_is_written_to(folder: Path, tmp_path: Path) -> None:
    file, made = tmp_path / "one.tar", tmp_path / "new"
    ends = threading.Event()

    def write(url: str) -> None:
        with client_of(url) as client:
            while not ends.is_set():
                client.incr("counted")

    with in_use(folder) as client:
        client.incr("counted")
        url = json.loads((folder / "run.json").read_text())["redis_url"]
        writer = threading.Thread(target=write, args=[url])
        writer.start()
        try:
            back_up(file, environ(folder))
        finally:
            ends.set()
            writer.join()
        written = int(str(client.get("counted")))
        percentage = client.config_get("auto-aof-rewrite-percentage")
    restore(file, made, nothing)

    found = loaded(made)
    assert found["kept"] == "1"
    assert 0 < int(found["counted"] or 0) <= written
    assert percentage == {"auto-aof-rewrite-percentage": "100"}


def test_the_store_is_copied_before_the_history(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    add: Callable[..., None] = module._add  # noqa: SLF001

    def noting(tar: tarfile.TarFile, path: Path, name: str) -> None:
        order.append(name.partition("/")[0])
        add(tar, path, name)

    monkeypatch.setattr(module, "_add", noting)
    back_up(tmp_path / "one.tar", environ(folder))

    assert list(dict.fromkeys(order)) == ["redis", "history.db", "secret.key"]


def test_a_backup_that_fails_halfway_leaves_no_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_add_history", Mock(side_effect=OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        back_up(tmp_path / "one.tar", environ(folder))

    assert {one.name for one in tmp_path.iterdir()} == {"var"}


def test_two_backups_at_once_are_refused(folder: Path, tmp_path: Path) -> None:
    with module._locked(folder / "backup.lock"), pytest.raises(CannotCopy, match="Another"):  # noqa: SLF001
        back_up(tmp_path / "one.tar", environ(folder))


def test_what_is_kept_elsewhere_is_said(folder: Path, tmp_path: Path) -> None:
    (folder / "secret.key").unlink()
    settings = environ(
        folder, DATABASE_URL="postgresql://me@somewhere/history", HOOKFILL_SECRET_KEY=KEY
    )

    elsewhere = back_up(tmp_path / "one.tar", settings)

    assert len(elsewhere) == 2
    assert "pg_dump" in elsewhere[0]
    assert names_in(tmp_path / "one.tar") == {"hookfill-backup.json", "redis"}


def test_a_store_that_is_elsewhere_is_not_copied(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotCopy, match="REDIS_URL"):
        back_up(tmp_path / "one.tar", environ(folder, REDIS_URL="redis://there:6379/0"))


@pytest.mark.parametrize("what", ["no folder", "no store", "file there", "starting"])
def test_why_nothing_is_backed_up(folder: Path, tmp_path: Path, what: str) -> None:
    file, settings = tmp_path / "one.tar", environ(folder)
    match what:
        case "no folder":
            settings = environ(tmp_path / "none", HOOKFILL_SECRET_KEY=KEY)
        case "no store":
            for one in folder.rglob("appendonly*/*"):
                one.unlink()
        case "file there":
            file.write_text("an older one")
        case _:
            with module._locked(folder / "children.lock"), pytest.raises(CannotCopy):  # noqa: SLF001
                back_up(file, settings)
            return

    with pytest.raises(CannotCopy):
        back_up(file, settings)

    assert file.exists() is (what == "file there")


def test_a_folder_that_is_not_empty_is_left_alone(folder: Path, tmp_path: Path) -> None:
    back_up(tmp_path / "one.tar", environ(folder))
    before = sorted(folder.rglob("*"))

    with pytest.raises(CannotCopy, match="not empty"):
        restore(tmp_path / "one.tar", folder, nothing)

    assert sorted(folder.rglob("*")) == before


def test_a_restore_that_fails_halfway_leaves_no_folder(folder: Path, tmp_path: Path) -> None:
    back_up(tmp_path / "one.tar", environ(folder))

    with pytest.raises(OSError, match="no more"):
        restore(tmp_path / "one.tar", tmp_path / "new", Mock(side_effect=OSError("no more")))

    assert {one.name for one in tmp_path.iterdir()} == {"var", "one.tar"}


@pytest.mark.parametrize("name", ["../out", "/out", "link"])
def test_a_file_that_reaches_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        module._add_text(tar, "hookfill-backup.json", '{"format": 1}')  # noqa: SLF001
        member = tarfile.TarInfo(name)
        if name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)

    with pytest.raises(CannotCopy):
        restore(file, tmp_path / "new", nothing)

    assert {one.name for one in tmp_path.iterdir()} == {"evil.tar"}


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.tar").write_bytes(content)

    with pytest.raises(CannotCopy):
        restore(tmp_path / "odd.tar", tmp_path / "new", nothing)


def test_a_backup_that_was_cut_off_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.tar"
    back_up(file, environ(folder))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    with pytest.raises(CannotCopy):
        restore(file, tmp_path / "new", nothing)

    assert not (tmp_path / "new").exists()


def test_the_commands_and_a_restored_folder_counts_as_older_than_its_history(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REDIS_URL", "DATABASE_URL", "HOOKFILL_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    file, made = str(tmp_path / "one.tar"), str(tmp_path / "new")

    backed_up = CliRunner().invoke(main, ["backup", file, "--data-dir", str(folder)])
    again = CliRunner().invoke(main, ["backup", file, "--data-dir", str(folder)])
    restored = CliRunner().invoke(main, ["restore", file, "--data-dir", made])
    twice = CliRunner().invoke(main, ["restore", file, "--data-dir", made])

    assert (backed_up.exit_code, restored.exit_code) == (0, 0), restored.output
    assert (again.exit_code, twice.exit_code) == (1, 1)
    assert "hookfill recover" in restored.output
    history = history_of(Path(made))
    assert history.epoch() > history_of(folder).epoch() + 1_000
    assert subprocess.run([find_server(), "--version"], check=False).returncode == 0
    with closing(Path(made, "secret.key").open()) as key:
        assert key.read() == KEY
