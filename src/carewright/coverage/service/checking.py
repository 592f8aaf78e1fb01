"""Asking payers, and what becomes of a question. Payers are asked outside of any transaction: one who hangs holds nobody up."""

from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.coverage import (
    CheckEligibility,
    Coverage,
    EligibilitiesPage,
    Eligibility,
    ListEligibilities,
    Missing,
    PatientGone,
    UnknownEligibility,
)
from carewright.coverage import store
from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import deciding
from carewright.coverage.model.question import Answer, Question, question_about
from carewright.coverage.service.coverages import READ, ensure_theirs, known, may_see
from carewright.coverage.service.stopping import since, tell_stops
from carewright.coverage.store import Visit
from carewright.kernel import audit
from carewright.kernel.idempotency import once, remember

CHECK = "coverage.check"


async def check_eligibility(ctx: CoverageContext, command: CheckEligibility) -> Eligibility:
    """Ask a payer whether a patient is covered. Whoever answers nothing, or a lie, makes an `error` of it, never a refusal.

    Raises `UnknownCoverage`.
    """
    ctx.actor.require(CHECK)
    cipher = await ctx.cipher()

    async def work() -> Eligibility:
        coverage = known(ctx, await store.coverage_by_id(ctx.db, cipher, command.coverage_id), command.coverage_id)
        return await asked(ctx, coverage, command.service_type, command.serviced_on, again=command.again)

    return await once(ctx, Eligibility, work)


async def asked(
    ctx: CoverageContext, coverage: Coverage, service_type: str, serviced_on: date, *, again: bool, visit: Visit | None = None
) -> Eligibility:
    """What the payer says today; the answer of a moment ago where one is there, unless it is to be asked `again`.

    `visit` is the one about which it tells from now on. Raises `PatientGone` for somebody who was erased meanwhile.
    """
    cipher, now = await ctx.cipher(), ctx.clock.now()
    known = None if again else await store.eligibility_since(ctx.db, cipher, coverage, service_type, serviced_on, since(now)[0])
    question = question_about(
        coverage, ctx.provider, trace=ctx.ids.new().hex.upper(), at=now, service_type=service_type, serviced_on=serviced_on
    )  # fmt: skip
    found = known or await _answered(ctx, coverage, question)
    async with ctx.db.transaction() as tx:
        if not await store.lock_patient(tx, cipher.organization_id, coverage.patient_id):
            raise PatientGone(patient_id=str(coverage.patient_id))
        if known is None:
            await store.insert_eligibility(tx, cipher, found, question.trace, question if found.outcome == "queued" else None)
            await tell_stops(ctx, tx, cipher, coverage.patient_id)
        if visit is not None:
            await store.ask_about_visit(tx, cipher.organization_id, visit, found.id)
        await audit.record(tx, entry_of(ctx, "coverage.eligibility.check", "E", found))
        await remember(ctx, tx, found)
    return found


async def _answered(ctx: CoverageContext, coverage: Coverage, question: Question) -> Eligibility:
    """The question with its answer, or with why there is none."""
    new = Eligibility(
        id=ctx.ids.new(), coverage_id=coverage.id, coverage_version=coverage.version, patient_id=coverage.patient_id, payer=coverage.payer,
        service_type=question.service_type, serviced_on=question.serviced_on, outcome="queued", missing=("waiting",),
        asked_at=question.asked_at,
    )  # fmt: skip
    if coverage.payer.id is None:
        return unanswered(new, "payer", ctx.clock.now())
    try:
        answer = await ctx.clearing_house.ask(question)
    except NoAnswer as none:
        return unanswered(new, none.reason, ctx.clock.now())
    return new if answer is None else complete(new, question, answer, ctx.clock.now())


def complete(one: Eligibility, question: Question, answer: Answer, now: datetime) -> Eligibility:
    """The question with what the payer said."""
    return replace(
        one, outcome="complete", standing=deciding.standing_of(question, answer), missing=deciding.missing_of(question, answer),
        benefits=deciding.benefits_of(question, answer), answered_at=now,
    )  # fmt: skip


def unanswered(one: Eligibility, why: Missing, now: datetime) -> Eligibility:
    """The question with why there is no answer."""
    return replace(one, outcome="error", missing=(why,), answered_at=now)


async def get_eligibility(ctx: CoverageContext, eligibility_id: UUID) -> Eligibility:
    """One question and what became of it. Raises `UnknownEligibility`, for somebody else's too."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.eligibility_by_id(tx, cipher, eligibility_id)
        if found is None or not may_see(ctx, found.patient_id):
            raise UnknownEligibility(eligibility_id=str(eligibility_id))
        await audit.record(tx, entry_of(ctx, "coverage.eligibility.read", "R", found))
    return found


async def list_eligibilities(ctx: CoverageContext, query: ListEligibilities) -> EligibilitiesPage:
    """A page of what payers were asked about a patient, or the latest."""
    ctx.actor.require(READ)
    ensure_theirs(ctx, query.patient_id)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = await store.eligibilities_of_patient(tx, cipher, query)
        await audit.record(tx, audit.entry(ctx, "coverage.eligibility.list", "R", patient_id=query.patient_id))
    shown = found[: query.limit]
    return EligibilitiesPage(items=tuple(shown), next=shown[-1].id if len(found) > len(shown) else None)


def entry_of(ctx: CoverageContext, event: str, action: audit.Action, one: Eligibility) -> audit.Entry:
    about = (audit.Entity(type="CoverageEligibilityResponse", id=one.id), audit.Entity(type="Coverage", id=one.coverage_id))
    return audit.entry(ctx, event, action, patient_id=one.patient_id, entities=about)
