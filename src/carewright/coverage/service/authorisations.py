"""What payers authorised: written down by the desk, and read."""

from carewright.contracts.coverage import (
    Authorisation,
    AuthorisationsPage,
    InvalidAuthorisation,
    ListAuthorisations,
    PatientGone,
    RecordAuthorisation,
)
from carewright.coverage import store
from carewright.coverage.context import CoverageContext
from carewright.coverage.model import authorising, rules
from carewright.coverage.service.coverages import CHANGE, READ, ensure_theirs
from carewright.coverage.service.reviewing import entry_of
from carewright.coverage.service.stopping import tell_stops
from carewright.coverage.service.visits import day_at, live_visit
from carewright.kernel import audit
from carewright.kernel.idempotency import once, remember


async def record_authorisation(ctx: CoverageContext, command: RecordAuthorisation) -> Authorisation:
    """Write down what a payer said about a visit by telephone or letter; it is the last word from now on.

    Raises `UnknownVisit`, `InvalidAuthorisation`, and `PatientGone` for somebody who was erased meanwhile.
    """
    ctx.actor.require(CHANGE)
    cipher = await ctx.cipher()

    async def work() -> Authorisation:
        authorising.ensure_sound(command)
        visit, now = await live_visit(ctx, command.appointment_id), ctx.clock.now()
        day = day_at(visit.starts_at, await store.policy_of(ctx.db, cipher.organization_id, visit.site_id))
        coverage = rules.paying_on(await store.coverages_of_patient(ctx.db, cipher, visit.patient_id), day)
        if coverage is None:
            raise InvalidAuthorisation("Nobody pays for this visit: record the coverage first.", field="appointment_id")
        word = Authorisation(
            id=ctx.ids.new(), patient_id=visit.patient_id, appointment_id=visit.id, coverage_id=coverage.id, payer=coverage.payer,
            visit_type_id=visit.visit_type_id, serviced_on=day, state=command.state, number=command.number or "",
            valid_from=command.valid_from, valid_until=command.valid_until, by_desk=True, asked_at=now, answered_at=now,
        )  # fmt: skip
        async with ctx.db.transaction() as tx:
            if not await store.lock_patient(tx, cipher.organization_id, visit.patient_id):
                raise PatientGone(patient_id=str(visit.patient_id))
            await store.insert_authorisation(tx, cipher, word)
            await tell_stops(ctx, tx, cipher, visit.patient_id)
            await audit.record(tx, entry_of(ctx, "coverage.authorisation.record", "C", word))
            await remember(ctx, tx, word)
        return word

    return await once(ctx, Authorisation, work)


async def list_authorisations(ctx: CoverageContext, query: ListAuthorisations) -> AuthorisationsPage:
    """A page of what payers said about a patient's visits."""
    ctx.actor.require(READ)
    ensure_theirs(ctx, query.patient_id)
    cipher, after = await ctx.cipher(), query.after or store.FIRST_ID
    async with ctx.db.transaction() as tx:
        found = await store.authorisations_of_patient(tx, cipher, query.patient_id, after, query.limit + 1)
        await audit.record(tx, audit.entry(ctx, "coverage.authorisation.list", "R", patient_id=query.patient_id))
    shown = found[: query.limit]
    return AuthorisationsPage(items=tuple(shown), next=shown[-1].id if len(found) > len(shown) else None)
