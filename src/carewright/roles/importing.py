"""Imports resources from files through the modules that own them, and waits until every copy has followed."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.imports import ImportReport
from carewright.contracts.migration import InvalidMapping
from carewright.contracts.patients import Patients
from carewright.contracts.vitals import Vitals
from carewright.fhir.service.importing import Into, import_directory
from carewright.hl7.context import Hl7Context
from carewright.hl7.service.archive import import_archive
from carewright.kernel.clock import SystemClock
from carewright.kernel.ids import Ids
from carewright.kernel.settings import StartFailed
from carewright.migration.context import MigrationContext
from carewright.migration.model.mapping import mapping_in
from carewright.migration.model.system_mapping import system_mapping_in
from carewright.migration.model.systems import SYSTEMS, SystemName
from carewright.migration.service import dumping
from carewright.migration.service.importing import import_csv as import_rows
from carewright.roles.lifecycle import System, running
from carewright.roles.registry import MODULES

__all__ = ["SYSTEMS", "draft_mapping", "import_csv", "import_dump", "import_fhir", "import_hl7", "lines_of", "migrating"]
REJECTIONS_SHOWN_MAX = 20


async def import_fhir(
    sections: Mapping[str, Any], organization_id: UUID, paths: Sequence[Path], time_zone: str, bar: Callable[[int, int], None]
) -> ImportReport:
    """Import FHIR R4 NDJSON into one tenant. `time_zone` serves sites whose address does not tell; `bar(done, total)` hears of progress."""
    async with _importing(sections) as system:
        actor = system.tokens.actor("integration", "import", organization_id)
        await system.context("patients").acting(actor).cipher()  # an organization of another region is refused before anything is written
        into = Into(system.offer(Directory), system.offer(Patients), system.offer(Flow), system.offer(Vitals), actor)
        return await import_directory(into, paths, Ids(SystemClock()), bar, time_zone=time_zone)


async def import_csv(
    sections: Mapping[str, Any], organization_id: UUID, path: Path, mapping: str, bar: Callable[[int, int], None], *, dry_run: bool
) -> ImportReport:
    """Import one CSV file into one tenant, by the mapping (TOML). A dry run writes nothing."""
    asked = mapping_in(mapping)
    async with migrating(sections, organization_id) as ctx:
        return await import_rows(ctx, path, asked, dry_run=dry_run, progress=bar)


def draft_mapping(path: Path, name: SystemName) -> str:
    """A mapping of a known system's dump, to fill in. It needs no tenant: nothing but the dump is read."""
    return dumping.draft_mapping(path, name)


async def import_dump(
    sections: Mapping[str, Any], organization_id: UUID, name: SystemName, path: Path, mapping: str, bar: Callable[[int, int], None],
    *, dry_run: bool,
) -> ImportReport:  # fmt: skip
    """Import the dump of a known older system into one tenant, by the mapping (TOML). A dry run writes nothing."""
    asked = system_mapping_in(mapping)
    if asked.system != name:
        raise InvalidMapping(f"The mapping is of {asked.system!r}.", field="system")
    async with migrating(sections, organization_id) as ctx:
        return await dumping.import_dump(ctx, path, asked, dry_run=dry_run, progress=bar)


async def import_hl7(
    sections: Mapping[str, Any], organization_id: UUID, paths: Sequence[Path], client_id: UUID, bar: Callable[[int, int], None],
    *, dry_run: bool,
) -> ImportReport:  # fmt: skip
    """Import an archive of HL7 v2 messages into one tenant, in the name of the registered client that wrote them, with its scopes.

    A dry run writes nothing. Raises `StartFailed` for a client that is none of the tenant's, or was shut out.
    """
    async with _importing(sections) as system:
        ctx: Hl7Context = system.context("hl7")
        actor = await ctx.access.actor_of_client(ctx.system, client_id)
        if actor is None or actor.organization_id != organization_id:
            raise StartFailed("--client ID is the registered client that sent the messages: carewright client list shows them.")
        return await import_archive(ctx.acting(ctx.tokens.not_held(actor)), paths, dry_run=dry_run, progress=bar)


@asynccontextmanager
async def migrating(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[MigrationContext]:
    """Migration in the name of an import; whatever it wrote, every copy has followed when it ends."""
    async with _importing(sections) as system:
        ctx = system.context("migration").acting(system.tokens.actor("integration", "import", organization_id))
        await ctx.cipher()  # an organization of another region is refused before anything is written
        yield ctx


@asynccontextmanager
async def _importing(sections: Mapping[str, Any]) -> AsyncIterator[System]:
    """Every module that keeps something; whatever was written, every copy has followed when it ends."""
    async with running([module for module in MODULES if module.has_tables], sections) as system:
        yield system
        for relay in system.relays.values():
            await relay.drain()


def lines_of(report: ImportReport) -> list[str]:
    """The report for the terminal: counts by type and by code, then the first rejections."""
    rows = [
        f"{name:<20} {counts.accepted:>8} accepted {counts.rejected:>6} rejected {counts.skipped:>6} skipped"
        for name, counts in sorted(report.by_type.items())
    ]
    rejected = [f"{issue.file}:{issue.line} {issue.code}: {issue.reason}" for issue in report.rejections[:REJECTIONS_SHOWN_MAX]]
    more = len(report.rejections) - len(rejected)
    return [
        *rows,
        f"{report.created} created, {report.changed} changed, {report.unchanged} unchanged",
        *(f"{count:>8} {code}" for code, count in report.codes.items()),
        *rejected,
        *([f"… and {more} more; --report FILE writes them all"] if more else []),
    ]
