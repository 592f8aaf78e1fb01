"""What is over, of everybody: for the extract without names. Nothing sealed is opened, so no free text is read on this way."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from carewright.contracts.scheduling import HOLD_ENDED, Appointment
from carewright.kernel.rng import new_secret
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext

PATIENTS = 1_000
"""In one step; what is in memory at once are their appointments. Each step looks at all patients once, so that few steps are quicker."""
STATUSES = ("booked", "arrived", "checked-in", "fulfilled", "noshow", "cancelled")
"""What became of an appointment that somebody really had. `booked` and `arrived` are those whose end nobody wrote down."""
SECRET_BYTES = 32


async def past_by_patient(ctx: SchedulingContext) -> AsyncIterator[Mapping[UUID, list[Appointment]]]:
    """Past appointments of all patients who have some, by patient and start, `PATIENTS` patients at a time, in an order that tells nothing.

    Whoever takes them records whose they were. Raises `Forbidden`.
    """
    ctx.actor.require("records.extract")
    organization_id, secret, place = ctx.actor.organization_id, new_secret(SECRET_BYTES), b""
    while True:
        patients, place = await store.patients_in_hidden_order(ctx.db, organization_id, secret, place, PATIENTS)
        if not patients:
            return
        histories: dict[UUID, list[Appointment]] = {each: [] for each in patients}
        for one in await store.past_of_patients(ctx.db, organization_id, patients, ctx.clock.now(), STATUSES):
            if one.cancelation_reason not in HOLD_ENDED:
                histories[one.patient_id].append(one)
        yield {each: history for each, history in histories.items() if history}
