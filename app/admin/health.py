"""Whether it runs, whether it works, and how much it does: for supervisors and monitoring."""

import os
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    multiprocess,
)

from app.admin.gauges import StoreGauges
from app.admin.room import Room
from app.bootstrap import Wiring
from app.domain import moments
from app.domain.errors import StoreError
from app.lateness import late_of, lateness
from app.metric_files import FOLDER, tidied
from app.ports import Ports
from app.unhurried import give_way
from app.web.answers import Json
from app.web.routes import OPERATION, Access, Route, blueprint_of
from app.web.shared import Shared


def canary_age_ms(ports: Ports) -> int | None:
    """Return for how long no canary came through the queue; None if none ever did."""
    sung_ms = ports.runs.canary_ms()
    return None if sung_ms is None else moments.age_ms(sung_ms, ports.clock.server_ms())


class _Health:
    """Answers without credentials, and so without anything worth hiding."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._settings = wiring.settings
        self._room = Room(wiring)
        self._shared = Shared()
        self._gauges = CollectorRegistry()
        self._gauges.register(StoreGauges(wiring))

    def live(self) -> Json:
        """Answer that this process runs."""
        return {"status": "ok"}

    def ready(self) -> tuple[Json, HTTPStatus]:
        """Answer whether the store answers, all queues carry messages, and all rounds are made."""
        return self._shared.get("ready", self._looked_at)

    def _looked_at(self) -> tuple[Json, HTTPStatus]:
        problems: dict[str, str] = {}
        warnings: dict[str, str] = {}
        age_ms = None
        try:
            age_ms = canary_age_ms(self._ports)
            problems |= _problems(late_of(self._settings, self._ports))
            warnings = self._warnings()
        except StoreError:
            problems["store"] = "The store does not answer."
        answer: Json = {
            "status": "not_ready" if problems else "ready",
            "canary_age_ms": age_ms,
            "fast": self._settings.fast,
            "problems": problems,
            "warnings": warnings,
        }
        return answer, HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK

    def _warnings(self) -> dict[str, str]:
        """Return what somebody must look at, and what is no reason to send nobody here."""
        warnings = {one.of: one.sentence for one in self._room.shortages()}
        failing = len(self._ports.live.failing_exits())
        if failing:
            message = f"Exits that do not get through: {failing}. See hookfill doctor."
            warnings["exits"] = message
        count = self._ports.quarantine.count()
        if count:
            message = f"Records that this release cannot read: {count}. See hookfill doctor."
            warnings["quarantine"] = message
        return warnings

    def metrics(self) -> Response:
        """Answer what is counted and what waits, for Prometheus."""
        text = self._shared.get("metrics", self._told)
        return Response(text, content_type=CONTENT_TYPE_LATEST)

    def _told(self) -> bytes:
        with tidied():
            counted = generate_latest(_counted())
        give_way()
        return counted + generate_latest(self._gauges)


def _problems(late: Mapping[str, int | None]) -> Mapping[str, str]:
    """Return what strangers may read: not which exchanges, nor which accounts."""
    told: dict[str, str] = {}
    for name, age in late.items():
        kind, _, whose = name.partition(":")
        is_open = not whose or kind == "queue"
        told[name if is_open else f"{kind}:exchanges"] = lateness(age)
    return told


def _counted() -> CollectorRegistry:
    """Return the counters: of all processes that share a folder for them, else of this one."""
    if FOLDER not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return registry


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of health and metrics, which are open."""
    health = _Health(wiring)
    ready = {200: "Ready.", 503: "Not ready; `problems` says why."}
    rows = (
        Route("GET", "/healthz", health.live, access=Access.OPEN, is_light=True),
        Route("GET", "/readyz", health.ready, access=Access.OPEN, answers=ready, is_light=True),
        Route("GET", "/metrics", health.metrics, access=Access.OPEN),
    )
    return blueprint_of("health", OPERATION, rows)
