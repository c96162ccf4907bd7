"""What every aggregate says of itself: which it is, through whom it came and what it trades."""

from dataclasses import dataclass
from typing import TypedDict

from app.domain.effects import AT_ONCE, Effect, EffectKind
from app.domain.enums import Dialect, Market
from app.domain.identifiers import AccountId, AggregateId, EpochMs, Symbol


class Beginning(TypedDict):
    """What an aggregate has from whoever brought it forth; see `Entity`."""

    dialect: Dialect
    origin: str
    account: AccountId
    symbol: Symbol
    market: Market
    created_at_ms: EpochMs
    updated_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What every aggregate says of itself.

    Attributes:
        dialect: in which it was asked for, or what it comes from.
        origin: what a "cancel many" of its dialect reaches: one connector, one client.
        created_at_ms, updated_at_ms: business times.
    """

    id: AggregateId
    dialect: Dialect
    origin: str
    account: AccountId
    symbol: Symbol
    market: Market
    created_at_ms: EpochMs
    updated_at_ms: EpochMs

    @property
    def parent_id(self) -> AggregateId | None:
        """Whose part it is; None where a caller has asked for it by itself."""
        return None

    @property
    def request_id(self) -> AggregateId | None:
        """What the request became that it comes from."""
        return self.id

    @property
    def exit_fails(self) -> bool:
        """Whether an exit of it has not got through several times in a row, and goes on."""
        return False

    @property
    def is_only_here(self) -> bool:
        """Whether a stop that its venue was to hold is not there, so that ours is the only one."""
        return False

    def sentence(self) -> str:
        """Return what it is, or wants, for people."""
        raise NotImplementedError

    def effect(
        self, kind: EffectKind, due_at_ms: EpochMs = AT_ONCE, *, urgent: bool = False
    ) -> Effect:
        """Return a piece of work that it owes."""
        return Effect(
            kind=kind,
            target=self.id,
            due_at_ms=due_at_ms,
            urgent=urgent,
            about=self.sentence(),
            account=self.account,
        )

    def beginning(self, at_ms: EpochMs) -> Beginning:
        """Return what a child has from it that is brought forth now."""
        return Beginning(
            dialect=self.dialect,
            origin=self.origin,
            account=self.account,
            symbol=self.symbol,
            market=self.market,
            created_at_ms=at_ms,
            updated_at_ms=at_ms,
        )
