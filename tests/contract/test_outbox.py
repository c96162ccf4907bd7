"""The outbox: effects whose message counts as lost are sent again, at a bounded pace."""

from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import AccountId, EpochMs
from app.domain.status import OrderStatus
from app.store.core import keys
from app.store.core.scripts import text_of
from tests.support.builders import SPOT_ID, USDM_ID, an_id, an_order, an_order_in, must
from tests.support.faulty_store import FaultyStore
from tests.support.redis_store import Store, server_ms


def lose(store: Store) -> None:
    """Let every message that was sent count as lost."""
    for key in store.client.scan_iter("*:outbox"):
        for member in store.client.zrange(key, 0, -1):
            store.client.zadd(key, {text_of(member): 1})


def test_what_was_sent_a_moment_ago_is_not_overdue(store: Store) -> None:
    store.clock.advance(server_ms(store.client) - store.clock.server_ms())

    store.put(an_order())

    assert store.outbox.overdue(10) == []


def test_what_is_further_ahead_than_anything_is_put_off_is_overdue(store: Store) -> None:
    """The clock was set back since it was put there."""
    store.put(an_order())
    ahead_ms = server_ms(store.client) + 3_600_000
    for key in store.client.scan_iter("*:outbox"):
        for member in store.client.zrange(key, 0, -1):
            store.client.zadd(key, {text_of(member): ahead_ms})

    assert store.outbox.overdue(10) == [Effect(kind=EffectKind.PLACE, target=an_order().id)]
    store.clock.advance(server_ms(store.client) - store.clock.server_ms())
    assert store.outbox.overdue(10) == []


def test_all_outboxes_are_looked_at_in_one_round_trip(redis_server: str) -> None:
    client = FaultyStore(redis_server, 5.0)
    outbox = Store(client).outbox
    outbox.overdue(10)  # loads the script
    client.disarm()

    outbox.overdue(10)

    assert client.disarm() == 1


def test_what_was_lost_is_overdue_once_in_a_while(store: Store) -> None:
    store.put(an_order())
    lose(store)

    assert store.outbox.overdue(10) == [Effect(kind=EffectKind.PLACE, target=an_order().id)]
    assert store.outbox.overdue(10) == []


def test_an_effect_is_put_off_and_stays_owed(store: Store) -> None:
    store.put(an_order())
    before = server_ms(store.client)
    lose(store)

    store.outbox.overdue(10)

    score = must(store.client.zscore(keys.shard_of(SPOT_ID).outbox, f"place:{an_order().id}"))
    assert score >= before + 3_000
    assert store.owed() == [f"place {an_order().id}"]


def test_all_shards_are_looked_at(store: Store) -> None:
    for account in (SPOT_ID, USDM_ID, AccountId(16)):
        store.put(an_order(id=an_id(1, account), account=account))
    lose(store)

    assert len(store.outbox.overdue(10)) == 3


def test_a_shard_gives_a_bounded_number_at_once(store: Store) -> None:
    for number in range(1, 6):
        store.put(an_order(id=an_id(number)))
    lose(store)

    assert len(store.outbox.overdue(3)) == 3
    assert len(store.outbox.overdue(3)) == 2


def test_what_is_done_is_not_overdue(store: Store) -> None:
    store.put(an_order())
    store.change(an_order_in(OrderStatus.FILLED))
    lose(store)

    assert store.outbox.overdue(10) == []


def test_an_effect_with_a_time_of_its_own_is_overdue_then(store: Store) -> None:
    soon, later = (
        an_order_in(OrderStatus.UNKNOWN, id=an_id(number), next_action_at_ms=EpochMs(at_ms))
        for number, at_ms in ((1, 1_000), (2, server_ms(store.client) + 60_000))
    )
    store.put(soon)
    store.put(later)

    assert [effect.target for effect in store.outbox.overdue(10)] == [soon.id]


def test_urgency_survives_the_outbox(store: Store) -> None:
    store.put(an_order_in(OrderStatus.NEW, cancel_requested=True))
    lose(store)

    (effect,) = store.outbox.overdue(10)

    assert effect.kind is EffectKind.CANCEL
    assert effect.urgent
