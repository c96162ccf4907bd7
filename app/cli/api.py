"""The admin API as the command line sees it: where it is, and what its answers mean."""

import functools
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click
import requests

from app.settings import is_loopback

#: Seconds; setting prices may wait for the stack to settle.
_ANSWER_SECONDS = 35

#: JSON objects, as they come over the wire.
Record = dict[str, Any]


class Api:
    """The admin API of one running Hookfill."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._session = requests.Session()
        # A proxy of the environment knows nothing of this machine's loopback.
        self._session.trust_env = not is_loopback(urlsplit(base_url).hostname or "")

    def get(self, *path: str, **query: object) -> Record:
        """Read one thing, or a list under `data`."""
        return self._ask("GET", path, params=_said(query))

    def put(self, *path: str, body: Mapping[str, object]) -> Record:
        """Create or change one thing."""
        return self._ask("PUT", path, json=body)

    def post(
        self,
        *path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Record:
        """Ask for something to be done."""
        return self._ask("POST", path, json=body or {}, headers=headers)

    def delete(self, *path: str, **query: str) -> Record:
        """Disable one thing."""
        return self._ask("DELETE", path, params=_said(query))

    def readiness(self) -> tuple[bool, str]:
        """Return whether everything works, and what `/readyz` says about it."""
        answer = self._send("GET", ("readyz",))
        return answer.ok, answer.text.strip()

    def _ask(self, method: str, path: tuple[str, ...], **content: Any) -> Record:  # noqa: ANN401
        answer = self._send(method, path, **content)
        try:
            record = json.loads(answer.text or "{}", parse_float=Decimal)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise click.ClickException(f"{answer.url} answered {answer.status_code} without JSON.")
        if not answer.ok:
            raise click.ClickException(_sentence(record, answer.status_code))
        return record

    def _send(self, method: str, path: tuple[str, ...], **content: Any) -> requests.Response:  # noqa: ANN401
        url = "/".join([self._base_url, *(quote(part, safe="") for part in path)])
        try:
            return self._session.request(
                method, url, auth=self._authorize, timeout=_ANSWER_SECONDS, **content
            )
        except requests.RequestException as error:
            raise click.ClickException(
                f"Hookfill does not answer at {self._base_url}. Is `hookfill up` running?"
            ) from error

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _said(query: Mapping[str, object]) -> Record:
    return {name: text for name, text in query.items() if text not in {None, ""}}


def with_api(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the API as its first argument, and the options that say where it is."""

    @click.option(
        "--data-dir",
        envvar="HOOKFILL_DATA_DIR",
        default="var",
        show_default=True,
        type=click.Path(path_type=Path),
        help="Data folder of the `hookfill up` to talk to.",
    )
    @click.option("--url", help="Talk to this address instead.")
    @click.option("--token", "admin_token", envvar="HOOKFILL_ADMIN_TOKEN", help="Admin token.")
    @functools.wraps(command)
    def located(
        data_dir: Path, url: str | None, admin_token: str | None, **options: object
    ) -> None:
        command(_located(data_dir, url, admin_token), **options)

    return located


def _located(data_dir: Path, url: str | None, token: str | None) -> Api:
    try:
        run = json.loads((data_dir / "run.json").read_text())
    except (OSError, ValueError):
        run = {}
    base_url = url or run.get("base_url")
    if not base_url:
        raise click.ClickException(
            f"There is no {data_dir / 'run.json'}. Is `hookfill up` running? For another folder "
            "give --data-dir; for another machine --url and --token."
        )
    # The token of this machine is not for others.
    if not token and base_url == run.get("base_url"):
        token = run.get("admin_token")
    if not token:
        raise click.ClickException("Give --token (or HOOKFILL_ADMIN_TOKEN) with --url.")
    return Api(base_url, token)


def _sentence(record: Record, status: int) -> str:
    error = record.get("error")
    if not isinstance(error, dict):
        return f"The request failed with status {status}."
    fields = error.get("fields") or {}
    lines = [f"  {name}: {' '.join(map(str, words))}" for name, words in fields.items()]
    return "\n".join([str(error.get("message") or error.get("code")), *lines])
