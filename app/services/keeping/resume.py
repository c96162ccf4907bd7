"""What waited for an account to run again, or for a time to come, goes on."""

from app.domain.identifiers import AccountId
from app.ports import Ports


def wake_account(account_id: AccountId, ports: Ports) -> None:
    """Hurry along whatever the aggregates of an account owe; the sweep would do so seconds later.

    To be called after the account's state was set. Too much is harmless: what may not run yet
    finds that out by itself.
    """
    live = set(ports.live.of_account(account_id))
    ports.publisher.publish([effect for effect in ports.outbox.owed() if effect.target in live])


def wake_everybody(ports: Ports) -> None:
    """Hurry along whatever anybody owes, since it is later now than it was.

    To be called after business time was moved. Too much is harmless here, too.
    """
    ports.publisher.publish(list(ports.outbox.owed()))
