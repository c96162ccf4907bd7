"""A connector of Crypto Arsenal is made, changed or switched off."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from app.domain.account import Connector
from app.domain.errors import MarketsUnknown, NotFound, invalid_fields
from app.domain.identifiers import AccountName, Symbol
from app.services.admin.records import SECRET_BYTES, SHORT_SECRET_CHARACTERS, Records
from app.services.learn import learn_markets
from app.services.symbols import symbol_of


def put_connector(
    name: str, changes: Mapping[str, Any], records: Records
) -> tuple[Connector, str | None]:
    """Store a new connector, or change what is named of a known one; within a `change`.

    Args:
        name: of the connector.
        changes: fields of the record, their values checked; `token` is kept as a hash, and
            `symbol` is as its caller writes it.
        records: what it is kept by.

    Returns:
        The connector, and the token of a new one that came without: it is told this once.

    Raises:
        MalformedPayload: with the messages by field; nothing has changed.
    """
    known = records.registry.connector(name)
    named = {field: value for field, value in changes.items() if field != "token"}
    token, made = changes.get("token"), None
    if "account" in named:
        named["account"] = existing_account("account", named["account"], records)
    if known is None:
        missing = [field for field in ("account", "symbol") if field not in named]
        if missing:
            raise invalid_fields({field: ["Is needed for a new connector."] for field in missing})
        if token is None:
            token = made = secrets.token_urlsafe(SECRET_BYTES)
    connector = replace(known, **named) if known else Connector(name=name, token_hash="", **named)
    if token is not None:
        connector = _with_token(connector, token, records)
    if "symbol" in named:
        connector = replace(connector, symbol=_symbol_of(connector, records))
    if connector != known:
        records.registry.put_connector(connector)
    return connector, made


def _with_token(connector: Connector, token: str, records: Records) -> Connector:
    token_hash = records.vault.hashed(connector.origin, token)
    is_short = len(token) < SHORT_SECRET_CHARACTERS
    return replace(connector, token_hash=token_hash, has_short_secret=is_short)


def existing_account(field: str, name: str, records: Records) -> AccountName:
    """Return the name of an account that there is.

    Raises:
        MalformedPayload: there is none; the field is told.
    """
    try:
        return records.registry.account_named(AccountName(name)).name
    except NotFound as error:
        raise invalid_fields({field: [f"There is no account named {name[:64]!a}."]}) from error


def _symbol_of(connector: Connector, records: Records) -> Symbol:
    """Return what a spelling means to the connector's account.

    Raises:
        MalformedPayload: nothing.
        MarketsUnknown: nobody knows, and no worker has learned it in time.
    """
    account = records.registry.account_named(connector.account)
    meant = partial(symbol_of, connector.symbol, account, records.ports.venues, records.symbols)
    try:
        try:
            return meant()
        except MarketsUnknown:
            learn_markets([account], records.ports)
            return meant()
    except NotFound as error:
        raise invalid_fields({"symbol": [f"{error}."]}) from error
