"""The queues of the broker, as far as they are filled from here; see `app.dispatch`."""

from collections.abc import Sequence

from app.domain.errors import StoreUnavailable
from app.store.core.connection import StoreClient, packed


class RedisQueues:
    """Puts messages into queues.

    Args:
        broker: its client, which need not be that of the store.
        prefix: what the names of the queues begin with there.
    """

    def __init__(self, broker: StoreClient, prefix: str = "") -> None:
        self._broker, self._prefix = broker, prefix

    def put(self, messages: Sequence[tuple[str, str]]) -> Sequence[BaseException | None]:
        """Put messages into queues, in one round trip.

        Args:
            messages: name of the queue, and text, of each.

        Returns:
            for each message why it may not be there, or None if it is.
        """
        commands = [packed("LPUSH", self._prefix + queue, text) for queue, text in messages]
        try:
            answers = self._broker.at_once(commands)
        except (StoreUnavailable, OSError) as error:
            return [error.__cause__ or error] * len(messages)
        return [one if isinstance(one, Exception) else None for one in answers]
