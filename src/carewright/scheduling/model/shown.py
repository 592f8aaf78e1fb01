"""What staff who watch a site see of appointments and calendars: which, what became of it, and when. Who it is for, they ask by the API."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from carewright.contracts.links import LinkFact
from carewright.contracts.offers import OfferFact
from carewright.contracts.planner import DayPlanChanged
from carewright.contracts.scheduling import AppointmentFact, AppointmentRescheduled, ClaimedTime, ScheduleChanged, TimeInUseChanged
from carewright.kernel.shown import Shown

MINUTE = timedelta(minutes=1)


def shown_of(fact: AppointmentFact) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """The fact for the site where the appointment is, and for the one it left, where it is `gone`."""
    others = [claim for claim in fact.claims if claim.schedule_id != fact.patient_id]
    yield fact.site_id, _fields(fact, fact.status) | {
        "start": _instant(fact.start), "end": _instant(fact.end), "kind": str(fact.visit_type_id), "urgency": fact.urgency,
        "with": " ".join(map(str, fact.practitioner_ids)), "taken": _taken(others, fact.start),
    } | ({"held_until": _instant(fact.expires_at)} if fact.expires_at else {})  # fmt: skip
    if isinstance(fact, AppointmentRescheduled) and fact.earlier_site_id is not None:
        yield fact.earlier_site_id, _fields(fact, "gone")


def changed(fact: ScheduleChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """That a calendar is not as it was, for each site that it belongs to. What it is now is read."""
    for site_id in fact.site_ids:
        yield site_id, {"id": str(fact.schedule_id), "version": str(fact.calendar_version)}


def in_use(fact: TimeInUseChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """What a turn takes now of whose calendars; nothing, where it has given all back."""
    start = min((claim.start for claim in fact.claims), default=None)
    has = {"start": _instant(start), "taken": _taken(fact.claims, start)} if start else {}
    yield fact.site_id, {"id": str(fact.entry_id)} | has


def offered(fact: OfferFact) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """How an offer stands, for the site of its appointment."""
    what = fact.topic.split(".")[2]
    yield fact.site_id, {"id": str(fact.offer_id), "appointment": str(fact.appointment_id), "what": what, "status": fact.status}


def planned(fact: DayPlanChanged) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """How a plan stands, for its site."""
    yield fact.site_id, {
        "id": str(fact.plan_id), "version": str(fact.version), "status": fact.state, "cause": fact.cause, "moves": str(fact.moves),
        "moved": str(fact.moved), "refused": str(fact.refused),
    }  # fmt: skip


def linked(fact: LinkFact) -> Iterable[tuple[UUID, Mapping[str, str]]]:
    """How a link stands, for the site of the appointment that depends on the other."""
    what = fact.topic.split(".")[2]
    yield fact.site_id, {"id": str(fact.link_id), "appointment": str(fact.appointment_id), "what": what, "status": fact.status}


def _taken(claims: Iterable[ClaimedTime], start: datetime) -> str:
    """Whose calendars are taken, and from when to when: in minutes after `start`."""
    return " ".join(f"{each.schedule_id}:{(each.start - start) // MINUTE}:{(each.end - start) // MINUTE}" for each in claims)


def _fields(fact: AppointmentFact, status: str) -> dict[str, str]:
    what = fact.topic.split(".")[2]
    return {"id": str(fact.appointment_id), "version": str(fact.version), "what": what, "status": status}


def _instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


APPOINTMENTS = Shown(
    "appointment", frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient"}),
    dict.fromkeys(AppointmentFact.__subclasses__(), shown_of),
)  # fmt: skip
CALENDARS = Shown("calendar", frozenset({"scheduling.calendar.read"}), {ScheduleChanged: changed})
TIME_IN_USE = Shown("in-use", frozenset({"scheduling.calendar.read"}), {TimeInUseChanged: in_use})
OFFERS = Shown(
    "offer", frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient"}),
    dict.fromkeys(OfferFact.__subclasses__(), offered),
)  # fmt: skip
DAY_PLANS = Shown("day-plan", frozenset({"scheduling.plan.make"}), {DayPlanChanged: planned})
LINKS = Shown(
    "link", frozenset({"scheduling.appointment.read", "scheduling.appointment.any_patient"}),
    dict.fromkeys(LinkFact.__subclasses__(), linked),
)  # fmt: skip
