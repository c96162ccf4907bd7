"""A web process as it would be for the length of one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.bootstrap import Wiring, paper_ports, store_ports
from app.domain.identifiers import EpochMs
from app.exchanges.account_key import AccountKeys
from app.history.reader import WholeReader
from app.paper.admin.administration import PaperAdministration
from app.paper.paper_venues import PaperVenues
from app.paper.store import overlay as paper_scripts
from app.paper.store.reports import RedisPaperReports
from app.ports import Ports
from app.rehearsal.book import DryBook
from app.rehearsal.history import ReadHistory
from app.rehearsal.ports import (
    FreeLocks,
    Journal,
    KeptEffects,
    NotedAccounts,
    NotedAnswers,
    NotedLedger,
    ReadResults,
    SharedQuestions,
    WorkingClock,
)
from app.rehearsal.venues import DryVenues
from app.services.dry_run import Altered, Follower, Foreseen, foreseen
from app.store.coordination.rates import RedisRates
from app.store.coordination.refusals import RedisRefusals
from app.store.core.demo_secrets import RedisDemoSecrets
from app.store.core.memory import RedisMemory
from app.store.core.notices import RedisNotices
from app.store.core.reader import RedisReader
from app.store.core.tape import RedisTape
from app.store.memory.key_trials import RedisKeyTrials
from app.store.memory.venue_memory import RedisSymbolMap, RedisVenueMemory
from app.store.overlay import scripts
from app.store.overlay.client import Counterpart, OverlayClient

_COUNTERPARTS: Final[Mapping[str, Counterpart]] = {
    **scripts.COUNTERPARTS,
    **paper_scripts.COUNTERPARTS,
}


#: Later than any business time.
_EVER: Final = EpochMs(2**53)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """One dry run.

    Attributes:
        wiring: what a request is carried out with; nothing that it writes goes to the store.
        journal: what has happened so far.
        follower: does what follows, as workers would.
        store: the store as it would be.
        real: as it is.
    """

    real: Ports
    wiring: Wiring
    journal: Journal
    follower: Follower
    store: OverlayClient

    @property
    def sets_something(self) -> bool:
        """Whether leverage, a position mode or a kill switch would be set, or switched off."""
        switches = self.wiring.ports.kill_switches.due(_EVER)
        return self.journal.adjusts or switches != self.real.kill_switches.due(_EVER)

    def finish(self) -> tuple[Sequence[Foreseen], Sequence[Altered]]:
        """Do what follows, and return what came of it: what is new, and what is altered.

        Raises:
            StoreError: the store, or the history, could not be read.
            NotDry: something cannot be told without doing it.
        """
        self.follower.go_on()
        found = foreseen(self.journal.changes, self.follower.problems, self.wiring.ports)
        self.store.refuse_if_refused()
        return found


def rehearsal_of(wiring: Wiring) -> Rehearsal:
    """Begin a dry run of what a web process is asked to do.

    Every port is built anew over a client that writes nothing, but for these: the clock, settings,
    what counts guesses of credentials, and questions to exchanges, which workers really ask.
    """
    store, journal, real = OverlayClient(wiring.store, _COUNTERPARTS), Journal(), wiring.ports
    kept = KeptEffects(real.publisher, journal)
    follower = Follower(kept.waiting)
    clock = WorkingClock(real.clock, follower.go_on)
    history = ReadHistory(wiring.history)
    faults = wiring.settings.fast
    paper = paper_ports(store, clock, wiring.paper.ports.source, history, faults=faults)
    registry = wiring.registry.over(store)
    accounts, memory = NotedAccounts(registry), RedisVenueMemory(store, clock)
    ports = store_ports(store, clock, real.policy, lambda: "dry-run")(
        venues=DryVenues(real.venues, PaperVenues(paper)),
        accounts=accounts,
        views=memory,
        reports=RedisPaperReports(store),
        history=history,
        publisher=kept,
    )
    ledger = NotedLedger(store, clock, lambda: "dry-run", real.policy.republish_after_ms)
    answers = NotedAnswers(store)
    ledger.journal = answers.journal = journal
    ports = replace(
        ports,
        ledger=ledger,
        first_answers=answers,
        locks=FreeLocks(),
        book=DryBook(real.book),
        results=ReadResults(real.results),
        worker_requests=SharedQuestions(
            ports.worker_requests, real.worker_requests, real.ids, registry, journal
        ),
    )
    follower.begin(ports)
    live = RedisReader(store)
    return Rehearsal(
        real=real,
        wiring=replace(
            wiring,
            store=store,
            ports=ports,
            registry=registry,
            history=history,
            reader=WholeReader(live, history),
            events=live,
            tape=RedisTape(store),
            demo_secrets=RedisDemoSecrets(store),
            refusals=RedisRefusals(store),
            notices=RedisNotices(store),
            keys=AccountKeys(RedisKeyTrials(store)),
            movable_clock=None,
            store_memory=RedisMemory(store),
            symbols=RedisSymbolMap(store),
            memory=memory,
            rates=RedisRates(store),
            paper=PaperAdministration(paper),
        ),
        journal=journal,
        follower=follower,
        store=store,
    )
