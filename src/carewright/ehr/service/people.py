"""Patients: known again by their numbers, registered where they are new, and never one person with another by a number alone."""

from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.ehr import NotUnderstood
from carewright.contracts.patients import Patient, PutPatients, RegisterPatient
from carewright.contracts.patients import UnknownPatient as NotThere
from carewright.ehr.model.deciding import of_patient
from carewright.ehr.model.reading import Misread, Person, read
from carewright.ehr.service.work import AMBIGUOUS, ONLY_THEIRS, OTHER_PERSON, Work
from carewright.ehr.store import Link
from carewright.kernel.errors import Refusal, Unavailable


async def see_patient(work: Work, resource: Any) -> UUID | None:
    """Which of our patients it is, after both say the same or it is on record that they do not; None for nobody."""
    theirs = read(resource, Person)
    link = await work.linked("Patient", theirs.id) or await _recognised(work, theirs)
    if link is None or link.ours is None:
        return None
    ours = await _ours(work, link.ours)
    if ours is None:
        await work.differs("Patient", theirs.id, ONLY_THEIRS)
        return None
    changes = of_patient(theirs, ours)
    take = partial(_put, work, msgspec.structs.replace(ours, **changes))
    await work.settle("Patient", theirs.id, theirs.said_at, link, tuple(changes), take, ours.id)
    return ours.id


async def patient_of(work: Work, theirs_id: str) -> UUID | None:
    """Our patient for an id of theirs, who is read where nobody asked for them before; None for nobody."""
    link = await work.linked("Patient", theirs_id)
    if link is not None:
        return link.ours
    try:
        return await see_patient(work, await work.ehr.read("Patient", theirs_id))
    except (NotUnderstood, Misread):
        return None


async def _recognised(work: Work, theirs: Person) -> Link | None:
    """Whom their numbers name here, or who is new. A number that names somebody else entirely is for a person to look into."""
    matches = await work.ctx.patients.find_patients_by_identifier(work.ctx.actor, theirs.identifiers) if theirs.identifiers else ()
    ids = {match.id for match in matches}
    if len(ids) > 1:
        await work.differs("Patient", theirs.id, AMBIGUOUS)
        return None
    if not ids:
        return await _registered(work, theirs)
    ours = await _ours(work, next(iter(ids)))
    if ours is None or not _is_same(theirs, ours):
        await work.differs("Patient", theirs.id, OTHER_PERSON)
        return None
    return await work.link("Patient", theirs.id, ours.id, ours.id)


def _is_same(theirs: Person, ours: Patient) -> bool:
    """Whether the family name or the birth date is the same: a number may have been mistyped or given twice."""
    same_name = (theirs.official.family or "").casefold() == ours.family.casefold()
    return same_name or (theirs.birth_on is not None and theirs.birth_on == ours.birth_on)


async def _registered(work: Work, theirs: Person) -> Link | None:
    """Where we are master, nobody becomes a patient because an EHR says so; nor without a number to be known again by."""
    if work.connection.masters["Patient"] == "ours" or not theirs.identifiers:
        await work.differs("Patient", theirs.id, ONLY_THEIRS)
        return None
    command = RegisterPatient(
        family=theirs.official.family or "", given=theirs.given, birth_on=theirs.birth_on, gender=theirs.gender,
        telecom=theirs.contacts, identifiers=theirs.identifiers,
    )  # fmt: skip
    try:
        made = await work.ctx.patients.register_patient(work.ctx.actor, command, f"ehr-patient-{work.mark(theirs.id).hex()}")
    except Unavailable:
        raise
    except Refusal as refusal:
        await work.differs("Patient", theirs.id, refusal.code)
        return None
    work.counts["Patient new"] += 1
    return await work.link("Patient", theirs.id, made.id, made.id)


async def _ours(work: Work, patient_id: UUID) -> Patient | None:
    try:
        return await work.ctx.patients.get_patient(work.ctx.actor, patient_id)
    except NotThere:
        return None


async def _put(work: Work, patient: Patient) -> None:
    await work.ctx.patients.put_patients(work.ctx.actor, PutPatients(patients=(patient,)))
