"""Answers to appointments: read from the appointment, and given by the same use cases as in our own API."""

from functools import partial

from carewright.contracts import smart
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.fhir.refusals import ChangeNotSupported, InvalidElement, MissingElement, SearchTooWide, UnknownId
from carewright.contracts.fhir.scheduling import actor_type
from carewright.contracts.scheduling import (
    Appointment,
    CancelAppointment,
    ConfirmAppointment,
    Participant,
    SearchAppointments,
)
from carewright.fhir.context import FhirContext
from carewright.fhir.model.ids import ResponseId, read_response, write_response
from carewright.fhir.model.left_out import left_out
from carewright.fhir.model.responses import DECLINED, PEOPLE, Answer, answer_of, read_answer, responses_of
from carewright.fhir.model.searching.narrowing import Narrowing
from carewright.fhir.model.searching.search import Search
from carewright.fhir.model.writes import Sent, Written
from carewright.fhir.service.gathering import every_page, named, uuids

PAGE = 1_000
ACTOR = "AppointmentResponse.actor"


async def read(ctx: FhirContext, id_: str) -> Resource:
    """Raises `UnknownId` where nothing was answered, and what `get_appointment` refuses."""
    return _response(await ctx.scheduling.get_appointment(ctx.actor, read_response(id_).appointment_id), id_)


async def candidates(ctx: FhirContext, _: Search, bounds: Narrowing) -> list[Resource]:
    """By id, appointment, patient or practitioner."""
    if (query := _question(ctx, bounds)) is None:
        return []
    found = await every_page(partial(ctx.scheduling.search_appointments, ctx.actor), query)
    return [made for one in found for made in responses_of(one)]


async def post(ctx: FhirContext, sent: Sent) -> Written:
    """Accepted confirms the appointment, declined cancels it; the same answer again changes nothing.

    Raises `ChangeNotSupported` for an answer that is none, or for another time, `InvalidElement`, and what scheduling refuses.
    """
    answer = read_answer(sent.resource, sent.base)
    before = await ctx.scheduling.get_appointment(ctx.actor, answer.appointment_id)
    who = _who(ctx, before, answer)
    if answer.start not in (None, before.start) or answer.end not in (None, before.end):
        raise ChangeNotSupported(
            "No other time is proposed by an answer: reschedule the appointment.", expression="AppointmentResponse.start"
        )
    is_new = answer_of(before, who) != answer.status
    after = await _answered(ctx, before, who, answer.status, sent.key) if is_new else before
    made = _response(after, write_response(ResponseId(after.id, who.actor_id)))
    return Written(resource=made, is_new=is_new, left_out=left_out(sent.resource, made))


def _response(one: Appointment, id_: str) -> Resource:
    made = next((each for each in responses_of(one) if each["id"] == id_), None)
    if made is None:
        raise UnknownId
    return made


def _question(ctx: FhirContext, bounds: Narrowing) -> SearchAppointments | None:
    """None where nothing can match. Raises `SearchTooWide` where nothing narrows the search at all."""
    ids = uuids(named(bounds, "appointment") if bounds.ids is None else _appointments(bounds.ids))
    patient_ids, actor_ids = uuids(bounds.patient_ids), uuids(_practitioners(bounds))
    if () in (ids, patient_ids, actor_ids):
        return None
    if not any((ids, patient_ids, actor_ids, smart.bound_to(ctx.actor, "AppointmentResponse"))):
        raise SearchTooWide("AppointmentResponses are found by _id, appointment, patient or practitioner, and whatever narrows that.")
    return SearchAppointments(ids=ids or (), patient_ids=patient_ids or (), actor_ids=actor_ids or (), limit=PAGE)


def _appointments(ids: frozenset[str]) -> frozenset[str]:
    """Those of which these are answers, as far as they are any's."""
    found = set()
    for each in ids:
        try:
            found.add(str(read_response(each).appointment_id))
        except UnknownId:
            continue
    return frozenset(found)


def _practitioners(bounds: Narrowing) -> frozenset[str] | None:
    """Practitioners whom the search names, and nobody else."""
    for code in ("practitioner", "actor"):
        places = bounds.references.get(code)
        if places is not None and all(each.startswith("Practitioner/") for each in places):
            return named(bounds, code)
    return None


def _who(ctx: FhirContext, appointment: Appointment, answer: Answer) -> Participant:
    """The participant who answers: patients, and who speaks for one, for the patient; staff and systems for practitioners.

    Raises `MissingElement` and `InvalidElement`.
    """
    own = smart.bound_to(ctx.actor, "AppointmentResponse")
    place = f"{answer.actor.kind}/{answer.actor.id}" if answer.actor else f"Patient/{own}"
    if answer.actor is None and own is None:
        raise MissingElement("Say who answers: a Practitioner who takes part.", expression=ACTOR)
    found = next((each for each in appointment.participants if f"{actor_type(each.kind)}/{each.actor_id}" == place), None)
    if found is None or found.kind not in PEOPLE:
        raise InvalidElement("Whoever answers is a Patient or a Practitioner who takes part in the appointment.", expression=ACTOR)
    if (found.kind == "patient") != (own is not None):
        raise InvalidElement("Patients answer for themselves, and the hospital for its practitioners.", expression=ACTOR)
    return found


async def _answered(ctx: FhirContext, before: Appointment, who: Participant, status: str, key: str | None) -> Appointment:
    if status == "accepted":
        confirm = ConfirmAppointment(appointment_id=before.id, expected_version=before.version)
        return await ctx.scheduling.confirm_appointment(ctx.actor, confirm, key)
    if status == "declined":
        reason = DECLINED[actor_type(who.kind)]
        cancel = CancelAppointment(appointment_id=before.id, reason=reason, expected_version=before.version)
        return await ctx.scheduling.cancel_appointment(ctx.actor, cancel, key)
    raise ChangeNotSupported(
        "An answer is accepted or declined: what is still open needs none.", expression="AppointmentResponse.participantStatus"
    )
