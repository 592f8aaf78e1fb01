"""What EHR connections work in: the common context, whom they ask inside, and the way out."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.ehr.settings import EhrSettings
from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.retries import RetryBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrContext(Context):
    """`access_tokens` remembers each connection's token at its EHR, and until when (monotonic seconds) it is good.

    `retries` is what may be repeated towards each.
    """

    settings: EhrSettings
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    coverages: Coverages
    outgoing: Outgoing
    tokens: Tokens
    access_tokens: dict[UUID, tuple[str, float]] = field(default_factory=dict)
    retries: defaultdict[UUID, RetryBudget] = field(default_factory=lambda: defaultdict(partial(RetryBudget, "ehr")))

    def speaking_for(self, connection_id: UUID, organization_id: UUID) -> Actor:
        """Who does here what an EHR tells us: another system, by the name of its connection."""
        return self.tokens.actor("integration", f"ehr/{connection_id}", organization_id)
