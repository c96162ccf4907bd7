"""Procfile, compose file, image, units and server settings say the same thing."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from app.dispatch.routes import QueueName
from app.settings import GIVEN_TO, VARIABLES
from app.settings.kinds import DATABASE_URL
from app.supervisor import embedded_server
from tests.support.deployment import DEPLOY, FILES, lines_of_compose, lines_of_file, services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))

#: What the start-up check of the store asks for.
REDIS_SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
}
#: The broker keeps nothing, and makes room for what is new.
BROKER_SETTINGS = {
    "appendonly": "no",
    "save": '""',
    "maxmemory": "64mb",
    "maxmemory-policy": "allkeys-lru",
    "maxmemory-clients": "50%",
}
#: Of the servers that compose starts; processes get them in URLs, if at all.
PASSWORDS = {"STORE_PASSWORD", "BROKER_PASSWORD", "VIEWER_PASSWORD", "HISTORY_PASSWORD"}
#: It alone is reached from outside. Its image keeps certificates in folders of root.
FRONT = "caddy"
ASKED = {"redis": REDIS_SETTINGS, "broker": BROKER_SETTINGS}
#: Procfile line → the service in compose.yaml and the unit in systemd/ that run it.
NAMES = {
    "web": "web",
    "worker": "worker",
    "worker_polls": "worker-polls",
    "beat": "beat",
    "flower": "flower",
}


def procfile() -> dict[str, list[str]]:
    """Read the Procfile: process type → its words, environment included."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: shlex.split(command) for name, _, command in (x.partition(":") for x in lines)}


def without_environment(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in {"env", "-u"} and not re.match(r"[A-Z_]+", word)]


def withheld(process: str) -> set[str]:
    """Return what may hold a secret and is not for this process of the Procfile."""
    kind = process.partition("_")[0]
    return {name for name, kinds in GIVEN_TO.items() if kind not in kinds}


def queues(words: Sequence[str]) -> set[str]:
    return set(words[words.index("-Q") + 1].split(","))


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have case
    parser.read(path)
    return parser


def unit_command(path: Path) -> list[str]:
    return shlex.split(unit(path)["Service"]["ExecStart"].replace("%%", "%"))


def settings_in(lines: Sequence[str]) -> dict[str, str]:
    return {
        name: value for name, _, value in (line.partition(" ") for line in lines) if name != "user"
    }


def users_in(lines: Sequence[str]) -> dict[str, str]:
    """Return what each user may do; a password is left out."""
    users = (line.split() for line in lines if line.startswith("user "))
    return {
        name: " ".join(word for word in rest if word[0] not in ">#") for _, name, *rest in users
    }


def test_the_procfile_serves_exactly_the_queues_there_are() -> None:
    served = set[str]().union(*(queues(words) for words in procfile().values() if "-Q" in words))

    assert served == {str(queue) for queue in QueueName}


def test_every_worker_of_the_procfile_takes_urgent_work() -> None:
    workers = [words for words in procfile().values() if "-Q" in words]

    assert len(workers) > 1
    assert all("urgent" in queues(words) for words in workers)


def test_the_procfile_names_every_process_type() -> None:
    assert procfile().keys() == NAMES.keys()


@pytest.mark.parametrize(("process", "service"), NAMES.items())
def test_compose_runs_the_line_of_the_procfile(process: str, service: str) -> None:
    command = shlex.split(services()[service]["command"])

    assert command == without_environment(procfile()[process])


@pytest.mark.parametrize(("process", "name"), NAMES.items())
def test_systemd_runs_the_line_of_the_procfile(process: str, name: str) -> None:
    program, *arguments = unit_command(DEPLOY / "systemd" / f"hookfill-{name}.service")

    assert [Path(program).name, *arguments] == without_environment(procfile()[process])


def test_of_every_variable_that_may_hold_a_secret_it_is_said_who_gets_it() -> None:
    hidden = {one.name for one in VARIABLES.values() if not one.kind.is_shown}

    assert hidden == GIVEN_TO.keys()
    assert set[str]().union(*GIVEN_TO.values()) == {name.partition("_")[0] for name in procfile()}


def test_beat_and_flower_know_the_broker_alone() -> None:
    assert withheld("beat") == GIVEN_TO.keys() - {"BROKER_URL"}
    assert withheld("flower") == GIVEN_TO.keys() - {"BROKER_URL", "HOOKFILL_FLOWER_PASSWORD"}


@pytest.mark.parametrize("process", NAMES)
def test_the_procfile_withholds_what_a_process_does_not_need(process: str) -> None:
    words = procfile()[process]

    assert {name for flag, name in pairwise(words) if flag == "-u"} == withheld(process)


@pytest.mark.parametrize(("process", "name"), NAMES.items())
def test_systemd_withholds_what_a_process_does_not_need(process: str, name: str) -> None:
    service = unit(DEPLOY / "systemd" / f"hookfill-{name}.service")["Service"]

    assert set(service["UnsetEnvironment"].split()) == withheld(process)


@pytest.mark.parametrize(("process", "service"), [*NAMES.items(), ("worker", "seed")])
def test_compose_withholds_what_a_process_does_not_need(process: str, service: str) -> None:
    environment = services()[service]["environment"]

    empty = {name for name, text in environment.items() if text == ""}
    assert empty == withheld(process) | PASSWORDS


def test_the_document_says_who_gets_what() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([a-z, ]+) \|", text, re.MULTILINE)

    assert {name: set(kinds.split(", ")) for name, kinds in rows} == GIVEN_TO


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_names_a_command_that_is_installed(path: Path) -> None:
    installed = {entry.name for entry in entry_points(group="console_scripts")}

    assert Path(unit_command(path)[0]).name in {*installed, "python"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened_and_not_root(path: Path) -> None:
    service = unit(path)["Service"]

    assert service["User"] not in {"root", "0"}
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_the_target_starts_every_unit(path: Path) -> None:
    target = unit(DEPLOY / "systemd" / "hookfill.target")

    assert path.name in target["Unit"]["Wants"].split()


@pytest.mark.parametrize("lines", [lines_of_compose, lines_of_file])
@pytest.mark.parametrize(("service", "asked"), ASKED.items())
def test_the_store_keeps_what_was_acknowledged_and_the_broker_nothing(
    lines: Callable[[str], list[str]], service: str, asked: Mapping[str, str]
) -> None:
    assert settings_in(lines(service)).items() >= asked.items()


@pytest.mark.parametrize("service", FILES)
def test_compose_and_files_let_in_the_same_users(service: str) -> None:
    users = users_in(lines_of_compose(service))

    assert users == users_in(lines_of_file(service))
    assert users["default"] == "off ~* &* +@all"


def test_the_broker_is_bounded_like_that_of_hookfill_up() -> None:
    assert embedded_server.BROKER_SETTINGS == BROKER_SETTINGS


def test_no_password_is_on_a_command_line() -> None:
    for settings in services().values():
        for word in shlex.split(str(settings.get("command", ""))):
            assert "PASSWORD" not in re.sub(r"\$\$[A-Z]+_PASSWORD", "", word)


def test_every_variable_of_compose_is_in_the_example() -> None:
    wanted = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))

    assert wanted > PASSWORDS
    assert wanted <= set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))


@pytest.mark.parametrize("service", services())
def test_a_service_has_no_rights_to_lose(service: str) -> None:
    settings = services()[service]

    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["read_only"] is True
    assert (int(settings["user"].split(":")[0]) > 0) is (service != FRONT)


@pytest.mark.parametrize("service", services())
def test_a_service_is_published_to_this_machine_only(service: str) -> None:
    ports = services()[service].get("ports", [])
    if service == FRONT:
        assert ports == ["80:8080", "443:8443"]
    else:
        assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_front_is_believed_and_is_there_only_if_it_is_wanted() -> None:
    front, web = services()[FRONT], services()["web"]
    address = front["networks"]["front"]["ipv4_address"]

    assert front["profiles"] == ["tls"]
    assert web["environment"]["HOOKFILL_TRUSTED_PROXIES"].startswith(f"{address}$")
    assert "front" in web["networks"]


@pytest.mark.parametrize("service", ["redis", "broker"])
def test_store_and_broker_are_reached_from_the_inside_only(service: str) -> None:
    content = yaml.safe_load((DEPLOY / "compose.yaml").read_text())

    assert services()[service]["networks"] == ["store"]
    assert content["networks"]["store"]["internal"] is True


def test_the_history_is_reached_from_the_inside_only() -> None:
    assert services()["history"]["networks"] == ["store"]
    for service in ("web", "worker", "worker-polls", "seed"):
        url = services()[service]["environment"]["DATABASE_URL"]
        filled_in = re.sub(r"\$\{HISTORY_PASSWORD:[^}]*\}", "secret", url)
        read = DATABASE_URL.read(filled_in)
        assert read == "postgresql+psycopg://hookfill:secret@history/hookfill"


def test_those_who_read_or_write_the_history_share_a_folder() -> None:
    """Beat and Flower do neither."""
    for name in ("web", "worker", "worker-polls"):
        assert (
            unit(DEPLOY / "systemd" / f"hookfill-{name}.service")["Service"]["StateDirectory"]
            == "hookfill"
        )
    lines = (DEPLOY / "env.example").read_text().splitlines()
    assert "HOOKFILL_DATA_DIR=/var/lib/hookfill" in lines


@pytest.mark.parametrize("service", services())
def test_a_service_says_how_its_health_is_seen(service: str) -> None:
    check = services()[service]["healthcheck"]

    assert "test" in check or service in {"beat", "seed"}


def test_health_is_asked_of_this_machine_without_a_proxy() -> None:
    checks = {
        name: [str(word) for word in settings["healthcheck"]["test"]]
        for name, settings in services().items()
        if "test" in settings["healthcheck"]
    }

    assert checks["web"] == ["CMD", "python", "deploy/healthy.py", "web"]
    assert checks["flower"] == ["CMD", "python", "deploy/healthy.py", "flower"]
    assert 'CMD ["python", "deploy/healthy.py", "web"]' in (DEPLOY / "Dockerfile").read_text()
    assert not any("urllib" in word for words in checks.values() for word in words)


def nginx_example() -> str:
    return (DEPLOY / "nginx.conf").read_text()


def test_nginx_hangs_up_on_who_is_slow_and_bounds_each_address() -> None:
    _, _, public = nginx_example().partition("listen 443")

    for directive in ("client_header_timeout", "client_body_timeout"):
        seconds = re.search(rf"^    {directive} (\d+)s;$", public, re.MULTILINE)
        assert seconds
        assert 0 < int(seconds[1]) <= 10
    assert re.search(r"^    limit_conn hookfill_connections \d+;$", public, re.MULTILINE)
    zone = "limit_conn_zone $binary_remote_addr zone=hookfill_connections:"
    assert zone in nginx_example()


def test_nginx_can_read_its_example(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    without_keys = re.sub(
        r"^    (ssl_certificate.*|listen 443) ?.*;$", "", nginx_example(), flags=re.MULTILINE
    )
    files = f"pid {tmp_path}/pid; error_log stderr;"
    (tmp_path / "nginx.conf").write_text(f"{files} events {{}} http {{ {without_keys} }}")

    file = str(tmp_path / "nginx.conf")
    words = [nginx, "-t", "-q", "-e", "stderr", "-p", str(tmp_path), "-c", file]
    told = subprocess.run(words, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stderr


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert users
    assert int(users[-1].split(":")[0]) > 0


def test_the_image_is_built_from_the_lock() -> None:
    text = (DEPLOY / "Dockerfile").read_text()

    assert "--no-deps --require-hashes --requirement requirements.lock" in text


def test_what_the_image_copies_exists_and_reaches_the_builder() -> None:
    copies = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    sources = {source for words in copies for source in words.split()}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line}

    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert any(Path(source).match(pattern) for pattern in kept)
