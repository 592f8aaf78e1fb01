"""What scheduling's use cases run in: the common context, the live copy, and the rule of choice."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from carewright.contracts.scheduling import Appointment, UnknownAppointment
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.scheduling.live import Calendars, Live
from carewright.scheduling.model.choice import ChoiceRule
from carewright.scheduling.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingContext(Context):
    """`live` answers what is free; `choose` ranks those who could serve. `mirrors` is the system in whose stead the actor writes."""

    settings: Settings
    live: Live
    choose: ChoiceRule
    mirrors: str | None = None

    async def calendars(self) -> Calendars:
        """The calendars of the actor's organization."""
        return await self.live.of(self.actor.organization_id)

    @property
    def by_patient(self) -> bool:
        """Whether the actor acts for themselves and not for every patient."""
        return not self.actor.may("scheduling.appointment.any_patient")

    def require_patient(self, patient_id: UUID) -> None:
        """Raise `Forbidden` unless the actor may act for this patient."""
        if self.by_patient and self.actor.patient_id != patient_id:
            raise Forbidden("You can act for yourself only.")

    def reaches(self, site_ids: Iterable[UUID]) -> bool:
        """Whether something that belongs to these sites concerns the actor."""
        return not self.actor.site_ids or any(each in self.actor.site_ids for each in site_ids)

    def concerns(self, patient_id: UUID, site_ids: Iterable[UUID]) -> bool:
        """Whether something of this patient at these sites is there for the actor: a patient's own, at any of the actor's sites."""
        return (not self.by_patient or patient_id == self.actor.patient_id) and self.reaches(site_ids)

    def require_site(self, site_id: UUID) -> None:
        """Raise `Forbidden` unless the actor works at this site."""
        if not self.actor.works_at(site_id):
            raise Forbidden("You can act for your own sites only.")

    def require_own(self, appointment: Appointment | None) -> Appointment:
        """The appointment, if there is one for the actor: a patient's own, at the actor's sites. To others it does not exist."""
        if appointment is None or not self.concerns(appointment.patient_id, (appointment.site_id,)):
            raise UnknownAppointment
        return appointment
