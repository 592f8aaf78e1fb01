"""What oversight's use cases run in: the common context, its settings, and whom it asks to act."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from carewright.contracts.access import Access, ensure_recent
from carewright.contracts.audit import AuditTrail
from carewright.contracts.notifications import Notifications
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context
from carewright.kernel.token_keys import TokenKeys
from carewright.oversight.settings import OversightSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightContext(Context):
    """`system` is the system itself, for what no person may ask; `keys` are those that sign tokens."""

    settings: OversightSettings
    system: Actor
    keys: TokenKeys
    access: Access
    audit: AuditTrail
    notifications: Notifications
    patients: Patients
    scheduling: Scheduling

    def require_recent(self) -> None:
        """Raise `StepUpNeeded` unless the actor proved who they are a moment ago."""
        ensure_recent(self.actor.authenticated_at, self.clock.now(), self.settings.step_up_minutes)

    def within(self, organization_id: UUID) -> Actor:
        """The system at work for one organization."""
        return msgspec.structs.replace(self.system, organization_id=organization_id)
