"""Who sends a command."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.account import Account
from app.domain.entity import Beginning
from app.domain.enums import Dialect
from app.domain.exits import USUAL, ExitRules
from app.domain.identifiers import AggregateId, EpochMs, Symbol


@dataclass(frozen=True, slots=True)
class SingleUse:
    """What is good for one request only, whichever account that is for: a key, a signature.

    Attributes:
        name: hash of it, hexadecimal, forgotten where one of the sender's accounts is reset.
        content: hash of the request, hexadecimal.
        is_signature: whether it is one.
    """

    name: str
    content: str
    is_signature: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """By what the same command is known again.

    Attributes:
        digest: hash, hexadecimal, that only the same command again has.
        life_ms: for how long from its arrival the same digest is a repeat; 0 is never.
        single_use: what the command came with that is good for no other, as long as the digest.
    """

    digest: str
    life_ms: int
    single_use: SingleUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends a command, when, and within which bounds it is taken in.

    Attributes:
        origin: what a "cancel many" of its dialect reaches, and within which caller ids differ.
        received_at_ms: business time of arrival.
        entry_lateness_ms: an entry later than this is not sent; 0 is never too late.
        exits: how exits of what it sends go on.
        registry_version: of the accounts and credentials that it was checked against, which must
            be the newest; None asks nothing.
        rate_key: whose budget the command counts against; None is nobody's.
        rate_per_minute: how many a minute; 0 is without limit.
        marks: by what the same command is known again, each by itself.
        waiting_max: how many smart orders may wait in the account; None asks nothing.
        replays: what the command is a replay of, if it is one.
    """

    dialect: Dialect
    origin: str
    account: Account
    received_at_ms: EpochMs
    entry_lateness_ms: int = 60_000
    exits: ExitRules = USUAL
    registry_version: int | None = None
    rate_key: str | None = None
    rate_per_minute: int = 0
    marks: tuple[Mark, ...] = ()
    waiting_max: int | None = None
    replays: AggregateId | None = None

    def beginning(self, symbol: Symbol) -> Beginning:
        """Return what an aggregate has from its sender."""
        return Beginning(
            dialect=self.dialect,
            origin=self.origin,
            account=self.account.id,
            symbol=symbol,
            market=self.account.market,
            created_at_ms=self.received_at_ms,
            updated_at_ms=self.received_at_ms,
        )

    @property
    def dedupe_keys(self) -> Mapping[str, EpochMs]:
        """What is stored to tell a repeat → business time from which on that is a new command.

        It does not outlive a reset of the account.
        """
        return {
            f"{self.account.resets}:{one.digest}": self.until_ms(one)
            for one in self.marks
            if one.life_ms
        }

    def until_ms(self, mark: Mark) -> EpochMs:
        """Return the business time from which on a mark tells nothing."""
        return EpochMs(self.received_at_ms + mark.life_ms)

    @property
    def entry_not_after_ms(self) -> EpochMs | None:
        """Business time after which an entry is too late; None is never."""
        if not self.entry_lateness_ms:
            return None
        return EpochMs(self.received_at_ms + self.entry_lateness_ms)
