"""Visits: who pays for them, asked when they are booked, shown to the desk by the site's rule."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from carewright.contracts.coverage import (
    OFFICE_VISIT,
    Authorisation,
    AuthorisationNeed,
    Coverage,
    CoveragePolicy,
    Eligibility,
    ListVisits,
    Missing,
    UnknownVisit,
    VisitCoverage,
    VisitServiceType,
    VisitsPage,
)
from carewright.coverage import store
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import authorising, deciding, rules
from carewright.coverage.service.asking_later import Held
from carewright.coverage.service.checking import CHECK, asked
from carewright.coverage.service.coverages import READ, may_see
from carewright.coverage.service.reviewing import inquired, requested, wanted_of
from carewright.coverage.service.stopping import since
from carewright.coverage.store import Visit
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.privacy.cipher import FieldCipher

WORDS_MAX = 200
"""Looked at of one patient."""


class Known(NamedTuple):
    """What is known about who pays for a visit, and whether they agree to it."""

    coverage: Coverage | None = None
    eligibility: Eligibility | None = None
    kind: VisitServiceType | None = None
    authorisation: Authorisation | None = None


async def check_visit(ctx: CoverageContext, appointment_id: UUID, *, again: bool = True) -> VisitCoverage:
    """Ask the payer of the coverage that pays first on the day of the visit. Raises `UnknownVisit`, for one that was called off too."""
    ctx.actor.require(CHECK)
    cipher, visit = await ctx.cipher(), await live_visit(ctx, appointment_id)
    policy = await store.policy_of(ctx.db, cipher.organization_id, visit.site_id)
    day = day_at(visit.starts_at, policy)
    coverage = rules.paying_on(await store.coverages_of_patient(ctx.db, cipher, visit.patient_id), day)
    if coverage is None:
        return await _nobody_to_ask(ctx, visit, policy)
    kind = await _kind_of(ctx.db, cipher.organization_id, visit.visit_type_id)
    eligibility = await asked(ctx, coverage, kind.service_type if kind else OFFICE_VISIT, day, again=again, visit=visit)
    known = await authorised(ctx, visit, day, Known(coverage, eligibility, kind), again=again)
    return _shown(replace(visit, is_asked=True), policy, known)


async def check_hold(ctx: CoverageContext, held: Held) -> None:
    """Ask about a time that somebody keeps, as about a visit; what comes is there when it is booked."""
    ctx.actor.require(CHECK)
    cipher = await ctx.cipher()
    day = day_at(held.starts_at, await store.policy_of(ctx.db, cipher.organization_id, held.site_id))
    coverage = rules.paying_on(await store.coverages_of_patient(ctx.db, cipher, held.patient_id), day)
    if coverage is not None:
        kind = await _kind_of(ctx.db, cipher.organization_id, held.visit_type_id)
        await asked(ctx, coverage, kind.service_type if kind else OFFICE_VISIT, day, again=False)


async def get_visit(ctx: CoverageContext, appointment_id: UUID) -> VisitCoverage:
    """What the desk is shown of a visit. Raises `UnknownVisit`, for somebody else's too."""
    ctx.actor.require(READ)
    cipher, visit = await ctx.cipher(), await _visit(ctx, appointment_id)
    async with ctx.db.transaction() as tx:
        policy = await store.policy_of(tx, cipher.organization_id, visit.site_id)
        (found,) = await _all_shown(tx, cipher, [visit], policy)
        await audit.record(tx, _entry(ctx, "coverage.visit.read", "R", visit))
    return found


async def list_visits(ctx: CoverageContext, query: ListVisits) -> VisitsPage:
    """Visits of a day at a site that nobody said they pay for. Raises `Forbidden` for a site where the actor does not work."""
    ctx.actor.require(CHECK)
    if ctx.actor.site_ids and query.site_id not in ctx.actor.site_ids:
        raise Forbidden("You can act for your own sites only.")
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        policy = await store.policy_of(tx, cipher.organization_id, query.site_id)
        span = _span_of(query.day, ZoneInfo(policy.time_zone), ctx.clock.now())
        visits = await store.visits_of_site(tx, cipher.organization_id, query.site_id, span, query.after, query.limit + 1)
        looked_at = visits[: query.limit]
        shown = [each for each in await _all_shown(tx, cipher, looked_at, policy) if each.decision != "proceed"]
        await audit.record(tx, *audit.entries_for_patients(ctx, "coverage.visit.list", "R", [each.patient_id for each in shown]))
    return VisitsPage(items=tuple(shown), next=looked_at[-1].id if len(visits) > len(looked_at) else None)


def day_at(starts_at: datetime, policy: CoveragePolicy) -> date:
    """The day of a visit at its site, which payers are told."""
    return starts_at.astimezone(ZoneInfo(policy.time_zone)).date()


async def authorised(ctx: CoverageContext, visit: Visit, day: date, known: Known, *, again: bool) -> Known:
    """What is known, with whether the payer agrees: its last word about this visit, a no to its kind that stands, or what it says now.

    `again` asks once more about what it said that it cannot decide, or still looks at.
    """
    coverage = known.coverage
    if coverage is None or not authorising.is_needed(_need(known), coverage, known.eligibility):
        return known
    cipher, now = await ctx.cipher(), ctx.clock.now()
    last = await store.authorisations_by_id(ctx.db, cipher, [visit.authorisation_id] if visit.authorisation_id else [])
    own = [one for one in last if one.appointment_id == visit.id and one.state != "unknown"]
    word = next((one for one in own if authorising.counts_for(one, coverage, visit.visit_type_id, day)), None)
    if word is not None:
        return known._replace(authorisation=await inquired(ctx, word) if again and word.state == "pended" else word)
    words = await store.authorisations_asked_since(ctx.db, cipher, visit.patient_id, since(now)[1], WORDS_MAX)
    denial = authorising.standing_denial(words, coverage, visit.visit_type_id, now)
    if denial is not None:
        async with ctx.db.transaction() as tx:
            await store.authorise_visit(tx, cipher.organization_id, visit.id, denial)
        return known._replace(authorisation=denial)
    if known.eligibility is not None and known.eligibility.standing == "inactive":
        return known  # who does not pay at all is not asked to agree
    kind = known.kind or VisitServiceType(visit_type_id=visit.visit_type_id or visit.id)
    return known._replace(authorisation=await requested(ctx, visit, wanted_of(visit, kind, day), coverage))


def _need(known: Known) -> AuthorisationNeed | None:
    return known.kind.authorisation if known.kind else None


def _span_of(day: date | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """From when till when a day lasts there."""
    begins = day or now.astimezone(zone).date()
    return datetime.combine(begins, time(), zone), datetime.combine(begins + timedelta(days=1), time(), zone)


async def _all_shown(tx: Session, cipher: FieldCipher, visits: list[Visit], policy: CoveragePolicy) -> list[VisitCoverage]:
    """Visits of one site, with what was asked about each and of whom."""
    asked_last = [each.eligibility_id for each in visits if each.eligibility_id]
    answers = {each.id: each for each in await store.eligibilities_by_id(tx, cipher, asked_last)}
    ids = {each.coverage_id for each in answers.values()}
    payers = {each.id: each for each in await store.coverages_by_id(tx, cipher, list(ids), store.FIRST_ID, len(ids))}
    kinds = await store.service_types_of(tx, cipher.organization_id, {each.visit_type_id for each in visits})
    words_last = [each.authorisation_id for each in visits if each.authorisation_id]
    words = {each.id: each for each in await store.authorisations_by_id(tx, cipher, words_last)}
    shown = []
    for visit in visits:
        answer = answers.get(visit.eligibility_id) if visit.eligibility_id else None
        coverage = payers.get(answer.coverage_id) if answer else None
        word = words.get(visit.authorisation_id) if visit.authorisation_id else None
        counts = word and coverage and authorising.counts_for(word, coverage, visit.visit_type_id, day_at(visit.starts_at, policy))
        shown.append(_shown(visit, policy, Known(coverage, answer, kinds.get(visit.visit_type_id), word if counts else None)))
    return shown


async def _nobody_to_ask(ctx: CoverageContext, visit: Visit, policy: CoveragePolicy) -> VisitCoverage:
    async with ctx.db.transaction() as tx:
        await store.ask_about_visit(tx, ctx.actor.organization_id, visit, None)
        await audit.record(tx, _entry(ctx, "coverage.visit.check", "E", visit))
    return _shown(replace(visit, is_asked=True), policy, Known())


async def live_visit(ctx: CoverageContext, appointment_id: UUID) -> Visit:
    """A visit that is to take place. Raises `UnknownVisit`, for one that was called off too."""
    visit = await _visit(ctx, appointment_id)
    if visit.has_ended:
        raise UnknownVisit(appointment_id=str(appointment_id))
    return visit


async def _kind_of(db: Session, organization_id: UUID, visit_type_id: UUID | None) -> VisitServiceType | None:
    return (await store.service_types_of(db, organization_id, (visit_type_id,))).get(visit_type_id)


async def _visit(ctx: CoverageContext, appointment_id: UUID) -> Visit:
    found = await store.visit_by_id(ctx.db, ctx.actor.organization_id, appointment_id)
    if found is None or not may_see(ctx, found.patient_id):
        raise UnknownVisit(appointment_id=str(appointment_id))
    return found


def _shown(visit: Visit, policy: CoveragePolicy, known: Known) -> VisitCoverage:
    """A visit that moved, or is new, waits to be asked about; what was said of another day is not shown."""
    answer = known.eligibility if visit.is_asked else None
    coverage = known.coverage if answer else None
    missing: tuple[Missing, ...] = answer.missing if answer else (("coverage",) if visit.is_asked else ("waiting",))
    missing = tuple(each for each in missing if each != authorising.AUTHORISATION)
    decision = deciding.decide(policy.rule, visit.urgency, answer.standing if answer else "unknown", missing)
    is_needed = coverage is not None and authorising.is_needed(_need(known), coverage, answer)
    not_agreed = authorising.missing_of(known.authorisation) if is_needed else ()
    if not_agreed:
        decision = deciding.strictest(decision, deciding.decide(policy.of_authorisations, visit.urgency, "active", not_agreed))
    return VisitCoverage(
        appointment_id=visit.id, patient_id=visit.patient_id, site_id=visit.site_id, starts_at=visit.starts_at,
        missing=tuple(dict.fromkeys((*missing, *not_agreed))), coverage=coverage, eligibility=answer, decision=decision,
        needs_authorisation=is_needed, authorisation=known.authorisation if is_needed else None,
    )  # fmt: skip


def _entry(ctx: CoverageContext, event: str, action: audit.Action, visit: Visit) -> audit.Entry:
    return audit.entry(ctx, event, action, patient_id=visit.patient_id, entities=(audit.Entity(type="Appointment", id=visit.id),))
