"""A venue without test controls."""

from app.domain.identifiers import AccountId
from app.domain.paper_fault import Fault, FaultPlan, FaultyCall


class NoFaults:
    """Stands in for the test controls where they do not exist: every call is well."""

    def next(self, account_id: AccountId, call: FaultyCall) -> Fault:
        """Return that all is well."""
        del account_id, call
        return Fault()

    def put(self, account_id: AccountId, plan: FaultPlan) -> None:
        """Refuse: only the test profile has the controls."""
        raise NotImplementedError(f"account {account_id} cannot have faults: {plan}")
