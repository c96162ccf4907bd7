"""Whether it runs, whether it works, and how much it does: for supervisors and monitoring."""

import os
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
from app.bootstrap import Wiring
from app.domain import moments
from app.domain.errors import StoreError
from app.ports import Ports
from app.web.answers import Json
from app.web.routes import OPERATION, Access, Route, blueprint_of

#: A canary is sent every 2 s; one that is older than this did not come through.
CANARY_AGE_MAX_MS = 10_000


def canary_age_ms(ports: Ports) -> int | None:
    """Return for how long no canary came through the queue; None if none ever did."""
    sung_ms = ports.runs.canary_ms()
    return None if sung_ms is None else moments.age_ms(sung_ms, ports.clock.server_ms())


class _Health:
    """Answers without credentials, and so without anything worth hiding."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._settings = wiring.settings
        self._gauges = CollectorRegistry()
        self._gauges.register(StoreGauges(wiring))

    def live(self) -> Json:
        """Answer that this process runs."""
        return {"status": "ok"}

    def ready(self) -> tuple[Json, HTTPStatus]:
        """Answer whether the store answers and the queue carries messages to a worker."""
        problems: dict[str, str] = {}
        warnings: dict[str, str] = {}
        age_ms = None
        try:
            age_ms = canary_age_ms(self._ports)
        except StoreError:
            problems["store"] = "The store does not answer."
        else:
            if age_ms is None:
                problems["queue"] = "No canary has come through the queue yet."
            elif age_ms > CANARY_AGE_MAX_MS:
                problems["queue"] = f"The last canary came through the queue {age_ms} ms ago."
            warnings = self._warnings()
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
        count = self._ports.quarantine.count()
        if not count:
            return {}
        return {
            "quarantine": f"Records that this release cannot read: {count}. See hookfill doctor."
        }

    def metrics(self) -> Response:
        """Answer what is counted and what waits, for Prometheus."""
        text = generate_latest(_counted()) + generate_latest(self._gauges)
        return Response(text, content_type=CONTENT_TYPE_LATEST)


def _counted() -> CollectorRegistry:
    """Return the counters: of all processes that share a folder for them, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # the library's own variable
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # has no types
    return registry


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the routes of health and metrics, which are open."""
    health = _Health(wiring)
    ready = {200: "Ready.", 503: "Not ready; `problems` says why."}
    rows = (
        Route("GET", "/healthz", health.live, access=Access.OPEN),
        Route("GET", "/readyz", health.ready, access=Access.OPEN, answers=ready),
        Route("GET", "/metrics", health.metrics, access=Access.OPEN),
    )
    return blueprint_of("health", OPERATION, rows)
