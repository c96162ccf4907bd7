"""A request that ends or sets something is carried out once, and told once more to who repeats it.

What makes something needs none of this: its repeats are told apart in the commit (`accept`). Here
done twice is harmless, save that the second one could reach what has come since. So whoever does
not hear of the first one carries the request out after all, and neither a lease that was lost nor
a process that died keeps anybody from ending anything.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from app.domain.errors import StoreUnavailable
from app.ports import Ports
from app.ports.coordination import Given
from app.services.ask import ask

#: Whoever takes longer to carry it out is not waited for.
LEASE_MS = 1_000

#: For an answer to a request that is under way.
WAIT_MS = 2_000

#: JSON.
Answer = TypeVar("Answer")


def first_answer(
    name: str,
    life_ms: int,
    carry_out: Callable[[], Answer],
    is_final: Callable[[Answer], bool],
    ports: Ports,
) -> Answer:
    """Carry out a request, or return what the same one was answered the first time.

    An error is no answer: whoever comes again after one carries the request out.

    Args:
        name: a hash that only the same request again has.
        life_ms: for how long an answer is kept.
        carry_out: returns the answer, JSON.
        is_final: tells whether an answer leaves nothing to be done.
        ports: as everywhere.

    Raises:
        StoreUnavailable: nothing was carried out.
    """
    begun = ask((), lambda: ports.first_answers.begin(name, LEASE_MS) or None, WAIT_MS, ports)
    if isinstance(begun, Given):
        told: Answer = json.loads(begun.text)
        return told
    answer, is_kept = None, False
    try:
        answer = carry_out()
        is_kept = is_final(answer)
    finally:
        # It is done, or not: that the store is away by now changes nothing about that.
        with suppress(StoreUnavailable):
            if is_kept:
                ports.first_answers.keep(name, json.dumps(answer), life_ms)
            else:
                ports.first_answers.give_up(name)
    return answer
