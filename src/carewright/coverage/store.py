"""The rows of coverage, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from carewright.contracts.coverage import (
    OFFICE_VISIT,
    Benefits,
    Coverage,
    CoveragePolicy,
    Eligibility,
    Insured,
    Missing,
    Payer,
    Relationship,
    ServiceType,
    SetPolicy,
    Standing,
    VisitServiceType,
)
from carewright.contracts.directory import UrgencyTier
from carewright.contracts.scheduling import AppointmentFact
from carewright.coverage.model.question import Question
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.coverage")
COVERAGE = "coverage.coverage"
ELIGIBILITY = "coverage.eligibility"
FIRST_ID = UUID(int=0)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What lies sealed in a row of coverage."""

    payer: Payer
    member_id: str
    beneficiary: Insured
    relationship: Relationship
    subscriber: Insured | None
    plan: str
    group: str


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies sealed in a row of eligibility: what the payer said; while that is on its way, what was asked."""

    payer: Payer
    standing: Standing = "unknown"
    missing: tuple[Missing, ...] = ()
    benefits: Benefits = Benefits()
    question: Question | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that was booked, with the last question that was asked about it; `is_asked` where that is about the visit as it is now."""

    id: UUID
    patient_id: UUID
    site_id: UUID
    visit_type_id: UUID | None
    urgency: UrgencyTier
    starts_at: datetime
    eligibility_id: UUID | None
    is_asked: bool
    has_ended: bool


_content = msgspec.json.Decoder(Content).decode
_said = msgspec.json.Decoder(Said).decode


async def coverage_by_id(db: Session, cipher: FieldCipher, coverage_id: UUID) -> Coverage | None:
    row = await db.fetch_one(Q.coverage_by_id, cipher.organization_id, coverage_id)
    return _opened(cipher, row) if row else None


async def coverages_of_patient(
    db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID = FIRST_ID, limit: int = 200
) -> list[Coverage]:
    """A page of a patient's coverages, by id."""
    return [_opened(cipher, row) for row in await db.fetch(Q.coverages_of_patient, cipher.organization_id, patient_id, after, limit)]


async def coverages_by_id(db: Session, cipher: FieldCipher, ids: Sequence[UUID], after: UUID, limit: int) -> list[Coverage]:
    """Those that are known among these, by id."""
    return [_opened(cipher, row) for row in await db.fetch(Q.coverages_by_id, cipher.organization_id, list(ids), after, limit)]


async def insert_coverage(tx: Session, cipher: FieldCipher, coverage: Coverage) -> bool:
    """False where the patient has this coverage already."""
    row = await tx.fetch_one(
        Q.insert_coverage, cipher.organization_id, coverage.id, coverage.patient_id, coverage.status, *_sealed(cipher, coverage),
        coverage.starts_on, coverage.ends_on, coverage.order, coverage.version, coverage.updated_at,
    )  # fmt: skip
    return row is not None


async def has_twin(tx: Session, cipher: FieldCipher, coverage: Coverage) -> bool:
    """Whether the patient has the same coverage under another id."""
    row = await tx.fetch_one(Q.has_twin, cipher.organization_id, mark_of(cipher, coverage), coverage.id)
    return bool(row and row["has_twin"])


async def update_coverage(tx: Session, cipher: FieldCipher, coverage: Coverage) -> None:
    await tx.execute(
        Q.update_coverage, cipher.organization_id, coverage.id, coverage.status, *_sealed(cipher, coverage), coverage.starts_on,
        coverage.ends_on, coverage.order, coverage.version, coverage.updated_at,
    )  # fmt: skip


async def lock_patient(tx: Session, organization_id: UUID, patient_id: UUID) -> bool:
    """Let changes about one patient go one after another, until the transaction ends. False for who was erased."""
    row = await tx.fetch_one(Q.lock_patient, organization_id, patient_id)
    return row is not None and row["erased_at"] is None


async def erase_patient(tx: Session, organization_id: UUID, patient_id: UUID, now: datetime) -> list[UUID]:
    """Delete what is known of a patient, and note that nothing may come later; the ids of the coverages."""
    await tx.execute(Q.note_erased, organization_id, patient_id, now)
    await tx.execute(Q.erase_eligibilities, organization_id, patient_id)
    await tx.execute(Q.erase_visits, organization_id, patient_id)
    return [row["id"] for row in await tx.fetch(Q.erase_coverages, organization_id, patient_id)]


async def dispose_coverages(tx: Session, organization_id: UUID, before: date, limit: int) -> list[Gone]:
    """Delete coverages that ended before `before` and that no hold covers."""
    return [Gone("Coverage", row["id"], row["patient_id"]) for row in await tx.fetch(Q.dispose_coverages, organization_id, before, limit)]


async def reseal_coverages(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal coverages anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, COVERAGE, ("content",), (Q.coverages_to_reseal, Q.reseal_coverages), after, limit)


async def eligibility_by_id(db: Session, cipher: FieldCipher, eligibility_id: UUID) -> Eligibility | None:
    row = await db.fetch_one(Q.eligibility_by_id, cipher.organization_id, eligibility_id)
    return _eligibility(cipher, row) if row else None


async def eligibilities_by_id(db: Session, cipher: FieldCipher, ids: Sequence[UUID]) -> list[Eligibility]:
    """Those that are known among these."""
    return [_eligibility(cipher, row) for row in await db.fetch(Q.eligibilities_by_id, cipher.organization_id, list(ids))]


async def question_waiting(db: Session, cipher: FieldCipher, eligibility_id: UUID) -> tuple[Eligibility, Question] | None:
    """A question whose answer is on its way; None where it came, or was given up."""
    row = await db.fetch_one(Q.eligibility_by_id, cipher.organization_id, eligibility_id)
    said = _said_in(cipher, row) if row and row["outcome"] == "queued" else None
    return (_eligibility(cipher, row), said.question) if row and said and said.question else None


async def eligibilities_of_patient(db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID, limit: int) -> list[Eligibility]:
    """A page of what payers were asked about a patient, by id."""
    rows = await db.fetch(Q.eligibilities_of_patient, cipher.organization_id, patient_id, after, limit)
    return [_eligibility(cipher, row) for row in rows]


async def eligibility_since(
    db: Session, cipher: FieldCipher, coverage: Coverage, service_type: str, serviced_on: date, since: datetime
) -> Eligibility | None:
    """What was asked about the same since then, and answered, or will be."""
    row = await db.fetch_one(
        Q.eligibility_since, cipher.organization_id, coverage.id, coverage.version, service_type, serviced_on, since
    )  # fmt: skip
    return _eligibility(cipher, row) if row else None


async def whose_traces(db: Session, traces: Sequence[str]) -> list[tuple[UUID, UUID]]:
    """(organization, question) of those traces that are waited for."""
    return [(row["organization_id"], row["id"]) for row in await db.fetch(Q.whose_trace, list(traces))]


async def waiting_too_long(db: Session, before: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(organization, question) of those that were asked before then and not answered."""
    return [(row["organization_id"], row["id"]) for row in await db.fetch(Q.waiting_too_long, before, limit)]


async def insert_eligibility(tx: Session, cipher: FieldCipher, one: Eligibility, trace: str, question: Question | None) -> None:
    """`question` is kept while its answer is on its way."""
    await tx.execute(
        Q.insert_eligibility, cipher.organization_id, one.id, one.patient_id, one.coverage_id, one.coverage_version, one.service_type,
        one.serviced_on, one.outcome, trace, _sealed_said(cipher, one, question), one.asked_at, one.answered_at,
    )  # fmt: skip


async def answer_eligibility(tx: Session, cipher: FieldCipher, one: Eligibility) -> bool:
    """False where it was answered before."""
    sealed = _sealed_said(cipher, one, None)
    row = await tx.fetch_one(Q.answer_eligibility, cipher.organization_id, one.id, one.outcome, sealed, one.answered_at)
    return row is not None


async def put_visit(tx: Session, fact: AppointmentFact) -> bool:
    """Whether something about the visit is new."""
    row = await tx.fetch_one(
        Q.put_visit, fact.organization_id, fact.appointment_id, fact.patient_id, fact.site_id, fact.visit_type_id, fact.urgency, fact.start
    )  # fmt: skip
    return row is not None


async def end_visit(tx: Session, organization_id: UUID, appointment_id: UUID) -> None:
    await tx.execute(Q.end_visit, organization_id, appointment_id)


async def visit_by_id(db: Session, organization_id: UUID, appointment_id: UUID) -> Visit | None:
    row = await db.fetch_one(Q.visit_by_id, organization_id, appointment_id)
    return Visit(**row) if row else None


async def visits_of_site(
    db: Session, organization_id: UUID, site_id: UUID, span: tuple[datetime, datetime], after: UUID | None, limit: int
) -> list[Visit]:
    """Visits that begin from the first of two instants and before the second, by start."""
    return [Visit(**row) for row in await db.fetch(Q.visits_of_site, organization_id, site_id, *span, after, limit)]


async def visits_ahead(db: Session, organization_id: UUID, patient_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """A patient's visits that are still to come, the next one first."""
    return [row["id"] for row in await db.fetch(Q.visits_ahead, organization_id, patient_id, now, limit)]


async def ask_about_visit(tx: Session, organization_id: UUID, visit: Visit, eligibility_id: UUID | None) -> None:
    """Which question tells about a visit from now on; None where nobody could be asked."""
    await tx.execute(Q.ask_about_visit, organization_id, visit.id, eligibility_id, visit.starts_at, visit.visit_type_id)


async def service_type_of(db: Session, organization_id: UUID, visit_type_id: UUID | None) -> ServiceType:
    """About what payers are asked; a visit to an office where nothing else was set."""
    row = await db.fetch_one(Q.service_type_of, organization_id, visit_type_id)
    return row["code"] if row else OFFICE_VISIT


async def put_service_type(tx: Session, organization_id: UUID, what: VisitServiceType) -> None:
    await tx.execute(Q.put_service_type, organization_id, what.visit_type_id, what.service_type)


async def policy_of(db: Session, organization_id: UUID, site_id: UUID) -> CoveragePolicy:
    """A site's policy; the default where it set none."""
    row = await db.fetch_one(Q.policy_of, organization_id, site_id)
    return CoveragePolicy(**row) if row else CoveragePolicy(site_id=site_id)


async def put_policy(tx: Session, organization_id: UUID, policy: SetPolicy) -> None:
    await tx.execute(Q.put_policy, organization_id, policy.site_id, policy.rule, policy.time_zone)


async def dispose_eligibilities(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete questions that were asked, and visits that began, before `before`, and that no hold covers."""
    asked = await tx.fetch(Q.dispose_eligibilities, organization_id, before, limit)
    begun = await tx.fetch(Q.dispose_visits, organization_id, before, limit)
    gone = [Gone("CoverageEligibilityResponse", row["id"], row["patient_id"]) for row in asked]
    return gone + [Gone("Appointment", row["id"], row["patient_id"]) for row in begun]


async def reseal_eligibilities(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_coverages`, of what payers were asked."""
    return await reseal_rows(tx, cipher, ELIGIBILITY, ("content",), (Q.eligibilities_to_reseal, Q.reseal_eligibilities), after, limit)


def mark_of(cipher: FieldCipher, coverage: Coverage) -> bytes:
    """What a coverage is unique by: patient, payer and member, however the member id is spaced and cased."""
    payer = coverage.payer.id or coverage.payer.name
    said = "\0".join((str(coverage.patient_id), payer.upper(), "".join(coverage.member_id.upper().split())))
    return cipher.mark(COVERAGE, "mark", said.encode())


def _sealed(cipher: FieldCipher, coverage: Coverage) -> tuple[bytes, bytes]:
    content = Content(**{name: getattr(coverage, name) for name in Content.__struct_fields__})
    return cipher.seal(COVERAGE, "content", coverage.id, msgspec.json.encode(content)), mark_of(cipher, coverage)


def _opened(cipher: FieldCipher, row: Row) -> Coverage:
    content = _content(cipher.open_(COVERAGE, "content", row["id"], row["content"]))
    return Coverage(
        id=row["id"], patient_id=row["patient_id"], status=row["status"], starts_on=row["starts_on"], ends_on=row["ends_on"],
        order=row["pays_as"], version=row["version"], updated_at=row["updated_at"], **msgspec.structs.asdict(content),
    )  # fmt: skip


def _sealed_said(cipher: FieldCipher, one: Eligibility, question: Question | None) -> bytes:
    said = Said(payer=one.payer, standing=one.standing, missing=one.missing, benefits=one.benefits, question=question)
    return cipher.seal(ELIGIBILITY, "content", one.id, msgspec.json.encode(said))


def _said_in(cipher: FieldCipher, row: Row) -> Said:
    return _said(cipher.open_(ELIGIBILITY, "content", row["id"], row["content"]))


def _eligibility(cipher: FieldCipher, row: Row) -> Eligibility:
    said = _said_in(cipher, row)
    return Eligibility(
        id=row["id"], coverage_id=row["coverage_id"], coverage_version=row["coverage_version"], patient_id=row["patient_id"],
        payer=said.payer, service_type=row["service_type"], serviced_on=row["serviced_on"], outcome=row["outcome"],
        standing=said.standing, missing=said.missing, benefits=said.benefits, asked_at=row["asked_at"], answered_at=row["answered_at"],
    )  # fmt: skip
