"""Service by service from an older system to us, and back: what scheduling decides, asked with the last report at hand."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.masters import ChangeMaster, Master, Masters
from carewright.contracts.migration import DifferenceReport, DifferencesOpen, ReportMissing
from carewright.kernel.errors import BadInput
from carewright.migration.context import MigrationContext
from carewright.migration.store import reports

REASON_LENGTH_MAX = 500
"""As `Reason` has it."""
REPORT_HOURS_MAX = 26
"""How old a report may be that is decided on: a day, and what an export may be late."""


class Standing(NamedTuple):
    """A service at a site, and its last report. `is_due`: it is mirrored, and there is none that is new enough."""

    master: Master
    report: DifferenceReport | None
    is_due: bool


async def list_standings(ctx: MigrationContext) -> tuple[Standing, ...]:
    """Every service that was begun, at each site, in the order of their ids."""
    masters = (await ctx.scheduling.list_masters(ctx.actor)).items
    latest = await reports.latest_reports(ctx.db, ctx.actor.organization_id)
    return tuple(_standing(ctx, each, latest) for each in masters)


async def change_master(ctx: MigrationContext, command: ChangeMaster, *, despite_differences: bool = False) -> Masters:
    """Take the step. To switch, the last report must be new enough and without differences, unless somebody decides otherwise.

    What they decided against is kept with their reason. Raises `ReportMissing`, `DifferencesOpen`, `BadInput` for a reason that leaves no
    room for it, and what scheduling refuses.
    """
    if command.step == "switch":
        against = _against(await list_standings(ctx), command)
        if against is not None and not despite_differences:
            raise against
        if against is not None:
            command = _despite(command, against)
    return await ctx.scheduling.change_master(ctx.actor, command)


def _against(standings: Collection[Standing], command: ChangeMaster) -> ReportMissing | DifferencesOpen | None:
    """What speaks against a switch, if anything does."""
    mirrored = [each for each in standings if each.master.service_id == command.service_id and each.master.stage == "mirrored"]
    wanted = [each for each in mirrored if not command.site_ids or each.master.site_id in command.site_ids]
    if due := [str(each.master.site_id) for each in wanted if each.is_due]:
        return ReportMissing(site_ids=due)
    differences = sum(each.report.open for each in wanted if each.report)
    return (
        DifferencesOpen(f"There are {differences} differences. {DifferencesOpen.title}", differences=differences) if differences else None
    )


def _despite(command: ChangeMaster, against: ReportMissing | DifferencesOpen) -> ChangeMaster:
    what = f"{against.facts['differences']} differences" if isinstance(against, DifferencesOpen) else "a missing report"
    reason = f"Despite {what}: {command.reason}"
    if len(reason) > REASON_LENGTH_MAX:
        raise BadInput("Give the reason in fewer words.", parameter="reason")
    return replace(command, reason=reason)


def _standing(ctx: MigrationContext, master: Master, latest: Mapping[tuple[UUID, UUID], DifferenceReport]) -> Standing:
    """A report of another system, or from before the last step, says nothing of how it stands now."""
    report = latest.get((master.service_id, master.site_id))
    if report is not None and (report.source != master.source or report.made_at < master.since):
        report = None
    too_old = report is None or ctx.clock.now() - report.made_at > timedelta(hours=REPORT_HOURS_MAX)
    return Standing(master, report, master.stage == "mirrored" and too_old)
