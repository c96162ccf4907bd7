"""Hashes, in hexadecimal, by which the same request is known again."""

import hashlib
import json
from collections.abc import Mapping

from app.web.json_body import canonical_text


def digest_of(payload: Mapping[str, object]) -> str:
    """Return a hash that only the same payload has, in any order of its keys."""
    return hashlib.sha256(canonical_text(payload).encode()).hexdigest()


def one_hash(*parts: object) -> str:
    """Return one hash of several texts and numbers, none of which can pass for another."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
