"""What an aggregate is listed under, and what the outbox calls its effects."""

from itertools import product

import pytest

from app.domain.aggregate import Aggregate, is_finished
from app.domain.commands import Action
from app.domain.effects import Effect, EffectKind
from app.domain.identifiers import EpochMs
from app.domain.request.signal import RequestStatus, Stage
from app.domain.smart_order import SmartOrderStatus
from app.domain.status import OrderStatus
from app.store.core.indexes import effect_from, effect_text, list_anew, listings_of
from app.store.core.keys import shard_of
from tests.support.builders import NOW, a_signal, a_smart_order, an_id, an_order_in

AGAIN = EpochMs(NOW + 3_000)

AGGREGATES: list[Aggregate] = [
    *(an_order_in(status) for status in OrderStatus),
    *(an_order_in(status, reduces=True, awaits_turn=True) for status in OrderStatus),
    *(
        a_signal(action, status=state, stage=stage, caller_id="a")
        for action, state, stage in product(
            [Action.BUY, Action.OPEN_LONG, Action.CANCEL], RequestStatus, Stage
        )
    ),
    *(a_smart_order(status=state) for state in SmartOrderStatus),
]


@pytest.mark.parametrize(("kind", "urgent"), list(product(EffectKind, [False, True])))
def test_an_effect_survives_the_outbox(kind: EffectKind, *, urgent: bool) -> None:
    effect = Effect(kind=kind, target=an_id(), urgent=urgent)

    assert effect_from(effect_text(effect)) == effect


def test_nothing_is_listed_twice_under_one_name() -> None:
    for aggregate in AGGREGATES:
        places = [(listing.key, listing.member) for listing in listings_of(aggregate)]
        assert len(places) == len(set(places))


def test_what_is_not_live_is_listed_nowhere() -> None:
    for aggregate in AGGREGATES:
        if not aggregate.is_live:
            assert listings_of(aggregate) == {}


def test_what_there_never_was_is_listed_nowhere() -> None:
    assert listings_of(None) == {}


def test_no_change_needs_no_write() -> None:
    for aggregate in AGGREGATES:
        shard = shard_of(aggregate.id)
        places = {shard.everything, shard.kept, shard.finished} if is_finished(aggregate) else set()
        writes, effects = list_anew(aggregate, aggregate, NOW, AGAIN)

        assert effects == []
        assert {key for _, key, *_ in writes} <= places
