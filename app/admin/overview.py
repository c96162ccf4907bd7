"""What the overview shows: whether all is well, the prices of the paper venue and what came in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from marshmallow import validate

from app.admin.health import CANARY_AGE_MAX_MS
from app.admin.order_list import ListQuery, page_of, search_from
from app.bootstrap import Wiring
from app.domain import moments
from app.domain.aggregate import Aggregate
from app.domain.enums import Kind
from app.domain.identifiers import AccountName
from app.domain.search import Place
from app.web.fields import Text

#: Rows of the overview.
ROWS: Final = 50

#: What the overview lists besides one kind of aggregate. Without a kind it lists requests only,
#: unless a state is asked for, which a part of a request may be in as well.
EVERYTHING: Final = "ALL"

#: What the overview can be asked for.
OVERVIEW_QUERY: Final = ListQuery.from_dict(
    {"kind": Text(validate=validate.OneOf([*Kind, EVERYTHING]))}
)()


class Overview:
    """Looks at the store as it is now."""

    def __init__(self, wiring: Wiring) -> None:
        self._ports = wiring.ports
        self._reader = wiring.reader
        self._registry = wiring.registry
        self._paper = wiring.paper
        self._is_walk = wiring.settings.prices == "walk"
        self._backlog = wiring.backlog

    def listed(self, query: dict[str, Any]) -> tuple[Sequence[Aggregate], Place | None]:
        """Return the next rows of the list, and the place after which to go on; None at the end.

        Args:
            query: as `OVERVIEW_QUERY` has read it.
        """
        kind, account = query.get("kind"), query.get("account")
        wanted = {**query, "kind": None if kind in {None, EVERYTHING} else Kind(kind)}
        account_id = account and self._registry.account_named(AccountName(account)).id
        top_level = kind is None and "state" not in query
        search = replace(search_from(wanted, account_id), top_level=top_level)
        return page_of(self._reader.newest(query["cursor"], search), ROWS)

    def health(self) -> Mapping[str, object]:
        """Return whether messages come through, and how much waits."""
        now_ms, sung_ms = self._ports.clock.server_ms(), self._ports.runs.canary_ms()
        age_ms = None if sung_ms is None else moments.age_ms(sung_ms, now_ms)
        return {
            "canary_age_ms": age_ms,
            "is_ready": age_ms is not None and age_ms <= CANARY_AGE_MAX_MS,
            "backlog": self._backlog.read(now_ms),
            "quarantined": self._ports.quarantine.all(),
        }

    def prices(self) -> object:
        """Return symbol → prices; of a real exchange what was seen last, for a page asks none."""
        return self._paper.prices()["prices"] if self._is_walk else self._paper.seen_prices()
