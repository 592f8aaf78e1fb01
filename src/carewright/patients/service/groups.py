"""Groups' use cases. One function, one transaction, one permission. Who is in a group is told in the journal of each member."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict, replace

from carewright.contracts.groups import (
    GROUPS_MAX,
    SHOWN_MAX,
    Group,
    GroupDetails,
    GroupsTooLarge,
    InvalidGroup,
    SearchGroups,
    TooManyGroups,
    UnknownGroup,
    UpdateGroup,
)
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.idempotency import once, remember
from carewright.kernel.keeping import note_disposed
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.resealing import in_transaction
from carewright.patients.store import groups as store

READ = "patients.group.read"
CHANGE = "patients.group.change"


async def get_group(ctx: Context, group_id: UUID) -> Group:
    """One group with its members. Raises `UnknownGroup`."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = _known(await store.group_by_id(tx, cipher, group_id), group_id)
        await audit.record(tx, *_entries(ctx, "patients.group.read", "R", found.id, found.member_ids))
    return found


async def list_members(ctx: Context, group_id: UUID) -> tuple[UUID, ...]:
    """Who is in a group now, for an export of what is about them, which each module records. Raises `UnknownGroup`."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = _known(await store.group_by_id(tx, cipher, group_id), group_id)
        await audit.record(tx, *_entries(ctx, "patients.group.export", "R", found.id))
    return found.member_ids


async def search_groups(ctx: Context, query: SearchGroups) -> tuple[Group, ...]:
    """Groups in order of their ids, with their members. Raises `GroupsTooLarge`."""
    ctx.actor.require(READ)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        if await store.count_members(tx, cipher, query) > SHOWN_MAX:
            raise GroupsTooLarge(limit=SHOWN_MAX)
        found = await store.search_groups(tx, cipher, query)
        about = [(member, _entity(one.id)) for one in found for member in one.member_ids]
        await audit.record(tx, *audit.entries_about(ctx, "patients.group.search", about))
    return tuple(found)


async def create_group(ctx: Context, details: GroupDetails) -> Group:
    """Store a new group. Raises `InvalidGroup`, and `TooManyGroups`."""
    ctx.actor.require(CHANGE)
    cipher = await ctx.cipher()

    async def work() -> Group:
        async with ctx.db.transaction() as tx:
            members = await _members(tx, cipher.organization_id, details)
            made = Group(id=ctx.ids.new(), updated_at=ctx.clock.now(), **asdict(details) | {"member_ids": members})
            if not await store.insert_group(tx, cipher, made, GROUPS_MAX):
                raise TooManyGroups(limit=GROUPS_MAX)
            await _put_parts(tx, cipher, made)
            await audit.record(tx, *_entries(ctx, "patients.group.create", "C", made.id, made.member_ids))
            await remember(ctx, tx, made)
        return made

    return await once(ctx, Group, work)


async def update_group(ctx: Context, command: UpdateGroup) -> Group:
    """Replace what a group says; the same again changes nothing. Raises `UnknownGroup`, `PreconditionFailed`, `InvalidGroup`."""
    ctx.actor.require(CHANGE)
    cipher = await ctx.cipher()

    async def work() -> Group:
        async with ctx.db.transaction() as tx:
            members = await _members(tx, cipher.organization_id, command.details)
            before = _known(await store.group_for_change(tx, cipher, command.group_id), command.group_id)
            if command.expected_version not in (None, before.version):
                raise PreconditionFailed(version=before.version)
            after = replace(before, **asdict(command.details) | {"member_ids": members})
            if after != before:
                after = replace(after, version=before.version + 1, updated_at=ctx.clock.now())
                await store.change_group(tx, cipher, after)
                await _put_parts(tx, cipher, after)
            await audit.record(tx, *_entries(ctx, "patients.group.change", "U", after.id, {*before.member_ids, *after.member_ids}))
            await remember(ctx, tx, after)
        return after

    return await once(ctx, Group, work)


async def delete_group(ctx: Context, group_id: UUID) -> Group:
    """End a group; its patients stay. As it was before. Raises `UnknownGroup`."""
    ctx.actor.require(CHANGE)
    cipher = await ctx.cipher()
    async with ctx.db.transaction() as tx:
        found = _known(await store.group_for_change(tx, cipher, group_id), group_id)
        await store.delete_group(tx, cipher.organization_id, group_id)
        await audit.record(tx, *_entries(ctx, "patients.group.delete", "D", found.id, found.member_ids))
    return found


async def dispose_groups(ctx: Context, before: datetime, limit: int) -> int:
    """End the groups of one organization that are past their time; one batch."""
    async with ctx.db.transaction() as tx:
        gone = await store.dispose(tx, ctx.actor.organization_id, before, limit)
        return await note_disposed(ctx, tx, "patients.group.dispose", gone)


reseal_groups = in_transaction(store.reseal)
"""Seal groups anew that an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


async def _members(tx: Session, organization_id: UUID, details: GroupDetails) -> tuple[UUID, ...]:
    """Those named, held, each once and by the record that stands. Raises `InvalidGroup` for somebody who is not here."""
    standing, unknown = await store.lock_members(tx, organization_id, details.member_ids)
    if unknown:
        raise InvalidGroup("We do not know a patient who is named as a member.", field="member_ids", patient_id=str(min(unknown)))
    return tuple(sorted(standing))


async def _put_parts(tx: Session, cipher: FieldCipher, one: Group) -> None:
    if not await store.put_identifiers(tx, cipher, one):
        raise InvalidGroup("Another group carries the identifier.", field="identifiers")
    await store.set_members(tx, cipher.organization_id, one)


def _known(found: Group | None, group_id: UUID) -> Group:
    if found is None:
        raise UnknownGroup(group_id=str(group_id))
    return found


def _entries(ctx: Context, event: str, action: audit.Action, group_id: UUID, members: Iterable[UUID] = ()) -> tuple[audit.Entry, ...]:
    """One for each member, so that each can be told; one without a patient where there is none."""
    return tuple(audit.entry(ctx, event, action, patient_id=each, entities=(_entity(group_id),)) for each in sorted(members) or (None,))


def _entity(group_id: UUID) -> audit.Entity:
    return audit.Entity(type="Group", id=group_id)
