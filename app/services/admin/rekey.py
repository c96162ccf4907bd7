"""Everything that is sealed gets the newest secret key, so that the older ones can go."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.domain.account import Account, ApiClient, Connector
from app.domain.channel import Channel
from app.domain.errors import StoreError
from app.ports.registry import DemoSecrets
from app.services.admin.records import Records

#: Records that are written in one change. Each change has every process read the registry anew, so
#: there should be few; and one that meets another is made anew, so each should be short.
BATCH = 500

Record = Account | Connector | ApiClient | Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """How everything is sealed now.

    Attributes:
        renewed: what was sealed anew → how many of it.
        newest: how many are sealed with the newest key.
        older: how many are not, though they can be: somebody with other keys has written meanwhile,
            or it is not sure which key they were hashed with.
        unreadable: what none of the keys opens, each as a person knows it.
    """

    renewed: Mapping[str, int]
    newest: int
    older: int
    unreadable: Sequence[str]


def rekey(records: Records, demo: DemoSecrets) -> Rekeyed:
    """Seal everything with the newest key that is not, and look whether all of it is.

    Twice is once, and what was stopped halfway goes on where it was. What others change meanwhile
    is not undone: each record is written upon what it was made of, or made anew. What an earlier
    release has hashed fits any key, so it is left alone while something else says that one is
    missing: sealed with the wrong ones it would match nothing, for ever.

    Raises:
        RegistryChanged: others change accounts and credentials all the time; some is sealed anew.
    """
    renewed: Counter[str] = Counter()
    records.registry.refresh()
    is_sure = not _found(records, demo, renewed).unreadable
    for kind, all_of in _kinds(records):
        owners = [_owner_of(one) for one in all_of()]
        for start in range(0, len(owners), BATCH):
            some = frozenset(owners[start : start + BATCH])
            work = partial(_renew, all_of, some, records, is_sure=is_sure)
            renewed[kind] += records.registry.change(work)
    renewed["demo secrets"] = _renew_demo(records, demo)
    return _found(records, demo, renewed)


def _renew(
    all_of: Callable[[], Sequence[Record]],
    some: Collection[str],
    records: Records,
    *,
    is_sure: bool,
) -> int:
    """Seal these records anew where they need it, and return how many did; within a `change`."""
    changed = []
    for record in all_of():
        kept = _kept_by(record)
        if _owner_of(record) in some and (is_sure or records.vault.is_sealed(kept)):
            renewed = _renewed(_owner_of(record), kept, records)
            if renewed is not None and renewed != kept:
                changed.append(_keeping(record, renewed))
    records.registry.change_all(changed)
    return len(changed)


def _renew_demo(records: Records, demo: DemoSecrets) -> int:
    count = 0
    for name, kept in demo.all().items():
        renewed = _renewed(name, kept, records)
        if renewed is not None and renewed != kept:
            count += demo.swap(name, kept, renewed)
    return count


def _renewed(owner: str, kept: str, records: Records) -> str | None:
    """Return what is kept under the newest key, or None where no key opens it."""
    try:
        return records.vault.renewed(owner, kept) if kept else kept
    except StoreError:
        return None


def _found(records: Records, demo: DemoSecrets, renewed: Mapping[str, int]) -> Rekeyed:
    """Read everything once more, and tell how it is sealed."""
    records.registry.refresh()
    newest, older, unreadable = 0, 0, []
    for words, owner, kept in _everything(records, demo):
        match _renewed(owner, kept, records):
            case None:
                unreadable.append(words)
            case again if again == kept:
                newest += 1
            case _:
                older += 1
    return Rekeyed(renewed=renewed, newest=newest, older=older, unreadable=unreadable)


def _everything(records: Records, demo: DemoSecrets) -> Iterator[tuple[str, str, str]]:
    """Yield what is sealed: in words, its owner, and the seal."""
    for _, all_of in _kinds(records):
        for record in all_of():
            if _kept_by(record):
                yield _words_of(record), _owner_of(record), _kept_by(record)
    for name, kept in demo.all().items():
        # One that no key opens is no credential of anybody, and nobody could set it anew.
        if _renewed(name, kept, records) is not None:
            yield "a secret of the demo", name, kept


def _kinds(records: Records) -> Iterator[tuple[str, Callable[[], Sequence[Record]]]]:
    registry = records.registry
    yield "accounts", registry.accounts
    yield "connectors", registry.connectors
    yield "clients", registry.clients
    yield "channels", registry.channels


def _kept_by(record: Record) -> str:
    match record:
        case Account():
            return record.credentials or ""
        case Connector():
            return record.token_hash
        case ApiClient():
            return record.secret
        case Channel():
            return record.sealed


def _keeping(record: Record, kept: str) -> Record:
    match record:
        case Account():
            return replace(record, credentials=kept)
        case Connector():
            return replace(record, token_hash=kept)
        case ApiClient():
            return replace(record, secret=kept)
        case Channel():
            return replace(record, sealed=kept)


def _owner_of(record: Record) -> str:
    return record.name if isinstance(record, Account) else record.origin


def _words_of(record: Record) -> str:
    match record:
        case Account():
            return f"account {record.name}"
        case Connector():
            return f"connector {record.name}"
        case Channel():
            return f"channel {record.name}"
        case ApiClient():
            # Its key is not told: it may be all that one needs.
            return f"{record.dialect} client of {', '.join(record.accounts)}"
