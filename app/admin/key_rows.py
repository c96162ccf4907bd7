"""A key that an exchange refuses, as the admin API shows it."""

from marshmallow import fields

from app.web.fields import Strict, Text


class RefusedKeyRow(Strict):
    """What for, since when, when it is tried again (server time), and the exchange's words."""

    scope = Text()
    since_ms = fields.Integer()
    again_at_ms = fields.Integer()
    message = Text()


REFUSED_KEY = RefusedKeyRow()
