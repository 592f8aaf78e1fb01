"""Patients and their visits as others tell of them. Who is one person with whom is for people to decide, or for a sender that may."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.directory import Identifier
from carewright.contracts.patients import MergePatients, PutPatients
from carewright.hl7.model.codes import BY_HAND, Coded, DoesNotFit
from carewright.hl7.model.mrg import Merge, merges_in
from carewright.hl7.model.pid import Person, registered, updated
from carewright.hl7.service import visits
from carewright.hl7.service.work import Work

UNKNOWN = "hl7.unknown_patient"
AMBIGUOUS = "hl7.ambiguous_patient"
MISSING = "hl7.missing"
MERGE = "patients.merge"


async def register(work: Work) -> UUID:
    """The patient is here afterwards, as the message says, and so is the visit; what it does not say stays."""
    found = await known(work)
    if found is None:
        found = await _registered(work, work.person)
    else:
        await _update(work, found, work.person)
    await visits.follow(work, found)
    return found


async def update(work: Work) -> UUID:
    """As `register`, of somebody who is known: a cancelled admission makes nobody a patient."""
    found = await known(work)
    if found is None:
        raise DoesNotFit(UNKNOWN)
    await _update(work, found, work.person)
    await visits.follow(work, found)
    return found


async def merge(work: Work) -> UUID:
    """What was two records is one afterwards, as the message says, and known by the identifiers of both.

    Raises `DoesNotFit` where that takes a person: whose sender may not merge, who is not named, and who are more than two.
    """
    merges = merges_in(work.message)
    if not work.ctx.actor.may(MERGE):
        raise DoesNotFit(BY_HAND)
    if not merges:
        raise DoesNotFit(MISSING, "MRG-1")
    return [await _merge(work, each, number) for number, each in enumerate(merges)][-1]


async def _merge(work: Work, said: Merge, number: int) -> UUID:
    """A prior record that nobody knows brings its identifiers alone; where but that one is known, it becomes the one that stays."""
    stays = await _found(work, said.person.identifiers, "PID-3")
    prior = await _found(work, said.prior, "MRG-1", besides=stays)
    person = replace(said.person, identifiers=tuple(dict.fromkeys((*said.person.identifiers, *said.prior))))
    if stays and prior:
        why = f"Another system merged its records (ADT {work.message.kind[1]})"
        command = MergePatients(survivor_id=stays, prior_id=prior, reason=why)
        await work.ctx.patients.merge_patients(work.ctx.actor, command)
    if (found := stays or prior) is None:
        return await _registered(work, person, number)
    await _update(work, found, person)
    return found


async def known(work: Work) -> UUID | None:
    """Whom the identifiers name. Raises `DoesNotFit` where there are none, and where they name two."""
    return await _found(work, work.person.identifiers, "PID-3")


async def present(work: Work) -> UUID:
    """Whom a booking is for: as they are known here, or else as the message tells of them."""
    return await known(work) or await _registered(work, work.person)


async def _found(work: Work, identifiers: Sequence[Coded], where: str, besides: UUID | None = None) -> UUID | None:
    if not identifiers:
        raise DoesNotFit(MISSING, where)
    matches = await work.ctx.patients.find_patients_by_identifier(work.ctx.actor, _ours(work, identifiers))
    ids = {match.id for match in matches} - {besides}
    if len(ids) > 1:
        raise DoesNotFit(AMBIGUOUS)
    return next(iter(ids), None)


async def _registered(work: Work, person: Person, number: int = 0) -> UUID:
    if not person.family:
        raise DoesNotFit(MISSING, "PID-5")
    key = work.key(f"patient{number or ''}")
    made = await work.ctx.patients.register_patient(work.ctx.actor, registered(person, _ours(work, person.identifiers)), key)
    return made.id


async def _update(work: Work, patient_id: UUID, person: Person) -> None:
    before = await work.ctx.patients.get_patient(work.ctx.actor, patient_id)
    after = updated(before, person, _ours(work, person.identifiers))
    if after != before:
        await work.ctx.patients.put_patients(work.ctx.actor, PutPatients(patients=(after,)))


def _ours(work: Work, identifiers: Sequence[Coded]) -> tuple[Identifier, ...]:
    return tuple(one.identifier(work.codes.authorities) for one in identifiers)
