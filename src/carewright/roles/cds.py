"""Services of others that are asked before a booking, from the command line: `carewright cds`. Works whether or not a server runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from carewright.cds.context import CdsContext
from carewright.cds.service import connecting
from carewright.contracts.cds import AddService, AskedService
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling", "coverage", "cds")


async def added(sections: Mapping[str, Any], organization_id: UUID, wished: Mapping[str, Any]) -> AskedService:
    """Raises `StartFailed` for what is not in form."""
    try:
        command = msgspec.convert(wished, AddService)
    except msgspec.ValidationError as fault:
        raise StartFailed(f"This service cannot be added: {fault}.") from fault
    async with _asking(sections, organization_id) as ctx:
        return await connecting.add_service(ctx, command)


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[AskedService]:
    async with _asking(sections, organization_id) as ctx:
        return await connecting.list_services(ctx)


async def removed(sections: Mapping[str, Any], organization_id: UUID, name: str) -> None:
    async with _asking(sections, organization_id) as ctx:
        await connecting.remove_service(ctx, name)


def line_of(service: AskedService) -> str:
    """One line for the terminal."""
    sites = " ".join(str(each) for each in service.site_ids) or "every site"
    told = "gets the patient" if service.prefetch else "gets no patient"
    return f"{service.id} {service.name} {service.address}: {sites}; {told}"


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[CdsContext]:
    """The module, and whoever sits at the machine as an administrator: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        ctx: CdsContext = system.context("cds")
        yield ctx.acting(system.tokens.actor("administrator", "command-line", organization_id))
