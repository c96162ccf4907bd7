"""What lasts is told when it has begun, and when it is over."""

from dataclasses import dataclass, field, replace

import pytest

from app.domain.account import Account
from app.domain.channel import Channel
from app.domain.errors import OutcomeUnknown, StoreError, StoreUnavailable
from app.domain.identifiers import AccountName, AggregateId
from app.domain.notice import Notice, NoticeKind
from app.ports.notices import Mailbox
from app.services.telling.alarms import (
    ACCOUNTS_MS,
    LASTING_MS,
    UNKNOWN_MS,
    AlarmWatch,
    Surroundings,
)
from app.store.core import keys
from tests.support.builders import SPOT, USDM, a_command, fixed
from tests.support.rig import Rig


@dataclass
class World:
    """All that an alarm watch looks at beside the ports, as a test wants it."""

    late: list[str] = field(default_factory=list)
    broken: StoreError | None = None
    refused: dict[str, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def around(self) -> Surroundings:
        return Surroundings(
            late=self._late,
            refused_key=lambda account: self.refused.get(account.name),
            is_away=self._is_away,
        )

    def _late(self) -> list[str]:
        if self.broken is not None:
            raise self.broken
        return self.late

    def _is_away(self, account: Account) -> bool:
        return account.name in self.away


class Watch:
    """One process that looks."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.world = rig, World()
        rig.registry.put_channel(Channel(name="phone", sealed="-", service="tgram"))
        self.watch = self.another()

    def another(self) -> AlarmWatch:
        return AlarmWatch(self.rig.ports, self.rig.notices, self.rig.registry, self.world.around())

    def look(self, after_ms: int = 0) -> list[Notice]:
        """Look after a while, and return all that is told since the beginning."""
        self.rig.clock.advance(after_ms)
        self.watch.look()
        return self.told()

    def told(self, channel: str = "phone") -> list[Notice]:
        mailboxes = [Mailbox(kind, channel) for kind in NoticeKind]
        found = [one for mailbox in mailboxes for one in self.rig.notices.waiting(mailbox, 100)]
        return sorted(found, key=lambda one: one.at_ms)

    def lose_an_answer(self) -> AggregateId:
        self.rig.venue.place_script.append(OutcomeUnknown("who knows"))
        self.rig.accept(a_command(size=fixed("0.1")))
        self.rig.drain()
        return self.rig.order().id


@pytest.fixture
def watch(rig: Rig) -> Watch:
    return Watch(rig)


def said(notices: list[Notice]) -> list[str]:
    return [one.message for one in notices]


def test_an_order_that_is_unknown_for_a_minute_is_told_and_what_became_of_it(watch: Watch) -> None:
    order_id = watch.lose_an_answer()
    soon = watch.look(UNKNOWN_MS - 1)
    told = watch.look(1)
    again = watch.look(60_000)
    watch.rig.settle()
    over = watch.look()

    assert soon == []
    (notice,) = told
    assert (notice.kind, notice.account, notice.about) == (NoticeKind.UNKNOWN, SPOT.name, order_id)
    assert notice.message.startswith("nobody knows what has become of buy 0.1 BTC/USDT market")
    assert again == told
    ended = [one for one in over if one.kind is NoticeKind.UNKNOWN and one not in told]
    words = "it is known what has become of buy 0.1 BTC/USDT market: EXPIRED, filled 0"
    assert said(ended) == [words]
    assert watch.rig.notices.alarms() == {}


def test_two_that_look_at_once_tell_it_once(watch: Watch) -> None:
    watch.lose_an_answer()
    watch.rig.clock.advance(UNKNOWN_MS)
    other = watch.another()
    before = watch.rig.notices.alarms
    watch.rig.notices.alarms = dict  # type: ignore[method-assign] # neither has seen the other's
    watch.watch.look()
    other.look()
    watch.rig.notices.alarms = before  # type: ignore[method-assign]

    assert len(watch.told()) == 1


def test_what_is_not_done_in_time_is_told_once_it_lasts(watch: Watch) -> None:
    watch.world.late = ["sweep is late. It never was."]
    soon = [*watch.look(), *watch.look(LASTING_MS - 1)]
    told = watch.look(1)
    watch.world.late = []
    over = watch.look(1_000)

    assert soon == []
    assert said(told) == [
        "not all that must be done again and again is: sweep is late. It never was."
    ]
    assert {one.kind for one in over} == {NoticeKind.UNREADY}
    assert said(over)[1:] == ["all that must be done again and again is"]


def test_what_is_late_now_and_then_is_no_alarm(watch: Watch) -> None:
    for _ in range(5):
        watch.world.late = ["sweep"]
        watch.look(LASTING_MS - 1)
        watch.world.late = []
        watch.look(1)

    assert watch.told() == []


def test_keys_that_are_refused_and_exchanges_that_are_away(watch: Watch) -> None:
    watch.rig.go_live()
    feed = "binance:SPOT:live"
    watch.world.refused = {SPOT.name: "Invalid API-key"}
    watch.world.away = {SPOT.name}
    told = watch.look(ACCOUNTS_MS)
    watch.world.refused, watch.world.away = {}, set()
    over = watch.look(ACCOUNTS_MS)

    assert sorted((one.kind, one.account, one.message) for one in told if one.account) == [
        (NoticeKind.ACCOUNT, SPOT.name, "binance refuses the key: Invalid API-key")
    ]
    assert [one.message for one in told if one.kind is NoticeKind.VENUE] == [
        f"{feed} leaves requests without an answer"
    ]
    assert sorted(said(over[2:])) == [
        "binance does not refuse the key any more",
        f"{feed} answers again",
    ]


def test_a_channel_of_one_account_hears_of_its_own_exchange(watch: Watch) -> None:
    watch.rig.go_live()
    for name in (SPOT.name, USDM.name):
        channel = Channel(name=name, sealed="-", service="tgram", accounts=(AccountName(name),))
        watch.rig.registry.put_channel(channel)
    watch.world.away = {SPOT.name}
    watch.look(ACCOUNTS_MS)

    assert len(watch.told(SPOT.name)) == 1
    assert watch.told(USDM.name) == []


def test_what_could_not_be_looked_at_is_not_over(watch: Watch) -> None:
    watch.world.late = ["sweep"]
    watch.look()
    told = watch.look(LASTING_MS)
    watch.world.broken = StoreError("sealed with another key")
    later = watch.look(1_000)

    assert len(told) == 1
    assert later == told


def test_without_a_store_nothing_is_told(watch: Watch) -> None:
    watch.world.broken = StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        watch.look()


def test_whoever_begins_to_look_does_not_end_what_lasts(watch: Watch) -> None:
    watch.world.late = ["sweep"]
    watch.look()
    told = watch.look(LASTING_MS)
    watch.another().look()
    watch.watch.forget()
    watch.watch.look()

    assert len(told) == 1
    assert watch.told() == told


def test_what_nobody_wanted_to_hear_is_told_to_who_comes_while_it_lasts(watch: Watch) -> None:
    rig = watch.rig
    only_fills = Channel(name="phone", sealed="-", service="tgram", kinds=(NoticeKind.FILL,))
    rig.registry.put_channel(only_fills)
    watch.world.late = ["sweep"]
    watch.look()
    nobody = [*watch.look(LASTING_MS)]
    rig.registry.put_channel(Channel(name="new", sealed="-", service="tgram"))
    watch.look()

    assert nobody == []
    assert len(watch.told("new")) == 1


def test_an_account_that_was_switched_off_says_so(watch: Watch) -> None:
    watch.rig.go_live()
    watch.world.refused = {SPOT.name: "Invalid API-key"}
    watch.look(ACCOUNTS_MS)
    account = watch.rig.registry.account_named(SPOT.name)
    watch.rig.registry.put_account(replace(account, enabled=False))
    over = watch.look(ACCOUNTS_MS)

    assert said(over)[1:] == ["the account is switched off"]


def test_an_order_that_has_left_for_the_history_is_told_to_whoever_heard_of_it(
    watch: Watch,
) -> None:
    channel = Channel(name="mine", sealed="-", service="tgram", accounts=(SPOT.name,))
    watch.rig.registry.put_channel(channel)
    order_id = watch.lose_an_answer()
    watch.look(UNKNOWN_MS)
    watch.rig.redis.delete(keys.AggregateKeys(order_id).record)
    watch.rig.redis.delete(keys.shard_of(order_id).unknown)
    watch.look()

    assert [one.about for one in watch.told("mine")] == [order_id, order_id]
    assert "left for the history" in watch.told("mine")[1].message


def test_one_record_that_cannot_be_read_hides_nothing_else(watch: Watch) -> None:
    order_id = watch.lose_an_answer()
    watch.look(UNKNOWN_MS)
    watch.rig.redis.hset(keys.AggregateKeys(order_id).record, "body", '{"s": 99}')
    watch.rig.redis.delete(keys.shard_of(order_id).unknown)
    watch.world.late = ["sweep"]
    watch.look()
    told = watch.look(LASTING_MS)

    assert {one.kind for one in told} == {NoticeKind.UNKNOWN, NoticeKind.UNREADY}
    assert len(told) == 2


def test_an_alarm_of_a_newer_release_is_left_alone(watch: Watch) -> None:
    watch.rig.redis.hset(keys.SHARDS[2].alarms, "weather:storm", 1)

    assert watch.look() == []
    assert "weather:storm" in watch.rig.notices.alarms()
