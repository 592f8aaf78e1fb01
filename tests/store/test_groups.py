"""Groups at a real database: no other tenant's patients, nobody who was erased, whoever stands after a merge, and an end."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
import pytest

from carewright.contracts.directory import Identifier
from carewright.contracts.groups import (
    GROUPS_MAX,
    Group,
    GroupDetails,
    GroupsTooLarge,
    InvalidGroup,
    SearchGroups,
    TooManyGroups,
    UnknownGroup,
    UpdateGroup,
)
from carewright.contracts.patients import ErasePatient, MergePatients, PatientOnHold, RegisterPatient
from carewright.contracts.records import SetHold, days_kept
from carewright.kernel import keeping
from carewright.kernel.context import Context, Once
from carewright.kernel.errors import PreconditionFailed
from carewright.patients.jobs import KEEPS
from carewright.patients.service import groups, records
from carewright.patients.store import groups as store
from carewright.records.service import rules
from tests.access_world import JOURNAL
from tests.servers import Contexts

NUMBER = Identifier(system="urn:test:lists", value="7")


@pytest.fixture
async def other(context: Contexts) -> Context:
    """Another system."""
    return await context("patients", "integration")


async def patient(ctx: Context, family: str = "Numbat") -> UUID:
    return (await records.register_patient(ctx, RegisterPatient(family=family))).id


async def grouped(ctx: Context, *members: UUID, **said: object) -> Group:
    return await groups.create_group(ctx, msgspec.convert({"name": "Trial", "member_ids": members} | said, GroupDetails))


async def members(ctx: Context, group_id: UUID) -> Sequence[UUID]:
    return (await groups.get_group(ctx, group_id)).member_ids


async def journal(context: Contexts, event: str) -> list[tuple[str | None, list[str]]]:
    """Whose entries there are of a deed, and about which groups each is."""
    connection = await asyncpg.connect(context.pools.url)
    try:
        entries = [msgspec.json.decode(row["body"]) for row in await connection.fetch(JOURNAL, context.organization_id)]
    finally:
        await connection.close()
    about = [(one.get("patient_id"), [each["id"] for each in one.get("entities", ())]) for one in entries if one["event"] == event]
    return sorted(about, key=str)


async def erase(ctx: Context, context: Contexts, patient_id: UUID) -> None:
    actor = context.actor("privacy-officer", subject="staff/officer")
    officer = ctx.acting(msgspec.structs.replace(actor, authenticated_at=context.clock.now()))
    await records.erase_patient(officer, ErasePatient(patient_id=patient_id, reason="Asked for it by letter"))


async def test_another_tenants_patients_are_no_members_and_its_groups_are_not_there(other: Context, context: Contexts) -> None:
    elsewhere = await context("patients", "integration", organization_id=context.ids.new())
    theirs = await patient(elsewhere)
    with pytest.raises(InvalidGroup) as refused:
        await grouped(other, await patient(other), theirs)
    assert refused.value.facts == {"field": "member_ids", "patient_id": str(theirs)}
    one = await grouped(elsewhere, theirs, identifiers=(NUMBER,))
    for ask in (groups.get_group, groups.list_members, groups.delete_group):
        with pytest.raises(UnknownGroup):
            await ask(other, one.id)
    with pytest.raises(UnknownGroup):
        await groups.update_group(other, UpdateGroup(group_id=one.id, details=GroupDetails()))
    assert await groups.search_groups(other, SearchGroups(identifiers=(NUMBER,))) == ()
    assert (await grouped(other, identifiers=(NUMBER,))).identifiers == (NUMBER,), "a number of one tenant is free in another"


async def test_whoever_is_erased_is_in_no_group_any_more(other: Context, context: Contexts) -> None:
    gone, stays = await patient(other), await patient(other)
    one, untouched = await grouped(other, gone, stays), await grouped(other, stays)
    await erase(other, context, gone)
    after = await groups.get_group(other, one.id)
    assert (after.member_ids, after.version) == ((stays,), 2)
    assert (await groups.get_group(other, untouched.id)).version == 1
    assert await journal(context, "patients.group.erase") == [(str(gone), [str(one.id)])]
    with pytest.raises(InvalidGroup):
        await grouped(other, gone)


async def test_who_is_on_hold_and_not_erased_stays(other: Context, context: Contexts) -> None:
    held = await patient(other)
    one = await grouped(other, held)
    await rules.set_hold(await context("kernel", "privacy-officer"), SetHold(patient_id=held, reason="A lawsuit"))
    with pytest.raises(PatientOnHold):
        await erase(other, context, held)
    assert await members(other, one.id) == (held,)


async def test_a_survivor_is_a_member_in_place_of_a_record_that_was_merged(other: Context, context: Contexts) -> None:
    """Both may have been in a group already; whoever names the old record later means the one that stands; erasing takes out both."""
    survivor, prior, third = [await patient(other) for _ in range(3)]
    alone, both = await grouped(other, prior), await grouped(other, prior, survivor)
    await records.merge_patients(other, MergePatients(survivor_id=survivor, prior_id=prior, reason="The same birth date"))
    for one in (alone, both):
        after = await groups.get_group(other, one.id)
        assert (after.member_ids, after.version) == ((survivor,), 2)
    assert (await grouped(other, prior, survivor)).member_ids == (survivor,)
    await records.merge_patients(other, MergePatients(survivor_id=third, prior_id=survivor, reason="The same again"))
    assert (await grouped(other, prior)).member_ids == (third,), "of a chain the last"
    assert await members(other, alone.id) == (third,)
    await erase(other, context, third)
    assert await members(other, alone.id) == ()


async def test_what_is_kept_of_a_group_is_sealed(other: Context) -> None:
    await grouped(other, name="Oncology", identifiers=(NUMBER,))
    rows = await other.db.fetch(store.Q.groups_to_reseal, other.actor.organization_id, UUID(int=0), b"", 9)
    assert rows
    assert all(word not in row["detail"] for row in rows for word in (b"Oncology", b"urn:test"))


async def test_a_change_is_of_the_version_that_was_read_and_a_key_is_answered_once(other: Context) -> None:
    details = GroupDetails(name="Trial")
    keyed = other.acting(other.actor, Once.of("again", details))
    one = await groups.create_group(keyed, details)
    assert await groups.create_group(keyed, details) == one
    changed = await groups.update_group(other, UpdateGroup(group_id=one.id, details=GroupDetails(name="Other"), expected_version=1))
    assert (changed.version, changed.name) == (2, "Other")
    with pytest.raises(PreconditionFailed):
        await groups.update_group(other, UpdateGroup(group_id=one.id, details=details, expected_version=1))


async def test_each_member_is_told_in_the_journal_who_saw_it(other: Context, context: Contexts) -> None:
    first, second = await patient(other), await patient(other)
    one = await grouped(other, first, second)
    await groups.get_group(other, one.id)
    await groups.search_groups(other, SearchGroups(member_ids=(first,)))
    assert await groups.list_members(other, one.id) == one.member_ids
    assert await groups.delete_group(other, one.id) == one
    for event in ("create", "read", "search", "delete"):
        told = sorted((str(each), [str(one.id)]) for each in (first, second))
        assert await journal(context, f"patients.group.{event}") == told, event
    assert await journal(context, "patients.group.export") == [(None, [str(one.id)])], "what is read of each is told by its module"
    with pytest.raises(UnknownGroup):
        await groups.list_members(other, one.id)


async def test_groups_have_limits(other: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "GROUPS_MAX", 1)
    monkeypatch.setattr(groups, "SHOWN_MAX", 1)
    await grouped(other, await patient(other), await patient(other))
    with pytest.raises(TooManyGroups):
        await grouped(other)
    with pytest.raises(GroupsTooLarge):
        await groups.search_groups(other, SearchGroups())
    assert GROUPS_MAX == 500


async def test_what_nobody_changed_for_long_enough_goes_unless_a_member_is_on_hold(other: Context, context: Contexts) -> None:
    held = await patient(other)
    old, kept = await grouped(other, await patient(other)), await grouped(other, held)
    await rules.set_hold(await context("kernel", "privacy-officer"), SetHold(patient_id=held, reason="A lawsuit"))
    context.clock.advance(days=7 * 366)
    new = await grouped(other)
    await keeping.dispose_all(await context.system("patients"), KEEPS, days_kept)
    assert {each.id for each in await groups.search_groups(other, SearchGroups())} == {kept.id, new.id}
    assert await journal(context, "patients.group.dispose") == [(None, [str(old.id)])]
