"""Whether an account can be traded with, as far as questions alone can tell."""

from collections.abc import Mapping, Sequence

from app.domain.effects import EffectKind
from app.domain.errors import HookfillError, NotFound
from app.domain.finding import Finding, Grade
from app.domain.identifiers import AccountId, AggregateId
from app.domain.worker_request import WorkerAnswer
from app.ports import Ports
from app.services.ask import ask, leave_request


def findings_of(
    accounts: Sequence[AccountId], ports: Ports
) -> Mapping[AccountId, Sequence[Finding]]:
    """Have workers look at the venues of accounts, all at once, and return what they find.

    Accounts that no worker has told of in time are left out.
    """
    wait_ms = ports.policy.inspect_wait_ms
    requests = [leave_request(EffectKind.INSPECT, one, wait_ms, ports) for one in accounts]
    found: dict[AccountId, Sequence[Finding]] = {}

    def all_found() -> bool | None:
        for one in requests:
            if one.account not in found and (answer := ports.worker_requests.answer(one.id)):
                found[one.account] = answer.findings
        return len(found) == len(requests) or None

    ask([one.effect() for one in requests], all_found, wait_ms, ports)
    return found


def inspect_account(request_id: AggregateId, ports: Ports) -> None:
    """Look at an account's venue for somebody who waits, once, and say what was found.

    Nothing changes at the venue.

    Raises:
        NotFound: there is no such request, it is too late for it, or somebody else has it.
    """
    request = ports.worker_requests.take(request_id, ports.clock.server_ms())
    try:
        found = tuple(ports.venues.of(ports.accounts.account(request.account)).inspect())
    except NotFound as error:
        found = (Finding(check="account", message=str(error), grade=Grade.ERROR),)
    except HookfillError as error:
        found = (Finding(check="venue", message=str(error), grade=Grade.ERROR),)
    ports.worker_requests.reply(request_id, WorkerAnswer(findings=found))
