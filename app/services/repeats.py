"""By its marks a command is known again, whatever it makes or changes."""

from app.domain.errors import KeyReused, SignatureReused
from app.domain.identifiers import AggregateId
from app.domain.sender import Sender, SingleUse
from app.ports import Ports


def use_keys(sender: Sender, ports: Ports) -> None:
    """Bind what may be used once to the command, before that is committed.

    Raises:
        KeyReused: it came with another command.
    """
    for mark in sender.marks:
        used, until_ms = mark.single_use, sender.until_ms(mark)
        if used is not None and not ports.used_keys.use(
            used.name, used.content, ports.clock.now_ms(), until_ms
        ):
            raise _reused(used)


def first_of(sender: Sender, ports: Ports) -> AggregateId | None:
    """Return what the same command became when it was sent before, if it was.

    Raises:
        KeyReused: what may be used once came with another command.
    """
    now_ms = ports.clock.now_ms()
    for mark in sender.marks:
        used = mark.single_use
        if used is None:
            continue
        if ports.used_keys.content(used.name, now_ms) not in {None, used.content}:
            raise _reused(used)
    found = (ports.ledger.repeated(sender.account.id, key, now_ms) for key in sender.dedupe_keys)
    return next((one for one in found if one is not None), None)


def _reused(used: SingleUse) -> KeyReused:
    if used.is_signature:
        return SignatureReused("this signature was used for another request")
    return KeyReused("Idempotency-Key was used for another request")
