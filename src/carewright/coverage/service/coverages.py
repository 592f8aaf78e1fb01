"""A patient's coverages: recorded, read, changed."""

from uuid import UUID

from carewright.contracts.coverage import (
    AlreadyRecorded,
    Coverage,
    CoveragesPage,
    ListCoverages,
    PatientGone,
    RecordCoverage,
    UnknownCoverage,
    UpdateCoverage,
)
from carewright.coverage import store
from carewright.coverage.model import rules
from carewright.coverage.service.asking_later import ask_about_visits_ahead
from carewright.coverage.service.stopping import tell_stops
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import BadInput, Forbidden, PreconditionFailed
from carewright.kernel.idempotency import once, remember
from carewright.kernel.privacy.cipher import FieldCipher

READ = "coverage.read"
CHANGE = "coverage.change"
ANY_PATIENT = "coverage.any_patient"


async def record_coverage(ctx: Context, command: RecordCoverage) -> Coverage:
    """Store a new coverage. Raises `InvalidCoverage`, `AlreadyRecorded`, and `PatientGone` for somebody who was erased."""
    ctx.actor.require(CHANGE)
    ensure_theirs(ctx, command.patient_id)
    cipher = await ctx.cipher()

    async def work() -> Coverage:
        now = ctx.clock.now()
        rules.ensure_sound(command.details, now)
        coverage = rules.new_coverage(ctx.ids.new(), command.patient_id, command.details, now)
        async with ctx.db.transaction() as tx:
            if not await store.lock_patient(tx, cipher.organization_id, command.patient_id):
                raise PatientGone(patient_id=str(command.patient_id))
            if not await store.insert_coverage(tx, cipher, coverage):
                raise AlreadyRecorded
            await tell_stops(ctx, tx, cipher, coverage.patient_id)
            await ask_about_visits_ahead(ctx, tx, coverage)
            await audit.record(tx, entry_of(ctx, "coverage.coverage.record", "C", coverage))
            await remember(ctx, tx, coverage)
        return coverage

    return await once(ctx, Coverage, work)


async def update_coverage(ctx: Context, command: UpdateCoverage) -> Coverage:
    """Replace what a coverage says; the same again changes nothing.

    Raises `UnknownCoverage`, `PreconditionFailed`, `InvalidCoverage`, `AlreadyRecorded`.
    """
    ctx.actor.require(CHANGE)
    cipher = await ctx.cipher()

    async def work() -> Coverage:
        now = ctx.clock.now()
        rules.ensure_sound(command.details, now)
        async with ctx.db.transaction() as tx:
            before = await _locked(ctx, tx, cipher, command.coverage_id)
            if command.expected_version not in (None, before.version):
                raise PreconditionFailed(version=before.version)
            changed = rules.changed_coverage(before, command.details, now)
            if changed != before:
                await _replace(tx, cipher, changed)
                await tell_stops(ctx, tx, cipher, changed.patient_id)
                await ask_about_visits_ahead(ctx, tx, changed)
            await audit.record(tx, entry_of(ctx, "coverage.coverage.change", "U", changed))
            await remember(ctx, tx, changed)
        return changed

    return await once(ctx, Coverage, work)


async def _replace(tx: Session, cipher: FieldCipher, changed: Coverage) -> None:
    """The caller holds the patient's row. Raises `AlreadyRecorded`."""
    if changed.status != "entered-in-error" and await store.has_twin(tx, cipher, changed):
        raise AlreadyRecorded
    await store.update_coverage(tx, cipher, changed)


async def get_coverage(ctx: Context, coverage_id: UUID) -> Coverage:
    """One coverage. Raises `UnknownCoverage`, for somebody else's too."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = known(ctx, await store.coverage_by_id(tx, cipher, coverage_id), coverage_id)
        await audit.record(tx, entry_of(ctx, "coverage.coverage.read", "R", found))
    return found


async def list_coverages(ctx: Context, query: ListCoverages) -> CoveragesPage:
    """A page of coverages, of one patient or by their ids, in order of ids."""
    ctx.actor.require(READ)
    own = None if query.ids and ctx.actor.may(ANY_PATIENT) else ctx.actor.patient_id
    patient_id = query.patient_id or own
    if patient_id is None and not query.ids:
        raise BadInput("Say whose coverages: `patient_id` is missing.", parameter="patient_id")
    if patient_id is not None:
        ensure_theirs(ctx, patient_id)
    cipher, after = await ctx.cipher(), query.after or store.FIRST_ID
    async with ctx.db.transaction() as tx:
        if query.ids:
            found = await store.coverages_by_id(tx, cipher, query.ids, after, query.limit + 1)
            found = [each for each in found if patient_id in (None, each.patient_id)]
        else:
            found = await store.coverages_of_patient(tx, cipher, patient_id or store.FIRST_ID, after, query.limit + 1)
        shown = found[: query.limit]
        await audit.record(tx, *audit.entries_for_patients(ctx, "coverage.coverage.list", "R", [each.patient_id for each in shown]))
    return CoveragesPage(items=tuple(shown), next=shown[-1].id if len(found) > len(shown) else None)


def may_see(ctx: Context, patient_id: UUID) -> bool:
    """Who may not act for every patient acts for themselves alone."""
    return ctx.actor.may(ANY_PATIENT) or ctx.actor.patient_id == patient_id


def ensure_theirs(ctx: Context, patient_id: UUID) -> None:
    """Raises `Forbidden` for a patient whose coverages the actor may not see."""
    if not may_see(ctx, patient_id):
        raise Forbidden("You may see your own coverage only.")


def entry_of(ctx: Context, event: str, action: audit.Action, coverage: Coverage) -> audit.Entry:
    about = (audit.Entity(type="Coverage", id=coverage.id),)
    return audit.entry(ctx, event, action, patient_id=coverage.patient_id, entities=about)


async def _locked(ctx: Context, tx: Session, cipher: FieldCipher, coverage_id: UUID) -> Coverage:
    """The coverage as it stays until the transaction ends: whoever changes it holds its patient's row."""
    found = known(ctx, await store.coverage_by_id(tx, cipher, coverage_id), coverage_id)
    await store.lock_patient(tx, cipher.organization_id, found.patient_id)
    return known(ctx, await store.coverage_by_id(tx, cipher, coverage_id), coverage_id)


def known(ctx: Context, found: Coverage | None, coverage_id: UUID) -> Coverage:
    """Somebody else's does not exist for a patient."""
    if found is None or not may_see(ctx, found.patient_id):
        raise UnknownCoverage(coverage_id=str(coverage_id))
    return found
