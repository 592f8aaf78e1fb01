"""What staff who watch a site see of appointments: which, what became of it, and when. Who it is for, they ask by the API."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from carewright.contracts.scheduling import AppointmentFact, AppointmentRescheduled
from carewright.kernel.shown import Shown


def shown_of(fact: AppointmentFact) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the appointment is, and for the one it left, where it is `gone`."""
    yield fact.site_id, _fields(fact, fact.status) | {
        "start": _instant(fact.start), "end": _instant(fact.end), "kind": str(fact.visit_type_id), "urgency": fact.urgency,
        "with": " ".join(map(str, fact.practitioner_ids)), "actors": " ".join(map(str, _actors_of(fact))),
    } | ({"held_until": _instant(fact.expires_at)} if fact.expires_at else {})  # fmt: skip
    if isinstance(fact, AppointmentRescheduled) and fact.earlier_site_id is not None:
        yield fact.earlier_site_id, _fields(fact, "gone")


def _actors_of(fact: AppointmentFact) -> Iterable[UUID]:
    """Whose calendars it takes, the practitioners' among them: everybody's but the patient's."""
    return dict.fromkeys(claim.schedule_id for claim in fact.claims if claim.schedule_id != fact.patient_id)


def _fields(fact: AppointmentFact, status: str) -> dict[str, str]:
    what = fact.topic.split(".")[2]
    return {"id": str(fact.appointment_id), "version": str(fact.version), "what": what, "status": status}


def _instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


APPOINTMENTS = Shown(
    "appointment", frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient"}),
    dict.fromkeys(AppointmentFact.__subclasses__(), shown_of),
)  # fmt: skip
