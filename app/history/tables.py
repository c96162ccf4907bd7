"""The tables: what is searched, narrow and indexed, apart from what is shown.

Each index holds all the columns that a search may ask for, so that a page or a count is read from
the index alone, however wide the records are.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, and_

from app.domain.enums import Kind

METADATA = MetaData()

#: Rises when a release before can no longer work with the tables.
SCHEMA = 1

#: One row: the schema of the tables, and a name that no other history has.
ABOUT = Table(
    "hookfill_history",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("schema", Integer, nullable=False),
    Column("identity", Text, nullable=False),
)

#: One row: the number that it counts together with the store.
EPOCH = Table(
    "hookfill_epoch",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)

#: What is searched. `version` and `entries` tell which form of the aggregate it is.
AGGREGATES = Table(
    "hookfill_aggregates",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account", Integer, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text),
    Column("parent_id", BigInteger),
    # A digest: what callers choose has any length, and an index does not take any.
    Column("caller_key", Text),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    # What came later may be missing: an older release did not write it. `closed_at_ms` is of smart
    # trades, NEVER_MS while they are open.
    Column("type", Text),
    Column("closed_at_ms", BigInteger),
)

_C = AGGREGATES.c
_PLACE = (_C.created_at_ms, _C.id)
_REST = (_C.dialect, _C.side, _C.parent_id)

Index("hookfill_by_kind", _C.kind, *_PLACE, _C.account, _C.state, _C.symbol, *_REST)
Index("hookfill_by_kind_state", _C.kind, _C.state, *_PLACE, _C.account, _C.symbol, *_REST)
Index("hookfill_by_account", _C.account, _C.kind, *_PLACE, _C.state, _C.symbol, *_REST)
Index("hookfill_by_account_state", _C.account, _C.kind, _C.state, *_PLACE, _C.symbol, *_REST)
Index("hookfill_by_account_symbol", _C.account, _C.kind, _C.symbol, *_PLACE, _C.state, *_REST)
Index("hookfill_by_symbol", _C.symbol, _C.kind, *_PLACE, _C.account, _C.state, *_REST)
Index("hookfill_by_dialect", _C.dialect, _C.kind, *_PLACE, _C.account, _C.state, _C.symbol, *_REST)

# Requests among all that they have brought forth, which the overview asks for again and again.
_TOP = _C.parent_id.is_(None)
Index(
    "hookfill_top",
    *(_C.kind, *_PLACE, _C.account, _C.state, _C.symbol, *_REST),
    sqlite_where=_TOP,
    postgresql_where=_TOP,
)
Index(
    "hookfill_top_by_account",
    *(_C.account, _C.kind, *_PLACE, _C.state, _C.symbol, *_REST),
    sqlite_where=_TOP,
    postgresql_where=_TOP,
)
Index(
    "hookfill_by_parent",
    _C.parent_id,
    *_PLACE,
    sqlite_where=_C.parent_id.is_not(None),
    postgresql_where=_C.parent_id.is_not(None),
)
Index(
    "hookfill_by_caller",
    _C.caller_key,
    *_PLACE,
    sqlite_where=_C.caller_key.is_not(None),
    postgresql_where=_C.caller_key.is_not(None),
)

# Lists that begin with the oldest, and what has changed within a time.
Index(
    "hookfill_by_update",
    *(_C.account, _C.kind, _C.updated_at_ms, _C.id, _C.created_at_ms),
    *(_C.state, _C.symbol, _C.type, *_REST),
)
_TRADE = _C.kind == Kind.SMART_TRADE.value
for _name, _moment in (("created", _C.created_at_ms), ("closed", _C.closed_at_ms)):
    Index(
        f"hookfill_trades_by_{_name}",
        *(_C.account, _moment, _C.id, _C.kind, _C.state, _C.symbol, _C.type, *_REST),
        sqlite_where=_TRADE,
        postgresql_where=_TRADE,
    )

#: Of a smart trade that an older release has written.
UNTYPED = and_(_TRADE, _C.type.is_(None))
Index("hookfill_untyped", _C.account, _C.id, sqlite_where=UNTYPED, postgresql_where=UNTYPED)

#: What is shown: the record as the store wrote it, with its timeline and children as JSON arrays.
RECORDS = Table(
    "hookfill_records",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("timeline", Text, nullable=False),
    Column("children", Text, nullable=False),
)

#: Rows of the paper venue's ledger that have left the store, as the store wrote them.
PAPER_ROWS = Table(
    "hookfill_paper_rows",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Integer, nullable=False),
    Column("client_order_id", Text, nullable=False),
    Column("body", Text, nullable=False),
)

Index("hookfill_paper_rows_by_number", PAPER_ROWS.c.account, PAPER_ROWS.c.number)
Index("hookfill_paper_rows_by_order", PAPER_ROWS.c.account, PAPER_ROWS.c.client_order_id)

#: Where the fills are; what they are stands in the records of their orders.
FILLS = Table(
    "hookfill_fills",
    METADATA,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("account", Integer, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

_F = FILLS.c
_FILL_PLACE = (_F.at_ms, _F.order_id, _F.number)

Index("hookfill_fills_by_time", *_FILL_PLACE, _F.account, _F.symbol, _F.side, _F.dialect)
Index("hookfill_fills_by_account", _F.account, *_FILL_PLACE, _F.symbol, _F.side, _F.dialect)
