"""Appointments: booked here as they are there, and brought to what whoever is master says. Every rule is scheduling's."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.ehr import NotUnderstood
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    Appointment,
    BookAppointment,
    CancelAppointment,
    PickedTime,
    RescheduleAppointment,
    UnknownAppointment,
)
from carewright.ehr import store
from carewright.ehr.model.deciding import ENDED, of_visit, winner
from carewright.ehr.model.reading import Visit, read
from carewright.ehr.service.people import patient_of
from carewright.ehr.service.work import GONE, NOT_FOUND, Work, taken
from carewright.ehr.store import Link
from carewright.kernel.errors import Refusal, Unavailable

UNMAPPED = "ehr.unmapped"
GONE_MAX = 10
"""Appointments of ours that one pull cancels because theirs are gone: more of them are a fault of theirs, and only put on record."""
REASON = "other"
"""Why it was cancelled (FHIR appointment-cancellation-reason): they do not tell us."""


async def see_visit(work: Work, resource: Any) -> None:
    """An appointment of theirs, from now on."""
    theirs = read(resource, Visit)
    link = await work.linked("Appointment", theirs.id) or await _own(work, theirs)
    if link is not None and link.ours is not None:
        await store.mark_asked(work.ctx.db, work.cipher.organization_id, link.id, work.ctx.clock.now())
        await _compare(work, theirs, link, link.ours)
    elif theirs.status in ENDED or theirs.start_at <= work.began_at:
        work.counts["Appointment passed"] += 1
    else:
        await _take(work, theirs, link)


async def read_unlisted(work: Work, theirs_id: str, ours: Appointment) -> AsyncIterator[Any]:
    """One that no list named, by its id: moved out of the time that is asked for, to somebody else, ended; or nothing where it is gone."""
    try:
        resource = await work.ehr.read("Appointment", theirs_id)
    except NotUnderstood as refusal:
        if refusal.facts.get("status_code") not in NOT_FOUND:
            raise
        await _note_gone(work, theirs_id, ours)
        return
    yield resource


async def _note_gone(work: Work, theirs_id: str, ours: Appointment) -> None:
    """What is gone says no more when it changed, so that only a master who is always believed takes ours along."""
    work.counts["Appointment gone"] += 1
    reason = GONE
    if winner(work.connection.masters["Appointment"], None, ours.updated_at) == "theirs" and work.counts["Appointment gone"] <= GONE_MAX:
        reason = await taken(partial(_cancel, work, theirs_id, ours))
    await work.differs("Appointment", theirs_id, reason, ours.id, ("status",), ours.patient_id)


async def _own(work: Work, theirs: Visit) -> Link | None:
    """One that we booked there, and did not hear so: known by our id in its comment."""
    if theirs.own_id is None:
        return None
    try:
        ours = await work.ctx.scheduling.get_appointment(work.ctx.actor, theirs.own_id)
    except UnknownAppointment:
        return None
    return await work.link("Appointment", theirs.id, ours.id, ours.patient_id, ours.start)


async def _compare(work: Work, theirs: Visit, link: Link, ours_id: UUID) -> None:
    ours = await work.ctx.scheduling.get_appointment(work.ctx.actor, ours_id)
    link = msgspec.structs.replace(link, changed_at=ours.updated_at)
    await work.settle(
        "Appointment", theirs.id, theirs.said_at, link, of_visit(theirs, ours), partial(_bring, work, theirs, ours), ours.patient_id
    )


async def _bring(work: Work, theirs: Visit, ours: Appointment) -> None:
    """Ours becomes what they say. What ended here does not begin again: scheduling refuses."""
    key = _key(work, theirs.id, ours)
    scheduling, actor = work.ctx.scheduling, work.ctx.actor
    target = ENDED.get(theirs.status)
    if target == "cancelled":
        await _cancel(work, theirs.id, ours)
    elif target == "noshow":
        step = AdvanceAppointment(appointment_id=ours.id, status="noshow", expected_version=ours.version)
        await scheduling.advance_appointment(actor, step, key)
    else:
        time = PickedTime(visit_type_id=ours.visit_type_id, site_id=ours.site_id, start=theirs.start_at)
        move = RescheduleAppointment(appointment_id=ours.id, time=time, expected_version=ours.version)
        await scheduling.reschedule_appointment(actor, move, key)


async def _cancel(work: Work, theirs_id: str, ours: Appointment) -> None:
    command = CancelAppointment(appointment_id=ours.id, reason=REASON, expected_version=ours.version)
    await work.ctx.scheduling.cancel_appointment(work.ctx.actor, command, _key(work, theirs_id, ours))


def _key(work: Work, theirs_id: str, ours: Appointment) -> str:
    return f"ehr-{work.mark(theirs_id).hex()[:32]}-{ours.version}"


async def _take(work: Work, theirs: Visit, link: Link | None) -> None:
    """Book what they booked. Until it is known as ours, its link says that it is on its way, so that it is not told back to them."""
    command = await _wished(work, theirs)
    if command is None:
        return
    link = link or await work.link("Appointment", theirs.id, None, command.patient_id, theirs.start_at)
    if link is None:
        return
    try:
        booked = await work.ctx.scheduling.book_appointment(work.ctx.actor, command, f"ehr-book-{work.mark(theirs.id).hex()}")
    except Unavailable:
        raise
    except Refusal as refusal:
        await store.drop_taking(work.ctx.db, work.cipher.organization_id, link.id)
        await work.differs("Appointment", theirs.id, refusal.code, patient_id=command.patient_id)
        return
    await store.complete_link(work.ctx.db, work.cipher.organization_id, link.id, booked.id)
    work.counts["Appointment new"] += 1
    await work.agrees("Appointment", theirs.id, booked.id)


async def _wished(work: Work, theirs: Visit) -> BookAppointment | None:
    """The booking that says the same; None, and a difference, where one of its parts is nobody's or nothing here."""
    kind = next((work.connection.codes[code] for code in theirs.codes() if code in work.connection.codes), None)
    practitioner = await _linked_of(work, "Practitioner", theirs)
    site = await _site(work, theirs)
    missing = {"serviceType": kind, "practitioner": practitioner, "location": site}
    lacking = tuple(name for name, found in missing.items() if found is None)
    if lacking:
        await work.differs("Appointment", theirs.id, UNMAPPED, elements=lacking)
    people = theirs.actors("Patient")
    patient_id = await patient_of(work, people[0]) if len(people) == 1 else None
    if kind is None or site is None or practitioner is None:
        return None
    if patient_id is None:
        await work.differs("Appointment", theirs.id, UNMAPPED, elements=("patient",))
        return None
    time = PickedTime(visit_type_id=kind, site_id=site, start=theirs.start_at, practitioner_id=practitioner)
    return BookAppointment(patient_id=patient_id, time=time)


async def _linked_of(work: Work, kind: Any, theirs: Visit) -> UUID | None:
    """Ours for the first of theirs who takes part and is known."""
    for each in theirs.actors(kind):
        link = await work.linked(kind, each)
        if link is not None:
            return link.ours
    return None


async def _site(work: Work, theirs: Visit) -> UUID | None:
    """The site of the place that is named; the only site, where there is but one."""
    sites = (await work.ctx.directory.find_sites(work.ctx.actor)).items
    place = await _linked_of(work, "Location", theirs)
    if place is None:
        return sites[0].id if len(sites) == 1 else None
    return next((site.id for site in sites if site.id == place), None)
