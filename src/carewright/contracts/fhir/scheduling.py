"""Time: calendars, what is free or taken of them, and appointments."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.fhir.basics import VISIT_TYPES, Resource, instant, reference, resource, said, written
from carewright.contracts.links import WITHOUT_OTHER, AppointmentLink
from carewright.contracts.offers import Offer
from carewright.contracts.schedules import ScheduleSummary
from carewright.contracts.scheduling import HOLD_ENDED, Appointment, Participant, ParticipationStatus, Slot
from carewright.contracts.waitlist import WaitlistEntry, WaitWindow

ACTORS = {"practitioner": "Practitioner", "nurse": "Practitioner", "technician": "Practitioner", "device": "Device", "patient": "Patient"}
"""What an actor is in FHIR; the rest are places."""
CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
OWN_CANCELLATION = "urn:carewright:cancelation-reason"
OUR_OWN = HOLD_ENDED | {WITHOUT_OTHER}
"""Reasons that R4 has no code for, and nobody chose."""
HELD_UNTIL = "urn:carewright:held-until"
OVERRIDE_REASON = "urn:carewright:override-reason"
WAITS_WITHIN = "urn:carewright:waits-within"
NOTICE_MINUTES = "urn:carewright:notice-minutes"
PRIORITIES: Mapping[UrgencyTier, int] = {"P0": 1, "P1": 3, "P2": 5}
"""R4 takes iCalendar's priorities (RFC 5545 3.8.1.9): 1 is the highest, 5 the ordinary one."""


def actor_type(kind: str) -> str:
    """The FHIR type of a bookable actor's kind."""
    return ACTORS.get(kind, "Location")


def appointment(one: Appointment, order_id: UUID | None = None, links: Iterable[AppointmentLink] = ()) -> Resource:
    """When, where, with whom, what became of it, and every word that was written about it and may be read.

    `order_id` is the order that its referral names, where that is known; `links` say what it depends on.
    """
    held = [{"url": HELD_UNTIL, "valueInstant": instant(one.expires_at)}] if one.expires_at else []
    overridden = [{"url": OVERRIDE_REASON, "valueString": one.override_reason}] if one.override_reason else []
    return resource("Appointment", one.id, {
        "extension": held + overridden,
        "status": one.status,
        "cancelationReason": _reason(one),
        "serviceCategory": [{"text": one.service_name}] if one.service_name else None,
        "serviceType": [_visit_type(one.visit_type_id, one.visit_type_name)],
        "priority": PRIORITIES[one.urgency],
        "start": instant(one.start),
        "end": instant(one.end),
        "minutesDuration": (one.end - one.start).seconds // 60,
        "created": instant(one.created_at),
        "comment": one.note or None,
        "supportingInformation": [reference("Appointment", each.depends_on_id, f"{each.kind}: {each.why}") for each in links] or None,
        "basedOn": [_referral(one.based_on, order_id)] if one.based_on else None,
        "participant": [*(_participant(each) for each in one.participants), _place(one.site_id, one.site_name)],
    }, one.version, one.updated_at)  # fmt: skip


def waiting(one: WaitlistEntry) -> Resource:
    """Somebody who waits for a time: R4's Appointment with the status `waitlist`, what they wish as `requestedPeriod` and extensions.

    How it ended is the comment; under its own id an entry that ended in a booking is that appointment, and the wish has another.
    """
    wishes, waits = one.wishes, one.state in ("waiting", "offered")
    within = [{"url": WAITS_WITHIN, "valueString": _window(each)} for each in wishes.windows]
    others = [*(("Location", each) for each in wishes.site_ids), *(("Practitioner", each) for each in wishes.practitioner_ids)]
    period = {"start": _day(wishes.earliest_on), "end": _day(wishes.latest_on)}
    return resource("Appointment", f"waitlist-{one.id}" if one.state == "booked" else one.id, {
        "extension": [*within, {"url": NOTICE_MINUTES, "valueInteger": wishes.notice_minutes}],
        "status": "waitlist" if waits else "cancelled",
        "serviceType": [_visit_type(one.visit_type_id, "")],
        "priority": PRIORITIES[wishes.urgency or "P2"],
        "created": instant(one.since),
        "comment": None if waits else one.state,
        "requestedPeriod": [period] if any(period.values()) else None,
        "participant": [
            {"actor": reference("Patient", one.patient_id), "status": "accepted"},
            *({"actor": reference(kind, each), "status": "needs-action"} for kind, each in others),
        ],
    }, one.version, one.ended_at or one.since)  # fmt: skip


def response(one: Appointment, each: Participant, answer: ParticipationStatus, id_: str) -> Resource:
    """What somebody who takes part answered. It is made of the appointment, and changes when that does."""
    return resource("AppointmentResponse", id_, {
        "appointment": reference("Appointment", one.id),
        "start": instant(one.start),
        "end": instant(one.end),
        "actor": reference(actor_type(each.kind), each.actor_id, each.display),
        "participantStatus": answer,
    }, one.version, one.updated_at)  # fmt: skip


def offered(one: Offer) -> Resource:
    """Another time that was offered, as what its patient answered to it: nothing yet, or nothing any more, where the comment says why."""
    answered = one.status in ("accepted", "declined")
    return resource("AppointmentResponse", one.id, {
        "appointment": reference("Appointment", one.appointment_id),
        "start": instant(one.start),
        "end": instant(one.end),
        "actor": reference("Patient", one.patient_id),
        "participantStatus": one.status if answered else "needs-action",
        "comment": None if answered else one.status,
    }, one.version, one.ended_at or one.made_at)  # fmt: skip


def schedule(one: ScheduleSummary) -> Resource:
    """One bookable actor's calendar; its id is the actor's."""
    return resource("Schedule", one.id, {
        "active": one.active, "actor": [reference(actor_type(one.kind), one.id, one.display)],
    }, one.version)  # fmt: skip


def proposed(one: Slot, id_: str, visit_type_name: str, service_name: str, site_name: str) -> Resource:
    """A time that could be had, as the appointment it would become (IHE ITI-115)."""
    return resource("Appointment", id_, {
        "status": "proposed",
        "serviceCategory": [{"text": service_name}] if service_name else None,
        "serviceType": [_visit_type(one.visit_type_id, visit_type_name)],
        "start": instant(one.start),
        "end": instant(one.end),
        "minutesDuration": (one.end - one.start).seconds // 60,
        "participant": [*(_participant(each) for each in one.participants), _place(one.site_id, site_name)],
    })  # fmt: skip


def _window(one: WaitWindow) -> str:
    """Weekdays by number (1 is Monday, as ISO 8601 counts; none is every day) and the clock: "1,3 08:00-12:00"."""
    days = ",".join(str(each + 1) for each in one.weekdays)
    return f"{days} {_clock(one.from_minute)}-{_clock(one.until_minute)}".strip()


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _referral(based_on: str, order_id: UUID | None) -> Resource:
    return reference("ServiceRequest", order_id, based_on) or {"display": based_on}


def _visit_type(id_: UUID, name: str) -> Resource:
    return {"coding": [said({"system": VISIT_TYPES, "code": written(id_), "display": name})], "text": name}


def _reason(one: Appointment) -> Resource | None:
    """Only what did not take place has one (app-4)."""
    if not one.cancelation_reason or one.status not in ("cancelled", "noshow"):
        return None
    system = OWN_CANCELLATION if one.cancelation_reason in OUR_OWN else CANCELLATION
    return {"coding": [{"system": system, "code": one.cancelation_reason}], "text": one.cancelation_reason}


def _participant(each: Participant) -> Resource:
    """Who takes part, and the time it costs them where that is more than the visit."""
    return {
        "actor": reference(actor_type(each.kind), each.actor_id, each.display),
        "status": each.status,
        "period": {"start": instant(each.claimed_from), "end": instant(each.claimed_to)},
    }


def _place(site_id: UUID, site_name: str) -> Resource:
    return {"actor": reference("Location", site_id, site_name), "status": "accepted"}
