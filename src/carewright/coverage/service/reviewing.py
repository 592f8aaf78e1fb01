"""Asking payers for their agreement beforehand, and asking again about what they pended. Outside of any transaction, as in `checking`."""

from datetime import date, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from carewright.contracts.coverage import OUTPATIENT, Authorisation, Coverage, PatientGone, VisitServiceType
from carewright.coverage import store
from carewright.coverage.clearing.port import NoAnswer, Reviewer
from carewright.coverage.clearing.x12 import review_in
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import authorising
from carewright.coverage.model.question import Request, Wanted, request_about
from carewright.coverage.service.stopping import tell_stops
from carewright.coverage.store import Visit
from carewright.kernel import audit

INQUIRED_MAX = 50
"""Asked about in one turn."""


async def requested(ctx: CoverageContext, visit: Visit, wanted: Wanted, coverage: Coverage) -> Authorisation | None:
    """Ask the payer to agree to a visit, and keep what came of it; None where nobody can be asked but by the desk.

    Raises `PatientGone` for somebody who was erased meanwhile.
    """
    reviewer = ctx.reviewer_of(coverage.payer.id) if coverage.payer.id else None
    if reviewer is None:
        return None
    cipher, now = await ctx.cipher(), ctx.clock.now()
    request = request_about(coverage, ctx.provider, wanted, trace=_trace_of(visit, wanted, coverage), at=now)
    new = Authorisation(
        id=ctx.ids.new(), patient_id=visit.patient_id, appointment_id=visit.id, coverage_id=coverage.id, payer=coverage.payer,
        visit_type_id=visit.visit_type_id, serviced_on=wanted.serviced_on, state="pended", asked_at=now,
    )  # fmt: skip
    found = await _reviewed(ctx, reviewer, new, request)
    async with ctx.db.transaction() as tx:
        if not await store.lock_patient(tx, cipher.organization_id, visit.patient_id):
            raise PatientGone(patient_id=str(visit.patient_id))
        await store.insert_authorisation(tx, cipher, found, request, _inquire_at(ctx, reviewer, found, 0))
        await tell_stops(ctx, tx, cipher, visit.patient_id)
        await audit.record(tx, entry_of(ctx, "coverage.authorisation.request", "E", found))
    return found


def _trace_of(visit: Visit, wanted: Wanted, coverage: Coverage) -> str:
    """The same for the same request: whoever gets it twice knows that it is one."""
    said = f"{visit.id}:{coverage.id}:{coverage.version}:{wanted.serviced_on}:{wanted.service_type}:{wanted.procedure}"
    return uuid5(NAMESPACE_OID, said).hex.upper()


def wanted_of(visit: Visit, kind: VisitServiceType, serviced_on: date) -> Wanted:
    """What is to be authorised of a visit of a kind."""
    need = kind.authorisation
    return Wanted(
        service_type=kind.service_type, procedure=(need.procedure or "") if need else "", place=need.place if need else OUTPATIENT,
        serviced_on=serviced_on, urgency=visit.urgency,
    )  # fmt: skip


async def inquire_due(ctx: CoverageContext) -> int:
    """Ask about what was pended and is due, of every organization; how many were asked about. `ctx` is the system's."""
    due = await store.to_inquire(ctx.db, ctx.clock.now(), INQUIRED_MAX)
    for organization_id, authorisation_id, asked in due:
        await _inquire(ctx.working_in(organization_id), authorisation_id, asked)
    return len(due)


async def inquired(ctx: CoverageContext, one: Authorisation) -> Authorisation:
    """Ask now about what was pended, where the payer can be asked; what is known otherwise."""
    waiting = await store.request_waiting(ctx.db, await ctx.cipher(), one.id)
    reviewer = ctx.reviewer_of(one.payer.id) if one.payer.id else None
    if waiting is None or reviewer is None or not reviewer.can_inquire:
        return one
    return await _asked_about(ctx, reviewer, *waiting, 0)


async def take_review(ctx: CoverageContext, authorisation_id: UUID, raw: bytes) -> bool:
    """Take what a payer decided, out of a file. False where nobody waits for it any more."""
    waiting = await store.request_waiting(ctx.db, await ctx.cipher(), authorisation_id)
    if waiting is None:
        return False
    one, request = waiting
    try:
        decided = authorising.as_decided(one, review_in(raw, request), ctx.clock.now())
    except NoAnswer as none:
        decided = authorising.as_unanswered(one, none.reason, ctx.clock.now())
    return await _settled(ctx, decided, request, None)


async def _inquire(ctx: CoverageContext, authorisation_id: UUID, asked: int) -> None:
    now = ctx.clock.now()
    organization_id = ctx.actor.organization_id
    if not await store.postpone_inquiry(ctx.db, organization_id, authorisation_id, authorising.next_inquiry(asked + 1, now), now):
        return
    waiting = await store.request_waiting(ctx.db, await ctx.cipher(), authorisation_id)
    if waiting is None:
        return
    reviewer = ctx.reviewer_of(waiting[0].payer.id or "")
    if reviewer is not None and reviewer.can_inquire:
        await _asked_about(ctx, reviewer, *waiting, asked + 1)


async def _asked_about(ctx: CoverageContext, reviewer: Reviewer, one: Authorisation, request: Request, asked: int) -> Authorisation:
    """Ask about a request, and keep what came of it. Who is away, or says something else, is asked again later."""
    try:
        review = await reviewer.inquire(request, one.number)
    except NoAnswer:
        review = None
    found = one if review is None else authorising.as_decided(one, review, ctx.clock.now())
    if found.state == "unknown":
        found = one
    return found if await _settled(ctx, found, request, _inquire_at(ctx, reviewer, found, asked)) else one


async def _settled(ctx: CoverageContext, one: Authorisation, request: Request, inquire_at: datetime | None) -> bool:
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        kept = await store.lock_patient(tx, cipher.organization_id, one.patient_id) and await store.settle_authorisation(
            tx, cipher, one, request, inquire_at
        )
        if kept:
            await tell_stops(ctx, tx, cipher, one.patient_id)
            await audit.record(tx, entry_of(ctx, "coverage.authorisation.answer", "U", one))
    return kept


async def _reviewed(ctx: CoverageContext, reviewer: Reviewer, new: Authorisation, request: Request) -> Authorisation:
    try:
        review = await reviewer.review(request)
    except NoAnswer as none:
        return authorising.as_unanswered(new, none.reason, ctx.clock.now())
    return new if review is None else authorising.as_decided(new, review, ctx.clock.now())


def _inquire_at(ctx: CoverageContext, reviewer: Reviewer, one: Authorisation, asked: int) -> datetime | None:
    """When to ask about it again; None where it is decided, comes by itself, or was asked about for long enough."""
    now = ctx.clock.now()
    is_over = one.state != "pended" or not reviewer.can_inquire or now - one.asked_at > authorising.INQUIRE_FOR
    return None if is_over else authorising.next_inquiry(asked, now)


def entry_of(ctx: CoverageContext, event: str, action: audit.Action, one: Authorisation) -> audit.Entry:
    about = (audit.Entity(type="ClaimResponse", id=one.id), audit.Entity(type="Appointment", id=one.appointment_id))
    return audit.entry(ctx, event, action, patient_id=one.patient_id, entities=about)
