"""The secret keys of the installation, under which credentials are sealed."""

from flask import Blueprint
from marshmallow import fields

from app.admin.request_body import refuse_body
from app.bootstrap import Wiring
from app.services.admin.rekey import rekey
from app.web.answers import Json
from app.web.fields import Strict, Text, WholeNumber
from app.web.routes import OPERATION, Route, blueprint_of


class _Rekeyed(Strict):
    keys = WholeNumber()
    renewed = fields.Dict(keys=Text(), values=WholeNumber())
    newest = WholeNumber()
    older = WholeNumber()
    unreadable = fields.List(Text())


def blueprint(wiring: Wiring) -> Blueprint:
    """Return the route by which everything is sealed anew."""

    def seal_anew() -> Json:
        """Seal all credentials with the newest secret key, and look whether all of them are."""
        refuse_body()
        done = rekey(wiring.records, wiring.demo_secrets)
        return {
            "keys": len(wiring.settings.secret_keys),
            "renewed": {kind: count for kind, count in done.renewed.items() if count},
            "newest": done.newest,
            "older": done.older,
            "unreadable": list(done.unreadable),
        }

    rows = [Route("POST", "/api/rekey", seal_anew, answer=_Rekeyed())]
    return blueprint_of("keys", OPERATION, rows)
