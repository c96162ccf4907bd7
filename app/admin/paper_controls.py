"""What only the test profile has: a clock that can be moved, and faults of the paper venue."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.admin.paper_accounts import PaperAccounts
from app.admin.paper_bodies import FAULTS, read
from app.admin.request_body import body_of_request, query_of_request
from app.admin.waiting import PATIENCE, settled
from app.bootstrap import Wiring
from app.dispatch.routes import TaskName
from app.domain.errors import MalformedPayload
from app.domain.identifiers import EpochMs
from app.ports.clock import MovableClock
from app.services.keeping.resume import wake_everybody
from app.web.answers import Json
from app.web.fields import Flag, Strict, WholeNumber, between, loaded
from app.web.routes import Route

#: Ten years: further ahead nothing is tested.
ADVANCE_MAX_MS = 315_360_000_000

#: The year 2100.
FREEZE_MAX_MS = 4_102_444_800_000


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

    def show_clock(self) -> Json:
        """Answer the business time."""
        return {"now_ms": self._clock.now_ms()}

    def move_clock(self) -> Json:
        """Move business time, wake whoever waited for it, and wait for what that brings about."""
        query = query_of_request(PATIENCE)
        now_ms = self._moved(body_of_request())
        self._messages.send(TaskName.TIMERS_DUE, [now_ms], about="the clock was moved")
        wake_everybody(self._ports)
        is_settled = settled(self._ports, query["timeout_ms"])
        return {"settled": is_settled, "now_ms": self._clock.now_ms()}

    def put_faults(self, account: str) -> Json:
        """Plan the faults of an account, and no others."""
        found = self._accounts.get(account)
        self._paper.set_faults(found, read(FAULTS, body_of_request()))
        return {"account": found.name}

    def clear_faults(self, account: str) -> Json:
        """Let every call of an account be well again."""
        found = self._accounts.get(account)
        self._paper.clear_faults(found)
        return {"account": found.name}

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
    movable = wiring.movable_clock
    assert movable is not None, "bootstrap gives the test profile one"  # noqa: S101
    controls = _Controls(wiring, movable)
    clock, faults = "/paper/clock", "/paper/faults/<account>"
    return [
        replace(route, tag="Test controls")
        for route in (
            Route("GET", clock, controls.show_clock),
            Route("POST", clock, controls.move_clock, query=PATIENCE, body=_MOVE),
            Route("PUT", faults, controls.put_faults, body=FAULTS),
            Route("DELETE", faults, controls.clear_faults),
        )
    ]
