"""Accounts, connectors and API clients, secrets, and how symbols are read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from app.domain.account import Account, ApiClient, Connector
from app.domain.channel import Channel
from app.domain.enums import AccountState, Dialect, PositionMode
from app.domain.identifiers import AccountId, AccountName, Symbol, VenueName

Changed = TypeVar("Changed")


class Accounts(Protocol):
    """The accounts that there are."""

    def account(self, account_id: AccountId) -> Account:
        """Return an account.

        Raises:
            NotFound: there is none with this id.
        """

    def accounts(self) -> Sequence[Account]:
        """Return all accounts, by id."""

    def version(self) -> int:
        """Return the version of what this process has read; see `Admission.registry_version`."""

    def refresh(self) -> bool:
        """Read anew what has changed, and return whether anything had."""

    def note_position_mode(self, account_id: AccountId, mode: PositionMode) -> None:
        """Write down how the venue of an account holds its positions from now on."""


class Registry(Accounts, Protocol):
    """Accounts, connectors and API clients: who may do what, and with which account."""

    @property
    def is_unread(self) -> bool:
        """Whether this process has never read it."""

    def account_named(self, name: AccountName) -> Account:
        """Return an account by its name.

        Raises:
            NotFound: there is none with this name.
        """

    def connector(self, name: str) -> Connector | None:
        """Return a connector, or None if there is none with this name."""

    def connectors(self) -> Sequence[Connector]:
        """Return all connectors, by name."""

    def client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return an API client, or None if the dialect has none with this key."""

    def known_client(self, dialect: Dialect, key: str) -> ApiClient | None:
        """Return the same as far as this process knows: the store is not asked."""

    def clients(self) -> Sequence[ApiClient]:
        """Return all API clients, by dialect and key."""

    def channels(self) -> Sequence[Channel]:
        """Return all channels, by name, as far as this process knows: the store is not asked."""

    def known_name(self, account_id: AccountId) -> AccountName | None:
        """Return the name of an account, as far as this process knows: the store is not asked."""

    def change(self, make: Callable[[], Changed]) -> Changed:
        """Change records upon what is stored now, and return what `make` does.

        What is put is written only if nobody has changed anything since `make` began to read: then
        it is made anew, so that nothing which another change has set or switched off is lost.

        Args:
            make: reads, checks, and puts one record; what else it does must bear repetition.

        Raises:
            RegistryChanged: it met others again and again; nothing was written.
        """

    def put_account(self, account: Account) -> Account:
        """Create or change an account; a new one (id 0) gets its id and starts in RUN.

        Raises:
            RegistryChanged: likewise for each record: somebody has changed something since the
                `change` began in which this is called, or else since this process has last read.
        """

    def put_connector(self, connector: Connector) -> None:
        """Create or change a connector."""

    def put_client(self, client: ApiClient) -> None:
        """Create or change an API client."""

    def put_channel(self, channel: Channel) -> None:
        """Create or change a channel."""

    def change_all(self, records: Sequence[Account | Connector | ApiClient | Channel]) -> None:
        """Change known records of one kind, all or nothing, in one version."""

    def set_state(self, account: AccountId, state: AccountState) -> None:
        """Set the risk state of an account. It holds for whatever is sent from now on.

        Raises:
            WrongState: the account is frozen; see `Freezer`.
        """


class Vault(Protocol):
    """Secrets: sealed where they must be read again, hashed where they need only be compared."""

    def encrypt(self, owner: str, secrets: Mapping[str, str]) -> str:
        """Return the secrets sealed together with the name of their owner."""

    def decrypt(self, owner: str, sealed: str) -> Mapping[str, str]:
        """Return the secrets.

        Raises:
            StoreError: the keys are others, or the seal belongs to another owner.
        """

    def hashed(self, owner: str, secret: str) -> str:
        """Return a hash of a token or password, with a salt of its own, sealed."""

    def matches(self, owner: str, secret: str, kept: str | None) -> bool:
        """Tell whether `kept`, as `hashed` has returned it, is of this secret; None is of none.

        Raises:
            StoreError: as `decrypt`.
        """

    def is_sealed(self, kept: str) -> bool:
        """Tell whether it says by itself if a key fits; what an earlier release hashed does not."""

    def renewed(self, owner: str, kept: str) -> str:
        """Return what is kept of an owner's secrets, sealed with the newest key; twice is once.

        Raises:
            StoreError: as `decrypt`.
        """


class DemoSecrets(Protocol):
    """Secrets of the demo's callers, which are shown again at each start."""

    def all(self) -> Mapping[str, str]:
        """Return whose it is → the secret, sealed under that name."""

    def swap(self, name: str, before: str, after: str) -> bool:
        """Put a sealed secret in the place of another one, unless somebody was faster."""


class SymbolMap(Protocol):
    """How people want symbols of a venue to be read, above our own rules."""

    def spellings(self, venue: VenueName) -> Mapping[str, Symbol]:
        """Return spelling, in upper case → symbol."""

    def put_spelling(self, venue: VenueName, spelling: str, symbol: Symbol | None) -> None:
        """Set what a spelling means; None takes it away."""
