"""What the portal runs in: the context, and whom it asks."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from carewright.contracts.access import Access
from carewright.contracts.calendars import CalendarFeeds
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Delays, Kiosks, Queues
from carewright.contracts.notifications import Notifications
from carewright.contracts.patients import Patients
from carewright.contracts.records import Records
from carewright.contracts.scheduling import Offers, Scheduling
from carewright.kernel.authz import Actor, Bearers
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden, Refusal
from carewright.kernel.sealed import Sealer
from carewright.portal.settings import PortalSettings

HOST = frozenset({
    "access.sign_in", "patients.find_by_contact", "patients.read", "patients.find", "patients.read_contacts", "directory.read",
    "scheduling.appointment.read", "scheduling.appointment.any_patient", "notifications.notify", "notifications.read_local",
    "flow.check_in.tell", "flow.queue.by_link", "flow.queue.link", "flow.queue.note_unreached",
    "scheduling.offer.by_link", "scheduling.offer.link", "scheduling.offer.note_unreached",
})  # fmt: skip
"""What the portal itself may: look up who signs in, and tell patients what became of their appointments, and by which codes they
check in for them."""


class SignInClosed(Refusal):
    """No hospital is named whose patients could sign in."""

    code = "portal.sign_in_closed"
    status = 503
    issue = "not-supported"
    title = "Signing in is not set up here yet."


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalContext(Context):
    """The context with what the portal may ask, and of whom. `host` is the portal itself, while nobody is signed in."""

    settings: PortalSettings
    bearers: Bearers
    sealer: Sealer
    host: Actor
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    offers: Offers
    access: Access
    notifications: Notifications
    records: Records
    calendar_feeds: CalendarFeeds
    queues: Queues
    delays: Delays
    kiosks: Kiosks

    @property
    def patient_id(self) -> UUID:
        """The patient in whose name the pages ask. Staff have none, and no business here."""
        if self.actor.patient_id is None:
            raise Forbidden
        return self.actor.patient_id

    def hosting(self, organization_id: UUID | None = None) -> Actor:
        """The portal at work for a hospital, its own unless told otherwise. Raises `SignInClosed` where the settings name none."""
        wanted = organization_id or self.settings.organization_id
        if wanted is None:
            raise SignInClosed
        return msgspec.structs.replace(self.host, organization_id=wanted)
