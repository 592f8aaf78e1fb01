"""The rows of coverage, to values and back: sealed on the way in, opened on the way out. One function runs one named query."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from carewright.contracts.coverage import (
    Authorisation,
    AuthorisationNeed,
    Benefits,
    Coverage,
    CoveragePolicy,
    Eligibility,
    Insured,
    ListEligibilities,
    Missing,
    Payer,
    Relationship,
    SetPolicy,
    Standing,
    VisitServiceType,
)
from carewright.contracts.directory import UrgencyTier
from carewright.contracts.scheduling import AppointmentFact
from carewright.coverage.model.question import Question, Request
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.coverage")
COVERAGE = "coverage.coverage"
ELIGIBILITY = "coverage.eligibility"
AUTHORISATION = "coverage.authorisation"
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


class Agreed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies sealed in a row of authorisation; while the payer still looks at it, with what was asked."""

    payer: Payer
    number: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    missing: tuple[Missing, ...] = ()
    reasons: tuple[str, ...] = ()
    request: Request | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that was booked, with the last question that was asked about it; `is_asked` where that is about the visit as it is now.

    `authorisation_id` is the payer's last word about whether it agrees beforehand.
    """

    id: UUID
    patient_id: UUID
    site_id: UUID
    visit_type_id: UUID | None
    urgency: UrgencyTier
    starts_at: datetime
    eligibility_id: UUID | None
    authorisation_id: UUID | None
    is_asked: bool
    has_ended: bool


_content = msgspec.json.Decoder(Content).decode
_said = msgspec.json.Decoder(Said).decode
_agreed = msgspec.json.Decoder(Agreed).decode
_need = msgspec.json.Decoder(AuthorisationNeed).decode


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
    await tx.execute(Q.erase_authorisations, organization_id, patient_id)
    await tx.execute(Q.erase_visits, organization_id, patient_id)
    return [row["id"] for row in await tx.fetch(Q.erase_coverages, organization_id, patient_id)]


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, now: datetime) -> list[UUID]:
    """Give a merged record's coverages, answers and visits to its survivor, and note that none may come later; the ids of the coverages."""
    await tx.execute(Q.note_erased, organization_id, prior_id, now)
    await tx.execute(Q.take_over_eligibilities, organization_id, prior_id)
    await tx.execute(Q.take_over_authorisations, organization_id, prior_id)
    await tx.execute(Q.take_over_visits, organization_id, prior_id)
    return [row["id"] for row in await tx.fetch(Q.take_over_coverages, organization_id, prior_id, now)]


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


async def eligibilities_of_patient(db: Session, cipher: FieldCipher, query: ListEligibilities) -> list[Eligibility]:
    """One more than a page of what payers were asked about a patient, by id; or as many of the latest, the newest first."""
    if query.latest:
        rows = await db.fetch(Q.latest_eligibilities_of_patient, cipher.organization_id, query.patient_id, query.limit)
    else:
        rows = await db.fetch(
            Q.eligibilities_of_patient, cipher.organization_id, query.patient_id, query.after or FIRST_ID, query.limit + 1
        )
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


async def service_types_of(
    db: Session, organization_id: UUID, visit_type_ids: Collection[UUID | None]
) -> dict[UUID | None, VisitServiceType]:
    """About what payers are asked for each of these; what is not among them has the default."""
    asked_for = [each for each in visit_type_ids if each is not None]
    rows = await db.fetch(Q.service_types_of, organization_id, asked_for) if asked_for else []
    return {row["visit_type_id"]: _service_type(row) for row in rows}


async def service_types(db: Session, organization_id: UUID) -> list[VisitServiceType]:
    """Those that are set."""
    return [_service_type(row) for row in await db.fetch(Q.service_types, organization_id)]


async def put_service_type(tx: Session, organization_id: UUID, what: VisitServiceType) -> None:
    needs = None if what.authorisation is None else msgspec.json.encode(what.authorisation)
    await tx.execute(Q.put_service_type, organization_id, what.visit_type_id, what.service_type, needs)


async def policy_of(db: Session, organization_id: UUID, site_id: UUID) -> CoveragePolicy:
    """A site's policy; the default where it set none."""
    row = await db.fetch_one(Q.policy_of, organization_id, site_id)
    return CoveragePolicy(**row) if row else CoveragePolicy(site_id=site_id)


async def policies_that_stop(db: Session, organization_id: UUID, limit: int) -> list[CoveragePolicy]:
    """Of sites where something is not booked that the payer said no to."""
    return [CoveragePolicy(**row) for row in await db.fetch(Q.policies_that_stop, organization_id, limit)]


async def put_policy(tx: Session, organization_id: UUID, policy: SetPolicy) -> None:
    await tx.execute(Q.put_policy, organization_id, policy.site_id, policy.rule, policy.time_zone, policy.authorisation)


async def eligibilities_asked_since(db: Session, cipher: FieldCipher, patient_id: UUID, since: datetime, limit: int) -> list[Eligibility]:
    """What was asked about a patient since then and answered, oldest first."""
    rows = await db.fetch(Q.eligibilities_asked_since, cipher.organization_id, patient_id, since, limit)
    return [_eligibility(cipher, row) for row in rows]


async def patients_spoken_of(db: Session, organization_id: UUID, since: tuple[datetime, datetime], after: UUID, limit: int) -> list[UUID]:
    """A page of those about whom payers were asked since the first instant, or about whose visits since the second."""
    return [row["id"] for row in await db.fetch(Q.patients_spoken_of, organization_id, *since, after, limit)]


async def note_stops(tx: Session, organization_id: UUID, patient_id: UUID, *, has_stops: bool) -> bool:
    """Whether scheduling is to be told: something stops, or did."""
    return await tx.fetch_one(Q.note_stops, organization_id, patient_id, has_stops) is not None


async def insert_authorisation(
    tx: Session, cipher: FieldCipher, one: Authorisation, request: Request | None = None, inquire_at: datetime | None = None
) -> None:
    """Keep a payer's word, and let it be the last one about its visit. `request` is what was asked, where anybody was."""
    await tx.execute(
        Q.insert_authorisation, cipher.organization_id, one.id, one.patient_id, one.appointment_id, one.coverage_id, one.visit_type_id,
        one.serviced_on, one.state, one.by_desk, _sealed_agreed(cipher, one, request), one.asked_at, one.answered_at,
        request.trace if request else None, inquire_at,
    )  # fmt: skip
    await authorise_visit(tx, cipher.organization_id, one.appointment_id, one)


async def authorise_visit(tx: Session, organization_id: UUID, appointment_id: UUID, one: Authorisation) -> None:
    """Let a payer's word be the last one about a visit."""
    await tx.execute(Q.authorise_visit, organization_id, appointment_id, one.id, one.visit_type_id)


async def settle_authorisation(tx: Session, cipher: FieldCipher, one: Authorisation, request: Request, inquire_at: datetime | None) -> bool:
    """Keep what became of a request, or that it is to be asked about again. False where somebody else was faster."""
    sealed = _sealed_agreed(cipher, one, request)
    row = await tx.fetch_one(Q.settle_authorisation, cipher.organization_id, one.id, one.state, sealed, one.answered_at, inquire_at)
    return row is not None


async def request_waiting(db: Session, cipher: FieldCipher, authorisation_id: UUID) -> tuple[Authorisation, Request] | None:
    """A request that a payer still looks at; None where it was decided, or never asked."""
    for row in await db.fetch(Q.authorisations_by_id, cipher.organization_id, [authorisation_id]):
        request = _agreed_in(cipher, row).request
        if row["state"] == "pended" and request is not None:
            return _authorisation(cipher, row), request
    return None


async def whose_requests(db: Session, traces: Sequence[str]) -> list[tuple[UUID, UUID]]:
    """(organization, authorisation) of those traces that are waited for."""
    return [(row["organization_id"], row["id"]) for row in await db.fetch(Q.whose_request, list(traces))]


async def to_inquire(db: Session, now: datetime, limit: int) -> list[tuple[UUID, UUID, int]]:
    """(organization, authorisation, how often it was asked about) of those that are due."""
    return [(row["organization_id"], row["id"], row["inquiries"]) for row in await db.fetch(Q.to_inquire, now, limit)]


async def postpone_inquiry(db: Session, organization_id: UUID, authorisation_id: UUID, until: datetime, now: datetime) -> bool:
    """Whether it is ours to ask now."""
    return await db.fetch_one(Q.postpone_inquiry, organization_id, authorisation_id, until, now) is not None


async def authorisations_by_id(db: Session, cipher: FieldCipher, ids: Sequence[UUID]) -> list[Authorisation]:
    """Those that are known among these."""
    return [_authorisation(cipher, row) for row in await db.fetch(Q.authorisations_by_id, cipher.organization_id, list(ids))]


async def authorisations_of_patient(db: Session, cipher: FieldCipher, patient_id: UUID, after: UUID, limit: int) -> list[Authorisation]:
    """A page of what payers said about a patient's visits, by id."""
    rows = await db.fetch(Q.authorisations_of_patient, cipher.organization_id, patient_id, after, limit)
    return [_authorisation(cipher, row) for row in rows]


async def authorisations_asked_since(
    db: Session, cipher: FieldCipher, patient_id: UUID, since: datetime, limit: int
) -> list[Authorisation]:
    """What payers said about a patient's visits since then, oldest first."""
    rows = await db.fetch(Q.authorisations_asked_since, cipher.organization_id, patient_id, since, limit)
    return [_authorisation(cipher, row) for row in rows]


async def dispose_eligibilities(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete questions that were asked, authorisations too, and visits that began, before `before`, and that no hold covers."""
    asked = await tx.fetch(Q.dispose_eligibilities, organization_id, before, limit)
    agreed = await tx.fetch(Q.dispose_authorisations, organization_id, before, limit)
    begun = await tx.fetch(Q.dispose_visits, organization_id, before, limit)
    gone = [Gone("CoverageEligibilityResponse", row["id"], row["patient_id"]) for row in asked]
    gone += [Gone("ClaimResponse", row["id"], row["patient_id"]) for row in agreed]
    return gone + [Gone("Appointment", row["id"], row["patient_id"]) for row in begun]


async def reseal_eligibilities(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_coverages`, of what payers were asked."""
    return await reseal_rows(tx, cipher, ELIGIBILITY, ("content",), (Q.eligibilities_to_reseal, Q.reseal_eligibilities), after, limit)


async def reseal_authorisations(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """As `reseal_coverages`, of what payers authorised."""
    return await reseal_rows(tx, cipher, AUTHORISATION, ("content",), (Q.authorisations_to_reseal, Q.reseal_authorisations), after, limit)


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


def _service_type(row: Row) -> VisitServiceType:
    need = _need(row["needs"]) if row["needs"] is not None else None
    return VisitServiceType(visit_type_id=row["visit_type_id"], service_type=row["code"], authorisation=need)


def _sealed_agreed(cipher: FieldCipher, one: Authorisation, request: Request | None) -> bytes:
    """What was asked is kept as long as it is needed: until the payer decided."""
    said = {name: getattr(one, name) for name in Agreed.__struct_fields__ if name != "request"}
    agreed = Agreed(**said, request=request if one.state == "pended" else None)
    return cipher.seal(AUTHORISATION, "content", one.id, msgspec.json.encode(agreed))


def _agreed_in(cipher: FieldCipher, row: Row) -> Agreed:
    return _agreed(cipher.open_(AUTHORISATION, "content", row["id"], row["content"]))


def _authorisation(cipher: FieldCipher, row: Row) -> Authorisation:
    agreed = msgspec.structs.asdict(_agreed_in(cipher, row))
    del agreed["request"]
    return Authorisation(
        id=row["id"], patient_id=row["patient_id"], appointment_id=row["appointment_id"], coverage_id=row["coverage_id"],
        visit_type_id=row["visit_type_id"], serviced_on=row["serviced_on"], state=row["state"], by_desk=row["by_desk"],
        asked_at=row["asked_at"], answered_at=row["answered_at"], **agreed,
    )  # fmt: skip
