"""The newest refused requests of dialects, for whoever looks why messages do not come through."""

from typing import Final

from flask import Blueprint
from marshmallow import fields

from app.admin.request_body import query_of_request
from app.bootstrap import Wiring
from app.web.answers import Json
from app.web.fields import Strict, Text, WholeNumber, between
from app.web.routes import OPERATION, Route, blueprint_of

#: As many as are kept.
LIMIT_MAX: Final = 1_000


class RefusalsQuery(Strict):
    """How many."""

    limit = WholeNumber(validate=between(1, LIMIT_MAX), load_default=LIMIT_MAX)


_REFUSAL: Final = Strict.from_dict(
    {
        "at_ms": fields.Integer(),
        "dialect": Text(),
        "status": fields.Integer(),
        "fields": fields.List(Text()),
        "reason": Text(),
        "peer": Text(),
        "times": fields.Integer(),
    }
)


class _Refusals(Strict):
    data = fields.List(fields.Nested(_REFUSAL))


_QUERY = RefusalsQuery()


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route that lists refusals."""

    def refusals() -> Json:
        """List the newest refused requests."""
        return {"data": list(wiring.refusals.newest(query_of_request(_QUERY)["limit"]))}

    row = Route("GET", "/api/refusals", refusals, query=_QUERY, answer=_Refusals())
    return blueprint_of("refusals", OPERATION, (row,))
