"""The directory's wiring."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts.directory import (
    Directory,
    EntriesPage,
    FindByIdentifier,
    FindEntries,
    FindServices,
    FindStaff,
    IdentifierMatch,
    PutEntry,
    PutResources,
    PutResult,
    ServicesPage,
    ServiceSummary,
    SitesPage,
    Staff,
    StaffPage,
    VisitType,
)
from carewright.directory import service
from carewright.directory.http import ROUTES
from carewright.directory.settings import DirectorySettings
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running


class LocalDirectory:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find_services(self, actor: Actor, query: FindServices) -> ServicesPage:
        return await service.find_services(self._context.acting(actor), query)

    async def get_visit_type(self, actor: Actor, visit_type_id: UUID) -> VisitType:
        return await service.get_visit_type(self._context.acting(actor), visit_type_id)

    async def get_service(self, actor: Actor, service_id: UUID) -> ServiceSummary:
        return await service.get_service(self._context.acting(actor), service_id)

    async def find_sites(self, actor: Actor) -> SitesPage:
        return await service.find_sites(self._context.acting(actor))

    async def find_staff(self, actor: Actor, query: FindStaff) -> StaffPage:
        return await service.find_staff(self._context.acting(actor), query)

    async def get_staff(self, actor: Actor, practitioner_id: UUID) -> Staff:
        return await service.get_staff(self._context.acting(actor), practitioner_id)

    async def find_entries(self, actor: Actor, query: FindEntries) -> EntriesPage:
        return await service.find_entries(self._context.acting(actor), query)

    async def find_by_identifier(self, actor: Actor, query: FindByIdentifier) -> tuple[IdentifierMatch, ...]:
        return await service.find_by_identifier(self._context.acting(actor), query)

    async def put_resources(self, actor: Actor, command: PutResources) -> PutResult:
        return await service.put_resources(self._context.acting(actor), command)

    async def put_entry(self, actor: Actor, command: PutEntry, idempotency_key: str | None = None) -> EntriesPage:
        return await service.put_entry(self._context.acting(actor, Once.of(idempotency_key, command)), command)


async def start(context: Context, _: DirectorySettings, __: Callable[[type], Any]) -> Running:
    """The directory needs nothing but its tables."""
    return Running(context=context, offers={Directory: LocalDirectory(context)})


MODULE = Module(
    name="directory",
    start=start,
    settings=DirectorySettings,
    offers=(Directory,),
    routes=ROUTES,
    prefixes=("/api/v1/services", "/api/v1/visit-types", "/api/v1/sites", "/api/v1/practitioners", "/api/v1/directory"),
)
