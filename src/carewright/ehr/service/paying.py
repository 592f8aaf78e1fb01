"""Who pays for a patient of both: recorded here as the EHR has it, by coverage's rules, or on record where the two differ."""

from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.coverage import Coverage, CoverageDetails, ListCoverages, RecordCoverage, UpdateCoverage
from carewright.contracts.ehr import NotUnderstood
from carewright.ehr.model.paying import Policy, beneficiary_of, details_from, insured_of, is_same, otherwise, said_of
from carewright.ehr.model.reading import Misread, Person, read
from carewright.ehr.service.visits import UNMAPPED
from carewright.ehr.service.work import ONLY_THEIRS, Work
from carewright.ehr.store import Link
from carewright.kernel.errors import Refusal, Unavailable

HELD_MAX = 200
BY_REFERENCE = ("Patient", "RelatedPerson")


async def see_coverage(work: Work, resource: Any, patient_id: UUID, zone: ZoneInfo) -> None:
    """A coverage of theirs, of a patient of ours. Whoever pays themselves has none; one that is over is not begun here.

    `zone` is where a day begins and ends (`zone_of`).
    """
    theirs = read(resource, Policy)
    said = said_of(theirs, zone)
    link = await work.linked("Coverage", theirs.id)
    if link is None and (theirs.is_self_paid or _is_over(work, said)):
        work.counts["Coverage passed"] += 1
        return
    lacking = tuple(name for name in ("payer", "member_id") if said[name] is None)
    if lacking:
        await work.differs("Coverage", theirs.id, UNMAPPED, link.ours if link else None, lacking, patient_id)
        return
    held = await _held(work, patient_id)
    link = link or await _recognised(work, theirs, said, held, patient_id)
    if link is None:
        await _new(work, theirs, said, patient_id)
        return
    ours = next((each for each in held if each.id == link.ours), None)
    if ours is None:
        await work.differs("Coverage", theirs.id, ONLY_THEIRS, patient_id=patient_id)
        return
    changes = otherwise(said, ours)
    link = msgspec.structs.replace(link, changed_at=ours.updated_at)
    take = partial(_change, work, ours, details_from(changes, msgspec.structs.asdict(ours)))
    await work.settle("Coverage", theirs.id, theirs.said_at, link, tuple(changes), take, patient_id)


async def _recognised(work: Work, theirs: Policy, said: dict[str, Any], held: list[Coverage], patient_id: UUID) -> Link | None:
    """The one of ours with the same payer and member, which the desk wrote down before."""
    ours = next((each for each in held if each.status != "entered-in-error" and is_same(said, each)), None)
    return await work.link("Coverage", theirs.id, ours.id, patient_id) if ours else None


async def _new(work: Work, theirs: Policy, said: dict[str, Any], patient_id: UUID) -> None:
    """Recorded, unless we are master."""
    if work.connection.masters["Coverage"] == "ours":
        await work.differs("Coverage", theirs.id, ONLY_THEIRS, patient_id=patient_id)
        return
    if said["relationship"] not in (None, "self") and said["subscriber"] is None:
        said = said | {"subscriber": await _subscriber(work, theirs)}
        if said["subscriber"] is None:
            await work.differs("Coverage", theirs.id, UNMAPPED, elements=("subscriber",), patient_id=patient_id)
            return
    patient = await work.ctx.patients.get_patient(work.ctx.actor, patient_id)
    command = RecordCoverage(patient_id=patient_id, details=details_from(said, {"beneficiary": beneficiary_of(patient)}))
    try:
        made = await work.ctx.coverages.record_coverage(work.ctx.actor, command, f"ehr-coverage-{work.mark(theirs.id).hex()}")
    except Unavailable:
        raise
    except Refusal as refusal:
        await work.differs("Coverage", theirs.id, refusal.code, patient_id=patient_id)
        return
    await work.link("Coverage", theirs.id, made.id, patient_id)
    work.counts["Coverage new"] += 1
    await work.agrees("Coverage", theirs.id, made.id)


async def _change(work: Work, ours: Coverage, details: CoverageDetails) -> None:
    key = f"ehr-coverage-{ours.id}-{ours.version}"
    command = UpdateCoverage(coverage_id=ours.id, details=details, expected_version=ours.version)
    await work.ctx.coverages.update_coverage(work.ctx.actor, command, key)


async def _subscriber(work: Work, theirs: Policy) -> Any:
    """Whose plan it is, read by reference; None where that cannot be read."""
    kind, _, id_ = ((theirs.subscriber.reference or "") if theirs.subscriber else "").partition("/")
    if kind not in BY_REFERENCE or not id_:
        return None
    try:
        return insured_of(read(await work.ehr.read(kind, id_), Person))
    except (NotUnderstood, Misread):
        return None


async def _held(work: Work, patient_id: UUID) -> list[Coverage]:
    page = await work.ctx.coverages.list_coverages(work.ctx.actor, ListCoverages(patient_id=patient_id, limit=HELD_MAX))
    return list(page.items)


def _is_over(work: Work, said: dict[str, Any]) -> bool:
    ends_on, today = said["ends_on"], work.began_at.date()
    return bool(said["status"] != "active" or (ends_on and ends_on < today))


async def zone_of(work: Work) -> ZoneInfo:
    """Where a day begins and ends: at the first site, as the EHR's own clinics are near ours."""
    sites = (await work.ctx.directory.find_sites(work.ctx.actor)).items
    return ZoneInfo((sites[0].time_zone if sites else None) or "UTC")
