"""What is known of a record that cannot be read."""

from dataclasses import dataclass

from app.domain.identifiers import AccountId, AggregateId, EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A record that this release cannot read: it is left as it is until one can.

    Attributes:
        account: None if not even that can be read.
        since_ms: server time at which somebody first could not read it.
    """

    id: AggregateId
    account: AccountId | None
    since_ms: EpochMs
    why: str
