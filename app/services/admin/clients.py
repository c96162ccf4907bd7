"""An API client of a dialect is made, changed or switched off."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.account import Account, ApiClient
from app.services.admin.connectors import existing_account
from app.services.admin.records import SECRET_BYTES, SHORT_SECRET_CHARACTERS, Records

#: Looks at a client as it shall be and at its accounts, and raises what its dialect minds.
Rule = Callable[[ApiClient, Sequence[Account]], None]


def put_client(
    client: ApiClient,
    changes: Mapping[str, Any],
    secret: str | None,
    rule: Rule,
    records: Records,
    *,
    is_compared: bool,
) -> tuple[ApiClient, str | None]:
    """Store a new client, which has no secret yet, or change what is named; within a `change`.

    Args:
        client: as it is.
        changes: fields of the record, their values checked; `settings` are joined to those that
            there are.
        secret: the new one; None keeps the old one, and makes one for a new client.
        rule: of the dialect.
        records: what it is kept by.
        is_compared: the secret is only compared, so no more than a hash of it is kept; else
            it signs, and is kept sealed.

    Returns:
        The client, and the secret that was made: it is told this once.

    Raises:
        MalformedPayload: with the messages by field; nothing has changed.
    """
    made = None
    if secret is None and not client.secret:
        secret = made = secrets.token_urlsafe(SECRET_BYTES)
    after = replace(
        client, **{**changes, "settings": {**client.settings, **changes.get("settings", {})}}
    )
    for name in changes.get("accounts", ()):
        existing_account("accounts", name, records)
    known = {one.name: one for one in records.registry.accounts()}
    accounts = [known[name] for name in after.accounts if name in known]
    if secret is not None:
        hashed = records.vault.hashed
        kept = hashed(after.origin, secret) if is_compared else _sealed(after, secret, records)
        is_short = len(secret) < SHORT_SECRET_CHARACTERS
        after = replace(after, secret=kept, has_short_secret=is_short)
    rule(after, accounts)
    if after != client:
        records.registry.put_client(after)
    return after, made


def _sealed(client: ApiClient, secret: str, records: Records) -> str:
    return records.vault.encrypt(client.origin, {"secret": secret})
