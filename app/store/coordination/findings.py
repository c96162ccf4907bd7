"""What workers have found, for whoever asked."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import redis

from app.domain.finding import Finding, Grade
from app.store.core.scripts import text_of, translated
from app.store.memory import venue_keys

#: Whoever asked waits for some seconds.
LIFE_MS = 120_000


class RedisFindings:
    """Answers to questions that only a worker can ask, by ticket.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, ticket: str, findings: Sequence[Finding]) -> None:
        """Leave what was found."""
        text = json.dumps([asdict(one) for one in findings])
        with translated():
            self._client.set(venue_keys.findings(ticket), text, px=LIFE_MS)

    def get(self, ticket: str) -> Sequence[Finding] | None:
        """Return what was found, or None while nobody has looked."""
        with translated():
            found = self._client.get(venue_keys.findings(ticket))
        if found is None:
            return None
        return [
            Finding(
                check=one["check"],
                message=one["message"],
                grade=Grade(one["grade"]),
                fix=one["fix"],
            )
            for one in json.loads(text_of(found))
        ]
