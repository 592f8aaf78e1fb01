"""Where appointments that cannot take place as booked could go instead: the planner's question, answered by a search of free times."""

from collections.abc import Collection, Sequence
from datetime import datetime

from carewright.contracts.planner import Instead, Proposed, ProposeInstead
from carewright.contracts.scheduling import Appointment, ClaimedTime, Slot
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import Refusal
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model.instead import chosen
from carewright.scheduling.service.change import get_appointment
from carewright.scheduling.service.find import find_times
from carewright.scheduling.store import offers

LOOKED_AT = 20
"""Free times for each: of fifty that move, most find theirs among the first."""


async def propose_instead(ctx: SchedulingContext, query: ProposeInstead) -> Proposed:
    """The next free equivalent of each. Raises `UnknownAppointment`; what cannot be booked at all any more is proposed nothing."""
    ctx.actor.require("scheduling.find")
    moving = [await get_appointment(ctx, each) for each in query.appointment_ids]
    found = chosen(moving, {each.id: await free_for(ctx, each, each.start) for each in moving})
    return Proposed(items=tuple(_instead(each, found.get(each.id)) for each in moving))


async def free_for(
    ctx: SchedulingContext, one: Appointment, since: datetime, until: datetime | None = None, beside: Collection[Appointment] = ()
) -> Sequence[Slot]:
    """Times at which the visit could begin, the patient is expected nowhere else, and to which they did not say no.

    From `since` on and not before now, until `until`, as many as are looked at. They may be at the appointments `beside` it.
    """
    begin = max(since, ctx.clock.now())
    if until is not None and until < begin:
        return ()
    asked = FindTimes(
        visit_type_id=one.visit_type_id, site_id=one.site_id, from_at=begin, until_at=until, urgency=one.urgency, limit=LOOKED_AT
    )  # fmt: skip
    try:
        found = (await find_times(ctx, asked)).items
    except Refusal:
        return ()
    theirs = [ClaimedTime(schedule_id=one.patient_id, lane=0, start=each.start, end=each.end) for each in found]
    known = {(each.start, each.end) for each in beside}
    held = await store.claims_beside(ctx.db, ctx.actor.organization_id, theirs, one.id, ctx.clock.now())
    taken = [each for each in held if (each.start, each.end) not in known]
    declined = await offers.declined_starts(ctx.db, ctx.actor.organization_id, one.id)
    return [
        slot for slot in found if slot.start not in declined and not any(each.start < slot.end and slot.start < each.end for each in taken)
    ]


def _instead(one: Appointment, slot: Slot | None) -> Instead:
    if slot is None:
        return Instead(appointment_id=one.id, version=one.version)
    actors = tuple(each.actor_id for each in slot.participants)
    return Instead(appointment_id=one.id, version=one.version, start=slot.start, end=slot.end, actor_ids=actors)
