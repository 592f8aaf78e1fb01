"""What staff who watch a site see of appointments: which, what became of it, and when. Who it is for, they ask by the API."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.scheduling import AppointmentFact, AppointmentRescheduled
from carewright.kernel.shown import Shown

MINUTE = timedelta(minutes=1)


def shown_of(fact: AppointmentFact) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the appointment is, and for the one it left, where it is `gone`."""
    yield fact.site_id, _fields(fact, fact.status) | {
        "start": _instant(fact.start), "end": _instant(fact.end), "kind": str(fact.visit_type_id), "urgency": fact.urgency,
        "with": " ".join(map(str, fact.practitioner_ids)), "taken": " ".join(_taken_by(fact)),
    } | ({"held_until": _instant(fact.expires_at)} if fact.expires_at else {})  # fmt: skip
    if isinstance(fact, AppointmentRescheduled) and fact.earlier_site_id is not None:
        yield fact.earlier_site_id, _fields(fact, "gone")


def _taken_by(fact: AppointmentFact) -> Iterable[str]:
    """Whose calendars it takes, everybody's but the patient's, and from when to when: in minutes after it begins."""
    for claim in fact.claims:
        if claim.schedule_id != fact.patient_id:
            begins, ends = ((each - fact.start) // MINUTE for each in (claim.start, claim.end))
            yield f"{claim.schedule_id}:{begins}:{ends}"


def _fields(fact: AppointmentFact, status: str) -> dict[str, str]:
    what = fact.topic.split(".")[2]
    return {"id": str(fact.appointment_id), "version": str(fact.version), "what": what, "status": status}


def _instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


APPOINTMENTS = Shown(
    "appointment", frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient"}),
    dict.fromkeys(AppointmentFact.__subclasses__(), shown_of),
)  # fmt: skip
