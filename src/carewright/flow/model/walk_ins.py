"""Tickets of kiosks, until the desk knows whose they are: which steps there are, and what each makes of one. Pure rules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.kiosk import WalkIn, WalkInAction, WalkInMoved, WalkInStatus, WalkInStepNotAllowed
from carewright.contracts.queue import LEVEL_OF_TIER, Queue, QueueEntry
from carewright.flow.model import order

OPEN: frozenset[WalkInStatus] = frozenset({"waiting", "called"})
BECOMES: Mapping[WalkInAction, WalkInStatus] = {"call": "called", "register": "registered", "end": "ended"}
DEEDS: Mapping[WalkInAction, str] = {
    "take": "flow.walk_in.take", "call": "flow.walk_in.call", "register": "flow.walk_in.register", "end": "flow.walk_in.end",
}  # fmt: skip
"""What the journal calls each."""
NOBODY = UUID(int=0)


def stepped(walk_in: WalkIn, action: WalkInAction, now: datetime, entry_id: UUID | None = None) -> WalkIn:
    """The ticket after a step. Whoever is called a second time is called anew. Raises `WalkInStepNotAllowed` where it is seen to."""
    if walk_in.status not in OPEN:
        raise WalkInStepNotAllowed(walk_in_id=str(walk_in.id), walk_in_status=walk_in.status)
    status = BECOMES[action]
    return replace(
        walk_in, status=status, version=walk_in.version + 1, called_at=now if action == "call" else walk_in.called_at,
        ended_at=None if status in OPEN else now, entry_id=entry_id,
    )  # fmt: skip


def moved(walk_in: WalkIn, action: WalkInAction, organization_id: UUID) -> WalkInMoved:
    """The fact that a step leaves behind."""
    return WalkInMoved(
        organization_id=organization_id, walk_in_id=walk_in.id, queue_id=walk_in.queue_id, site_id=walk_in.site_id, action=action,
        status=walk_in.status, ticket=walk_in.ticket, version=walk_in.version, entry_id=walk_in.entry_id,
    )  # fmt: skip


def waiting_with(queue: Queue, entries: Sequence[QueueEntry], walk_ins: Iterable[WalkIn], now: datetime) -> list[QueueEntry]:
    """Who waits in a queue, in order, with those whom the desk does not know yet where they will stand: for estimates alone."""
    known = {each.id: each for each in (*entries, *(_as_turn(queue, each) for each in walk_ins))}
    ranked = order.in_order(queue.policy, ((each.level, each.ranked_from, each.id) for each in known.values()), now)
    return [known[entry_id] for entry_id in ranked]


def _as_turn(queue: Queue, walk_in: WalkIn) -> QueueEntry:
    return QueueEntry(
        id=walk_in.id, queue_id=queue.id, site_id=queue.site_id, service_id=queue.service_id, encounter_id=NOBODY, patient_id=NOBODY,
        ticket=walk_in.ticket, status="waiting", level=LEVEL_OF_TIER["P2"], ranked_from=walk_in.taken_at, arrived_at=walk_in.taken_at,
        updated_at=walk_in.taken_at,
    )  # fmt: skip
