"""Retention in PostgreSQL: what is past its time goes step by step and is recorded; what is on hold stays; and where records may lie."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from carewright.access import jobs as access_jobs
from carewright.contracts.records import (
    BelowFloor,
    LiftHold,
    ListHolds,
    NeverDisposed,
    SetHold,
    SetJurisdiction,
    SetRetention,
    UnknownHold,
    days_kept,
)
from carewright.kernel import keeping
from carewright.kernel.context import Context
from carewright.kernel.errors import Forbidden
from carewright.kernel.privacy.kek import FileKey
from carewright.kernel.privacy.vault import RegionNotServed, Vault
from carewright.notifications import jobs as notification_jobs
from carewright.notifications.service import forget_texts
from carewright.records.service import rules as service
from carewright.scheduling import jobs as scheduling_jobs
from tests.keys import KEY_FILE
from tests.samples import known_id
from tests.servers import MORNING, Contexts

ANNA, BERT = known_id(1), known_id(2)
APPOINTMENT = """
INSERT INTO scheduling.appointment_history (organization_id, id, status, patient_id, starts_at, ends_at, visit_type_id, version, value)
VALUES ($1, $2, 'fulfilled', $3, $4::timestamptz - interval '30 minutes', $4, $3, 1, '{}')
"""
VERSION = """
INSERT INTO scheduling.appointment_version (organization_id, id, appointment_id, patient_id, version, made_at, said)
VALUES ($1, $2, $2, $3, 1, $4, '\\x01')
"""
COMMUNICATION = """
INSERT INTO notifications.communication
    (organization_id, id, status, template, language, channel, recipient_kind, recipient, content, created_at, sent_at, forget_at)
VALUES ($1, $2, 'completed', 'sign_in_code', 'en', 'sms', 'patient', $3::uuid::text, '\\x01', $4, $4, $4)
"""
BLOCK = """
INSERT INTO scheduling.block (organization_id, id, schedule_id, starts_at, ends_at, reason, created_by, created_at)
VALUES ($1, $2, $3, $4::timestamptz - interval '1 hour', $4, '\\x01', 'tester', $4)
"""
LEFT = """
SELECT 'appointment' AS what, patient_id::text AS whose FROM scheduling.appointment_history WHERE organization_id = $1
UNION ALL SELECT 'version', patient_id::text FROM scheduling.appointment_version WHERE organization_id = $1
UNION ALL SELECT 'message', recipient FROM notifications.communication WHERE organization_id = $1
UNION ALL SELECT 'block', schedule_id::text FROM scheduling.block WHERE organization_id = $1
ORDER BY 1, 2
"""
JOURNAL = """
SELECT body::jsonb->>'event' AS event, patient_id, jsonb_array_length(body::jsonb->'entities') AS entities FROM kernel.audit_entry
WHERE organization_id = $1 AND body::jsonb->>'action' = 'D' ORDER BY xid, position
"""
FORGOTTEN = "SELECT count(*) FROM notifications.communication WHERE organization_id = $1 AND content IS NULL"
KEEPS: dict[str, Any] = {
    "access": access_jobs.KEEPS, "notifications": notification_jobs.KEEPS, "scheduling": scheduling_jobs.KEEPS,
}  # fmt: skip


@pytest.fixture
async def officer(context: Contexts) -> Context:
    return await context("kernel", "privacy-officer", subject="staff/officer")


@pytest.fixture
async def database(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def old(context: Contexts, officer: Context, database: Any) -> UUID:
    """A tenant in which two patients have an appointment and a message each of eight years ago, beside a block; its id."""
    await officer.cipher()
    organization_id, then = context.organization_id, MORNING - timedelta(days=8 * 366)
    await database.execute("SELECT scheduling.ensure_history_month($1)", (then - timedelta(days=1)).date())
    for patient_id in (ANNA, BERT):
        made: UUID = await database.fetchval("SELECT scheduling.first_id_at($1)", then - timedelta(days=1))
        number = UUID(int=made.int | (organization_id.int & 0xFFFF_FFFF) << 8 | (patient_id.int & 0xFF) | (7 << 76) | (2 << 62))
        await database.execute(APPOINTMENT, organization_id, number, patient_id, then)
        await database.execute(VERSION, organization_id, number, patient_id, then)
        await database.execute(COMMUNICATION, organization_id, number, patient_id, then)
    await database.execute(BLOCK, organization_id, context.ids.new(), ANNA, then)
    return organization_id


async def disposed(context: Contexts) -> int:
    """A turn of every module's timer."""
    return sum([await keeping.dispose_all(await context.system(name), keeps, days_kept) for name, keeps in KEEPS.items()])


async def left(database: Any, organization_id: UUID) -> list[tuple[str, str]]:
    return [(row["what"], row["whose"]) for row in await database.fetch(LEFT, organization_id)]


async def test_what_is_past_its_time_goes_and_is_recorded(context: Contexts, old: UUID, database: Any) -> None:
    assert await disposed(context) == 5
    assert await left(database, old) == []
    assert [tuple(row) for row in await database.fetch(JOURNAL, old)] == [
        ("notifications.communication.dispose", ANNA, 1), ("notifications.communication.dispose", BERT, 1),
        ("scheduling.appointment.dispose", ANNA, 1), ("scheduling.appointment.dispose", BERT, 1), ("scheduling.block.dispose", None, 1),
    ]  # fmt: skip
    assert await disposed(context) == 0


async def test_what_is_not_past_its_time_stays(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    for what in ("appointments", "messages", "calendar-blocks"):
        await service.set_retention(officer, SetRetention(what=what, days=9 * 366))
    assert await disposed(context) == 0
    await service.set_retention(officer, SetRetention(what="appointments"))
    assert await disposed(context) == 2
    assert {what for what, _ in await left(database, old)} == {"block", "message"}


async def test_the_law_of_the_state_keeps_things_longer(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    kept = await service.set_jurisdiction(officer, SetJurisdiction(region="us", state="TX"))
    appointments = next(rule for rule in kept.rules if rule.what == "appointments")
    assert (appointments.days, appointments.floor_days, appointments.chosen) == (3653, 3653, False)
    assert await disposed(context) == 3
    assert await left(database, old) == [(what, str(whose)) for what in ("appointment", "version") for whose in (ANNA, BERT)]
    with pytest.raises(BelowFloor):
        await service.set_retention(officer, SetRetention(what="appointments", days=3652))
    with pytest.raises(NeverDisposed):
        await service.set_retention(officer, SetRetention(what="audit", days=9_000))


async def test_a_hold_on_a_patient_keeps_theirs_until_it_is_lifted(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    hold = await service.set_hold(officer, SetHold(patient_id=ANNA, reason="Ames v. Lakeside Hospital"))
    assert await disposed(context) == 3, "of the other patient, and the block"
    assert await left(database, old) == [(what, str(ANNA)) for what in ("appointment", "message", "version")]
    assert (await service.list_holds(officer, ListHolds())).items == (hold,)
    lifted = await service.lift_hold(officer, LiftHold(hold_id=hold.id, reason="Settled"))
    assert (lifted.lifted_by, lifted.lift_reason) == ("staff/officer", "Settled")
    with pytest.raises(UnknownHold):
        await service.lift_hold(officer, LiftHold(hold_id=hold.id, reason="Settled again"))
    assert (await service.list_holds(officer, ListHolds())).items == ()
    assert (await service.list_holds(officer, ListHolds(lifted=True))).items == (lifted,)
    assert await disposed(context) == 2
    assert await left(database, old) == []


async def test_a_hold_on_everything_keeps_everything(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    await service.set_hold(officer, SetHold(reason="Investigation of the state"))
    assert await disposed(context) == 0
    assert len(await left(database, old)) == 7


async def test_a_message_on_hold_keeps_its_text(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    await service.set_hold(officer, SetHold(patient_id=ANNA, reason="Ames v. Lakeside Hospital"))
    base: Any = await context.system("notifications")
    await forget_texts(base)
    assert await database.fetchval(FORGOTTEN, old) == 1


async def test_another_tenants_hold_keeps_nothing(context: Contexts, officer: Context, old: UUID, database: Any) -> None:
    stranger = officer.acting(context.actor("privacy-officer", organization_id=known_id(99)))
    await service.set_hold(stranger, SetHold(patient_id=ANNA, reason="Somebody else's case"))
    assert (await service.list_holds(officer, ListHolds())).items == ()
    await disposed(context)
    assert await left(database, old) == []


async def test_reasons_lie_sealed_and_holds_are_never_deleted(officer: Context, database: Any) -> None:
    hold = await service.set_hold(officer, SetHold(patient_id=ANNA, reason="Ames v. Lakeside Hospital"))
    await service.lift_hold(officer, LiftHold(hold_id=hold.id, reason="Settled out of court"))
    row = await database.fetchval("SELECT h::text FROM kernel.legal_hold h WHERE id = $1", hold.id)
    for words in ("Ames v. Lakeside Hospital", "Settled out of court"):
        assert words not in row
        assert words.encode().hex() not in row
    with pytest.raises(asyncpg.PostgresError):
        await database.execute("DELETE FROM kernel.legal_hold WHERE id = $1", hold.id)
    assert await keeping.reseal_holds(officer, UUID(int=0), 10) == [], "nothing here is due for rotation"


async def test_only_a_privacy_officer_holds_and_sets(context: Contexts) -> None:
    for role in ("administrator", "physician", "front-desk", "patient"):
        ctx = await context("kernel", role)
        for ask in (
            service.set_hold(ctx, SetHold(reason="None of their business")), service.list_holds(ctx, ListHolds()),
            service.lift_hold(ctx, LiftHold(hold_id=ANNA, reason="Not theirs")),
            service.set_retention(ctx, SetRetention(what="messages", days=365)),
            service.set_jurisdiction(ctx, SetJurisdiction(region="us")),
        ):  # fmt: skip
            with pytest.raises(Forbidden):
                await ask


async def test_an_organization_of_another_region_is_served_nowhere_else(context: Contexts, officer: Context) -> None:
    here, there = (Vault(FileKey(KEY_FILE), context.clock, 10.0, regions) for regions in (["us", "ca"], ["eu"]))
    await there.of(officer.db, officer.actor.organization_id)
    await service.set_jurisdiction(officer, SetJurisdiction(region="us"))
    context.clock.advance(seconds=11)
    with pytest.raises(RegionNotServed):
        await there.of(officer.db, officer.actor.organization_id)
    assert (await here.of(officer.db, officer.actor.organization_id)).current == 1
    with pytest.raises(RegionNotServed):
        there.ensure_serves("us")
    there.ensure_serves("eu")
