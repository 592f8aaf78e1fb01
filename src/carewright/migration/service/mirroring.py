"""An export of a system that is master of some services: what it says is copied here, and compared in the same run.

Where we are master by now nothing of theirs is taken, and what they have differently is told line by line. Each run leaves a report of
every service at a site that was ever begun with that system.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.imports import ImportReport, Tally
from carewright.contracts.migration import DifferenceReport, InvalidMapping, NothingMirrored
from carewright.contracts.scheduling import Appointment, CancelAppointment, IllegalStep, NotMirrored, SearchAppointments, UnknownAppointment
from carewright.kernel import audit
from carewright.kernel.errors import PreconditionFailed, Refusal
from carewright.kernel.halves import ABOUT_WHAT_WAS_SENT
from carewright.migration.context import MigrationContext
from carewright.migration.model.comparing import Comparison
from carewright.migration.model.mapping import FileMapping
from carewright.migration.model.reading import AppointmentRow
from carewright.migration.model.reasons import REASONS, RowRejected
from carewright.migration.service.appointments import EXPECTED, REASON, TYPE, bring, linked
from carewright.migration.service.importing import Progress, bring_file
from carewright.migration.service.run import Row, Run, sole
from carewright.migration.store import links, reports

REPORTS_KEPT = 100
"""Of a service at a site: a quarter of a year of days."""
PAGE = 1_000
ABSENT_ALWAYS, ABSENT_SHARE_MAX = 10, 0.5
"""Of what came from that system, so many may be missing from an export at once, or that share: more looks like a file that was cut off."""
REFUSED_ALONE = (IllegalStep, NotMirrored, PreconditionFailed, UnknownAppointment)
"""What one cancellation may meet: somebody, or a switch, was faster. It stays, and the report tells."""


class Mirrored(NamedTuple):
    """What became of the rows, and a report of each service at a site."""

    taken: ImportReport
    reports: tuple[DifferenceReport, ...]


async def mirror_file(
    ctx: MigrationContext, path: Path, mapping: FileMapping, *, dry_run: bool = False, progress: Progress | None = None
) -> Mirrored:
    """Copy one export, and compare. A dry run compares with what is here, and neither writes nor keeps a report.

    Raises what `import_csv` raises, and `NothingMirrored` where the mapping's source is master of nothing.
    """
    ctx.actor.require("scheduling.appointment.mirror")
    if mapping.kind != "appointment":
        raise InvalidMapping("What is mirrored are appointments. Import patients by: carewright import csv.", field="kind")
    mirror = await _mirror(ctx, mapping, dry_run=dry_run)
    await bring_file(mirror.run, path, mirror.take, progress)
    made = tuple([await mirror.report(each) for each in mirror.comparisons])
    if not dry_run:
        await _keep(ctx, made)
    return Mirrored(mirror.run.tally.report(1), made)


async def _mirror(ctx: MigrationContext, mapping: FileMapping, *, dry_run: bool) -> "_Mirror":
    masters = [each for each in (await ctx.scheduling.list_masters(ctx.actor)).items if each.source == mapping.source]
    if not masters:
        raise NothingMirrored
    now = ctx.clock.now()
    run = Run(ctx, mapping, Tally(), dry_run, in_stead_of=mapping.source)
    return _Mirror(run, tuple(Comparison(each, now) for each in masters))


class _Mirror:
    """One run: its comparisons, and which appointments of ours the export knows."""

    def __init__(self, run: Run, comparisons: tuple[Comparison, ...]) -> None:
        self.run, self.comparisons = run, comparisons
        self._of = {(kind, each.master.site_id): each for each in comparisons for kind in each.master.visit_type_ids}
        self._known: set[UUID] = set()
        self._refused = 0

    async def take(self, rows: Sequence[Row[AppointmentRow]]) -> None:
        """One row after another, as an import does."""
        owners = await self.run.patients_of(row.value.patient for row in rows)
        for row in rows:
            comparison = self._of.get((row.value.visit_type_id, row.value.site_id))
            if comparison is None:
                self._skip(row, "migration.import.other_service")
            else:
                await self._compare(comparison, row, owners.get(row.value.patient))

    async def _compare(self, comparison: Comparison, row: Row[AppointmentRow], patient_ids: set[UUID] | None) -> None:
        mark, ours = await linked(self.run, row.value.source_id)
        code, patient_id = None, None
        try:
            patient_id = sole(patient_ids)
            if comparison.master.stage == "mirrored":
                ours = await bring(self.run, row, mark, ours, patient_id)
        except RowRejected as rejected:
            code = self._reject(row, rejected)
        except Refusal as refusal:
            if refusal.status not in ABOUT_WHAT_WAS_SENT:
                raise
            code = self._reject(row, refusal)
            _, ours = await linked(self.run, row.value.source_id)  # it may have been taken for theirs before it was refused
        if ours is not None:
            self._known.add(ours.id)
        agrees = comparison.agrees(row.at.line, row.value, patient_id, ours, code)
        if comparison.master.stage == "switched" and code is None:
            if agrees:
                self._skip(row, "migration.import.agreed")
            else:
                self._reject(row, RowRejected("switched"))

    async def report(self, comparison: Comparison) -> DifferenceReport:
        """What the rows came to, with what we have and they do not."""
        ours = await self._ours(comparison)
        absent = [each for each in ours if each.id not in self._known]
        if self.run.mapping.absent == "cancelled" and comparison.master.stage == "mirrored" and not self.run.dry_run:
            gone = await self._call_off(ours, absent)
            ours, absent = [each for each in ours if each.id not in gone], [each for each in absent if each.id not in gone]
        unread = self.run.tally.rejected - self._refused
        return comparison.report(self.run.ctx.ids.new(), len(ours), (each.id for each in absent), unread)

    async def _call_off(self, ours: Sequence[Appointment], absent: Sequence[Appointment]) -> set[UUID]:
        """Cancel what came from that system and is not listed there any more; which were. Too many at once are left, and told."""
        ctx, cipher, source = self.run.ctx, await self.run.ctx.cipher(), self.run.mapping.source
        theirs = await links.linked_among(ctx.db, cipher, [each.id for each in ours], source)
        wanted = [each for each in absent if each.id in theirs]
        if len(wanted) > max(ABSENT_ALWAYS, ABSENT_SHARE_MAX * len(theirs)):
            return set()
        gone = set[UUID]()
        for each in wanted:
            cancel = CancelAppointment(appointment_id=each.id, reason=REASON, expected_version=each.version)
            key = f"migration-absent-{each.id}-{each.version}"
            with suppress(*REFUSED_ALONE):
                await ctx.scheduling.cancel_appointment(ctx.actor, cancel, key, self.run.in_stead_of)
                gone.add(each.id)
        self.run.tally.stored(TYPE, created=0, changed=len(gone), unchanged=0)
        return gone

    async def _ours(self, comparison: Comparison) -> list[Appointment]:
        """Every appointment of ours that is expected there from now on."""
        found: list[Appointment] = []
        if not comparison.master.visit_type_ids:  # a search by none of them would find those of every service
            return found
        query = SearchAppointments(
            visit_type_ids=comparison.master.visit_type_ids, site_ids=(comparison.master.site_id,), statuses=EXPECTED,
            start_from=self.run.ctx.clock.now(), limit=PAGE,
        )  # fmt: skip
        while True:
            page = await self.run.ctx.scheduling.search_appointments(self.run.ctx.actor, query)
            found += page.items
            if page.next is None:
                return [each for each in found if each.expires_at is None]
            query = replace(query, after=page.next)

    def _reject(self, row: Row[AppointmentRow], why: RowRejected | Refusal) -> str:
        self._refused += 1
        self.run.reject(row.at, why)
        return why.code

    def _skip(self, row: Row[AppointmentRow], code: str) -> None:
        self.run.tally.skip(row.at, code, REASONS[code])


async def _keep(ctx: MigrationContext, made: Sequence[DifferenceReport]) -> None:
    organization_id = ctx.actor.organization_id
    async with ctx.db.transaction() as tx:
        for each in made:
            await reports.insert_report(tx, organization_id, each)
            await reports.forget_reports(tx, organization_id, each, REPORTS_KEPT)
            about = (audit.Entity(type="HealthcareService", id=each.service_id), audit.Entity(type="Location", id=each.site_id))
            await audit.record(tx, audit.entry(ctx, "migration.report.create", "C", entities=about))
