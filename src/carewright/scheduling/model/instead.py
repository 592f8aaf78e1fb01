"""Who of several that must move is proposed which free time: the more urgent first, then by their booked start. A pure rule."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from carewright.contracts.scheduling import Appointment, Slot

Claims = Sequence[tuple[UUID, datetime, datetime]]


def chosen(moving: Sequence[Appointment], free: Mapping[UUID, Sequence[Slot]]) -> dict[UUID, Slot]:
    """The first of each one's free slots that takes nothing from what another was proposed before."""
    taken: list[tuple[UUID, datetime, datetime]] = []
    found: dict[UUID, Slot] = {}
    for each in sorted(moving, key=lambda one: (one.urgency, one.start, one.id)):
        for slot in free.get(each.id, ()):
            claims = [(one.actor_id, one.claimed_from, one.claimed_to) for one in slot.participants]
            if not _meet(claims, taken):
                found[each.id] = slot
                taken += claims
                break
    return found


def _meet(some: Claims, others: Claims) -> bool:
    return any(
        actor == other and start < until and since < end for actor, start, end in some for other, since, until in others
    )  # fmt: skip
