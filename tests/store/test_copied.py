"""What is loaded of appointments is what events of them would have brought."""

from datetime import timedelta
from typing import Any

from carewright.contracts.scheduling import AppointmentBooked, ClaimedTime
from carewright.flow import handlers
from carewright.flow.store.copied import copy_appointments
from tests.samples import known_id
from tests.servers import MORNING, Contexts

KEPT = (
    "SELECT * FROM flow.coming ORDER BY appointment_id",
    "SELECT * FROM flow.coming_time ORDER BY appointment_id, calendar_id",
    "SELECT * FROM flow.expected ORDER BY appointment_id",
)


async def test_what_is_loaded_is_what_events_would_have_brought(context: Contexts, database: Any) -> None:
    ctx = await context("flow")
    ends = MORNING + timedelta(minutes=30)
    facts = [
        AppointmentBooked(
            organization_id=ctx.actor.organization_id, appointment_id=known_id(number), version=1, status="booked",
            visit_type_id=known_id(9), site_id=known_id(8), patient_id=known_id(10 + number),
            start=MORNING, end=ends, urgency="P1", practitioner_ids=(known_id(7),),
            claims=tuple(ClaimedTime(schedule_id=known_id(each), lane=0, start=MORNING, end=ends) for each in (6, 7)),
        )
        for number in range(3)
    ]  # fmt: skip

    async def kept() -> list[list[str]]:
        return [[str(row) for row in await database.fetch(rows)] for rows in KEPT]

    async with ctx.db.transaction() as tx:
        for each in facts:
            await handlers.copy_appointment(ctx, tx, each)
    heard = await kept()
    await database.execute("DELETE FROM flow.coming")
    assert await kept() == [[], [], []]
    async with ctx.db.transaction() as tx:
        await copy_appointments(tx, ctx.actor.organization_id, facts)
    assert await kept() == heard
    assert all(heard)
