"""Patients and their visits as others tell of them. Who is one person with whom is for people to decide."""

from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import PutPatients
from carewright.hl7.model.codes import DoesNotFit
from carewright.hl7.model.pid import registered, updated
from carewright.hl7.service import visits
from carewright.hl7.service.work import Work

UNKNOWN = "hl7.unknown_patient"
AMBIGUOUS = "hl7.ambiguous_patient"
MISSING = "hl7.missing"


async def register(work: Work) -> UUID:
    """The patient is here afterwards, as the message says, and so is the visit; what it does not say stays."""
    found = await known(work)
    if found is None:
        found = await _registered(work)
    else:
        await _update(work, found)
    await visits.follow(work, found)
    return found


async def update(work: Work) -> UUID:
    """As `register`, of somebody who is known: a cancelled admission makes nobody a patient."""
    found = await known(work)
    if found is None:
        raise DoesNotFit(UNKNOWN)
    await _update(work, found)
    await visits.follow(work, found)
    return found


async def known(work: Work) -> UUID | None:
    """Whom the identifiers name. Raises `DoesNotFit` where there are none, and where they name two."""
    if not work.person.identifiers:
        raise DoesNotFit(MISSING, "PID-3")
    matches = await work.ctx.patients.find_patients_by_identifier(work.ctx.actor, _identifiers(work))
    ids = {match.id for match in matches}
    if len(ids) > 1:
        raise DoesNotFit(AMBIGUOUS)
    return next(iter(ids), None)


async def present(work: Work) -> UUID:
    """Whom a booking is for: as they are known here, or else as the message tells of them."""
    return await known(work) or await _registered(work)


async def _registered(work: Work) -> UUID:
    if not work.person.family:
        raise DoesNotFit(MISSING, "PID-5")
    key = work.key("patient")
    made = await work.ctx.patients.register_patient(work.ctx.actor, registered(work.person, _identifiers(work)), key)
    return made.id


async def _update(work: Work, patient_id: UUID) -> None:
    before = await work.ctx.patients.get_patient(work.ctx.actor, patient_id)
    after = updated(before, work.person, _identifiers(work))
    if after != before:
        await work.ctx.patients.put_patients(work.ctx.actor, PutPatients(patients=(after,)))


def _identifiers(work: Work) -> tuple[Identifier, ...]:
    return tuple(one.identifier(work.codes.authorities) for one in work.person.identifiers)
