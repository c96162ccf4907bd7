"""How long things may take."""

from dataclasses import dataclass

from app.domain.account import PAPER, Account
from app.domain.enums import Mode
from app.domain.exits import SHOWN_LATE_MS
from app.domain.identifiers import EpochMs
from app.domain.order import Order
from app.domain.order_reports import LOOKS_MAX
from app.ports.clock import Clock

#: For how long after its time stamp a real venue takes a request (as Binance does by default).
RECEIVE_WINDOW_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long things may take, in milliseconds, and what that depends on.

    Attributes:
        paper_asks: whether the paper venue has its prices from an exchange; else all that it tells
            is in our store.
        place_lease_ms: without an answer for this long a placement counts as lost. The paper venue
            answers at once, or with the store's time-out, and takes no order twice, however late.
        unknown_grace_ms: how long a venue may hide an order that it has; before that, "not found"
            proves nothing. The paper venue hides none.
        unknown_retry_ms: first pause between two questions; doubles up to `retry_max_ms`.
        retry_ms: first pause before a send that did not arrive is tried again; doubles likewise.
        venue_place_lease_ms, venue_grace_ms: as the first two, where money is not paper.
        venue_absence_ms: how far apart two answers of "no such order" must be to prove it there.
        venue_poll_ms: between two questions about open orders, and about prices, of one account.
        price_age_max_ms: prices of a real venue that are older fire no trigger.
        lane_patience_ms: how long an exit waits for an unknown order of its lane.
        republish_after_ms: how long an effect may be owed before its message counts as lost.
        timer_horizon_ms: how far ahead a countdown message is sent.
        history_after_ms: how long what has finished stays in the store, if there is room; 0 is for
            ever.
        give_up_ms: how long the store may take to take a request in; the caller was told 503 then.
        look_ms, look_max_ms: first pause between two looks for what somebody waits for, and the
            longest: it grows as the wait does.
        ask_again_ms: without an answer for this long a worker is told once more; its message may be
            lost, or may have found another one at work.
        adjust_wait_ms: how long whoever sets leverage or position mode waits; after that no worker
            begins with it.
        adjust_lease_ms: longer than both settings of an account may take, 20 s each: of two at
            once the venue might keep the one and our record the other. Whoever dies over an
            account holds up the next this long.
        inspect_wait_ms: how long people wait for what a worker finds; it asks a venue some
            questions, each of which may take its time-out.
        learn_wait_ms: how long whoever needs what an exchange tells waits for a worker to ask.
        reconcile_wait_ms: how long people wait for a comparison of an account with its venue.
        reconcile_lease_ms: longer than the questions of one account take.
        reconcile_every_ms: between two comparisons that nobody has asked for.
        venue_cancel_wait_ms: how long people wait for what becomes of a cancel at a venue.
        venue_cancel_begin_ms: after that no worker begins with it: they may have thought better.
        venue_cancel_lease_ms: longer than cancel and look-up take; after that somebody else looks
            what has become of it.
        venue_cancel_give_up_ms: after that nobody goes on asking a venue that does not answer.
        replace_wait_ms: how long the caller of a replacement waits until the old order is off.
        reset_wait_ms: how long the answer to a placement under way is waited for before a paper
            ledger is emptied; longer than any answer of a worker that lives.
    """

    paper_asks: bool = False
    place_lease_ms: int = 5_000
    unknown_grace_ms: int = 1_000
    unknown_retry_ms: int = 2_000
    retry_ms: int = 1_000
    retry_max_ms: int = 60_000
    venue_place_lease_ms: int = 30_000
    venue_grace_ms: int = 35_000
    venue_absence_ms: int = 10_000
    venue_poll_ms: int = 2_000
    price_age_max_ms: int = 30_000
    lane_patience_ms: int = 10_000
    republish_after_ms: int = 3_000
    timer_horizon_ms: int = 20_000
    history_after_ms: int = 3_600_000
    give_up_ms: int = 500
    look_ms: int = 5
    look_max_ms: int = 50
    ask_again_ms: int = 1_000
    adjust_wait_ms: int = 2_000
    adjust_lease_ms: int = 45_000
    inspect_wait_ms: int = 30_000
    learn_wait_ms: int = 2_000
    reconcile_wait_ms: int = 5_000
    reconcile_lease_ms: int = 60_000
    reconcile_every_ms: int = 60_000
    venue_cancel_wait_ms: int = 5_000
    venue_cancel_begin_ms: int = 30_000
    venue_cancel_lease_ms: int = 30_000
    venue_cancel_give_up_ms: int = 3_600_000
    replace_wait_ms: int = 2_000
    reset_wait_ms: int = 1_000

    @property
    def pause_max_ms(self) -> int:
        """How far ahead of now any work in the outbox is due at most."""
        pauses = (self.retry_max_ms, self.unknown_retry_ms << LOOKS_MAX)
        return max(*pauses, self.place_lease_ms, self.venue_place_lease_ms, self.venue_absence_ms)

    def give_up_at_ms(self, clock: Clock) -> EpochMs:
        """Return the server time after which the store must refuse what is asked of it now."""
        return EpochMs(clock.server_ms() + self.give_up_ms)

    def asks_outside(self, account: Account) -> bool:
        """Return whether what the account's venue tells may come from anywhere but our store."""
        return account.venue != PAPER or self.paper_asks

    def lease_ms(self, account: Account) -> int:
        """Return how long a placement of this account may take."""
        return self.place_lease_ms if account.mode is Mode.PAPER else self.venue_place_lease_ms

    def grace_ms(self, account: Account) -> int:
        """Return how long the account's venue may hide an order that it has."""
        return self.unknown_grace_ms if account.mode is Mode.PAPER else self.venue_grace_ms

    def proof_in_ms(self, account: Account, order: Order, clock: Clock) -> int:
        """Return after how long "no such order" of an unknown one proves something; 0 is now.

        By then the venue takes its request no more, and has had time to show what it took.
        """
        since_ms = order.unknown_since_ms or order.lease_until_ms
        return max(self.grace_ms(account) - clock.lasted_ms(since_ms), 0)

    def shown_late_ms(self, account: Account) -> int:
        """Return how long after a fill its venue may not show a position; paper tells at once."""
        return 0 if account.mode is Mode.PAPER else SHOWN_LATE_MS

    def absence_ms(self, account: Account) -> int:
        """Return how far apart two answers of "no such order" must be; 0 believes the first."""
        return 0 if account.mode is Mode.PAPER else self.venue_absence_ms
