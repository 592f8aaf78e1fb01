"""Rotating and destroying keys: those of one organization, and the one that signs tokens. `carewright keys`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.invariants import invariant
from carewright.kernel.modules import Module, Reseal
from carewright.kernel.privacy.kek import FileKey, KeyService, key_file_of, new_key_file, next_of
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.vault import IN_FLIGHT
from carewright.kernel.private_file import write_private
from carewright.kernel.sql import load
from carewright.kernel.token_keys import rotate_file
from carewright.roles.keys import field_key_file, service_of
from carewright.roles.lifecycle import NOBODY, System, running
from carewright.roles.registry import MODULES
from carewright.roles.relay import system_actor
from carewright.roles.settings import SystemSettings

Q = load("carewright.kernel")
BATCH = 500
PASSES_MAX = 5
"""A record that moves to another table behind a pass is found by the next one."""
POLL_SECONDS = 0.5
FIRST_ID = UUID(int=0)
Told = Callable[[str], None]
ContextOf = Callable[[str], Context]


async def rotate(sections: Mapping[str, Any], organization_id: UUID, told: Told) -> int:
    """Give the organization a new field key and seal everything anew under it; returns how many rows that were.

    Nothing stops meanwhile. Interrupted, the next call goes on: what is done shows in each field.
    """
    core = _core()
    async with running(core, sections) as system:
        context_of = _contexts(system, organization_id)
        ctx = context_of("patients")
        await _record(ctx, "kernel.keys.rotate")
        version = await ctx.vault.renew(ctx.db, organization_id)
        seconds = (ctx.vault.grace + IN_FLIGHT).total_seconds()
        told(f"waiting {seconds:.0f} seconds at most, until every process seals by version {version} of the key")
        await until_alone(ctx, version)
        done = await reseal(core, context_of, told)
        await ctx.vault.retire(ctx.db, organization_id, version)
    return done


async def destroy(sections: Mapping[str, Any], organization_id: UUID) -> int:
    """Destroy every key of the organization; returns how many. What they sealed can be read by nobody any more."""
    core = _core()
    async with running(core, sections) as system:
        ctx = _contexts(system, organization_id)("patients")
        async with ctx.db.transaction() as tx:
            await audit.record(tx, audit.entry(ctx, "kernel.keys.destroy", "E"))
            return await ctx.vault.destroy(tx, organization_id)


async def rotate_tokens(sections: Mapping[str, Any], organization_id: UUID, *, revoke: bool) -> None:
    """Give the system a new key for its tokens, recorded for the organization that asked. Raises `StartFailed` with nothing changed."""
    async with running([module for module in MODULES if module.name == "access"], sections) as system:
        ctx = _contexts(system, organization_id)("access")
        async with ctx.db.transaction() as tx:
            await audit.record(tx, audit.entry(ctx, "kernel.keys.rotate_tokens", "E"))
            settings: SystemSettings = sections["system"]
            delay = timedelta(seconds=settings.token_key_delay_seconds)
            rotate_file(Path(settings.token_key_file), ctx.clock.now(), delay, revoke=revoke)


async def shred(sections: Mapping[str, Any], organization_id: UUID, told: Told) -> int:
    """Make everything of the organization in every older backup unreadable; returns how many rows were sealed anew.

    The field key rotates, older versions are destroyed, and what wrapped them is replaced: backups hold the older versions, wrapped by a
    key that nobody has any more. Interrupted, the same call goes on.
    """
    done = await rotate(sections, organization_id, told)
    async with running(_core(), sections) as system:
        ctx = _contexts(system, organization_id)("patients")
        await _record(ctx, "kernel.keys.shred")
        count = await ctx.vault.destroy_retired(ctx.db, organization_id)
        told(f"destroyed {count} older versions of the key")
    await replace_key_file(sections, told)
    return done


async def replace_key_file(sections: Mapping[str, Any], told: Told) -> None:
    """Wrap all keys by a new key file, and put it in the place of the old one. Processes that run look at the file again.

    The new file is there before anything is wrapped by it; a start after a crash puts it in its place (`FileKey.take_up`).
    """
    privacy: PrivacySettings = sections["privacy"]
    if privacy.key_service != "file":
        told("the key service's own key is yours to rotate: wrap anew, then let it forget its older versions")
        await rewrap(sections, sections, told)
        return
    path = key_file_of(privacy, field_key_file(sections))
    write_private(next_of(path), new_key_file())
    following = FileKey(next_of(path).read_bytes())
    await _rewrap(sections, lambda _: following, told)
    next_of(path).replace(path)
    told(f"{path} is new: keep a copy elsewhere, and destroy every copy of the old one")


async def rewrap(sections: Mapping[str, Any], target: Mapping[str, Any], told: Told) -> None:
    """Wrap the keys of every organization by the key service of the settings `target`, all in one transaction.

    Processes that run go on with the keys they have; they open new ones only once they were started with those settings. A key file that
    is not there yet is made.
    """
    privacy: PrivacySettings = target["privacy"]
    path = key_file_of(privacy, field_key_file(target))
    if privacy.key_service == "file" and not path.exists():
        write_private(path, new_key_file())
        told(f"{path} is new: keep a copy elsewhere")
    await _rewrap(sections, lambda system: service_of(target, system.context("patients").clock, system.offer(Outgoing).reaching), told)


async def _rewrap(sections: Mapping[str, Any], target_of: Callable[[System], KeyService], told: Told) -> None:
    async with running(_core(), sections) as system:
        base: Context = system.context("patients")
        target = target_of(system)
        async with base.db.transaction() as tx:
            whose = await base.vault.rewrap(tx, target)
            for organization_id in sorted(set(whose)):
                ctx = _contexts(system, organization_id)("patients")
                await audit.record(tx, audit.entry(ctx, "kernel.keys.rewrap", "E"))
        told(f"{len(whose)} keys are wrapped by {target.id}")


def _core() -> list[Module]:
    """The modules that keep something sealed."""
    return [module for module in MODULES if module.has_tables or module.sealed]


async def until_alone(ctx: Context, version: int) -> None:
    """Return when `version` seals, and everything that an older one sealed is stored where it can be found, or never will be.

    What came in behind the last look would be lost with the older key.
    """
    while not await ctx.vault.seals_alone(ctx.db, ctx.actor.organization_id, version):  # noqa: ASYNC110  (the clock sets none)
        await asyncio.sleep(POLL_SECONDS)
    begun = await _open_transactions(ctx)
    while begun & await _open_transactions(ctx):  # noqa: ASYNC110  (other processes set no asyncio.Event)
        await asyncio.sleep(POLL_SECONDS)


async def _open_transactions(ctx: Context) -> set[str]:
    return {row["virtualtransaction"] for row in await ctx.db.fetch(Q.open_transactions)}


async def reseal(modules: Sequence[Module], context_of: ContextOf, told: Told) -> int:
    """Seal anew what older keys sealed, in every table, until a pass over all of them finds nothing; returns how many rows."""
    total = 0
    for _ in range(PASSES_MAX):
        done = 0
        for module in modules:
            for table, batch in module.sealed.items():
                done += await _table(context_of(module.name), table, batch, told)
        if not done:
            return total
        total += done
    invariant(False, "nothing is sealed by an older key once every process has the new one")
    return total


async def _table(ctx: Context, table: str, batch: Reseal, told: Told) -> int:
    done, after = 0, FIRST_ID
    while ids := await batch(ctx, after, BATCH):
        done, after = done + len(ids), ids[-1]
        told(f"{table}: {done:,} rows sealed anew")
    return done


async def _record(ctx: Context, event: str) -> None:
    async with ctx.db.transaction() as tx:
        await audit.record(tx, audit.entry(ctx, event, "E"))


def _contexts(system: System, organization_id: UUID) -> ContextOf:
    actor = system_actor(NOBODY, organization_id)

    def context_of(module: str) -> Context:
        context: Context = system.context(module).acting(actor)
        return context

    return context_of
