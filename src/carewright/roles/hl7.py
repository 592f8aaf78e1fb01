"""HL7 v2's work list, tables and partners from the command line: `carewright hl7`. Works on the database, whether or not a server runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.hl7 import Partner, UnsentMessage, WaitingMessage
from carewright.hl7.context import Hl7Context
from carewright.hl7.service import partners, unsent, work_list
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "directory", "patients", "scheduling", "flow", "orders", "hl7")


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


async def settled(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID, reason: str) -> None:
    async with _asking(sections, organization_id) as ctx:
        await work_list.settle(ctx, message_id, reason)


async def mapped(sections: Mapping[str, Any], organization_id: UUID, table: str, code: str, target: str | None) -> None:
    async with _asking(sections, organization_id) as ctx:
        await work_list.set_mapping(ctx, table, code, target)


async def partner_added(
    sections: Mapping[str, Any], organization_id: UUID, said: Mapping[str, Any], token_file: Path | None = None
) -> UUID:
    """The new partner's id. Raises `StartFailed` for values that are none."""
    token = _token(token_file)
    async with _asking(sections, organization_id, "administrator") as ctx:
        try:
            partner = msgspec.convert({"id": ctx.ids.new(), **said}, type=Partner, strict=False)
        except msgspec.ValidationError as fault:
            raise StartFailed(str(fault)) from fault
        await partners.add_partner(ctx, partner, token)
    return partner.id


async def partner_changed(
    sections: Mapping[str, Any], organization_id: UUID, partner_id: UUID, said: Mapping[str, Any], token_file: Path | None = None
) -> Partner:
    """The partner as it is told from now on."""
    token = _token(token_file)
    async with _asking(sections, organization_id, "administrator") as ctx:
        return await partners.change_partner(ctx, partner_id, said, token)


async def partners_listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[Partner]:
    async with _asking(sections, organization_id, "administrator") as ctx:
        return await partners.list_partners(ctx)


async def partner_stopped(sections: Mapping[str, Any], organization_id: UUID, partner_id: UUID) -> int:
    """How many messages it was still to be told."""
    async with _asking(sections, organization_id, "administrator") as ctx:
        return await partners.stop_partner(ctx, partner_id)


async def partner_mapped(
    sections: Mapping[str, Any], organization_id: UUID, partner_id: UUID, table: str, ours: str, theirs: str | None
) -> None:  # fmt: skip
    async with _asking(sections, organization_id, "administrator") as ctx:
        await partners.set_partner_code(ctx, partner_id, table, ours, theirs)


async def unsent_listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[UnsentMessage]:
    async with _asking(sections, organization_id) as ctx:
        return await unsent.list_unsent(ctx)


async def unsent_shown(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID) -> str:
    """The message, and below it what the partner said."""
    async with _asking(sections, organization_id) as ctx:
        told = await unsent.read_unsent(ctx, message_id)
    return f"{told.content}\n{told.said}".strip()


async def resent(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID) -> None:
    async with _asking(sections, organization_id) as ctx:
        await unsent.resend(ctx, message_id)


async def dropped(sections: Mapping[str, Any], organization_id: UUID, message_id: UUID) -> None:
    async with _asking(sections, organization_id) as ctx:
        await unsent.drop(ctx, message_id)


def line_of_partner(partner: Partner) -> str:
    """One line for the terminal."""
    return f"{partner.id} {partner.version:<5} {partner.processing} {partner.address} {partner.name}"


def line_of_unsent(message: UnsentMessage) -> str:
    """One line for the terminal, without what the partner said: that may tell of somebody."""
    return f"{message.id} {message.made_at:%Y-%m-%d %H:%M} SIU^{message.event} {message.reason} partner {message.partner_id}"


def line_of(message: WaitingMessage) -> str:
    """One line for the terminal, without anything of whom it is about."""
    return f"{message.id} {message.received_at:%Y-%m-%d %H:%M} {message.kind:<8} {message.reason} {message.about}".rstrip()


def _token(file: Path | None) -> str | None:
    return _content(file).decode("utf-8", "replace").strip() if file else None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise StartFailed(f"{file} cannot be read.") from fault


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID, role: str = "scheduler") -> AsyncIterator[Hl7Context]:
    """The module, and whoever sits at the machine in that role: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        ctx: Hl7Context = system.context("hl7")
        yield ctx.acting(system.tokens.actor(role, "command-line", organization_id))
