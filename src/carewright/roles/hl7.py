"""HL7 v2's work list and tables from the command line: `carewright hl7`. Works on the database, whether or not a server runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from carewright.contracts.hl7 import WaitingMessage
from carewright.hl7.context import Hl7Context
from carewright.hl7.service import work_list
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling", "flow", "hl7")


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[WaitingMessage]:
    async with _asking(sections, organization_id) as ctx:
        return await work_list.list_waiting(ctx)


async def shown(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID) -> str:
    async with _asking(sections, organization_id) as ctx:
        return await work_list.read_message(ctx, message_id)


async def replayed(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID, file: Path | None) -> str:
    """What became of it, in one line."""
    async with _asking(sections, organization_id) as ctx:
        fate = await work_list.replay(ctx, message_id, _content(file) if file else None)
    return " ".join(filter(None, (fate.status, fate.reason, fate.about)))


async def settled(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID) -> None:
    async with _asking(sections, organization_id) as ctx:
        await work_list.settle(ctx, message_id)


async def mapped(sections: Mapping[str, Any], organization_id: UUID, table: str, code: str, target: str | None) -> None:
    async with _asking(sections, organization_id) as ctx:
        await work_list.set_mapping(ctx, table, code, target)


def line_of(message: WaitingMessage) -> str:
    """One line for the terminal, without anything of whom it is about."""
    return f"{message.id} {message.received_at:%Y-%m-%d %H:%M} {message.kind:<8} {message.reason} {message.about}".rstrip()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise StartFailed(f"{file} cannot be read.") from fault


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[Hl7Context]:
    """The module, and whoever sits at the machine as a scheduler: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        ctx: Hl7Context = system.context("hl7")
        yield ctx.acting(system.tokens.actor("scheduler", "command-line", organization_id))
