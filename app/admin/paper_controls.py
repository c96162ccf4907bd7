"""What only the test profile has: a clock that can be moved, and faults of the paper venue."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Response, jsonify

from app.admin import answer_shapes as shapes
from app.admin.paper_accounts import PaperAccounts
from app.admin.paper_bodies import FAULTS, read
from app.admin.request_body import body_of_request, query_of_request
from app.admin.waiting import Patience, settled
from app.bootstrap import Wiring
from app.dispatch.routes import TaskName
from app.domain.errors import MalformedPayload
from app.domain.identifiers import EpochMs
from app.ports.clock import MovableClock
from app.services.keeping.resume import wake_everybody
from app.web.fields import Flag, Strict, WholeNumber, between, loaded
from app.web.routes import Route

#: Ten years: further ahead nothing is tested.
ADVANCE_MAX_MS = 315_360_000_000

#: The year 2100.
FREEZE_MAX_MS = 4_102_444_800_000

_PATIENCE = Patience()


class ClockBody(Strict):
    """One of three moves of the business clock."""

    advance_ms = WholeNumber(validate=between(0, ADVANCE_MAX_MS))
    freeze_at_ms = WholeNumber(validate=between(1, FREEZE_MAX_MS))
    real = Flag()


_MOVE = ClockBody()


class _Controls:
    """Moves time, and plans faults."""

    def __init__(self, wiring: Wiring, clock: MovableClock) -> None:
        self._ports = wiring.ports
        self._messages = wiring.messages
        self._clock = clock
        self._accounts = PaperAccounts(wiring)
        self._paper = wiring.paper

    def show_clock(self) -> Response:
        """Answer the business time."""
        return jsonify(now_ms=self._clock.now_ms())

    def move_clock(self) -> Response:
        """Move business time, wake whoever waited for it, and wait for what that brings about."""
        query = query_of_request(_PATIENCE)
        now_ms = self._moved(body_of_request())
        self._messages.send(TaskName.TIMERS_DUE, [now_ms], about="the clock was moved")
        wake_everybody(self._ports)
        is_settled = settled(self._ports, query["timeout_ms"])
        return jsonify(settled=is_settled, now_ms=self._clock.now_ms())

    def put_faults(self, account: str) -> Response:
        """Plan the faults of an account, and no others."""
        found = self._accounts.get(account)
        self._paper.set_faults(found, read(FAULTS, body_of_request()))
        return jsonify(account=found.name)

    def clear_faults(self, account: str) -> Response:
        """Let every call of an account be well again."""
        found = self._accounts.get(account)
        self._paper.clear_faults(found)
        return jsonify(account=found.name)

    def _moved(self, content: Mapping[str, object]) -> EpochMs:
        match loaded(_MOVE, content):
            case {"advance_ms": int(by_ms), **others} if not others:
                return self._clock.advance(by_ms)
            case {"freeze_at_ms": int(at_ms), **others} if not others:
                return self._clock.freeze(at_ms)
            case {"real": True, **others} if not others:
                return self._clock.follow_server()
            case _:
                message = "one of advance_ms, freeze_at_ms and real (true) is needed"
                raise MalformedPayload("validation_failed", message)


def control_rows(wiring: Wiring) -> Sequence[Route]:
    """Return the routes of the test profile."""
    clock = wiring.movable_clock
    assert clock is not None, "bootstrap gives the test profile one"  # noqa: S101
    controls = _Controls(wiring, clock)
    faults = "/paper/faults/<account>"
    return [
        replace(route, tag="Test controls")
        for route in (
            Route("GET", "/paper/clock", controls.show_clock, "The business time."),
            Route(
                "POST",
                "/paper/clock",
                controls.move_clock,
                "Move the business time.",
                query=_PATIENCE,
                body=_MOVE,
                answer=shapes.SETTLED,
            ),
            Route("PUT", faults, controls.put_faults, "Plan faults.", body=FAULTS),
            Route("DELETE", faults, controls.clear_faults, "Plan no faults."),
        )
    ]
