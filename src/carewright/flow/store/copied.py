"""Many appointments at once into flow's copy of them, by COPY, where it has none yet."""

from collections.abc import Sequence
from uuid import UUID

from carewright.contracts.queue import LEVEL_OF_TIER
from carewright.contracts.scheduling import AppointmentFact
from carewright.kernel.db import Transaction

COMING = (
    "organization_id", "appointment_id", "site_id", "visit_type_id", "practitioner_ids", "level", "status", "starts_at", "ends_at",
    "version",
)  # fmt: skip
TIMES = ("organization_id", "calendar_id", "appointment_id", "starts_at", "ends_at")


async def copy_appointments(tx: Transaction, organization_id: UUID, facts: Sequence[AppointmentFact]) -> None:
    """When they are, with whom, whose time they take, and who is expected: what events of each would have brought."""
    await tx.copy("flow", "coming", COMING, [
        (organization_id, each.appointment_id, each.site_id, each.visit_type_id, list(each.practitioner_ids), LEVEL_OF_TIER[each.urgency],
         each.status, each.start, each.end, each.version)
        for each in facts
    ])  # fmt: skip
    expected = [(organization_id, each.appointment_id, each.patient_id) for each in facts]
    await tx.copy("flow", "expected", ("organization_id", "appointment_id", "patient_id"), expected)
    times = [(organization_id, claim.schedule_id, each.appointment_id, claim.start, claim.end) for each in facts for claim in each.claims]
    await tx.copy("flow", "coming_time", TIMES, times)
