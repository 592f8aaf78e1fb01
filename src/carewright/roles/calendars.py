"""Other people's calendars from the command line: `carewright calendar`. Works on the database, whether or not a server runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from carewright.calendars.context import CalendarsContext
from carewright.calendars.service import busy, sources
from carewright.calendars.service.busy import Outcome
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling", "calendars")


async def added(sections: Mapping[str, Any], organization_id: UUID, schedule_id: UUID, time_zone: str, address: str | None) -> UUID:
    async with _asking(sections, organization_id) as ctx:
        return (await sources.add_source(ctx, schedule_id, time_zone, address)).id


async def read(sections: Mapping[str, Any], organization_id: UUID, source_id: UUID, content: bytes | None) -> str:
    async with _asking(sections, organization_id) as ctx:
        return line_of(await busy.read_source(ctx, source_id, content))


async def dropped(sections: Mapping[str, Any], organization_id: UUID, source_id: UUID) -> str:
    async with _asking(sections, organization_id) as ctx:
        return line_of(await busy.drop_source(ctx, source_id))


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> list[str]:
    """Each source, and how its last read ended."""
    async with _asking(sections, organization_id) as ctx:
        return [
            f"{one.id} closes {one.schedule_id}, {'by address' if one.address else 'by file'}, "
            f"read {f'{one.read_at:%Y-%m-%d %H:%M}' if one.read_at else 'never'}: {one.error or 'well'}"
            for one in await sources.list_sources(ctx)
        ]


async def conflicts(sections: Mapping[str, Any], organization_id: UUID, source_id: UUID) -> list[str]:
    """The appointments that stand where the other calendar is busy."""
    async with _asking(sections, organization_id) as ctx:
        return [f"{each.start.isoformat()} appointment {each.appointment_id}" for each in await busy.list_conflicts(ctx, source_id)]


def line_of(outcome: Outcome) -> str:
    """One line for the terminal."""
    return f"{outcome.blocked} blocked, {outcome.opened} opened, {outcome.unchanged} unchanged; {outcome.hit} appointments stand in the new"


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[CalendarsContext]:
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        actor = system.tokens.actor("administrator", "command-line", organization_id)
        yield system.context("calendars").acting(actor)
