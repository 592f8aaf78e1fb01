"""EHR connections from the command line: `carewright ehr`. Works on the database, whether or not a server runs."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.ehr import AddConnection, Connection, Pulled, Reconciled, SetMode
from carewright.ehr.context import EhrContext
from carewright.ehr.service import connections, pulling, pushing, reconciling, stopping, subscribing, untold
from carewright.kernel.settings import StartFailed
from carewright.roles.lifecycle import running
from carewright.roles.registry import MODULES

NEEDED = ("access", "coverage", "directory", "patients", "scheduling", "ehr")


async def added(sections: Mapping[str, Any], organization_id: UUID, wished: Mapping[str, Any]) -> Connection:
    """Raises `StartFailed` for what is not in form."""
    try:
        command = msgspec.convert(wished, AddConnection)
    except msgspec.ValidationError as fault:
        raise StartFailed(f"This connection cannot be added: {fault}.") from fault
    async with _asking(sections, organization_id) as ctx:
        return await connections.add_connection(ctx, command)


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[Connection]:
    async with _asking(sections, organization_id) as ctx:
        return await connections.list_connections(ctx)


async def mapped(sections: Mapping[str, Any], organization_id: UUID, name: str, code: str, target: UUID | None) -> None:
    async with _asking(sections, organization_id) as ctx:
        await connections.set_code(ctx, name, code, target)


async def pulled(sections: Mapping[str, Any], organization_id: UUID, name: str) -> Pulled:
    async with _asking(sections, organization_id) as ctx:
        return await pulling.pull(ctx, name)


async def pushed(sections: Mapping[str, Any], organization_id: UUID, name: str) -> int:
    async with _asking(sections, organization_id) as ctx:
        return await pushing.push_all(ctx, name)


async def retried(sections: Mapping[str, Any], organization_id: UUID, name: str) -> int:
    async with _asking(sections, organization_id) as ctx:
        return (await untold.retry_untold(ctx, (await connections.connection_named(ctx, name)).id)).count


async def reconciled(sections: Mapping[str, Any], organization_id: UUID, name: str) -> Reconciled:
    async with _asking(sections, organization_id) as ctx:
        return await reconciling.reconcile(ctx, (await connections.connection_named(ctx, name)).id)


async def moded(sections: Mapping[str, Any], organization_id: UUID, name: str, mode: str) -> Connection:
    """Raises `StartFailed` for a mode that is none."""
    try:
        command = msgspec.convert({"mode": mode}, SetMode)
    except msgspec.ValidationError as fault:
        raise StartFailed(f"There is no mode {mode}: it is polling or subscription.") from fault
    async with _asking(sections, organization_id) as ctx:
        return await subscribing.set_mode(ctx, (await connections.connection_named(ctx, name)).id, command)


async def stopped(sections: Mapping[str, Any], organization_id: UUID, name: str) -> int:
    async with _asking(sections, organization_id) as ctx:
        return (await stopping.stop_connection(ctx, (await connections.connection_named(ctx, name)).id)).dropped


async def resumed(sections: Mapping[str, Any], organization_id: UUID, name: str) -> int:
    async with _asking(sections, organization_id) as ctx:
        return (await stopping.resume_connection(ctx, (await connections.connection_named(ctx, name)).id)).count


def line_of(connection: Connection) -> str:
    """One line for the terminal."""
    masters = " ".join(f"{kind}={master}" for kind, master in connection.masters.items())
    how = f"stopped {_at(connection.stopped_at)}" if connection.stopped_at else ", ".join(_how(connection))
    return f"{connection.name} ({connection.profile}) {connection.base}: {how}, pulled {_at(connection.pulled_at)}; {masters}"


def _how(connection: Connection) -> Iterator[str]:
    """The mode, and how the subscription stands."""
    yield connection.mode
    if (one := connection.subscription) is not None:
        yield f"active since {_at(one.active_since)}" if one.active_since else one.status or "not there yet"
        yield f"woken {_at(one.woken_at)}"
        if one.ends_at:
            yield f"ends {_at(one.ends_at)}"
        if one.fault:
            yield f"{one.fault} {_at(one.fault_at)}"


def _at(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else "never"


def keys_of(connection: Connection) -> str:
    """What the EHR must be given: a JWK set (RFC 7517) of our public key."""
    return msgspec.json.format(msgspec.json.encode({"keys": [connection.public_key]})).decode()


def lines_of_pull(pulled: Pulled) -> Iterator[str]:
    for what, count in sorted(pulled.counts.items()):
        yield f"{count:>8,} {what}"
    if pulled.ended_by:
        yield f"ended early: {pulled.ended_by}"


def lines_of(report: Reconciled) -> Iterator[str]:
    """Counts first, then every difference by ids; nothing of whom they are about."""
    for kind, count in sorted(report.linked.items()):
        yield f"{count:>8,} {kind} on both sides"
    reasons = Counter(f"{each.kind} {each.reason}" for each in report.differences)
    for reason, count in sorted(reasons.items()):
        yield f"{count:>8,} {reason}"
    yield f"{len(report.only_ours):>8,} Appointment only ours"
    for each in report.differences:
        yield " ".join(filter(None, (str(each.id), each.kind, each.reason, str(each.ours or ""), ",".join(each.elements))))
    yield from (f"{each} Appointment only ours" for each in report.only_ours)
    if report.more:
        yield "there are more"


@asynccontextmanager
async def _asking(sections: Mapping[str, Any], organization_id: UUID) -> AsyncIterator[EhrContext]:
    """The module, and whoever sits at the machine as an administrator: they have the keys in their hands already."""
    async with running([module for module in MODULES if module.name in NEEDED], sections) as system:
        ctx: EhrContext = system.context("ehr")
        yield ctx.acting(system.tokens.actor("administrator", "command-line", organization_id))
