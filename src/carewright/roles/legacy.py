"""Moving from an older system, service by service: `carewright legacy`. Works on the database, whether or not a server runs."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.masters import ChangeMaster, Master, Masters
from carewright.contracts.migration import Difference, DifferenceReport
from carewright.kernel.errors import BadInput
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import mapping_in
from carewright.migration.service import mirroring, switching
from carewright.migration.service.mirroring import Mirrored
from carewright.migration.service.switching import Standing
from carewright.roles import importing
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling", "migration")
LINES_SHOWN_MAX = 50


async def mirrored(
    sections: Mapping[str, Any], organization_id: UUID, path: Path, mapping: str, bar: Callable[[int, int], None], *, dry_run: bool
) -> Mirrored:
    """Copy and compare one export, by the mapping (TOML)."""
    asked = mapping_in(mapping)
    async with importing.migrating(sections, organization_id) as ctx:
        return await mirroring.mirror_file(ctx, path, asked, dry_run=dry_run, progress=bar)


async def changed(
    sections: Mapping[str, Any], organization_id: UUID, operator: str, wished: Mapping[str, Any], *, despite_differences: bool = False
) -> Masters:
    """Take a step with a service. Raises `BadInput` for what is not in form."""
    try:
        command = msgspec.convert(wished, ChangeMaster)
    except msgspec.ValidationError as fault:
        raise BadInput(f"This cannot be done: {fault}.") from fault
    async with _asking(sections, organization_id, operator) as ctx:
        return await switching.change_master(ctx, command, despite_differences=despite_differences)


async def standings(sections: Mapping[str, Any], organization_id: UUID, operator: str) -> Sequence[Standing]:
    async with _asking(sections, organization_id, operator) as ctx:
        return await switching.list_standings(ctx)


def agrees(standing: Standing) -> bool:
    """Whether nobody must look at it."""
    return not standing.is_due and (standing.report is None or standing.report.open == 0)


def lines_of_masters(masters: Masters) -> list[str]:
    return [_line_of_master(each) for each in masters.items]


def _line_of_master(one: Master) -> str:
    step = f"{one.stage}, {one.source}, since {one.since:%Y-%m-%d %H:%M} UTC by {one.changed_by}"
    return f"service {one.service_id} at {one.site_id}: {step}: {one.reason}"


def as_json(standings: Sequence[Standing]) -> bytes:
    """The last reports, for programs."""
    return msgspec.json.format(msgspec.json.encode([each.report for each in standings if each.report]))


def lines_of_mirrored(done: Mirrored) -> Iterator[str]:
    """What became of the rows, then each report."""
    yield from importing.lines_of(done.taken)
    for report in done.reports:
        yield f"service {report.service_id} at {report.site_id}"
        yield from lines_of_report(report)


def lines_of(standings: Sequence[Standing]) -> Iterator[str]:
    """Each service at a site: how it stands, then its last report."""
    if not standings:
        yield "No service was begun to be moved."
    for each in standings:
        yield _line_of_master(each.master)
        if each.report is not None:
            yield from lines_of_report(each.report)
        if each.is_due:
            yield "  NO REPORT that is new enough: mirror the system's last export"


def lines_of_report(report: DifferenceReport) -> Iterator[str]:
    """Counts, then the first differences: ids, lines of their file and codes, and nothing of whom they are about."""
    yield (
        f"  {report.made_at:%Y-%m-%d %H:%M} UTC: {report.theirs} theirs, {report.ours} ours, {report.same} the same; "
        f"{report.theirs_only} theirs only, {report.ours_only} ours only, {report.differing} differ, {report.unread} unread"
    )
    for each in report.differences[:LINES_SHOWN_MAX]:
        yield f"  {_line_of(each)}"
    more = report.theirs_only + report.ours_only + report.differing - LINES_SHOWN_MAX
    if more > 0:
        yield f"  … and {more} more; --json FILE writes the first thousand"


def _line_of(one: Difference) -> str:
    where = f"line {one.line}" if one.line is not None else ""
    ours = f"appointment {one.appointment_id}" if one.appointment_id else ""
    fields = "; ".join(f"{each.field} {each.theirs or '-'} here {each.ours or '-'}" for each in one.fields)
    return " ".join(filter(None, (one.kind, where, ours, fields, one.code)))


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID, operator: str) -> AsyncIterator[MigrationContext]:
    """Whoever may log in to the machine may do this: the journal names the login."""
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        yield system.context("migration").acting(system.tokens.actor("administrator", f"operator/{operator}", organization_id))
