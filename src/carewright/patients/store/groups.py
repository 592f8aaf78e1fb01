"""The rows of groups, to values and back: sealed on the way in, opened on the way out. One function runs one named query, or a few."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts.directory import Identifier
from carewright.contracts.groups import Group, SearchGroups
from carewright.kernel.db import Row, Session
from carewright.kernel.keeping import Gone
from carewright.kernel.merges import merges_of
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.resealing import reseal_rows
from carewright.kernel.sql import load

Q = load("carewright.patients")
TABLE = "patients.patient_group"


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a group."""

    name: str = ""
    identifiers: tuple[Identifier, ...] = ()


_detail = msgspec.json.Decoder(Detail).decode


async def group_by_id(db: Session, cipher: FieldCipher, group_id: UUID) -> Group | None:
    return next(iter(await search_groups(db, cipher, SearchGroups(ids=(group_id,)))), None)


async def group_for_change(tx: Session, cipher: FieldCipher, group_id: UUID) -> Group | None:
    """The group, its row locked until the transaction ends. The caller holds whoever is to be a member."""
    await tx.fetch_one(Q.lock_group, cipher.organization_id, group_id)
    return await group_by_id(tx, cipher, group_id)


async def search_groups(db: Session, cipher: FieldCipher, query: SearchGroups) -> list[Group]:
    """In order of ids."""
    return [_opened(cipher, row) for row in await db.fetch(Q.search_groups, cipher.organization_id, *_asked(cipher, query))]


async def count_members(db: Session, cipher: FieldCipher, query: SearchGroups) -> int:
    """How many members those have who would be found."""
    row = await db.fetch_one(Q.count_members, cipher.organization_id, *_asked(cipher, query))
    return int(row["members"]) if row else 0


async def lock_members(tx: Session, organization_id: UUID, patient_ids: Iterable[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Hold patients until the transaction ends: who stands for them, in place of whoever was merged, and those who are not there."""
    wanted = set(patient_ids)
    while True:
        known = {row["id"] for row in await tx.fetch(Q.lock_members, organization_id, sorted(wanted))}
        into = await merges_of(tx, organization_id, sorted(known))
        standing = {into.get(each, each) for each in known}
        if standing == known:
            return known, wanted - known
        wanted = standing | (wanted - known)


async def insert_group(tx: Session, cipher: FieldCipher, one: Group, groups_max: int) -> bool:
    """False where the organization has `groups_max` already."""
    row = await tx.fetch_one(Q.insert_group, cipher.organization_id, one.id, one.active, _sealed(cipher, one), one.updated_at, groups_max)
    return row is not None


async def change_group(tx: Session, cipher: FieldCipher, one: Group) -> None:
    await tx.execute(Q.change_group, cipher.organization_id, one.id, one.active, _sealed(cipher, one), one.version, one.updated_at)


async def put_identifiers(tx: Session, cipher: FieldCipher, one: Group) -> bool:
    """By what the group is found from now on; False where another group carries one of them."""
    await tx.execute(Q.drop_group_identifiers, cipher.organization_id, one.id)
    marks = list({_mark(cipher, each) for each in one.identifiers})
    return len(await tx.fetch(Q.claim_group_identifiers, cipher.organization_id, one.id, marks)) == len(marks)


async def set_members(tx: Session, organization_id: UUID, one: Group) -> None:
    """The caller holds them all."""
    await tx.execute(Q.set_members, organization_id, one.id, list(one.member_ids))


async def delete_group(tx: Session, organization_id: UUID, group_id: UUID) -> None:
    """With its members and identifiers."""
    await tx.execute(Q.delete_group, organization_id, group_id)


async def leave_groups(tx: Session, organization_id: UUID, patient_ids: Sequence[UUID], now: datetime) -> dict[UUID, list[UUID]]:
    """Take patients, whom the caller holds, out of every group; by patient, out of which."""
    await tx.fetch(Q.lock_groups_of, organization_id, list(patient_ids))
    left: dict[UUID, list[UUID]] = {}
    for row in await tx.fetch(Q.leave_groups, organization_id, list(patient_ids)):
        left.setdefault(row["patient_id"], []).append(row["group_id"])
    await tx.execute(Q.touch_groups, organization_id, list({each for ids in left.values() for each in ids}), now)
    return left


async def take_over(tx: Session, organization_id: UUID, prior_id: UUID, survivor_id: UUID, now: datetime) -> list[UUID]:
    """Put a survivor into every group in place of the record that was merged; which those were. The caller holds both."""
    groups = (await leave_groups(tx, organization_id, (prior_id,), now)).get(prior_id, [])
    await tx.execute(Q.join_groups, organization_id, groups, survivor_id)
    return groups


async def dispose(tx: Session, organization_id: UUID, before: datetime, limit: int) -> list[Gone]:
    """Delete groups that nobody changed since `before`, unless a hold covers a member."""
    return [Gone("Group", row["id"]) for row in await tx.fetch(Q.dispose_groups, organization_id, before, limit)]


async def reseal(tx: Session, cipher: FieldCipher, after: UUID, limit: int) -> list[UUID]:
    """Seal groups anew that an older key sealed, at most `limit` with ids behind `after`; returns their ids in order."""
    return await reseal_rows(tx, cipher, TABLE, ("detail",), (Q.groups_to_reseal, Q.reseal_groups), after, limit)


def _asked(cipher: FieldCipher, query: SearchGroups) -> tuple[list[object] | None, ...]:
    marks = [_mark(cipher, each) for each in query.identifiers]
    return tuple(list(each) or None for each in (query.ids, marks, query.member_ids))


def _sealed(cipher: FieldCipher, one: Group) -> bytes:
    return cipher.seal(TABLE, "detail", one.id, msgspec.json.encode(Detail(name=one.name, identifiers=one.identifiers)))


def _opened(cipher: FieldCipher, row: Row) -> Group:
    detail = _detail(cipher.open_(TABLE, "detail", row["id"], row["detail"]))
    return Group(
        id=row["id"], name=detail.name, identifiers=detail.identifiers, active=row["active"], member_ids=tuple(row["member_ids"]),
        version=row["version"], updated_at=row["updated_at"],
    )  # fmt: skip


def _mark(cipher: FieldCipher, identifier: Identifier) -> bytes:
    return cipher.mark("patients.group_identifier", "mark", f"{identifier.system}\0{identifier.value}".encode())
